from datetime import UTC, datetime, timedelta, timezone
from types import MappingProxyType

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pytest

from groundswell.errors import DataError, SchemaError, TypeMismatchError
from groundswell.tables import read_frame

COLUMNS = {"k": ["a", "b", "c"], "n": [1, 2, 3]}
TABLE = pa.table(COLUMNS)
NOW = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "data",
    [
        pd.DataFrame(COLUMNS), pd.DataFrame(COLUMNS, index=[7, 8, 9]), pl.DataFrame(COLUMNS), TABLE, TABLE.to_reader(),
        TABLE.to_batches()[0], ds.dataset(TABLE), duckdb.from_arrow(TABLE), COLUMNS, MappingProxyType(COLUMNS),
        {"k": np.array(["a", "b", "c"], object), "n": pa.array([1, 2, 3])},
        {"k": pd.Series(list("abc")), "n": (1, 2, 3)},
        TABLE.to_pylist(), tuple(TABLE.to_pylist()),
    ],
    ids=lambda data: type(data).__name__,
)  # fmt: skip
def test_everything_tabular_is_read(data):
    assert read_frame(data).read_all().to_pydict() == COLUMNS


def test_integers_beyond_int64_are_read():
    for data in ({"k": [2**64 - 1, None, 0]}, [{"k": 2**64 - 1}, {}, {"k": 0}]):
        assert read_frame(data).read_all().equals(pa.table({"k": pa.array([2**64 - 1, None, 0], pa.uint64())}))
    with pytest.raises(TypeMismatchError, match="'k'"):
        read_frame({"k": [2**64 - 1, -1]})


def test_records_need_not_have_the_same_keys():
    assert read_frame([{"a": 1}, {"b": "x"}]).read_all().to_pylist() == [{"a": 1, "b": None}, {"a": None, "b": "x"}]
    assert read_frame([]).read_all().num_columns == 0


@pytest.mark.parametrize(
    "data",
    ["abc", b"abc", 5, None, [1], [{"a": 1}, 2], np.zeros((2, 2)), pd.Series([1]), pa.array([1]), pl.LazyFrame(COLUMNS),
     (row for row in [{"a": 1}])],
    ids=lambda data: type(data).__name__,
)  # fmt: skip
def test_what_is_no_table_is_refused_by_its_type(data):
    with pytest.raises(TypeMismatchError, match=f"A {type(data).__name__} is no table"):
        read_frame(data)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"k": 5}, "'k'"), ({"k": [1], "n": [1, 2]}, "length"), ({"k": [2**70]}, "'k'"), ([{"k": 2**70}], "'k'"),
        (pd.DataFrame({"k": [2**70]}), "too large"), ({"k": [1, "a"]}, "'k'"),
        (pd.DataFrame({"k": [1, "a"]}), "column k"),
        ({"k": ["\ud800"]}, "'k'"), (pd.DataFrame({"k": [1j]}), "column k"), ({"k": [object()]}, "'k'"),
        ({1: [2]}, "names are text"), ([{1: 2}], "names are text"), (pd.DataFrame({1: [2]}), "names are text"),
        (pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", "b")])), "('a', 'b')"),
    ],
)  # fmt: skip
def test_columns_that_cannot_be_read_are_named(data, says):
    with pytest.raises(TypeMismatchError) as caught:
        read_frame(data)
    assert says in str(caught.value)
    assert caught.value.fix


@pytest.mark.parametrize(
    "data",
    [pd.DataFrame([[1, 2]], columns=["a", "a"]), pd.DataFrame([[1, 2]], columns=["a", "A"]), {"a": [1], "A": [2]}],
)
def test_columns_of_one_name_are_refused(data):
    with pytest.raises(SchemaError, match="there twice"):
        read_frame(data)


@pytest.mark.parametrize(
    "index", [pd.Index([4, 5, 6], name="id"), pd.MultiIndex.from_arrays([[1, 2, 3], [4, 5, 6]], names=[None, "id"])]
)
def test_an_index_with_a_name_is_a_column(index):
    frame = pd.DataFrame(COLUMNS, index=index)
    assert read_frame(frame).read_all().to_pydict() == {"id": [4, 5, 6], **COLUMNS}
    assert read_frame(frame.reset_index(drop=True)).read_all().to_pydict() == COLUMNS
    assert frame.index is index


def test_what_groups_leave_as_index_are_keys():
    frame = pd.DataFrame({"k": ["a", "a"], "at": [NOW, NOW], "n": [1, 2]}).groupby(["k", "at"]).sum()
    assert read_frame(frame).read_all().to_pydict() == {"k": ["a"], "at": [NOW], "n": [3]}


def test_an_index_that_has_the_name_of_a_column_is_refused():
    with pytest.raises(SchemaError, match="'n' is there twice"):
        read_frame(pd.DataFrame(COLUMNS, index=pd.Index([1, 2, 3], name="n")))
    with pytest.raises(TypeMismatchError, match="names are text"):
        read_frame(pd.DataFrame(COLUMNS, index=pd.Index([1, 2, 3], name=0)))


EAST = NOW.astimezone(timezone(timedelta(hours=1)))


@pytest.mark.parametrize("times", [[NOW, EAST], [NOW, NOW.replace(tzinfo=None)], [None, NOW, EAST]])
def test_a_column_of_several_zones_is_refused(times):
    for data in ({"t": times}, [{"t": t} for t in times], pd.DataFrame({"t": pd.Series(times, dtype=object)})):
        with pytest.raises(DataError, match="mixes the time zones") as caught:
            read_frame(data)
        assert caught.value.column == "t"
