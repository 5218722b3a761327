"""Transformers that learn nothing but names: hashes, logarithms, products."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import sklearn.preprocessing as peer
from sklearn.feature_extraction import FeatureHasher as PeerHasher
from sklearn.pipeline import make_pipeline

from groundswell.errors import DataError, FitError, TypeMismatchError
from groundswell.estimators import FeatureHasher, LinearRegression, LogTransformer, PolynomialFeatures

rng = np.random.default_rng(0)
FRAME = pd.DataFrame({
    "carrier": rng.choice(["UA", "AA", "é", None], 50), "delay": rng.integers(-9, 99, 50), "late": rng.random(50) < 0.5,
    "temp": np.where(rng.random(50) < 0.2, np.nan, rng.normal(size=50)),
})  # fmt: skip


@pytest.mark.parametrize("sign", [True, False])
def test_columns_are_hashed_as_scikit_learn_hashes_dictionaries(sign):
    rows = [
        {k: str(v) if k == "late" else v for k, v in row.items() if v is not None and v == v}
        for row in FRAME.to_dict("records")
    ]
    expected = PeerHasher(32, alternate_sign=sign).transform(rows).toarray()
    hasher = FeatureHasher(32, alternate_sign=sign)
    np.testing.assert_allclose(hasher.fit_transform(FRAME).toarray(), expected)
    made = hasher.fit_transform(pa.Table.from_pandas(FRAME.assign(y=1)), "y")
    names = [f"featurehasher{i}" for i in range(32)]
    assert made.schema.names == [*names, "y"]
    whole = pa.concat_tables(part() for part in made.parts(names))
    np.testing.assert_allclose(np.column_stack([whole[name].to_numpy() for name in names]), expected)


def test_logarithms_come_back():
    X = np.array([[0.0, 3.0], [np.nan, 1e6]])
    made = LogTransformer().fit_transform(X)
    np.testing.assert_allclose(made, np.log1p(X))
    np.testing.assert_allclose(LogTransformer().fit(X).inverse_transform(made), X)


def test_negative_amounts_are_refused_by_name():
    table = pa.table({"price": [1.0, -2.0]})
    made = LogTransformer().fit(table).transform(table)
    with pytest.raises(DataError, match="-2 of feature 'price' is negative"):
        [part() for part in made.parts(["price"])]
    with pytest.raises(ValueError, match="Negative values"):
        LogTransformer().fit([[-1.0]])


@pytest.mark.parametrize("options", [{}, {"degree": 3, "include_bias": False}, {"interaction_only": True}], ids=str)
def test_products_are_those_of_scikit_learn(options):
    X = rng.normal(size=(40, 3))
    ours, theirs = PolynomialFeatures(**options), peer.PolynomialFeatures(**options)
    np.testing.assert_allclose(ours.fit_transform(X), theirs.fit_transform(X))
    np.testing.assert_array_equal(ours.powers_, theirs.powers_)
    table = pa.table(dict(zip("abc", X.T, strict=True)))
    made = ours.fit_transform(table)
    assert made.schema.names == theirs.get_feature_names_out(["a", "b", "c"]).tolist()
    whole = pa.concat_tables(part() for part in made.parts(made.schema.names))
    np.testing.assert_allclose(whole.to_pandas().to_numpy(), theirs.transform(X))


def test_a_curve_is_learned_from_a_table():
    x = rng.normal(size=200)
    table = pa.table({"x": x, "y": 3 + 2 * x - x**2})
    model = make_pipeline(PolynomialFeatures(include_bias=False), LinearRegression()).fit(table, "y")
    np.testing.assert_allclose(model[-1].coef_, [2, -1], rtol=1e-9)


def test_settings_that_are_none_are_refused():
    with pytest.raises(FitError, match="n_features is 0"):
        FeatureHasher(0).fit([["a"]])
    with pytest.raises(FitError, match="degree is 0"):
        PolynomialFeatures(0).fit([[1.0]])
    with pytest.raises(TypeMismatchError, match="'a' has the type string"):
        PolynomialFeatures().fit(pa.table({"a": ["x"]}))
