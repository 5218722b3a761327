"""Encodings of columns: chosen by type and by whether whole numbers repeat, and read back unchanged."""

from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from groundswell.tables import Definition
from groundswell.tables._encodings import Encodings, choose_encodings
from groundswell.tables._staging import stage
from groundswell.types import Schema

N = 1_000


@pytest.fixture(scope="module")
def rows() -> pa.RecordBatch:
    """Columns of all sorts."""
    return pa.record_batch(
        {
            "key": pa.array([(i * 7_919) % N - 500 for i in range(N)]),
            "narrow": pa.array([i % 251 - 125 for i in range(N)], pa.int8()),
            "repeated": pa.array([2**62 - i % 3 * 2**61 for i in range(N)]),
            "at": pa.array([datetime(2024, 1, 1, tzinfo=UTC)] * N, pa.timestamp("us", "UTC")),
            "day": pa.array([date(2024, 1, 1 + i % 31) for i in range(N)]),
            "share": pa.array([i / N if i % 5 else None for i in range(N)]),
            "text": pa.array([str(i) for i in range(N)]),
            "flag": pa.array([i % 2 == 0 for i in range(N)]),
            "wide": pa.array(list(range(2**63 - N, 2**63)), pa.uint64()),
        }
    )


def test_whole_numbers_that_repeat_have_a_dictionary(rows: pa.RecordBatch) -> None:
    assert choose_encodings(rows.drop_columns(["wide", "narrow"])) == Encodings(
        dictionary=("repeated", "text", "flag"), differences=("key", "at", "day")
    )


def test_files_hold_what_was_written_in_the_encodings_chosen(rows: pa.RecordBatch, tmp_path: Path) -> None:
    definition = Definition.of("rows", ["key"], "at", None, Schema.from_arrow(rows.schema))
    stored = rows.cast(definition.schema.to_arrow())
    (file,) = stage(tmp_path, [stored], definition)
    columns = pq.read_metadata(file.path).row_group(0)
    encodings = {columns.column(i).path_in_schema: columns.column(i).encodings for i in range(columns.num_columns)}
    assert "DELTA_BINARY_PACKED" in encodings["key"]
    assert "RLE_DICTIONARY" in encodings["repeated"]
    read = pq.read_table(file.path).select(rows.schema.names)
    assert [c.to_pylist() for c in read.columns] == [c.to_pylist() for c in rows.columns]
