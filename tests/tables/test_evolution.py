"""What a definition may become while its rows stay."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundswell.errors import GroundswellError, SchemaError
from groundswell.tables import Definition, append_features, make_nullable, widen
from groundswell.types import DURATION, TIME, TIMESTAMP, Field, Schema

BASE = Definition.of(
    "g",
    ["k"],
    "t",
    None,
    Schema((Field("k", pa.int32()), Field("t", TIMESTAMP), Field("v", pa.int8(), nullable=False))),
)
INTEGERS = [
    pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64(),
]  # fmt: skip
FLOATS = [pa.float16(), pa.float32(), pa.float64()]


def with_type(kind: pa.DataType) -> Definition:
    return append_features(BASE, {"x": kind}, {})


def test_appended_columns_come_last_and_count_as_a_version():
    after = append_features(BASE, {"x": pa.large_string(), "y": pa.field("other", pa.int8(), nullable=False)}, {"y": 5})
    assert after.schema.names == ["k", "t", "v", "x", "y"]
    assert after.schema["x"] == Field("x", pa.string())
    assert not after.schema["y"].nullable
    assert after.schema_version == 2
    assert after.defaults == (("y", "5"),)
    assert Definition.from_dict(after.to_dict()) == after
    assert append_features(after, {"z": pa.int8()}, {"z": 6}).defaults == (("y", "5"), ("z", "6"))


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (pa.bool_(), True, "True"), (pa.uint64(), 2**64 - 1, "18446744073709551615"), (pa.float64(), 0.1, "0.1"),
        (pa.float32(), float("nan"), "nan"), (pa.float16(), np.float16(0.5), "0.5"), (pa.string(), "it's", "it's"),
        (pa.binary(), b"\x00\xff", "00ff"), (pa.decimal128(38, 30), Decimal("1E-30"), "0." + "0" * 29 + "1"),
        (pa.date32(), date(1, 1, 1), "0001-01-01"), (TIME, time(0, 0, 1), "1000000"),
        (TIMESTAMP, datetime(2024, 1, 1, tzinfo=UTC), "2024-01-01T00:00:00+00:00"), (pa.int8(), None, None),
        (TIMESTAMP, "2024-01-01T01:00+01:00", "2024-01-01T00:00:00+00:00"), (DURATION, timedelta(-1), "-86400000000"),
    ],
    ids=str,
)  # fmt: skip
def test_a_default_is_kept_as_text(kind, value, text):
    assert dict(append_features(BASE, {"x": kind}, {"x": value}).defaults).get("x") == text


@pytest.mark.parametrize(
    ("features", "default", "says"),
    [
        ({}, {}, "names no features"), ([("x", pa.int8())], {}, "names no features"),
        ({"V": pa.int8()}, {}, "'V' is there twice"), ({"x": pa.int8(), "X": pa.int8()}, {}, "twice"),
        ({"x": pa.null()}, {}, "cannot be stored"), ({"x": "int8"}, {}, "for a type"),
        ({5: pa.int8()}, {}, "names no feature"), ({"__gs_x": pa.int8()}, {}, "__gs_"),
        ({"": pa.int8()}, {}, "cannot name"), ({"x": pa.int8()}, {"y": 5}, "not appended"),
        ({"x": pa.int8()}, {"x": 300}, "300"), ({"x": pa.int8()}, {"x": "5"}, "has the type string"),
        ({"x": pa.int8()}, {"x": object()}, "cannot be the default"), ({"x": pa.int8()}, {"x": 2**64}, "default"),
        ({"x": pa.list_(pa.int8())}, {"x": [1]}, "cannot have"),
        ({"x": TIMESTAMP}, {"x": datetime(2024, 1, 1)}, "time zone"),  # noqa: DTZ001
        ({"x": pa.field("x", pa.int8(), nullable=False)}, {}, "no default"),
        ({"x": pa.field("x", pa.int8(), nullable=False)}, {"x": None}, "no default"),
    ],
)  # fmt: skip
def test_features_that_cannot_be_appended_are_refused(features, default, says):
    with pytest.raises(GroundswellError, match=says) as caught:
        append_features(BASE, features, default)
    assert caught.value.fix


@given(st.sampled_from(INTEGERS), st.sampled_from(INTEGERS))
def test_integers_widen_to_those_that_hold_all_their_values(narrow, wide):
    limits = {kind: (np.iinfo(kind.to_pandas_dtype()).min, np.iinfo(kind.to_pandas_dtype()).max) for kind in INTEGERS}
    holds = limits[wide][0] <= limits[narrow][0] <= limits[narrow][1] <= limits[wide][1]
    check(narrow, wide, holds)


@given(st.sampled_from(FLOATS), st.sampled_from(FLOATS))
def test_floats_widen_to_longer_ones(narrow, wide):
    check(narrow, wide, FLOATS.index(wide) >= FLOATS.index(narrow))


@given(st.integers(1, 38), st.integers(0, 38), st.integers(1, 38), st.integers(0, 38))
def test_decimals_widen_to_those_that_hold_their_digits(precision, scale, more_precision, more_scale):
    scale, more_scale = min(scale, precision), min(more_scale, more_precision)
    greatest = Decimal(10**precision - 1).scaleb(-scale)
    holds = scale <= more_scale and greatest < Decimal(10) ** (more_precision - more_scale)
    holds = holds or (scale <= more_scale and precision - scale <= more_precision - more_scale)
    check(pa.decimal128(precision, scale), pa.decimal128(more_precision, more_scale), holds)


def check(narrow: pa.DataType, wide: pa.DataType, holds: bool) -> None:
    before = with_type(narrow)
    if narrow == wide:
        assert widen(before, "x", wide) is before
    elif holds:
        after = widen(before, "x", wide)
        assert after.schema["x"] == Field("x", wide)
        assert after.schema_version == before.schema_version + 1
    else:
        with pytest.raises(SchemaError, match=r"new_version"):
            widen(before, "x", wide)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (pa.int32(), pa.float64()), (pa.float32(), pa.int64()), (pa.date32(), TIMESTAMP), (pa.int64(), pa.string()),
        (pa.string(), pa.binary()), (pa.list_(pa.int8()), pa.list_(pa.int16())), (pa.int8(), pa.decimal128(38, 0)),
    ],
)  # fmt: skip
def test_other_changes_of_type_are_refused_with_the_way_out(before, after):
    with pytest.raises(SchemaError, match="new_version"):
        widen(with_type(before), "x", after)


def test_a_key_widens_and_stays_not_null():
    assert widen(BASE, "k", pa.int64()).schema["k"] == Field("k", pa.int64(), nullable=False)
    assert make_nullable(BASE, "v").schema["v"] == Field("v", pa.int8())
    assert make_nullable(with_type(pa.int8()), "x").schema_version == 2
    for column in ("k", "t"):
        with pytest.raises(SchemaError, match="found by it"):
            make_nullable(BASE, column)
    for change in (lambda: widen(BASE, "kk", pa.int64()), lambda: make_nullable(BASE, "kk")):
        with pytest.raises(GroundswellError, match="Did you mean 'k'"):
            change()
