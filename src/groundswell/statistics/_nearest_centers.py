"""`NearestCenters`: which of some centers each row is nearest to, exactly, at the speed of float32.

Differences of squared distances are computed in float32, all centers at once by one product of matrices. Where the two
smallest differ by less than the error of float32, the distances of the row are computed again in float64, as sums of
squared differences. So every row gets the center it would get in float64, however the rows are cut, and of equally near
ones the first. k-means is the caller: its step, and the sample from which it starts. Kernels take long lists of plain
arrays, as they know no dataclasses.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from groundswell.statistics._compiled import compiled
from groundswell.statistics._matrix import Floats, kernel_weights, piece_rows, sealed

__all__ = ["NearestCenters", "Totals"]

Singles = NDArray[np.float32]
Labels = NDArray[np.int32]
Rows = NDArray[np.float32] | Floats
"""Some rows, row-major and contiguous, shape (rows, p)."""

PIECE_VALUES = 1 << 16
"""Values of a piece: with its copies and scores it stays in the cache between one step and the next."""


@dataclass(frozen=True, kw_only=True)
class Totals:
    """Sums around K centers in p dimensions, which are added to in place.

    Attributes:
        weight: Σ w of each center's rows, shape (K,).
        sums: Σ w (x − center) of each center's rows, shape (K, p).
        squares: Σ w (x − center)² of each feature over all rows, shape (p,).
        dropped: Σ w of the rows that have no nearest center, shape (1,).
    """

    weight: Floats
    sums: Floats
    squares: Floats
    dropped: Floats

    @classmethod
    def of(cls, centers: Floats) -> Self:
        """Nothing yet."""
        k, p = centers.shape
        return cls(weight=np.zeros(k), sums=np.zeros((k, p)), squares=np.zeros(p), dropped=np.zeros(1))


class NearestCenters:
    """Centers, prepared for many rows.

    With d = x − o and a = c − o around a point o amid the centers, ‖x − c‖² = ‖d‖² − 2 (d·a − ‖a‖²/2), so the nearest
    center has the smallest score ‖a‖²/2 − d·a. In float32 with u = 2⁻²⁴, whatever the order of the p products, a
    computed score is off by at most (p + 5) u (‖d‖ ‖a‖ + ‖a‖²/2), to first order in u. Two scores that differ by more
    than 2.2 (p + 8) u (‖d‖ A + A²/2), where A is the largest ‖a‖, are therefore in the right order; the surplus covers
    the higher orders and the rounding of the bound itself for up to a million features, and a constant of 10⁻³⁰
    underflow. The other rows, some of a thousand, are decided by Σ (x − c)² in float64, among the centers whose scores
    are that close to the best.

    Args:
        centers: shape (K, p).

    References:
        Higham: Accuracy and stability of numerical algorithms (2002), section 3.1.

    >>> NearestCenters(np.array([[0.0], [10.0]])).labels(np.array([[1.0], [5.0], [9.0], [np.nan]]))
    array([ 0,  0,  1, -1], dtype=int32)
    """

    def __init__(self, centers: Floats) -> None:
        self.centers = np.ascontiguousarray(centers)
        with np.errstate(over="ignore", invalid="ignore"):  # of centers beyond float32 every row is decided in float64
            self._origin = self.centers.mean(axis=0).astype(np.float32)
            around = self.centers - self._origin
            halves = np.square(around).sum(axis=1) / 2
            self._around, self._halves = -around.astype(np.float32), halves.astype(np.float32)
            largest = np.sqrt(2 * halves.max())
            slack = 2.2 * (self.centers.shape[1] + 8) * 2.0**-24
            self._margin = np.array([slack * largest, slack * largest**2 / 2 + 1e-30], np.float32)

    def labels(self, X: NDArray[Any]) -> Labels:
        """The number of the nearest center of each row of X, shape (rows,); −1 where a value is NaN.

        Args:
            X: shape (rows, p), numbers of any type; best column-major or contiguous.
        """
        return self._visit(X)

    def squares(self, X: NDArray[Any]) -> Floats:
        """The squared distance of each row of X to its nearest center, shape (rows,); NaN where a value is."""
        found = np.empty(len(X))
        self._visit(X, squares=found)
        return found

    def add(self, X: NDArray[Any], weights: Floats | None, totals: Totals) -> None:
        """Add each row of X to the totals of its nearest center.

        Args:
            X: as for `labels`.
            weights: of the rows, shape (rows,); None is one for each.
            totals: those to add to.
        """
        self._visit(X, weights=weights, totals=totals)

    def _visit(
        self,
        X: NDArray[Any],
        *,
        squares: Floats | None = None,
        weights: Floats | None = None,
        totals: Totals | None = None,
    ) -> Labels:
        """The labels; squared distances and totals too, where there is memory for them."""
        if X.dtype not in (np.float32, np.float64):
            X = np.asfortranarray(X, np.float64)
        labels, sums = np.empty(len(X), np.int32), totals or Totals.of(np.empty((0, X.shape[1])))
        size = piece_rows(len(X), X.shape[1], PIECE_VALUES)
        _visit_pieces(
            *_memory_of(X), size, self._origin, self._around, self._halves, self._margin, self.centers, labels,
            np.empty(0) if squares is None else squares, kernel_weights(weights),
            sums.weight, sums.sums, sums.squares, sums.dropped,
        )  # fmt: skip
        return labels


def _memory_of(X: NDArray[Any]) -> tuple[NDArray[Any], int]:
    """The memory of a matrix as one array, and the distance of its columns; 0 where it lies row by row."""
    if X.flags.c_contiguous:
        return sealed(X.reshape(-1)), 0
    across, rest = divmod(X.strides[1], X.itemsize)
    if X.strides[0] != X.itemsize or rest or across < len(X):
        X = np.asfortranarray(X)
        across = len(X)
    extent = across * (X.shape[1] - 1) + len(X) if X.size else 0
    return sealed(np.lib.stride_tricks.as_strided(X, (extent,), (X.itemsize,))), across


@compiled
def _visit_pieces(
    values: NDArray[Any],
    across: int,
    size: int,
    origin: Singles,
    centers_around: Singles,
    halves: Singles,
    margin: Singles,
    centers: Floats,
    labels: Labels,
    squares: Floats,
    weights: Floats,
    weight: Floats,
    sums: Floats,
    spread: Floats,
    dropped: Floats,
) -> None:
    """Find the center of each row, and its squared distance and totals where there is memory for them.

    It goes in pieces that stay in the cache, and as a whole without the interpreter.
    """
    K, p = centers.shape
    turned, shifted = np.empty(size * p, values.dtype), np.empty(size * p, np.float32)
    scores = np.empty(size * K, np.float32)
    for start in range(0, len(labels), size):
        m = min(size, len(labels) - start)
        around, products = shifted[: m * p].reshape((p, m)), scores[: K * m].reshape((K, m))
        found = labels[start : start + m]
        if across:
            copied = turned[: m * p].reshape((m, p))
            _turn(values, across, start, origin, copied, around)
            rows = copied
        else:
            rows = values[start * p : (start + m) * p].reshape((m, p))
            _shift(rows, origin, around)
        np.dot(centers_around, around, products)
        _decide(rows, around, products, halves, margin, centers, found)
        if len(squares):
            _measure(rows, found, centers, squares[start : start + m])
        if len(sums):
            _add(rows, found, weights[start : start + m], centers, weight, sums, spread, dropped)


@compiled
def _turn(values: Rows, across: int, first: int, origin: Singles, rows: Rows, around: Singles) -> None:
    """Write some rows of a column-major matrix row by row and, less the origin, feature by feature.

    A table's row groups have a power of two of rows, so one row's values share few lines of the cache: they are read
    once. Four columns at a time, as then the copies take a third less time.
    """
    n_rows, n_features = rows.shape
    fours = n_features - n_features % 4
    for start in range(0, n_rows, 64):
        size = min(64, n_rows - start)
        base = first + start
        for j in range(0, fours, 4):
            column0 = values[base + j * across : base + j * across + size]
            column1 = values[base + (j + 1) * across : base + (j + 1) * across + size]
            column2 = values[base + (j + 2) * across : base + (j + 2) * across + size]
            column3 = values[base + (j + 3) * across : base + (j + 3) * across + size]
            out0, out1 = around[j, start : start + size], around[j + 1, start : start + size]
            out2, out3 = around[j + 2, start : start + size], around[j + 3, start : start + size]
            origin0, origin1, origin2, origin3 = origin[j], origin[j + 1], origin[j + 2], origin[j + 3]
            for i in range(size):
                row = rows[start + i]
                row[j] = column0[i]
                row[j + 1] = column1[i]
                row[j + 2] = column2[i]
                row[j + 3] = column3[i]
            for i in range(size):
                out0[i] = np.float32(column0[i] - origin0)
                out1[i] = np.float32(column1[i] - origin1)
                out2[i] = np.float32(column2[i] - origin2)
                out3[i] = np.float32(column3[i] - origin3)
        for j in range(fours, n_features):
            for i in range(size):
                value = values[base + j * across + i]
                rows[start + i, j] = value
                around[j, start + i] = np.float32(value - origin[j])


@compiled
def _shift(rows: Rows, origin: Singles, around: Singles) -> None:
    """Write rows less the origin feature by feature, sixteen rows at a time, which are one line of the cache."""
    n_rows, n_features = rows.shape
    whole = n_rows - n_rows % 16
    for start in range(0, whole, 16):
        for j in range(n_features):
            out = around[j, start : start + 16]
            for i in range(16):
                out[i] = np.float32(rows[start + i, j] - origin[j])
    for i in range(whole, n_rows):
        for j in range(n_features):
            around[j, i] = np.float32(rows[i, j] - origin[j])


@compiled
def _decide(
    rows: Rows, around: Singles, products: Singles, halves: Singles, margin: Singles, centers: Floats, labels: Labels
) -> None:
    """The smallest score of each row, or the smallest distance where scores differ by less than the row's margin.

    Args:
        rows: shape (n, p).
        around: the same less the origin, shape (p, n).
        products: of `around` and the centers less the origin, negative, shape (K, n); they become the scores.
        halves: what makes scores of them, shape (K,).
        margin: a row's is the first of these times its norm, plus the second.
        centers: shape (K, p).
        labels: the result, shape (n,).
    """
    n_centers, n_features = centers.shape
    n_rows = len(labels)
    best, second = np.full(n_rows, np.float32(np.inf)), np.full(n_rows, np.float32(np.inf))
    margins = np.zeros(n_rows, np.float32)
    labels[:] = 0
    for k in range(n_centers):
        scores, half = products[k], halves[k]
        for i in range(n_rows):
            score, least = scores[i] + half, best[i]
            scores[i] = score
            larger = least if score < least else score
            second[i] = larger if larger < second[i] else second[i]
            labels[i] = k if score < least else labels[i]
            best[i] = score if score < least else least
    for j in range(n_features):
        shifted = around[j]
        for i in range(n_rows):
            margins[i] += shifted[i] * shifted[i]
    for i in range(n_rows):
        margins[i] = margin[0] * np.sqrt(margins[i]) + margin[1]
    for i in range(n_rows):
        if not second[i] - best[i] > margins[i]:  # so too where one is NaN
            nearest, smallest = -1, np.inf
            for k in range(n_centers):
                if not products[k, i] - best[i] > margins[i]:
                    square = 0.0
                    for j in range(n_features):
                        difference = rows[i, j] - centers[k, j]
                        square += difference * difference
                    if square < smallest or (nearest < 0 and not np.isnan(square)):
                        nearest, smallest = k, square
            labels[i] = nearest


@compiled
def _measure(rows: Rows, labels: Labels, centers: Floats, squares: Floats) -> None:
    """The squared distance of each row to the center it was given, summed in four strands."""
    n_rows, n_features = rows.shape
    fours = n_features - n_features % 4
    for i in range(n_rows):
        row, center = rows[i], centers[labels[i]]
        sum0, sum1, sum2, sum3 = 0.0, 0.0, 0.0, 0.0
        for j in range(0, fours, 4):
            sum0 += (row[j] - center[j]) ** 2
            sum1 += (row[j + 1] - center[j + 1]) ** 2
            sum2 += (row[j + 2] - center[j + 2]) ** 2
            sum3 += (row[j + 3] - center[j + 3]) ** 2
        for j in range(fours, n_features):
            sum0 += (row[j] - center[j]) ** 2
        squares[i] = (sum0 + sum1) + (sum2 + sum3) if labels[i] >= 0 else np.nan


@compiled
def _add(
    rows: Rows,
    labels: Labels,
    weights: Floats,
    centers: Floats,
    weight: Floats,
    sums: Floats,
    squares: Floats,
    dropped: Floats,
) -> None:
    """Add the rows to the weights and sums of their centers and to the squares of each feature."""
    n_rows, n_features = rows.shape
    for i in range(n_rows):
        k, w = labels[i], weights[i] if len(weights) else 1.0
        if k < 0:
            dropped[0] += w
            continue
        row, center, total = rows[i], centers[k], sums[k]
        weight[k] += w
        for j in range(n_features):
            difference = row[j] - center[j]
            weighted = w * difference
            total[j] += weighted
            squares[j] += weighted * difference
