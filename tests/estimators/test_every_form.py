"""Every estimator gives the same answers from the same rows, in whatever form and however cut they come."""

import inspect
import pickle
from itertools import pairwise

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.utils import get_tags

import groundswell as gs
import groundswell.estimators
from groundswell.engines import StreamRows

pytestmark = [pytest.mark.filterwarnings("ignore:.*did not reach")]  # fits here are of few rows and steps


def stream_of(table, cuts):
    """A stream of parts that end at these rows, some of them without rows."""
    bounds = [0, *sorted(cuts), len(table)]
    table = table.combine_chunks()
    nothing = pa.RecordBatch.from_pylist([], schema=table.schema)
    parts = [table.slice(i, j - i).to_batches()[0] if j > i else nothing for i, j in pairwise(bounds)]
    return StreamRows(table.schema, lambda: pa.RecordBatchReader.from_batches(table.schema, parts))


def ordered(case):
    """Rows sorted by the label and then by the first column, so that parts lack labels and categories."""
    frame, y = case.frame(), case.y()
    keys = [np.array([str(value) for value in frame.iloc[:, 0]])] + ([] if y is None else [y])
    order = np.lexsort(keys)
    return frame.iloc[order].reset_index(drop=True), None if y is None else y[order]


def frame_values(case, frame):
    return list(frame["text"]) if case.data in ("texts", "tokens") else frame.to_numpy()


def tables(case, frame, y, folder):
    """The rows as tables with a column `label`, by name of the form."""
    table = case.table(frame_values(case, frame), y)
    yield "Arrow table", table
    for rows in (1, 7, 1000):
        pq.write_table(table, folder / f"{rows}.parquet", row_group_size=rows)
        yield f"Parquet, groups of {rows}", folder / f"{rows}.parquet"
    (folder / "several").mkdir()
    for i, start in enumerate(range(0, len(table), 40)):
        pq.write_table(table.slice(start, 40), folder / "several" / f"{i}.parquet")
    yield "folder", str(folder / "several")
    yield "stream with empty parts", stream_of(table, [0, 0, 1, 30, 30, 31, len(table)])
    yield "reader that can be read once", table.to_reader(max_chunksize=9)
    words = [i for i, field in enumerate(table.schema) if field.type == pa.string()]
    if words:
        encoded = table
        for i in words:
            encoded = encoded.set_column(i, table.schema.names[i], table.column(i).dictionary_encode())
        pq.write_table(encoded, folder / "dictionary.parquet", row_group_size=20)
        yield "dictionaries of row groups", folder / "dictionary.parquet"


def test_no_estimator_is_left_out(cases):
    public = {
        name
        for name in groundswell.estimators.__all__
        if inspect.isclass(kind := getattr(groundswell.estimators, name)) and issubclass(kind, BaseEstimator)
    }
    assert {case.name for case in cases} == public


def test_tables_and_frames_give_the_same(case, tmp_path):
    frame, y = ordered(case)
    expected = case.answer(case.new().fit(frame, y), frame)
    assert len(expected) == len(frame)
    for form, table in tables(case, frame, y, tmp_path):
        model = case.new().fit(table, "label")
        case.assert_close(case.answer(model, frame), expected, form)
        again = (
            table if form != "reader that can be read once" else case.table(frame_values(case, frame), y).to_reader()
        )
        case.assert_close(case.answer(model, again), expected, form + ", answered too")


@pytest.mark.cases("has_columns")  # lists of texts are no arrays
def test_arrays_give_the_same_as_frames(case):
    frame, y = ordered(case)
    model = case.new()
    if "ColumnTransformer" in case.name:
        model.set_params(transformers=[(n, t, [int(c[1:]) for c in columns]) for n, t, columns in model.transformers])
    X = frame.to_numpy()
    expected = case.answer(case.new().fit(frame, y), frame)
    for form, rows in {"array": X, "column-major": np.asfortranarray(X), "list": X.tolist()}.items():
        case.assert_close(case.answer(model.fit(rows, y), rows), expected, form)
    polars = pl.DataFrame({name: frame[name].to_numpy() for name in frame})
    case.assert_close(case.answer(case.new().fit(polars, y), polars), expected, "polars")
    if get_tags(model).input_tags.sparse:
        for kind in (sparse.csr_matrix, sparse.csc_array):
            case.assert_close(case.answer(model.fit(kind(X), y), kind(X)), expected, kind.__name__, 1e-6)


def test_fitting_again_forgets_the_first_fit(case):
    frame, y = case.frame(), case.y()
    half = len(frame) // 2
    expected = case.answer(case.new().fit(frame, y), frame)
    model = case.new().fit(frame[:half], None if y is None else y[:half])
    case.assert_close(case.answer(model.fit(frame, y), frame), expected, close=0)


def test_a_pickle_answers_the_same(case):
    frame, y = case.frame(), case.y()
    model = case.new().fit(frame, y)
    case.assert_close(case.answer(pickle.loads(pickle.dumps(model)), frame), case.answer(model, frame), close=0)


@pytest.fixture(scope="module")
def training_data(tmp_path_factory):
    """The rows of a case as training data of a feature view."""
    with gs.open(tmp_path_factory.mktemp("rows") / "project", threads=1) as project:
        made = {}

        def of(case):
            key = (case.data, case.target)
            if key not in made:
                name = f"{case.data}_{case.target}".lower()
                table = case.table()
                group = project.create_feature_group(name, primary_key=["row"])
                group.insert(table.append_column("row", [np.arange(len(table))]))
                query = group.select(*table.schema.names)
                made[key] = project.create_feature_view(name, query, labels=["label"]).training_data()
            return made[key]

        yield of


@pytest.mark.cases("takes_values")
def test_training_data_give_the_same_as_their_frame(case, training_data):
    data = training_data(case)
    expected = case.answer(case.new().fit(data.X, data.y), data.X)
    model = case.new().fit(data)
    case.assert_close(case.answer(model, data.X), expected)
    case.assert_close(case.answer(model, data), expected, "answered too")
