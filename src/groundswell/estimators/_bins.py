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
from groundswell.estimators._row_hash import row_hashes, uniform
from groundswell.statistics import Batch, require_same_width

Floats: TypeAlias = NDArray[np.float64]
BinMatrix: TypeAlias = NDArray[np.uint8]

MAX_VALUES = 254
"""Bins of a column beside the one for missing values; together they fit a byte."""

SAMPLE_ROWS = 16_384
"""Rows whose quantiles cut a column: the rank of a cut is off by 0.004 (one standard deviation), a bin's width."""

_CELLS = 16_384


@dataclass
class BinValues:
    """What bins are made from: the different values of each column while they are few, and a sample of rows.

    Missing values: NaN are no values. A row of weight zero is none; other weights do not matter.
    """

    values: list[Floats | None] = field(init=False, default_factory=list)
    lots: Floats = field(init=False, default_factory=lambda: np.zeros(0))
    rows: NDArray[Any] = field(init=False, default_factory=lambda: np.zeros((0, 0)))

    def zero(self) -> "BinValues":
        """No values."""
        return BinValues()

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
        if len(self.lots) == SAMPLE_ROWS:
            few = np.flatnonzero(lots < self.lots[-1])
            lots, rows = lots[few], rows[few]
        if not len(lots):
            return
        known = self.rows if self.rows.size else np.zeros((0, rows.shape[1]), rows.dtype)
        both = np.concatenate([self.lots, lots])
        self.lots, first = np.unique(both, return_index=True)
        self.lots, first = self.lots[:SAMPLE_ROWS], first[:SAMPLE_ROWS]
        old = first < len(known)
        self.rows = np.concatenate([known[first[old]], rows[first[~old] - len(known)]])
        order = np.argsort(np.concatenate([np.flatnonzero(old), np.flatnonzero(~old)]))
        self.rows = self.rows[order]

    def result(self) -> "BinValues":
        """The values and the sample themselves."""
        return self


def _different(known: Floats | None, column: NDArray[Any]) -> Floats | None:
    """The different values of both, sorted; None once they are too many. A look at a few rows often settles that."""
    for rows in (column[:1024], column[1024:]):
        if known is not None and len(rows):
            some = np.unique(rows[~np.isnan(rows)]).astype(np.float64)
            known = np.union1d(known, some) if len(some) else known
            known = known if len(known) <= MAX_VALUES else None
    return known


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
        """The bins of each row, column-major, shape (rows, features); zeros for features that are not asked for."""
        bins = np.zeros(matrix.shape, np.uint8, order="F")
        for j in range(matrix.shape[1]) if features is None else features:
            values = matrix[:, j].astype(np.float64)
            edges = self.edges[j, : self.counts[j] - (not self.categorical[j])]
            bins[:, j] = _positions(values, edges)
            if self.categorical[j]:
                padded = np.append(edges, np.nan)
                bins[padded[np.minimum(bins[:, j], len(edges))] != values, j] = self.missing
            else:
                bins[np.isnan(values), j] = self.missing
        return bins


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


def _positions(values: Floats, edges: Floats) -> NDArray[Any]:
    """How many edges are smaller than each value.

    Most values lie in a cell of a fine grid that holds no edge, and a table has their answer; only the others are
    searched for, at 50 ns each where the table takes 8.
    """
    if len(values) < 4 * _CELLS or len(edges) < 8 or not np.isfinite(edges[-1] - edges[0]) or edges[0] == edges[-1]:
        return np.searchsorted(edges, values)
    scale = _CELLS / (edges[-1] - edges[0])

    def cells(numbers: Floats) -> NDArray[np.int32]:
        with np.errstate(invalid="ignore", over="ignore"):
            grid = (numbers - edges[0]) * scale
        cell: NDArray[np.int32] = np.fmax(np.fmin(grid, _CELLS + 1.0), -1.0).astype(np.int32) + 1
        return cell

    inside = np.bincount(cells(edges), minlength=_CELLS + 3)
    below = np.cumsum(inside) - inside
    cell = cells(values)
    found = below.astype(np.uint8)[cell]
    unsure = np.flatnonzero((inside > 0)[cell])
    found[unsure] = np.searchsorted(edges, values[unsure])
    return found
