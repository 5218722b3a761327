"""Rows to bytes: a batch of a table at a time, column by column."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from groundswell.online._layout import ALWAYS, NEVER, RowLayout, is_text

__all__ = ["encode_rows", "known_from"]


def known_from(batch: pa.RecordBatch, event_time: str | None, available_at: str | None) -> NDArray[np.int64]:
    """From which moment on each row counts: the later of its times, in microseconds since 1970."""
    event, available = (_times(batch, name) for name in (event_time, available_at))
    return np.maximum(event, available)


def encode_rows(batch: pa.RecordBatch, layout: RowLayout, versions: NDArray[np.int64], epoch: int) -> list[bytes]:
    """The rows of a batch, each as its bytes, with nothing waiting behind it.

    Args:
        batch: rows with at least the columns of the layout's schema, in its types.
        layout: how they shall lie.
        versions: the commit that wrote each.
        epoch: of the store.
    """
    n_rows, size = batch.num_rows, layout.row.size
    if not n_rows:
        return []
    records = np.zeros(n_rows, layout.records)
    records["tag"] = np.void(layout.tag)
    records["epoch"], records["next"], records["version"] = epoch, NEVER, versions
    records["event_time"] = _times(batch, layout.event_time)
    records["available_at"] = _times(batch, layout.available_at)
    records["known"] = np.maximum(records["event_time"], records["available_at"])
    nulls = _nulls(batch, layout)
    records["nulls"] = np.packbits(nulls, axis=1, bitorder="little")
    for field in layout.body:
        if not is_text(field) and field not in layout.nested:
            name = f"c{layout.places[field.name]}"
            records[name] = _raw(batch.column(field.name), layout.records[name])
            if batch.column(field.name).null_count:
                records[name][nulls[:, layout.bits[field.name]]] = np.zeros((), layout.records[name])
    if not layout.ends:
        return _cut(records.tobytes(), size, n_rows)
    tails = _tails(batch, layout)
    ends = np.cumsum(pc.binary_length(tails).to_numpy().reshape(n_rows, -1), axis=1)
    for i, place in enumerate(layout.ends):
        records[f"c{place}"] = ends[:, i]
    return [head + tail for head, tail in zip(_cut(records.tobytes(), size, n_rows), _joined(tails, ends), strict=True)]


def _cut(data: bytes, size: int, n_rows: int) -> list[bytes]:
    return [data[i : i + size] for i in range(0, n_rows * size, size)]


def _times(batch: pa.RecordBatch, column: str | None) -> NDArray[np.int64]:
    """A time column as microseconds; of a table that does not have it, ever since."""
    if column is None:
        return np.full(batch.num_rows, ALWAYS)
    return np.asarray(batch.column(column).cast(pa.int64()).fill_null(ALWAYS).to_numpy(zero_copy_only=False))


def _nulls(batch: pa.RecordBatch, layout: RowLayout) -> NDArray[np.bool_]:
    """Which values of the body are null, one column each."""
    nulls = np.zeros((batch.num_rows, len(layout.body)), np.bool_)
    for i, field in enumerate(layout.body):
        column = batch.column(field.name)
        if column.null_count:
            nulls[:, i] = column.is_null().to_numpy(zero_copy_only=False)
    return nulls


def _raw(column: pa.Array, kind: np.dtype[Any]) -> NDArray[Any]:  # Any: of the column's type
    """The values as they lie in the column; what stands in place of a null is left to chance."""
    data = column.buffers()[1]
    if kind == np.bool_:
        values = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little").view(np.bool_)
    else:
        values = np.frombuffer(data, kind)
    return values[column.offset : column.offset + len(column)]


def _tails(batch: pa.RecordBatch, layout: RowLayout) -> pa.Array:
    """What lies in the tails, as one binary column: row by row, and in a row column by column."""
    columns: list[pa.Array] = [
        batch.column(f.name).cast(pa.binary()).cast(pa.large_binary()).fill_null(b"") for f in layout.texts
    ]
    if layout.nested:
        message = batch.select(layout.message.names)
        columns.append(pa.array([message.slice(i, 1).serialize().to_pybytes() for i in range(len(batch))], _LARGE))
    if len(columns) == 1:
        return columns[0]
    order = np.arange(batch.num_rows * len(columns)).reshape(len(columns), -1).T.ravel()
    return pa.concat_arrays(columns).take(pa.array(order))


_LARGE = pa.large_binary()


def _joined(tails: pa.Array, ends: NDArray[np.int64]) -> Sequence[bytes]:
    """Each row's tail as a whole."""
    stops = np.cumsum(ends[:, -1])
    offsets = np.concatenate([[0], stops])
    first = tails.offset
    origin = np.frombuffer(tails.buffers()[1], np.int64)[first] if len(tails) else 0
    rows = pa.Array.from_buffers(_LARGE, len(ends), [None, pa.py_buffer(offsets + origin), tails.buffers()[2]])
    joined: list[bytes] = rows.to_pylist()
    return joined
