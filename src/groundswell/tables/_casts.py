"""Casts that change no value: a column in the type of its table, or an error that names the row.

A value may only change its representation: an integer widens, a float that is whole becomes an integer, text in ISO
8601 becomes a timestamp, a dictionary its values, a list of the right length a vector. What is inside lists and structs
obeys the same rules.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from groundswell.errors import TypeMismatchError
from groundswell.tables._times import TimeZones, Unfit, to_dates, to_times_of_day, to_timestamps
from groundswell.types import TIMESTAMP, Field, type_name

__all__ = ["cast_column"]

_VALUE_ERRORS = (Unfit, pa.ArrowInvalid, pa.ArrowNotImplementedError)
_FAMILIES: dict[str, tuple[Callable[[pa.DataType], bool], ...]] = {
    "number": (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal),
    "text": (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view),
    "bytes": (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view, pa.types.is_fixed_size_binary),
    "date": (pa.types.is_date,),
    "time of day": (pa.types.is_time,),
    "duration": (pa.types.is_duration,),
    "list": (
        pa.types.is_list,
        pa.types.is_large_list,
        pa.types.is_fixed_size_list,
        pa.types.is_list_view,
        pa.types.is_large_list_view,
    ),
    "struct": (pa.types.is_struct,),
}


def cast_column(
    column: pa.Array, field: Field, *, time_zone: str | None = None, offset: int = 0, zones: TimeZones | None = None
) -> pa.Array:
    """The column in the field's type, no value changed.

    Args:
        column: the values.
        field: what they must become.
        time_zone: the IANA zone of naive times; None refuses them.
        offset: the row number of the first value, for messages.
        zones: what zones the batches before had; None if there are none.

    Raises:
        TypeMismatchError: a value cannot be represented in the type; the message names the row and the value.
        DataError: a time is naive and no zone is given, or text is no time, or times mix zones.
    """
    _check_type(column, field.type, field.name, time_zone)
    zones = TimeZones(field.name, time_zone) if zones is None else zones
    convert = partial(_convert, kind=field.type, zones=zones)
    try:
        return convert(column)
    except _VALUE_ERRORS:
        row, error = _first_failure(column, convert)
    value = _shown(column, row)
    if isinstance(error, Unfit):
        raise error.explain(field.name, offset + row, value)
    raise TypeMismatchError(
        f"Column {field.name!r}, row {offset + row}: {value!r} cannot be stored as {type_name(field.type)}.",
        why=f"The value would change ({str(error).splitlines()[0]}).",
        fix="Round or drop it, or give the group a column of a wider type.",
        column=field.name,
        row=offset + row,
        value=value,
    )


def _check_type(column: pa.Array, wanted: pa.DataType, path: str, time_zone: str | None) -> None:
    """Raise if no value of the column's type could become the wanted one; the path names what is inside a column."""
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if kind == wanted or pa.types.is_null(kind):
        return
    if wanted == TIMESTAMP:
        present = column.drop_null()
        TimeZones(path, time_zone).check_type(kind, _shown(present, 0) if len(present) else kind)
        return
    family = _family(kind)
    if family != _family(wanted):
        raise _mismatch(kind, wanted, path)
    if family == "list":
        _check_type(column.flatten(), wanted.value_type, f"{path}[]", time_zone)
    if family == "struct":
        if len(kind) != len(wanted) or {f.name for f in kind} != {f.name for f in wanted}:
            raise _mismatch(kind, wanted, path)
        for inner in wanted:
            _check_type(_child(column, inner.name), inner.type, f"{path}.{inner.name}", time_zone)


def _mismatch(kind: pa.DataType, wanted: pa.DataType, path: str) -> TypeMismatchError:
    return TypeMismatchError(
        f"Column {path!r} has the type {kind} and must be {type_name(wanted)}.",
        why="A silent conversion could change values.",
        fix="Convert it first.",
        column=path,
        type=str(kind),
        expected=type_name(wanted),
    )


def _shown(column: pa.Array, row: int) -> object:
    """A value for a message; a time that is none of Python's as Arrow writes it, or else as a number."""
    one = column.slice(row, 1)
    try:
        return str(one[0].as_py()) if pa.types.is_temporal(column.type) else one[0].as_py()
    except (ValueError, OverflowError):
        return one.cast(pa.string())[0].as_py()


def _family(kind: pa.DataType) -> str:
    return next((name for name, tests in _FAMILIES.items() if any(test(kind) for test in tests)), str(kind))


def _convert(values: pa.Array, kind: pa.DataType, zones: TimeZones) -> pa.Array:
    """The values in another type; one of `_VALUE_ERRORS` if one would change."""
    if pa.types.is_dictionary(values.type):
        values = _decoded(values, kind)
    if pa.types.is_null(values.type):
        return values.cast(kind)
    if kind == TIMESTAMP:
        return to_timestamps(values, zones)
    if pa.types.is_date(kind):
        return to_dates(values)
    if pa.types.is_time(kind):
        return to_times_of_day(values)
    if values.type == kind:
        return values
    if pa.types.is_struct(kind):
        inner = [_convert(_child(values, field.name), field.type, zones) for field in kind]
        return pa.StructArray.from_arrays(inner, fields=list(kind), mask=values.is_null())
    if _family(kind) == "list":
        return _convert_lists(values, kind, zones)
    if _family(kind) != "number":
        return values.cast(kind)
    return _convert_numbers(values, kind)


def _decoded(values: pa.DictionaryArray, kind: pa.DataType) -> pa.Array:
    dictionary = values.dictionary
    if pa.types.is_string_view(dictionary.type) or pa.types.is_binary_view(dictionary.type):  # Arrow cannot take these
        dictionary = dictionary.cast(pa.binary() if pa.types.is_binary(kind) else pa.string())
    return pa.DictionaryArray.from_arrays(values.indices, dictionary).dictionary_decode()


def _child(values: pa.StructArray, name: str) -> pa.Array:
    """A field's values, null where the struct is; `field` alone would show what lies under a null."""
    return values.flatten()[values.type.get_field_index(name)]


def _convert_lists(values: pa.Array, kind: pa.DataType, zones: TimeZones) -> pa.Array:
    inner = _convert(values.flatten(), kind.value_type, zones)
    lengths = pc.fill_null(pc.list_value_length(values), 0).cast(pa.int32())
    offsets = pa.concat_arrays([pa.array([0], pa.int32()), pc.cumulative_sum(lengths).cast(pa.int32())])
    lists = pa.ListArray.from_arrays(offsets, inner, mask=values.is_null())
    return lists.cast(kind)  # whose lists may have to be of one length


def _convert_numbers(values: pa.Array, kind: pa.DataType) -> pa.Array:
    if pa.types.is_float16(values.type):
        values = values.cast(pa.float32())  # exactly; Arrow knows few casts of half floats
    if pa.types.is_decimal(values.type) and pa.types.is_floating(kind):
        return _decimals_to_floats(values, kind)
    if pa.types.is_decimal(kind) and pa.types.is_integer(values.type):
        return values.cast(pa.decimal256(76, kind.scale)).cast(kind)  # Arrow asks for room for any integer
    if pa.types.is_float16(kind):
        single = _convert_numbers(values, pa.float32())
        return _checked(single.cast(kind), single)
    out = values.cast(kind)
    return _checked(out, values) if pa.types.is_floating(values.type) else out


def _checked(out: pa.Array, values: pa.Array) -> pa.Array:
    """What floats were cast to, once it is sure that casting it back gives the same."""
    if not _same(out.cast(values.type, safe=False), values):
        raise pa.ArrowInvalid("digits would be lost")
    return out


def _decimals_to_floats(values: pa.Array, kind: pa.DataType) -> pa.Array:
    """By way of text, which is rounded correctly: Arrow's own cast makes 3.0000000000000004 of the decimal 3.00000."""
    out = values.cast(pa.string()).cast(kind)
    if not out.cast(pa.string()).cast(values.type).equals(values):
        raise pa.ArrowInvalid("digits would be lost")
    return out


def _same(back: pa.Array, values: pa.Array) -> bool:
    if back.equals(values):
        return True
    same = pc.or_kleene(pc.equal(back, values), pc.and_kleene(pc.is_nan(back), pc.is_nan(values)))
    return bool(pc.all(same, skip_nulls=True).as_py() is not False)


def _first_failure(column: pa.Array, convert: Callable[[pa.Array], Any]) -> tuple[int, Exception]:
    """The first value that cannot be converted and why, by halving: a batch has few rows, and this happens once."""
    low, high = 0, len(column)
    while high - low > 1:
        middle = (low + high) // 2
        try:
            convert(column.slice(low, middle - low))
            low = middle
        except _VALUE_ERRORS:
            high = middle
    try:
        convert(column.slice(low, 1))
    except _VALUE_ERRORS as error:
        return low, error
    raise AssertionError("each value alone can be converted")
