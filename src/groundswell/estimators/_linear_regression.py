"""Least squares from sums: linear regression."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin

from groundswell.estimators._input import fit_input
from groundswell.estimators._least_squares import around_origin, normal_equations, solve
from groundswell.estimators._linear_model import linear_predictions, store_coefficients


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
        sums = normal_equations(data)
        if not self.fit_intercept:
            sums = around_origin(sums)
        coefficients = solve(data, sums, np.zeros(len(sums.y_mean)), fit_intercept=self.fit_intercept)
        store_coefficients(self, coefficients, sums.x_mean, sums.y_mean, flat=data.y_ndim == 1)
        return self

    def predict(self, X: Any) -> NDArray[np.float64]:  # Any: array-likes and tables
        """Xw + b, shape (rows,) or (rows, targets).

        Raises:
            sklearn.exceptions.NotFittedError: it is not fitted.
            ColumnNotFoundError: a table lacks a feature.
        """
        return linear_predictions(self, X)
