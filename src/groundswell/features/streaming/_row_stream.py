"""A stream of rows into one group: each is on the disk when it is acknowledged, and in a commit soon after.

Two threads work behind it. One takes the rows that wait, checks them, writes them to the log with one wait for the disk
(group commit), acknowledges them and shows them in the online store. The other commits what was logged, every few
seconds or when there is much of it, and when a reader asks.

References:
    DeWitt et al. (1984), "Implementation Techniques for Main Memory Database Systems", SIGMOD, section 5.2, on group
    commit.
"""

import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import pyarrow as pa

from groundswell.errors import ConflictError, DataError, GroundswellError
from groundswell.features.streaming._flusher import Flusher
from groundswell.features.streaming._row_rules import RowRules
from groundswell.tables import Commit, Table, WriteAheadLog, conform, read_frame

__all__ = ["RowStream", "StreamLimits"]

_LOOK_S = 0.02
"""How often a waiting stream looks whether a reader asks for what it has logged."""

_GROUP = 8_192
"""Writes that share one wait for the disk at most."""

Row = Mapping[str, Any]  # Any: of the columns' types


@dataclass(frozen=True, kw_only=True)
class StreamLimits:
    """How much a stream holds before it makes its writers wait, and how often it commits.

    Args:
        commit_every_s: logged rows are committed after so many seconds at the latest.
        commit_rows: and once there are so many of them.
        waiting: writes that may wait for the disk at once; more make the writer wait.
        logged_rows: rows that may be logged and not committed; more make the writer wait.

    Raises:
        DataError: one of them is not positive.
    """

    commit_every_s: float = 2.0
    commit_rows: int = 200_000
    waiting: int = 20_000
    logged_rows: int = 2_000_000

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not value > 0:
                raise DataError(
                    f"The limit {name}={value!r} is not positive.", fix="Give a positive number.", value=value
                )


@dataclass(frozen=True)
class _Write:
    """Rows that are acknowledged together or not at all."""

    rows: Sequence[Row] | pa.Table
    done: "Future[None]"


class RowStream:
    """Writes rows to a group one by one. Made by `group.stream`; a context manager. Threads may share it.

    Args:
        table: the group's.
        flusher: commits what was logged.
        rules: gives the rules about single rows that are in force.
        show: shows logged rows in the online store, given the stream's name and the number of the segment; None if the
            group is not online.
        time_zone: the IANA zone of naive times; None refuses them.
        limits: sizes and times.

    Raises:
        CorruptionError: the disk is full or not writable.
    """

    def __init__(
        self,
        table: Table,
        flusher: Flusher,
        *,
        rules: Callable[[], RowRules],
        show: Callable[[pa.RecordBatch, str, int], object] | None,
        time_zone: str | None,
        limits: StreamLimits,
    ) -> None:
        self._table, self._flusher, self._limits, self._time_zone = table, flusher, limits, time_zone
        self._make_rules, self._show = rules, show
        self._rules = rules()
        self._log = WriteAheadLog.create(table.folder, table.definition.name)
        self._queue: queue.Queue[_Write | None] = queue.Queue(limits.waiting)
        self._log_lock, self._flush_lock = threading.Lock(), threading.Lock()
        self._wake, self._closed = threading.Event(), threading.Event()
        self._room = threading.Condition()
        self._waiting, self._logged = 0, 0
        self._failure: GroundswellError | None = None
        self._n_failures = 0
        self._threads = [
            threading.Thread(target=self._write_all, name="groundswell-log", daemon=True),
            threading.Thread(target=self._flush_all, name="groundswell-flush", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    @property
    def uncommitted_rows(self) -> int:
        """Rows that are acknowledged and not in a commit yet."""
        return self._logged

    def write(self, row: Row) -> None:
        """Write one row. When it returns the row is on the disk; if it raises, nothing of it is.

        Threads that write at once share the wait for the disk; from one thread `write_all` and `submit` are faster.

        Raises:
            ColumnNotFoundError, TypeMismatchError, DataError: the row does not fit the group or breaks an expectation.
            CorruptionError: the disk is full or not writable.
            ConflictError: the stream is closed.
        """
        self.submit(row).result()

    def submit(self, row: Row) -> "Future[None]":
        """Write one row without waiting: the result of what is returned comes, or raises, when `write` would return.

        It waits only while more rows are on their way than the limits allow.
        """
        if not isinstance(row, Mapping):
            raise DataError(
                f"A {type(row).__name__} is no row.", fix="Give a mapping of column names to values.", value=row
            )
        return self._put([row], 1)

    def write_all(self, data: object) -> int:
        """Write rows that are acknowledged together. When it returns all are on the disk; if it raises, none is.

        Args:
            data: anything tabular, as `group.insert` takes it.

        Returns:
            How many rows they are.

        Raises: as `write`.
        """
        table = read_frame(data).read_all()
        if table.num_rows:
            self._put(table, table.num_rows).result()
        return int(table.num_rows)

    def write_from(self, rows: Iterable[Row]) -> int:
        """Write the rows of an iterator, which may never end, as they come, and return how many there were.

        Rows before one that is refused are written; those after it are not taken from the iterator any more, but for
        some that were on their way.

        Raises: as `write`.
        """
        pending: list[Future[None]] = []
        n_rows = 0
        for row in rows:
            pending.append(self.submit(row))
            n_rows += 1
            if len(pending) >= 1_000:
                pending = _settled(pending)
        for each in pending:
            each.result()
        return n_rows

    def flush(self) -> Commit | None:
        """Commit all that is acknowledged now, and return the commit; None if there is nothing, or it is set aside.

        Raises:
            CorruptionError: the disk is full or not writable; the rows stay in the log.
        """
        with self._flush_lock:
            with self._log_lock:
                segments, rows, asked = self._log.rotate(), self._logged, self._log.asked()
                self._rules = self._make_rules()
            try:
                commit = self._flusher.flush(self._log, segments) if segments else None
            except GroundswellError:
                for request in asked:
                    request.rename(request.with_suffix(".failed"))
                raise
            for request in asked:
                request.unlink(missing_ok=True)
            with self._room:
                self._logged -= rows
                self._room.notify_all()
        return commit

    def close(self) -> None:
        """Wait until all rows are acknowledged and committed, and end the stream.

        Raises:
            CorruptionError: the disk is full or not writable; acknowledged rows stay in the log, and the next reader
                or stream takes them in.
        """
        if self._closed.is_set():
            return
        self._closed.set()
        self._queue.put(None)
        self._wake.set()
        for thread in self._threads:
            thread.join()
        while not self._queue.empty():  # who wrote just as it was closed
            late = self._queue.get_nowait()
            if late is not None:
                late.done.set_exception(self._closed_error())
        try:
            self.flush()
        finally:
            self._log.close()

    def _put(self, rows: Sequence[Row] | pa.Table, n_rows: int) -> "Future[None]":
        with self._room:
            n_failures = self._n_failures
            while (held := self._waiting + self._logged) and held + n_rows > self._limits.logged_rows:
                if self._failure is not None and self._n_failures > n_failures:
                    raise self._failure
                self._wake.set()
                self._room.wait(_LOOK_S)
            if self._closed.is_set():
                raise self._closed_error()
            self._waiting += n_rows
        write = _Write(rows, Future())
        self._queue.put(write)
        return write.done

    def _closed_error(self) -> ConflictError:
        name = self._table.definition.name
        return ConflictError(f"The stream into group {name!r} is closed.", fix="Open one with group.stream().")

    def _write_all(self) -> None:
        """The first thread: logs what waits, again and again."""
        ended = False
        while not ended:
            writes: list[_Write] = []
            with suppress(queue.Empty):
                first = self._queue.get(timeout=_LOOK_S)
                while first is not None and len(writes) < _GROUP:
                    writes.append(first)
                    first = self._queue.get_nowait()
                ended = first is None
            if writes:
                self._write_group(writes)
            if self._log.asked():
                self._wake.set()

    def _write_group(self, writes: Sequence[_Write]) -> None:
        try:
            with self._log_lock:  # until they are shown: what is shown after its commit would never be settled
                self._log_group(writes)
        except Exception as error:  # noqa: BLE001  # the edge of a thread: whatever it was, the writers must hear of it
            for write in writes:
                if not write.done.done():
                    write.done.set_exception(error)
        with self._room:
            self._waiting -= sum(len(write.rows) for write in writes)
            self._room.notify_all()
        if self._logged >= self._limits.commit_rows:
            self._wake.set()

    def _log_group(self, writes: Sequence[_Write]) -> None:
        checked = [found for run in _runs(writes, self._table.definition.schema.names) for found in self._check(run)]
        if not checked:
            return
        segment = self._log.append([batch for _, batch in checked])
        with self._room:
            self._logged += sum(batch.num_rows for _, batch in checked)
        for accepted, _ in checked:
            for write in accepted:
                write.done.set_result(None)
        if self._show is not None:
            with suppress(GroundswellError):  # a store that does not answer gets the rows with their commit
                for _, batch in checked:
                    self._show(batch, self._log.stream, segment)

    def _check(self, run: Sequence[_Write]) -> Iterator[tuple[Sequence[_Write], pa.RecordBatch]]:
        """The writes that may be logged with their rows; the others are told why not."""
        try:
            rows = run[0].rows if len(run) == 1 else [row for write in run for row in write.rows]
            batch = _one_batch(rows, self._table, self._time_zone)
            broken = self._rules.broken(batch)
        except GroundswellError as error:
            if len(run) == 1:
                run[0].done.set_exception(error)
                return
            middle = len(run) // 2  # find out which it was
            yield from self._check(run[:middle])
            yield from self._check(run[middle:])
            return
        if not broken:
            yield run, batch
        elif len(run) == 1:
            run[0].done.set_exception(broken[min(broken)])
        else:
            for row, offense in broken.items():
                run[row].done.set_exception(offense)
            kept = [row for row in range(len(run)) if row not in broken]
            if kept:
                yield [run[row] for row in kept], batch.take(pa.array(kept))

    def _flush_all(self) -> None:
        """The second thread: commits what is logged, every few seconds and when it is woken."""
        while not self._closed.is_set():
            self._wake.wait(self._limits.commit_every_s)
            self._wake.clear()
            if self._closed.is_set():
                return
            try:
                if self._logged or self._log.asked():
                    self.flush()
            except GroundswellError as error:  # the disk is full, say: the rows stay in the log, so try again
                with self._room:
                    self._failure, self._n_failures = error, self._n_failures + 1
                time.sleep(_LOOK_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "closed" if self._closed.is_set() else f"{self._logged:,} rows logged and not committed"
        return f"RowStream({self._table.definition.name!r}: {state})"


def _settled(pending: "Sequence[Future[None]]") -> "list[Future[None]]":
    """Wait for the older half, and give the rest."""
    half = len(pending) // 2
    for each in pending[:half]:
        each.result()
    return list(pending[half:])


def _runs(writes: Sequence[_Write], names: Sequence[str]) -> list[list[_Write]]:
    """The writes in order, those of single rows with exactly the table's columns together."""
    known, runs = set(names), list[list[_Write]]()
    joined = False
    for write in writes:
        single = not isinstance(write.rows, pa.Table) and write.rows[0].keys() == known
        if single and joined:
            runs[-1].append(write)
        else:
            runs.append([write])
        joined = single
    return runs


def _one_batch(rows: Sequence[Row] | pa.Table, table: Table, time_zone: str | None) -> pa.RecordBatch:
    batches = list(conform(read_frame(rows), table.definition, time_zone))
    return batches[0] if len(batches) == 1 else pa.Table.from_batches(batches).combine_chunks().to_batches()[0]
