"""XGBoost and LightGBM from tables against the libraries' own interfaces in memory."""

import pickle
import sys

import lightgbm
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xgboost
from sklearn.base import clone

from groundswell.errors import ColumnNotFoundError, FitError, MissingDependencyError, TypeMismatchError
from groundswell.estimators import LGBMClassifier, LGBMRegressor, XGBClassifier, XGBRegressor

KINDS = [XGBClassifier, XGBRegressor, LGBMClassifier, LGBMRegressor]
SMALL = {"n_estimators": 10, "n_jobs": 1, "random_state": 0}


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 4))
    X[::9, 1] = np.nan
    return X, X[:, 0] - 2 * X[:, 2] ** 2 + 0.1 * rng.normal(size=400)


@pytest.mark.parametrize("n_classes", [0, 2, 3])
@pytest.mark.parametrize("weighted", [False, True])
def test_predictions_are_those_of_the_libraries_in_memory(rows, weighted, n_classes):
    X, y = rows
    weights = np.random.default_rng(1).uniform(0.5, 2, len(y)) if weighted else None
    target = np.digitize(y, [-1, 0][: n_classes - 1]) if n_classes else y
    method = "predict_proba" if n_classes else "predict"
    ours = [XGBClassifier, LGBMClassifier] if n_classes else [XGBRegressor, LGBMRegressor]
    theirs = (
        [xgboost.XGBClassifier, lightgbm.LGBMClassifier]
        if n_classes
        else [xgboost.XGBRegressor, lightgbm.LGBMRegressor]
    )
    for kind, peer in zip(ours, theirs, strict=True):
        mine = kind(**SMALL).fit(X, target, weights)
        options = {"verbosity": -1} if peer.__module__.startswith("lightgbm") else {"max_bin": 256}
        other = peer(n_estimators=10, n_jobs=1, **options)
        other.fit(X, target, sample_weight=weights)
        expected = getattr(other.booster_, "predict")(X) if "booster_" in dir(other) else getattr(other, method)(X)  # noqa: B009
        expected = np.column_stack([1 - expected, expected]) if n_classes and expected.ndim == 1 else expected
        np.testing.assert_allclose(getattr(mine, method)(X), expected, rtol=2e-5, atol=2e-6, err_msg=kind.__name__)


@pytest.mark.parametrize("kind", KINDS)
def test_every_form_of_the_data_gives_the_same(rows, fits, kind):
    X, y = rows
    X, target = np.nan_to_num(X), np.where(y > -1, "yes", "no") if "Classifier" in kind.__name__ else y
    reference = None
    for form, fitted in fits(kind(**SMALL | {"n_estimators": 4}), X, target, np.arange(len(y)) % 3.0):
        reference = fitted.model_ if reference is None else reference
        assert fitted.model_ == reference, form


def test_files_in_place_of_memory_give_the_same(rows, tmp_path):
    X, y = rows
    table = pa.table({f"x{j}": X[:, j] for j in range(4)} | {"y": y})
    pq.write_table(table, tmp_path / "rows.parquet", row_group_size=50)
    inside = XGBRegressor(**SMALL).fit(tmp_path / "rows.parquet", "y")
    outside = XGBRegressor(external_memory=True, **SMALL).fit(tmp_path / "rows.parquet", "y")
    np.testing.assert_allclose(outside.predict(table), inside.predict(table), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_it_stops_when_the_evaluation_set_gains_no_more(rows, kind):
    X, y = rows
    target = np.where(y > -1, "yes", "no") if "Classifier" in kind.__name__ else y
    table = pa.table({f"x{j}": X[:, j] for j in range(4)} | {"y": target})
    options = SMALL | {"n_estimators": 300, "early_stopping_rounds": 3}
    model = kind(**options).fit(table.slice(0, 300), "y", eval_set=(table.slice(300), "y"))
    assert model.n_estimators_ < len(model.evaluation_curve_) < 300
    assert int(np.argmin(model.evaluation_curve_)) + 1 == model.n_estimators_
    with pytest.raises(FitError, match="eval_set"):
        kind(**options).fit(table, "y")


@pytest.mark.parametrize("kind", [XGBRegressor, LGBMRegressor])
def test_categories_are_no_order(kind):
    codes = np.arange(400) % 8
    effect = np.array([5.0, -5, 5, -5, 5, -5, 5, -5])[codes]
    X = np.column_stack([codes, np.random.default_rng(0).normal(size=400)])
    params = {"max_depth": 1} if kind is XGBRegressor else {"num_leaves": 2, "min_data_per_group": 1}
    errors = []
    for features in (None, ["code"]):
        table = pa.table({"code": X[:, 0], "noise": X[:, 1], "y": effect})
        model = kind(**SMALL | {"n_estimators": 2, "learning_rate": 1.0}, categorical_features=features, params=params)
        errors.append(np.square(model.fit(table, "y").predict(table) - effect).mean())
    assert errors[1] < 1 < errors[0]
    with pytest.raises(FitError, match="whole numbers from 0"):
        kind(**SMALL, categorical_features=[1]).fit(X, effect)
    with pytest.raises(ColumnNotFoundError, match="colour"):
        kind(**SMALL, categorical_features=["colour"]).fit(X, effect)


@pytest.mark.parametrize("kind", KINDS)
def test_a_pickle_holds_the_text_and_predicts_the_same(rows, kind):
    X, y = rows
    model = kind(**SMALL).fit(X, y > -1)
    expected = model.predict(X)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), expected)
    assert model.predict(pa.table({f"x{j}": np.zeros(0) for j in range(4)})).shape == (0,)
    assert model.feature_importances_.sum() == pytest.approx(1.0)


def test_a_library_that_is_not_there_is_named(rows, monkeypatch):
    for library, kind in (("xgboost", XGBRegressor), ("lightgbm", LGBMRegressor)):
        monkeypatch.setitem(sys.modules, library, None)
        monkeypatch.delitem(sys.modules, f"groundswell.estimators._{library}_training", raising=False)
        with pytest.raises(MissingDependencyError, match=f"pip install 'groundswell\\[{library}\\]'"):
            kind().fit(*rows)


@pytest.mark.parametrize("kind", KINDS)
def test_bad_input_is_named(kind):
    table = pa.table({"x": [1.0, 2.0, 3.0], "word": ["a", "b", "c"], "y": [1, 2, 1], "gap": [1.0, None, 2.0]})
    model = kind(**SMALL)
    with pytest.raises(TypeMismatchError, match="OneHotEncoder"):
        clone(model).fit(table, "y")
    with pytest.raises(ColumnNotFoundError, match="'y'"):
        clone(model).fit(table, "Y")
    with pytest.raises(FitError, match="missing"):
        clone(model).fit(table.select(["x", "gap"]), "gap")
    with pytest.raises(FitError, match="no rows"):
        clone(model).fit(table.select(["x", "y"]).slice(0, 0), "y")
    with pytest.raises(FitError, match="n_estimators"):
        clone(model).set_params(n_estimators=0).fit(table.select(["x", "y"]), "y")
    with pytest.raises(FitError, match="refuses"):
        clone(model).set_params(params={"objective": "nonsense"}).fit(table.select(["x", "y"]), "y")
