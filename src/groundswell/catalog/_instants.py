"""Moments as the catalog stores them: whole microseconds since 1970 in UTC.

An integer compares, sorts and indexes the same in every database, and keeps each microsecond; SQLite has no type for
time. Used by the tables' definitions and by the commit index.
"""

from datetime import UTC, datetime, timedelta

from sqlalchemy import BigInteger, Dialect
from sqlalchemy.types import TypeDecorator

from groundswell.errors import CorruptionError

__all__ = ["Instant", "from_microseconds", "to_microseconds"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_microseconds(moment: datetime) -> int:
    """Microseconds from 1970-01-01T00:00:00Z to `moment`; one without a zone is taken as UTC.

    >>> to_microseconds(datetime(1970, 1, 1, 0, 0, 1))
    1000000
    """
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return (aware - _EPOCH) // _MICROSECOND


def from_microseconds(count: int) -> datetime:
    """The moment in UTC; the inverse of `to_microseconds`."""
    return _EPOCH + timedelta(microseconds=count)


class Instant(TypeDecorator[datetime]):
    """A column of moments: datetimes outside, microseconds in the database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """What is written."""
        return None if value is None else to_microseconds(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """What is read.

        Raises:
            CorruptionError: the number is beyond the years that a datetime can have, or no number.
        """
        try:
            return None if value is None else from_microseconds(value)
        except (OverflowError, TypeError) as error:
            raise CorruptionError(
                f"The catalog has {value!r} where a time should be.",
                why="Its file is damaged, or another program wrote to it.",
                fix="Restore the file from a copy.",
                value=value,
            ) from error
