"""A follower: brings the rows of one table into an online store, commit by commit.

It reads the commit log, advances over maintenance without effect, merges what was appended and recomputes from the
table the keys that any other commit may have touched. Its position lies in the store, in the transaction of the rows,
so it may be killed at any instant and started anywhere else. What it does twice it does without effect.
"""

import threading
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc

from groundswell import _faults
from groundswell.engines import VERSION, Newest, Touched
from groundswell.errors import ConflictError
from groundswell.online._keys import KeyCodec, record_address, rows_prefix
from groundswell.online._layout import RowLayout
from groundswell.online._provisional import Settled
from groundswell.online._sink import Sink
from groundswell.online._state import State
from groundswell.online._store import OnlineStore, Writer
from groundswell.tables import Change, DataFile, Definition, Table, commit_digest, microseconds, read_changes

__all__ = ["Engine", "Follower"]

FILES = 500
"""Appended files that are read by one query."""


class Engine(Protocol):
    """What a follower asks of the engine that reads rows."""

    def newest(self, plan: Newest) -> pa.RecordBatchReader:
        """The newest row of each key and those that will be newest later, in the order of keys."""


class Follower:
    """Follows one table into one store. Followers of the same table may run anywhere; one works at a time.

    Args:
        table: what to follow.
        store: where the rows go.
        engine: reads them.
        clock: the present moment, in UTC.
    """

    def __init__(self, table: Table, store: OnlineStore, engine: Engine, *, clock: Callable[[], datetime]) -> None:
        self._table, self._store, self._engine, self._clock = table, store, engine, clock
        self._record = record_address(table.table_id)
        self._take(table.definition)

    def position(self) -> int:
        """The table's version up to which the store has every row; -1 if it was never built, or is being built."""
        state = State.from_bytes(self._store.get_many([self._record])[0])
        return -1 if state.building else state.version

    def follow(self, until: int | None = None) -> int:
        """Bring the store up to a version of the table, or further, and return how far it is now.

        Args:
            until: the version; None is the newest.

        Raises:
            ConflictError: another follower took over in the middle; the same call may be made again.
            CorruptionError: a file of the table or the store is damaged.
        """
        position = self.position()
        if until is not None and position >= until:
            return position
        with self._store.writer(self._record) as writer:
            _faults.point("follow:locked")
            state = State.from_bytes(writer.record)
            self._table.version()
            self._take(self._table.definition)  # which another process may have changed
            if not self._continues(state):
                return self._build(writer, state)
            changes = list(read_changes(self._table.folder, self._table.definition, state.version))
            if any(change.schema for change in changes) or not all(map(_whole, changes)):
                return self._build(writer, state)
            _faults.point("follow:planned")
            for part in _parts(changes):
                state = self._apply(writer, state, part)
            return state.version

    def rebuild(self) -> int:
        """Build the store from the table as it is now, whatever it holds, and return the table's version.

        Readers are answered all the while: each entity changes at once from what it was to what it must be.
        """
        with self._store.writer(self._record) as writer:
            return self._build(writer, State.from_bytes(writer.record))

    def show(self, rows: pa.RecordBatch, version: int) -> None:
        """Show rows that are durable and in no commit yet; a store that was not built yet shows none.

        Args:
            rows: in the table's columns; of two with one identity the later counts.
            version: a provisional one, greater than that of rows shown before.

        Raises:
            ConflictError: another follower took over in the middle; the rows come with their commit.
        """
        with self._store.writer(self._record) as writer:
            state = State.from_bytes(writer.record)
            if not self._continues(state):
                return
            sink = self._sink(writer, state.epoch, microseconds(self._clock()), "follow:rows-written")
            sink.merge([_by_key(rows, self._table.definition.primary_key, version)], self._with_layout(state))

    def forget(self) -> None:
        """Remove all that the store holds of the table."""
        with self._store.writer(self._record) as writer:
            writer.write([], State(epoch=State.from_bytes(writer.record).epoch).to_bytes())
            for batch in self._store.scan(rows_prefix(self._table.table_id)):
                writer.write([(address, None, ()) for address, _ in batch])

    def tail(self, stop: threading.Event, *, poll_s: float = 0.02) -> None:
        """Follow until told to stop; a service runs this in a thread.

        Args:
            stop: set to end it.
            poll_s: how often to look for a new commit; a look takes about a tenth of a millisecond.

        Raises:
            CorruptionError: a file of the table or the store is damaged.
        """
        while not stop.is_set():
            with suppress(ConflictError):  # another one is doing our work
                self.follow()
            while commit_digest(self._table.folder, self.position() + 1) is None and not stop.wait(poll_s):
                pass

    def _take(self, definition: Definition) -> None:
        """Write rows as this definition says from now on."""
        self._keys = KeyCodec(self._table.table_id, definition)
        self._layout = RowLayout(definition.schema, definition.event_time, definition.available_at)

    def _continues(self, state: State) -> bool:
        """Whether the store holds what this very table was at the state's version."""
        if state.version < 0 or state.building or list(state.keys) != self._keys.kinds:
            return False
        return commit_digest(self._table.folder, state.version) == state.commit

    def _apply(self, writer: Writer, state: State, changes: Sequence[Change]) -> State:
        """Bring what a run of commits changed into the store."""
        after = self._state_at(state, changes[-1].version)
        now_us = microseconds(self._clock())
        sink = self._sink(writer, state.epoch, now_us, "follow:rows-written", settled=Settled(changes))
        if all(change.appends for change in changes):
            files = tuple(file for change in changes for file in change.added)
            plan = Newest(definition=self._table.definition, files=files, now_us=now_us)
            sink.merge(self._engine.newest(plan) if files else (), after.to_bytes())
        else:
            plan = Newest(
                definition=self._table.definition,
                files=self._table.snapshot(after.version).files,
                now_us=now_us,
                touched=self._touched(changes),
            )
            sink.replace(self._engine.newest(plan), after.to_bytes())
        _faults.point("follow:recorded")
        return after

    def _touched(self, changes: Sequence[Change]) -> Touched:
        """The keys that some commits may have touched."""
        whole: list[DataFile] = []
        removed: list[DataFile] = []
        added: list[DataFile] = []
        for change in changes:
            gone = self._files(change)
            if change.appends or change.foreign:
                whole += [*gone, *change.added]
            else:
                removed += gone
                added += change.added
        return Touched(files=tuple(whole), removed=tuple(removed), added=tuple(added))

    def _files(self, change: Change) -> list[DataFile]:
        """The files that a commit removed."""
        gone = set(change.removed)
        return [f for f in self._table.files_once(change.version - 1) if f.path in gone] if gone else []

    def _build(self, writer: Writer, state: State) -> int:
        """Replace every entity by what the table says, then remove those that the table does not know."""
        snapshot = self._table.snapshot()
        self._take(snapshot.definition)
        begun = replace(
            self._state_at(state, -1), epoch=(state.epoch + 1) % (1 << 32), building=True, keys=self._keys.kinds
        )
        writer.write([], begun.to_bytes())
        _faults.point("rebuild:begun")
        now_us, prefix = microseconds(self._clock()), rows_prefix(self._table.table_id)
        fresh = not any(self._store.scan(prefix))
        sink = self._sink(writer, begun.epoch, now_us, "rebuild:rows-written", fresh=fresh)
        plan = Newest(definition=snapshot.definition, files=snapshot.files, now_us=now_us)
        sink.replace(self._engine.newest(plan))
        if not fresh:
            sink.sweep(prefix)
        _faults.point("rebuild:swept")
        writer.write([], replace(self._state_at(begun, snapshot.version), building=False).to_bytes())
        _faults.point("rebuild:recorded")
        return snapshot.version

    def _with_layout(self, state: State) -> bytes | None:
        """The state if it does not know yet how rows lie under the table's schema; None if it does."""
        layouts = state.with_layout(self._layout)
        return None if layouts == state.layouts else replace(state, layouts=layouts).to_bytes()

    def _state_at(self, state: State, version: int) -> State:
        commit = commit_digest(self._table.folder, version) if version >= 0 else ""
        assert commit is not None, "a commit that was read is there"
        return replace(state, version=version, commit=commit, layouts=state.with_layout(self._layout))

    def _sink(
        self,
        writer: Writer,
        epoch: int,
        now_us: int,
        fault: str,
        *,
        fresh: bool = False,
        settled: Container[int] = (),
    ) -> Sink:
        return Sink(
            self._store,
            writer,
            keys=self._keys,
            layout=self._layout,
            epoch=epoch,
            now_us=now_us,
            fresh=fresh,
            settled=settled,
            written=lambda: _faults.point(fault),
        )


def _by_key(rows: pa.RecordBatch, key: Sequence[str], version: int) -> pa.RecordBatch:
    """The rows of one key together, as a sink wants them, and of equal ones the later first, as it counts."""
    backwards = rows.take(pa.array(range(rows.num_rows - 1, -1, -1), pa.int64()))
    order = pc.sort_indices(backwards, sort_keys=[(name, "ascending") for name in key])
    versions = pa.repeat(pa.scalar(version, pa.int64()), rows.num_rows)
    return backwards.take(order).append_column(VERSION, versions)


def _whole(change: Change) -> bool:
    """Whether the files of a change are still there; after a vacuum nobody can tell what was in them."""
    return all(Path(path).exists() for path in (*change.removed, *(file.path for file in change.added)))


def _parts(changes: Sequence[Change]) -> Iterator[Sequence[Change]]:
    """The changes in runs: all at once if any rewrites, as only the table as it is now can answer then."""
    if not all(change.appends for change in changes):
        yield changes
        return
    part: list[Change] = []
    files = 0
    for change in changes:
        if part and files + len(change.added) > FILES:
            yield part
            part, files = [], 0
        part.append(change)
        files += len(change.added)
    if part:
        yield part
