"""Rows of mappings by the short way must become what `conform` makes of them, or be refused as it refuses them."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.errors import GroundswellError
from groundswell.tables import Definition, conform, conform_records, read_frame
from groundswell.types import as_schema

SCHEMA = pa.schema(
    [
        pa.field("k", pa.int64(), nullable=False),
        pa.field("t", pa.timestamp("us", "UTC"), nullable=False),
        ("small", pa.int8()),
        ("v", pa.float64()),
        ("short", pa.float32()),
        ("name", pa.string()),
        ("open", pa.bool_()),
        ("day", pa.date32()),
        ("several", pa.list_(pa.int64())),
    ]
)
DEFINITION = Definition.of("g", ["k"], "t", None, as_schema(SCHEMA))
NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)
ANYTHING = st.sampled_from(
    [None, True, 0, 1, -5, 300, 2**53 + 1, 2**63, 0.5, 2.0, float("nan"), 1e300, "a", "5", "\ud800", b"x",
     Decimal("1.5"), NOON, NOON.replace(tzinfo=None), NOON.astimezone(timezone(timedelta(hours=2))),
     NOON.astimezone(ZoneInfo("Europe/Stockholm")), "2024-01-01T12:00Z", "2024-01-01 12:00", date(2024, 1, 1),
     [1, 2], []]
)  # fmt: skip
FITTING = {
    "k": st.integers(-(2**63), 2**63 - 1),
    "t": st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001  # with zone
    "small": st.none() | st.integers(-128, 127),
    "v": st.none() | st.floats(),
    "short": st.none() | st.floats(width=32),
    "name": st.none() | st.text(st.characters(codec="utf-8"), max_size=3),
    "open": st.none() | st.booleans(),
    "day": st.none() | st.dates(),
    "several": st.none() | st.lists(st.integers(0, 9), max_size=2),
}


def expected(rows: list[dict[str, object]], time_zone: str | None) -> pa.Table | type[GroundswellError]:
    try:
        return pa.Table.from_batches(conform(read_frame(rows), DEFINITION, time_zone), DEFINITION.schema.to_arrow())
    except GroundswellError as error:
        return type(error)


def check(rows: list[dict[str, object]], time_zone: str | None) -> None:
    wanted = expected(rows, time_zone)
    if isinstance(wanted, type):
        with pytest.raises(wanted):
            conform_records(rows, DEFINITION, time_zone)
        return
    found = pa.Table.from_batches([conform_records(rows, DEFINITION, time_zone)])
    assert found.schema == wanted.schema
    assert repr(found.to_pylist()) == repr(wanted.to_pylist())  # as text: NaN is not equal to itself


@settings(max_examples=100, deadline=None)
@given(st.lists(st.fixed_dictionaries(FITTING), min_size=1, max_size=4))
def test_rows_that_fit(rows: list[dict[str, object]]) -> None:
    check(rows, None)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.fixed_dictionaries(FITTING), min_size=1, max_size=3),
    st.lists(st.tuples(st.integers(0, 2), st.sampled_from(sorted(FITTING)), ANYTHING), min_size=1, max_size=2),
    st.sampled_from([None, "Europe/Stockholm"]),
)
def test_rows_with_anything_in_them(
    rows: list[dict[str, object]], others: list[tuple[int, str, object]], time_zone: str | None
) -> None:
    for row, name, value in others:
        rows[row % len(rows)][name] = value
    check(rows, time_zone)
