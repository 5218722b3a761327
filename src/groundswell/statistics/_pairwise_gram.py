"""`PairwiseGram`: correlations of columns with gaps, each of the rows where both columns have a value."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from groundswell.statistics._batch import Batch
from groundswell.statistics._gram import weighted_products
from groundswell.statistics._matrix import Floats
from groundswell.statistics._shifted import Shifted
from groundswell.statistics._statistic import require_same_width

__all__ = ["PairwiseGram", "PairwiseGramResult"]


@dataclass(frozen=True, kw_only=True)
class PairwiseGramResult:
    """What the rows say of each two of p columns; entry (i, j) is of the rows where both have a value.

    Attributes:
        weight: Σ w of these rows, shape (p, p).
        mean: of column i in these rows, shape (p, p); the diagonal has the means of the columns. NaN without rows.
        products: Σ w (xᵢ − meanᵢⱼ)(xⱼ − meanⱼᵢ), shape (p, p).
        squares: Σ w (xᵢ − meanᵢⱼ)², shape (p, p).
    """

    weight: Floats
    mean: Floats
    products: Floats
    squares: Floats

    def correlation(self) -> Floats:
        """Pearson's correlations, shape (p, p); NaN where a column is constant in the common rows, or infinite."""
        scale = np.sqrt(self.squares) * np.sqrt(self.squares.T)
        correlation: Floats = np.full(scale.shape, np.nan)
        np.divide(self.products, scale, out=correlation, where=np.isfinite(scale) & (scale > 0))
        np.clip(correlation, -1.0, 1.0, out=correlation)
        varies = np.flatnonzero(np.isfinite(np.diag(correlation)))
        correlation[varies, varies] = 1.0  # which the rounding of a root may miss
        return correlation


@dataclass
class PairwiseGram:
    """Sums of squares and products of each two columns of X over their pairwise complete observations.

    Where no value is missing it is the `Gram` matrix. `Gram` leaves out a row that lacks any value, and of wide tables
    with gaps little may be left; here a row counts for each two columns that it has. The matrix of correlations need
    then not be positive semidefinite.

    Missing values: NaN are left out, pair by pair. An infinite value makes the entries of its column NaN, no others.

    References:
        as `Scatter`; Chan, Golub, LeVeque, equation 2.1, pair by pair.

    >>> gram = PairwiseGram()
    >>> gram.update(Batch(X=np.array([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0], [9.0, np.nan]])))
    >>> gram.result().weight, gram.result().correlation().round(6)
    (array([[4., 3.],
           [3., 3.]]), array([[1., 1.],
           [1., 1.]]))
    """

    pilot: Floats = field(init=False, default_factory=lambda: np.zeros(0))
    weight: Floats = field(init=False, default_factory=lambda: np.zeros((0, 0)))
    shift: Floats = field(init=False, default_factory=lambda: np.zeros((0, 0)))  # the mean less the pilot
    products: Floats = field(init=False, default_factory=lambda: np.zeros((0, 0)))
    squares: Floats = field(init=False, default_factory=lambda: np.zeros((0, 0)))

    def zero(self) -> "PairwiseGram":
        """The products of nothing."""
        return PairwiseGram()

    def update(self, batch: Batch) -> None:
        """Take in the rows.

        Raises:
            DataError: the batch has no X, or another number of columns than those before.
        """
        for block in batch.blocks():
            self.merge(_of_block(block.shifted, block.weights))

    def merge(self, other: "PairwiseGram") -> None:
        """Combine the products of each pair around its common mean.

        Raises:
            DataError: the other saw another number of columns.
        """
        if not len(other.pilot):
            return
        if not len(self.pilot):
            self.pilot, shape = other.pilot.copy(), other.weight.shape
            self.weight, self.shift, self.products, self.squares = (np.zeros(shape) for _ in range(4))
        require_same_width(len(self.pilot), len(other.pilot))
        n, m = self.weight, other.weight
        self.pilot = np.where(np.diag(n) > 0, self.pilot, other.pilot)
        total = n + m
        share = np.divide(m, total, out=np.zeros_like(total), where=total > 0)
        with np.errstate(invalid="ignore", over="ignore"):  # infinite and very large values
            theirs = (other.pilot - self.pilot)[:, None] + other.shift
            delta = np.where((n > 0) & (m > 0), theirs - self.shift, 0.0)
            self.products = self.products + other.products + delta * delta.T * n * share
            self.squares = self.squares + other.squares + delta**2 * n * share
            self.shift = np.where(n > 0, self.shift + delta * share, theirs)
        self.weight = total

    def over(self, positions: Sequence[int | None]) -> "PairwiseGram":
        """The same for other columns: which of ours each one is, or None for one that was never there."""
        chosen, width = PairwiseGram(), len(positions)
        new = np.array([i for i, old in enumerate(positions) if old is not None], np.intp)
        old = np.array([old for old in positions if old is not None], np.intp)
        chosen.pilot = np.zeros(width)
        chosen.pilot[new] = self.pilot[old]
        for name in ("weight", "shift", "products", "squares"):
            wider = np.zeros((width, width))
            wider[np.ix_(new, new)] = getattr(self, name)[np.ix_(old, old)]
            setattr(chosen, name, wider)
        return chosen

    def result(self) -> PairwiseGramResult:
        """The products; of length zero if no columns were seen."""
        return PairwiseGramResult(
            weight=self.weight.copy(),
            mean=np.where(self.weight > 0, self.pilot[:, None] + self.shift, np.nan),
            products=self.products.copy(),
            squares=self.squares.copy(),
        )


def _of_block(block: Shifted, weights: Floats | None) -> PairwiseGram:
    """The sums of one block around its pilot."""
    gram = PairwiseGram()
    gram.pilot = block.pilot
    with np.errstate(invalid="ignore", over="ignore"):  # infinite and very large values
        products = weighted_products(block.design, weights)
        if np.isnan(products[0]).any() and block.missing.any():
            gram.weight, sums, products, squares = _with_gaps(block.matrix, block.missing, weights)
        else:
            gram.weight = np.full((len(gram.pilot), len(gram.pilot)), products[0, 0])
            sums = np.repeat(products[0, 1:, None], len(gram.pilot), axis=1)
            products = products[1:, 1:]
            squares = np.repeat(np.diag(products)[:, None], len(gram.pilot), axis=1)
        gram.shift = np.divide(sums, gram.weight, out=np.zeros_like(sums), where=gram.weight > 0)
        gram.products = products - gram.shift * sums.T
        gram.squares = np.maximum(squares - gram.shift * sums, 0.0)
        diagonal = np.diag_indices(len(gram.pilot))
        gram.products[diagonal] = gram.squares[diagonal]
    return gram


def _with_gaps(x: Floats, missing: NDArray[np.bool_], weights: Floats | None) -> tuple[Floats, Floats, Floats, Floats]:
    """Σ w, Σ w xᵢ, Σ w xᵢ xⱼ and Σ w xᵢ² over the rows where columns i and j have values, each of shape (p, p)."""
    filled, there = np.where(missing, 0.0, x), (~missing).astype(np.float64)
    weighted = there if weights is None else there * weights[:, None]
    of_filled = filled if weights is None else filled * weights[:, None]
    return weighted.T @ there, of_filled.T @ there, of_filled.T @ filled, (of_filled * filled).T @ there
