"""Constants in expressions: what may be one, its type, and how it is written in SQL and JSON."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Context, Decimal
from math import isfinite, isnan
from typing import Any

import pyarrow as pa
from sqlglot import exp

from groundswell.errors import DataError, TypeMismatchError
from groundswell.types import DURATION, TIME, TIMESTAMP, parse_duration, parse_instant

__all__ = [
    "Value",
    "is_nan",
    "plain",
    "type_of",
    "value_as",
    "value_beside",
    "value_from_dict",
    "value_to_dict",
    "value_to_sql",
]

Value = bool | int | float | str | bytes | datetime | date | time | timedelta | Decimal | None
_DIGITS = 38
"""The most digits of a decimal that Arrow and DuckDB hold."""


def plain(value: object) -> Value:
    """The value as a plain Python one: NumPy's, pandas' and Arrow's scalars become it, datetimes are in UTC.

    Raises:
        TypeMismatchError: it is no constant.
        DataError: it is one that no column can hold.
    """
    if hasattr(value, "as_py"):
        value = value.as_py()
    if hasattr(value, "dtype") and hasattr(value, "item") and getattr(value, "ndim", 1) == 0:
        value = _from_datetime64(value) if value.dtype.kind in "mM" else value.item()
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, date):
        if value != value:  # pandas' NaT
            return None
        return parse_instant(value, "a value") if isinstance(value, datetime) else value
    for kind, check in _CHECKS.items():
        if isinstance(value, kind):
            return check(value)
    raise TypeMismatchError(
        f"{value!r} ({type(value).__name__}) cannot stand in an expression.",
        fix="Use a number, text, bool, datetime, date, time, timedelta, Decimal, None or col('name').",
        value=value,
    )


def _integer(value: int) -> int:
    if not -(2**63) <= value < 2**64:
        raise DataError(
            f"{value} cannot stand in an expression.",
            why="Integers have 64 bits.",
            fix="Write it as a float or as a Decimal.",
            value=value,
        )
    return int(value)


def _decimal(value: Decimal) -> Decimal:
    if not value.is_finite():
        raise DataError(f"{value!r} cannot stand in an expression.", fix="Use float('nan') or None.", value=value)
    _, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    if max(len(digits), len(digits) + exponent, -exponent) > _DIGITS:
        raise DataError(f"{value} has more than {_DIGITS} digits.", fix="Round it, or write a float.", value=value)
    return value if exponent <= 0 else Decimal(int(value))


def _text(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise DataError(
            f"{value!r} is no Unicode text.", fix="Give text without lone surrogates.", value=value
        ) from None
    return str.__str__(value)


def _time(value: time) -> time:
    if value.tzinfo is not None:
        raise DataError(
            f"{value!r} cannot stand in an expression.",
            why="A time of day in a zone is another one on each date.",
            fix="Leave out tzinfo.",
            value=value,
        )
    return value


def _duration(value: timedelta) -> timedelta | None:
    if value != value:  # pandas' NaT
        return None
    if getattr(value, "nanoseconds", 0):
        raise DataError(f"{value!r} has nanoseconds.", fix="Round it to microseconds.", value=value)
    return timedelta(value.days, value.seconds, value.microseconds)


def _from_datetime64(value: Any) -> object:  # Any: a NumPy datetime64 or timedelta64
    if value != value:
        return None
    moment = value.astype(f"{value.dtype.name.partition('[')[0]}[us]")
    if moment != value:
        raise DataError(f"{value!r} has nanoseconds.", fix="Round it to microseconds.", value=value)
    return moment.item()


_CHECKS: Mapping[type, Callable[[Any], Value]] = {  # Any: each checks its own type
    int: _integer,
    float: float,
    str: _text,
    bytes: bytes,
    Decimal: _decimal,
    time: _time,
    timedelta: _duration,
}


def is_nan(value: Value) -> bool:
    """Whether it is the float that equals nothing."""
    return isinstance(value, float) and isnan(value)


def type_of(value: Value) -> pa.DataType:
    """Its type; that of None is null.

    >>> type_of(Decimal("1.50"))
    Decimal128Type(decimal128(3, 2))
    """
    if isinstance(value, datetime):
        return TIMESTAMP
    if isinstance(value, Decimal):
        _, digits, exponent = value.as_tuple()
        scale = -int(exponent)
        return pa.decimal128(max(len(digits), scale, 1), scale)
    if isinstance(value, int) and value >= 2**63:
        return pa.uint64()
    return pa.scalar(value).type


def value_beside(value: Value, other: pa.DataType) -> Value:
    """The value as it is meant beside a column of another type: text beside a time is a time.

    Raises:
        DataError: the text is none.
    """
    if not isinstance(value, str):
        return value
    if pa.types.is_date(other):
        try:
            return date.fromisoformat(value)
        except ValueError:
            return parse_instant(value, "a time")  # it may be a moment, which is compared with the day's midnight
    if other == TIME:
        return _time_of_day(value)
    if other == DURATION:
        return parse_duration(value)
    return parse_instant(value, "a time") if other == TIMESTAMP else value


def _time_of_day(text: str) -> time:
    try:
        return _time(time.fromisoformat(text))
    except ValueError:
        raise DataError(
            f"{text!r} cannot be read as a time of day.", fix="Write it as '13:45' or '13:45:30.5'.", value=text
        ) from None


def value_as(value: Value, kind: pa.DataType) -> Value:
    """The value in the type in which it is compared or computed."""
    if kind == TIMESTAMP and isinstance(value, date) and not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        if pa.types.is_floating(kind):
            return float(value)
        if pa.types.is_decimal(kind):
            return Decimal(value).quantize(Decimal(1).scaleb(-kind.scale), context=Context(prec=_DIGITS))
    return value


def value_to_sql(value: Value) -> exp.Expr:
    """The value as a literal of its own type."""
    match value:
        case None:
            return exp.null()
        case datetime():
            return exp.cast(exp.Literal.string(value.isoformat()), "TIMESTAMPTZ")
        case date():
            return exp.cast(exp.Literal.string(value.isoformat()), "DATE")
        case time() | timedelta():
            return exp.convert(_microseconds(value))  # as they lie in files
        case bytes():
            return exp.Unhex(this=exp.Literal.string(value.hex()))
        case float():
            return exp.cast(exp.Literal.string(repr(value)), "DOUBLE")
        case Decimal():
            kind = type_of(value)
            return exp.cast(exp.Literal.string(f"{value:f}"), f"DECIMAL({kind.precision}, {kind.scale})")
        case int() if value >= 2**63:
            return exp.cast(exp.Literal.string(str(value)), "DECIMAL(20, 0)")
        case _:
            return exp.convert(value)


def _microseconds(value: time | timedelta) -> int:
    if isinstance(value, time):
        value = timedelta(hours=value.hour, minutes=value.minute, seconds=value.second, microseconds=value.microsecond)
    return value // timedelta(microseconds=1)


def value_to_dict(value: Value) -> dict[str, Any]:  # Any: JSON
    """The value as JSON under the name of its kind."""
    match value:
        case datetime():
            return {"datetime": value.isoformat()}
        case date():
            return {"date": value.isoformat()}
        case time():
            return {"time": value.isoformat()}
        case timedelta():
            return {"duration_us": _microseconds(value)}
        case Decimal():
            return {"decimal": str(value)}
        case bytes():
            return {"bytes": value.hex()}
        case float() if not isfinite(value):
            return {"float": str(value)}
        case _:
            return {"value": value}


def value_from_dict(tree: Mapping[str, Any]) -> Value:  # Any: JSON
    """Read back what `value_to_dict` gave."""
    readers: dict[str, Callable[[Any], Value]] = {
        "datetime": lambda text: datetime.fromisoformat(text).astimezone(UTC),
        "date": date.fromisoformat,
        "time": time.fromisoformat,
        "duration_us": lambda us: timedelta(microseconds=us),
        "decimal": Decimal,
        "bytes": bytes.fromhex,
        "float": float,
    }
    for name, read in readers.items():
        if name in tree:
            return read(tree[name])
    value: Value = tree["value"]
    return value
