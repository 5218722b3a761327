"""Permutation importance against scikit-learn's, and of tables against frames."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.inspection import permutation_importance as peer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from groundswell.errors import ColumnNotFoundError, DataError
from groundswell.models import _permutation_importance as module
from groundswell.models import permutation_importance

rng = np.random.default_rng(0)
FRAME = pd.DataFrame(rng.normal(size=(3000, 4)), columns=["a", "b", "c", "d"])
FRAME["c"] = FRAME["c"].round()
FRAME["late"] = (2 * FRAME["a"] - FRAME["b"] + 0.5 * FRAME["c"] + rng.logistic(size=3000)) > 0
X, Y = FRAME.drop(columns="late"), FRAME["late"]
SORTED = FRAME.sort_values("a")
MODEL = LogisticRegression().fit(X, Y)


@pytest.mark.parametrize(
    ("metric", "scoring"),
    [("roc_auc", "roc_auc"), ("log_loss", "neg_log_loss")],
)
def test_it_is_that_of_scikit_learn(metric, scoring):
    """In distribution: the means of eight exchanges each, within four of their common standard errors."""
    ours = permutation_importance(MODEL, FRAME, "late", metric=metric, n_repeats=8)
    theirs = peer(MODEL, X, Y, scoring=scoring, n_repeats=8, random_state=0)
    error = np.sqrt((ours.importances.var(axis=1) + theirs.importances.var(axis=1)) / 8)
    assert (np.abs(ours.importances.mean(axis=1) - theirs.importances_mean) < 4 * error + 1e-4).all()
    assert (ours.importances.std(axis=1) < 4 * theirs.importances_std + 1e-4).all()
    assert ours.to_pandas().index[:2].tolist() == ["a", "b"]


def test_a_regressor_has_the_rise_of_its_error():
    """Exchanged values of a feature add twice its part of the variance to the mean square."""
    y = 3 * FRAME["a"] - FRAME["b"] + rng.normal(size=3000)
    model = LinearRegression().fit(X, y)
    found = permutation_importance(model, X, y, metric="rmse", n_repeats=10)
    after = np.square(found.importances.mean(axis=1) + found.value)
    np.testing.assert_allclose(after, found.value**2 + 2 * model.coef_**2 * X.var().to_numpy(), rtol=0.05)


def test_a_feature_that_the_model_does_not_use_has_none():
    model = LogisticRegression().fit(X[["a"]], Y)
    found = permutation_importance(model, FRAME, "late", metric="accuracy")
    assert found.features == ("a",)
    constant = RandomForestClassifier(3, max_depth=2, random_state=0).fit(X.assign(d=0.0), Y)
    found = permutation_importance(constant, FRAME.assign(d=1.0), "late", metric="log_loss")
    assert (found.importances[3] == 0).all()


@pytest.mark.parametrize("sample", [65_536, 500])
def test_tables_have_the_importances_of_frames_even_if_sorted(tmp_path, monkeypatch, sample):
    """Within five standard errors of five exchanges each, with values from all rows or from some."""
    monkeypatch.setattr(module, "_SAMPLE_ROWS", sample)
    table = pa.Table.from_pandas(SORTED, preserve_index=False)
    pq.write_table(table, tmp_path / "rows.parquet", row_group_size=500)
    frame = permutation_importance(MODEL, FRAME, "late", metric="log_loss", n_repeats=5)
    for data in [table] if sample < 3000 else [tmp_path / "rows.parquet"]:
        found = permutation_importance(MODEL, data, "late", metric="log_loss", n_repeats=5)
        assert found.value == pytest.approx(frame.value, rel=1e-9)
        error = np.sqrt((found.importances.var(axis=1) + frame.importances.var(axis=1)) / 5)
        slack = 0.0 if sample > 3000 else 0.05 * np.abs(frame.importances.mean(axis=1))
        assert (np.abs((found.importances - frame.importances).mean(axis=1)) < 5 * error + slack + 1e-4).all()


def test_a_seed_gives_the_same_again_and_another_seed_others():
    arrays = LogisticRegression().fit(X.to_numpy(), Y)
    first, again, other = (
        permutation_importance(arrays, X.to_numpy(), Y, metric="roc_auc", n_repeats=2, seed=seed) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first.importances, again.importances)
    assert (first.importances != other.importances).all()
    assert first.features == ("x0", "x1", "x2", "x3")
    assert X.to_numpy()[0].tolist() == FRAME.iloc[0, :4].tolist()
    assert "roc_auc" in str(first)


def test_weights_count():
    weights = np.where(FRAME["a"] > 0, 1.0, 0.0)
    some = permutation_importance(MODEL, X, Y, metric="accuracy", weights=weights)
    assert some.value == pytest.approx(MODEL.score(X[weights > 0], Y[weights > 0]))


def test_a_reader_has_the_importances_of_its_table():
    table = pa.Table.from_pandas(SORTED, preserve_index=False)
    one, other = (
        permutation_importance(MODEL, data, "late", metric="roc_auc", n_repeats=1)
        for data in (table.to_reader(max_chunksize=500), table)
    )
    assert one.value == pytest.approx(other.value)
    np.testing.assert_allclose(one.importances, other.importances, atol=0.05)
    assert one.importances[0, 0] > 0.1


def test_names_of_columns_may_be_numbers():
    numbered = X.set_axis(range(4), axis=1)
    model = LogisticRegression().fit(X.to_numpy(), Y)
    found = permutation_importance(model, numbered, Y, metric="roc_auc", n_repeats=1)
    expected = permutation_importance(model, X.to_numpy(), Y, metric="roc_auc", n_repeats=1)
    np.testing.assert_array_equal(found.importances, expected.importances)
    assert found.features == ("0", "1", "2", "3")
    assert numbered.equals(X.set_axis(range(4), axis=1))


def test_a_metric_that_vanishes_is_refused_with_the_reason():
    """Both features together say yes; exchanged against the other, no row does, and there is no precision."""
    both = pd.DataFrame({"a": [0, 0, 1, 1], "b": [0, 1, 0, 1]})
    model = DecisionTreeClassifier(random_state=0).fit(both, both["a"] & both["b"])
    two = both.iloc[[0, 3]]
    with pytest.raises(DataError, match=r"There is no 'precision' when the values of 'a' are exchanged: .*predict"):
        permutation_importance(model, two, [0, 1], metric="precision", n_repeats=8)


def test_what_cannot_be_said_is_refused():
    with pytest.raises(DataError, match="Did you mean 'roc_auc'"):
        permutation_importance(MODEL, FRAME, "late", metric="rocauc")
    with pytest.raises(DataError, match="no metric of quality"):
        permutation_importance(MODEL, FRAME, "late", metric="base_rate")
    with pytest.raises(ColumnNotFoundError, match="'lat'"):
        permutation_importance(MODEL, FRAME, "lat", metric="roc_auc")
