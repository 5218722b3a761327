"""Casts value by value: what comes out equals what went in, or the error names it."""

import math
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundswell.errors import DataError, TypeMismatchError
from groundswell.tables import cast_column
from groundswell.types import DURATION, TIME, TIMESTAMP, Field, canonical_type

INTEGERS = [pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint64()]
NUMBERS = [*INTEGERS, pa.float16(), pa.float32(), pa.float64(), pa.decimal128(9, 2), pa.decimal128(38, 0)]
SOURCES = [*NUMBERS, pa.uint32(), pa.decimal128(20, 5)]
numbers = st.one_of(
    st.integers(-(2**66), 2**66),
    st.sampled_from([0, 1, -1, 127, 128, 2**24, 2**24 + 1, 2**53, 2**53 + 1, 2**63 - 1, 2**63]),
    st.floats(allow_nan=True, allow_infinity=True),
    st.sampled_from([0.5, 0.25, 0.125, 0.1, 1e300, 16777217.0, 2.0**63]),
    st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**6), max_value=10**6),
)


EXACT = Context(prec=700)


def field(kind: pa.DataType) -> Field:
    return Field("x", kind)


def as_float(value, kind: pa.DataType) -> np.floating:
    with np.errstate(all="ignore"):
        return np.dtype(kind.to_pandas_dtype()).type(float(value))


def representable(value, kind: pa.DataType) -> bool:
    """Whether the type has exactly this number; integers reach as far as the float holds every one of them."""
    if pa.types.is_floating(kind):
        if isinstance(value, float):
            return math.isnan(value) or float(as_float(value, kind)) == value
        if isinstance(value, int):
            return abs(value) <= 2 ** {pa.float16(): 11, pa.float32(): 24, pa.float64(): 53}[kind]
        return Decimal(str(as_float(value, kind))) == value
    if isinstance(value, float) and not math.isfinite(value):
        return False
    if pa.types.is_decimal(kind):
        scaled = EXACT.scaleb(Decimal(value), kind.scale)
        if isinstance(value, float):  # rounding and back gives the same float: so 0.1 may be stored as 0.10
            rounded = scaled.to_integral_value(ROUND_HALF_EVEN, EXACT)
            return float(EXACT.scaleb(rounded, -kind.scale)) == value and abs(rounded) < 10**kind.precision
        return scaled == scaled.to_integral_value(context=EXACT) and abs(scaled) < 10**kind.precision
    low, high = np.iinfo(kind.to_pandas_dtype()).min, np.iinfo(kind.to_pandas_dtype()).max
    return value == int(value) and low <= value <= high


def equal(left, right) -> bool:
    return left == right or (isinstance(left, float) and isinstance(right, float) and left != left and right != right)


@given(st.lists(st.none() | numbers, min_size=1, max_size=5), st.sampled_from(SOURCES), st.sampled_from(NUMBERS))
def test_a_number_comes_out_as_it_went_in_or_its_row_is_named(values, source, wanted):
    values = [v for v in values if v is None or representable(v, source)]
    column = pa.array([exactly(v, source) for v in values], source)
    before = column.to_pylist()
    bad = [i for i, v in enumerate(before) if v is not None and not representable(v, wanted)]
    if bad:
        with pytest.raises(TypeMismatchError) as caught:
            cast_column(column, field(wanted), offset=10)
        assert caught.value.row == 10 + bad[0]
        assert equal(caught.value.value, before[bad[0]])
        return
    out = cast_column(column, field(wanted), offset=10)
    assert out.type == wanted
    for value, after in zip(before, out.to_pylist(), strict=True):
        assert value is after is None or equal(*alike(value, after, wanted))


def alike(value, after, kind: pa.DataType) -> tuple:
    """Both as one of Python's types: a decimal is compared with the digits that a float shows."""
    if isinstance(value, Decimal) and isinstance(after, float):
        return value, Decimal(str(as_float(after, kind)))
    return (value, float(after)) if isinstance(value, float) else (value, after)


def exactly(value, kind: pa.DataType):
    if value is None:
        return None
    if pa.types.is_decimal(kind):
        return Decimal(value).quantize(Decimal(1).scaleb(-kind.scale), context=EXACT)
    return int(value) if pa.types.is_integer(kind) else as_float(value, kind)


PAIRS = {
    "integer in a decimal column": ([5], pa.int64(), pa.decimal128(5, 2), [Decimal("5.00")]),
    "whole float": ([3.0], pa.float64(), pa.int8(), [3]),
    "large text": (["a", None], pa.large_string(), pa.string(), ["a", None]),
    "text view": (["a" * 50, None], pa.string_view(), pa.string(), ["a" * 50, None]),
    "fixed bytes": ([b"ab", None], pa.binary(2), pa.binary(), [b"ab", None]),
    "day in milliseconds": ([date(2020, 1, 1), None], pa.date64(), pa.date32(), [date(2020, 1, 1), None]),
    "only nulls": ([None, None], pa.null(), pa.list_(pa.int8()), [None, None]),
    "fixed list": ([[1, 2], None], pa.list_(pa.int8(), 2), pa.list_(pa.int64()), [[1, 2], None]),
    "vector": ([[1, 2], None], pa.large_list(pa.int8()), pa.list_(pa.float32(), 2), [[1.0, 2.0], None]),
    "views of lists": ([[1, 2], None], pa.list_view(pa.int8()), pa.list_(pa.int8()), [[1, 2], None]),
    "time of day": ([time(23, 59, 59), None], pa.time32("s"), TIME, [time(23, 59, 59), None]),
    "duration": ([timedelta(days=-5), None], pa.duration("s"), DURATION, [timedelta(days=-5), None]),
    "decimal of many digits": (
        [Decimal("1.5"), None],
        pa.decimal256(60, 2),
        pa.decimal128(9, 2),
        [Decimal("1.50"), None],
    ),
    "large list": ([[1, None], None, []], pa.large_list(pa.int8()), pa.list_(pa.float64()), [[1.0, None], None, []]),
    "struct in another order": (
        [{"b": 1, "a": "x"}, None],
        pa.struct([("b", pa.int8()), ("a", pa.large_string())]),
        pa.struct([("a", pa.string()), ("b", pa.int64())]),
        [{"a": "x", "b": 1}, None],
    ),
    "times in a list": (
        [["2020-01-01T01:00+01:00"], None],
        pa.list_(pa.string()),
        pa.list_(TIMESTAMP),
        [[datetime(2020, 1, 1, tzinfo=UTC)], None],
    ),
}


@pytest.mark.parametrize("name", PAIRS)
def test_representations_change_and_values_do_not(name):
    values, given_type, wanted, expected = PAIRS[name]
    wanted = canonical_type(wanted)
    column = pa.array([None, *values, None], given_type)
    assert cast_column(column, field(wanted)).to_pylist() == [None, *expected, None]
    sliced = cast_column(column.slice(1, len(values)), field(wanted))
    assert sliced.to_pylist() == expected
    assert sliced.type == wanted
    sliced.validate(full=True)


@pytest.mark.parametrize("values", [pa.string(), pa.large_string(), pa.string_view()], ids=str)
def test_dictionaries_become_their_values(values):
    column = pa.DictionaryArray.from_arrays(pa.array([0, None, 1, 0]), pa.array(["a", "b"]).cast(values))
    assert cast_column(column, field(pa.string())).to_pylist() == ["a", None, "b", "a"]


@pytest.mark.parametrize("dtype", [pl.Categorical, pl.Enum(["a", "b"])], ids=str)
def test_categories_of_polars_become_texts(dtype):
    series = pl.Series("x", ["a", None, "b"], dtype=dtype)
    column = pa.RecordBatchReader.from_stream(series.to_frame()).read_all().combine_chunks()["x"].chunk(0)
    assert cast_column(column, field(pa.string())).to_pylist() == ["a", None, "b"]


@pytest.mark.parametrize(
    ("values", "given_type", "wanted"),
    [
        (["12"], pa.string(), pa.int64()), ([12], pa.int64(), pa.string()), ([True], pa.bool_(), pa.int8()),
        ([1], pa.int8(), pa.bool_()), (["2020-01-01"], pa.string(), pa.date32()), ([1], pa.int64(), TIMESTAMP),
        ([[1]], pa.list_(pa.int8()), pa.int8()), ([["1"]], pa.list_(pa.string()), pa.list_(pa.int64())),
        ([{"a": 1}], pa.struct([("a", pa.int8())]), pa.struct([("a", pa.int8()), ("b", pa.int8())])),
        ([{"a": 1, "b": 2}], pa.struct([("a", pa.int8()), ("b", pa.int8())]), pa.struct([("a", pa.int8())])),
        ([{"a": "1"}], pa.struct([("a", pa.string())]), pa.struct([("a", pa.int8())])),
        ([b"a"], pa.binary(), pa.string()), ([datetime(2020, 1, 1)], pa.timestamp("us"), pa.date32()),  # noqa: DTZ001
    ],
    ids=str,
)  # fmt: skip
def test_values_of_another_kind_are_refused_even_where_they_could_be_read_as_one(values, given_type, wanted):
    for column in (pa.array(values, given_type), pa.array([], given_type)):
        with pytest.raises(TypeMismatchError, match=r"Column 'x[.\[\]a]*' has the type"):
            cast_column(column, field(canonical_type(wanted)))


@pytest.mark.parametrize(
    ("values", "given_type", "wanted"),
    [
        ([[0.5], [0.5, 0.1]], pa.list_(pa.float64()), pa.list_(pa.float32())),
        ([[1], [1, 300]], pa.list_(pa.int64()), pa.list_(pa.int8())),
        ([[1, 2], [1, 2, 3]], pa.list_(pa.int8()), pa.list_(pa.int8(), 2)),
        ([{"a": 1}, {"a": 300}], pa.struct([("a", pa.int64())]), pa.struct([("a", pa.int8())])),
    ],
    ids=str,
)
def test_the_row_is_named_where_an_inner_value_would_change(values, given_type, wanted):
    with pytest.raises(TypeMismatchError, match="row 1") as caught:
        cast_column(pa.array(values, given_type), field(canonical_type(wanted)))
    assert caught.value.value == values[1]


def test_naive_times_inside_lists_are_refused_like_any():
    column = pa.array([[datetime(2020, 1, 1)]], pa.list_(pa.timestamp("us")))  # noqa: DTZ001
    with pytest.raises(DataError, match="without a time zone"):
        cast_column(column, field(canonical_type(pa.list_(TIMESTAMP))))
    out = cast_column(column, field(canonical_type(pa.list_(TIMESTAMP))), time_zone="Asia/Tokyo")
    assert out.to_pylist() == [[datetime(2019, 12, 31, 15, tzinfo=UTC)]]


def test_a_date_that_python_cannot_hold_is_refused():
    with pytest.raises(TypeMismatchError, match=r"row 1.*9999"):
        cast_column(pa.array([0, 3_000_000], pa.int32()).cast(pa.date32()), field(pa.date32()))


@pytest.mark.parametrize(
    ("column", "says"),
    [
        (pa.array([0, 86_400_000_000], pa.int64()).cast(pa.time64("us")), "24 hours"),
        (pa.array([0, -1], pa.int64()).cast(pa.time64("us")), "24 hours"),
        (pa.array([0, 1], pa.int64()).cast(pa.time64("ns")), "lose data"),
    ],
)
def test_what_is_no_time_of_day_is_refused(column, says):
    with pytest.raises(TypeMismatchError, match=f"row 1.*{says}"):
        cast_column(column, field(TIME))


@pytest.mark.parametrize("number", [1, 2**62])
def test_a_duration_that_microseconds_cannot_hold_is_refused(number):
    column = pa.array([0, number], pa.int64()).cast(pa.duration("ns" if number == 1 else "s"))
    with pytest.raises(TypeMismatchError, match="row 1"):
        cast_column(column, field(DURATION))
