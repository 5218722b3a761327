"""Linear and ridge regression against scikit-learn, by coefficients."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from sklearn import linear_model

from groundswell.errors import FitError
from groundswell.estimators import LinearRegression, Ridge


def _data(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((200, 6))
    return X, X @ rng.standard_normal((6, 2)) + rng.standard_normal((200, 2)), rng.random(200)


def _equal(ours: Any, theirs: Any, tolerance: float) -> None:
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_linear_regression_is_scikit_learns(fit_intercept: bool) -> None:
    X, y, w = _data()
    for target in (y, y[:, 0]):
        ours = LinearRegression(fit_intercept=fit_intercept).fit(X, target, w)
        theirs = linear_model.LinearRegression(fit_intercept=fit_intercept).fit(X, target, w)
        _equal(ours, theirs, 1e-12)
        assert ours.coef_.shape == theirs.coef_.shape


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("alpha", [1e-9, 0.5, 1e4])
def test_ridge_is_scikit_learns(fit_intercept: bool, alpha: float) -> None:
    X, y, w = _data()
    for rows in (200, 4):
        ours = Ridge(alpha, fit_intercept=fit_intercept).fit(X[:rows], y[:rows], w[:rows])
        theirs = linear_model.Ridge(alpha, fit_intercept=fit_intercept, solver="svd").fit(X[:rows], y[:rows], w[:rows])
        _equal(ours, theirs, 1e-6 if alpha == 1e-9 and rows == 4 else 1e-11)


def test_a_penalty_for_each_target() -> None:
    X, y, _ = _data()
    both = Ridge(np.array([0.1, 10.0])).fit(X, y)
    for target, alpha in enumerate((0.1, 10.0)):
        np.testing.assert_allclose(both.coef_[target], Ridge(alpha).fit(X, y[:, target]).coef_, rtol=1e-12)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_dependent_columns_share_as_the_smallest_norm_says(fit_intercept: bool) -> None:
    X, y, _ = _data()
    X = np.column_stack([X, X[:, 0], X[:, 1] + X[:, 2]])
    ours = LinearRegression(fit_intercept=fit_intercept).fit(X, y)
    _equal(ours, linear_model.LinearRegression(fit_intercept=fit_intercept).fit(X, y), 1e-10)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_nearly_dependent_columns_keep_their_digits(fit_intercept: bool) -> None:
    """At a condition of 10⁷ the normal equations have two digits left; the oracle is a QR decomposition of all rows."""
    X, _, _ = _data()
    X = np.column_stack([X, X[:, 0] + 1e-7 * np.random.default_rng(9).standard_normal(200)])
    y = X @ np.arange(1.0, 8.0) + 3.0 * fit_intercept
    model = LinearRegression(fit_intercept=fit_intercept).fit(X, y)
    np.testing.assert_allclose(model.coef_, np.arange(1.0, 8.0), rtol=1e-7)


def test_columns_of_very_different_size_are_all_used() -> None:
    X, _, _ = _data()
    scales = 10.0 ** np.array([-9, -6, -3, 0, 5, 9])
    for offset in (0.0, 1e3):
        model = LinearRegression().fit((X + offset) * scales, X @ np.ones(6))
        np.testing.assert_allclose(model.coef_ * scales, 1.0, rtol=1e-9)


def test_the_houses_of_the_lecture() -> None:
    """Worked example: w = (−70.4346018, 0.0638433756, 103.436047); a house of 4000 with 4 bedrooms costs about 599."""
    table = pa.table(
        {"area": [2104, 1600, 2400, 1416, 3000], "bedrooms": [3, 3, 3, 2, 4], "price": [400, 330, 369, 232, 540]}
    )
    model = LinearRegression().fit(table, "price")
    assert model.intercept_ == pytest.approx(-70.4346018, abs=1e-6)
    np.testing.assert_allclose(model.coef_, [0.0638433756, 103.436047], rtol=1e-8)
    assert model.predict(pa.table({"area": [4000], "bedrooms": [4]}))[0] == pytest.approx(599, abs=0.5)


@pytest.mark.parametrize("alpha", [-1.0, np.array([1.0, 2.0, 3.0]), np.nan])
def test_penalties_that_are_none(alpha: Any) -> None:
    X, y, _ = _data()
    with pytest.raises(FitError, match="A penalty is zero or more"):
        Ridge(alpha).fit(X, y)
