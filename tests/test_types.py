import re
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundswell.errors import ColumnNotFoundError, DataError, InvalidNameError, SchemaError, TypeMismatchError
from groundswell.types import (
    DURATION,
    TIME,
    TIMESTAMP,
    Field,
    Schema,
    canonical_type,
    check_name,
    is_numeric,
    parse_duration,
    parse_instant,
    type_from_name,
    type_name,
)

SIMPLE = [
    pa.bool_(), pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.float32(), pa.float64(), pa.string(), pa.binary(),
    pa.date32(), TIMESTAMP, TIME, DURATION, pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64(), pa.float16(),
    pa.decimal128(20, 3), pa.decimal128(38, 38),
]  # fmt: skip
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
kinds = st.recursive(
    st.sampled_from(SIMPLE),
    lambda inner: (
        st.builds(lambda kind, size: pa.list_(pa.field("element", kind), size), inner, st.sampled_from([-1, 1, 30]))
        | st.builds(
            lambda fields: pa.struct([pa.field(name, kind) for name, kind in fields.items()]),
            st.dictionaries(names, inner, min_size=1, max_size=3).filter(lambda fields: _distinct(fields)),
        )
    ),
    max_leaves=6,
)


@given(kinds)
def test_a_type_is_read_back_from_its_name(kind):
    assert type_from_name(type_name(kind)) == kind
    assert canonical_type(kind) == kind


@given(st.dictionaries(names, st.tuples(kinds, st.booleans()), max_size=5).filter(lambda d: _distinct(d)))
def test_a_schema_is_read_back_from_arrow_and_from_json(columns):
    schema = Schema(tuple(Field(name, kind, nullable) for name, (kind, nullable) in columns.items()))
    assert Schema.from_dict(schema.to_dict()) == schema
    assert Schema.from_arrow(schema.to_arrow()) == schema


def _distinct(columns):
    return len({name.casefold() for name in columns}) == len(columns)


@pytest.mark.parametrize(
    "text",
    ["", "list<", "list<int64", "list<int64x>", "list<int64>>", "struct<", 'struct<"a"', 'struct<"a": int64',
     'struct<"a": int64 "b": int64>', 'struct<"a", int64>', "struct<a: int64>", "struct<5: int64>", "int65", "int64 "],
)  # fmt: skip
def test_what_is_no_type_is_refused_by_name(text):
    with pytest.raises(TypeMismatchError):
        type_from_name(text)


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        (pa.uint64(), pa.uint64()), (pa.float16(), pa.float16()), (pa.time32("s"), TIME), (pa.time64("ns"), TIME),
        (pa.duration("s"), DURATION), (pa.decimal128(5, -2), pa.decimal128(7, 0)),
        (pa.decimal128(2, 5), pa.decimal128(5, 5)), (pa.decimal256(38, 2), pa.decimal128(38, 2)),
        (pa.large_string(), pa.string()), (pa.string_view(), pa.string()), (pa.binary_view(), pa.binary()),
        (pa.binary(16), pa.binary()), (pa.date64(), pa.date32()), (pa.timestamp("ns", "Europe/Stockholm"), TIMESTAMP),
        (pa.timestamp("s"), TIMESTAMP), (pa.decimal32(5, 2), pa.decimal128(5, 2)),
        (pa.dictionary(pa.int8(), pa.large_string()), pa.string()),
        (pa.list_(pa.uint8(), 3), pa.list_(pa.field("element", pa.uint8()), 3)),
        (pa.large_list(pa.string_view()), pa.list_(pa.field("element", pa.string()))),
        (pa.struct([pa.field("a", pa.uint8(), nullable=False)]), pa.struct([pa.field("a", pa.uint8())])),
        (pa.list_view(pa.int8()), pa.list_(pa.field("element", pa.int8()))),
    ],
)  # fmt: skip
def test_types_become_those_that_tables_have(given, stored):
    assert canonical_type(given) == stored


@pytest.mark.parametrize(
    "kind",
    [pa.null(), pa.map_(pa.string(), pa.int8()), pa.decimal256(40, 2), pa.decimal128(38, -1), pa.list_(pa.null()),
     pa.struct([("a", pa.null())]), pa.struct([]), pa.list_(pa.int8(), 0), pa.uuid(), pa.month_day_nano_interval()],
    ids=str,
)  # fmt: skip
def test_types_that_cannot_be_stored_are_refused_with_a_way_out(kind):
    with pytest.raises(TypeMismatchError, match="'x'") as caught:
        canonical_type(kind, "x")
    assert caught.value.why
    assert caught.value.fix


def test_a_struct_with_two_fields_of_one_name_is_refused():
    with pytest.raises(SchemaError, match="'A' is there twice"):
        canonical_type(pa.struct([("a", pa.int8()), ("A", pa.int8())]))


def test_columns_whose_names_differ_in_case_only_are_refused():
    with pytest.raises(SchemaError, match=r"'Temp' is there twice \(as 'temp' and 'Temp'\)"):
        Schema.of({"temp": pa.int8(), "Temp": pa.int8()})


def test_a_column_that_is_there_twice_is_refused():
    name = "temp"
    with pytest.raises(SchemaError, match=r"'temp' is there twice\."):
        Schema((Field(name, pa.int8()), Field(name, pa.int8())))


def test_a_schema_names_the_nearest_column():
    with pytest.raises(ColumnNotFoundError, match="Did you mean 'temp'"):
        Schema.of({"temp": pa.int8()})["tmep"]


def test_a_schema_shows_itself():
    schema = Schema((Field("<b>", pa.int8(), nullable=False), Field("t", TIMESTAMP)))
    assert repr(schema) == "Schema(<b>: int8 not null, t: timestamp)"
    assert "&lt;b&gt;" in schema._repr_html_()
    assert schema.names == ["<b>", "t"]
    assert "t" in schema
    assert len(schema) == 2


@pytest.mark.parametrize("kind", [pa.int8(), pa.float16(), pa.decimal128(3, 1), pa.bool_()])
def test_numbers_and_booleans_are_numeric(kind):
    assert is_numeric(kind)
    assert not is_numeric(pa.string())


@given(st.text(max_size=140))
def test_a_name_is_taken_or_the_message_offers_one_that_is(name):
    try:
        assert re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,127}", check_name(name, "feature group"))
    except InvalidNameError as error:
        (offered,) = re.findall(r"Use '(.*)', for example\.", error.fix)
        assert check_name(offered, "feature group") == offered


@pytest.mark.parametrize(
    "name", ["../x", "a/b", "a.b", "", "1a", "é", "a\n", "NUL", "com1", "latest", None, 5, "x" * 129]
)
def test_names_that_mean_something_to_file_systems_are_refused(name):
    with pytest.raises(InvalidNameError):
        check_name(name, "model")


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2013-11-01", datetime(2013, 11, 1, tzinfo=UTC)),
        ("2013-11-01T15:00Z", datetime(2013, 11, 1, 15, tzinfo=UTC)),
        ("2013-11-01T15:00+01:00", datetime(2013, 11, 1, 14, tzinfo=UTC)),
        (date(2013, 11, 1), datetime(2013, 11, 1, tzinfo=UTC)),
        (datetime(2013, 11, 1), datetime(2013, 11, 1, tzinfo=UTC)),  # noqa: DTZ001
        (datetime(2013, 11, 3, 1, 30, fold=1, tzinfo=ZoneInfo("America/New_York")),
         datetime(2013, 11, 3, 6, 30, tzinfo=UTC)),
        (pd.Timestamp("2013-11-01T15:00", tz="Europe/Stockholm"), datetime(2013, 11, 1, 14, tzinfo=UTC)),
    ],
)  # fmt: skip
def test_moments_are_read_from_texts_dates_and_datetimes(value, moment):
    assert parse_instant(value) == moment
    assert type(parse_instant(value)) is datetime
    assert parse_instant(value).tzinfo is UTC


@pytest.mark.parametrize(
    "value",
    ["tomorrow", "", 5, None, pd.NaT, np.datetime64("2013-11-01"), pd.Timestamp("2013-11-01T00:00:00.000000001"),
     "0001-01-01T00:00+14:00", "9999-12-31T23:59-01:00",
     datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=1)))],
    ids=str,
)  # fmt: skip
def test_what_is_no_moment_is_refused_with_its_value(value):
    with pytest.raises(DataError, match="the start") as caught:
        parse_instant(value, "the start")
    assert caught.value.value is value
    assert caught.value.fix


@given(st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 1, 1), timezones=st.timezones()))  # noqa: DTZ001
def test_a_moment_is_the_same_moment_in_utc(moment):
    assert parse_instant(moment) == moment.astimezone(UTC)
    assert parse_instant(parse_instant(moment).isoformat()) == moment.astimezone(UTC)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("90s", timedelta(seconds=90)), ("3h", timedelta(hours=3)), ("1d 12h", timedelta(hours=36)),
        ("1d12h", timedelta(hours=36)), ("2 weeks", timedelta(weeks=2)), ("5 minutes", timedelta(minutes=5)),
        ("1.5h", timedelta(minutes=90)), ("0.1s", timedelta(microseconds=100_000)), ("9 ms", timedelta(milliseconds=9)),
        ("7us", timedelta(microseconds=7)), ("0s", timedelta()), (timedelta(hours=1), timedelta(hours=1)),
        (pd.Timedelta("1h"), timedelta(hours=1)),
    ],
)  # fmt: skip
def test_durations_are_read_exactly(text, length):
    assert parse_duration(text) == length


@pytest.mark.parametrize(
    "value",
    ["", "3", "h", "3 fortnights", "-3h", "3h later", "1e3s", 5, None, timedelta(-1), "999999999999d", "\u0663 h x"],
    ids=str,
)
def test_what_is_no_duration_is_refused_with_its_value(value):
    with pytest.raises(DataError, match="max_age") as caught:
        parse_duration(value, "max_age")
    assert caught.value.value is value
    assert caught.value.fix
