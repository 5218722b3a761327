"""`Histogram`: how many values of each column fall between given edges."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundswell.errors import DataError
from groundswell.statistics._batch import Batch
from groundswell.statistics._matrix import Floats
from groundswell.statistics._statistic import require_equal, require_same_width

__all__ = ["Histogram", "HistogramResult"]


@dataclass(frozen=True, kw_only=True)
class HistogramResult:
    """Counts of p columns in B bins; with weights, sums of weights.

    Attributes:
        edges: shape (B + 1,).
        counts: shape (p, B).
        below: of values smaller than the first edge, shape (p,).
        above: of values larger than the last, shape (p,).
        missing: of NaN, shape (p,).
    """

    edges: Floats
    counts: Floats
    below: Floats
    above: Floats
    missing: Floats

    def density(self) -> Floats:
        """Counts as densities that integrate to 1 over the edges, shape (p, B); NaN for a column without values."""
        total = self.counts.sum(axis=1, keepdims=True)
        density = np.full(self.counts.shape, np.nan)
        np.divide(self.counts, total * np.diff(self.edges), out=density, where=total > 0)
        return density


@dataclass
class Histogram:
    """Counts between fixed edges, the same for every column of X.

    A bin holds its left edge and not its right one, except that the last holds both, as in `numpy.histogram`.

    Missing values: NaN are counted apart, column by column, and so are values beyond the edges, infinite ones included.

    Args:
        edges: increasing, at least two.

    Raises:
        DataError: the edges do not increase, or there are fewer than two.

    >>> histogram = Histogram([0.0, 1.0, 2.0])
    >>> histogram.update(Batch(X=np.array([[0.0], [1.0], [2.0], [-5.0], [np.nan]])))
    >>> result = histogram.result()
    >>> result.counts, result.below, result.missing
    (array([[1., 2.]]), array([1.]), array([1.]))
    """

    edges: Floats
    counts: Floats = field(init=False)

    def __post_init__(self) -> None:
        self.edges = np.array(self.edges, np.float64)
        if self.edges.ndim != 1 or len(self.edges) < 2 or not (np.diff(self.edges) > 0).all():
            raise DataError(
                f"{self.edges.tolist()} cannot be the edges of a histogram.",
                why="Bins lie between two neighbours of an increasing sequence of numbers.",
                fix="Give at least two increasing numbers, such as numpy.linspace(low, high, 31).",
            )
        self.counts = np.zeros((0, len(self.edges) + 2))  # below, the bins, above, missing

    def zero(self) -> "Histogram":
        """The same edges, nothing counted."""
        return Histogram(self.edges)

    def update(self, batch: Batch) -> None:
        """Count the values.

        Raises:
            DataError: the batch has no X, or another number of columns than those before.
        """
        for block in batch.blocks():
            matrix = block.matrix
            counts = np.empty((matrix.shape[1], len(self.edges) + 2))
            for j, column in enumerate(matrix.T):
                counts[j] = np.bincount(_bins(column, self.edges), block.weights, len(self.edges) + 2)
            self._add(counts)

    def merge(self, other: "Histogram") -> None:
        """Add the counts.

        Raises:
            DataError: the other has other edges, or saw another number of columns.
        """
        require_equal(self, other, "edges")
        if len(other.counts):
            self._add(other.counts)

    def _add(self, counts: Floats) -> None:
        if not len(self.counts):
            self.counts = np.zeros_like(counts)
        require_same_width(len(self.counts), len(counts))
        self.counts = self.counts + counts

    def result(self) -> HistogramResult:
        """The counts."""
        counts = self.counts.copy()
        return HistogramResult(
            edges=self.edges.copy(),
            counts=counts[:, 1:-2],
            below=counts[:, 0],
            above=counts[:, -2],
            missing=counts[:, -1],
        )


def _bins(column: NDArray[Any], edges: Floats) -> NDArray[np.intp]:
    """0 for values below the edges, 1 … B in the bins, B + 1 above, B + 2 for NaN."""
    n_bins = len(edges) - 1
    steps = np.diff(edges)
    if steps.max() - steps.min() < 1e-6 * steps.min():
        bins = _bins_of_equal_width(column, edges)
    else:
        bins = np.searchsorted(edges, column, side="right")
    bins[column == edges[-1]] = n_bins  # the last bin holds its right edge
    bins[np.isnan(column)] = n_bins + 2
    return bins


def _bins_of_equal_width(column: NDArray[Any], edges: Floats) -> NDArray[np.intp]:
    """The bins by division, at two fifths of the time of a search; a bin that rounding missed by one is corrected."""
    n_bins = len(edges) - 1
    bounds = np.concatenate([[-np.inf], edges, [np.inf]])
    with np.errstate(invalid="ignore", over="ignore"):  # infinite values and NaN
        position = (column - edges[0]) * (n_bins / (edges[-1] - edges[0]))
        np.fmax(position, -1.0, out=position)
        np.fmin(position, float(n_bins), out=position)
        bins: NDArray[np.intp] = (position + 1.0).astype(np.intp)
        bins -= column < bounds[bins]
        bins += (column >= bounds[bins + 1]) & (bins <= n_bins)
    return bins
