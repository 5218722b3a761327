"""Least squares from sums: linear regression."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin

from groundswell.errors import FitError
from groundswell.estimators._input import fit_input, predict_parts
from groundswell.statistics import TSQR, Batch, CrossProduct
from groundswell.statistics._matrix import Floats

MAX_CONDITION = 1e6
"""Beyond this condition number of the scaled features the normal equations lose more than four digits of sixteen."""


class LinearRegression(MultiOutputMixin, RegressorMixin, BaseEstimator):  # type: ignore[misc]  # sklearn is untyped
    """Ordinary least squares, min ‖y − Xw − b‖², from one pass over the rows.

    It solves the centered normal equations XᵀXw = Xᵀy. Where the features are nearly dependent, which squaring makes
    worse, it passes over the rows again for a triangular factor (TSQR), whose condition is not squared. Of dependent
    features it takes the solution of smallest norm.

    Args:
        fit_intercept: whether to learn b; without, X and y are taken as they are.

    Attributes:
        coef_: w, shape (features,), or (targets, features) if y has two dimensions.
        intercept_: b, a number, or shape (targets,).
        n_features_in_, feature_names_in_: what it was fitted on.

    References:
        Golub and Van Loan, Matrix Computations, 4th edition, section 5.3.
        Demmel, Grigori, Hoemmen, Langou, Communication-optimal parallel and sequential QR and LU factorizations, 2012.

    >>> houses = np.array([[2104.0, 3], [1600, 3], [2400, 3], [1416, 2], [3000, 4]])
    >>> model = LinearRegression().fit(houses, np.array([400.0, 330, 369, 232, 540]))
    >>> float(model.predict(np.array([[4000.0, 4]]))[0].round())
    599.0
    """

    def __init__(self, *, fit_intercept: bool = True) -> None:
        self.fit_intercept = fit_intercept

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:  # Any: array-likes and tables
        """Learn from rows.

        Args:
            X: shape (rows, features), or a table.
            y: shape (rows,) or (rows, targets); with a table the name of its label column.
            sample_weight: shape (rows,); with a table the name of its column of weights.

        Raises:
            FitError: a table has no rows, or a missing value.
            ColumnNotFoundError, TypeMismatchError: a column is not there, or holds no numbers.
            ValueError: arrays that scikit-learn refuses.
        """
        data = fit_input(self, X, y, sample_weight, needs_y=True, numeric_y=True, multi_output=True)
        flat = data.y_ndim == 1
        sums = data.fold(CrossProduct()).result()
        if sums.weight == 0:
            raise FitError("There are no rows to learn from.", fix="Check the filter or the file.")
        xx, xy = sums.xx, sums.xy
        if not self.fit_intercept:
            xx = xx + sums.weight * np.outer(sums.x_mean, sums.x_mean)
            xy = xy + sums.weight * np.outer(sums.x_mean, sums.y_mean)
        coefficients: NDArray[Any]
        if _condition(xx) <= MAX_CONDITION**2:
            coefficients = np.linalg.solve(xx, xy)
        elif self.fit_intercept:
            coefficients = data.fold(TSQR()).result().solve()[0]
        else:
            coefficients = np.linalg.lstsq(xx, xy)[0]
        intercept = sums.y_mean - sums.x_mean @ coefficients if self.fit_intercept else np.zeros(len(sums.y_mean))
        self.coef_ = coefficients[:, 0] if flat else coefficients.T
        self.intercept_ = float(intercept[0]) if flat else intercept
        return self

    def predict(self, X: Any) -> NDArray[np.float64]:  # Any: array-likes and tables
        """Xw + b, shape (rows,) or (rows, targets).

        Raises:
            sklearn.exceptions.NotFittedError: it is not fitted.
            ColumnNotFoundError: a table lacks a feature.
        """

        def of(batch: Batch) -> NDArray[np.float64]:
            return np.asarray(batch.matrix @ self.coef_.T + self.intercept_)

        return predict_parts(self, X, of)


def _condition(xx: Floats) -> float:
    """The condition number of XᵀX with each column scaled to length 1; infinite for a constant column."""
    lengths = np.sqrt(np.diag(xx))
    if not lengths.size:
        return 1.0
    if (lengths == 0).any():
        return float("inf")
    values = np.linalg.eigvalsh(xx / np.outer(lengths, lengths))
    return float(values[-1] / values[0]) if values[0] > 0 else float("inf")
