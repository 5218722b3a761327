"""Gram against numpy and rational arithmetic."""

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st
from scipy import sparse

from groundswell.errors import DataError
from groundswell.statistics import Batch, Gram, GramResult, Statistic, aggregate
from groundswell.testing import StatisticConformance, numeric_batches


class TestGram(StatisticConformance):
    def statistic(self) -> Statistic[Any]:
        return Gram()

    def batches(self) -> st.SearchStrategy[Batch]:
        return numeric_batches(3)


def gram_of(X: Any, weights: np.ndarray | None = None) -> GramResult:
    gram = Gram()
    gram.update(Batch(X=X, weights=weights))
    return gram.result()


def test_covariance_and_correlation_are_those_of_numpy() -> None:
    X = np.random.default_rng(0).standard_normal((500, 4)) @ np.random.default_rng(1).standard_normal((4, 4))
    w = np.random.default_rng(2).integers(1, 5, 500)
    result = gram_of(X, w.astype(np.float64))
    np.testing.assert_allclose(result.covariance(), np.cov(X, rowvar=False, fweights=w), rtol=1e-11)
    np.testing.assert_allclose(gram_of(X).correlation(), np.corrcoef(X, rowvar=False), rtol=1e-11)
    np.testing.assert_array_equal(result.scatter, result.scatter.T)


@pytest.mark.parametrize("offset", [1e4, 1e8])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_far_offsets_cost_no_digits(offset: float, dtype: type) -> None:
    X = (np.random.default_rng(0).standard_normal((300, 2)) * 50 + offset).astype(dtype)
    a, b = ([Fraction(float(v)) for v in column] for column in X.T)
    mean_a, mean_b = sum(a, Fraction()) / 300, sum(b, Fraction()) / 300
    exact = float(sum((p - mean_a) * (q - mean_b) for p, q in zip(a, b, strict=True)))
    total = Gram()
    for part in np.array_split(X, 5):
        total.merge(aggregate([Batch(X=part)], Gram()))
    scale = math.sqrt(np.prod(np.diagonal(total.result().scatter)))
    assert total.result().scatter[0, 1] == pytest.approx(exact, abs=1e-14 * scale)


def test_constant_columns_give_zeros_and_no_correlation() -> None:
    X = np.column_stack([np.full(9, 0.1), np.arange(9.0)])
    result = gram_of(X)
    np.testing.assert_array_equal(result.scatter, [[0.0, 0.0], [0.0, 60.0]])
    np.testing.assert_array_equal(result.correlation(), [[np.nan, np.nan], [np.nan, 1.0]])


def test_rows_with_missing_values_are_left_out_and_counted() -> None:
    X = np.array([[1.0, 2.0], [np.nan, 5.0], [3.0, 8.0], [4.0, np.nan]])
    result = gram_of(X, np.array([1.0, 2.0, 1.0, 4.0]))
    assert (result.weight, result.dropped) == (2.0, 6.0)
    np.testing.assert_array_equal(result.mean, [2.0, 5.0])
    nothing = gram_of(np.full((3, 2), np.nan))
    assert (nothing.weight, nothing.dropped) == (0.0, 3.0)
    np.testing.assert_array_equal(nothing.mean, [np.nan, np.nan])
    assert np.isnan(nothing.covariance()).all()


def test_an_infinite_value_spoils_its_own_entries_only() -> None:
    result = gram_of(np.array([[1.0, np.inf], [2.0, 0.0], [6.0, 0.0]]))
    assert result.dropped == 0
    assert result.scatter[0, 0] == pytest.approx(14)
    assert np.isnan(result.scatter[0, 1])


def test_more_columns_than_rows() -> None:
    X = np.random.default_rng(0).standard_normal((3, 8))
    np.testing.assert_allclose(gram_of(X).covariance(), np.cov(X, rowvar=False), rtol=1e-10, atol=1e-14)


def test_a_sparse_matrix_counts_as_the_dense_one() -> None:
    X = np.array([[1.0, 0.0, 3.0], [0.0, 0.0, 5.0], [0.0, 2.0, 0.0]])
    np.testing.assert_allclose(gram_of(sparse.csr_array(X)).raw(), gram_of(X).raw(), rtol=1e-14)


def test_the_sparse_vector_of_the_lecture() -> None:
    """Worked example: the sparse vector (3, [0, 2], [1, 3]) is (1, 0, 3)."""
    X = sparse.csr_array(([1.0, 3.0], ([0, 0], [0, 2])), shape=(1, 3))
    np.testing.assert_array_equal(gram_of(X).mean, [1.0, 0.0, 3.0])


def test_the_covariance_of_the_lecture() -> None:
    """Worked example: p(1,1) = p(1,2) = p(2,2) = p(2,3) = 1/4 has E[X] = 3/2, E[Y] = 2, Cov = 1/4."""
    result = gram_of(np.array([[1.0, 1.0], [1.0, 2.0], [2.0, 2.0], [2.0, 3.0]]), np.full(4, 0.25))
    np.testing.assert_array_equal(result.mean, [1.5, 2.0])
    assert result.covariance(ddof=0)[0, 1] == 0.25


def test_another_number_of_columns_is_refused_by_merge() -> None:
    gram = aggregate([Batch(X=np.zeros((2, 2)))], Gram())
    with pytest.raises(DataError, match="Rows with 3 columns cannot join rows with 2"):
        gram.merge(aggregate([Batch(X=np.zeros((2, 3)))], Gram()))
