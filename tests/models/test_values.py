from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundswell.errors import SignatureError
from groundswell.models._values import to_column
from groundswell.types import TIMESTAMP, Field

_ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-300, 300),
    st.floats(),
    st.text(),
    st.binary(),
    st.decimals(allow_nan=False),
    st.datetimes(timezones=st.just(UTC)),
    st.datetimes(),
    st.dates(),
    st.lists(st.integers()),
    st.just("2013-12-20"),
    st.dictionaries(st.text(), st.integers()),
)
_TYPES = st.sampled_from(
    [
        pa.float64(),
        pa.int8(),
        pa.int32(),
        pa.int64(),
        pa.bool_(),
        pa.string(),
        TIMESTAMP,
        pa.date32(),
        pa.decimal128(10, 2),
    ]
)


@given(values=st.lists(_ANYTHING, max_size=4), kind=_TYPES)
def test_a_value_comes_out_equal_or_is_refused(values, kind):
    """The law: no cast changes what a value means. Missing is missing, text is text, and nothing else becomes it."""
    try:
        column = to_column(values, Field("x", kind))
    except SignatureError:
        return
    assert column.type == kind
    for given_value, kept in zip(values, column.to_pylist(), strict=True):
        if given_value is None or given_value != given_value:
            assert kept is None
        elif isinstance(given_value, str) and not pa.types.is_string(kind):
            assert pa.types.is_temporal(kind)
        else:
            assert kept == given_value
            assert isinstance(kept, bool) == isinstance(given_value, bool)


@given(values=st.lists(st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)), max_size=4), kind=_TYPES)
def test_arrow_and_lists_are_judged_alike(values, kind):
    arrow = pa.array(values, pa.int64())

    def outcome(column):
        try:
            return to_column(column, Field("x", kind)).to_pylist()
        except SignatureError:
            return "refused"

    if any(value is not None for value in values):
        assert outcome(values) == outcome(arrow)


@given(st.lists(st.floats(), max_size=4))
def test_whole_floats_become_integers_and_others_do_not(values):
    exact = all(value != value or (value.is_integer() and abs(value) < 2**63) for value in values)
    for column in (values, pa.array(values, pa.float64())):
        try:
            found = to_column(column, Field("x", pa.int64())).to_pylist()
        except SignatureError:
            assert not exact
        else:
            assert exact
            assert found == [None if value != value else int(value) for value in values]


@pytest.mark.parametrize("kind", [pa.float64(), pa.int32(), pa.bool_(), pa.string(), TIMESTAMP, pa.date32()])
@pytest.mark.parametrize(
    "values",
    [
        np.zeros((2, 2)),
        np.array([1j]),
        np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]),
        np.array(["2013-12-20"], dtype="datetime64[s]"),
        np.array([1], dtype="timedelta64[s]"),
        np.array(3.0),
        np.array([[1], "x"], dtype=object),
        pa.array([1], pa.time32("s")),
        pa.array([1], pa.duration("s")),
        pa.array([[1]]),
        pa.array([{"a": 1}]),
        pa.array([b"x"]),
        pd.Series([pd.Timedelta("1h")]),
        pd.Series([pd.Period("2013-12", "M")]),
        iter([1.0]),
        {1.0},
        {"a": 1.0},
        object(),
        None,
        3,
    ],
)
def test_what_no_input_can_be_is_refused_and_never_anything_else(values, kind):
    with pytest.raises(SignatureError, match="'x'"):
        to_column(values, Field("x", kind))


def test_times_from_any_source_are_the_same_instant():
    moment = datetime(2013, 12, 20, 15, tzinfo=UTC)
    for column in (["2013-12-20T15:00Z"], pa.array(["2013-12-20T16:00:00+01:00"]), [moment]):
        assert to_column(column, Field("at", TIMESTAMP)).to_pylist() == [moment]


def test_decimals_keep_their_digits():
    field = Field("price", pa.decimal128(10, 2))
    assert to_column([Decimal("1.10"), 3, None], field).to_pylist() == [Decimal("1.10"), Decimal("3.00"), None]
