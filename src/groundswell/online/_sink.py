"""How rows come into a store: merged with what is there, or in its place.

Rows of appends are merged: an entity's newest row is a maximum, so merging is idempotent and indifferent to order, and
a part that was written before a crash may be written again. Rows recomputed from the table replace what is there,
because nothing else can make a row go.
"""

import struct
from collections.abc import Callable, Container, Iterable, Iterator
from itertools import groupby, repeat
from operator import itemgetter
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from groundswell.engines import VERSION
from groundswell.online._encode import encode_rows, known_from
from groundswell.online._keys import KeyCodec
from groundswell.online._layout import NEVER, NO_ROW, Head, RowLayout
from groundswell.online._steps import Step, entry_of, horizon_of, step_of, steps_from
from groundswell.online._store import Entry, OnlineStore, Writer

__all__ = ["Sink"]

_NEXT, _NEVER = Head.NEXT_PLACE, NEVER.to_bytes(8, "little")
_ORDER = struct.Struct("<qqq")
_ORDER_PLACE = Head.STRUCT.size - _ORDER.size
_EPOCH = struct.Struct("<I")
_EPOCH_PLACE = len(NO_ROW)


class _Rows(NamedTuple):
    """Rows of whole entities: address and bytes of each, None for a key that has no row any more."""

    addresses: list[bytes]
    rows: list[bytes | None]
    simple: bool
    """Whether each entity is there once, with a row that counts already or none."""


class Sink:
    """One table's place in a store, for a holder of the right to write it.

    Args:
        store: where the entities are.
        writer: the right.
        keys: their addresses.
        layout: how their rows shall lie.
        epoch: what rows are marked with, so that leftovers of an earlier building can be told.
        now_us: the moment by which rows that count already are told from those that wait.
        fresh: whether the store holds nothing of the table, so that nothing need be looked for.
        settled: versions of rows that do not count any more: a commit has them.
        written: called after each part that was written.
    """

    def __init__(
        self,
        store: OnlineStore,
        writer: Writer,
        *,
        keys: KeyCodec,
        layout: RowLayout,
        epoch: int,
        now_us: int,
        fresh: bool = False,
        settled: Container[int] = (),
        written: Callable[[], None] = lambda: None,
    ) -> None:
        self._store, self._writer, self._keys, self._layout = store, writer, keys, layout
        self._epoch, self._now_us, self._fresh = epoch, now_us, fresh
        self._settled, self._written = settled, written

    def merge(self, batches: Iterable[pa.RecordBatch], record: bytes | None = None) -> None:
        """Add rows to what is there.

        Args:
            batches: steps of keys as the engine's `newest` gives them, each key's one after the other.
            record: what to write with the last of them.
        """
        self._write((self._merged(rows) for rows in self._entities(batches)), record)

    def replace(self, batches: Iterable[pa.RecordBatch], record: bytes | None = None) -> None:
        """Put rows in place of all that is there of their keys; arguments as for `merge`."""
        self._write((self._replaced(rows) for rows in self._entities(batches)), record)

    def sweep(self, prefix: bytes) -> None:
        """Remove the entities that the current epoch has not written."""
        for batch in self._store.scan(prefix):
            old: list[Entry] = [
                (address, None, ()) for address, row in batch if _EPOCH.unpack_from(row, _EPOCH_PLACE)[0] != self._epoch
            ]
            if old:
                self._writer.write(old)

    def _write(self, parts: Iterable[list[Entry]], record: bytes | None) -> None:
        previous: list[Entry] = []
        for part in parts:
            if previous:
                self._writer.write(previous)
                self._written()
            previous = part
        self._writer.write(previous, record)
        self._written()

    def _entities(self, batches: Iterable[pa.RecordBatch]) -> Iterator[_Rows]:
        """The rows in parts that split no entity."""
        addresses: list[bytes] = []
        rows: list[bytes | None] = []
        waiting = np.zeros(0, np.bool_)
        for batch in batches:
            if not batch.num_rows:
                continue
            addresses += self._keys.addresses(batch)
            rows += self._encoded(batch)
            known = known_from(batch, self._layout.event_time, self._layout.available_at)
            waiting = np.concatenate([waiting, known > self._now_us])
            cut = addresses.index(addresses[-1])  # the last entity may go on in the next batch
            if cut:
                yield _part(addresses[:cut], rows[:cut], waiting[:cut])
                del addresses[:cut], rows[:cut]
                waiting = waiting[cut:]
        if addresses:
            yield _part(addresses, rows, waiting)

    def _encoded(self, batch: pa.RecordBatch) -> list[bytes | None]:
        versions = batch.column(VERSION)
        rows: list[bytes | None] = [*encode_rows(batch, self._layout, versions.fill_null(-1).to_numpy(), self._epoch)]
        for i in np.flatnonzero(versions.is_null().to_numpy(zero_copy_only=False)) if versions.null_count else ():
            rows[i] = None
        return rows

    def _merged(self, part: _Rows) -> list[Entry]:
        held = dict(zip(part.addresses, self._store.get_many(part.addresses), strict=True))
        if not part.simple:
            return [self._joined(address, rows, held[address]) for address, rows in _grouped(part)]
        entries: list[Entry] = []
        for address, row in zip(part.addresses, part.rows, strict=True):
            old = held[address]
            assert row is not None, "only touched keys can be without a row, and those are replaced"
            if old is None:
                entries.append((address, row, None))
            elif old[_NEXT] != _NEVER or (order := _ORDER.unpack_from(old, _ORDER_PLACE))[2] in self._settled:
                entries.append(self._joined(address, [row], old))
            elif order < _ORDER.unpack_from(row, _ORDER_PLACE):
                entries.append((address, row, None))
        return entries

    def _joined(self, address: bytes, rows: list[bytes], held: bytes | None) -> Entry:
        """One entity with more rows, when some wait for their time."""
        first: Step | None = None
        known: list[Step] = []
        if held is not None:
            known += map(step_of, self._writer.pending(address))
            if not held.startswith(NO_ROW):
                first = step_of(held)
                known.append(first)
        steps = [step_of(row) for row in rows] + [step for step in known if step.order[2] not in self._settled]
        horizon = horizon_of(first, self._now_us)
        return entry_of(address, steps_from(steps, horizon), horizon, self._epoch)

    def _replaced(self, part: _Rows) -> list[Entry]:
        if part.simple:
            return list(zip(part.addresses, part.rows, repeat(None if self._fresh else ())))
        return [
            entry_of(address, steps_from(map(step_of, rows), self._now_us), self._now_us, self._epoch)
            for address, rows in _grouped(part)
        ]


def _part(addresses: list[bytes], rows: list[bytes | None], waiting: np.ndarray) -> _Rows:
    return _Rows(addresses, rows, not waiting.any() and len(set(addresses)) == len(addresses))


def _grouped(part: _Rows) -> Iterator[tuple[bytes, list[bytes]]]:
    """Each entity with its rows."""
    for address, rows in groupby(zip(part.addresses, part.rows, strict=True), itemgetter(0)):
        yield address, [row for _, row in rows if row is not None]
