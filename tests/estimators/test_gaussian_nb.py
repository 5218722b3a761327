"""Gaussian naive Bayes against scikit-learn's."""

import numpy as np
import pyarrow as pa
import pytest
import sklearn.naive_bayes as peer

from groundswell.errors import FitError
from groundswell.estimators import GaussianNB


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    y = rng.choice(["b", "a", "c"], 500)
    return rng.normal(size=(500, 4)) + np.array([{"a": 0.0, "b": 1.0, "c": 3.0}[label] for label in y])[:, None], y


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("priors", [None, [0.2, 0.3, 0.5]])
def test_moments_and_probabilities_are_those_of_scikit_learn(rows, weighted, priors):
    X, y = rows
    weights = np.random.default_rng(1).integers(0, 4, len(y)).astype(float) if weighted else None
    ours = GaussianNB(priors=priors).fit(X, y, weights)
    theirs = peer.GaussianNB(priors=priors).fit(X, y, weights)
    np.testing.assert_allclose(ours.theta_, theirs.theta_, rtol=1e-10)
    # scikit-learn takes the smoothing from unweighted variances.
    np.testing.assert_allclose(ours.var_ - ours.epsilon_, theirs.var_ - theirs.epsilon_, rtol=1e-8)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), rtol=1e-6, atol=1e-12)
    assert (ours.predict(X) == theirs.predict(X)).all()


def test_every_form_of_the_data_gives_the_same_though_parts_lack_labels(rows, fits):
    X, y = rows
    order = np.argsort(y, kind="stable")
    reference = GaussianNB().fit(X, y)
    for form, fitted in fits(GaussianNB(), X[order], y[order]):
        assert fitted.classes_.tolist() == ["a", "b", "c"], form
        np.testing.assert_allclose(fitted.theta_, reference.theta_, rtol=1e-10, err_msg=form)
        np.testing.assert_allclose(fitted.var_, reference.var_, rtol=1e-10, err_msg=form)


def test_priors_that_do_not_fit_are_refused(rows):
    with pytest.raises(FitError, match="do not fit the 3 classes"):
        GaussianNB(priors=[0.5, 0.5]).fit(*rows)


def test_a_missing_value_in_a_table_is_refused():
    table = pa.table({"x": [1.0, None, 3.0], "y": ["a", "b", "a"]})
    with pytest.raises(FitError, match="missing values"):
        GaussianNB().fit(table, "y")


def test_a_conjugate_prior_gives_the_mode_of_the_posterior(rows):
    from scipy.optimize import minimize

    X, y = rows
    m, kappa, a, b = 0.5, 3.0, 2.0, np.array([1.0, 2.0, 3.0, 4.0])
    model = GaussianNB(conjugate_prior=(m, kappa, a, b), var_smoothing=0.0).fit(X, y)
    x = X[y == "b", 1]

    def minus_log_posterior(point):
        mean, variance = point[0], np.exp(point[1])
        likelihood = -0.5 * len(x) * np.log(variance) - 0.5 * ((x - mean) ** 2).sum() / variance
        normal = -0.5 * np.log(variance) - 0.5 * kappa * (mean - m) ** 2 / variance
        return -(likelihood + normal - (a + 1) * np.log(variance) - b[1] / variance)

    found = minimize(minus_log_posterior, [0.0, 0.0], tol=1e-10).x
    np.testing.assert_allclose([model.theta_[1, 1], np.log(model.var_[1, 1])], found, rtol=1e-5, atol=1e-5)


def test_a_conjugate_prior_that_is_none_is_refused(rows):
    with pytest.raises(FitError, match="conjugate prior"):
        GaussianNB(conjugate_prior=(0.0, -1.0, 1.0, 1.0)).fit(*rows)
