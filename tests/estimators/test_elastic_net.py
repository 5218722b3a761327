"""Lasso and elastic net against scikit-learn by coefficients, and their path."""

import warnings

import numpy as np
import pyarrow as pa
import pytest
from sklearn import linear_model
from sklearn.exceptions import ConvergenceWarning

from groundswell.errors import FitError
from groundswell.estimators import ElasticNet, Lasso, enet_path


def _data(n: int = 200, p: int = 8) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    X = rng.standard_normal((n, p)) @ (np.eye(p) + 0.3) + 5.0
    return X, X[:, :3] @ [2.0, -1.0, 0.5] + rng.standard_normal(n), rng.integers(0, 3, n).astype(float)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("l1_ratio", [0.2, 1.0])
@pytest.mark.parametrize("alpha", [1e-3, 0.3, 100.0])
def test_elastic_net_is_scikit_learns(alpha: float, l1_ratio: float, fit_intercept: bool) -> None:
    X, y, w = _data()
    ours = ElasticNet(alpha, l1_ratio=l1_ratio, fit_intercept=fit_intercept).fit(X, y, w)
    theirs = linear_model.ElasticNet(
        alpha=alpha, l1_ratio=l1_ratio, fit_intercept=fit_intercept, tol=1e-14, max_iter=100_000
    ).fit(X, y, w)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(ours.coef_ == 0, np.abs(theirs.coef_) < 1e-8)


def test_the_lasso_is_an_elastic_net_of_absolute_values_only() -> None:
    X, y, _ = _data()
    np.testing.assert_array_equal(Lasso(0.1).fit(X, y).coef_, ElasticNet(0.1, l1_ratio=1.0).fit(X, y).coef_)


def test_several_targets_are_learned_each_by_itself() -> None:
    X, y, _ = _data()
    both = Lasso(0.1).fit(X, np.column_stack([y, -2 * y]))
    assert both.coef_.shape == (2, 8)
    np.testing.assert_allclose(both.coef_[1], Lasso(0.1).fit(X, -2 * y).coef_, rtol=1e-12)
    assert both.predict(X).shape == (200, 2)


def test_more_columns_than_rows_are_scikit_learns_by_objective() -> None:
    X, y, _ = _data(30, 60)
    ours, theirs = Lasso(0.05).fit(X, y), linear_model.Lasso(0.05, tol=1e-12, max_iter=100_000).fit(X, y)

    def objective(model: Lasso | linear_model.Lasso) -> float:
        return float(np.square(y - model.predict(X)).mean() / 2 + 0.05 * np.abs(model.coef_).sum())

    assert objective(ours) <= objective(theirs) + 1e-10


def test_twins_share_and_neither_diverges() -> None:
    X, y, _ = _data()
    twins = np.column_stack([X, X[:, 0]])
    ridge_like = ElasticNet(0.1, l1_ratio=0.5).fit(twins, y)
    assert ridge_like.coef_[0] == pytest.approx(ridge_like.coef_[-1], rel=1e-6)
    lasso = Lasso(0.1).fit(twins, y)
    assert lasso.coef_[0] + lasso.coef_[-1] == pytest.approx(Lasso(0.1).fit(X, y).coef_[0], rel=1e-6)


def test_a_path_is_scikit_learns_and_one_pass() -> None:
    X, y, _ = _data()
    ours = enet_path(X, y, l1_ratio=0.7, alphas=40)
    centered = X - X.mean(axis=0)
    alphas, coefficients, _ = linear_model.enet_path(
        centered, y - y.mean(), l1_ratio=0.7, alphas=40, tol=1e-13, max_iter=100_000
    )
    np.testing.assert_allclose(ours.alphas, alphas, rtol=1e-12)
    np.testing.assert_allclose(ours.coefficients, coefficients.T, rtol=1e-5, atol=1e-6)
    assert not ours.coefficients[0].any()
    table = pa.table({f"x{j}": X[:, j] for j in range(8)} | {"label": y})
    np.testing.assert_allclose(
        enet_path(table, "label", l1_ratio=0.7, alphas=40).coefficients, ours.coefficients, rtol=1e-9, atol=1e-10
    )
    third = ElasticNet(ours.alphas[3], l1_ratio=0.7).fit(X, y)
    np.testing.assert_allclose(third.coef_, ours.coefficients[3], rtol=1e-9, atol=1e-12)
    assert third.intercept_ == pytest.approx(ours.intercepts[3])
    through_the_origin = enet_path(X, y, alphas=[0.2], fit_intercept=False)
    np.testing.assert_allclose(through_the_origin.coefficients[0], ElasticNet(0.2, fit_intercept=False).fit(X, y).coef_)


def test_sparks_parameters_are_ours_on_standardized_data() -> None:
    """Spark standardizes X and y by their deviations (ddof 1), and gives back coefficients of the data as it was."""
    X, y, _ = _data()
    x_std, y_std = X.std(axis=0, ddof=1), y.std(ddof=1)
    lam, mix = 0.2, 0.8
    w = ElasticNet(lam, l1_ratio=mix).fit(X / x_std, y / y_std).coef_

    residual = (y - y.mean()) / y_std - (X - X.mean(axis=0)) / x_std @ w
    slope = -(X - X.mean(axis=0)).T @ residual / x_std / len(y) + lam * (1 - mix) * w
    moving = w != 0
    np.testing.assert_allclose(slope[moving], -lam * mix * np.sign(w[moving]), rtol=1e-8)
    assert (np.abs(slope[~moving]) <= lam * mix).all()


def test_too_few_sweeps_are_said() -> None:
    X, y, _ = _data()
    with pytest.warns(ConvergenceWarning, match="raise max_iter"):
        Lasso(0.01, max_iter=0).fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Lasso(0.01).fit(X, y)


@pytest.mark.parametrize(("alpha", "ratio"), [(-1.0, 0.5), (0.1, 1.5), (0.1, -0.1), (np.inf, 0.5), (0.1, np.nan)])
def test_penalties_that_are_none(alpha: float, ratio: float) -> None:
    X, y, _ = _data()
    with pytest.raises(FitError, match="A penalty is zero or more"):
        ElasticNet(alpha, l1_ratio=ratio).fit(X, y)


def test_a_path_without_absolute_values_has_no_largest_penalty() -> None:
    X, y, _ = _data()
    with pytest.raises(FitError, match="Give alphas"):
        enet_path(X, y, l1_ratio=0.0)
