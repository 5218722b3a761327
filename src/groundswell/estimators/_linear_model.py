"""What linear models share once they are fitted: coefficients, an intercept, and predictions from them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from groundswell.estimators._input import predict_parts
from groundswell.statistics import Batch
from groundswell.statistics._matrix import Floats


def store_coefficients(
    estimator: BaseEstimator, coefficients: Floats, x_mean: Floats, y_mean: Floats, *, flat: bool
) -> None:
    """Set `coef_` and `intercept_` in scikit-learn's shapes.

    Args:
        estimator: it gets the attributes.
        coefficients: shape (features, targets).
        x_mean: shape (features,); zeros without an intercept.
        y_mean: shape (targets,); zeros without an intercept.
        flat: whether y had one dimension.
    """
    intercept = y_mean - x_mean @ coefficients
    estimator.coef_ = coefficients[:, 0].copy() if flat else coefficients.T.copy()
    estimator.intercept_ = float(intercept[0]) if flat else intercept


def linear_predictions(estimator: BaseEstimator, X: Any, *, accept_sparse: bool = False) -> NDArray[np.float64]:
    """Xw + b of a fitted estimator, shape (rows,) or (rows, targets); X is an array-like or a table.

    Raises:
        sklearn.exceptions.NotFittedError: the estimator is not fitted.
        ColumnNotFoundError: a table lacks a feature.
    """

    def of(batch: Batch) -> NDArray[np.float64]:
        X = batch.matrix if not accept_sparse or batch.X is None else batch.X
        return np.asarray(X @ estimator.coef_.T + estimator.intercept_)

    return predict_parts(estimator, X, of, accept_sparse=accept_sparse)


def term_names(estimator: BaseEstimator) -> tuple[str, ...]:
    """The names of a fitted model's terms: "intercept" if it has one, then its features, x0, x1, … if they have none.

    Raises:
        sklearn.exceptions.NotFittedError: the estimator is not fitted.
    """
    check_is_fitted(estimator)
    names = getattr(estimator, "feature_names_in_", [f"x{j}" for j in range(estimator.n_features_in_)])
    return (*(["intercept"] if estimator.fit_intercept else []), *(str(name) for name in names))
