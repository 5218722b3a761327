"""How a row lies in bytes.

    tag 8 | epoch 4 | next 8 | known 8 | event time 8 | available at 8 | version 8 | nulls | columns | tail

All numbers are little-endian, all times microseconds since 1970. The tag is a digest of the schema, so a row says
itself how to read it, whatever came to the schema later. Columns of fixed width lie raw, one after the other, in the
schema's order, so one `struct` call reads a row and one NumPy view reads a column of many. A string or binary column
has there the place where it ends in the tail. Lists and structs share one Arrow message at the end of the tail, in the
format of Arrow's inter-process communication.
"""

import json
import struct
from functools import cached_property
from hashlib import blake2b
from typing import Any

import numpy as np
import pyarrow as pa

from groundswell.types import DURATION, TIME, TIMESTAMP, Field, Schema

__all__ = ["ALWAYS", "NEVER", "NO_ROW", "Head", "RowLayout", "waiting_only"]

NEVER = 2**63 - 1
"""The moment of what never comes."""

ALWAYS = -(2**63)
"""The moment of what was always there: the times of rows without time."""

NO_ROW = b"\x00" * 8
"""The tag of an entity that has no row yet, only rows that wait."""

_FORMAT = 1
_FIXED: dict[pa.DataType, tuple[str, str]] = {
    pa.bool_(): ("?", "?"), pa.int8(): ("b", "i1"), pa.int16(): ("h", "<i2"), pa.int32(): ("i", "<i4"),
    pa.int64(): ("q", "<i8"), pa.float32(): ("f", "<f4"), pa.float64(): ("d", "<f8"), pa.date32(): ("i", "<i4"),
    pa.uint8(): ("B", "u1"), pa.uint16(): ("H", "<u2"), pa.uint32(): ("I", "<u4"), pa.uint64(): ("Q", "<u8"),
    pa.float16(): ("e", "<f2"), TIMESTAMP: ("q", "<i8"), TIME: ("q", "<i8"), DURATION: ("q", "<i8"),
}  # fmt: skip
_DECIMAL = ("16s", "V16")
_END = ("I", "<u4")


class Head:
    """The parts before the columns, by their place in what `RowLayout.row` unpacks."""

    TAG, EPOCH, NEXT, KNOWN, EVENT_TIME, AVAILABLE_AT, VERSION, NULLS = range(8)
    COLUMNS = 8
    STRUCT = struct.Struct("<8sIqqqqq")
    NAMES = ("tag", "epoch", "next", "known", "event_time", "available_at", "version")
    FORMATS = ("V8", "<u4", "<i8", "<i8", "<i8", "<i8", "<i8")
    NEXT_PLACE = slice(12, 20)


def waiting_only(epoch: int, next_us: int) -> bytes:
    """An entity that has no row yet, only rows that wait, the first of them until `next_us`."""
    return Head.STRUCT.pack(NO_ROW, epoch, next_us, ALWAYS, ALWAYS, ALWAYS, -1)


class RowLayout:
    """Where everything is in the rows of one schema.

    Args:
        schema: the table's.
        event_time, available_at: the columns that are part of the head, if there are such.
    """

    def __init__(self, schema: Schema, event_time: str | None, available_at: str | None) -> None:
        self.schema, self.event_time, self.available_at = schema, event_time, available_at
        self.body: list[Field] = [f for f in schema if f.name not in (event_time, available_at)]
        self.nested = [f for f in self.body if pa.types.is_nested(f.type)]
        self.texts = [f for f in self.body if is_text(f)]
        described = json.dumps([_FORMAT, schema.to_dict(), event_time, available_at])
        self.tag = blake2b(described.encode(), digest_size=8).digest()
        self.nulls_bytes = (len(self.body) + 7) // 8
        self.no_nulls = b"\x00" * self.nulls_bytes
        formats = [self._format(f) for f in self.body if f not in self.nested]
        if self.nested:
            formats.append(_END)
        characters = "".join(character for character, _ in formats)
        self.row = struct.Struct(f"{Head.STRUCT.format}{self.nulls_bytes}s{characters}")
        self._formats = [numpy for _, numpy in formats]

    @cached_property
    def ends(self) -> list[int]:
        """The places of the ends of what lies in the tail, in its order."""
        return list(dict.fromkeys(self.places[f.name] for f in [*self.texts, *self.nested]))

    @cached_property
    def places(self) -> dict[str, int]:
        """Each column's place in what `row` unpacks; that of a string is where it ends, of a nested one the message."""
        flat = [f.name for f in self.body if f not in self.nested]
        places = {name: Head.COLUMNS + i for i, name in enumerate(flat)}
        places |= {f.name: Head.COLUMNS + len(flat) for f in self.nested}
        times = {self.event_time: Head.EVENT_TIME, self.available_at: Head.AVAILABLE_AT}
        return places | {name: place for name, place in times.items() if name is not None}

    @cached_property
    def starts(self) -> dict[str, int | None]:
        """For each string column and for the message the place of the column that ends where it starts; None: at 0."""
        before = dict(zip(self.ends, [None, *self.ends], strict=False))
        return {field.name: before[self.places[field.name]] for field in [*self.texts, *self.nested]}

    @cached_property
    def bits(self) -> dict[str, int]:
        """Each column's bit among the nulls."""
        return {f.name: i for i, f in enumerate(self.body)}

    @cached_property
    def records(self) -> np.dtype[Any]:  # Any: a structured type
        """The same as `row` for NumPy; a column's name there is "c" and its place."""
        names = [*Head.NAMES, "nulls", *(f"c{Head.COLUMNS + i}" for i in range(len(self._formats)))]
        nulls = np.dtype((np.uint8, (self.nulls_bytes,)))
        return np.dtype(list(zip(names, [*Head.FORMATS, nulls, *self._formats], strict=True)))

    @cached_property
    def message(self) -> pa.Schema:
        """The columns of the Arrow message."""
        return pa.schema([pa.field(f.name, f.type) for f in self.nested])

    @staticmethod
    def _format(field: Field) -> tuple[str, str]:
        if pa.types.is_decimal(field.type):
            return _DECIMAL
        return _END if is_text(field) else _FIXED[field.type]


def is_text(field: Field) -> bool:
    """Whether the column holds strings or binaries."""
    return bool(pa.types.is_string(field.type) or pa.types.is_binary(field.type))
