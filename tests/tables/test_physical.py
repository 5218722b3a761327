"""Types in files: every value comes back, and Delta Lake takes each of the types."""

from datetime import time, timedelta

import numpy as np
import pyarrow as pa
import pytest
from deltalake import DeltaTable

from groundswell.tables import physical_schema, physical_type, to_physical
from groundswell.types import DURATION, TIME, canonical_type

VALUES = {
    pa.uint8(): [0, 255], pa.uint16(): [0, 2**16 - 1], pa.uint32(): [0, 2**32 - 1],
    pa.uint64(): [0, 2**53 + 1, 2**63, 2**64 - 1],
    pa.float16(): [0.0, -0.0, 65504.0, 6e-8, float("inf"), 0.1],
    TIME: [time(0), time(23, 59, 59, 999999)],
    DURATION: [timedelta(microseconds=-(2**62)), timedelta(0), timedelta(microseconds=2**62)],
}  # fmt: skip


@pytest.mark.parametrize("kind", VALUES, ids=str)
@pytest.mark.parametrize("depth", range(4))
def test_every_value_comes_back(kind, depth, tmp_path):
    plain = [*map(np.float16, VALUES[kind])] if kind == pa.float16() else VALUES[kind]
    column = pa.array([*plain, None], kind)
    if depth:
        column = pa.StructArray.from_arrays([column], fields=[pa.field("a", kind)])
    if depth == 2:
        column = pa.ListArray.from_arrays(pa.array([0, 1, None, len(column)], pa.int32()), column)
    if depth == 3:
        column = pa.FixedSizeListArray.from_arrays(column, 1)
    column = column.cast(canonical_type(column.type))
    batch = pa.record_batch({"x": column})
    stored = to_physical(batch, physical_schema(batch.schema))
    assert stored.column(0).type == physical_type(column.type) != column.type
    back = stored.column(0).cast(column.type)
    assert back.equals(column)
    assert list(map(repr, back.to_pylist())) == list(map(repr, column.to_pylist()))
    DeltaTable.create(tmp_path / "delta", schema=stored.schema)
    assert pa.schema(DeltaTable(tmp_path / "delta").schema().to_arrow()) == stored.schema


def test_what_files_can_hold_is_not_touched():
    batch = pa.record_batch({"x": pa.array([1, 2], pa.int64())})
    assert to_physical(batch, physical_schema(batch.schema)).column(0) is batch.column(0) or (
        to_physical(batch, physical_schema(batch.schema)).column(0).buffers()[1].address
        == batch.column(0).buffers()[1].address
    )
