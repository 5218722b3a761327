"""Constants of rules: kept as plain values, and turned into values of a column's type when a rule is bound.

A constant is compared in the column's own type, so 0.1 means float32's 0.1 in a column of float32, and an integer
column is never compared through floats. What a column cannot hold is refused rather than never equal.
"""

import math
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal, InvalidOperation

import pyarrow as pa

from groundswell.errors import DataError, GroundswellError
from groundswell.features.expectations._expectation import ColumnExpectation, Plain, reversed_bounds
from groundswell.types import TIMESTAMP, Field, parse_instant, type_name

_EXACT = Context(prec=120)


def plain_constant(value: object, rule: str) -> Plain:
    """The constant as JSON holds it: times as ISO 8601 text in UTC, decimals as integers or text.

    Raises:
        DataError: it is missing, not finite, or of a type that no rule takes.

    >>> plain_constant(datetime(2024, 1, 1), "between")
    '2024-01-01T00:00:00+00:00'
    """
    value = value.item() if hasattr(value, "item") else value  # a NumPy scalar
    match value:
        case datetime():
            return parse_instant(value, "a bound").isoformat()
        case date():
            return value.isoformat()
        case Decimal() if value.is_finite():
            return int(value) if value == value.to_integral_value() else str(value)
        case float() if not math.isfinite(value):
            pass
        case bool() | int() | float() | str():
            return value
    raise DataError(
        f"{value!r} ({type(value).__name__}) cannot stand in the rule {rule!r}.",
        why="Missing values are for complete(), and what is not finite compares with nothing.",
        fix="Give a finite number, text, a bool, a date or a datetime.",
        value=value,
    )


def plain_bound(value: object, rule: str) -> Plain:
    """The same for a bound, which may be left out; an infinite one is left out too."""
    if value is None or (isinstance(value, float) and math.isinf(value)):
        return None
    return plain_constant(value, rule)


def is_ordered(kind: pa.DataType) -> bool:
    """Whether values of the type have an order that rules speak of: numbers, text and times."""
    return bool(
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_string(kind)
        or pa.types.is_date(kind)
        or kind == TIMESTAMP
    )


def is_scalar(kind: pa.DataType) -> bool:
    """Whether the type is that of single values that constants can be given for."""
    return is_ordered(kind) or bool(pa.types.is_boolean(kind))


def bounds(rule: ColumnExpectation, low: Plain, high: Plain, field: Field) -> tuple[pa.Scalar | None, pa.Scalar | None]:
    """The least and the greatest value of the column's type within two bounds; None is open.

    Raises:
        TypeMismatchError: a bound does not fit the column.
        DataError: the lower bound is the greater one.
    """
    numbers = [None if bound is None else _on_grid(rule, bound, field) for bound in (low, high)]
    least = None if low is None else _bound(rule, low, field, ROUND_CEILING)
    most = None if high is None else _bound(rule, high, field, ROUND_FLOOR)
    if None not in numbers:  # rounded inward, bounds around no value change sides: they are compared as given
        wrong = numbers[0] > numbers[1]  # type: ignore[operator]
    else:
        wrong = least is not None and most is not None and least.as_py() > most.as_py()
    if wrong:
        raise reversed_bounds(low, high, rule.rule)
    return least, most


def exact(rule: ColumnExpectation, value: Plain, field: Field) -> pa.Scalar:
    """The constant as a value of the column's type.

    Raises:
        TypeMismatchError: the column can hold no such value.
    """
    number = _on_grid(rule, value, field)
    if number is not None:
        low, high, step = _grid(field.type)
        rounded = number.quantize(step, ROUND_FLOOR, _EXACT)
        if rounded != number or not low <= number <= high:
            raise _refused(rule, value, field, "The column can hold no such value.")
        return _scalar(rounded, field.type)
    return _converted(rule, value, field)


def _bound(rule: ColumnExpectation, value: Plain, field: Field, rounding: str) -> pa.Scalar:
    number = _on_grid(rule, value, field)
    if number is None:
        return _converted(rule, value, field)
    low, high, step = _grid(field.type)
    if number > high if rounding == ROUND_CEILING else number < low:
        raise _refused(rule, value, field, "No value of the column can lie within it.")
    return _scalar(min(max(number.quantize(step, rounding, _EXACT), low), high), field.type)


def _grid(kind: pa.DataType) -> tuple[Decimal, Decimal, Decimal]:
    """The least and the greatest value of an integer or decimal type, and the step between its values."""
    if pa.types.is_unsigned_integer(kind):
        return Decimal(0), Decimal(2**kind.bit_width - 1), Decimal(1)
    if pa.types.is_integer(kind):
        half = 2 ** (kind.bit_width - 1)
        return Decimal(-half), Decimal(half - 1), Decimal(1)
    most = Decimal(10**kind.precision - 1).scaleb(-kind.scale, _EXACT)
    return -most, most, Decimal(1).scaleb(-kind.scale)


def _on_grid(rule: ColumnExpectation, value: Plain, field: Field) -> Decimal | None:
    """The constant as a decimal, if the column holds integers or decimals."""
    if not (pa.types.is_integer(field.type) or pa.types.is_decimal(field.type)):
        return None
    text = pa.types.is_decimal(field.type) and isinstance(value, str)
    if isinstance(value, bool) or not (isinstance(value, int | float) or text):
        raise _refused(rule, value, field, "The column holds numbers.")
    try:
        return Decimal(str(value))
    except InvalidOperation:
        raise _refused(rule, value, field, "The column holds numbers.") from None


def _scalar(number: Decimal, kind: pa.DataType) -> pa.Scalar:
    return pa.scalar(int(number) if pa.types.is_integer(kind) else number, kind)


def _converted(rule: ColumnExpectation, value: Plain, field: Field) -> pa.Scalar:
    """A constant for a column that holds neither integers nor decimals."""
    readers: dict[pa.DataType, Callable[[Plain], object]] = {
        pa.string(): _text,
        pa.bool_(): _boolean,
        pa.float16(): _float,
        pa.float32(): _float,
        pa.float64(): _float,
        pa.date32(): _date,
        TIMESTAMP: _moment,
    }
    try:
        return pa.scalar(readers[field.type](value), field.type)
    except (TypeError, ValueError, OverflowError) as error:
        why = error.what if isinstance(error, GroundswellError) else str(error)
        raise _refused(rule, value, field, why.rstrip(".") + ".") from None


def _text(value: Plain) -> str:
    if not isinstance(value, str):
        raise TypeError("The column holds text.")
    return value


def _boolean(value: Plain) -> bool:
    if not isinstance(value, bool):
        raise TypeError("The column holds true and false.")
    return value


def _float(value: Plain) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("The column holds numbers.")
    return float(value)


def _moment(value: Plain) -> datetime:
    if not isinstance(value, str):
        raise TypeError("The column holds times, and a number does not say which moment it stands for.")
    return parse_instant(value, "a time")


def _date(value: Plain) -> date:
    moment = _moment(value)
    if moment - moment.replace(hour=0, minute=0, second=0, microsecond=0) > timedelta():
        raise ValueError("The column holds dates, without a time of day.")
    return moment.date()


def _refused(rule: ColumnExpectation, value: Plain, field: Field, why: str) -> GroundswellError:
    return rule.mismatch(
        f"{value!r} cannot be compared with column {field.name!r}, which is {type_name(field.type)}.",
        why,
        "Give a value of the column's type; times as datetimes or ISO 8601 text.",
    )
