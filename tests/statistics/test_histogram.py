"""Histogram against numpy."""

from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st

from groundswell.errors import DataError
from groundswell.statistics import Batch, Histogram, Statistic, aggregate
from groundswell.testing import StatisticConformance, numeric_batches


class TestHistogram(StatisticConformance):
    tolerance = 0.0

    def statistic(self) -> Statistic[Any]:
        return Histogram([-100.0, -1.0, 0.0, 0.5, 100.0])

    def batches(self) -> st.SearchStrategy[Batch]:
        return numeric_batches(2)


def test_bins_are_those_of_numpy() -> None:
    X = np.random.default_rng(0).normal(size=(5000, 2)).round(1)
    edges = np.linspace(-2.0, 2.0, 9)
    w = np.random.default_rng(1).random(5000)
    result = aggregate([Batch(X=X, weights=w)], Histogram(edges)).result()
    for j in range(2):
        expected, _ = np.histogram(X[:, j], edges, weights=w)
        np.testing.assert_allclose(result.counts[j], expected, rtol=1e-12)
        assert result.below[j] == pytest.approx(w[X[:, j] < -2].sum())
        assert result.above[j] == pytest.approx(w[X[:, j] > 2].sum())
        density, _ = np.histogram(X[:, j], edges, weights=w, density=True)
        np.testing.assert_allclose(result.density()[j], density, rtol=1e-12)


def test_values_beyond_the_edges_and_missing_ones_are_counted_apart() -> None:
    result = aggregate([Batch(X=np.array([[-np.inf], [np.inf], [np.nan], [1.0]]))], Histogram([0.0, 1.0])).result()
    assert [result.below[0], result.above[0], result.missing[0], result.counts[0, 0]] == [1, 1, 1, 1]


@pytest.mark.parametrize("low", [0.0, -1e9, 0.1])
@pytest.mark.parametrize("step", [0.1, 1.0, 1e-3])
def test_bins_of_equal_width_are_exact_at_their_edges(low: float, step: float) -> None:
    edges = low + step * np.arange(41)
    near = np.concatenate([edges, np.nextafter(edges, -np.inf), np.nextafter(edges, np.inf), [np.nan, -np.inf, np.inf]])
    for values in (near, near.astype(np.float32)):
        result = aggregate([Batch(X=values[:, None])], Histogram(edges)).result()
        finite = values[np.isfinite(values)].astype(np.float64)
        np.testing.assert_array_equal(result.counts[0], np.histogram(finite, edges)[0])
        assert result.below[0] == (finite < edges[0]).sum() + 1
        assert result.above[0] == (finite > edges[-1]).sum() + 1
        assert result.missing[0] == 1


@pytest.mark.parametrize("edges", [[], [1.0], [1.0, 1.0], [2.0, 1.0], [0.0, np.nan]])
def test_edges_that_do_not_increase_are_refused(edges: list[float]) -> None:
    with pytest.raises(DataError, match="cannot be the edges"):
        Histogram(edges)


def test_other_edges_are_refused_by_merge() -> None:
    with pytest.raises(DataError, match="edges"):
        Histogram([0.0, 1.0]).merge(Histogram([0.0, 2.0]))
