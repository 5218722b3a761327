"""Gradient boosting against scikit-learn's, exactly where its trees are exact and by error elsewhere."""

import numpy as np
import pytest
import sklearn.ensemble as peer
from sklearn.metrics import log_loss, roc_auc_score

from groundswell.errors import FitError
from groundswell.estimators import GradientBoostingClassifier, GradientBoostingRegressor
from groundswell.estimators._boosting import weighted_quantile


@pytest.fixture
def waves():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(3000, 8))
    X[:, 5], X[:, 6] = np.exp(2 * X[:, 5]), rng.integers(0, 3, 3000)
    return X, np.sin(2 * X[:, 0]) + X[:, 1] * (X[:, 6] == 1) + 0.3 * rng.normal(size=3000)


@pytest.fixture
def noisy_line():
    rng = np.random.default_rng(1)
    X = np.arange(200.0)[:, None]
    return X, np.sin(X[:, 0] / 20) + 0.3 * rng.standard_t(2, 200)


def test_one_feature_of_few_values_gives_the_predictions_of_scikit_learn(noisy_line):
    """A bin for each value and a single feature: the same splits, leaves and steps, to 1e-9."""
    X, y = noisy_line
    ours = GradientBoostingRegressor(n_estimators=6, learning_rate=0.3, max_depth=2).fit(X, y)
    theirs = peer.GradientBoostingRegressor(n_estimators=6, learning_rate=0.3, max_depth=2, random_state=0).fit(X, y)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=0, atol=1e-9)


@pytest.mark.parametrize("loss", ["absolute_error", "huber"])
def test_robust_losses_learn_as_well_as_those_of_scikit_learn(noisy_line, loss):
    """The mean absolute error of the fit within 1 %: medians between two rows and the slope at zero are conventions."""
    X, y = noisy_line
    ours = GradientBoostingRegressor(loss=loss, n_estimators=20, learning_rate=0.3, max_depth=2).fit(X, y)
    theirs = peer.GradientBoostingRegressor(
        loss=loss, n_estimators=20, learning_rate=0.3, max_depth=2, random_state=0
    ).fit(X, y)
    assert np.abs(ours.predict(X) - y).mean() < 1.01 * np.abs(theirs.predict(X) - y).mean()


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber"])
def test_errors_are_those_of_scikit_learn(waves, loss):
    """Within 3 % of the mean absolute error on rows that were not learned, some targets being far off."""
    X, y = waves[0], waves[1].copy()
    y[:2000:40] += 20.0
    ours = GradientBoostingRegressor(loss=loss, n_estimators=30).fit(X[:2000], y[:2000])
    theirs = peer.GradientBoostingRegressor(loss=loss, n_estimators=30, random_state=0).fit(X[:2000], y[:2000])
    error, exact = (np.abs(m.predict(X[2000:]) - y[2000:]).mean() for m in (ours, theirs))
    assert error < 1.03 * exact


def test_two_classes_are_told_apart_as_by_scikit_learn(waves):
    """The area under the curve within 0.005 and the log loss within 2 %, on rows that were not learned."""
    X, y = waves[0], waves[1] > 0.2
    ours = GradientBoostingClassifier(n_estimators=40).fit(X[:2000], y[:2000])
    theirs = peer.HistGradientBoostingClassifier(
        max_iter=40, max_depth=3, min_samples_leaf=1, early_stopping=False, max_leaf_nodes=None
    ).fit(X[:2000], y[:2000])
    p, exact = ours.predict_proba(X[2000:]), theirs.predict_proba(X[2000:])
    assert roc_auc_score(y[2000:], p[:, 1]) > roc_auc_score(y[2000:], exact[:, 1]) - 0.005
    assert log_loss(y[2000:], p) < 1.02 * log_loss(y[2000:], exact)


def test_three_classes_are_told_apart_as_by_scikit_learn(waves):
    """The log loss within 2 % on rows that were not learned."""
    X, y = waves[0], np.digitize(waves[1], [-0.5, 0.5])
    ours = GradientBoostingClassifier(n_estimators=20).fit(X[:2000], y[:2000])
    theirs = peer.HistGradientBoostingClassifier(
        max_iter=20, max_depth=3, min_samples_leaf=1, early_stopping=False, max_leaf_nodes=None
    ).fit(X[:2000], y[:2000])
    assert log_loss(y[2000:], ours.predict_proba(X[2000:])) < 1.02 * log_loss(y[2000:], theirs.predict_proba(X[2000:]))
    assert ours.decision_function(X).shape == (3000, 3)


@pytest.mark.parametrize("loss", ["squared_error", "huber"])
def test_every_form_of_the_data_gives_the_same(waves, fits, loss):
    X, y = waves[0][:300].copy(), waves[1][:300]
    X[::7, 2] = np.nan
    model = GradientBoostingRegressor(loss=loss, n_estimators=4, subsample=0.7, random_state=0).fit(X, y)
    for form, fitted in fits(model, X, y):
        np.testing.assert_array_equal(fitted.trees_["feature"], model.trees_["feature"], err_msg=form)
        np.testing.assert_allclose(fitted.values_, model.values_, rtol=1e-9, atol=1e-12, err_msg=form)


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber"])
def test_a_row_of_weight_three_counts_as_three_rows(waves, loss):
    X, y = waves[0][:400], waves[1][:400]
    weights = np.random.default_rng(4).integers(0, 4, 400)
    model = GradientBoostingRegressor(loss=loss, n_estimators=5, subsample=0.8, random_state=0)
    weighted = model.fit(X, y, weights.astype(float)).predict(X)
    np.testing.assert_allclose(model.fit(np.repeat(X, weights, axis=0), np.repeat(y, weights)).predict(X), weighted)


def test_categories_and_missing_values_are_learned():
    rng = np.random.default_rng(5)
    X = np.column_stack([rng.integers(0, 12, 600), rng.normal(size=600)])
    X[::5, 1] = np.nan
    y = np.isin(X[:, 0], [1, 4, 7, 8]) * 3.0 + np.isnan(X[:, 1])
    model = GradientBoostingRegressor(n_estimators=60, learning_rate=0.3, categorical_features=[0]).fit(X, y)
    np.testing.assert_allclose(model.predict(X), y, atol=1e-6)
    assert model.feature_importances_.sum() == pytest.approx(1.0)


def test_a_constant_target_is_predicted():
    X = np.arange(5.0)[:, None]
    for loss in ("squared_error", "absolute_error", "huber"):
        assert (GradientBoostingRegressor(loss=loss, n_estimators=3).fit(X, np.full(5, 7.0)).predict(X) == 7.0).all()


def test_quantiles_of_weighted_values_are_those_of_repeated_ones():
    rng = np.random.default_rng(6)
    values, weights = rng.normal(size=50), rng.integers(0, 4, 50)
    for level in (0.1, 0.5, 0.9):
        expected = np.quantile(np.repeat(values, weights), level, method="averaged_inverted_cdf")
        assert weighted_quantile(values, weights.astype(float), level) == pytest.approx(expected)


def test_one_class_is_refused_and_named():
    with pytest.raises(FitError, match="All labels are 'yes'"):
        GradientBoostingClassifier().fit(np.arange(3.0)[:, None], np.array(["yes"] * 3))


@pytest.mark.parametrize("wrong", [{"subsample": 0.0}, {"subsample": 1.5}, {"learning_rate": 0.0}])
def test_shares_that_cannot_be_are_refused(waves, wrong):
    with pytest.raises(FitError, match="subsample is"):
        GradientBoostingRegressor(**wrong).fit(*waves)


def test_an_unknown_loss_is_refused(waves):
    with pytest.raises(FitError, match="Did you mean 'squared_error'"):
        GradientBoostingRegressor(loss="squared").fit(*waves)
