"""Exact quantiles of columns by a few passes: radix selection, which never holds the values.

The bits of a double, with the sign turned, are whole numbers in the order of the doubles. Each pass counts the next
bits of the values that share the bits found so far, and so narrows down every quantile at once; a cell whose
different values are few is settled at once. Two or three passes do for most columns, six for any, and as only counts
are merged the answer is exact and the same for every partitioning. A sketch would need one pass, with an error of ranks
and other bits in every run.

References:
    Munro and Paterson: Selection and sorting with limited storage, Theoretical Computer Science 12 (1980).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from groundswell.engines import ArrayBatches
from groundswell.engines._scannable import PART_ROWS
from groundswell.estimators._input import Input
from groundswell.estimators._row_errors import no_rows
from groundswell.statistics import Batch
from groundswell.statistics._compiled import compiled
from groundswell.statistics._matrix import Floats

Keys: TypeAlias = NDArray[np.uint64]
Cells: TypeAlias = dict[tuple[int, int], "Cell"]

FIRST, DIGIT = 14, 11
"""Bits that the first pass finds, most of them sign and exponent, and each other."""

FEW = 4096
"""Different values of a cell that are counted one by one: fifty columns have hundreds of cells under way."""

Method = Literal["linear", "averaged_inverted_cdf"]


@dataclass
class Cell:
    """The values of one column whose upper bits are the same.

    Attributes:
        counts: by the next bits, shape (2 ** bits,).
        keys, times: some of the values, and how often each occurs among these, as often as they were added; None once
            there are many different ones.
        held: how many keys there are.
    """

    counts: NDArray[np.int64]
    keys: list[Keys] | None = field(default_factory=list)
    times: list[NDArray[np.int64]] = field(default_factory=list)
    held: int = 0

    def add(self, counts: NDArray[np.int64], keys: Keys) -> None:
        """Take in values, counted by their next bits too."""
        self.counts = self.counts + counts
        if len(keys) <= FEW:
            self._hold([keys.copy()], [np.ones(len(keys), np.int64)])
        elif self.keys is not None and len(np.unique(keys[:256])) > 250:  # of so few: there are many
            self.keys = None
        elif self.keys is not None:
            found = pa.array(keys).value_counts()
            self._hold([found.field("values").to_numpy()], [found.field("counts").to_numpy()])

    def merge(self, other: "Cell") -> None:
        """Add the counts of the other."""
        self.counts = self.counts + other.counts
        if other.keys is None:
            self.keys = None
        else:
            self._hold(other.keys, other.times)

    def _hold(self, keys: list[Keys], times: list[NDArray[np.int64]]) -> None:
        if self.keys is None:
            return
        self.keys, self.times, self.held = self.keys + keys, self.times + times, self.held + sum(map(len, keys))
        if self.held > 2 * FEW:  # to sort them whenever some come would take longer than to count them
            different, often = self.different()
            self.keys, self.times, self.held = [different], [often], len(different)
            if self.held > FEW:
                self.keys = None

    def different(self) -> tuple[Keys, NDArray[np.int64]]:
        """The different values, ascending, and how often each occurs."""
        assert self.keys is not None
        if not self.keys:
            return np.zeros(0, np.uint64), np.zeros(0, np.int64)
        keys, places = np.unique(np.concatenate(self.keys), return_inverse=True)
        return keys, np.bincount(places, np.concatenate(self.times), len(keys)).astype(np.int64)


@dataclass
class DigitCounts:
    """Counts of the next bits in the cells that are asked for.

    Args:
        prefixes: pairs of a column and the upper bits of a cell.
        shift: how many bits are open; 64 in the first pass.
    """

    prefixes: tuple[tuple[int, int], ...]
    shift: int
    cells: Cells = field(init=False, default_factory=dict)
    rows: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.cells = {prefix: Cell(np.zeros(2 ** _step(self.shift), np.int64)) for prefix in self.prefixes}

    def zero(self) -> "DigitCounts":
        """The same cells, nothing counted."""
        return DigitCounts(self.prefixes, self.shift)

    def update(self, batch: Batch) -> None:
        """Count the values of X that lie in the cells; NaN are none."""
        dense = isinstance(batch.X, np.ndarray) and batch.weights is None  # a column fits into the cache
        for block in [batch] if dense else batch.blocks():
            self.rows += len(block)
            for j, prefixes in self._by_column.items():
                counts, keys, cells = _in_cells(block.matrix[:, j], np.array(prefixes, np.uint64), self.shift)
                for c, prefix in enumerate(prefixes):
                    cell = self.cells[j, prefix]
                    alone = len(prefixes) == 1 or cell.keys is None
                    cell.add(counts[c], keys if alone else keys[cells == c])

    @cached_property
    def _by_column(self) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for j, prefix in sorted(self.prefixes):
            found.setdefault(j, []).append(prefix)
        return found

    def merge(self, other: "DigitCounts") -> None:
        """Add the counts, cell by cell."""
        self.rows += other.rows
        for prefix, cell in self.cells.items():
            cell.merge(other.cells[prefix])

    def result(self) -> Cells:
        """The cells."""
        return self.cells


def quantiles(data: Input, levels: Sequence[float], method: Method = "linear") -> Floats:
    """The quantiles of each column of X, exactly as numpy's `nanquantile` gives them; NaN for a column without values.

    Args:
        data: the rows; it is passed over one to six times. Weights do not count.
        levels: from 0 to 1.
        method: what lies between two values, in numpy's words.

    Returns:
        Shape (features, levels).

    Raises:
        FitError: there are no rows.
    """
    batches = data.batches
    if isinstance(batches, ArrayBatches) and len(batches.batch) <= PART_ROWS and batches.batch.weights is None:
        return _of_sorted(np.sort(batches.batch.matrix.astype(np.float64), axis=0), np.asarray(levels), method)
    with data.cached() as kept:
        return _quantiles(kept, np.asarray(levels, np.float64), method)


def _quantiles(data: Input, levels: Floats, method: Method) -> Floats:
    counted = data.fold(DigitCounts(tuple((j, 0) for j in range(data.n_features)), 64))
    if not counted.rows:
        raise no_rows()
    first = counted.result()
    sizes = [int(first[j, 0].counts.sum()) for j in range(data.n_features)]
    between = [_between(levels, size, method) for size in sizes]
    wanted = {(j, int(rank)) for j, (low, high, _) in enumerate(between) for rank in (*low, *high) if sizes[j]}
    values = _select(data, first, wanted)
    found = np.full((data.n_features, len(levels)), np.nan)
    for j, (low, high, share) in enumerate(between):
        if sizes[j]:
            a = np.array([values[j, rank] for rank in low.tolist()])
            b = np.array([values[j, rank] for rank in high.tolist()])
            found[j] = _interpolated(a, b, share)
    return found


def _of_sorted(values: Floats, levels: Floats, method: Method) -> Floats:
    """The same of sorted columns: what is quickest for few rows in memory."""
    if not len(values):
        raise no_rows()
    found = np.full((values.shape[1], len(levels)), np.nan)
    sizes = len(values) - np.isnan(values).sum(axis=0)
    for j, size in enumerate(sizes.tolist()):
        if size:
            low, high, share = _between(levels, size, method)
            found[j] = _interpolated(values[low, j] + 0.0, values[high, j] + 0.0, share)  # −0 is 0
    return found


def _interpolated(a: Floats, b: Floats, share: Floats) -> Floats:
    """a + (b − a) · share in the rounding of numpy, from the nearer end; infinite values meet themselves."""
    with np.errstate(invalid="ignore"):
        between = np.where(share < 0.5, a + (b - a) * share, b - (b - a) * (1 - share))
    return np.where(a == b, a, between)


def _between(levels: Floats, size: int, method: Method) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """The two ranks between which each level lies, and the share of the upper."""
    at = levels * (size - 1) if method == "linear" else levels * size - 1
    low = np.floor(at)
    share = at - low
    if method != "linear":
        share = np.where(share == 0, 0.5, 1.0)
    last = max(size - 1, 0)
    return np.clip(low, 0, last).astype(np.int64), np.clip(low + 1, 0, last).astype(np.int64), share


def _select(data: Input, cells: Cells, wanted: set[tuple[int, int]]) -> dict[tuple[int, int], float]:
    """The values of these ranks, by (column, rank)."""
    found: dict[tuple[int, int], float] = {}
    open_ranks = {(j, rank): (0, rank) for j, rank in sorted(wanted)}  # to the cell of each, and its rank therein
    shift = 64
    while open_ranks:
        step = _step(shift)
        narrowed: dict[tuple[int, int], tuple[int, int]] = {}
        settled = {at: cell.different() for at, cell in cells.items() if cell.keys is not None}
        ends = {at: np.cumsum(settled[at][1] if at in settled else cell.counts) for at, cell in cells.items()}
        for (j, rank), (prefix, inner) in open_ranks.items():
            at = j, prefix
            digit = int(np.searchsorted(ends[at], inner, side="right"))
            if at in settled:
                found[j, rank] = _value(int(settled[at][0][digit]))
                continue
            narrowed[j, rank] = ((prefix << step) | digit, inner - int(ends[at][digit] - cells[at].counts[digit]))
        open_ranks, shift = narrowed, shift - step
        if open_ranks:
            prefixes = sorted({(j, prefix) for (j, _), (prefix, _) in open_ranks.items()})
            cells = data.fold(DigitCounts(tuple(prefixes), shift)).result()
    return found


def _step(shift: int) -> int:
    """How many bits a pass finds where so many are open."""
    return FIRST if shift == 64 else min(DIGIT, shift)


def _in_cells(
    column: NDArray[np.number], prefixes: Keys, shift: int
) -> tuple[NDArray[np.int64], Keys, NDArray[np.int64]]:
    """The values that lie in the cells of these prefixes: counts by cell and next bits, keys, and the cell of each."""
    values = column.astype(np.float64) + 0.0  # −0 is 0
    step, n = _step(shift), 0
    counts = np.zeros((len(prefixes), 2**step), np.int64)
    if len(values) > FEW:
        keys, cells = np.empty(len(values), np.uint64), np.empty(len(values), np.int64)
        bits = values.view(np.uint64)
        widths = np.uint64(min(shift, 63)), np.uint64(shift - step), np.uint64(2**step - 1)
        n = _count_digits(values, bits, prefixes, shift == 64, widths, counts, keys, cells)
        return counts, keys[:n], cells[:n]
    keys = _keys(values[~np.isnan(values)])  # to load the compiler would take longer
    upper = keys >> np.uint64(shift) if shift < 64 else np.zeros(len(keys), np.uint64)
    cells = np.minimum(np.searchsorted(prefixes, upper), len(prefixes) - 1)
    inside = prefixes[cells] == upper
    keys, cells = keys[inside], cells[inside]
    digits = ((keys >> np.uint64(shift - step)) & np.uint64(2**step - 1)).astype(np.int64)
    counts += np.bincount(cells * 2**step + digits, minlength=counts.size).reshape(counts.shape)
    return counts, keys, cells


@compiled
def _count_digits(
    values: Floats,
    bits: Keys,
    prefixes: Keys,
    whole: bool,
    widths: tuple[np.uint64, np.uint64, np.uint64],
    counts: NDArray[np.int64],
    keys: Keys,
    cells: NDArray[np.int64],
) -> int:
    """How many values lie in the cells. If the cell is the whole, its prefix is of no bits."""
    shift, rest, mask = widths
    sign, n = np.uint64(1 << 63), 0
    for i in range(len(values)):
        if values[i] != values[i]:
            continue
        key = ~bits[i] if bits[i] & sign else bits[i] | sign
        upper = np.uint64(0) if whole else key >> shift
        for c in range(len(prefixes)):
            if prefixes[c] == upper:
                counts[c, (key >> rest) & mask] += 1
                keys[n], cells[n] = key, c
                n += 1
                break
    return n


def _keys(values: Floats) -> Keys:
    """Values as whole numbers of the same order."""
    bits = values.view(np.uint64)
    sign = bits >> np.uint64(63)
    keys: Keys = bits ^ ((np.uint64(0) - sign) | np.uint64(1 << 63))
    return keys


def _value(key: int) -> float:
    bits = key ^ (1 << 63) if key >> 63 else key ^ (2**64 - 1)
    return float(np.array(bits, np.uint64).view(np.float64))
