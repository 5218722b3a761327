"""Moments against fractions, numpy and scipy."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st
from scipy import sparse, stats

from groundswell.errors import DataError
from groundswell.statistics import Batch, Moments, MomentsResult, Statistic, aggregate
from groundswell.testing import StatisticConformance, numeric_batches


class TestMoments(StatisticConformance):
    def statistic(self) -> Statistic[Any]:
        return Moments(order=4)

    def batches(self) -> st.SearchStrategy[Batch]:
        return numeric_batches(2)


def moments_of(X: np.ndarray, order: int = 2, weights: np.ndarray | None = None) -> MomentsResult:
    moments = Moments(order)
    moments.update(Batch(X=X, weights=weights))
    return moments.result()


def exact_variance(values: np.ndarray) -> float:
    """The population variance by rational arithmetic, rounded once."""
    rational = [Fraction(float(v)) for v in values]
    mean = sum(rational, Fraction()) / len(rational)
    return float(sum(((v - mean) ** 2 for v in rational), Fraction()) / len(rational))


@pytest.mark.parametrize("offset", [0.0, 1e4, -1e6, 1e8])
@pytest.mark.parametrize("n_parts", [1, 6])
def test_far_offsets_cost_no_digits(offset: float, n_parts: int) -> None:
    x = np.random.default_rng(0).standard_normal(600) + offset
    parts = [Batch(X=part.reshape(-1, 1)) for part in np.array_split(x, n_parts)]
    total = Moments()
    for part in parts:
        total.merge(aggregate([part], Moments()))
    assert total.result().variance()[0] == pytest.approx(exact_variance(x), rel=1e-14)


def test_float32_with_mean_over_std_of_ten_thousand() -> None:
    x = (np.random.default_rng(0).standard_normal(5000) + 1e4).astype(np.float32)
    assert moments_of(x[:, None]).variance()[0] == pytest.approx(exact_variance(x), rel=1e-14)
    raw = np.mean(x.astype(np.float64) ** 2) - np.mean(x.astype(np.float64)) ** 2
    assert raw != pytest.approx(exact_variance(x), rel=1e-10), "raw sums would have done"


@pytest.mark.parametrize("weighted", [False, True])
def test_higher_moments_are_those_of_scipy(weighted: bool) -> None:
    X = np.random.default_rng(1).gamma(2.0, size=(400, 3)) + np.array([0.0, 50.0, -1e3])
    w = np.random.default_rng(2).integers(0, 4, 400).astype(np.float64) if weighted else None
    repeated = X if w is None else np.repeat(X, w.astype(int), axis=0)
    result = moments_of(X, 4, w)
    np.testing.assert_allclose(result.mean, repeated.mean(axis=0), rtol=1e-13)
    np.testing.assert_allclose(result.std(ddof=1), repeated.std(axis=0, ddof=1), rtol=1e-12)
    np.testing.assert_allclose(result.skewness, stats.skew(repeated), rtol=1e-10)
    np.testing.assert_allclose(result.kurtosis, stats.kurtosis(repeated), rtol=1e-10)
    np.testing.assert_allclose(result.total, repeated.sum(axis=0), rtol=1e-13)


@pytest.mark.parametrize("value", [0.1, 1e8 + 0.3, -1e-300])
def test_a_constant_column_has_variance_exactly_zero(value: float) -> None:
    total = aggregate((Batch(X=np.full((n, 1), value), weights=np.full(n, 0.7)) for n in (1, 100, 7)), Moments(4))
    assert total.result().variance()[0] == 0
    assert total.result().mean[0] == value
    assert np.isnan(total.result().skewness[0])


def test_missing_values_are_left_out_by_column_and_counted() -> None:
    X = np.array([[1.0, np.nan, np.nan], [3.0, 5.0, np.nan], [np.nan, 9.0, np.nan]])
    result = moments_of(X)
    np.testing.assert_array_equal(result.mean, [2.0, 7.0, np.nan])
    np.testing.assert_array_equal(result.variance(), [1.0, 4.0, np.nan])
    np.testing.assert_array_equal(result.weight, [2, 2, 0])
    np.testing.assert_array_equal(result.missing, [1, 1, 3])
    np.testing.assert_array_equal(result.total, [4.0, 14.0, 0.0])


def test_missing_values_in_the_sample_of_the_pilot_cost_no_digits() -> None:
    x = np.random.default_rng(0).standard_normal(3000) + 1e8
    spoiled = x.copy()
    spoiled[::46] = np.nan  # the rows that the pilot is taken from
    kept = spoiled[~np.isnan(spoiled)]
    assert moments_of(spoiled[:, None]).variance()[0] == pytest.approx(exact_variance(kept), rel=1e-14)


def test_an_infinite_value_spoils_its_own_column_only() -> None:
    result = moments_of(np.array([[1.0, 1.0], [np.inf, 3.0], [-np.inf, 5.0]]), 4)
    assert np.isnan(result.mean[0])
    assert np.isnan(result.variance()[0])
    assert result.mean[1] == 3


def test_one_row_has_a_mean_and_no_unbiased_variance() -> None:
    result = moments_of(np.array([[5.0]]))
    assert (result.mean[0], result.variance()[0]) == (5.0, 0.0)
    assert np.isnan(result.variance(ddof=1)[0])


def test_blocks_of_a_large_batch_merge() -> None:
    X = np.random.default_rng(0).random((70_000, 3), np.float32)
    result = moments_of(X)
    np.testing.assert_allclose(result.mean, X.mean(axis=0, dtype=np.float64), rtol=1e-13)
    np.testing.assert_allclose(result.variance(), X.var(axis=0, dtype=np.float64), rtol=1e-12)


def test_a_sparse_matrix_has_the_moments_of_the_dense_one() -> None:
    """To 1e-10, with weights and missing values; it is not made dense."""
    rng = np.random.default_rng(0)
    X = np.where(rng.random((500, 6)) < 0.2, rng.normal(size=(500, 6)), 0)
    X[3, 2] = np.nan
    weights = rng.integers(0, 3, 500).astype(float)
    dense = moments_of(X, 4, weights)
    for form in (sparse.csr_matrix(X), sparse.csc_array(X)):
        found = moments_of(form, 4, weights)
        for name in ("weight", "missing", "mean", "central"):
            np.testing.assert_allclose(getattr(found, name), getattr(dense, name), rtol=1e-10, atol=1e-10)


def test_expectation_and_variance_of_the_lecture() -> None:
    """Worked example: X in {1, 2, 3} with p = (.3, .5, .2) has mean 1.9 and variance 0.49."""
    result = moments_of(np.array([[1.0], [2.0], [3.0]]), weights=np.array([0.3, 0.5, 0.2]))
    assert result.mean[0] == pytest.approx(1.9)
    assert result.variance()[0] == pytest.approx(0.49)


def test_the_maximum_likelihood_mean_of_the_lecture() -> None:
    """Worked example: seven measurements whose normal likelihood is greatest at their mean, 1008."""
    x = np.array([952, 1064, 965, 1037, 871, 1029, 1138], np.float64)
    assert moments_of(x[:, None]).mean[0] == 1008


def test_a_moment_that_was_not_computed_is_refused() -> None:
    with pytest.raises(DataError, match=r"Use Moments\(order=4\)"):
        _ = moments_of(np.zeros((2, 1)), 3).kurtosis
    with pytest.raises(DataError, match="order 2 cannot take in one with 3"):
        Moments(2).merge(Moments(3))
