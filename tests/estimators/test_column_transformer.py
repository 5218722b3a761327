"""Transformers side by side: as scikit-learn's for arrays and frames, and the same on tables."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sklearn.compose as peer
from scipy import sparse
from sklearn.compose import make_column_selector
from sklearn.pipeline import Pipeline, make_pipeline

from groundswell.engines import StreamRows
from groundswell.errors import ColumnNotFoundError, FitError, SchemaError
from groundswell.estimators import (
    PCA,
    ColumnTransformer,
    LinearRegression,
    LogisticRegression,
    OneHotEncoder,
    OrdinalEncoder,
    SimpleImputer,
    StandardScaler,
)

rng = np.random.default_rng(0)
N = 300
FRAME = pd.DataFrame({
    "carrier": rng.choice(["UA", "AA", "DL"], N), "distance": rng.normal(800, 300, N), "hour": rng.integers(0, 24, N),
    "temp": np.where(rng.random(N) < 0.1, np.nan, rng.normal(60, 9, N)),
})  # fmt: skip
Y = ((FRAME["distance"] > 800) ^ (rng.random(N) < 0.2)).to_numpy().astype(int)
PARTS = [
    ("hot", OneHotEncoder(), ["carrier"]),
    ("scaled", make_pipeline(SimpleImputer(), StandardScaler()), ["distance", "temp"]),
]


@pytest.fixture
def path(tmp_path):
    pq.write_table(pa.Table.from_pandas(FRAME.assign(y=Y)), tmp_path / "rows.parquet", row_group_size=40)
    return str(tmp_path / "rows.parquet")


def read(table, names):
    whole = pa.concat_tables(part() for part in table.parts(names))
    return np.column_stack([whole[name].to_numpy() for name in names])


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"remainder": "passthrough"},
        {"remainder": StandardScaler(), "verbose_feature_names_out": False},
        {"sparse_threshold": 1.0},
    ],
    ids=str,
)
def test_it_puts_columns_side_by_side_as_scikit_learns_own(options, path):
    ours, theirs = ColumnTransformer(PARTS, **options), peer.ColumnTransformer(PARTS, **options)
    made, expected = ours.fit_transform(FRAME), theirs.fit_transform(FRAME)
    assert sparse.issparse(made) == sparse.issparse(expected)
    dense = [m.toarray() if sparse.issparse(m) else m for m in (made, expected)]
    np.testing.assert_allclose(*dense)
    assert ours.get_feature_names_out().tolist() == theirs.get_feature_names_out().tolist()
    table = ColumnTransformer(PARTS, **options).fit_transform(path, "y")
    names = ours.get_feature_names_out().tolist()
    assert table.schema.names == [*names, "y"]
    np.testing.assert_allclose(read(table, names), dense[1], rtol=1e-12)
    assert read(table, ["y"]).ravel().tolist() == Y.tolist()


def test_a_pipeline_of_scikit_learn_learns_from_a_table_what_it_learns_from_a_frame(path):
    model = Pipeline([("features", ColumnTransformer(PARTS)), ("model", LogisticRegression())])
    same = Pipeline([("features", ColumnTransformer(PARTS)), ("model", LogisticRegression())]).fit(FRAME, Y)
    model.fit(path, "y")
    np.testing.assert_allclose(model[-1].coef_, same[-1].coef_, rtol=1e-6)
    np.testing.assert_allclose(model.predict_proba(path), same.predict_proba(FRAME), rtol=1e-6)
    np.testing.assert_allclose(model.predict_proba(FRAME), same.predict_proba(FRAME), rtol=1e-6)


WAYS = {
    "numbers": [1, -1],
    "a slice": slice(1, 3),
    "a slice of names": slice("distance", "temp"),
    "a mask": [False, True, False, True],
    "a function": make_column_selector(dtype_include=np.number),
}


@pytest.mark.parametrize("way", WAYS)
def test_columns_may_be_named_in_all_of_scikit_learns_ways(way, path):
    columns = WAYS[way]
    expected = peer.ColumnTransformer([("a", SimpleImputer(), columns)]).fit_transform(FRAME)
    np.testing.assert_array_equal(ColumnTransformer([("a", SimpleImputer(), columns)]).fit_transform(FRAME), expected)
    table = ColumnTransformer([("a", SimpleImputer(), columns)], verbose_feature_names_out=False)
    made = table.fit_transform(path, "y")
    np.testing.assert_allclose(read(made, made.schema.names[:-1]), expected, rtol=1e-12)


def test_transformers_read_their_own_columns_only(path):
    asked = []

    class Watched:
        schema, rows = pq.read_schema(path).remove_metadata(), N

        def parts(self, columns):
            asked.append(set(columns))
            table = pq.read_table(path, columns=list(columns))
            return iter([lambda: table])

    fitted = ColumnTransformer([("hot", OneHotEncoder(), ["carrier"])]).fit(Watched(), "y")
    list(fitted.transform(Watched()).parts(["hot__carrier_AA"]))
    assert asked == [{"carrier"}, {"carrier"}]


def test_texts_may_pass_through_beside_numbers(path):
    features = ColumnTransformer(
        [("keep", "passthrough", ["carrier"]), ("code", OrdinalEncoder(), ["carrier"])], verbose_feature_names_out=False
    )
    with pytest.raises(SchemaError, match="carrier"):
        features.fit(path, "y")
    named = ColumnTransformer(features.transformers).fit(path, "y").transform(path)
    table = pa.concat_tables(part() for part in named.parts(["keep__carrier", "code__carrier"]))
    assert table["keep__carrier"].to_pylist() == FRAME["carrier"].tolist()
    assert table.schema.field("code__carrier").type == pa.float64()


def test_it_nests_in_front_of_anything(path):
    inner = ColumnTransformer([("nested", ColumnTransformer(PARTS), ["carrier", "distance", "temp"])])
    model = make_pipeline(inner, PCA(n_components=2), LinearRegression()).fit(path, "y")
    same = make_pipeline(ColumnTransformer(PARTS), PCA(n_components=2), LinearRegression()).fit(FRAME, Y)
    np.testing.assert_allclose(model.predict(path), same.predict(FRAME), rtol=1e-8)


def test_parameters_of_the_transformers_can_be_set():
    features = ColumnTransformer(PARTS).set_params(hot__drop="first", scaled=StandardScaler(with_mean=False))
    assert features.get_params()["hot__drop"] == "first"
    assert features.get_params()["scaled__with_mean"] is False
    PARTS[0][1].set_params(drop=None)


def test_an_empty_part_and_one_row_are_parts_like_others(path):
    table = pq.read_table(path).replace_schema_metadata()
    batches = [table.schema.empty_table().to_batches(), table.slice(0, 1).to_batches(), table.slice(1).to_batches()]
    nothing = [pa.RecordBatch.from_pylist([], schema=table.schema)]
    flat = [*nothing, *batches[1], *nothing, *batches[2]]
    stream = StreamRows(table.schema, lambda: pa.RecordBatchReader.from_batches(table.schema, flat))
    made = ColumnTransformer(PARTS).fit_transform(stream, "y")
    names = made.schema.names
    np.testing.assert_allclose(read(made, names), read(ColumnTransformer(PARTS).fit_transform(path, "y"), names))


def test_what_is_wrong_is_said_by_name(path):
    with pytest.raises(ColumnNotFoundError, match=r"carier.*carrier"):
        ColumnTransformer([("hot", OneHotEncoder(), ["carier"])]).fit(path, "y")
    with pytest.raises(SchemaError, match="no names"):
        ColumnTransformer([("a", StandardScaler(), ["a"])]).fit(np.ones((2, 2)))
    with pytest.raises(ColumnNotFoundError, match="no column 7"):
        ColumnTransformer([("a", StandardScaler(), [7])]).fit(np.ones((2, 2)))
    with pytest.raises(FitError, match="no transformer"):
        ColumnTransformer([("a", "drop_it", [0])]).fit(np.ones((2, 2)))
    fitted = ColumnTransformer(PARTS).fit(path, "y")
    with pytest.raises(ColumnNotFoundError, match="temp"):
        fitted.transform(pa.table({"carrier": ["UA"], "distance": [1.0]}))
    assert fitted.transform(pa.table(FRAME.drop(columns="hour"))).rows == N
