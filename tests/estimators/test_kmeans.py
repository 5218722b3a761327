"""k-means against scikit-learn's, and its seeds against the order and the cut of rows."""

import numpy as np
import pyarrow as pa
import pytest
import sklearn.cluster as peer
from sklearn.datasets import make_blobs

from groundswell.engines import ArrowRows, Roles, TableBatches, fold
from groundswell.errors import FitError
from groundswell.estimators import KMeans
from groundswell.estimators._row_sample import RowSample
from groundswell.statistics import Batch


@pytest.fixture
def X():
    return make_blobs(3000, 5, centers=8, random_state=0)[0] + 1e5


def test_the_inertia_is_that_of_scikit_learns_best_of_ten(X):
    """Blobs that lie apart have one optimum; to 1e-9."""
    ours = KMeans(8, random_state=0).fit(X)
    assert ours.inertia_ == pytest.approx(peer.KMeans(8, n_init=10, random_state=0).fit(X).inertia_, rel=1e-9)
    assert ours.inertia_ == pytest.approx(np.square(ours.transform(X)).min(axis=1).sum(), rel=1e-9)
    assert ours.score(X) == pytest.approx(-ours.inertia_, rel=1e-6)


def test_every_form_of_the_data_gives_the_same(X, fits):
    reference = KMeans(8, random_state=3).fit(X).cluster_centers_
    for form, fitted in fits(KMeans(8, random_state=3), X, np.zeros(len(X))):
        np.testing.assert_allclose(fitted.cluster_centers_, reference, rtol=1e-12, err_msg=form)


def test_a_row_of_weight_three_counts_as_three_rows(X):
    weights = np.random.default_rng(0).integers(0, 4, len(X))
    weighted = KMeans(8, random_state=0).fit(X, sample_weight=weights.astype(float))
    repeated = KMeans(8, random_state=0).fit(np.repeat(X, weights, axis=0))
    assert weighted.inertia_ == pytest.approx(repeated.inertia_, rel=1e-9)


def test_a_sample_does_not_depend_on_order_or_cut():
    X = np.random.default_rng(0).normal(size=(5000, 3))
    shuffled = X[np.random.default_rng(1).permutation(len(X))]
    for centers in (None, X[:2]):
        samples = []
        for rows in (X, shuffled):
            table = pa.table({f"x{j}": rows[:, j] for j in range(3)})
            batches = TableBatches(ArrowRows(table), Roles(X=("x0", "x1", "x2")))
            samples.append(fold(batches, RowSample(20, 7, centers)).result())
        np.testing.assert_array_equal(samples[0], samples[1])
        assert len(samples[0]) == 20


def test_lots_are_fair():
    """Of 20,000 rows in two halves, 2,000 are drawn: 1,000 from each, within five standard deviations (110)."""
    X = np.arange(20_000.0)[:, None]
    sample = RowSample(2000, 1)
    sample.update(Batch(X=X))
    assert abs((sample.result() < 10_000).sum() - 1000) < 110


def test_fewer_rows_than_clusters_are_refused():
    with pytest.raises(FitError, match="3 clusters cannot be made of 2 rows"):
        KMeans(3).fit(np.array([[0.0], [1.0]]))


def test_fewer_different_rows_than_clusters_give_centers_that_coincide():
    model = KMeans(3).fit(np.array([[0.0], [1.0], [1.0]]))
    assert sorted(set(model.cluster_centers_.ravel())) == [0.0, 1.0]
    assert model.inertia_ == 0.0


def test_it_ends_when_no_row_changes_its_center():
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.normal(size=(200, 3)) + 100 * place for place in range(4)])
    model = KMeans(4, tol=0.0, max_iter=50, random_state=0).fit(X)
    assert model.n_iter_ < 6
    again = KMeans(4, tol=0.0, max_iter=500, random_state=0).fit(X)
    np.testing.assert_array_equal(model.cluster_centers_, again.cluster_centers_)
