"""Columns of a request, turned into Arrow columns of the type that a model was trained on.

A cast is made only where no value changes its meaning: whole numbers widen or narrow when they fit, become floats when
exact, ISO 8601 text becomes a time. Text never becomes a number and a boolean is no number. Called by `_signature.py`.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from groundswell.errors import SignatureError, TypeMismatchError
from groundswell.types import TIMESTAMP, Field, canonical_type, type_name

__all__ = ["to_column"]

_WHOLE = (int, np.integer)
_REAL = (float, np.floating)


def to_column(values: Any, field: Field) -> pa.Array:  # Any: whatever a caller holds a column in
    """The values as an Arrow array of the field's type; NaN becomes null.

    Args:
        values: a list, a NumPy array, a pandas or Polars series, an Arrow array.
        field: name and type of the input.

    Raises:
        SignatureError: a value cannot be one of the type without changing.
    """
    if isinstance(values, (list, tuple)):
        return _from_values(values, field)
    if isinstance(values, (pa.Array, pa.ChunkedArray)):
        return _from_arrow(values, field)
    if isinstance(values, np.ndarray):
        return _from_array(values, field)
    if hasattr(values, "__arrow_c_stream__"):
        return _from_arrow(pa.chunked_array(values), field)
    if hasattr(values, "__arrow_c_array__"):
        return _from_arrow(pa.array(values), field)
    if hasattr(values, "to_numpy"):
        return to_column(values.to_numpy(), field)
    raise SignatureError(
        f"Input {field.name!r} is {values!r} ({type(values).__name__}), and a column was expected.",
        fix=f"Give a list with one value per row, such as [{values!r}].",
        column=field.name,
    )


def _from_values(values: Sequence[object], field: Field) -> pa.Array:
    accepts = _accepts(field.type)
    made = [accepts(value, field, row) for row, value in enumerate(values)]
    try:
        return pa.array(made, field.type)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError, UnicodeError) as error:
        raise _refuse_column(field, str(error)) from error


def _from_array(values: np.ndarray[Any, Any], field: Field) -> pa.Array:
    if values.ndim == 1 and values.dtype == object:
        return _from_values(values.tolist(), field)
    try:
        return _from_arrow(pa.array(values), field)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:  # of two dimensions, complex numbers, records
        raise _refuse_column(field, str(error)) from error


def _accepts(kind: pa.DataType) -> Any:  # Any: a function of (value, field, row)
    if pa.types.is_floating(kind):
        return _real
    if pa.types.is_integer(kind):
        return _whole
    if pa.types.is_boolean(kind):
        return _boolean
    if pa.types.is_string(kind):
        return _text
    if pa.types.is_timestamp(kind):
        return _instant
    if pa.types.is_date(kind):
        return _day
    if pa.types.is_decimal(kind):
        return _decimal
    return _as_is


def _real(value: object, field: Field, row: int) -> object:
    kind = type(value)
    if kind is float or value is None:
        return None if value != value else value
    if isinstance(value, _REAL):
        return None if np.isnan(value) else float(value)
    if isinstance(value, _WHOLE) and kind is not bool:
        if _is_exact(int(value), field.type):
            return float(value)
        raise _refuse(value, field, row, f"It is a whole number that a {type_name(field.type)} cannot hold exactly.")
    raise _refuse(value, field, row)


def _is_exact(value: int, kind: pa.DataType) -> bool:
    digits = 24 if pa.types.is_float32(kind) else 53
    odd = value >> ((value & -value).bit_length() - 1) if value else 0  # what the significand has to hold
    return odd.bit_length() <= digits and value.bit_length() <= (127 if digits == 24 else 1023)


def _whole(value: object, field: Field, row: int) -> object:
    kind = type(value)
    if kind is int or value is None:
        return value
    if isinstance(value, _WHOLE) and kind is not bool:
        return int(value)
    if isinstance(value, _REAL):
        if value != value:
            return None
        if float(value).is_integer():
            return int(value)
        raise _refuse(value, field, row, "It is not a whole number.")
    raise _refuse(value, field, row)


def _boolean(value: object, field: Field, row: int) -> object:
    if value is None or isinstance(value, (bool, np.bool_)):
        return value if value is None else bool(value)
    if isinstance(value, float) and value != value:
        return None
    raise _refuse(value, field, row)


def _text(value: object, field: Field, row: int) -> object:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, float) and value != value:  # pandas marks missing text with NaN
        return None
    raise _refuse(value, field, row)


def _instant(value: object, field: Field, row: int) -> object:
    if value is None or (isinstance(value, (float, datetime)) and value != value):  # NaN, NaT
        return None
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise _refuse(value, field, row, "It is no time in ISO 8601, such as '2013-12-20T15:00Z'.") from None
    if not isinstance(value, datetime):
        raise _refuse(value, field, row)
    if value.tzinfo is None:
        raise _refuse(value, field, row, "It names no time zone; end it with Z for UTC or an offset such as +01:00.")
    return value.astimezone(UTC)


def _day(value: object, field: Field, row: int) -> object:
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise _refuse(value, field, row, "It is no date in ISO 8601, such as '2013-12-20'.") from None
    if value is None or (isinstance(value, date) and not isinstance(value, datetime)):
        return value
    raise _refuse(value, field, row)


def _decimal(value: object, field: Field, row: int) -> object:
    if value is None or isinstance(value, Decimal) or (isinstance(value, int) and not isinstance(value, bool)):
        return value if value is None else Decimal(value)
    raise _refuse(value, field, row)


def _as_is(value: object, _field: Field, _row: int) -> object:
    return value


def _from_arrow(values: pa.Array | pa.ChunkedArray, field: Field) -> pa.Array:
    column = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_floating(column.type) and _n_nan(column) > column.null_count:
        column = pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
    if column.type == field.type:
        return column
    if pa.types.is_null(column.type):
        return pa.nulls(len(column), field.type)
    if not _castable(column.type, field.type):
        return _refuse_type(column.type, field)
    if pa.types.is_string(_plain(column.type)) and not pa.types.is_string(field.type):
        return _from_values(column.to_pylist(), field)  # ISO text: the same rules as for a list of it
    try:
        return column.cast(field.type, safe=True)
    except pa.ArrowInvalid:  # too strict for some whole floats, and it names no row
        return _from_values(column.to_pylist(), field)


def _n_nan(column: pa.Array) -> int:
    """How many values are NaN or null, as NumPy shows both."""
    return int(np.count_nonzero(np.isnan(column.to_numpy(zero_copy_only=False))))


def _castable(source: pa.DataType, target: pa.DataType) -> bool:
    source = _plain(source)
    number = bool(pa.types.is_integer(source) or pa.types.is_floating(source))
    if pa.types.is_integer(target) or pa.types.is_floating(target):
        return number
    if pa.types.is_timestamp(target):
        return bool(pa.types.is_string(source) or (pa.types.is_timestamp(source) and source.tz is not None))
    if pa.types.is_date(target):
        return bool(pa.types.is_string(source) or pa.types.is_date(source))
    if pa.types.is_decimal(target):
        return bool(pa.types.is_decimal(source) or pa.types.is_integer(source))
    return bool(source == target)


def _plain(kind: pa.DataType) -> pa.DataType:
    """The canonical type, but a time keeps its lack of a zone and an unsigned 64-bit integer stays what it is."""
    if pa.types.is_timestamp(kind) or pa.types.is_uint64(kind):
        return kind
    try:
        return canonical_type(kind)
    except TypeMismatchError:  # times of day, durations and the like, which no input has
        return kind


def _refuse(value: object, field: Field, row: int, why: str = "") -> SignatureError:
    shown = repr(value) if len(repr(value)) <= 80 else repr(value)[:77] + "…"
    return SignatureError(
        f"Row {row} of input {field.name!r} is {shown} ({type(value).__name__}), not {_article(field.type)}.",
        why=why or "No cast is made that could change what a value means.",
        fix=f"Send {_EXAMPLES.get(type_name(field.type), 'a ' + type_name(field.type))}; rows are counted from 0.",
        column=field.name,
        row=row,
        value=value,
    )


def _refuse_column(field: Field, reason: str) -> SignatureError:
    return SignatureError(
        f"Input {field.name!r} cannot be read as {type_name(field.type)}: {reason.rstrip('.')}.",
        why="No cast is made that could change what a value means.",
        fix=f"Send {_EXAMPLES.get(type_name(field.type), 'a ' + type_name(field.type))}.",
        column=field.name,
    )


def _refuse_type(found: pa.DataType, field: Field) -> pa.Array:
    zone = pa.types.is_timestamp(found) and field.type == TIMESTAMP
    raise SignatureError(
        f"Input {field.name!r} has the type {found}, and {_article(field.type)} is expected.",
        why="Its times name no time zone." if zone else "No cast is made that could change what a value means.",
        fix="Attach the zone, for example with tz_localize('UTC')."
        if zone
        else f"Send {_EXAMPLES.get(type_name(field.type), 'a ' + type_name(field.type))}.",
        column=field.name,
        type=str(found),
    )


def _article(kind: pa.DataType) -> str:
    name = type_name(kind)
    return ("an " if name[0] in "aeio" else "a ") + name


_EXAMPLES = {
    "string": "text in quotes",
    "bool": "true or false",
    "timestamp": "a time such as '2013-12-20T15:00Z'",
    "date32": "a date such as '2013-12-20'",
    **dict.fromkeys(("int8", "int16", "int32", "int64"), "a whole number without quotes"),
    **dict.fromkeys(("float32", "float64"), "a number without quotes"),
}
