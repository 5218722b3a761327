"""Bytes to rows: one row as a tuple of Python values in a microsecond or two, many as Arrow columns.

A decoder reads the rows of one schema into the columns of another: a column that the rows do not have comes out null,
and a narrower number as the wider one that it has become.
"""

import struct
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Context, Decimal
from operator import itemgetter
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from groundswell.errors import CorruptionError
from groundswell.online._layout import ALWAYS, Head, RowLayout, is_text
from groundswell.types import DURATION, TIME, TIMESTAMP, Field

__all__ = ["RowDecoder", "damaged"]

Fields = tuple[Any, ...]  # Any: what `struct` unpacks
Read = Callable[[Fields, bytes], Any]  # Any: a value of the column's type

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_WIDE = Context(prec=100)


class RowDecoder:
    """Reads rows that lie as one layout says.

    Args:
        layout: how they lie.
        columns: what comes out, in this order and in these types.
    """

    def __init__(self, layout: RowLayout, columns: Sequence[Field]) -> None:
        self.layout, self.columns, self.tag = layout, tuple(columns), layout.tag
        self.unpack = layout.row.unpack_from if layout.ends else layout.row.unpack
        self.no_nulls = layout.no_nulls
        self._reads = [_reader(layout, f.name) for f in self.columns]
        places = [layout.places.get(f.name) for f in self.columns]
        there = [place for place in places if place is not None]
        plain = there == places and not any(self._reads) and bool(there)
        self.pick = _picker(there) if plain else None
        self._schema = pa.schema([pa.field(f.name, f.type) for f in self.columns])

    def values(self, fields: Fields, row: bytes) -> tuple[Any, ...]:  # Any: of the columns' types
        """The columns of one row. Where `pick` is not None and no value is null, `pick(fields)` gives the same.

        Args:
            fields: what `unpack` gave of the row.
            row: its bytes.
        """
        nulls, layout = int.from_bytes(fields[Head.NULLS], "little"), self.layout
        if layout.ends and len(row) != layout.row.size + fields[layout.ends[-1]]:
            raise damaged(len(row))
        values: list[Any] = []  # Any: of the columns' types
        for field, read in zip(self.columns, self._reads, strict=True):
            place = layout.places.get(field.name)
            if place is None or nulls >> layout.bits.get(field.name, len(layout.body)) & 1:
                values.append(None)
            else:
                values.append(fields[place] if read is None else read(fields, row))
        return tuple(values)

    def table(self, rows: Sequence[bytes]) -> tuple[NDArray[Any], pa.Table]:  # Any: a structured type
        """The heads of many rows, by the names of `Head`, and their columns."""
        layout = self.layout
        size = layout.row.size
        data = b"".join(row[:size] for row in rows) if layout.ends else b"".join(rows)
        if len(data) != size * len(rows):
            raise damaged(min(len(row) for row in rows))
        records = np.frombuffer(data, layout.records)
        nulls = np.unpackbits(records["nulls"], axis=1, bitorder="little").view(np.bool_)
        some: list[bool] = np.any(nulls, axis=0).tolist()
        tails = self._tails(rows, records) if layout.ends else {}
        columns = []
        for field in self.columns:
            bit = layout.bits.get(field.name)
            missing = None if bit is None or not some[bit] else nulls[:, bit]
            columns.append(self._column(field, records, missing, tails))
        return records, pa.Table.from_arrays(columns, schema=self._schema)

    def _column(
        self, field: Field, records: NDArray[Any], missing: NDArray[np.bool_] | None, tails: dict[str, pa.Array]
    ) -> pa.Array:  # Any: a structured type
        layout = self.layout
        if field.name not in layout.places:
            return pa.nulls(len(records), field.type)
        stored = layout.schema[field.name]
        if field.name in (layout.event_time, layout.available_at):
            times = records[Head.NAMES[layout.places[field.name]]]
            return _fixed(times, stored.type, times == ALWAYS)
        if field.name in tails:
            column = tails[field.name]
            if is_text(stored) and missing is not None:
                column = pc.if_else(pa.array(missing), pa.scalar(None, column.type), column)
        else:
            column = _fixed(records[f"c{layout.places[field.name]}"], stored.type, missing)
        return column if column.type == field.type else column.cast(field.type)

    def _tails(self, rows: Sequence[bytes], records: NDArray[Any]) -> dict[str, pa.Array]:  # Any: a structured type
        """The columns that lie in the tails, those of them that are asked for."""
        layout, size, places = self.layout, self.layout.row.size, self.layout.ends
        ends = np.stack([records[f"c{place}"] for place in places], axis=1).astype(np.int64)
        if [len(row) - size for row in rows] != ends[:, -1].tolist() or (np.diff(ends, axis=1) < 0).any():
            raise damaged(min(len(row) for row in rows))
        first = np.concatenate([[0], np.cumsum(ends[:, -1])[:-1]])
        offsets = np.concatenate([[0], (first[:, None] + ends).ravel()])
        data = b"".join(row[size:] for row in rows)
        buffers = [None, pa.py_buffer(offsets), pa.py_buffer(data)]
        cells = pa.Array.from_buffers(pa.large_binary(), len(rows) * len(places), buffers)
        wanted = {f.name for f in self.columns}
        columns: dict[str, pa.Array] = {}
        for i, place in enumerate(places):
            names = [name for name, at in layout.places.items() if at == place and name in wanted]
            column = cells.take(pa.array(np.arange(i, len(cells), len(places)))) if names else None
            if column is None:
                continue
            if names[0] in layout.message.names:
                message = pa.Table.from_batches([_message(m, layout) for m in column.to_pylist()], layout.message)
                columns |= {name: message[name].combine_chunks() for name in names}
            else:
                columns[names[0]] = column.cast(pa.binary()).cast(layout.schema[names[0]].type)
        return columns


def damaged(n_bytes: int) -> CorruptionError:
    """The error of a row that is not as its schema says."""
    return CorruptionError(
        f"A row of the online store has {n_bytes} bytes, which its schema does not explain.",
        why="It is damaged, or another program wrote it.",
        fix="Build the store again from the table, with the follower's rebuild().",
        n_bytes=n_bytes,
    )


def _picker(places: Sequence[int]) -> Callable[[Fields], tuple[Any, ...]]:  # Any: as unpacked
    """What takes the fields at some places, in order."""
    if places == list(range(places[0], places[0] + len(places))):
        return itemgetter(slice(places[0], places[0] + len(places)))
    return itemgetter(*places)


def _reader(layout: RowLayout, name: str) -> Read | None:
    """What makes a value of a column out of an unpacked row; None if it is there as it is."""
    if name not in layout.places:
        return None
    field, place, start = layout.schema[name], layout.places[name], layout.starts.get(name)
    kind, size = field.type, layout.row.size
    if pa.types.is_nested(kind):
        return lambda fields, row: _cell(row[size + (fields[start] if start else 0) :], layout, name)
    if is_text(field):
        binary = pa.types.is_binary(kind)

        def text(fields: Fields, row: bytes) -> str | bytes:
            value = row[size + (fields[start] if start else 0) : size + fields[place]]
            return value if binary else value.decode()

        return text
    if kind == TIMESTAMP:
        return lambda fields, _: None if fields[place] == ALWAYS else _EPOCH + timedelta(microseconds=fields[place])
    if kind == TIME:
        return lambda fields, _: (_EPOCH + timedelta(microseconds=fields[place])).time()
    if kind == DURATION:
        return lambda fields, _: timedelta(microseconds=fields[place])
    if pa.types.is_date(kind):
        return lambda fields, _: date.fromordinal(fields[place] + _EPOCH_DAY)
    if pa.types.is_decimal(kind):
        return lambda fields, _: _decimal(fields[place], kind.scale)
    return None


def _decimal(raw: bytes, scale: int) -> Decimal:
    return Decimal(int.from_bytes(raw, "little", signed=True)).scaleb(-scale, context=_WIDE)


def _cell(message: bytes, layout: RowLayout, name: str) -> Any:  # Any: a list or a dict
    return _message(message, layout)[name][0].as_py()


def _message(data: bytes, layout: RowLayout) -> pa.RecordBatch:
    """The lists and structs of one row.

    Raises:
        CorruptionError: the bytes are no such message.
    """
    try:
        batch = pa.ipc.read_record_batch(pa.py_buffer(data), layout.message)
        batch.validate(full=True)  # a length beyond the buffer would be read as it stands
    except (pa.ArrowInvalid, OSError, struct.error) as error:
        raise damaged(len(data)) from error
    return batch


def _fixed(values: NDArray[Any], kind: pa.DataType, missing: NDArray[np.bool_] | None) -> pa.Array:
    """A column of fixed width from its raw values."""
    valid = None if missing is None else pa.py_buffer(np.packbits(~missing, bitorder="little"))
    data = np.packbits(values, bitorder="little") if pa.types.is_boolean(kind) else np.ascontiguousarray(values)
    return pa.Array.from_buffers(kind, len(values), [valid, pa.py_buffer(data)])
