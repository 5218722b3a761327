"""Ridge, lasso and elastic net whose penalty is chosen by cross-validation, all of it from one pass."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from groundswell.errors import FitError
from groundswell.estimators._elastic_net import check_penalty, descend_path, penalties
from groundswell.estimators._folds import FoldedCrossProduct, FoldSums
from groundswell.estimators._input import fit_input
from groundswell.estimators._linear_model import linear_predictions, store_coefficients
from groundswell.estimators._memory import require_memory_for_pairs
from groundswell.estimators._score import Regressor
from groundswell.statistics import CrossProductResult
from groundswell.statistics._matrix import Floats


class RidgeCV(Regressor, BaseEstimator):  # type: ignore[misc]  # sklearn is untyped
    """Ridge regression with the penalty that predicts best in cross-validation, from one pass over the rows.

    Args:
        alphas: the penalties to try, above zero.
        fit_intercept: whether to learn b.
        n_folds: how many folds; a row's fold follows from its values.
        seed: another one gives other folds.

    Attributes:
        alpha_: the penalty with the smallest mean squared error over the rows of all folds.
        mse_path_: mean squared errors, shape (alphas, folds with rows).
        coef_: w, shape (features,), of all rows. intercept_: b.
        n_features_in_, feature_names_in_: what it was fitted on.

    References:
        Stone: Cross-validatory choice and assessment of statistical predictions, Journal of the Royal Statistical
        Society B 36 (1974).

    >>> X = np.arange(40.0)[:, None]
    >>> RidgeCV(alphas=[1e-6, 1e6]).fit(X, 3 * X[:, 0]).alpha_
    1e-06
    """

    def __init__(
        self, alphas: Sequence[float] = (0.1, 1.0, 10.0), *, fit_intercept: bool = True, n_folds: int = 5, seed: int = 0
    ) -> None:
        self.alphas = alphas
        self.fit_intercept = fit_intercept
        self.n_folds = n_folds
        self.seed = seed

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:  # Any: array-likes and tables
        """Learn from rows.

        Args:
            X: shape (rows, features), or a table.
            y: shape (rows,); with a table the name of its label column.
            sample_weight: shape (rows,); with a table the name of its column of weights.

        Raises:
            FitError: a penalty is not above zero, the table has no rows, all rows are equal, or one has
                a missing value.
            ColumnNotFoundError, TypeMismatchError: a column is not there, or holds no numbers.
            ValueError: arrays that scikit-learn refuses.
        """
        alphas = np.asarray(self.alphas, np.float64)
        check_penalty(self.alphas, 0.0)
        if not (alphas > 0).all():
            raise FitError(
                f"alphas holds {alphas.min():g}.",
                why="Without a penalty dependent features have no single solution, in some fold if not in all.",
                fix="Use penalties above zero, however small, or LinearRegression.",
            )
        sums = _fold_sums(self, X, y, sample_weight)
        self.mse_path_ = np.empty((len(alphas), len(sums.held_out)))
        for fold, rest in enumerate(sums.learned_from):
            found = _ridges(rest, alphas)
            self.mse_path_[:, fold] = sums.errors(fold, found, rest.y_mean[0] - found @ rest.x_mean)
        best = int(sums.mean_errors(self.mse_path_).argmin())
        self.alpha_ = float(alphas[best])
        everything = sums.everything
        coefficients = _ridges(everything, alphas[best : best + 1]).T
        store_coefficients(self, coefficients, everything.x_mean, everything.y_mean, flat=True)
        return self

    def predict(self, X: Any) -> NDArray[np.float64]:  # Any: array-likes and tables
        """Xw + b, shape (rows,).

        Raises:
            sklearn.exceptions.NotFittedError: it is not fitted.
            ColumnNotFoundError: a table lacks a feature.
        """
        return linear_predictions(self, X)


class ElasticNetCV(Regressor, BaseEstimator):  # type: ignore[misc]  # sklearn is untyped
    """Elastic net with the penalty that predicts best in cross-validation, from one pass over the rows.

    Args:
        l1_ratio: ρ, or several to try.
        alphas: the penalties to try, or how many to choose for each ρ (see `enet_path`).
        eps: the last chosen penalty divided by the first.
        fit_intercept: whether to learn b.
        n_folds: how many folds; a row's fold follows from its values.
        seed: another one gives other folds.
        max_iter, tol: as in `ElasticNet`.

    Attributes:
        alpha_, l1_ratio_: the penalty with the smallest mean squared error over the rows of all folds.
        alphas_: the penalties that were tried, shape (ratios, alphas).
        mse_path_: mean squared errors, shape (ratios, alphas, folds with rows).
        n_iter_: sweeps over the coefficients, of the final fit.
        coef_: w, shape (features,), of all rows. intercept_: b.
        n_features_in_, feature_names_in_: what it was fitted on.

    References:
        as `ElasticNet` and `RidgeCV`.

    >>> X = np.random.default_rng(0).standard_normal((100, 3))
    >>> ElasticNetCV().fit(X, 3 * X[:, 0]).coef_.round(1).tolist()
    [3.0, 0.0, 0.0]
    """

    def __init__(
        self,
        *,
        l1_ratio: float | Sequence[float] = 0.5,
        alphas: int | Sequence[float] = 100,
        eps: float = 1e-3,
        fit_intercept: bool = True,
        n_folds: int = 5,
        seed: int = 0,
        max_iter: int = 1000,
        tol: float = 1e-10,
    ) -> None:
        self.l1_ratio = l1_ratio
        self.alphas = alphas
        self.eps = eps
        self.fit_intercept = fit_intercept
        self.n_folds = n_folds
        self.seed = seed
        self.max_iter = max_iter
        self.tol = tol

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:  # Any: array-likes and tables
        """Learn from rows.

        Args:
            X: shape (rows, features), or a table.
            y: shape (rows,); with a table the name of its label column.
            sample_weight: shape (rows,); with a table the name of its column of weights.

        Raises:
            FitError: a penalty is none, the table has no rows, all rows are equal, or one has
                a missing value.
            ColumnNotFoundError, TypeMismatchError: a column is not there, or holds no numbers.
            ValueError: arrays that scikit-learn refuses.
        """
        ratios = np.atleast_1d(np.asarray(self.l1_ratio, np.float64)).tolist()
        for ratio in ratios:
            check_penalty([0.0] if isinstance(self.alphas, int) else self.alphas, ratio)
        sums = _fold_sums(self, X, y, sample_weight)
        self.alphas_ = np.stack([penalties(sums.everything, ratio, self.alphas, self.eps) for ratio in ratios])
        options: dict[str, Any] = {"tol": self.tol, "max_iter": self.max_iter}
        self.mse_path_ = np.empty((*self.alphas_.shape, len(sums.held_out)))
        for row, ratio in enumerate(ratios):
            for fold, rest in enumerate(sums.learned_from):
                path = descend_path(rest, 0, ratio, self.alphas_[row], **options)
                self.mse_path_[row, :, fold] = sums.errors(fold, path.coefficients, path.intercepts)
        means = sums.mean_errors(self.mse_path_)
        row, best = divmod(int(means.argmin()), means.shape[1])
        self.alpha_, self.l1_ratio_ = float(self.alphas_[row, best]), ratios[row]
        path = descend_path(sums.everything, 0, self.l1_ratio_, self.alphas_[row, : best + 1], **options)
        self.n_iter_ = max(1, path.n_iter)
        everything = sums.everything
        store_coefficients(self, path.coefficients[-1:].T, everything.x_mean, everything.y_mean, flat=True)
        return self

    def predict(self, X: Any) -> NDArray[np.float64]:  # Any: array-likes and tables
        """Xw + b, shape (rows,).

        Raises:
            sklearn.exceptions.NotFittedError: it is not fitted.
            ColumnNotFoundError: a table lacks a feature.
        """
        return linear_predictions(self, X)


class LassoCV(ElasticNetCV):
    """Lasso with the penalty that predicts best in cross-validation: `ElasticNetCV` with ρ = 1.

    Args:
        alphas, eps, fit_intercept, n_folds, seed, max_iter, tol: as in `ElasticNetCV`.

    Attributes:
        alpha_, alphas_, mse_path_, n_iter_, coef_, intercept_, n_features_in_, feature_names_in_: as in `ElasticNetCV`.

    References:
        as `Lasso` and `RidgeCV`.
    """

    def __init__(
        self,
        *,
        alphas: int | Sequence[float] = 100,
        eps: float = 1e-3,
        fit_intercept: bool = True,
        n_folds: int = 5,
        seed: int = 0,
        max_iter: int = 1000,
        tol: float = 1e-10,
    ) -> None:
        super().__init__(
            l1_ratio=1.0, alphas=alphas, eps=eps, fit_intercept=fit_intercept, n_folds=n_folds, seed=seed,
            max_iter=max_iter, tol=tol,
        )  # fmt: skip


def _fold_sums(estimator: RidgeCV | ElasticNetCV, X: Any, y: Any, sample_weight: Any) -> FoldSums:  # Any: as in fit
    if estimator.n_folds < 2:
        raise FitError(
            f"n_folds is {estimator.n_folds!r}.",
            why="One fold is left out, and another learned from.",
            fix="Use 2 or more.",
        )
    data = fit_input(estimator, X, y, sample_weight, needs_y=True, numeric_y=True)
    require_memory_for_pairs(data.n_features, "Use SGDRegressor in GridSearchCV", n_sums=estimator.n_folds)
    sums = data.fold(FoldedCrossProduct(estimator.n_folds, estimator.seed)).result().used()
    return sums if estimator.fit_intercept else sums.around_origin()


def _ridges(sums: CrossProductResult, alphas: Floats) -> Floats:
    """The coefficients for each penalty, shape (alphas, features), by one decomposition for all."""
    values, vectors = np.linalg.eigh(sums.xx)
    turned = vectors.T @ sums.xy[:, 0]
    return np.asarray((turned / (np.maximum(values, 0.0) + alphas[:, None])) @ vectors.T)
