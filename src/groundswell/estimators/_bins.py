"""Features as bins: whole numbers below 255, found once, on which trees are grown and asked.

A column of at most 254 different values has a bin for each, so nothing is lost. Any other is cut at the quantiles of a
sample of rows that their hashes draw: the same bins however the rows are cut into parts, which a quantile sketch with
random bits would not give, at a tenth of its time. The last bin is for missing values.
"""

from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from groundswell.errors import FitError
from groundswell.estimators._row_hash import row_hashes
from groundswell.statistics import Batch, require_same_width, uniform
from groundswell.statistics._compiled import compiled
from groundswell.statistics._matrix import Floats

BinMatrix: TypeAlias = NDArray[np.uint8]

MAX_VALUES = 254
"""Bins of a column beside the one for missing values; together they fit a byte."""

SAMPLE_ROWS = 16_384
"""Rows whose quantiles cut a column: the rank of a cut is off by 0.004 (one standard deviation), a bin's width."""

SPARE = 1.25
"""How many times as many rows are looked at for the sample where it is known how many there are."""

_CHUNK = 1 << 12
"""Rows that are binned at a time: their values stay in the cache between the columns."""


@dataclass
class BinValues:
    """What bins are made from: the different values of each column while they are few, and a sample of rows.

    Missing values: NaN are no values. A row of weight zero is none; other weights do not matter.

    Args:
        share: of the rows are looked at for the sample, those with the smallest lots. Where that leaves fewer than
            `SAMPLE_ROWS`, as most rows are equal, the sample is too small.
    """

    share: float = 1.0
    values: list[Floats | None] = field(init=False, default_factory=list)
    lots: Floats = field(init=False, default_factory=lambda: np.zeros(0))
    rows: NDArray[Any] = field(init=False, default_factory=lambda: np.zeros((0, 0)))

    def zero(self) -> "BinValues":
        """No values."""
        return BinValues(self.share)

    def update(self, batch: Batch) -> None:
        """Take in the values of X."""
        for block in batch.blocks():
            matrix = block.matrix
            known = self.values or [np.zeros(0)] * matrix.shape[1]
            require_same_width(len(known), matrix.shape[1])
            self.values = [_different(old, column) for old, column in zip(known, matrix.T, strict=True)]
            self._sample(uniform(row_hashes(matrix), 0), matrix)

    def merge(self, other: "BinValues") -> None:
        """Take in what the other saw."""
        if not other.values:
            return
        known = self.values or [np.zeros(0)] * len(other.values)
        require_same_width(len(known), len(other.values))
        self.values = [
            None if new is None else _different(old, new) for old, new in zip(known, other.values, strict=True)
        ]
        self._sample(other.lots, other.rows)

    def _sample(self, lots: Floats, rows: NDArray[Any]) -> None:
        """Keep the rows with the smallest of all different lots."""
        few = np.flatnonzero(lots < (self.lots[-1] if len(self.lots) == SAMPLE_ROWS else self.share))
        if not len(few):
            return
        both = np.concatenate([self.lots, lots[few]])
        self.lots, first = np.unique(both, return_index=True)
        self.lots, first = self.lots[:SAMPLE_ROWS], first[:SAMPLE_ROWS]
        new = np.take(rows.T, few, axis=1)  # a column at a time, as they lie in memory
        self.rows = np.concatenate([self.rows.T, new], axis=1)[:, first].T if self.rows.size else new[:, first].T

    def result(self) -> "BinValues":
        """The values and the sample themselves."""
        return self


def _different(known: Floats | None, column: NDArray[Any]) -> Floats | None:
    """The different values of both, sorted; None once they are too many. A look at a few rows often settles that."""
    for rows in (column[:1024], column[1024:]):
        if known is not None:
            found = np.empty(MAX_VALUES + 1)
            found[: len(known)] = known
            n_found = _collect(np.ascontiguousarray(rows, np.float64), found, len(known))
            known = found[:n_found] if n_found <= MAX_VALUES else None
    return known


@compiled
def _collect(values: Floats, found: Floats, n_found: int) -> int:
    """Put values that are not among those found, which are sorted, in their places, till there is no place left."""
    for value in values:
        low, high = 0, n_found
        while low < high:
            middle = (low + high) // 2
            if found[middle] < value:
                low = middle + 1
            else:
                high = middle
        if not np.isnan(value) and (low == n_found or found[low] != value):
            for i in range(n_found, low, -1):
                found[i] = found[i - 1]
            found[low] = value
            n_found += 1
            if n_found == len(found):
                break
    return n_found


@dataclass(frozen=True)
class Bins:
    """How values become bins.

    Args:
        edges: shape (features, E), padded with +∞; a number's bin is how many edges are smaller than it. Of a
            categorical feature the edges are its categories, and its bins their positions.
        counts: how many bins each feature has, without the one for missing values, shape (features,).
        categorical: which features are categories, shape (features,).
    """

    edges: Floats
    counts: NDArray[np.int64]
    categorical: NDArray[np.bool_]

    @classmethod
    def of(cls, seen: BinValues, categorical: NDArray[np.bool_], names: list[str]) -> "Bins":
        """The bins for these values.

        Raises:
            FitError: a categorical feature has too many categories.
        """
        rows: list[Floats] = []
        for j, values in enumerate(seen.values):
            if categorical[j] and values is None:
                raise FitError(
                    f"The categorical feature {names[j]} has more than {MAX_VALUES} categories.",
                    why="A tree keeps its categories in bins, of which there are 255, one for missing values.",
                    fix="Join rare categories, or take the feature out of categorical_features.",
                    feature=names[j],
                )
            rows.append(_edges(seen.rows[:, j].astype(np.float64) if values is None else values, bool(categorical[j])))
        counts = [len(row) + (not category) for row, category in zip(rows, categorical, strict=True)]
        edges = np.full((len(rows), max([len(row) for row in rows] + [1])), np.inf)
        for padded, row in zip(edges, rows, strict=True):
            padded[: len(row)] = row
        return cls(edges, np.array(counts, np.int64), categorical)

    @property
    def missing(self) -> int:
        """The bin for missing values, and for categories that were not seen; the largest of all."""
        return int(self.counts.max(initial=1))

    def bin(self, matrix: NDArray[Any], features: NDArray[Any] | None = None) -> BinMatrix:
        """The bins of each row, row-major, shape (rows, features); zeros for features that are not asked for."""
        asked = np.arange(matrix.shape[1]) if features is None else features.astype(np.int64)
        bins = np.zeros(matrix.shape, np.uint8)
        edges = np.full((len(self.edges), 1 << self.edges.shape[1].bit_length()), np.inf)
        edges[:, : self.edges.shape[1]] = self.edges
        values = np.empty((len(asked), min(_CHUNK, len(matrix))))
        for start in range(0, len(matrix), _CHUNK):
            rows = bins[start : start + _CHUNK]
            for row, j in zip(values, asked, strict=True):
                row[: len(rows)] = matrix[start : start + _CHUNK, j]
            _bin(values, asked, edges, self.categorical, self.counts, self.missing, rows)
        return bins


@compiled
def _bin(
    values: Floats,
    features: NDArray[np.int64],
    edges: Floats,
    categorical: NDArray[np.bool_],
    counts: NDArray[np.int64],
    missing: int,
    bins: BinMatrix,
) -> None:
    """The bins of values, shape (features, rows or more): how many edges are smaller.

    Edges are padded to a power of two. Bisection takes its steps for all values in turn: it has no branch that could be
    guessed wrong, and the values do not wait for each other.
    """
    below, one = np.zeros(len(bins), np.uint64), np.uint64(1)
    for i, j in enumerate(features):
        below[:], step = 0, np.uint64(edges.shape[1] // 2)
        while step:
            for row in range(len(bins)):
                low = below[row]
                below[row] = low + step if edges[j, low + step - one] < values[i, row] else low
            step >>= one
        for row in range(len(bins)):
            value, low = values[i, row], below[row]
            known = low < counts[j] and edges[j, low] == value if categorical[j] else not np.isnan(value)
            bins[row, j] = low if known else missing


def _edges(values: Floats, categorical: bool) -> Floats:
    """Categories, or between neighbours of at most 254 values their middles; of more values those at quantiles."""
    if categorical:
        return values
    ordered = np.sort(values[~np.isnan(values)])
    different, last = np.unique(ordered, return_counts=True)
    if len(different) > MAX_VALUES:
        wanted = np.arange(1, MAX_VALUES) * len(ordered) / MAX_VALUES
        after = np.unique(np.searchsorted(np.cumsum(last), wanted))
        after = after[after < len(different) - 1]
    else:
        after = np.arange(len(different) - 1)
    low, high = different[after], different[after + 1]
    with np.errstate(invalid="ignore", over="ignore"):
        middle = low + (high - low) / 2
    return np.where(np.isfinite(middle) & (middle < high), middle, low)
