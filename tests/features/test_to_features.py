"""Features as scikit-learn wants them: gaps are NaN, and no value changes."""

import math

import pandas as pd
import pyarrow as pa
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer

from groundswell.features import to_features


def test_integers_and_booleans_with_gaps_are_floats_and_without_gaps_stay():
    frame = to_features(pa.table({"a": [1, None], "b": [True, None], "c": [1, 2], "d": ["x", None]}))
    assert frame.dtypes.astype(str).to_dict() == {"a": "float64", "b": "float64", "c": "int64", "d": "str"}
    assert frame["a"][0] == 1.0
    assert math.isnan(frame["a"][1])


def test_integers_that_floats_cannot_hold_stay_integers():
    value = 2**53 + 1
    frame = to_features(pa.table({"a": pa.array([value, None])}))
    assert frame["a"].dtype == pd.Int64Dtype()
    assert frame["a"][0] == value


def test_a_column_transformer_takes_them():
    frame = to_features(pa.table({"a": [1, None, 3]}))
    filled = make_column_transformer((SimpleImputer(), ["a"])).fit_transform(frame)
    assert filled.ravel().tolist() == [1.0, 2.0, 3.0]


def test_a_column_of_gaps_only():
    assert to_features(pa.table({"a": pa.array([None, None], pa.int32())}))["a"].isna().all()
