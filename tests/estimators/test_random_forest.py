"""Random forests against scikit-learn's, and their draws against how rows are cut."""

import numpy as np
import pyarrow as pa
import pytest
import sklearn.ensemble as peer
from sklearn.metrics import roc_auc_score

from groundswell.engines import StreamRows
from groundswell.errors import FitError
from groundswell.estimators import DecisionTreeClassifier, RandomForestClassifier, RandomForestRegressor
from groundswell.estimators._random_forest import Bootstrap
from groundswell.statistics import Batch


@pytest.fixture
def waves():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(4000, 8))
    X[:, 5], X[:, 6] = np.exp(2 * X[:, 5]), rng.integers(0, 3, 4000)
    return X, np.sin(2 * X[:, 0]) + X[:, 1] * (X[:, 6] == 1) + 0.3 * rng.normal(size=4000)


def test_areas_under_the_curve_are_those_of_scikit_learn(waves):
    """Within 0.01 on rows that were not learned."""
    X, y = waves[0], waves[1] > 0.2
    ours = RandomForestClassifier(40, max_depth=8, random_state=0).fit(X[:3000], y[:3000])
    theirs = peer.RandomForestClassifier(40, max_depth=8, random_state=0).fit(X[:3000], y[:3000])
    area, exact = (roc_auc_score(y[3000:], m.predict_proba(X[3000:])[:, 1]) for m in (ours, theirs))
    assert area > exact - 0.01


def test_errors_are_those_of_scikit_learn(waves):
    """Within 3 % of the root mean squared error on rows that were not learned."""
    X, y = waves
    ours = RandomForestRegressor(30, max_depth=8, random_state=0).fit(X[:3000], y[:3000])
    theirs = peer.RandomForestRegressor(30, max_depth=8, random_state=0).fit(X[:3000], y[:3000])
    error, exact = (np.sqrt(np.mean((m.predict(X[3000:]) - y[3000:]) ** 2)) for m in (ours, theirs))
    assert error < 1.03 * exact


def test_without_samples_of_rows_and_features_every_tree_is_the_one(waves):
    X, y = waves[0][:500], waves[1][:500] > 0
    forest = RandomForestClassifier(3, max_depth=4, max_features=None, bootstrap=False).fit(X, y)
    tree = DecisionTreeClassifier(max_depth=4).fit(X, y)
    np.testing.assert_allclose(forest.predict_proba(X), tree.predict_proba(X), rtol=1e-12)


def test_every_form_of_the_data_gives_the_same_forest(waves, fits):
    X, y = waves[0][:300].copy(), np.round(waves[1][:300] * 1000)
    X[::7, 2] = np.nan
    model = RandomForestRegressor(4, max_depth=4, max_features=3, random_state=1).fit(X, y)
    for form, fitted in fits(model, X, y):
        np.testing.assert_array_equal(fitted.trees_["feature"], model.trees_["feature"], err_msg=form)
        np.testing.assert_allclose(fitted.values_, model.values_, err_msg=form)


@pytest.mark.parametrize("features", ["sqrt", None])
def test_neither_parts_nor_memory_change_the_forest(waves, monkeypatch, features):
    """Rows joined to one part or not, kept or binned anew, sent from the root or from where they were."""
    X, y = waves[0].astype(np.float32), waves[1] > 0.2
    table = pa.table({f"x{j}": X[:, j] for j in range(8)} | {"y": y})
    parts = StreamRows(table.schema, lambda: pa.RecordBatchReader.from_batches(table.schema, table.to_batches(500)))
    settings = {"max_depth": 6, "max_features": features, "random_state": 3}
    reference = RandomForestClassifier(6, **settings).fit(table, "y")
    monkeypatch.setattr("groundswell.estimators._binned_batches.GROUP_ROWS", 1000)
    for place in ("_tree_model.CACHE_BYTES", "_whereabouts.MEMORY_BYTES"):
        monkeypatch.setattr(f"groundswell.estimators.{place}", 50_000)
        found = RandomForestClassifier(6, **settings).fit(parts, "y")
        for name, expected in reference.trees_.items():
            np.testing.assert_array_equal(found.trees_[name], expected)
        np.testing.assert_array_equal(found.values_, reference.values_)


def test_a_row_of_weight_three_counts_as_three_rows(waves):
    X, y = waves[0][:500], np.round(waves[1][:500] * 100)
    weights = np.random.default_rng(4).integers(0, 4, 500)
    model = RandomForestRegressor(4, max_depth=4, random_state=2)
    weighted = model.fit(X, y, weights.astype(float)).predict(X)
    np.testing.assert_allclose(model.fit(np.repeat(X, weights, axis=0), np.repeat(y, weights)).predict(X), weighted)


def test_draws_are_poisson_and_differ_between_trees():
    """Of 50,000 rows: mean and variance are 1, e⁻¹ are left out, each within five standard deviations."""
    hashes = np.random.default_rng(5).integers(0, 2**64, 50_000, np.uint64)
    batch, draws = Batch(columns={"hash": hashes}), Bootstrap(7)
    one, other = draws(batch, 0), draws(batch, 1)
    assert abs(one.mean() - 1) < 5 / np.sqrt(50_000)
    assert abs(one.var() - 1) < 5 * np.sqrt(3 / 50_000)
    assert abs((one == 0).mean() - np.exp(-1)) < 5 * 0.5 / np.sqrt(50_000)
    assert abs(np.corrcoef(one, other)[0, 1]) < 5 / np.sqrt(50_000)


def test_the_state_decides_and_another_gives_another_forest(waves):
    X, y = waves[0][:300], waves[1][:300]
    one, again, other = (RandomForestRegressor(3, random_state=s).fit(X, y).predict(X) for s in (0, 0, 1))
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)


def test_a_tree_that_drew_no_rows_knows_nothing():
    model = RandomForestClassifier(30, random_state=0).fit(np.array([[0.0], [1.0]]), np.array([0, 1]))
    assert np.isfinite(model.predict_proba(np.array([[0.0], [1.0]]))).all()


@pytest.mark.parametrize("given", ["all", 0, 9, 1.5, True])
def test_a_number_of_features_that_cannot_be_is_refused(waves, given):
    with pytest.raises(FitError, match="a whole number from 1 to 8"):
        RandomForestRegressor(3, max_features=given).fit(*waves)


def test_one_class_is_refused_and_named():
    with pytest.raises(FitError, match="All labels are 'yes'"):
        RandomForestClassifier(3).fit(np.arange(3.0)[:, None], np.array(["yes"] * 3))
