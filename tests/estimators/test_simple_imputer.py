"""Imputation against scikit-learn's."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.impute import SimpleImputer as Peer

from groundswell.errors import FitError, TypeMismatchError
from groundswell.estimators import SimpleImputer

rng = np.random.default_rng(0)
X = np.where(rng.random((301, 4)) < 0.2, np.nan, rng.integers(-9, 9, (301, 4)) / 4)
X[:, 3] = rng.normal(size=301)


@pytest.mark.parametrize("indicator", [False, True])
@pytest.mark.parametrize("strategy", ["mean", "median", "most_frequent", "constant"])
def test_it_fills_in_what_scikit_learn_does(strategy, indicator):
    """Means to 1e-12, all others exactly."""
    ours = SimpleImputer(strategy=strategy, add_indicator=indicator)
    theirs = Peer(strategy=strategy, add_indicator=indicator)
    np.testing.assert_allclose(ours.fit_transform(X), theirs.fit_transform(X), rtol=1e-12)
    np.testing.assert_allclose(ours.statistics_, theirs.statistics_.astype(float), rtol=1e-12)
    assert ours.get_feature_names_out().tolist() == theirs.get_feature_names_out().tolist()


@pytest.mark.parametrize("strategy", ["mean", "median", "most_frequent"])
def test_every_form_of_the_data_gives_the_same(strategy, fits):
    reference = None
    for form, fitted in fits(SimpleImputer(strategy=strategy), X, np.arange(len(X)) % 2):
        reference = fitted.statistics_ if reference is None else reference
        np.testing.assert_allclose(fitted.statistics_, reference, rtol=1e-12, err_msg=form)


def test_a_feature_without_values_is_left_out_or_kept():
    empty = np.array([[np.nan, 1.0], [np.nan, 2.0]])
    with pytest.warns(UserWarning, match=r"\['x0'\] have no values"):
        assert SimpleImputer().fit_transform(empty).tolist() == [[1], [2]]
    assert SimpleImputer(keep_empty_features=True).fit_transform(empty).tolist() == [[0, 1], [0, 2]]
    table = pa.table({"a": pa.array([None, None], pa.string()), "b": ["x", None]})
    with pytest.warns(UserWarning, match=r"\['a'\]"):
        kept = SimpleImputer(strategy="most_frequent").fit(table)
    assert kept.transform(table).schema.names == ["b"]


def test_columns_of_a_table_keep_their_types():
    table = pa.table({
        "n": pa.array([3, None, 3, 5], pa.int32()), "s": pa.array(["b", "a", None, "b"]).dictionary_encode(),
        "t": pa.array([True, None, True, False]), "y": [1, 2, 3, 4],
    })  # fmt: skip
    filled = SimpleImputer(strategy="most_frequent", add_indicator=True).fit_transform(table, "y")
    read = pa.concat_tables(part() for part in filled.parts(filled.schema.names))
    assert read.schema.types[:3] == [pa.int32(), pa.string(), pa.bool_()]
    assert read["n"].to_pylist() == [3, 3, 3, 5]
    assert read["s"].to_pylist() == ["b", "a", "b", "b"]
    assert read["t"].to_pylist() == [True, True, True, False]
    assert read["missingindicator_s"].to_pylist() == [0, 0, 1, 0]
    assert read["y"].to_pylist() == [1, 2, 3, 4]


def test_constants_are_of_the_type_of_the_column():
    frame = pd.DataFrame({"a": ["x", None], "b": [None, "y"]})
    assert SimpleImputer(strategy="constant").fit_transform(frame).tolist() == [
        ["x", "missing_value"],
        ["missing_value", "y"],
    ]
    assert SimpleImputer(strategy="constant", fill_value="?").fit_transform(frame).tolist() == [["x", "?"], ["?", "y"]]
    with pytest.raises(TypeMismatchError, match="'unknown' does not fit column 'a'"):
        SimpleImputer(strategy="constant", fill_value="unknown").fit(pa.table({"a": [1, None]}))


def test_what_cannot_be_imputed_is_refused():
    with pytest.raises(FitError, match="'median'"):
        SimpleImputer(strategy="mode").fit(X)
    with pytest.raises(TypeMismatchError, match="'s' has the type string"):
        SimpleImputer().fit(pa.table({"s": ["a"]}))
    for strategy in ("mean", "most_frequent", "constant"):
        with pytest.raises(FitError, match="no rows"):
            SimpleImputer(strategy=strategy).fit(pa.table({"a": pa.array([], pa.float64())}))
