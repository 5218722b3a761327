"""One-hot and ordinal encoding against scikit-learn's, on arrays, frames and tables."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sklearn.preprocessing as peer
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.pipeline import make_pipeline

from groundswell.engines import StreamRows
from groundswell.errors import ColumnNotFoundError, DataError, FitError, TypeMismatchError
from groundswell.estimators import LogisticRegression, OneHotEncoder, OrdinalEncoder

rng = np.random.default_rng(0)
N = 400
COLUMNS = {
    "carrier": rng.choice(["UA", "AA", "DL", "B6", "HA"], N, p=[0.4, 0.3, 0.2, 0.09, 0.01]).astype(object),
    "month": rng.integers(1, 13, N),
    "late": rng.random(N) < 0.3,
    "gate": rng.choice([1.0, 2.5, np.nan], N),
}
FRAME = pd.DataFrame(COLUMNS)


ONE_HOT = [
    {},
    {"drop": "first"},
    {"drop": "if_binary"},
    {"drop": ["DL", 3, True, 2.5]},
    {"min_frequency": 30, "handle_unknown": "infrequent_if_exist"},
    {"min_frequency": 0.1},
    {"max_categories": 4, "drop": "first"},
    {"max_categories": 2, "handle_unknown": "ignore"},
]


@pytest.mark.parametrize("options", ONE_HOT, ids=str)
def test_it_encodes_as_scikit_learn_does(options):
    """Exactly: zeros and ones in the same columns, with the same names and the same way back."""
    ours, theirs = OneHotEncoder(**options), peer.OneHotEncoder(**options)
    made = ours.fit_transform(FRAME)
    assert sparse.issparse(made)
    np.testing.assert_array_equal(made.toarray(), theirs.fit_transform(FRAME).toarray())
    assert ours.get_feature_names_out().tolist() == theirs.get_feature_names_out().tolist()
    back, expected = pd.DataFrame(ours.inverse_transform(made)), pd.DataFrame(theirs.inverse_transform(made))
    pd.testing.assert_frame_equal(back, expected, check_dtype=False)


@pytest.mark.parametrize("options", [{}, {"min_frequency": 30}, {"max_categories": 3}, {"encoded_missing_value": -7}])
def test_it_numbers_as_scikit_learn_does(options):
    ours, theirs = OrdinalEncoder(**options), peer.OrdinalEncoder(**options)
    made = ours.fit_transform(FRAME)
    np.testing.assert_array_equal(made, theirs.fit_transform(FRAME))
    pd.testing.assert_frame_equal(
        pd.DataFrame(ours.inverse_transform(made)), pd.DataFrame(theirs.inverse_transform(made)), check_dtype=False
    )


def test_numbers_by_frequency_follow_the_counts():
    encoder = OrdinalEncoder(order="frequency").fit(FRAME[["carrier"]])
    expected = [name for name, _ in sorted(Counter(FRAME["carrier"]).items(), key=lambda item: (-item[1], item[0]))]
    assert encoder.categories_[0].tolist() == expected


def test_the_last_category_may_be_dropped():
    made = OneHotEncoder(drop="last", sparse_output=False).fit_transform(FRAME[["carrier"]])
    np.testing.assert_array_equal(made, OneHotEncoder(sparse_output=False).fit_transform(FRAME[["carrier"]])[:, :-1])


def forms(tmp_path):
    """The same columns in all forms, with a label; row groups have categories and dictionaries of their own."""
    table = pa.Table.from_pandas(FRAME.assign(y=np.arange(N) % 2)).sort_by("carrier").replace_schema_metadata()
    yield "table", table
    for name, rows in (("small", 7), ("large", 1000)):
        pq.write_table(table, tmp_path / f"{name}.parquet", row_group_size=rows)
        yield name, str(tmp_path / f"{name}.parquet")
    encoded = table.set_column(0, "carrier", table["carrier"].dictionary_encode())
    pq.write_table(encoded, tmp_path / "dictionary.parquet", row_group_size=50)
    yield "dictionary", str(tmp_path / "dictionary.parquet")
    empty = pa.concat_tables([table.slice(0, 0), table])
    yield "stream with an empty part", StreamRows(
        table.schema, lambda: pa.RecordBatchReader.from_batches(table.schema, [*empty.slice(0, 0).to_batches(),
        pa.RecordBatch.from_pylist([], schema=table.schema), *table.to_batches(max_chunksize=31)])
    )  # fmt: skip


def read(table):
    columns = [name for name in table.schema.names if name != "y"]
    return np.column_stack([pa.concat_tables(p() for p in table.parts([c]))[c].to_numpy() for c in columns])


@pytest.mark.parametrize(
    "encoder", [OneHotEncoder(max_categories=4), OrdinalEncoder(encoded_missing_value=-1)], ids=str
)
def test_every_form_of_the_data_gives_the_same(encoder, tmp_path):
    rows = FRAME.sort_values("carrier", kind="stable")
    for form, data in forms(tmp_path):
        fitted = encoder.fit(data, "y")
        assert fitted.feature_names_in_.tolist() == list(COLUMNS), form
        made = fitted.transform(data)
        names = [name for name in made.schema.names if name != "y"]
        assert names == fitted.get_feature_names_out().tolist()
        expected = fitted.fit_transform(rows)
        table = pa.concat_tables(part() for part in made.parts([*names, "y"]))
        dense = expected.toarray() if sparse.issparse(expected) else expected
        found = np.column_stack([table[name].to_numpy() for name in names])
        order = np.lexsort(found.T), np.lexsort(dense.T)
        np.testing.assert_array_equal(found[order[0]], dense[order[1]], err_msg=form)


def test_the_way_back_from_a_table_is_a_table():
    table = pa.table({"a": ["x", None, "z", "x"], "n": pa.array([3, 1, 3, 2])})
    encoder = OrdinalEncoder().fit(table)
    back = encoder.inverse_transform(encoder.transform(table))
    assert pa.concat_tables(part() for part in back.parts(["a", "n"])).equals(table)


def test_data_frames_of_polars_are_columns_too():
    encoder = OneHotEncoder(sparse_output=False).fit(pl.DataFrame({"a": ["x", "y"], "b": [1, None]}))
    assert encoder.get_feature_names_out().tolist() == ["a_x", "a_y", "b_1.0", "b_nan"]
    assert encoder.transform(pl.DataFrame({"a": ["y"], "b": [1]})).tolist() == [[0, 1, 1, 0]]


def test_set_output_gives_named_columns_of_arrays_and_leaves_tables_tables():
    encoder = OneHotEncoder(sparse_output=False).set_output(transform="pandas")
    made = encoder.fit_transform(FRAME[["carrier"]])
    assert made.columns.tolist() == ["carrier_AA", "carrier_B6", "carrier_DL", "carrier_HA", "carrier_UA"]
    assert encoder.transform(pa.table({"carrier": ["AA"]})).schema.names == made.columns.tolist()


def test_unknown_categories_follow_the_policy():
    train, test = np.array([["a"], ["a"], ["b"], ["c"]], dtype=object), np.array([["z"], [None]], dtype=object)
    with pytest.raises(DataError, match=r"'x0' has the unknown categories \['z', None\]"):
        OneHotEncoder().fit(train).transform(test)
    with pytest.raises(DataError, match="handle_unknown"):
        OrdinalEncoder().fit(train).transform(test)
    ignored = OneHotEncoder(handle_unknown="ignore").fit(train)
    assert ignored.transform(test).toarray().tolist() == [[0, 0, 0], [0, 0, 0]]
    assert ignored.inverse_transform(ignored.transform(test)).tolist() == [[None], [None]]
    joined = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=2).fit(train)
    assert joined.transform(test).toarray().tolist() == [[0, 1], [0, 1]]
    coded = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1).fit(train)
    assert coded.transform(test).ravel().tolist() == [-1, -1]
    assert coded.inverse_transform([[-1.0]]).tolist() == [[None]]
    with pytest.raises(DataError, match="7 stands for no category"):
        coded.inverse_transform([[7.0]])


def test_given_categories_keep_their_order():
    encoder = OrdinalEncoder(categories=[["low", "high"]]).fit(np.array([["high"], ["low"]], dtype=object))
    assert encoder.transform(np.array([["high"]], dtype=object)).tolist() == [[1.0]]
    with pytest.raises(DataError, match="'mid'"):
        OrdinalEncoder(categories=[["low", "high"]]).fit(np.array([["mid"]], dtype=object))
    with pytest.raises(FitError, match="given twice"):
        OneHotEncoder(categories=[["a", "a"]]).fit(np.array([["a"]], dtype=object))
    with pytest.raises(FitError, match="2 columns, and X has 1"):
        OneHotEncoder(categories=[["a"], ["b"]]).fit(np.array([["a"]], dtype=object))


@pytest.mark.parametrize(
    ("encoder", "message"),
    [
        (OneHotEncoder(drop="second"), "'first', 'last'"),
        (OneHotEncoder(handle_unknown="skip"), "'ignore'"),
        (OneHotEncoder(drop=["q"]), "none of its categories"),
        (OneHotEncoder(drop=["a", "b"]), "names 2 categories"),
        (OrdinalEncoder(unknown_value=1), "use_encoded_value"),
        (OrdinalEncoder(order="alphabet"), "'frequency'"),
    ],
)
def test_settings_that_are_none_are_refused(encoder, message):
    with pytest.raises(FitError, match=message):
        encoder.fit(np.array([["a"]], dtype=object))


def test_bad_columns_are_refused_by_name():
    with pytest.raises(TypeMismatchError, match="types int, str"):
        OneHotEncoder().fit(pd.DataFrame({"a": [1, "b"]}, dtype=object))
    with pytest.raises(TypeMismatchError, match="'a' has the type list"):
        OneHotEncoder().fit(pa.table({"a": [[1]]}))
    with pytest.raises(FitError, match="no rows"):
        OneHotEncoder().fit(pa.table({"a": pa.array([], pa.string())}))
    with pytest.raises(ColumnNotFoundError, match="carier"):
        OneHotEncoder().fit(pa.table({"carier": ["a"]})).transform(pa.table({"carrier": ["a"]}))
    with pytest.raises(DataError, match="has 3 columns"):
        OneHotEncoder().fit([["a"], ["b"]]).inverse_transform(np.eye(3))


def test_one_column_of_nulls_is_one_category():
    table = pa.table({"a": pa.array([None, None], pa.string())})
    assert OneHotEncoder().fit(table).transform(table).schema.names == ["a_None"]
    assert np.isnan(read(OrdinalEncoder().fit_transform(table))).all()


def test_a_classifier_after_it_gets_a_sparse_matrix_of_a_table_and_learns_the_same(tmp_path):
    path = tmp_path / "rows.parquet"
    y = (FRAME["carrier"] == "UA").to_numpy() ^ (rng.random(N) < 0.1)
    pq.write_table(pa.Table.from_pandas(FRAME.assign(y=y)), path, row_group_size=50)
    model = make_pipeline(OneHotEncoder(), LogisticRegression()).fit(path, "y")
    same = make_pipeline(OneHotEncoder(), LogisticRegression()).fit(FRAME, y)
    np.testing.assert_allclose(model[-1].coef_, same[-1].coef_, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(model.predict_proba(path), same.predict_proba(FRAME), rtol=1e-6)


@settings(deadline=None, max_examples=40)
@given(
    values=st.lists(st.one_of(st.none(), st.text("abc", max_size=2)), min_size=1, max_size=30),
    cuts=st.lists(st.integers(0, 30), max_size=4),
)
def test_it_encodes_whatever_the_parts_are_as_scikit_learn_encodes_the_whole(values, cuts):
    table = pa.table({"a": pa.array(values, pa.string())})
    bounds = sorted({0, len(values), *(cut for cut in cuts if cut < len(values))})
    parts = [table.slice(i, j - i).to_batches()[0] for i, j in pairwise(bounds)]
    stream = StreamRows(table.schema, lambda: pa.RecordBatchReader.from_batches(table.schema, parts))
    # Null is a missing value to us, and NaN is one to scikit-learn, which takes None for a category like others.
    column = np.array([np.nan if value is None else value for value in values], dtype=object)[:, None]
    expected = peer.OneHotEncoder(sparse_output=False).fit_transform(column)
    np.testing.assert_array_equal(read(OneHotEncoder().fit_transform(stream)), expected)
    np.testing.assert_array_equal(
        read(OrdinalEncoder().fit_transform(stream)), peer.OrdinalEncoder().fit_transform(column)
    )
