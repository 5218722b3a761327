"""MixtureResponsibilities against scipy and scikit-learn."""

from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st
from scipy.special import logsumexp
from scipy.stats import multivariate_normal
from sklearn.mixture import GaussianMixture

from groundswell.errors import DataError
from groundswell.statistics import Batch, MixtureResponsibilities, Statistic, aggregate
from groundswell.testing import StatisticConformance, numeric_batches


class TestFullMixture(StatisticConformance):
    def statistic(self) -> Statistic[Any]:
        covariances = [[[1.0, 0.2], [0.2, 2.0]], [[0.5, 0.0], [0.0, 1.0]]]
        return MixtureResponsibilities([0.3, 0.7], [[-1.0, 0.0], [1.0, 0.5]], covariances)

    def batches(self) -> st.SearchStrategy[Batch]:
        return numeric_batches(2, far=False)


class TestTiedMixture(TestFullMixture):
    def statistic(self) -> Statistic[Any]:
        return MixtureResponsibilities([0.3, 0.7], [[-1.0, 0.0], [1.0, 0.5]], [[1.0, 0.2], [0.2, 2.0]], "tied")


class TestDiagonalMixture(TestFullMixture):
    def statistic(self) -> Statistic[Any]:
        return MixtureResponsibilities([0.3, 0.7], [[-1.0, 0.0], [1.0, 0.5]], [[1.0, 2.0], [0.5, 1.0]], "diagonal")


class TestSphericalMixture(TestFullMixture):
    def statistic(self) -> Statistic[Any]:
        return MixtureResponsibilities([0.3, 0.7], [[-1.0, 0.0], [1.0, 0.5]], [1.0, 0.5], "spherical")


KINDS = {"full": "full", "tied": "tied", "diagonal": "diag", "spherical": "spherical"}


def parameters(kind: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    weights, means = np.array([0.2, 0.5, 0.3]), np.array([[0.0, 0.0], [3.0, 1.0], [-2.0, 2.0]])
    full = np.array([[[1.0, 0.3], [0.3, 2.0]], [[0.5, -0.1], [-0.1, 0.7]], [[1.0, 0.0], [0.0, 1.0]]])
    return (
        weights,
        means,
        {
            "full": full,
            "tied": full[0],
            "diagonal": np.array([[1.0, 2.0], [0.5, 0.7], [1.0, 1.0]]),
            "spherical": np.array([1.0, 0.5, 2.0]),
        }[kind],
    )


def matrices(kind: str, covariances: np.ndarray) -> list[np.ndarray]:
    return {
        "full": lambda c: list(c),
        "tied": lambda c: [c] * 3,
        "diagonal": lambda c: [np.diag(d) for d in c],
        "spherical": lambda c: [s * np.eye(2) for s in c],
    }[kind](covariances)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_one_step_is_that_of_the_book(kind: str, offset: float) -> None:
    rng = np.random.default_rng(0)
    X, w = rng.standard_normal((500, 2)) * 2, rng.random(500)
    weights, means, covariances = parameters(kind)
    step = MixtureResponsibilities(weights, means + offset, covariances, kind)
    result = aggregate((Batch(X=X[i::3] + offset, weights=w[i::3]) for i in range(3)), step).result()
    expected = of_the_book(X + offset - offset, w, weights, means, covariances, kind)
    assert result.log_likelihood == pytest.approx(expected[0], rel=1e-12)
    np.testing.assert_allclose(result.component_weight, expected[1], rtol=1e-12)
    np.testing.assert_allclose(result.mean - offset, expected[2], rtol=1e-10, atol=1e-9)
    np.testing.assert_allclose(result.covariance, expected[3], rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("apart", [3.0, 10.0, 40.0])
@pytest.mark.parametrize("order", ["mixed", "sorted", "one component"])
def test_rows_left_out_of_components_that_lie_apart_change_no_digit(kind: str, apart: float, order: str) -> None:
    rng = np.random.default_rng(0)
    weights, means, covariances = parameters(kind)
    means = means * apart
    labels = rng.integers(0, 3, 6000)
    if order != "mixed":
        labels = np.sort(labels) if order == "sorted" else np.zeros_like(labels)
    X, w = means[labels] + rng.standard_normal((6000, 2)) * 1.5, rng.random(6000)
    step = MixtureResponsibilities(weights, means, covariances, kind)
    result = aggregate([Batch(X=X[i : i + 1000], weights=w[i : i + 1000]) for i in range(0, 6000, 1000)], step).result()
    expected = of_the_book(X, w, weights, means, covariances, kind)
    assert result.log_likelihood == pytest.approx(expected[0], rel=1e-12)
    np.testing.assert_allclose(result.component_weight, expected[1], rtol=1e-9)  # shares of e⁻⁴⁰⁰ have fewer digits
    seen = expected[1] > 1e-200
    np.testing.assert_allclose(result.mean[seen], expected[2][seen], rtol=1e-9)
    of_seen = seen if kind != "tied" else ...
    np.testing.assert_allclose(result.covariance[of_seen], expected[3][of_seen], rtol=1e-9, atol=1e-11)


def of_the_book(
    X: np.ndarray, w: np.ndarray, weights: np.ndarray, means: np.ndarray, covariances: np.ndarray, kind: str
) -> tuple[float, np.ndarray, np.ndarray, np.ndarray]:
    """Likelihood, weights, means and covariances by Bishop (2006), equations 9.23 to 9.27, with scipy's densities."""
    dense = matrices(kind, covariances)
    logs = np.stack([np.log(weights[k]) + multivariate_normal.logpdf(X, means[k], dense[k]) for k in range(3)], axis=1)
    r = np.exp(logs - logsumexp(logs, axis=1, keepdims=True)) * w[:, None]
    n = r.sum(axis=0)
    share = np.divide(r, n, out=np.zeros_like(r), where=n > 0)
    mean = share.T @ X
    full = np.stack([(share[:, k, None] * (X - mean[k])).T @ (X - mean[k]) for k in range(3)])
    covariance = {
        "full": full,
        "tied": (full * n[:, None, None]).sum(axis=0) / n.sum(),
        "diagonal": np.diagonal(full, axis1=1, axis2=2),
        "spherical": np.trace(full, axis1=1, axis2=2) / 2,
    }[kind]
    return float(w @ logsumexp(logs, axis=1)), n, mean, covariance


@pytest.mark.parametrize("kind", KINDS)
def test_iterating_gives_the_mixture_of_scikit_learn(kind: str) -> None:
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.standard_normal((100, 2)), rng.standard_normal((80, 2)) * 0.5 + 4])
    theirs = GaussianMixture(
        2, covariance_type=KINDS[kind], reg_covar=0.0, max_iter=200, tol=1e-10, random_state=0
    ).fit(X)
    current = (theirs.weights_, theirs.means_, theirs.covariances_)
    result = aggregate([Batch(X=X)], MixtureResponsibilities(*current, kind)).result()
    assert result.log_likelihood / len(X) == pytest.approx(theirs.score(X), rel=1e-12)
    np.testing.assert_allclose(result.mean, theirs.means_, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(result.covariance, theirs.covariances_, rtol=1e-3, atol=1e-4)


def test_densities_that_underflow_do_not_make_components_alike() -> None:
    rng = np.random.default_rng(0)
    means = np.stack([np.full(50, 30.0), np.full(50, -30.0)])
    X = np.concatenate([rng.standard_normal((20, 50)) + 31, rng.standard_normal((30, 50)) - 31])
    covariances = np.full((2, 50), 1e-3)
    assert np.exp(multivariate_normal.logpdf(X, means[0], np.diag(covariances[0]))).max() == 0
    result = aggregate([Batch(X=X)], MixtureResponsibilities([0.5, 0.5], means, covariances, "diagonal")).result()
    np.testing.assert_allclose(result.component_weight, [20.0, 30.0])
    np.testing.assert_allclose(result.mean[0], X[:20].mean(axis=0), rtol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_missing_rows_are_left_out_of_blocks_that_are_taken_in_pieces(kind: str) -> None:
    rng = np.random.default_rng(0)
    X, w = rng.standard_normal((80_000, 2)), rng.random(80_000)
    weights, means, covariances = parameters(kind)
    gaps = rng.integers(0, len(X), 100)
    holed = X.copy()
    holed[gaps, gaps % 2] = np.nan
    complete = np.setdiff1d(np.arange(len(X)), gaps)
    step = MixtureResponsibilities(weights, means, covariances, kind)
    result = aggregate([Batch(X=holed, weights=w)], step).result()
    expected = aggregate([Batch(X=np.asfortranarray(X[complete]), weights=w[complete])], step).result()
    assert result.dropped == pytest.approx(w.sum() - w[complete].sum())
    assert result.log_likelihood == pytest.approx(expected.log_likelihood, rel=1e-12)
    np.testing.assert_allclose(result.mean, expected.mean, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(result.covariance, expected.covariance, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("kind", [">f8", "<f2", "g", "<i8", "?"])
def test_numbers_of_any_type_count(kind: str) -> None:
    X = np.array([[0, 1], [1, 0], [3, 1], [2, 2]]).astype(kind)
    step = MixtureResponsibilities(*parameters("full"))
    found, expected = (aggregate([Batch(X=x)], step).result() for x in (X, X.astype(np.float64)))
    np.testing.assert_array_equal(found.mean, expected.mean)


def test_a_component_without_weight_keeps_its_mean() -> None:
    step = MixtureResponsibilities([1.0, 0.0], [[0.0], [7.0]], [1.0, 1.0], "spherical")
    result = aggregate([Batch(X=np.array([[1.0], [2.0], [np.nan]]))], step).result()
    assert result.component_weight.tolist() == [2.0, 0.0]
    assert result.mean.tolist() == [[1.5], [7.0]]
    assert result.covariance.tolist() == [0.25, 0.0]
    assert result.dropped == 1


def test_bad_parameters_are_refused() -> None:
    with pytest.raises(DataError, match="not positive definite"):
        MixtureResponsibilities([1.0], [[0.0, 0.0]], [[[1.0, 2.0], [2.0, 1.0]]])
    with pytest.raises(DataError, match="not positive definite"):
        MixtureResponsibilities([1.0], [[0.0]], [0.0], "spherical")
    with pytest.raises(DataError, match="do not fit"):
        MixtureResponsibilities([0.5, 0.5], [[0.0]], [1.0, 1.0], "spherical")
