"""Lengths of windows and where windows end: fixed hours, or the days, weeks and months of a named time zone.

An hour is always as long; a day is from midnight to midnight on the clocks of a zone, so that of a change of clocks has
23 or 25 hours. Everything here is exact in microseconds since 1970, and going back by a span never reorders moments: a
local time that the clocks skip stands for the moment of the change, a day that a month lacks for the end of the month.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from groundswell.errors import DataError

__all__ = ["Calendar", "GridPoint", "Span", "parse_span"]

_UNITS = {"s": 1_000_000, "min": 60_000_000, "h": 3_600_000_000}
_DAYS = {"d": 86_400_000_000, "w": 7 * 86_400_000_000, "mo": 30 * 86_400_000_000}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FIRST_MONDAY = date(1970, 1, 5).toordinal()
_FIRST_DAY = date(1970, 1, 1).toordinal()


@dataclass(frozen=True)
class Span:
    """A length of time, such as 24 hours or one month.

    Args:
        count: how many.
        unit: "s", "min" or "h", which are fixed; "d", "w" or "mo", which are those of a calendar.
    """

    count: int
    unit: str

    @property
    def fixed_us(self) -> int | None:
        """Its microseconds, if those are always the same."""
        return None if self.unit in _DAYS else self.count * _UNITS[self.unit]

    @property
    def about_us(self) -> int:
        """Its microseconds, a month counted as 30 days."""
        return self.count * (_UNITS | _DAYS)[self.unit]

    def __str__(self) -> str:
        return f"{self.count}{self.unit}"


def parse_span(text: object, what: str) -> Span:
    """A span from text such as "90min", "24h", "7d", "1w" or "1mo".

    Raises:
        DataError: it cannot be read, or is not longer than nothing.

    >>> parse_span("7d", "over")
    Span(count=7, unit='d')
    """
    match = re.fullmatch(r"\s*(\d{1,6})\s*(s|min|h|d|w|mo)\s*", text) if isinstance(text, str) else None
    if match is None or int(match[1]) == 0:
        raise DataError(
            f"{text!r} cannot be read as {what}.",
            fix="Write a whole number and a unit: s, min, h, d, w or mo, such as '1h', '7d' or '1mo'.",
            value=text,
        )
    return Span(int(match[1]), match[2])


@dataclass(frozen=True, kw_only=True)
class GridPoint:
    """The end of a window, in microseconds since 1970.

    Args:
        end: the moment itself, which is not in the window.
        starts: where the window of each length begins.
        closing: where the longest window of the point before began: rows from then on may change what holds here.
    """

    end: int
    starts: tuple[int, ...]
    closing: int


class Calendar:
    """The calendar of a time zone.

    Args:
        zone: an IANA name, such as "America/New_York".

    Raises:
        DataError: there is no such zone.
    """

    def __init__(self, zone: str) -> None:
        try:
            self._zone = ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
            raise DataError(
                f"{zone!r} is no time zone.", fix="Use an IANA name such as 'UTC' or 'America/New_York'.", value=zone
            ) from None

    def grid(self, first: int, last: int, every: Span, over: tuple[Span, ...]) -> Iterator[GridPoint]:
        """The ends of windows that rows from `first` to `last` may change, in order."""
        before = self._at_or_before(first, every)
        while True:
            closing = min(self.back(before, span) for span in over)
            end = self._after(before, every)
            if closing > last:
                return
            yield GridPoint(end=end, starts=tuple(self.back(end, span) for span in over), closing=closing)
            before = end

    def back(self, moment: int, span: Span) -> int:
        """The moment that lies a span before another."""
        fixed = span.fixed_us
        if fixed is not None:
            return moment - fixed
        local = self._local(moment)
        if span.unit != "mo":
            return self._moment(local - timedelta(days=span.count * (7 if span.unit == "w" else 1)))
        year, month = divmod(local.year * 12 + local.month - 1 - span.count, 12)
        try:
            return self._moment(local.replace(year=year, month=month + 1))
        except ValueError:  # such as the 31st of a month of 30 days: the window is then what came after that month
            following = divmod(year * 12 + month + 1, 12)
            return self._moment(datetime(following[0], following[1] + 1, 1))  # noqa: DTZ001  # local

    def _at_or_before(self, moment: int, every: Span) -> int:
        """The last end of a window that is not after a moment."""
        fixed = every.fixed_us
        if fixed is not None:
            return moment // fixed * fixed
        return self._midnight(self._floor(self._local(moment).date(), every))

    def _after(self, end: int, every: Span) -> int:
        """The end of the window that follows the one with this end."""
        fixed = every.fixed_us
        if fixed is not None:
            return end + fixed
        day = self._floor((self._local(end) + timedelta(hours=12)).date(), every)  # a zone may skip midnight itself
        return self._midnight(self._step(day, every))

    def _floor(self, day: date, every: Span) -> date:
        """The first day of the days, weeks or months that are counted together."""
        if every.unit == "mo":
            months = (day.year - 1970) * 12 + day.month - 1
            return _month(months // every.count * every.count)
        origin, days = (_FIRST_DAY, 1) if every.unit == "d" else (_FIRST_MONDAY, 7)
        size = days * every.count
        return date.fromordinal((day.toordinal() - origin) // size * size + origin)

    @staticmethod
    def _step(day: date, every: Span) -> date:
        if every.unit == "mo":
            return _month((day.year - 1970) * 12 + day.month - 1 + every.count)
        return day + timedelta(days=every.count * (7 if every.unit == "w" else 1))

    def _midnight(self, day: date) -> int:
        return self._moment(datetime.combine(day, time()))

    def _local(self, moment: int) -> datetime:
        return (_EPOCH + timedelta(microseconds=moment)).astimezone(self._zone).replace(tzinfo=None, fold=0)

    def _moment(self, local: datetime) -> int:
        """The first moment at which clocks show a local time, or that of the change by which they skip it."""
        first = _us(local.replace(tzinfo=self._zone, fold=0).astimezone(UTC))
        if self._local(first) == local:
            return first
        low, high = _us(local.replace(tzinfo=self._zone, fold=1).astimezone(UTC)), first
        while high - low > 1:  # the clocks change in (low, high]
            middle = (low + high) // 2
            low, high = (low, middle) if self._local(middle) > local else (middle, high)
        return high


def _month(number: int) -> date:
    return date(1970 + number // 12, number % 12 + 1, 1)


def _us(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND
