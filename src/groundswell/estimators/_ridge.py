"""Ridge regression from sums."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, MultiOutputMixin

from groundswell.errors import FitError
from groundswell.estimators._input import fit_input
from groundswell.estimators._least_squares import around_origin, normal_equations, solve
from groundswell.estimators._linear_model import linear_predictions, store_coefficients
from groundswell.estimators._score import Regressor


class Ridge(MultiOutputMixin, Regressor, BaseEstimator):  # type: ignore[misc]  # sklearn is untyped
    """Least squares with a penalty on the squares, min ‖y − Xw − b‖² + α‖w‖², from one pass over the rows.

    The intercept is not penalized. Where the features are nearly dependent and α is small, it passes over the rows
    again for a triangular factor (TSQR).

    Spark divides the sum of squares by 2n: its regParam λ with elasticNetParam 0 and without standardization is α = nλ.

    Args:
        alpha: α, zero or more; one number, or one for each target.
        fit_intercept: whether to learn b; without, X and y are taken as they are.

    Attributes:
        coef_: w, shape (features,), or (targets, features) if y has two dimensions.
        intercept_: b, a number, or shape (targets,).
        n_features_in_, feature_names_in_: what it was fitted on.

    References:
        Hoerl, Kennard: Ridge regression: biased estimation for nonorthogonal problems, Technometrics 12 (1970).

    >>> X, y = np.array([[0.0], [0.0], [1.0]]), np.array([0.0, 0.1, 1.0])
    >>> Ridge(alpha=0.5).fit(X, y).coef_.round(4)
    array([0.5429])
    """

    def __init__(self, alpha: float | NDArray[np.float64] = 1.0, *, fit_intercept: bool = True) -> None:
        self.alpha = alpha
        self.fit_intercept = fit_intercept

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:  # Any: array-likes and tables
        """Learn from rows.

        Args:
            X: shape (rows, features), or a table.
            y: shape (rows,) or (rows, targets); with a table the name of its label column.
            sample_weight: shape (rows,); with a table the name of its column of weights.

        Raises:
            FitError: α is negative, a table has no rows, or a missing value.
            ColumnNotFoundError, TypeMismatchError: a column is not there, or holds no numbers.
            ValueError: arrays that scikit-learn refuses.
        """
        data = fit_input(self, X, y, sample_weight, needs_y=True, numeric_y=True, multi_output=True)
        sums = normal_equations(data)
        if not self.fit_intercept:
            sums = around_origin(sums)
        penalty = _penalties(self.alpha, len(sums.y_mean))
        coefficients = solve(data, sums, penalty, fit_intercept=self.fit_intercept)
        store_coefficients(self, coefficients, sums.x_mean, sums.y_mean, flat=data.y_ndim == 1)
        return self

    def predict(self, X: Any) -> NDArray[np.float64]:  # Any: array-likes and tables
        """Xw + b, shape (rows,) or (rows, targets).

        Raises:
            sklearn.exceptions.NotFittedError: it is not fitted.
            ColumnNotFoundError: a table lacks a feature.
        """
        return linear_predictions(self, X)


def _penalties(alpha: float | NDArray[np.float64], n_targets: int) -> NDArray[np.float64]:
    given = np.atleast_1d(np.asarray(alpha, np.float64))
    if given.shape not in ((1,), (n_targets,)) or not (given >= 0).all():
        raise FitError(
            f"alpha is {alpha!r}, and y has {n_targets} target(s).",
            why="A penalty is zero or more, one for all targets or one for each.",
            fix="Use a number such as 1.0.",
            alpha=alpha,
        )
    return np.broadcast_to(given, (n_targets,))
