"""Times as they come in, as moments in UTC microseconds.

A time without a zone is a different moment in each; so one is refused unless its zone is named, and so is a local time
that the clocks of the zone skip or show twice.
"""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from groundswell.errors import DataError, GroundswellError, TypeMismatchError
from groundswell.tables._frames import refuse_mixed_zones
from groundswell.types import TIME, TIMESTAMP, datetime_from_iso

__all__ = ["TimeZones", "Unfit", "to_dates", "to_times_of_day", "to_timestamps"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_YEARS_US = tuple((moment - _EPOCH) // timedelta(microseconds=1) for moment in
                  (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)))  # fmt: skip
_DAY_US = 86_400_000_000
_YEARS_DAYS = tuple((day - date(1970, 1, 1)).days for day in (date.min, date.max))


class Unfit(Exception):
    """A value is no moment that can be stored. It becomes an error once its row is known.

    Args:
        kind: the class of that error.
        what: what the value is, in words.
        why, fix: as in any error.
    """

    def __init__(self, kind: type[GroundswellError], what: str, *, why: str, fix: str) -> None:
        super().__init__(what)
        self.kind, self.what, self.why, self.fix = kind, what, why, fix

    def explain(self, column: str, row: int, value: object) -> GroundswellError:
        """The error that names column, row and value."""
        what = f"Column {column!r}, row {row}, holds {self.what}: {value!r}."
        return self.kind(what, why=self.why, fix=self.fix, column=column, row=row, value=value)


class TimeZones:
    """The zone of naive times in a column, and the offsets that its texts have so far.

    Args:
        column: its name.
        time_zone: the IANA zone of naive times; None refuses them.
    """

    def __init__(self, column: str, time_zone: str | None) -> None:
        self.column, self.time_zone = column, time_zone
        self._seen: set[str] = set()

    def check_type(self, kind: pa.DataType, example: object) -> None:
        """Raise if no value of the type is a moment; the example stands in the message.

        Raises:
            TypeMismatchError: the type is that of no time.
            DataError: it is that of a naive time, and no zone is named.
        """
        if _is_text(kind):
            return
        if not (pa.types.is_timestamp(kind) or pa.types.is_date(kind)):
            raise TypeMismatchError(
                f"Column {self.column!r} has the type {kind}, which is no time.",
                why="A number does not say which moment it stands for.",
                fix="Convert it first, with pandas.to_datetime(column, unit='s', utc=True) for seconds since 1970.",
                column=self.column,
                type=str(kind),
            )
        if self.time_zone is None and (pa.types.is_date(kind) or kind.tz is None):
            raise self.naive(example)

    def naive(self, example: object) -> DataError:
        """The error that a time has no zone."""
        return DataError(
            f"Column {self.column!r} holds times without a time zone, such as {str(example)!r}.",
            why="The same text is a different moment in each zone, and joins compare moments.",
            fix="Name the zone where rows come in, such as time_zone='America/New_York', or bring times that have one, "
            "such as '2024-01-01T00:00Z'.",
            column=self.column,
            value=example,
        )

    def note(self, offset: str) -> None:
        """Note the offset of a text; the column must not have another."""
        if offset not in self._seen:
            self._seen.add(offset)
            refuse_mixed_zones(self.column, self._seen)


def to_timestamps(values: pa.Array, zones: TimeZones) -> pa.Array:
    """Timestamps, dates or text as UTC microseconds.

    Raises:
        Unfit: a value is no moment, has finer digits, or is before the year 1 or after 9999.
        DataError: a text has no zone and none is named, or texts mix zones.
    """
    kind = values.type
    if kind == TIMESTAMP:
        return _in_range(values)
    if _is_text(kind):
        return pa.array([None if text is None else _parse(text, zones) for text in values.to_pylist()], TIMESTAMP)
    if pa.types.is_date(kind) or kind.tz is None:
        unit = "ns" if getattr(kind, "unit", "") == "ns" else "us"
        values = _localize(values.cast(pa.timestamp(unit)), zones)
    try:
        return _in_range(values.cast(TIMESTAMP))
    except pa.ArrowInvalid as error:
        raise Unfit(
            TypeMismatchError,
            "a time that cannot be stored in microseconds",
            why=f"Digits would be lost or the time is out of range ({str(error).splitlines()[0]}).",
            fix="Round it first, with pandas: column.dt.floor('us').",
        ) from None


def to_dates(values: pa.Array) -> pa.Array:
    """Dates as days.

    Raises:
        Unfit: a date is before the year 1 or after 9999.
        ArrowInvalid: it has a time of day.
    """
    days = values.cast(pa.date32())
    _check_range(days.cast(pa.int32()), _YEARS_DAYS)
    return days


def to_times_of_day(values: pa.Array) -> pa.Array:
    """Times of day in microseconds.

    Raises:
        Unfit: one is not within a day, which Arrow does not check.
        ArrowInvalid: one has finer digits.
    """
    times = values.cast(TIME)
    found = pc.min_max(times.cast(pa.int64())).as_py()
    if found["min"] is not None and not 0 <= found["min"] <= found["max"] < _DAY_US:
        raise Unfit(
            TypeMismatchError,
            "a time of day that is none",
            why="A day has 24 hours.",
            fix="Make it a duration, which may be of any length.",
        )
    return times


def _localize(values: pa.Array, zones: TimeZones) -> pa.Array:
    try:
        return pc.assume_timezone(values, zones.time_zone)
    except pa.ArrowInvalid:
        raise _no_single_moment(zones.time_zone) from None


def _parse(text: str, zones: TimeZones) -> datetime:
    try:
        moment = datetime_from_iso(text)
    except ValueError:
        raise Unfit(
            DataError,
            "text that cannot be read as a time",
            why="Text becomes a time only if it says which, without guessing, and to the microsecond at most.",
            fix="Write times in ISO 8601, such as '2013-11-01T15:00Z', or convert the column to timestamps first.",
        ) from None
    zones.note("None" if moment.tzinfo is None else str(moment.tzinfo))
    if moment.tzinfo is None:
        if zones.time_zone is None:
            raise zones.naive(text)
        moment = moment.replace(tzinfo=ZoneInfo(zones.time_zone))
        if moment.utcoffset() != moment.replace(fold=1).utcoffset():
            raise _no_single_moment(zones.time_zone)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise _out_of_range() from None


def _no_single_moment(time_zone: str | None) -> Unfit:
    return Unfit(
        DataError,
        f"a local time that {time_zone} has twice or not at all",
        why="Clocks change there.",
        fix="Convert to UTC where the times come from, or say which hour is meant with pandas' tz_localize.",
    )


def _in_range(moments: pa.Array) -> pa.Array:
    _check_range(moments.cast(pa.int64()), _YEARS_US)
    return moments


def _check_range(numbers: pa.Array, bounds: tuple[int, ...]) -> None:
    found = pc.min_max(numbers).as_py()
    if found["min"] is not None and not bounds[0] <= found["min"] <= found["max"] <= bounds[1]:
        raise _out_of_range()


def _out_of_range() -> Unfit:
    return Unfit(
        TypeMismatchError,
        "a time before the year 1 or after 9999 in UTC",
        why="Python and the log of the table know no such times.",
        fix="Drop such rows, or give a null where a time is not known.",
    )


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))
