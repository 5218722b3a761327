"""ClusterSums against distances computed one by one."""

from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.spatial.distance import cdist
from sklearn.cluster import KMeans

from groundswell.errors import DataError
from groundswell.statistics import Batch, ClusterSums, Statistic, aggregate
from groundswell.testing import StatisticConformance, numeric_batches


class TestClusterSums(StatisticConformance):
    def statistic(self) -> Statistic[Any]:
        return ClusterSums([[-1.1, 0.3], [1.2, 0.45], [30.0, 30.0]])

    def batches(self) -> st.SearchStrategy[Batch]:
        return numeric_batches(2, far=False)


def test_assignments_and_inertia_are_those_of_plain_distances() -> None:
    rng = np.random.default_rng(0)
    X, centers, w = rng.standard_normal((5000, 3)), rng.standard_normal((4, 3)), rng.random(5000)
    distances = cdist(X, centers, "sqeuclidean")
    labels = distances.argmin(axis=1)
    result = aggregate([Batch(X=X, weights=w)], ClusterSums(centers)).result()
    assert result.inertia == pytest.approx(w @ distances.min(axis=1), rel=1e-12)
    for k in range(4):
        assert result.weight[k] == pytest.approx(w[labels == k].sum())
        np.testing.assert_allclose(
            result.mean[k], np.average(X[labels == k], axis=0, weights=w[labels == k]), rtol=1e-10
        )


@pytest.mark.parametrize("offset", [0.0, 1e8])
def test_tight_clusters_far_apart_lose_no_digits(offset: float) -> None:
    centers = np.array([[0.0], [2.0**27]]) + offset
    noise = np.array([1.0, -2.0, 3.0, 0.5]) / 64
    X = np.concatenate([centers[0] + noise, centers[1] + noise])[:, None]
    result = aggregate([Batch(X=X)], ClusterSums(centers)).result()
    assert result.inertia == pytest.approx(2 * np.sum(noise**2), rel=1e-6 if offset else 1e-12)
    np.testing.assert_array_equal(result.weight, [4, 4])


def test_equally_near_rows_go_to_the_first_center_however_they_are_cut() -> None:
    """Rows halfway between two of four centers, beside far ones that would move a pilot."""
    rng = np.random.default_rng(0)
    centers = np.array([[0.1, 0.0], [0.7, 0.0], [0.1, 0.6], [0.7, 0.6]]) + 1 / 3
    between = np.column_stack([np.full(300, (centers[0, 0] + centers[1, 0]) / 2), rng.uniform(0.2, 1.0, 300)])
    X = rng.permutation(np.concatenate([between, rng.normal(scale=1e3, size=(300, 2))]))
    whole = aggregate([Batch(X=X)], ClusterSums(centers)).result()
    expected = np.bincount(cdist(X, centers, "sqeuclidean").argmin(axis=1), minlength=4)
    np.testing.assert_array_equal(whole.weight, expected)
    for cut in (1, 7, 64):
        parts = (Batch(X=X[start : start + cut]) for start in range(0, len(X), cut))
        result = aggregate(parts, ClusterSums(centers)).result()
        np.testing.assert_array_equal(result.weight, whole.weight)
        np.testing.assert_allclose(result.mean, whole.mean, rtol=1e-12)


def test_rows_are_summed_alike_in_every_layout_and_weighed_by_strided_weights() -> None:
    rng = np.random.default_rng(3)
    X, centers, w = rng.standard_normal((3000, 6)), rng.standard_normal((3, 6)), rng.integers(0, 3, (3000, 2)) / 2
    expected = aggregate([Batch(X=X, weights=w[:, 0].copy())], ClusterSums(centers)).result()
    for same in (np.asfortranarray(X), X[:, :], csr_array(X)):
        result = aggregate([Batch(X=same, weights=w[:, 0])], ClusterSums(centers)).result()
        np.testing.assert_allclose(result.weight, expected.weight, rtol=1e-13)
        np.testing.assert_allclose(result.mean, expected.mean, rtol=1e-12)
        assert result.inertia == pytest.approx(expected.inertia, rel=1e-12)


def test_iterating_gives_the_clusters_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.standard_normal((60, 2)) + shift for shift in ([0, 0], [6, 0], [0, 6])])
    start = X[[0, 60, 120]]
    theirs = KMeans(3, init=start, n_init=1, tol=0.0, algorithm="lloyd").fit(X)
    centers = start
    for _ in range(theirs.n_iter_):
        centers = aggregate((Batch(X=X[i::2]) for i in range(2)), ClusterSums(centers)).result().mean
    np.testing.assert_allclose(centers, theirs.cluster_centers_, rtol=1e-10)
    assert aggregate([Batch(X=X)], ClusterSums(centers)).result().inertia == pytest.approx(theirs.inertia_, rel=1e-10)


def test_an_empty_cluster_keeps_its_center_and_missing_rows_are_left_out() -> None:
    result = aggregate([Batch(X=np.array([[1.0], [np.nan]]))], ClusterSums([[0.0], [9.0]])).result()
    assert result.mean.tolist() == [[1.0], [9.0]]
    assert (result.weight.tolist(), result.dropped) == ([1.0, 0.0], 1.0)


def test_bad_centers_are_refused() -> None:
    with pytest.raises(DataError, match="are none"):
        ClusterSums([])
    with pytest.raises(DataError, match="1 columns cannot join rows with 2"):
        ClusterSums([[0.0, 0.0]]).update(Batch(X=np.zeros((1, 1))))
