"""Calendars: laws that hold in every zone, and days that are known to be odd."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundswell.errors import DataError
from groundswell.features.windows._spans import Calendar, Span, parse_span

ZONES = ["UTC", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Kathmandu", "Pacific/Apia"]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
spans = st.builds(Span, st.integers(1, 40), st.sampled_from(["s", "min", "h", "d", "w", "mo"]))
moments = st.integers(0, 60 * 365 * 86_400).map(lambda s: s * 1_000_000)


def us(text: str) -> int:
    return (datetime.fromisoformat(text).astimezone(UTC) - EPOCH) // timedelta(microseconds=1)


def text(moment: int, zone: str) -> str:
    return (EPOCH + timedelta(microseconds=moment)).astimezone(ZoneInfo(zone)).isoformat()


@given(zone=st.sampled_from(ZONES), span=spans, moment=moments, later=st.integers(0, 3 * 86_400_000_000))
def test_going_back_keeps_the_order_of_moments(zone: str, span: Span, moment: int, later: int) -> None:
    calendar = Calendar(zone)
    assert calendar.back(moment, span) <= calendar.back(moment + later, span)
    assert calendar.back(moment, span) < moment


@given(
    zone=st.sampled_from(ZONES),
    every=st.builds(Span, st.integers(1, 5), st.sampled_from(["h", "d", "w", "mo"])),
    over=st.lists(spans.filter(lambda span: span.about_us < 40 * 86_400_000_000), min_size=1, max_size=2),
    first=moments,
    length=st.integers(0, 3 * 86_400_000_000),
)
def test_a_grid_holds_exactly_the_windows_that_rows_between_two_moments_touch(
    zone: str, every: Span, over: list[Span], first: int, length: int
) -> None:
    calendar = Calendar(zone)
    points = list(calendar.grid(first, first + length, every, tuple(over)))
    ends = [point.end for point in points]
    assert ends == sorted(set(ends))
    assert ends[0] > first
    for point in points:
        assert point.starts == tuple(calendar.back(point.end, span) for span in over)
        assert point.closing <= first + length
        assert point.closing <= min(point.starts)
    # The grid is the same wherever it begins.
    again = list(calendar.grid(first + length, first + length, every, tuple(over)))
    assert again == [point for point in points if point.end > first + length][: len(again)]
    if every.unit not in ("s", "min", "h"):
        for end in ends:
            assert text(end, zone)[11:19] in ("00:00:00", "01:00:00", "00:30:00")


@pytest.mark.parametrize(
    ("zone", "moment", "span", "start"),
    [
        ("UTC", "2013-03-31T10:00Z", "1mo", "2013-03-01T00:00Z"),
        ("UTC", "2013-03-28T10:00Z", "1mo", "2013-02-28T10:00Z"),
        ("UTC", "2012-01-15T10:00Z", "13mo", "2010-12-15T10:00Z"),
        ("America/New_York", "2013-03-11T00:00-04:00", "1d", "2013-03-10T00:00-05:00"),  # 23 hours
        ("America/New_York", "2013-11-04T00:00-05:00", "1d", "2013-11-03T00:00-04:00"),  # 25 hours
        ("America/New_York", "2013-03-11T02:30-04:00", "1d", "2013-03-10T03:00-04:00"),  # 2:30 was skipped
        ("America/New_York", "2013-11-04T01:30-05:00", "1d", "2013-11-03T01:30-04:00"),  # the first of two
        ("America/New_York", "2013-11-03T12:00-05:00", "24h", "2013-11-02T13:00-04:00"),
    ],
)
def test_odd_days(zone: str, moment: str, span: str, start: str) -> None:
    assert Calendar(zone).back(us(moment), parse_span(span, "over")) == us(start)


@pytest.mark.parametrize(
    ("every", "ends"),
    [
        ("1w", ["2013-01-07T00:00:00-05:00", "2013-01-14T00:00:00-05:00"]),
        ("1mo", ["2013-02-01T00:00:00-05:00"]),
        ("1d", ["2013-01-05T00:00:00-05:00", "2013-01-06T00:00:00-05:00"]),
    ],
)
def test_days_weeks_and_months_end_on_the_clocks_of_the_zone(every: str, ends: list[str]) -> None:
    calendar, span = Calendar("America/New_York"), parse_span(every, "every")
    at = us("2013-01-04T12:00-05:00")
    found = [text(point.end, "America/New_York") for point in calendar.grid(at, at, span, (span,))]
    assert found[: len(ends)] == ends


@pytest.mark.parametrize("given_", ["", "1", "h", "0h", "-1h", "1.5h", "1y", "1h30min", 3, None, "9999999h"])
def test_what_is_no_span_is_refused(given_: Any) -> None:
    with pytest.raises(DataError, match="cannot be read as every"):
        parse_span(given_, "every")


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../../etc/passwd", None])
def test_what_is_no_zone_is_refused(zone: Any) -> None:
    with pytest.raises(DataError, match="is no time zone"):
        Calendar(zone)
