"""Elastic net and lasso from one pass, and the whole path of penalties from the same sums."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, MultiOutputMixin
from sklearn.exceptions import ConvergenceWarning

from groundswell.errors import FitError
from groundswell.estimators._coordinate_descent import coordinate_descent
from groundswell.estimators._input import fit_input
from groundswell.estimators._least_squares import around_origin, normal_equations
from groundswell.estimators._linear_model import linear_predictions, store_coefficients
from groundswell.estimators._score import Regressor
from groundswell.statistics import CrossProductResult
from groundswell.statistics._matrix import Floats


class ElasticNet(MultiOutputMixin, Regressor, BaseEstimator):  # type: ignore[misc]  # sklearn is untyped
    """Least squares with absolute and squared penalties, from one pass over the rows.

    It minimizes ‖y − Xw − b‖² / 2n + α ρ ‖w‖₁ + α (1 − ρ) ‖w‖² / 2 by coordinate descent on the Gram matrix. The
    intercept is not penalized; several targets are learned each by itself.

    Spark's regParam λ and elasticNetParam are this α and ρ on data that were divided by their standard deviations, the
    target too: with standardized X and y (ddof 1) the coefficients are the same.

    Args:
        alpha: α, zero or more.
        l1_ratio: ρ, from 0 (ridge) to 1 (lasso).
        fit_intercept: whether to learn b; without, X and y are taken as they are.
        max_iter: sweeps over the coefficients at most.
        tol: how far the slope of a coefficient may be from its optimum, relative to the largest at w = 0.

    Attributes:
        coef_: w, shape (features,), or (targets, features) if y has two dimensions.
        intercept_: b, a number, or shape (targets,).
        n_iter_: sweeps over the coefficients, of the target that took most.
        n_features_in_, feature_names_in_: what it was fitted on.

    References:
        Zou, Hastie: Regularization and variable selection via the elastic net, Journal of the Royal Statistical Society
        B 67 (2005).
        Friedman, Hastie, Tibshirani: Regularization paths for generalized linear models via coordinate descent, Journal
        of Statistical Software 33 (2010).

    >>> X = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]])
    >>> ElasticNet(alpha=0.2).fit(X, np.array([3.0, 0.1, -3.0, -0.1])).coef_.round(4)
    array([2.3333, 0.    ])
    """

    def __init__(
        self,
        alpha: float = 1.0,
        *,
        l1_ratio: float = 0.5,
        fit_intercept: bool = True,
        max_iter: int = 1000,
        tol: float = 1e-10,
    ) -> None:
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.tol = tol

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:  # Any: array-likes and tables
        """Learn from rows.

        Args:
            X: shape (rows, features), or a table.
            y: shape (rows,) or (rows, targets); with a table the name of its label column.
            sample_weight: shape (rows,); with a table the name of its column of weights.

        Raises:
            FitError: the penalty is none, a table has no rows, or a missing value.
            ColumnNotFoundError, TypeMismatchError: a column is not there, or holds no numbers.
            ValueError: arrays that scikit-learn refuses.
        """
        check_penalty([self.alpha], self.l1_ratio)
        data = fit_input(self, X, y, sample_weight, needs_y=True, numeric_y=True, multi_output=True)
        sums = normal_equations(data)
        if not self.fit_intercept:
            sums = around_origin(sums)
        paths = [
            descend_path(sums, target, self.l1_ratio, [self.alpha], tol=self.tol, max_iter=self.max_iter)
            for target in range(len(sums.y_mean))
        ]
        self.n_iter_ = max(1, *(path.n_iter for path in paths))
        coefficients = np.stack([path.coefficients[0] for path in paths], axis=1)
        store_coefficients(self, coefficients, sums.x_mean, sums.y_mean, flat=data.y_ndim == 1)
        return self

    def predict(self, X: Any) -> NDArray[np.float64]:  # Any: array-likes and tables
        """Xw + b, shape (rows,) or (rows, targets).

        Raises:
            sklearn.exceptions.NotFittedError: it is not fitted.
            ColumnNotFoundError: a table lacks a feature.
        """
        return linear_predictions(self, X)


class Lasso(ElasticNet):
    """Least squares with a penalty on absolute values, ‖y − Xw − b‖² / 2n + α ‖w‖₁: elastic net with ρ = 1.

    Args:
        alpha: α, zero or more.
        fit_intercept, max_iter, tol: as in `ElasticNet`.

    Attributes:
        coef_, intercept_, n_iter_, n_features_in_, feature_names_in_: as in `ElasticNet`.

    References:
        Tibshirani: Regression shrinkage and selection via the lasso, Journal of the Royal Statistical Society B 58
        (1996).

    >>> Lasso(alpha=0.1).fit(np.array([[0.0], [1.0], [2.0]]), np.array([0.0, 1.0, 2.0])).coef_.round(4)
    array([0.85])
    """

    def __init__(
        self, alpha: float = 1.0, *, fit_intercept: bool = True, max_iter: int = 1000, tol: float = 1e-10
    ) -> None:
        super().__init__(alpha, l1_ratio=1.0, fit_intercept=fit_intercept, max_iter=max_iter, tol=tol)


@dataclass(frozen=True, kw_only=True)
class RegularizationPath:
    """Models of falling penalties.

    Attributes:
        alphas: falling, shape (alphas,).
        coefficients: shape (alphas, features).
        intercepts: shape (alphas,).
        n_iter: sweeps over the coefficients, of the penalty that took most.
    """

    alphas: Floats
    coefficients: Floats
    intercepts: Floats
    n_iter: int


def enet_path(
    X: Any,  # Any: array-likes and tables
    y: Any = None,
    sample_weight: Any = None,
    *,
    l1_ratio: float = 0.5,
    alphas: int | Sequence[float] = 100,
    eps: float = 1e-3,
    fit_intercept: bool = True,
) -> RegularizationPath:
    """Elastic nets of many penalties from one pass over the rows.

    Args:
        X, y, sample_weight: as in `ElasticNet.fit`; one target.
        l1_ratio: ρ, above 0 if the penalties are chosen here.
        alphas: the penalties, or how many to choose, evenly in logarithms from the smallest that leaves no
            coefficient.
        eps: the last chosen penalty divided by the first.
        fit_intercept: whether to learn b.

    Raises:
        FitError: a penalty is none, there are no rows, or a value is missing.

    >>> path = enet_path(np.array([[0.0], [1.0], [2.0]]), np.array([0.0, 1.0, 2.0]), alphas=[0.1, 0.4], l1_ratio=1.0)
    >>> path.coefficients.round(4).tolist()
    [[0.4], [0.85]]
    """
    data = fit_input(ElasticNet(), X, y, sample_weight, needs_y=True, numeric_y=True)
    sums = normal_equations(data)
    if not fit_intercept:
        sums = around_origin(sums)
    return descend_path(sums, 0, l1_ratio, penalties(sums, l1_ratio, alphas, eps))


def penalties(sums: CrossProductResult, l1_ratio: float, alphas: int | Sequence[float], eps: float) -> Floats:
    """The penalties of a path, falling.

    Raises:
        FitError: a given one is negative, or none are given and ρ is 0, for which there is no largest one.
    """
    if not isinstance(alphas, int | np.integer):
        check_penalty(alphas, l1_ratio)
        return np.sort(np.asarray(alphas, np.float64))[::-1]
    if not 0 < l1_ratio <= 1:
        raise FitError(
            f"The penalties cannot be chosen for l1_ratio={l1_ratio!r}.",
            why="Only an absolute-value penalty has a size from which on all coefficients are zero.",
            fix="Give alphas=[...], or an l1_ratio above 0 and up to 1.",
            l1_ratio=l1_ratio,
        )
    largest = float(np.abs(sums.xy).max(initial=0.0)) / (sums.weight * l1_ratio)
    if largest <= np.finfo(np.float64).resolution:
        return np.full(int(alphas), np.finfo(np.float64).resolution)
    return np.geomspace(largest, largest * eps, int(alphas))


def descend_path(
    sums: CrossProductResult,
    target: int,
    l1_ratio: float,
    alphas: Sequence[float] | Floats,
    *,
    tol: float = 1e-10,
    max_iter: int = 1000,
) -> RegularizationPath:
    """The elastic nets of one target for penalties that fall; each starts where the one before ended."""
    gram, slope = sums.xx / sums.weight, sums.xy[:, target] / sums.weight
    p = len(slope)
    theta, found, sweeps, converged = np.zeros(p), np.empty((len(alphas), p)), 0, True
    for row, alpha in enumerate(alphas):
        quadratic = gram + alpha * (1 - l1_ratio) * np.eye(p)
        descent = coordinate_descent(quadratic, slope, np.full(p, alpha * l1_ratio), theta, tol=tol, max_iter=max_iter)
        theta = found[row] = descent.solution
        sweeps, converged = max(sweeps, descent.n_sweeps), converged and descent.converged
    if not converged:
        warnings.warn(
            f"Coordinate descent did not reach tol={tol:g} in {max_iter} sweeps: raise max_iter or alpha.",
            ConvergenceWarning,
            stacklevel=3,
        )
    intercepts = sums.y_mean[target] - found @ sums.x_mean
    return RegularizationPath(
        alphas=np.asarray(alphas, np.float64), coefficients=found, intercepts=intercepts, n_iter=sweeps
    )


def check_penalty(alphas: Sequence[float], l1_ratio: float) -> None:
    """Raise unless the penalties are zero or more and the ratio lies between 0 and 1.

    Raises:
        FitError: one is not.
    """
    given = np.asarray(alphas, np.float64)
    if given.size == 0 or not (np.isfinite(given) & (given >= 0)).all() or not 0 <= l1_ratio <= 1:
        raise FitError(
            f"alpha is {given.tolist()} and l1_ratio is {l1_ratio!r}.",
            why="A penalty is zero or more, and l1_ratio the share of absolute values in it.",
            fix="Use an alpha such as 0.1, and an l1_ratio from 0 to 1.",
            alphas=given.tolist(),
            l1_ratio=l1_ratio,
        )
