"""Whatever holds a table becomes a source that can be read again, and is opened no more often than it is read."""

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from groundswell.engines import ArrowRows, as_scannable
from groundswell.errors import CorruptionError, SchemaError

TABLE = pa.table({"a": np.arange(100.0), "b": np.arange(100)})


class Stream:
    """Gives a new stream each time, and counts how often it was asked."""

    opened = 0

    def __arrow_c_stream__(self, requested_schema=None):
        self.opened += 1
        return TABLE.__arrow_c_stream__(requested_schema)


def read(source):
    parts = [part() for part in source.parts(["a", "b"])]
    return pa.concat_tables([part if isinstance(part, pa.Table) else pa.Table.from_batches([part]) for part in parts])


def test_every_form_can_be_read_twice(tmp_path):
    pq.write_table(TABLE, tmp_path / "rows.parquet")
    path = tmp_path / "rows.parquet"
    forms = [path, str(path), str(tmp_path), TABLE, TABLE.to_reader(9), pl.from_arrow(TABLE), duckdb.from_arrow(TABLE)]
    for form in [*forms, ArrowRows(TABLE), Stream()]:
        source = as_scannable(form)
        assert read(source).equals(TABLE)
        assert read(source).equals(TABLE)
    assert as_scannable(source) is source


def test_a_stream_is_opened_once_for_each_pass():
    stream = Stream()
    source = as_scannable(stream)
    read(source)
    assert stream.opened == 1
    read(source)
    assert stream.opened == 2


def test_what_is_no_table_is_refused(tmp_path):
    with pytest.raises(CorruptionError, match="no Parquet file"):
        as_scannable(tmp_path)
    with pytest.raises(SchemaError, match="'a'"):
        as_scannable(pa.Table.from_arrays(TABLE.columns, ["a", "a"]))
