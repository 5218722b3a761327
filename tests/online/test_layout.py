"""Rows to bytes and back: one at a time, many at once, under schemas that have changed since."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.errors import CorruptionError
from groundswell.online._decode import RowDecoder
from groundswell.online._encode import encode_rows, known_from
from groundswell.online._layout import ALWAYS, NEVER, Head, RowLayout
from groundswell.types import DURATION, TIME, TIMESTAMP, Schema

MOMENTS = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001
FLOATS = st.floats(allow_nan=False)
VALUES = {
    pa.bool_(): st.booleans(),
    pa.int8(): st.integers(-128, 127),
    pa.int16(): st.integers(-(2**15), 2**15 - 1),
    pa.int32(): st.integers(-(2**31), 2**31 - 1),
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.uint8(): st.integers(0, 255),
    pa.uint64(): st.integers(0, 2**64 - 1),
    TIME: st.times(),
    DURATION: st.integers(-(2**62), 2**62).map(lambda us: timedelta(microseconds=us)),
    pa.float16(): st.floats(width=16, allow_nan=False).map(np.float16),
    pa.list_(pa.float32(), 2): st.lists(st.floats(width=32, allow_nan=False), min_size=2, max_size=2),
    pa.float32(): st.floats(width=32, allow_nan=False),
    pa.float64(): FLOATS,
    pa.string(): st.text(max_size=5),
    pa.binary(): st.binary(max_size=5),
    pa.date32(): st.dates(),
    TIMESTAMP: MOMENTS,
    pa.decimal128(38, 4): st.decimals(-(10**20), 10**20, places=4),
    pa.list_(pa.float32()): st.lists(st.one_of(st.none(), st.floats(width=32, allow_nan=False)), max_size=3),
    pa.list_(pa.list_(pa.string())): st.lists(st.lists(st.text(max_size=2), max_size=2), max_size=2),
    pa.struct([("a", pa.int64()), ("b", pa.list_(TIMESTAMP))]): st.fixed_dictionaries(
        {"a": st.one_of(st.none(), st.integers(-5, 5)), "b": st.lists(MOMENTS, max_size=2)}
    ),
}


def schema_of(kinds: list[pa.DataType]) -> Schema:
    return Schema.of({"t": TIMESTAMP, "a": TIMESTAMP} | {f"c{i}": kind for i, kind in enumerate(kinds)})


def encode(rows: list[dict], schema: Schema, event_time: str | None = "t", available_at: str | None = "a"):
    layout = RowLayout(schema, event_time, available_at)
    batch = pa.RecordBatch.from_pylist(rows, schema.to_arrow())
    return layout, encode_rows(batch, layout, np.arange(len(rows)) + 5, 9)


def decode_one(decoder: RowDecoder, row: bytes) -> dict:
    names = [f.name for f in decoder.columns]
    return dict(zip(names, decoder.values(decoder.unpack(row), row), strict=True))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_what_goes_in_comes_out_whatever_the_types(data):
    kinds = data.draw(st.lists(st.sampled_from(list(VALUES)), max_size=9))
    schema = schema_of(kinds)
    row = st.fixed_dictionaries(
        {"t": MOMENTS, "a": MOMENTS} | {f"c{i}": st.one_of(st.none(), VALUES[kind]) for i, kind in enumerate(kinds)}
    )
    rows = data.draw(st.lists(row, min_size=1, max_size=5))
    layout, encoded = encode(rows, schema)
    batch = pa.RecordBatch.from_pylist(rows, schema.to_arrow())
    columns = data.draw(st.permutations(schema.fields))
    decoder = RowDecoder(layout, columns)
    assert [decode_one(decoder, row) for row in encoded] == rows
    records, table = decoder.table(encoded)
    table.validate(full=True)
    assert table.to_pylist() == rows
    assert records["version"].tolist() == [5 + i for i in range(len(rows))]
    assert encode_rows(batch.slice(1), layout, np.arange(1, len(rows)) + 5, 9) == encoded[1:]


def test_a_head_says_the_times_the_commit_and_from_when_the_row_counts():
    rows = [{"t": moment(10), "a": moment(30)}, {"t": moment(10), "a": moment(-30)}]
    _, (late, early) = encode(rows, schema_of([]))
    head = Head.STRUCT.unpack_from(late)
    assert head[Head.EVENT_TIME : Head.VERSION + 1] == (10, 30, 5)
    assert (head[Head.KNOWN], head[Head.NEXT], head[Head.EPOCH]) == (30, NEVER, 9)
    assert Head.STRUCT.unpack_from(early)[Head.KNOWN] == 10


def test_rows_without_times_count_ever_since():
    schema = Schema.of({"k": pa.int64()})
    layout, (row,) = encode([{"k": 1}], schema, None, None)
    assert Head.STRUCT.unpack_from(row)[Head.KNOWN : Head.AVAILABLE_AT + 1] == (ALWAYS,) * 3
    batch = pa.RecordBatch.from_pylist([{"k": 1}], schema.to_arrow())
    assert known_from(batch, None, None).tolist() == [ALWAYS]
    assert RowDecoder(layout, schema.fields).table([row])[1].to_pylist() == [{"k": 1}]


def test_what_stands_in_place_of_a_null_does_not_show():
    filled = pa.array([7.0, 2.0])
    hidden = pa.Array.from_buffers(filled.type, 2, [pa.py_buffer(b"\x02"), filled.buffers()[1]])
    schema = Schema.of({"v": pa.float64()})
    layout = RowLayout(schema, None, None)
    rows = encode_rows(pa.record_batch([hidden], names=["v"]), layout, np.array([5, 6]), 9)
    assert rows[0] == encode([{"v": None}], schema, None, None)[1][0]


def test_special_floats_keep_their_bits():
    schema = Schema.of({"v": pa.float64()})
    layout, rows = encode([{"v": v} for v in (float("nan"), float("inf"), -0.0)], schema, None, None)
    found = RowDecoder(layout, schema.fields).table(rows)[1]["v"].to_numpy()
    assert np.isnan(found[0])
    assert np.signbit(found[2])
    assert found[1] == np.inf


def test_a_column_that_came_later_is_null_in_older_rows():
    layout, rows = encode([{"t": moment(1), "a": moment(1), "c0": 5, "c1": "x"}], schema_of([pa.int32(), pa.string()]))
    newer = schema_of([pa.int64(), pa.string(), pa.list_(pa.float64()), pa.float64()])
    decoder = RowDecoder(layout, newer.fields)
    expected = {"t": moment(1), "a": moment(1), "c0": 5, "c1": "x", "c2": None, "c3": None}
    assert decode_one(decoder, rows[0]) == expected
    table = decoder.table(rows)[1]
    assert table.to_pylist() == [expected]
    assert table.schema.types == [f.type for f in newer]


def test_schemas_that_differ_have_different_tags():
    one = Schema.of({"a": pa.int64(), "b": pa.int64()})
    layouts = [
        RowLayout(one, None, None),
        RowLayout(Schema.of({"b": pa.int64(), "a": pa.int64()}), None, None),
        RowLayout(Schema.of({"a": pa.int64(), "b": pa.int32()}), None, None),
        RowLayout(schema_of([]), "t", None),
        RowLayout(schema_of([]), "t", "a"),
    ]
    assert len({layout.tag for layout in layouts}) == len(layouts)
    assert RowLayout(one, None, None).tag == layouts[0].tag


def test_some_columns_come_out_in_the_order_asked_for():
    layout, rows = encode(
        [{"t": moment(1), "a": moment(2), "c0": 1.0, "c1": 2.0, "c2": 3.0}], schema_of([pa.float64()] * 3)
    )
    decoder = RowDecoder(layout, [layout.schema["c2"], layout.schema["c0"]])
    assert decode_one(decoder, rows[0]) == {"c2": 3.0, "c0": 1.0}
    assert decoder.pick(decoder.unpack(rows[0])) == (3.0, 1.0)
    assert RowDecoder(layout, []).table(rows)[1].num_columns == 0


KINDS = [pa.int64(), pa.string(), pa.list_(pa.int64()), pa.date32(), pa.decimal128(9, 2)]
ROW = {"c0": 1, "c1": "text", "c2": [1, 2], "c3": date(2024, 2, 3), "c4": Decimal("1.25")}


@pytest.mark.parametrize(
    "damage", [lambda row: row[:-1], lambda row: row + b"x", lambda row: row[:60], lambda _: b"12345678"]
)
def test_a_damaged_row_is_named_as_such(damage):
    layout, (row,) = encode([ROW | {"t": moment(1), "a": moment(1)}], schema_of(KINDS))
    decoder = RowDecoder(layout, layout.schema.fields)
    with pytest.raises(CorruptionError, match="rebuild"):
        decoder.table([row, damage(row)])


def test_a_damaged_message_is_named_as_such():
    layout, (row,) = encode([ROW | {"t": moment(1), "a": moment(1)}], schema_of(KINDS))
    decoder = RowDecoder(layout, [layout.schema["c2"]])
    for place in range(layout.row.size + 4, len(row)):
        damaged = row[:place] + bytes([row[place] ^ 0x80]) + row[place + 1 :]
        try:
            decode_one(decoder, damaged)
        except CorruptionError:
            continue


def moment(us: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)
