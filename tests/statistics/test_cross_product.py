"""CrossProduct: the normal equations."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import strategies as st

from groundswell.errors import DataError, TypeMismatchError
from groundswell.statistics import Batch, CrossProduct, CrossProductResult, Statistic, aggregate
from groundswell.testing import StatisticConformance, numeric_batches

NUMBERS = [float("nan"), *(i / 8 for i in range(-80, 80))]


class TestCrossProduct(StatisticConformance):
    def statistic(self) -> Statistic[Any]:
        return CrossProduct()

    def batches(self) -> st.SearchStrategy[Batch]:
        return numeric_batches(2, target=NUMBERS)


HOUSES = np.array([[2104.0, 3.0], [1600.0, 3.0], [2400.0, 3.0], [1416.0, 2.0], [3000.0, 4.0]])
PRICES = np.array([400.0, 330.0, 369.0, 232.0, 540.0])


def solve(result: CrossProductResult) -> np.ndarray:
    slope = np.linalg.solve(result.xx, result.xy)[:, 0]
    return np.append(result.y_mean - result.x_mean @ slope, slope)


@pytest.mark.parametrize("n_parts", [1, 2, 5])
def test_the_houses_of_the_lecture(n_parts: int) -> None:
    """Worked example: XᵀX, Xᵀy and the normal equation's w = (−70.4346018, 0.0638433756, 103.436047)."""
    parts = zip(np.array_split(HOUSES, n_parts), np.array_split(PRICES, n_parts), strict=True)
    result = aggregate((Batch(X=X, y=y) for X, y in parts), CrossProduct()).result()
    xx, xy = result.raw()
    np.testing.assert_allclose(xx, [[5, 10520, 15], [10520, 23751872, 33144], [15, 33144, 47]], rtol=1e-14)
    np.testing.assert_allclose(xy[:, 0], [1871, 4203712, 5921], rtol=1e-14)
    np.testing.assert_allclose(solve(result), [-70.4346018, 0.0638433756, 103.436047], rtol=1e-8)
    assert solve(result) @ [1, 4000, 4] == pytest.approx(599, abs=0.5)


def test_several_targets_and_weights_against_numpy() -> None:
    rng = np.random.default_rng(0)
    X, y, w = rng.standard_normal((200, 3)) + 7, rng.standard_normal((200, 2)) - 1e4, rng.random(200)
    result = aggregate([Batch(X=X, y=y, weights=w)], CrossProduct()).result()
    x_mean, y_mean = np.average(X, axis=0, weights=w), np.average(y, axis=0, weights=w)
    np.testing.assert_allclose(result.x_mean, x_mean, rtol=1e-14)
    np.testing.assert_allclose(result.xy, (X - x_mean).T * w @ (y - y_mean), rtol=1e-8, atol=1e-11)
    np.testing.assert_allclose(result.yy, (y - y_mean).T * w @ (y - y_mean), rtol=1e-8, atol=1e-11)


def test_cross_validation_by_merging_the_other_folds() -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((90, 2)) + 1e6
    y = X @ [1.0, -2.0] + rng.standard_normal(90)
    folds = [aggregate([Batch(X=X[i::3], y=y[i::3])], CrossProduct()) for i in range(3)]
    rest = folds[0].zero()
    rest.merge(folds[1])
    rest.merge(folds[2])
    kept = np.arange(90) % 3 != 0
    design = np.column_stack([np.ones(60), X[kept] - 1e6])
    np.testing.assert_allclose(solve(rest.result())[1:], np.linalg.lstsq(design, y[kept])[0][1:], rtol=1e-9)


def test_rows_with_a_missing_feature_or_target_are_left_out() -> None:
    X = np.array([[1.0], [np.nan], [3.0], [5.0]])
    y = pa.array([2.0, 1.0, None, 6.0])
    result = aggregate([Batch(X=X, y=y)], CrossProduct()).result()
    assert (result.weight, result.dropped) == (2.0, 2.0)
    assert result.xy[0, 0] == pytest.approx(8.0)


def test_bad_targets_are_refused() -> None:
    with pytest.raises(DataError, match="no target y"):
        CrossProduct().update(Batch(X=np.zeros((1, 1))))
    with pytest.raises(TypeMismatchError, match="'y' has the type string"):
        CrossProduct().update(Batch(X=np.zeros((1, 1)), y=pa.array(["a"])))
    equations = aggregate([Batch(X=np.zeros((1, 2)), y=np.zeros((1, 1)))], CrossProduct())
    with pytest.raises(DataError, match="1 features cannot join rows with 2"):
        equations.update(Batch(X=np.zeros((1, 1)), y=np.zeros((1, 2))))
