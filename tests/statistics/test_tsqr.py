"""TSQR: least squares where normal equations fail."""

from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st

from groundswell.statistics import TSQR, Batch, CrossProduct, Statistic, aggregate
from groundswell.testing import StatisticConformance, numeric_batches

NUMBERS = [float("nan"), *(i / 8 for i in range(-80, 80))]


class TestTSQR(StatisticConformance):
    def statistic(self) -> Statistic[Any]:
        return TSQR()

    def batches(self) -> st.SearchStrategy[Batch]:
        return numeric_batches(2, target=NUMBERS)

    def view(self, result: Any) -> Any:
        """R is not unique for dependent columns, but the products that it is the root of are."""
        R, z = result.R, result.projection
        total = z.T @ z + np.diag(result.residual)
        return result.weight, result.dropped, result.x_mean, result.y_mean, R.T @ R, R.T @ z, np.diagonal(total)


def ill_conditioned(condition: float, n: int = 400, p: int = 4) -> np.ndarray:
    rng = np.random.default_rng(0)
    u = np.linalg.qr(rng.standard_normal((n, p)))[0]
    v = np.linalg.qr(rng.standard_normal((p, p)))[0]
    return u * np.geomspace(1.0, 1 / condition, p) @ v


@pytest.mark.parametrize("condition", [1e2, 1e6, 1e8])
def test_it_solves_what_normal_equations_cannot(condition: float) -> None:
    X = ill_conditioned(condition)
    truth = np.array([1.0, -2.0, 3.0, 0.5])
    y = X @ truth + 5
    parts = zip(np.array_split(X, 7), np.array_split(y, 7), strict=True)
    total = TSQR()
    for a, b in parts:
        total.merge(aggregate([Batch(X=a, y=b)], TSQR()))
    coefficients, intercept = total.result().solve()
    error = np.abs(coefficients[:, 0] - truth).max()
    assert error < 1e-13 * condition
    assert intercept[0] == pytest.approx(5, rel=1e-12)
    assert total.result().condition == pytest.approx(np.linalg.cond(X - X.mean(axis=0)), rel=20)
    if condition == 1e8:
        equations = aggregate([Batch(X=X, y=y)], CrossProduct()).result()
        assert np.abs(np.linalg.lstsq(equations.xx, equations.xy)[0][:, 0] - truth).max() > 1e3 * error


def test_weights_and_several_targets_against_numpy() -> None:
    rng = np.random.default_rng(0)
    X, y, w = rng.standard_normal((100, 3)) + 1e5, rng.standard_normal((100, 2)) + 1e7, rng.random(100)
    result = aggregate([Batch(X=X, y=y, weights=w)], TSQR()).result()
    x_mean, y_mean = np.average(X, axis=0, weights=w), np.average(y, axis=0, weights=w)
    root = np.sqrt(w)[:, None]
    expected, residual, _, _ = np.linalg.lstsq(root * (X - x_mean), root * (y - y_mean))
    np.testing.assert_allclose(result.solve()[0], expected, rtol=1e-9)
    np.testing.assert_allclose(result.residual, residual, rtol=1e-9)
    np.testing.assert_allclose(result.solve()[1], y_mean - x_mean @ expected, rtol=1e-9)
    assert result.weight == pytest.approx(w.sum(), rel=1e-14)
    assert (np.diagonal(result.R) >= 0).all()


def test_dependent_columns_get_the_solution_of_smallest_norm() -> None:
    x = np.arange(10.0)
    result = aggregate([Batch(X=np.column_stack([x, x]), y=4 * x)], TSQR()).result()
    assert result.condition > 1e15
    np.testing.assert_allclose(result.solve()[0][:, 0], [2.0, 2.0], rtol=1e-12)


def test_fewer_rows_than_columns_and_rows_with_missing_values() -> None:
    X = np.array([[1.0, 2.0, 0.0], [0.0, 1.0, 5.0], [np.nan, 1.0, 1.0]])
    result = aggregate([Batch(X=X, y=np.array([1.0, 2.0, 3.0]))], TSQR()).result()
    coefficients, intercept = result.solve()
    assert result.dropped == 1
    np.testing.assert_allclose(X[:2] @ coefficients[:, 0] + intercept[0], [1.0, 2.0], rtol=1e-12)
