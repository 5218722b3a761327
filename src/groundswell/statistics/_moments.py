"""`Moments`: mean, variance, skewness and kurtosis of each column."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from scipy import sparse

from groundswell.errors import DataError
from groundswell.statistics._batch import Batch
from groundswell.statistics._matrix import Floats, over_rows
from groundswell.statistics._statistic import require_equal, require_same_width

__all__ = ["Moments", "MomentsResult"]


@dataclass(frozen=True, kw_only=True)
class MomentsResult:
    """Moments of p columns; NaN where there are too few values for one.

    Attributes:
        weight: Σ w of the values that are not missing, shape (p,).
        missing: Σ w of the missing ones, shape (p,).
        mean: shape (p,).
        central: Σ w (x − mean)ᵏ for k = 2 … order, shape (order − 1, p).
    """

    weight: Floats
    missing: Floats
    mean: Floats
    central: Floats

    def variance(self, ddof: float = 0.0) -> Floats:
        """Σ w (x − mean)² / (Σ w − ddof); ddof = 1 is unbiased where weights are counts."""
        return _ratio(self.central[0], np.maximum(self.weight - ddof, 0.0))

    def std(self, ddof: float = 0.0) -> Floats:
        """The root of the variance."""
        return np.sqrt(self.variance(ddof))

    @property
    def total(self) -> Floats:
        """Σ w x."""
        return np.where(self.weight > 0, self.mean, 0.0) * self.weight

    @property
    def skewness(self) -> Floats:
        """The third standardized moment, biased as usual (Fisher–Pearson g₁).

        Raises:
            DataError: the moments were computed up to order 2 only.
        """
        skewness: Floats = np.sqrt(self.weight) * _ratio(self._central(3), self.central[0] ** 1.5)
        return skewness

    @property
    def kurtosis(self) -> Floats:
        """The fourth standardized moment minus 3 (Fisher's excess g₂), biased as usual.

        Raises:
            DataError: the moments were computed up to a lower order.
        """
        kurtosis: Floats = self.weight * _ratio(self._central(4), self.central[0] ** 2) - 3
        return kurtosis

    def _central(self, order: int) -> Floats:
        if len(self.central) + 1 < order:
            raise DataError(
                f"The moment of order {order} was not computed.",
                why="Moments computes no higher order than it is asked for.",
                fix=f"Use Moments(order={order}).",
                order=order,
            )
        central: Floats = self.central[order - 2]
        return central


@dataclass
class Moments:
    """Mean and central moments of each column of X, exact whatever the offset of the data.

    Blocks are taken around a pilot and merged by their means (Chan et al.; Pébay for the higher orders), which are held
    as pilot and shift; so mean/std may be 10⁸, and constant columns have variance exactly zero.

    Missing values: NaN are left out, column by column, and counted. An infinite value makes the moments of its column
    infinite or NaN, and those of no other.

    Args:
        order: the highest moment: 2 for the variance, 3 for skewness, 4 for kurtosis.

    References:
        Chan, Golub, LeVeque: Algorithms for computing the sample variance, The American Statistician 37 (1983).
        Pébay: Formulas for robust, one-pass parallel computation of covariances and arbitrary-order statistical
        moments, Sandia report SAND2008-6212 (2008), equations 2.1 to 2.9.

    >>> moments = Moments(order=4)
    >>> moments.update(Batch(X=np.array([[1.0], [2.0], [6.0]])))
    >>> result = moments.result()
    >>> result.mean, result.variance(ddof=1), result.skewness.round(4)
    (array([3.]), array([7.]), array([0.5952]))
    """

    order: Literal[2, 3, 4] = 2
    weight: Floats = field(init=False, default_factory=lambda: np.zeros(0))
    missing: Floats = field(init=False, default_factory=lambda: np.zeros(0))
    pilot: Floats = field(init=False, default_factory=lambda: np.zeros(0))
    shift: Floats = field(init=False, default_factory=lambda: np.zeros(0))  # the mean less the pilot
    central: Floats = field(init=False)

    def __post_init__(self) -> None:
        self.central = np.zeros((self.order - 1, 0))

    def zero(self) -> "Moments":
        """The moments of nothing."""
        return Moments(self.order)

    def update(self, batch: Batch) -> None:
        """Take in the rows.

        Raises:
            DataError: the batch has no X, or another number of columns than those before.
        """
        for block in batch.blocks():
            self._combine(*_moments_of(block, self.order))

    def add_sums(self, pilot: Floats, missing: Floats, weight: Floats, sums: list[Floats]) -> None:
        """Take in rows whose sums of powers around a pilot are known.

        Args:
            pilot: shape (p,).
            missing: Σ w of the missing values, shape (p,).
            weight: Σ w of the others, shape (p,).
            sums: Σ w (x − pilot)ᵏ for k = 1 … order, each of shape (p,).

        Raises:
            DataError: there is another number of columns than before.
        """
        self._combine(weight, missing, pilot, *_centered(sums, weight, self.order))

    def merge(self, other: "Moments") -> None:
        """Combine the moments around the common mean.

        Raises:
            DataError: the other has another order, or saw another number of columns.
        """
        require_equal(self, other, "order")
        if len(other.pilot):
            self._combine(other.weight, other.missing, other.pilot, other.shift, other.central)

    def _combine(self, weight: Floats, missing: Floats, pilot: Floats, shift: Floats, central: Floats) -> None:
        if not len(self.pilot):
            self.weight, self.missing, self.shift = (np.zeros(len(pilot)) for _ in range(3))
            self.pilot, self.central = pilot.copy(), np.zeros_like(central)
        require_same_width(len(self.pilot), len(pilot))
        self.pilot = np.where(self.weight > 0, self.pilot, pilot)
        total = self.weight + weight
        share = np.divide(weight, total, out=np.zeros_like(total), where=total > 0)
        with np.errstate(invalid="ignore", over="ignore"):  # infinite and very large values
            delta = (pilot - self.pilot) + (shift - self.shift)  # of means alone it would have the rounding of means
            delta = np.where((self.weight > 0) & (weight > 0), delta, 0.0)
            self.central = _combine_central(self.weight, self.central, weight, central, delta)
            self.shift = np.where(self.weight > 0, self.shift + delta * share, shift)
        self.weight, self.missing = total, self.missing + missing

    def result(self) -> MomentsResult:
        """The moments."""
        return MomentsResult(
            weight=self.weight.copy(),
            missing=self.missing.copy(),
            mean=np.where(self.weight > 0, self.pilot + self.shift, np.nan),
            central=self.central.copy(),
        )


def _moments_of(block: Batch, order: int) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Weight, weight of missing values, pilot, mean less pilot, and central moments of the columns of one block."""
    if block.X is not None and not isinstance(block.X, np.ndarray):
        return _moments_of_sparse(block, order)
    d, w = block.shifted.matrix.T, block.weights
    total = float(len(block)) if w is None else float(w.sum())
    weight, sums = np.full(len(d), total), _power_sums(d, w, order)
    if np.isnan(sums[0]).any():
        for j in np.flatnonzero(np.isnan(sums[0])):  # column by column, as that fits into the cache
            missing = np.isnan(d[j])
            weight[j] -= np.count_nonzero(missing) if w is None else missing @ w
            for power, of_column in enumerate(_power_sums(np.where(missing, 0.0, d[j : j + 1]), w, order)):
                sums[power][j] = of_column[0]
    return weight, total - weight, block.shifted.pilot, *_centered(sums, weight, order)


def _moments_of_sparse(block: Batch, order: int) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """The same of a sparse matrix, which is not made dense: the pilot is zero, as most of its values are."""
    w = np.ones(len(block)) if block.weights is None else block.weights
    values = sparse.csr_array(block.X, dtype=np.float64, copy=True)
    missing = np.zeros(block.n_features)
    if np.isnan(values.data).any():
        gaps = values.copy()
        gaps.data = np.isnan(values.data).astype(np.float64)
        missing = gaps.T @ w
        values.data[np.isnan(values.data)] = 0.0
    weight, entries, sums = w.sum() - missing, values.data.copy(), []
    with np.errstate(invalid="ignore", over="ignore"):  # infinite and very large values
        for _ in range(order):
            sums.append(values.T @ w)
            values.data *= entries
    return weight, missing, np.zeros(block.n_features), *_centered(sums, weight, order)


def _centered(sums: list[Floats], weight: Floats, order: int) -> tuple[Floats, Floats]:
    """Mean less pilot and central moments from sums of powers around the pilot."""
    with np.errstate(invalid="ignore", over="ignore"):  # infinite and very large values
        shift = np.divide(sums[0], weight, out=np.zeros_like(weight), where=weight > 0)
        central = np.empty((order - 1, len(weight)))
        central[0] = np.maximum(sums[1] - weight * shift**2, 0.0)
        if order > 2:
            central[1] = sums[2] - 3 * shift * sums[1] + 2 * weight * shift**3
        if order > 3:
            central[2] = sums[3] - 4 * shift * sums[2] + 6 * shift**2 * sums[1] - 3 * weight * shift**4
        return shift, central


def _power_sums(d: Floats, w: Floats | None, order: int) -> list[Floats]:
    """Σ w dᵏ along the rows, for k = 1 … order."""
    with np.errstate(invalid="ignore", over="ignore"):  # infinite and very large values
        if w is None:
            sums, square = [over_rows(d.T, np.ones(d.shape[1])), _row_products(d, d)], d
            if order > 2:
                square = d * d
                sums.append(_row_products(square, d))
            return [*sums, _row_products(square, square)] if order > 3 else sums
        weighted, sums = d * w, [over_rows(d.T, w)]
        for _ in range(2, order):
            sums.append(_row_products(weighted, d))
            weighted *= d
        return [*sums, _row_products(weighted, d)]


def _row_products(a: Floats, b: Floats) -> Floats:
    """Σ a b along each row, while other threads run; see `over_rows`."""
    return np.asarray(np.einsum("ij,ij->i", a, b))


def _combine_central(n: Floats, ours: Floats, m: Floats, theirs: Floats, delta: Floats) -> Floats:
    """Central moments of the union of two groups of weights n and m whose means are delta apart."""
    total = np.where(n + m > 0, n + m, 1.0)
    a, b = n / total, m / total  # the shares
    both = np.empty_like(ours)
    both[0] = ours[0] + theirs[0] + delta**2 * n * b
    if len(ours) > 1:
        both[1] = ours[1] + theirs[1] + delta**3 * n * b * (a - b) + 3 * delta * (a * theirs[0] - b * ours[0])
    if len(ours) > 2:
        both[2] = (
            ours[2]
            + theirs[2]
            + delta**4 * n * b * (a * a - a * b + b * b)
            + 6 * delta**2 * (a * a * theirs[0] + b * b * ours[0])
            + 4 * delta * (a * theirs[1] - b * ours[1])
        )
    return both


def _ratio(numerator: Floats, denominator: Floats) -> Floats:
    """Their ratio, NaN where there is nothing to divide by."""
    ratio = np.full(numerator.shape, np.nan)
    np.divide(numerator, denominator, out=ratio, where=denominator > 0)
    return ratio
