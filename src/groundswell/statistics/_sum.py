"""`Sum`: the sum of each column, as accurate as if computed in twice the precision."""

from dataclasses import dataclass, field

import numpy as np

from groundswell.statistics._batch import Batch
from groundswell.statistics._matrix import Floats
from groundswell.statistics._statistic import require_same_width

__all__ = ["Sum", "SumResult"]


@dataclass(frozen=True, kw_only=True)
class SumResult:
    """Sums of p columns.

    Attributes:
        total: Σ w x of the values that are not missing, shape (p,).
        weight: Σ w of the same, shape (p,).
    """

    total: Floats
    weight: Floats


@dataclass
class Sum:
    """The sum of each column of X, compensated: every addition keeps the digits that it rounds away.

    Order and partitioning therefore move the result by at most its last digit, even where large values cancel. The
    product with a weight is rounded once. For sums that need not be that exact, `Moments` is twice as fast.

    Missing values: NaN are left out, column by column. Infinite values give infinite sums, as in floating-point
    arithmetic.

    References:
        Ogita, Rump, Oishi: Accurate sum and dot product, SIAM J. Sci. Comput. 26 (2005), algorithm 4.4 (Sum2), with the
        additions in the order of a tree.

    >>> total = Sum()
    >>> total.update(Batch(X=np.array([[1e16], [1.0], [-1e16]])))
    >>> total.result().total
    array([1.])
    """

    total: Floats = field(init=False, default_factory=lambda: np.zeros(0))
    lost: Floats = field(init=False, default_factory=lambda: np.zeros(0))
    weight: Floats = field(init=False, default_factory=lambda: np.zeros(0))

    def zero(self) -> "Sum":
        """Sums of nothing."""
        return Sum()

    def update(self, batch: Batch) -> None:
        """Add the rows.

        Raises:
            DataError: the batch has no X, or another number of columns than those before.
        """
        for block in batch.blocks():
            terms = block.matrix.T.astype(np.float64, order="C")
            present = ~np.isnan(terms)
            counts = present.sum(axis=1) if block.weights is None else present @ block.weights
            if not present.all():
                terms[~present] = 0.0
            if block.weights is not None:
                terms *= block.weights
            self._add(*_sum_rows(terms), counts.astype(np.float64))

    def merge(self, other: "Sum") -> None:
        """Add the sums.

        Raises:
            DataError: the other saw another number of columns.
        """
        if len(other.total):
            self._add(other.total, other.lost, other.weight)

    def _add(self, total: Floats, lost: Floats, weight: Floats) -> None:
        if not len(self.total):
            self.total, self.lost, self.weight = (np.zeros(len(total)) for _ in range(3))
        require_same_width(len(self.total), len(total))
        self.total, rounding = _two_sum(self.total, total)
        self.lost, self.weight = self.lost + lost + rounding, self.weight + weight

    def result(self) -> SumResult:
        """The sums."""
        exact = np.isfinite(self.lost)
        return SumResult(total=np.where(exact, self.total + self.lost, self.total), weight=self.weight.copy())


def _sum_rows(terms: Floats) -> tuple[Floats, Floats]:
    """The sum of each row and what its additions rounded away. Overwrites the terms."""
    lost = np.zeros(len(terms))
    while terms.shape[1] > 1:
        half = (terms.shape[1] + 1) // 2
        sums, rounding = _two_sum(terms[:, : terms.shape[1] - half], terms[:, half:])
        lost += rounding.sum(axis=1)
        terms[:, : sums.shape[1]] = sums
        terms = terms[:, :half]
    return terms.sum(axis=1), lost


def _two_sum(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """a + b and the exact rounding error of that sum (Knuth, The Art of Computer Programming 2, 4.2.2, theorem B)."""
    with np.errstate(invalid="ignore", over="ignore"):  # infinite terms have no rounding error
        total = a + b
        virtual = total - a
        return total, (a - (total - virtual)) + (b - virtual)
