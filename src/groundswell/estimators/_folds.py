"""Cross-validation from one pass: sums of each fold, from which the sums of the others follow by merging.

Which fold a row is in follows from its values, by a hash. So it is the same row for row whatever order or cuts the rows
come in, on any machine; and equal rows share a fold, so none is learned from and tested on at once.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from groundswell.errors import FitError
from groundswell.estimators._least_squares import around_origin, require_rows
from groundswell.estimators._row_hash import row_hashes
from groundswell.statistics import Batch, CrossProduct, CrossProductResult, require_equal, uniform


def folds_of(X: NDArray[np.floating], y: NDArray[np.floating], n_folds: int, seed: int = 0) -> NDArray[np.int64]:
    """The fold of each row: which of as many ranges a hash of its values in X and y lies in.

    Args:
        X: shape (rows, features). float32 and float64 of the same values have the same hash, and so have 0 and −0.
        y: shape (rows,) or (rows, targets).
        n_folds: how many there are.
        seed: another one gives other folds.

    >>> folds_of(np.array([[1.0], [3.0], [1.0]]), np.zeros(3), 5).tolist()
    [2, 1, 2]
    """
    return (uniform(row_hashes(X, np.atleast_2d(y.T).T), seed) * n_folds).astype(np.int64)


@dataclass
class FoldedCrossProduct:
    """A `CrossProduct` of each fold.

    Args:
        n_folds: how many folds there are.
        seed: of the hash.
    """

    n_folds: int
    seed: int = 0
    folds: list[CrossProduct] = field(init=False)

    def __post_init__(self) -> None:
        self.folds = [CrossProduct() for _ in range(self.n_folds)]

    def zero(self) -> "FoldedCrossProduct":
        """The same folds, nothing seen."""
        return FoldedCrossProduct(self.n_folds, self.seed)

    def update(self, batch: Batch) -> None:
        """Sort the rows of each block by fold, and hand them to the sums of the folds."""
        for block in batch.blocks():
            found = folds_of(block.matrix, block.target, self.n_folds, self.seed).astype(np.int16)
            order = np.argsort(found, kind="stable")  # of 16 bits, which numpy sorts by radix
            bounds = np.searchsorted(found[order], np.arange(self.n_folds + 1)).tolist()
            for fold, rows in zip(self.folds, block.rows(order).pieces(bounds), strict=True):
                fold.update(rows)

    def merge(self, other: "FoldedCrossProduct") -> None:
        """Merge fold by fold.

        Raises:
            DataError: the other has other folds.
        """
        require_equal(self, other, "n_folds", "seed")
        for mine, theirs in zip(self.folds, other.folds, strict=True):
            mine.merge(theirs)

    @property
    def dropped(self) -> float:
        """The weight of the rows left out because a value was missing."""
        return sum(fold.dropped for fold in self.folds)

    def result(self) -> "FoldSums":
        """The sums of all rows, of each fold, and of all but each fold."""
        everything, others = CrossProduct(), []
        for left_out, fold in enumerate(self.folds):
            everything.merge(fold)
            rest = CrossProduct()
            for number, other in enumerate(self.folds):
                if number != left_out:
                    rest.merge(other)
            others.append(rest.result())
        return FoldSums(
            everything=everything.result(), held_out=[fold.result() for fold in self.folds], learned_from=others
        )


@dataclass(frozen=True, kw_only=True)
class FoldSums:
    """What cross-validation of least squares needs to know.

    Attributes:
        everything: sums of all rows.
        held_out: of each fold.
        learned_from: of all rows but those of each fold.
    """

    everything: CrossProductResult
    held_out: list[CrossProductResult]
    learned_from: list[CrossProductResult]

    def used(self) -> "FoldSums":
        """The same without folds that have no rows, as a hash may leave some when there are few rows.

        Raises:
            FitError: there are no rows, a value is infinite, or all rows are in one fold.
        """
        require_rows(self.everything)
        used = [number for number, fold in enumerate(self.held_out) if fold.weight > 0]
        if len(used) < 2:
            raise FitError(
                "All rows are in one fold of the cross-validation.",
                why="Equal rows share a fold, and here all rows are equal, or there is only one sample.",
                fix="Use the estimator without cross-validation, with a penalty of your choice.",
            )
        return FoldSums(
            everything=self.everything,
            held_out=[self.held_out[number] for number in used],
            learned_from=[self.learned_from[number] for number in used],
        )

    def around_origin(self) -> "FoldSums":
        """The sums of models without an intercept."""
        return FoldSums(
            everything=around_origin(self.everything),
            held_out=[around_origin(sums) for sums in self.held_out],
            learned_from=[around_origin(sums) for sums in self.learned_from],
        )

    def errors(
        self, fold: int, coefficients: NDArray[np.float64], intercepts: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """The mean squared error of models on the rows of a fold, shape (models,).

        Args:
            fold: its number.
            coefficients: shape (models, features).
            intercepts: shape (models,).
        """
        sums = self.held_out[fold]
        spread = sums.yy[0, 0] - 2 * coefficients @ sums.xy[:, 0]
        spread += np.einsum("ij,jk,ik->i", coefficients, sums.xx, coefficients)
        bias = sums.y_mean[0] - coefficients @ sums.x_mean - intercepts
        return np.asarray(np.maximum(spread, 0.0) / sums.weight + bias**2)

    def mean_errors(self, errors: NDArray[np.float64]) -> NDArray[np.float64]:
        """The mean squared error over all rows from that of each fold, which the last axis is."""
        weights = np.array([sums.weight for sums in self.held_out])
        return np.asarray(errors @ weights / weights.sum())
