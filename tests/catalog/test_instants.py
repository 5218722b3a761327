from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects.sqlite.base import SQLiteDialect

from groundswell.catalog._instants import Instant, from_microseconds, to_microseconds
from groundswell.errors import CorruptionError

zones = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1), timezones=zones))  # noqa: DTZ001 - the zone is drawn
def test_a_moment_comes_back_to_the_microsecond_in_utc(moment: datetime) -> None:
    back = from_microseconds(to_microseconds(moment))
    assert back == moment
    assert back.tzinfo is UTC


@given(st.integers(-(2**55), 2**57))
def test_counts_keep_their_order_and_value(count: int) -> None:
    assert to_microseconds(from_microseconds(count)) == count


@pytest.mark.parametrize("value", [2**62, -(2**62), "soon"])
def test_what_cannot_be_a_moment_is_damage(value: object) -> None:
    with pytest.raises(CorruptionError, match="where a time should be"):
        Instant().process_result_value(value, SQLiteDialect())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2001-09-09T01:46:40Z", 1_000_000_000_000_000),
        ("1969-12-31T23:59:59.999999Z", -1),
        ("2013-12-20T15:00:00.000001+01:00", 1_387_548_000_000_001),
    ],
)
def test_known_moments(text: str, count: int) -> None:
    assert to_microseconds(datetime.fromisoformat(text)) == count
