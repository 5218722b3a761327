"""Where an entity is: distinct for distinct keys, and the same whether asked for one or for many."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.errors import ColumnNotFoundError, DataError, TypeMismatchError
from groundswell.online._keys import NOWHERE, KeyCodec, record_address, rows_prefix
from groundswell.tables import Definition
from groundswell.types import DURATION, TIME, TIMESTAMP, Schema

TABLE = "0123456789abcdef0123456789abcdef"
VALUES = {
    pa.bool_(): st.booleans(),
    pa.int8(): st.integers(-128, 127),
    pa.int16(): st.integers(-(2**15), 2**15 - 1),
    pa.int32(): st.integers(-(2**31), 2**31 - 1),
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.uint32(): st.integers(0, 2**32 - 1),
    pa.uint64(): st.integers(0, 2**64 - 1),
    TIME: st.times(),
    DURATION: st.integers(-(2**62), 2**62).map(lambda us: timedelta(microseconds=us)),
    pa.string(): st.text(),
    pa.binary(): st.binary(),
    pa.date32(): st.dates(),
    TIMESTAMP: st.datetimes(timezones=st.just(UTC)),
    pa.decimal128(20, 3): st.decimals(-(10**16), 10**16, places=3),
}


def codec(*kinds: pa.DataType, names: list[str] | None = None) -> KeyCodec:
    columns = {f"k{i}": kind for i, kind in enumerate(kinds)}
    definition = Definition.of("g", list(columns), None, None, Schema.of(columns | {"v": pa.int64()}))
    return KeyCodec(TABLE, definition, names)


def one(kind: pa.DataType, value: object) -> bytes:
    return codec(kind).address({"k0": value})


def test_values_that_look_alike_when_pasted_differ():
    two = codec(pa.string(), pa.string())
    assert two.address({"k0": "1", "k1": "11"}) != two.address({"k0": "11", "k1": "1"})
    assert two.address({"k0": "", "k1": "a"}) != two.address({"k0": "a", "k1": ""})
    assert one(pa.int64(), 1) != one(pa.string(), "1") != one(pa.binary(), b"1")
    assert one(pa.bool_(), True) != one(pa.int64(), 1)


def test_the_order_in_which_a_request_names_its_key_does_not_matter():
    two = codec(pa.string(), pa.int64())
    assert two.address({"k1": 5, "other": None, "k0": "x"}) == two.address({"k0": "x", "k1": 5})


def test_a_widened_integer_finds_what_was_written_before():
    assert len({one(kind, -7) for kind in (pa.int8(), pa.int16(), pa.int32(), pa.int64())}) == 1
    assert codec(pa.int8()).kinds == codec(pa.int64()).kinds
    assert codec(pa.decimal128(5, 1)).kinds != codec(pa.decimal128(5, 2)).kinds


def test_one_moment_is_one_address_whatever_its_zone():
    noon = datetime(2024, 1, 1, 12, tzinfo=UTC)
    assert one(TIMESTAMP, noon) == one(TIMESTAMP, noon.astimezone(timezone(timedelta(hours=5))))


def test_numpy_integers_are_integers():
    assert one(pa.int64(), np.int32(5)) == one(pa.int64(), 5)


def test_a_null_is_nowhere():
    assert codec(pa.int64()).address({"k0": None}) == NOWHERE
    two = codec(pa.string(), TIMESTAMP)
    assert two.address({"k0": "a", "k1": None}) == two.address({"k0": None, "k1": None}) == NOWHERE


def test_requests_may_hold_the_key_under_other_names():
    renamed = codec(pa.string(), names=["dest"])
    assert renamed.address({"dest": "EWR"}) == one(pa.string(), "EWR")
    assert renamed.addresses(pa.table({"dest": ["EWR"]})) == [one(pa.string(), "EWR")]


def test_tables_and_records_lie_apart():
    assert rows_prefix(TABLE) != rows_prefix(TABLE[::-1])
    assert not record_address(TABLE).startswith(rows_prefix(TABLE))
    assert one(pa.int64(), 1).startswith(rows_prefix(TABLE))


def test_no_key_is_too_long_for_a_store():
    long = one(pa.string(), "x" * 10_000)
    assert len(long) <= 400
    assert long != one(pa.string(), "x" * 9_999)
    assert long == codec(pa.string()).addresses(pa.table({"k0": ["x" * 10_000]}))[0]


@pytest.mark.parametrize("kind", VALUES, ids=str)
def test_one_and_many_agree_and_differ_where_values_do(kind):
    @settings(max_examples=40)
    @given(st.lists(st.one_of(st.none(), VALUES[kind]), max_size=10))
    def check(values):
        column = pa.array([None, *values], kind)[1:]  # a column that does not begin at its buffer's beginning
        many = codec(kind).addresses(pa.table({"k0": column}))
        assert many == [one(kind, value) for value in values]
        assert len(set(many)) == len(set(values))

    check()


@settings(max_examples=60)
@given(st.lists(st.tuples(st.text(max_size=3), st.binary(max_size=3), st.integers(-2, 2)), max_size=12))
def test_no_address_begins_another(keys):
    three = codec(pa.string(), pa.binary(), pa.int16())
    columns = {f"k{i}": pa.array([key[i] for key in keys], three._fields[i].type) for i in range(3)}
    addresses = set(three.addresses(pa.table(columns)))
    assert len(addresses) == len(set(keys))
    assert not any(a != b and a.startswith(b) for a in addresses for b in addresses)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (pa.int64(), "1"), (pa.int64(), 1.0), (pa.int64(), True), (pa.int64(), 2**63), (pa.int64(), -(2**63) - 1),
        (pa.string(), 1), (pa.string(), b"a"), (pa.binary(), "a"), (pa.bool_(), 1), (pa.date32(), "2024-01-01"),
        (pa.date32(), datetime(2024, 1, 1, tzinfo=UTC)), (TIMESTAMP, date(2024, 1, 1)), (TIMESTAMP, 5),
        (pa.decimal128(5, 2), 1.5), (pa.decimal128(5, 2), Decimal("1.555")), (pa.decimal128(5, 2), Decimal("NaN")),
        (pa.decimal128(5, 2), True),
    ],
)  # fmt: skip
def test_a_value_of_another_type_is_refused_by_name(kind, value):
    with pytest.raises(TypeMismatchError, match="'k0'") as raised:
        one(kind, value)
    assert raised.value.value is value


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(DataError, match="without a zone"):
        one(TIMESTAMP, datetime(2024, 1, 1))  # noqa: DTZ001


def test_a_column_of_another_type_is_refused():
    with pytest.raises(TypeMismatchError, match="int32"):
        codec(pa.int64()).addresses(pa.table({"k0": pa.array([1], pa.int32())}))


def test_a_missing_key_is_named_with_the_nearest():
    with pytest.raises(ColumnNotFoundError, match=r"'k0'.*'k00'"):
        codec(pa.int64()).address({"k00": 1})
    with pytest.raises(ColumnNotFoundError, match="'k1'"):
        codec(pa.int64(), pa.int64()).addresses(pa.table({"k0": [1]}))
    with pytest.raises(ColumnNotFoundError, match="'k1'"):
        codec(pa.int64(), pa.int64()).address({"k0": 1})
