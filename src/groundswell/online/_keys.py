"""Where an entity is: the table and the values of its key as one sequence of bytes.

Every value is preceded by the letter of its type, and is of fixed length or preceded by it, so ("1", "11") and
("11", "1") differ, and so do 1 and "1". Integers of all widths are written alike: a widened key finds what was written
before. A key that would be too long for a store is replaced by its SHA-256.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Context, Decimal
from hashlib import sha256
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from groundswell.errors import ColumnNotFoundError, DataError, TypeMismatchError, choices
from groundswell.tables import Definition, microseconds
from groundswell.types import DURATION, TIME, TIMESTAMP, Field, type_name

__all__ = ["NOWHERE", "KeyCodec", "record_address", "rows_prefix"]

NOWHERE = b"\x00"
"""An address where nothing ever is: that of a key with a null, which equals nothing."""

_LONGEST = 400
"""LMDB takes keys of up to 511 bytes; a waiting row's moment must fit behind."""

_SIGN = 1 << 63
_WIDE = Context(prec=100)

Encode = Callable[[Any], bytes]  # Any: a value of the column's type


def record_address(table_id: str) -> bytes:
    """Where the store keeps what it knows of a table as a whole.

    Args:
        table_id: 32 hexadecimal digits, as the catalog gives them.
    """
    return b"r" + bytes.fromhex(table_id)


def rows_prefix(table_id: str) -> bytes:
    """How the addresses of a table's entities begin."""
    return b"e" + bytes.fromhex(table_id)


class KeyCodec:
    """The addresses of one table's entities.

    Args:
        table_id: the table, as the catalog calls it.
        definition: its key columns and their types.
        names: the names under which requests hold the key columns; None: their own.

    Attributes:
        prefix: how the addresses begin.
        integer: under which name requests hold the key if it is one integer; None if it is anything else.
    """

    def __init__(self, table_id: str, definition: Definition, names: Sequence[str] | None = None) -> None:
        self.prefix = rows_prefix(table_id)
        self._fields = [definition.schema[name] for name in definition.primary_key]
        self._names = tuple(definition.primary_key if names is None else names)
        self._parts = tuple(zip(self._names, map(_encoder, self._fields), strict=True))
        self.integer = self._names[0] if self.kinds == ["integer"] else None
        self.address = self.address_of if self.integer is None else self._address_of_integer()

    @property
    def kinds(self) -> list[str]:
        """How each key column is written; where that changes, addresses change."""
        return [_family(f.type) for f in self._fields]

    def address_of(self, request: Mapping[str, Any]) -> bytes:  # Any: values of the columns' types
        """The address of one entity; `address` is the same, in half the time for a key of one integer.

        Args:
            request: the key columns by name; what else it holds is ignored.

        Raises:
            ColumnNotFoundError: a key column is missing.
            TypeMismatchError, DataError: a value is of another type than its column.
        """
        address = self.prefix
        try:
            for name, encode in self._parts:
                address += encode(request[name])
        except KeyError:
            raise self._missing(request) from None
        except _NullKeyError:
            return NOWHERE
        return address if len(address) <= _LONGEST else self._shorten(address)

    def _address_of_integer(self) -> Callable[[Mapping[str, Any]], bytes]:  # Any: as for address_of
        prefix, (name,) = self.prefix + b"i", self._names

        def address(request: Mapping[str, Any]) -> bytes:  # Any: as for address_of
            try:
                value = request[name]
                if type(value) is int:
                    return prefix + (value + _SIGN).to_bytes(8, "big")
            except (KeyError, OverflowError):
                pass
            return self.address_of(request)  # which says what is wrong, or takes it

        return address

    def addresses(self, rows: pa.RecordBatch | pa.Table) -> list[bytes]:
        """The addresses of many, from columns that hold the key in the table's types."""
        for name in self._names:
            if name not in rows.schema.names:
                raise self._missing(dict.fromkeys(rows.schema.names))
        columns = [_one_chunk(rows[name]) for name in self._names]
        if self.integer is not None and columns[0].type == self._fields[0].type and not columns[0].null_count:
            start = self.prefix + b"i"
            raw = np.asarray(columns[0]).astype(np.int64).view(np.uint64) ^ np.uint64(_SIGN)
            text = raw.astype(">u8").tobytes()
            return [start + text[i : i + 8] for i in range(0, len(text), 8)]
        parts = [_parts(column, field) for column, field in zip(columns, self._fields, strict=True)]
        prefix = pa.scalar(self.prefix, pa.large_binary())
        joined = pc.binary_join_element_wise(prefix, *(p for some in parts for p in some), pa.scalar(b"", prefix.type))
        longest = pc.max(pc.binary_length(joined)).as_py()
        addresses: list[bytes] = joined.fill_null(NOWHERE).to_pylist()
        if longest is None or longest <= _LONGEST:
            return addresses
        return [a if len(a) <= _LONGEST else self._shorten(a) for a in addresses]

    def _shorten(self, address: bytes) -> bytes:
        return self.prefix + b"#" + sha256(address).digest()

    def _missing(self, request: Mapping[str, Any]) -> ColumnNotFoundError:  # Any: as it came
        name = next(name for name in self._names if name not in request)
        return ColumnNotFoundError(
            f"The request has no {name!r}, which is part of the key.",
            fix=choices(name, request, "columns of the request"),
            column=name,
            known=sorted(request),
        )


class _NullKeyError(Exception):
    """A part of a key is null."""


def _family(kind: pa.DataType) -> str:
    if pa.types.is_integer(kind) and kind != pa.uint64():
        return "integer"
    return f"decimal with scale {kind.scale}" if pa.types.is_decimal(kind) else type_name(kind)


def _encoder(field: Field) -> Encode:
    """How one value of a column is written."""
    kind = field.type
    if pa.types.is_integer(kind):
        return _integers(field)
    if pa.types.is_string(kind):
        return _texts(field)

    def encode(value: Any) -> bytes:  # Any: a value of the column's type
        if value is None:
            raise _NullKeyError
        match value:
            case bool() if pa.types.is_boolean(kind):
                return b"b\x01" if value else b"b\x00"
            case bytes() if pa.types.is_binary(kind):
                return b"y" + len(value).to_bytes(4, "big") + value
            case datetime() if kind == TIMESTAMP:
                return b"t" + (microseconds(_utc(value, field)) + _SIGN).to_bytes(8, "big")
            case time() if kind == TIME and value.tzinfo is None:
                since = timedelta(hours=value.hour, minutes=value.minute, seconds=value.second)
                return b"c" + (since // _MICROSECOND + value.microsecond + _SIGN).to_bytes(8, "big")
            case timedelta() if kind == DURATION:
                return b"p" + (value // _MICROSECOND + _SIGN).to_bytes(8, "big")
            case date() if pa.types.is_date(kind) and not isinstance(value, datetime):
                return b"d" + (value.toordinal() - _EPOCH_DAY + _SIGN).to_bytes(8, "big")
            case Decimal() | int() if pa.types.is_decimal(kind) and not isinstance(value, bool):
                return b"n" + (_unscaled(Decimal(value), field) + (1 << 127)).to_bytes(16, "big")
        raise _mismatch(value, field)

    return encode


_EPOCH_DAY = date(1970, 1, 1).toordinal()
_MICROSECOND = timedelta(microseconds=1)


def _integers(field: Field) -> Encode:
    letter, zero = (b"u", 0) if field.type == pa.uint64() else (b"i", _SIGN)

    def encode(value: Any) -> bytes:  # Any: an integer of Python or NumPy
        if type(value) is not int:
            if value is None:
                raise _NullKeyError
            if isinstance(value, bool) or not hasattr(value, "__index__"):
                raise _mismatch(value, field)
            value = operator.index(value)
        number: int = value
        try:
            return letter + (number + zero).to_bytes(8, "big")
        except OverflowError:
            raise _mismatch(value, field) from None

    return encode


def _texts(field: Field) -> Encode:
    def encode(value: Any) -> bytes:  # Any: a string
        try:
            text: bytes = value.encode()
        except AttributeError:
            if value is None:
                raise _NullKeyError from None
            raise _mismatch(value, field) from None
        return b"s" + len(text).to_bytes(4, "big") + text

    return encode


def _utc(value: datetime, field: Field) -> datetime:
    if value.tzinfo is None:
        raise DataError(
            f"The key {field.name!r} is {value.isoformat()}, a time without a zone.",
            why="The same text is a different moment in each zone.",
            fix="Give it one: value.replace(tzinfo=datetime.UTC).",
            column=field.name,
            value=value,
        )
    return value.astimezone(UTC)


def _unscaled(value: Decimal, field: Field) -> int:
    whole = value.scaleb(field.type.scale, context=_WIDE) if value.is_finite() else value
    if not whole.is_finite() or whole != whole.to_integral_value() or abs(whole) >= 1 << 127:
        raise _mismatch(value, field)
    return int(whole)


def _mismatch(value: object, field: Field) -> TypeMismatchError:
    return TypeMismatchError(
        f"The key {field.name!r} is {value!r} ({type(value).__name__}) and must be {type_name(field.type)}.",
        why="A value of another type would find nothing, which looks like a key without rows.",
        fix="Convert it where the request is made.",
        column=field.name,
        value=value,
        expected=type_name(field.type),
    )


def _parts(column: pa.Array, field: Field) -> list[pa.Array | pa.Scalar]:
    """The same for a whole column, as binary columns to be joined; null where the value is."""
    kind = field.type
    if column.type != kind:
        raise TypeMismatchError(
            f"The key {field.name!r} has the type {column.type} and must be {type_name(kind)}.",
            fix="Cast the column first.",
            column=field.name,
            type=str(column.type),
            expected=type_name(kind),
        )
    if pa.types.is_string(kind) or pa.types.is_binary(kind):
        length = _fixed(pc.binary_length(column).fill_null(0).to_numpy().astype(">u4"))
        return [_letter("s" if pa.types.is_string(kind) else "y"), length, column.cast(pa.binary()).cast(_BYTES)]
    if pa.types.is_boolean(kind):
        return [_letter("b"), pc.if_else(column, pa.scalar(b"\x01", _BYTES), pa.scalar(b"\x00", _BYTES))]
    if pa.types.is_decimal(kind):
        big_endian = _decimals(column)[:, ::-1].copy()
        big_endian[:, 0] ^= 0x80
        return [_letter("n"), _masked(_fixed(big_endian), column)]
    if kind == pa.uint64():
        return [_letter("u"), _masked(_fixed(column.fill_null(0).to_numpy().astype(">u8")), column)]
    letters = {TIMESTAMP: "t", TIME: "c", DURATION: "p", pa.date32(): "d"}
    letter = letters.get(kind, "i")
    numbers = column.cast(pa.int32()) if letter == "d" else column
    raw = numbers.cast(pa.int64()).fill_null(0).to_numpy().view(np.uint64) ^ np.uint64(_SIGN)
    return [_letter(letter), _masked(_fixed(raw.astype(">u8")), column)]


_BYTES = pa.large_binary()


def _letter(letter: str) -> pa.Scalar:
    return pa.scalar(letter.encode(), _BYTES)


def _fixed(values: NDArray[Any]) -> pa.Array:  # Any: of any type
    """The raw bytes of each element, or of each row of a matrix."""
    width = values.itemsize * (values.shape[1] if values.ndim == 2 else 1)
    offsets = np.arange(len(values) + 1, dtype=np.int64) * width
    return pa.Array.from_buffers(
        _BYTES, len(values), [None, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(values).tobytes())]
    )


def _masked(parts: pa.Array, column: pa.Array) -> pa.Array:
    return pc.if_else(column.is_valid(), parts, pa.scalar(None, _BYTES)) if column.null_count else parts


def _decimals(column: pa.Array) -> NDArray[np.uint8]:
    """The 16 bytes of each decimal, little-endian."""
    raw = np.frombuffer(column.buffers()[1], np.uint8)
    return raw.reshape(-1, 16)[column.offset : column.offset + len(column)]


def _one_chunk(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
