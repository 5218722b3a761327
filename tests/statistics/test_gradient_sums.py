"""GradientSums against derivatives, scikit-learn and standardized data."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st
from scipy import sparse
from scipy.optimize import approx_fprime, minimize

from groundswell.errors import DataError, NotFoundError
from groundswell.statistics import Batch, GradientResult, GradientSums, Softmax, Statistic, aggregate
from groundswell.testing import StatisticConformance, numeric_batches

NUMBERS = [float("nan"), *(i / 8 for i in range(-80, 80))]


class TestSquaredGradient(StatisticConformance):
    def statistic(self) -> Statistic[Any]:
        return GradientSums("squared", [0.5, 1.0, -2.0], hessian=True)

    def batches(self) -> st.SearchStrategy[Batch]:
        return numeric_batches(2, target=NUMBERS, far=False)


class TestLogisticGradient(StatisticConformance):
    def statistic(self) -> Statistic[Any]:
        return GradientSums("logistic", [0.5, 1.0, -2.0], center=[1.0, -1.0], scale=[2.0, 0.5], hessian=True)

    def batches(self) -> st.SearchStrategy[Batch]:
        return numeric_batches(2, target=[0.0, 1.0, float("nan")], far=False)


class TestSoftmaxGradient(StatisticConformance):
    def statistic(self) -> Statistic[Any]:
        return GradientSums("softmax", [[0.5, 0.0, 1.0], [1.0, 0.2, 0.0], [-2.0, 0.3, 1.0]], hessian=True)

    def batches(self) -> st.SearchStrategy[Batch]:
        return numeric_batches(2, target=[0.0, 1.0, 2.0, float("nan")], far=False)


TARGETS: dict[str, Callable[[np.random.Generator], np.ndarray]] = {
    "squared": lambda rng: rng.standard_normal(60),
    "logistic": lambda rng: rng.integers(0, 2, 60).astype(float),
    "squared_hinge": lambda rng: rng.integers(0, 2, 60).astype(float),
    "poisson": lambda rng: rng.poisson(2.0, 60).astype(float),
    "gamma": lambda rng: rng.gamma(2.0, size=60),
    "softmax": lambda rng: rng.integers(0, 3, 60).astype(float),
}


def sums_of(loss: str, theta: np.ndarray, batch: Batch, **settings: Any) -> GradientResult:
    return aggregate([batch], GradientSums(loss, theta, **settings)).result()


@pytest.mark.parametrize("loss", TARGETS)
def test_the_gradient_and_the_hessian_are_derivatives(loss: str) -> None:
    rng = np.random.default_rng(0)
    batch = Batch(X=rng.standard_normal((60, 2)), y=TARGETS[loss](rng), weights=rng.random(60))
    shape = (3, 3) if loss == "softmax" else (3,)
    theta = rng.standard_normal(shape) / 2

    def value(flat: np.ndarray) -> float:
        return sums_of(loss, flat.reshape(shape), batch).loss

    def gradient(flat: np.ndarray) -> np.ndarray:
        return sums_of(loss, flat.reshape(shape), batch).gradient.ravel()

    result = sums_of(loss, theta, batch, hessian=True)
    np.testing.assert_allclose(result.gradient.ravel(), approx_fprime(theta.ravel(), value, 1e-7), rtol=1e-4, atol=1e-4)
    hessian = result.hessian.reshape(theta.size, theta.size)
    np.testing.assert_allclose(hessian, hessian.T, rtol=1e-10, atol=1e-12)
    if loss != "squared_hinge":  # whose second derivative jumps
        numeric = approx_fprime(theta.ravel(), gradient, 1e-7)
        np.testing.assert_allclose(hessian, numeric, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("loss", TARGETS)
def test_center_and_scale_are_those_of_standardized_data(loss: str) -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 2)) * [1.0, 30.0] + [100.0, -4e3]
    y, center, scale = TARGETS[loss](rng), X.mean(axis=0), X.std(axis=0)
    theta = rng.standard_normal((3, 3) if loss == "softmax" else 3)
    ours = sums_of(loss, theta, Batch(X=X, y=y), center=center, scale=scale, hessian=True)
    theirs = sums_of(loss, theta, Batch(X=(X - center) / scale, y=y), hessian=True)
    assert ours.loss == pytest.approx(theirs.loss, rel=1e-12)
    np.testing.assert_allclose(ours.gradient, theirs.gradient, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(ours.hessian, theirs.hessian, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("loss", TARGETS)
@pytest.mark.parametrize("share", [0.3, 0.05])
@pytest.mark.parametrize("hessian", [False, True])
def test_a_sparse_matrix_counts_as_the_dense_one(loss: str, hessian: bool, share: float) -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 4)) * (rng.random((60, 4)) < share)
    y, theta = TARGETS[loss](rng), rng.standard_normal((5, 3) if loss == "softmax" else 5)
    settings = {"center": np.arange(4.0), "scale": np.arange(1.0, 5.0), "hessian": hessian}
    dense = sums_of(loss, theta, Batch(X=X, y=y), **settings)
    thin = sums_of(loss, theta, Batch(X=sparse.csr_array(X), y=y), **settings)
    assert thin.loss == pytest.approx(dense.loss, rel=1e-12)
    np.testing.assert_allclose(thin.gradient, dense.gradient, rtol=1e-10, atol=1e-11)
    if hessian:
        np.testing.assert_allclose(thin.hessian, dense.hessian, rtol=1e-10, atol=1e-11)


def test_rows_with_missing_values_are_left_out_sparse_ones_too() -> None:
    X, y = np.array([[1.0, 0.0], [np.nan, 0.0], [3.0, 1.0]]), np.array([1.0, 0.0, np.nan])
    for matrix in (X, sparse.csr_array(X)):
        result = sums_of("logistic", np.zeros(3), Batch(X=matrix, y=y))
        assert (result.weight, result.dropped) == (1.0, 2.0)
        np.testing.assert_allclose(result.gradient, [-0.5, -0.5, 0.0])


def test_the_softmax_of_the_lecture() -> None:
    """Worked example: the rows of Ŷ for X and W; the gradient is Xᵀ(Ŷ − Y)."""
    X = np.array([[0.1, 0.5], [1.1, 2.3], [-1.1, -2.3], [-1.5, -2.5]])
    W = np.array([[0.01, 0.1, 0.1], [0.1, 0.2, 0.3], [0.1, 0.2, 0.3]])
    printed = [[0.29, 0.34, 0.36], [0.21, 0.33, 0.46], [0.43, 0.33, 0.24], [0.45, 0.33, 0.22]]
    p = Softmax().probabilities(np.column_stack([np.ones(4), X]) @ W)
    np.testing.assert_allclose(p, printed, atol=0.0051)
    y = np.array([0, 1, 2, 2])
    expected = np.column_stack([np.ones(4), X]).T @ (p - np.eye(3)[y])
    np.testing.assert_allclose(sums_of("softmax", W, Batch(X=X, y=y)).gradient, expected, rtol=1e-10)


def test_the_tumors_of_the_lecture() -> None:
    """Worked example: elastic net λ = .3, α = .8 on standardized sizes as Spark has it: w ≈ (−.5065, .004379).

    The optimum is (−.50635, .0043790); Spark stops when its progress is below 1e-6.
    """
    X, y = np.array([[330.0], [120.0], [400.0]]), np.array([1.0, 0.0, 1.0])
    std = X.std(ddof=1)

    def objective(theta: np.ndarray) -> float:
        result = sums_of("logistic", theta, Batch(X=X, y=y), center=[0.0], scale=[std])
        return result.loss / result.weight + 0.3 * (0.8 * abs(theta[1]) + 0.1 * theta[1] ** 2)

    found = minimize(objective, np.zeros(2), method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-14}).x
    assert found[0] == pytest.approx(-0.50635, abs=1e-5)
    assert found[1] / std == pytest.approx(0.004379, abs=1e-6)
    assert 1 / (1 + math.exp(-found[0] - 500 * found[1] / std)) == pytest.approx(0.843, abs=5e-4)


def test_large_predictors_neither_overflow_nor_warn() -> None:
    result = sums_of("logistic", np.array([0.0, 1.0]), Batch(X=np.array([[1e6], [-1e6]]), y=np.array([1.0, 0.0])))
    assert result.loss == 0
    wrong = sums_of("logistic", np.array([0.0, 1.0]), Batch(X=np.array([[1e6], [-1e6]]), y=np.array([0.0, 1.0])))
    assert wrong.loss == 2e6
    assert sums_of("poisson", np.array([1e4, 0.0]), Batch(X=np.zeros((1, 1)), y=np.ones(1))).loss == np.inf


@pytest.mark.parametrize(
    ("loss", "target", "rule"),
    [
        ("logistic", 2.0, "between 0 and 1"),
        ("squared_hinge", -1.0, "0 or 1"),
        ("poisson", -3.0, "zero or more"),
        ("gamma", 0.0, "positive"),
        ("softmax", 3.0, "one of 0 … 1"),
        ("softmax", 0.5, "one of 0 … 1"),
    ],
)
def test_targets_without_a_loss_are_refused(loss: str, target: float, rule: str) -> None:
    theta = np.zeros((2, 2)) if loss == "softmax" else np.zeros(2)
    with pytest.raises(DataError, match=rule) as caught:
        sums_of(loss, theta, Batch(X=np.zeros((2, 1)), y=np.array([target, 1.0])))
    assert caught.value.value == target


def test_bad_settings_are_refused() -> None:
    with pytest.raises(NotFoundError, match="Did you mean 'logistic'"):
        GradientSums("logistik", np.zeros(2))
    with pytest.raises(DataError, match="do not fit the loss"):
        GradientSums("softmax", np.zeros(2))
    with pytest.raises(DataError, match="5 features cannot join rows with 1"):
        sums_of("squared", np.zeros(2), Batch(X=np.zeros((1, 5)), y=np.zeros(1)))
    with pytest.raises(DataError, match="coefficients"):
        GradientSums("squared", np.zeros(2)).merge(GradientSums("squared", np.ones(2)))


@pytest.mark.parametrize("loss", ["squared", "logistic", "squared_hinge", "poisson"])
@pytest.mark.parametrize("hessian", [False, True])
def test_several_functions_are_summed_as_each_would_be_alone(loss: str, hessian: bool) -> None:
    rng = np.random.default_rng(2)
    batch = Batch(X=rng.normal(size=(200, 3)), y=(rng.random((200, 4)) < 0.4) * 1.0, weights=rng.random(200))
    theta = rng.normal(size=(4, 4)) / 3
    together = sums_of(loss, theta, batch, hessian=hessian)
    alone = [sums_of(loss, theta[:, k], batch, hessian=hessian, target=k) for k in range(4)]
    assert together.loss == pytest.approx(sum(one.loss for one in alone), rel=1e-12)
    np.testing.assert_allclose(together.gradient, np.stack([one.gradient for one in alone], axis=1), rtol=1e-10)
    if hessian:
        for k in range(4):
            for j in range(4):
                expected = alone[k].hessian if j == k else np.zeros((4, 4))
                np.testing.assert_allclose(together.hessian[:, k, :, j], expected, rtol=1e-10, atol=1e-12)


def test_functions_and_columns_of_y_must_be_as_many() -> None:
    with pytest.raises(DataError, match="3 targets"):
        sums_of("squared", np.zeros((2, 2)), Batch(X=np.zeros((5, 1)), y=np.zeros((5, 3))))
