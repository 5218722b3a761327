"""Tensors of the Open Inference Protocol and Arrow columns: one becomes the other, and no value changes on the way.

A scalar column of n rows is a tensor of shape [n] (or [n, 1]); a list column is one of shape [n, d]. Text, timestamps,
dates, decimals and bytes travel as BYTES: ISO 8601 with a zone for timestamps, Base64 for bytes. Called by the
protocol's codec for every input and output.

References:
    Open Inference Protocol v2, "Tensor Data" and "Tensor Data Types".
"""

import base64
import binascii
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from groundswell.errors import SignatureError, TypeMismatchError
from groundswell.types import TIMESTAMP, Field, type_name

__all__ = ["array_of", "datatype_of", "metadata_of", "show", "tensor_of"]

_INTEGERS = {
    "INT8": pa.int8(), "INT16": pa.int16(), "INT32": pa.int32(), "INT64": pa.int64(),
    "UINT8": pa.uint8(), "UINT16": pa.uint16(), "UINT32": pa.uint32(), "UINT64": pa.uint64(),
}  # fmt: skip
_FLOATS = ("FP16", "FP32", "FP64")
_DATATYPES = ("BOOL", *_INTEGERS, *_FLOATS, "BYTES")
_LITERALS: dict[str, tuple[frozenset[type], str]] = {
    "BOOL": (frozenset({bool, type(None)}), "true or false"),
    "BYTES": (frozenset({str, type(None)}), "text"),
    **dict.fromkeys(_INTEGERS, (frozenset({int, type(None)}), "an integer")),
    **dict.fromkeys(_FLOATS, (frozenset({int, float, type(None)}), "a number")),
}
_YEARS_US = tuple(
    int((edge - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()) * 1_000_000
    for edge in (datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC))
)


def show(value: object, limit: int = 80) -> str:
    """A client's value as it may stand in a message: quoted, escaped, of bounded length."""
    text = (
        repr(value)
        if not isinstance(value, (list, dict))
        else f"a JSON {'array' if isinstance(value, list) else 'object'}"
    )
    return text if len(text) <= limit else text[: limit - 1] + "…"


def datatype_of(kind: pa.DataType) -> str:
    """The protocol's datatype for values of an Arrow type; for lists, that of their elements.

    >>> datatype_of(pa.float32()), datatype_of(TIMESTAMP)
    ('FP32', 'BYTES')
    """
    if pa.types.is_list(kind):
        return datatype_of(kind.value_type)
    if pa.types.is_boolean(kind):
        return "BOOL"
    if pa.types.is_integer(kind):
        return str(kind).upper()
    if pa.types.is_floating(kind):
        return f"FP{kind.bit_width}"
    return "BYTES"


def metadata_of(field: Field) -> dict[str, Any]:
    """The column as a `metadata_tensor`: -1 stands for a size that each request decides.

    Raises:
        TypeMismatchError: the column holds structs or lists of lists, which no tensor can carry.
    """
    element = field.type.value_type if pa.types.is_list(field.type) else field.type
    if pa.types.is_nested(element):
        raise TypeMismatchError(
            f"Column {field.name!r} has the type {type_name(field.type)}, which no tensor can carry.",
            why="The Open Inference Protocol knows scalars and arrays of scalars.",
            fix="Give the model flat columns: one per member of the struct.",
            column=field.name,
        )
    shape = [-1, -1] if pa.types.is_list(field.type) else [-1]
    return {"name": field.name, "datatype": datatype_of(field.type), "shape": shape}


def array_of(tensor: Mapping[str, Any], field: Field) -> pa.Array:
    """The values of one input tensor as a column of the field's type, one value per row.

    Args:
        tensor: the input as JSON gave it; `data` is flat or nested, row-major.
        field: the column that it is for.

    Raises:
        SignatureError: shape, datatype or a value does not fit; the message names the input and the way out.
    """
    name = field.name
    width = 1
    shape = _shape(name, tensor.get("shape"), field)
    if len(shape) == 2:
        width = shape[1]
    flat = _flatten(name, tensor.get("data"), shape)
    datatype = tensor.get("datatype")
    element = Field(name, field.type.value_type if pa.types.is_list(field.type) else field.type, field.nullable)
    _check_datatype(name, datatype, element)
    _check_literals(name, str(datatype), flat, width)
    values = _decode(name, str(datatype), flat, element.type, width)
    if values.null_count and not field.nullable:
        row = pc.index(pc.is_null(values), True).as_py() // width
        raise SignatureError(
            f"Input {name!r} is null in row {row}.",
            why="The model's signature does not allow null there.",
            fix="Send a value in every row.",
            input=name,
            row=row,
        )
    if pa.types.is_list(field.type):
        offsets = pa.array(np.arange(0, len(flat) + 1, width), pa.int32())
        return pa.ListArray.from_arrays(offsets, values).cast(field.type)
    return values


def _shape(name: str, shape: object, field: Field) -> list[int]:
    fits = isinstance(shape, list) and all(type(size) is int and size >= 0 for size in shape)
    sizes: list[int] = shape if fits and isinstance(shape, list) else []
    ranks = "[n, d] with d ≥ 1" if pa.types.is_list(field.type) else "[n] or [n, 1]"
    if pa.types.is_list(field.type):
        right = len(sizes) == 2 and sizes[1] >= 1
    else:
        right = len(sizes) == 1 or (len(sizes) == 2 and sizes[1] == 1)
    if not right:
        raise SignatureError(
            f"Input {name!r} has the shape {show(str(shape)) if isinstance(shape, list) else show(shape)}.",
            why=f"A column of type {type_name(field.type)} is a tensor of shape {ranks}, n being the number of rows.",
            fix=f"Send the shape as {ranks}.",
            input=name,
        )
    return sizes


def _flatten(name: str, data: object, shape: list[int]) -> list[Any]:
    """The data as one flat row-major list, whether it came flat or nested."""
    if not isinstance(data, list):
        raise SignatureError(
            f"Input {name!r} has no array 'data'.", fix='Send the values as "data": [...], row by row.', input=name
        )
    expected = math.prod(shape)
    if data and type(data[0]) is list and len(shape) > 1:
        rows = set(map(type, data)) == {list} and len(data) == shape[0] and set(map(len, data)) == {shape[1]}
        if not rows:
            raise SignatureError(
                f"Input {name!r} has nested data that is not {shape[0]} rows of {shape[1]} values.",
                why=f"Its shape is {shape}.",
                fix="Make shape and data agree, or send the data flat.",
                input=name,
            )
        return list(chain.from_iterable(data))
    if len(data) != expected:
        raise SignatureError(
            f"Input {name!r} has {len(data)} values where its shape {show(str(shape))} asks for {expected}.",
            fix="Make shape and data agree.",
            input=name,
        )
    return data


def _check_datatype(name: str, datatype: object, field: Field) -> None:
    own = datatype_of(field.type)
    if own in _INTEGERS:
        accepted: tuple[str, ...] = tuple(_INTEGERS)
    elif own in _FLOATS:
        accepted = (*_FLOATS, *_INTEGERS)
    else:
        accepted = (own,)
    if datatype not in accepted:
        known = isinstance(datatype, str) and datatype in _DATATYPES
        raise SignatureError(
            f"Input {name!r} has the datatype {show(datatype)}.",
            why=f"The column is {type_name(field.type)}."
            if known
            else f"The protocol's datatypes are {', '.join(_DATATYPES)}.",
            fix=f"Send it as {own}.",
            input=name,
        )


def _check_literals(name: str, datatype: str, flat: list[Any], width: int) -> None:
    """Types are compared exactly and as a set, which is as quick as a copy of the list: true is no INT, 1.0 neither."""
    allowed, wanted = _LITERALS[datatype]
    if not set(map(type, flat)) <= allowed:
        position = next(i for i, value in enumerate(flat) if type(value) not in allowed)
        raise _bad_value(name, flat[position], position // width, f"{datatype} data holds {wanted} or null.")


def _bad_value(name: str, value: object, row: int, why: str, fix: str = "") -> SignatureError:
    return SignatureError(
        f"Input {name!r} holds {show(value)} in row {row}.",
        why=why,
        fix=fix or "Correct the value, or send null where none is known.",
        input=name,
        row=row,
    )


def _decode(name: str, datatype: str, flat: list[Any], kind: pa.DataType, width: int) -> pa.Array:
    try:
        return _decode_all(datatype, flat, kind)
    except (ValueError, OverflowError):  # what pyarrow raises for a value that does not fit
        for position, value in enumerate(flat):
            try:
                _decode_all(datatype, [value], kind)
            except (ValueError, OverflowError):
                why, fix = _reason(datatype, kind)
                raise _bad_value(name, value, position // width, why, fix) from None
        raise


def _decode_all(datatype: str, flat: list[Any], kind: pa.DataType) -> pa.Array:
    if datatype in _INTEGERS:  # a safe cast refuses an integer that the target cannot hold exactly
        return pa.array(flat, _INTEGERS[datatype]).cast(kind)
    if datatype in _FLOATS:
        # JavaScript writes 1e20 as an integer literal, which pyarrow would not take for a float.
        floats = [None if value is None else float(value) for value in flat]
        values = pa.array(floats, pa.float64()).cast(kind)
        if not np.isfinite(values.drop_null().to_numpy(zero_copy_only=False)).all():
            raise OverflowError
        return values
    if pa.types.is_boolean(kind):
        return pa.array(flat, pa.bool_())
    if pa.types.is_binary(kind):
        return pa.array([None if v is None else _from_base64(v) for v in flat], kind)
    texts = pa.array(flat, pa.string())
    if kind == TIMESTAMP:
        return _instants(texts)
    return texts.cast(kind)


def _from_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from None


def _instants(texts: pa.Array) -> pa.Array:
    """Arrow's parser wants a zone, which is what we want; the years must be ones that Python's datetime knows."""
    instants = texts.cast(TIMESTAMP)
    edges = pc.min_max(instants.cast(pa.int64())).as_py()
    first, last = edges["min"], edges["max"]
    if first is not None and (first < _YEARS_US[0] or last > _YEARS_US[1]):
        raise OverflowError
    return instants


def _reason(datatype: str, kind: pa.DataType) -> tuple[str, str]:
    if kind == TIMESTAMP:
        return (
            "Timestamps are ISO 8601 with a time zone, to the microsecond at most.",
            "Write it as '2013-12-20T15:00:00Z'.",
        )
    if pa.types.is_date(kind):
        return "Dates are ISO 8601.", "Write it as '2013-12-20'."
    if pa.types.is_binary(kind):
        return "Bytes travel as Base64.", "Encode it with Base64, padding included."
    if datatype == "BYTES":
        return f"It cannot be read as {type_name(kind)}.", ""
    if pa.types.is_floating(kind) and datatype in _INTEGERS:
        return f"{datatype} and the column's {type_name(kind)} do not both hold it exactly.", "Send it as FP64."
    return f"{datatype} and the column's {type_name(kind)} do not both hold it.", ""


def tensor_of(name: str, column: pa.Array) -> dict[str, Any]:
    """A column as an output tensor with flat data; what JSON cannot write (NaN and infinities) becomes null.

    >>> tensor_of("p", pa.array([0.25, float("nan")]))
    {'name': 'p', 'shape': [2], 'datatype': 'FP64', 'data': [0.25, None]}
    """
    shape = [len(column)]
    values = column
    if pa.types.is_list(column.type):
        values = column.flatten()
        shape.append(len(values) // len(column) if len(column) else 0)
    return {"name": name, "shape": shape, "datatype": datatype_of(column.type), "data": _encode(values)}


def _encode(values: pa.Array) -> list[Any]:
    kind = values.type
    if pa.types.is_binary(kind):
        return [None if value is None else base64.b64encode(value).decode() for value in values.to_pylist()]
    if pa.types.is_floating(kind):
        values = pc.if_else(pc.is_finite(values), values, None)
    elif kind == TIMESTAMP:
        values = pc.strftime(values, "%Y-%m-%dT%H:%M:%SZ")
    elif pa.types.is_date(kind) or pa.types.is_decimal(kind):
        values = values.cast(pa.string())
    plain: list[Any] = values.to_pylist()
    return plain
