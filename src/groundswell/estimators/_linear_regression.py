"""Least squares from sums: linear regression."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, MultiOutputMixin

from groundswell.estimators._input import fit_input
from groundswell.estimators._least_squares import around_origin, normal_equations, solve
from groundswell.estimators._linear_model import linear_predictions, store_coefficients, term_names
from groundswell.estimators._score import Regressor
from groundswell.estimators._summary import LinearSummary, inverse_diagonal, linear_summary


class LinearRegression(MultiOutputMixin, Regressor, BaseEstimator):  # type: ignore[misc]  # sklearn is untyped
    """Ordinary least squares, min ‖y − Xw − b‖², from one pass over the rows.

    It solves the centered normal equations XᵀXw = Xᵀy. Where the features are nearly dependent, which squaring makes
    worse, it passes over the rows again for a triangular factor (TSQR), whose condition is not squared. Of dependent
    features it takes the solution of smallest norm.

    Args:
        fit_intercept: whether to learn b; without, X and y are taken as they are.

    Attributes:
        coef_: w, shape (features,), or (targets, features) if y has two dimensions.
        intercept_: b, a number, or shape (targets,).
        weight_: Σ w. residual_, total_: sums of squares of the residuals and of y, shape (targets,).
        errors_per_variance_: standard errors of the intercept, if there is one, and of the coefficients, for errors of
            variance 1; NaN where features are dependent. See `summary`.
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
        self.weight_ = sums.weight
        self.total_ = np.diagonal(sums.yy).copy()
        fitted = 2 * sums.xy - sums.xx @ coefficients
        self.residual_ = np.maximum(self.total_ - np.einsum("jk,jk->k", coefficients, fitted), 0.0)
        inverse = inverse_diagonal(sums.xx)
        if self.fit_intercept:
            shift = np.linalg.lstsq(sums.xx, sums.x_mean)[0] if len(inverse) else inverse
            first = 1 / sums.weight + (sums.x_mean @ shift if np.isfinite(inverse).all() else np.nan)
            inverse = np.append(first, inverse)
        self.errors_per_variance_ = np.sqrt(inverse)
        return self

    def summary(self, target: int = 0) -> LinearSummary:
        """Coefficients with standard errors and tests, and the quality of the fit, of normal errors of one variance.

        Args:
            target: which one, if y had several.

        Raises:
            sklearn.exceptions.NotFittedError: it is not fitted.
        """
        terms = term_names(self)
        slopes = np.atleast_2d(self.coef_)[target]
        estimates = np.append(np.atleast_1d(self.intercept_)[target], slopes) if self.fit_intercept else slopes
        return linear_summary(
            terms=terms,
            estimates=estimates,
            errors_per_variance=self.errors_per_variance_,
            weight=self.weight_,
            residual=float(self.residual_[target]),
            total=float(self.total_[target]),
        )

    def predict(self, X: Any) -> NDArray[np.float64]:  # Any: array-likes and tables
        """Xw + b, shape (rows,) or (rows, targets).

        Raises:
            sklearn.exceptions.NotFittedError: it is not fitted.
            ColumnNotFoundError: a table lacks a feature.
        """
        return linear_predictions(self, X)
