"""`Sum`: the sum of each column, exact within a block and compensated between blocks."""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
    """The sum of each column of X. What additions round away is summed too.

    Order and partitioning therefore move the result by at most its last digit, even where large values cancel. The
    product with a weight is rounded once.

    Missing values: NaN are left out, column by column. Infinite values give infinite sums, as in floating-point
    arithmetic.

    References:
        Rump, Ogita, Oishi: Accurate floating-point summation part I, SIAM J. Sci. Comput. 31 (2008), algorithm 3.2
        (ExtractVector), as often as digits are left; between blocks Knuth's two-sum.

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
            weight = float(len(block) if block.weights is None else block.weights.sum())
            columns = [_sum_of_column(column, block.weights, weight) for column in block.matrix.T]
            self._add(*np.array(columns, np.float64).reshape(-1, 3).T)

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


def _sum_of_column(column: NDArray[Any], weights: Floats | None, weight: float) -> tuple[float, float, float]:
    """Σ w x as a sum and the part that rounding it loses, and Σ w of the values that are not missing."""
    terms = column.astype(np.float64) if weights is None else column * weights
    total = float(terms.sum())
    if math.isnan(total):
        missing = np.isnan(column)
        terms[missing] = 0.0
        weight -= float(missing.sum() if weights is None else weights[missing].sum())
        total = float(terms.sum())
    parts = _exact_parts(terms) if math.isfinite(total) else []
    total = math.fsum(parts) if parts else total
    return total, math.fsum([*parts, -total]) if parts else 0.0, weight


def _exact_parts(terms: Floats) -> list[float]:
    """A few numbers whose sum is exactly that of the terms, which are overwritten; none if they are too large.

    Adding 2ᵉ to a term and subtracting it again rounds the term to a multiple of 2ᵉ⁻⁵². With 2ᵉ beyond the sum of all
    terms, sums of such multiples are exact in any order; what is left of the terms is smaller by many bits.
    """
    parts: list[float] = []
    while largest := max(float(terms.max()), -float(terms.min())):
        exponent = math.frexp(largest)[1] + len(terms).bit_length()
        if exponent > 1023:
            return []
        high = terms + math.ldexp(1.0, exponent)
        high -= math.ldexp(1.0, exponent)
        parts.append(float(high.sum()))
        terms -= high
    return parts


def _two_sum(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """a + b and the exact rounding error of that sum (Knuth, The Art of Computer Programming 2, 4.2.2, theorem B)."""
    with np.errstate(invalid="ignore", over="ignore"):  # infinite terms have no rounding error
        total = a + b
        virtual = total - a
        return total, (a - (total - virtual)) + (b - virtual)
