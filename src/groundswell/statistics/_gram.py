"""`Gram`: the centered Gram matrix of X, hence means, covariances and correlations."""

from dataclasses import dataclass, field

import numpy as np

from groundswell.statistics._batch import Batch
from groundswell.statistics._matrix import Floats
from groundswell.statistics._scatter import Scatter

__all__ = ["Gram", "GramResult", "weighted_products"]


@dataclass(frozen=True, kw_only=True)
class GramResult:
    """What the rows say of p columns together.

    Attributes:
        weight: Σ w of the rows.
        dropped: Σ w of the rows left out because a value was missing.
        mean: shape (p,).
        scatter: Σ w (x − mean)(x − mean)ᵀ, shape (p, p): the centered Gram matrix.
    """

    weight: float
    dropped: float
    mean: Floats
    scatter: Floats

    def covariance(self, ddof: float = 1.0) -> Floats:
        """scatter / (weight − ddof), shape (p, p); NaN where that is not positive."""
        return self._state().covariance(ddof)

    def correlation(self) -> Floats:
        """Pearson's correlations, shape (p, p); NaN for constant columns."""
        return self._state().correlation()

    def raw(self) -> Floats:
        """XᵀWX around zero with a column of ones in front, shape (1 + p, 1 + p).

        For showing and checking. Solve with `scatter`: around zero, digits are lost with the square of mean/std.
        """
        return self._state().raw()

    def _state(self) -> Scatter:
        return Scatter(self.weight, self.mean, np.zeros_like(self.mean), self.scatter)


@dataclass
class Gram:
    """The Gram matrix XᵀWX of the columns of X around their mean; also: scatter matrix, sums of squares and products.

    Blocks are taken around a pilot in float64 and merged by their means, so that mean/std = 10⁸ costs no digits, and a
    constant column gives zeros.

    Missing values: a row with NaN in X is left out, and its weight counted. An infinite value makes the entries of its
    column NaN, and no others.

    References:
        as `Scatter`.

    >>> gram = Gram()
    >>> gram.update(Batch(X=np.array([[2104.0, 3.0], [1600.0, 3.0], [2400.0, 3.0], [1416.0, 2.0], [3000.0, 4.0]])))
    >>> gram.result().raw().round(6)
    array([[5.0000000e+00, 1.0520000e+04, 1.5000000e+01],
           [1.0520000e+04, 2.3751872e+07, 3.3144000e+04],
           [1.5000000e+01, 3.3144000e+04, 4.7000000e+01]])
    """

    state: Scatter = field(init=False, default_factory=Scatter)
    dropped: float = field(init=False, default=0.0)

    def zero(self) -> "Gram":
        """The Gram matrix of nothing."""
        return Gram()

    def update(self, batch: Batch) -> None:
        """Take in the rows.

        Raises:
            DataError: the batch has no X, or another number of columns than those before.
        """
        for block in batch.blocks():
            products = weighted_products(block.shifted.design, block.weights)
            if np.isnan(products[0]).any() and block.shifted.missing.any():
                block, left_out = Batch(X=block.X, weights=block.weights).complete()
                products = weighted_products(block.shifted.design, block.weights)
                self.dropped += left_out
            self.state.add(Scatter.of_design(products, block.shifted.pilot))

    def merge(self, other: "Gram") -> None:
        """Combine the products around the common mean.

        Raises:
            DataError: the other saw another number of columns.
        """
        self.state.add(other.state)
        self.dropped += other.dropped

    def result(self) -> GramResult:
        """The Gram matrix; of length zero if no columns were seen."""
        state = self.state
        return GramResult(weight=state.weight, dropped=self.dropped, mean=state.mean, scatter=state.products.copy())


def weighted_products(design: Floats, weights: Floats | None) -> Floats:
    """Zᵀ diag(weights) Z. numpy sees that both factors are one matrix and computes one triangle only (syrk)."""
    if weights is None:
        return design.T @ design
    rooted = (design.T * np.sqrt(weights)).T
    return rooted.T @ rooted
