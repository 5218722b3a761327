"""Exact quantiles of columns by a few passes: radix selection, which never holds the values.

The bits of a double, with the sign turned, are whole numbers in the order of the doubles. Each pass counts the next
eleven bits of the values that share the bits found so far, and so narrows down every quantile at once; a cell whose
different values are few is settled at once. Two or three passes do for most columns and six for any, and as only counts
are merged the answer is exact and the same for every partitioning. A sketch would need one pass, with an error of ranks
and other bits in every run.

References:
    Munro and Paterson: Selection and sorting with limited storage, Theoretical Computer Science 12 (1980).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from groundswell.estimators._input import Input
from groundswell.estimators._row_errors import no_rows
from groundswell.statistics import Batch
from groundswell.statistics._matrix import Floats

Keys: TypeAlias = NDArray[np.uint64]
Cells: TypeAlias = dict[tuple[int, int], "Cell"]

DIGIT = 11
"""Bits that a pass finds."""

FEW = 4096
"""Different values of a cell that are counted one by one."""

Method = Literal["linear", "averaged_inverted_cdf"]


@dataclass
class Cell:
    """The values of one column whose upper bits are the same.

    Attributes:
        counts: by the next bits, shape (2 ** DIGIT,).
        keys, times: the different values and how often each occurs, while they are few; else None.
    """

    counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(2**DIGIT, np.int64))
    keys: Keys | None = field(default_factory=lambda: np.zeros(0, np.uint64))
    times: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))

    def add(self, keys: Keys, shift: int) -> None:
        """Take in values; `shift` is how many of their bits are open."""
        step = min(DIGIT, shift)
        digits = (keys >> np.uint64(shift - step)) & np.uint64(2**step - 1)
        self.counts += np.bincount(digits.astype(np.int64), minlength=2**DIGIT)
        for some in (keys[:FEW], keys[FEW:]):  # a look at a few rows often shows that there are many
            if self.keys is not None and len(some):
                self._count(*np.unique(some, return_counts=True))

    def merge(self, other: "Cell") -> None:
        """Add the counts of the other."""
        self.counts = self.counts + other.counts
        if other.keys is None:
            self.keys = None
        elif self.keys is not None:
            self._count(other.keys, other.times)

    def _count(self, keys: Keys, times: NDArray[np.int64]) -> None:
        assert self.keys is not None
        merged, places = np.unique(np.concatenate([self.keys, keys]), return_inverse=True)
        if len(merged) > FEW:
            self.keys = None
            return
        self.times = np.bincount(places, np.concatenate([self.times, times]), len(merged)).astype(np.int64)
        self.keys = merged


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
        self.cells = {prefix: Cell() for prefix in self.prefixes}

    def zero(self) -> "DigitCounts":
        """The same cells, nothing counted."""
        return DigitCounts(self.prefixes, self.shift)

    def update(self, batch: Batch) -> None:
        """Count the values of X that lie in the cells; NaN are none."""
        for block in batch.blocks():
            self.rows += len(block)
            column, keys, upper = -1, np.zeros(0, np.uint64), np.zeros(0, np.uint64)
            for (j, prefix), cell in self.cells.items():
                if j != column:
                    column, keys = j, _keys(block.matrix[:, j])
                    upper = keys >> np.uint64(self.shift) if self.shift < 64 else keys
                cell.add(keys if self.shift == 64 else keys[upper == np.uint64(prefix)], self.shift)

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
        step = min(DIGIT, shift)
        narrowed: dict[tuple[int, int], tuple[int, int]] = {}
        for (j, rank), (prefix, inner) in open_ranks.items():
            cell = cells[j, prefix]
            if cell.keys is not None:
                found[j, rank] = _value(int(cell.keys[np.searchsorted(np.cumsum(cell.times), inner, side="right")]))
                continue
            ends = np.cumsum(cell.counts)
            digit = int(np.searchsorted(ends, inner, side="right"))
            narrowed[j, rank] = ((prefix << step) | digit, inner - int(ends[digit] - cell.counts[digit]))
        open_ranks, shift = narrowed, shift - step
        if open_ranks:
            prefixes = sorted({(j, prefix) for (j, _), (prefix, _) in open_ranks.items()})
            cells = data.fold(DigitCounts(tuple(prefixes), shift)).result()
    return found


def _keys(column: NDArray[np.number]) -> Keys:
    """The values that are not NaN as whole numbers of the same order; −0 is 0."""
    values = column.astype(np.float64)
    values = values[~np.isnan(values)] + 0.0
    bits = values.view(np.uint64)
    sign = bits >> np.uint64(63)
    keys: Keys = bits ^ ((np.uint64(0) - sign) | np.uint64(1 << 63))
    return keys


def _value(key: int) -> float:
    bits = key ^ (1 << 63) if key >> 63 else key ^ (2**64 - 1)
    return float(np.array(bits, np.uint64).view(np.float64))
