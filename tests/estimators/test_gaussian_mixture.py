"""Gaussian mixtures against scikit-learn's from the same start, and where others collapse."""

import warnings

import numpy as np
import pyarrow as pa
import pytest
import sklearn.mixture as peer
from sklearn.exceptions import ConvergenceWarning

from groundswell.errors import FitError, TypeMismatchError
from groundswell.estimators import GaussianMixture

KINDS = ["full", "tied", "diag", "spherical"]


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    parts = [rng.normal(size=(n, 3)) @ rng.normal(size=(3, 3)) + shift for n, shift in ((200, 0), (150, 3), (100, -4))]
    return rng.permutation(np.concatenate(parts))


CENTERS = np.array([[0.5, 0, 0], [3, 3, 2], [-4, -3, -4.0]])


def start_of(X, kind):
    """Shares, means and precisions from the rows nearest to each center, by NumPy."""
    nearest = ((X[:, None] - CENTERS) ** 2).sum(axis=2).argmin(axis=1)
    groups = [X[nearest == k] for k in range(3)]
    covariances = np.array([np.cov(group.T, ddof=0) for group in groups])
    shares = np.array([len(group) for group in groups]) / len(X)
    variances = np.diagonal(covariances, axis1=1, axis2=2)
    precisions = {
        "full": lambda: np.linalg.inv(covariances + 1e-6 * np.eye(3)),
        "tied": lambda: np.linalg.inv(np.tensordot(shares, covariances, 1) + 1e-6 * np.eye(3)),
        "diag": lambda: 1 / (variances + 1e-6),
        "spherical": lambda: 1 / (variances.mean(axis=1) + 1e-6),
    }
    means = np.array([group.mean(axis=0) for group in groups])
    return {"weights_init": shares, "means_init": means, "precisions_init": precisions[kind]()}


@pytest.mark.parametrize("kind", KINDS)
def test_from_the_same_start_it_goes_the_way_of_scikit_learn(rows, kind):
    ours = GaussianMixture(3, covariance_type=kind, means_init=CENTERS).fit(rows)
    theirs = peer.GaussianMixture(3, covariance_type=kind, **start_of(rows, kind)).fit(rows)
    assert ours.n_iter_ == theirs.n_iter_
    assert ours.converged_
    np.testing.assert_allclose(ours.weights_, theirs.weights_, rtol=1e-8)
    np.testing.assert_allclose(ours.means_, theirs.means_, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(ours.covariances_, theirs.covariances_, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(ours.lower_bound_, theirs.lower_bound_, rtol=1e-10)
    np.testing.assert_allclose(ours.score_samples(rows), theirs.score_samples(rows), rtol=1e-8)
    np.testing.assert_allclose(ours.predict_proba(rows), theirs.predict_proba(rows), rtol=1e-6, atol=1e-12)
    assert (ours.predict(rows) == theirs.predict(rows)).all()
    assert ours.bic(rows) == pytest.approx(theirs.bic(rows))
    assert ours.aic(rows) == pytest.approx(theirs.aic(rows))
    assert ours.score(rows) == pytest.approx(theirs.score(rows))


@pytest.mark.parametrize("kind", KINDS)
def test_every_form_of_the_data_gives_the_same(rows, fits, kind):
    reference = None
    estimator = GaussianMixture(3, covariance_type=kind, random_state=1, max_iter=3, tol=0.0)
    weights = np.arange(len(rows)) % 3.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for form, fitted in fits(estimator, rows, np.zeros(len(rows)), weights):
            reference = reference or fitted
            np.testing.assert_allclose(fitted.means_, reference.means_, rtol=1e-8, atol=1e-10, err_msg=form)
            np.testing.assert_allclose(fitted.covariances_, reference.covariances_, rtol=1e-8, atol=1e-9, err_msg=form)


@pytest.mark.parametrize("kind", KINDS)
def test_components_stay_apart_in_fifty_dimensions_and_far_from_zero(kind):
    rng = np.random.default_rng(0)
    shift = np.repeat([[0.0], [40.0]], [150, 100], axis=0)
    X = rng.normal(size=(250, 50)) + shift + 1e6  # densities there underflow: exp(-20000)
    model = GaussianMixture(2, covariance_type=kind, random_state=0).fit(X)
    order = model.means_[:, 0].argsort()
    np.testing.assert_allclose(model.weights_[order], [0.6, 0.4], rtol=1e-12)
    for k, part in zip(order, (X[:150], X[150:]), strict=True):
        np.testing.assert_allclose(model.means_[k], part.mean(axis=0), rtol=1e-12)
    if kind == "full":
        np.testing.assert_allclose(
            model.covariances_[order[0]], np.cov(X[:150].T, ddof=0) + 1e-6 * np.eye(50), atol=1e-6
        )


def test_several_starts_keep_the_most_likely(rows):
    likelihoods = [GaussianMixture(4, random_state=seed, max_iter=300).fit(rows).lower_bound_ for seed in range(3)]
    best = GaussianMixture(4, random_state=0, n_init=4, max_iter=300).fit(rows)
    assert best.lower_bound_ >= likelihoods[0] - 1e-12


@pytest.mark.parametrize("kind", KINDS)
def test_samples_have_the_moments_of_the_mixture(rows, kind):
    model = GaussianMixture(3, covariance_type=kind, means_init=CENTERS, random_state=0).fit(rows)
    X, labels = model.sample(20_000)
    assert X.shape == (20_000, 3)
    np.testing.assert_allclose(np.bincount(labels) / 20_000, model.weights_, atol=0.02)
    for k in range(3):
        covariance = model.covariances_ if kind == "tied" else model.covariances_[k]
        expected = covariance if covariance.ndim == 2 else np.eye(3) * covariance
        np.testing.assert_allclose(X[labels == k].mean(axis=0), model.means_[k], atol=0.15)
        np.testing.assert_allclose(np.cov(X[labels == k].T), expected, atol=0.6)


def test_one_row_is_a_component_and_constant_columns_do_not_matter(rows):
    one = GaussianMixture().fit(np.array([[3, 4]], np.float32))
    np.testing.assert_allclose(one.means_, [[3, 4]])
    np.testing.assert_allclose(one.covariances_, [1e-6 * np.eye(2)])
    wide = np.column_stack([rows, np.full(len(rows), 5.0)])
    start = np.column_stack([CENTERS, np.full(3, 5.0)])
    model, narrow = (GaussianMixture(3, means_init=c).fit(x) for c, x in ((start, wide), (CENTERS, rows)))
    np.testing.assert_allclose(model.predict_proba(wide), narrow.predict_proba(rows), rtol=1e-6, atol=1e-9)


def test_an_end_before_convergence_is_told(rows):
    with pytest.warns(ConvergenceWarning, match="did not reach"):
        GaussianMixture(3, max_iter=1, random_state=0).fit(rows)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"covariance_type": "round"}, "'full', 'tied', 'diag', 'spherical'"),
        ({"n_components": 0}, "n_components is 0"),
        ({"reg_covar": -1.0}, "reg_covar"),
        ({"means_init": [[1.0]]}, "shape"),
        ({"n_components": 9}, "n_samples=4"),
        ({"reg_covar": 0.0}, "collapsed"),
    ],
)
def test_settings_that_are_none_are_refused(options, match):
    with pytest.raises(FitError, match=match):
        GaussianMixture(**options).fit(np.array([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0], [4.0, 8.0]]))


def test_tables_with_gaps_text_or_no_rows_are_refused():
    table = pa.table({"x": [1.0, None], "word": ["a", "b"]})
    with pytest.raises(FitError, match="missing"):
        GaussianMixture().fit(table.select(["x"]))
    with pytest.raises(TypeMismatchError, match="OneHotEncoder"):
        GaussianMixture().fit(table)
    for start in (None, [[0.0]]):
        with pytest.raises(FitError, match="no rows"):
            GaussianMixture(means_init=start).fit(table.select(["x"]).slice(0, 0))
