"""Cross-validation from sums against scikit-learn over the same folds, by each fold's error."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from sklearn import linear_model
from sklearn.model_selection import GridSearchCV, PredefinedSplit

from groundswell.errors import FitError
from groundswell.estimators import ElasticNetCV, LassoCV, RidgeCV
from groundswell.estimators._folds import folds_of


def _data() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    X = rng.standard_normal((300, 6)) @ (np.eye(6) + 0.3) + 5.0
    return X, X[:, :3] @ [2.0, -1.0, 0.5] + 3 * rng.standard_normal(300)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_ridge_is_scikit_learns(fit_intercept: bool) -> None:
    X, y = _data()
    alphas = [0.1, 10.0, 300.0]
    ours = RidgeCV(alphas, fit_intercept=fit_intercept).fit(X, y)
    split = PredefinedSplit(folds_of(X, y, 5))
    theirs = GridSearchCV(
        linear_model.Ridge(fit_intercept=fit_intercept), {"alpha": alphas}, cv=split, scoring="neg_mean_squared_error"
    ).fit(X, y)
    for fold in range(5):
        np.testing.assert_allclose(ours.mse_path_[:, fold], -theirs.cv_results_[f"split{fold}_test_score"], rtol=1e-9)
    rows = np.bincount(folds_of(X, y, 5))  # scikit-learn's own choice counts folds alike, ours counts rows
    errors = [-theirs.cv_results_[f"split{fold}_test_score"] * rows[fold] for fold in range(5)]
    assert ours.alpha_ == alphas[int(np.argmin(np.sum(errors, axis=0)))]
    best = linear_model.Ridge(alpha=ours.alpha_, fit_intercept=fit_intercept).fit(X, y)
    np.testing.assert_allclose(ours.coef_, best.coef_, rtol=1e-9)
    np.testing.assert_allclose(ours.intercept_, best.intercept_, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_elastic_net_is_scikit_learns(fit_intercept: bool) -> None:
    X, y = _data()
    options: dict[str, Any] = {"l1_ratio": [0.4, 1.0], "alphas": 15, "fit_intercept": fit_intercept}
    ours = ElasticNetCV(**options).fit(X, y)
    split = PredefinedSplit(folds_of(X, y, 5))
    theirs = linear_model.ElasticNetCV(cv=split, tol=1e-12, max_iter=100_000, **options).fit(X, y)
    np.testing.assert_allclose(ours.alphas_, theirs.alphas_, rtol=1e-10)
    np.testing.assert_allclose(ours.mse_path_, theirs.mse_path_, rtol=1e-6)
    assert ours.alpha_ in ours.alphas_
    final = linear_model.ElasticNet(
        alpha=ours.alpha_, l1_ratio=ours.l1_ratio_, fit_intercept=fit_intercept, tol=1e-13, max_iter=100_000
    ).fit(X, y)
    np.testing.assert_allclose(ours.coef_, final.coef_, rtol=1e-6, atol=1e-7)


def test_the_lasso_is_an_elastic_net_of_absolute_values_only() -> None:
    X, y = _data()
    lasso, net = LassoCV(alphas=10).fit(X, y), ElasticNetCV(l1_ratio=1.0, alphas=10).fit(X, y)
    np.testing.assert_array_equal(lasso.coef_, net.coef_)
    assert lasso.alpha_ == net.alpha_


def test_a_rows_fold_follows_from_its_values_alone() -> None:
    X, y = _data()
    folds = folds_of(X, y, 5)
    order = np.random.default_rng(0).permutation(len(y))
    np.testing.assert_array_equal(folds_of(X[order], y[order], 5), folds[order])
    np.testing.assert_array_equal(folds_of(np.asfortranarray(X), y[:, None], 5), folds)
    assert np.bincount(folds).min() > 40
    assert (folds != folds_of(X, y, 5, seed=1)).mean() > 0.7
    small = X.astype(np.float32)
    np.testing.assert_array_equal(folds_of(small, y, 5), folds_of(small.astype(np.float64), y, 5))
    np.testing.assert_array_equal(
        folds_of(np.array([[0.0], [-0.0]]), np.zeros(2), 64), [folds_of(np.zeros((1, 1)), np.zeros(1), 64)[0]] * 2
    )


@pytest.mark.parametrize(
    "values", [np.arange(4000) % 2, np.arange(4000), np.arange(4000) * 1e-3, 2.0 ** (np.arange(4000) % 60)]
)
def test_folds_are_even_however_plain_the_values(values: np.ndarray) -> None:
    X = np.column_stack([values.astype(float), np.arange(4000.0)])
    counts = np.bincount(folds_of(X, np.zeros(4000), 5), minlength=5)
    assert counts.min() > 650
    assert counts.max() < 950


def test_one_row_alone_cannot_be_validated() -> None:
    with pytest.raises(FitError, match="one sample"):
        RidgeCV().fit(pa.table({"a": [1.0, 1.0], "label": [2.0, 2.0]}), "label")


def test_settings_that_cannot_be() -> None:
    X, y = _data()
    with pytest.raises(FitError, match="n_folds is 1"):
        RidgeCV(n_folds=1).fit(X, y)
    with pytest.raises(FitError, match="above zero"):
        RidgeCV([0.0, 1.0]).fit(X, y)
    with pytest.raises(FitError, match="Give alphas"):
        ElasticNetCV(l1_ratio=0.0).fit(X, y)
