"""A stream of rows into one group: each is on the disk when it is acknowledged, and in a commit soon after.

Threads work behind it. One takes the rows that wait, checks them, writes them to the log with one wait for the disk
(group commit) and acknowledges them. One shows them in the online store, if the group is online. One commits what was
logged, every few seconds or when there is much of it, and when a reader asks.

References:
    DeWitt et al. (1984), "Implementation Techniques for Main Memory Database Systems", SIGMOD, section 5.2, on group
    commit.
"""

import atexit
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from types import TracebackType
from typing import Self

import pyarrow as pa

from groundswell.errors import ConflictError, DataError
from groundswell.features.streaming._admission import Admission
from groundswell.features.streaming._flusher import FLUSH_S, Flusher, waiting_for_streams
from groundswell.features.streaming._limits import StreamLimits
from groundswell.features.streaming._row_rules import RowRules
from groundswell.features.streaming._showing import Showing
from groundswell.features.streaming._waiting_room import LOOK_S, Row, WaitingRoom, Write
from groundswell.tables import Commit, Table, WriteAheadLog, is_from_flush, read_frame

__all__ = ["RowStream"]

_GROUP = 8_192
"""Writes that share one wait for the disk at most."""

_AHEAD = 4_000
"""Rows of an iterator that may be on their way at once."""


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
        self._name, self._flusher, self._limits = table.definition.name, flusher, limits
        self._admission = Admission(table, rules, time_zone)
        self._log = WriteAheadLog.create(table.folder, self._name)
        stream = self._log.stream
        self._showing = None if show is None else Showing(lambda rows, segment: show(rows, stream, segment))
        self._wake, self._closed = threading.Event(), threading.Event()
        self._room = WaitingRoom(limits, self._wake.set)
        self._log_lock, self._flush_lock, self._end_lock = threading.Lock(), threading.Lock(), threading.Lock()
        self._process, self._ended = os.getpid(), False
        self._threads = [
            threading.Thread(target=self._write_all, name="groundswell-log", daemon=True),
            threading.Thread(target=self._flush_all, name="groundswell-flush", daemon=True),
        ]
        for thread in self._threads:
            thread.start()
        atexit.register(self._stop)  # who forgets to close: no thread may be in the middle of something at the end

    @property
    def uncommitted_rows(self) -> int:
        """Rows that are acknowledged and not in a commit yet."""
        return self._room.n_logged

    def write(self, row: Row) -> None:
        """Write one row. When it returns the row is on the disk; if it raises, nothing of it is.

        Threads that write at once share the wait for the disk; from one thread `write_all` and `submit` are faster.

        Raises:
            ColumnNotFoundError, TypeMismatchError, DataError: the row does not fit the group or breaks an expectation.
            CorruptionError: the disk is full or not writable.
            NotFoundError: the group was deleted.
            ConflictError: the stream is closed, or belongs to the process that this one was forked from.
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
        return self._put(Write([row]))

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
            self._put(Write(table)).result()
        return int(table.num_rows)

    def write_from(self, rows: Iterable[Row]) -> int:
        """Write the rows of an iterator, which may never end, as they come, and return how many there were.

        Rows before one that is refused are written. Those after it are not taken from the iterator any more, but for
        some that were on their way: a few thousand at most, and they may be written.

        Raises: as `write`.
        """
        pending: deque[Future[None]] = deque()
        n_rows = 0
        for row in rows:
            pending.append(self.submit(row))
            n_rows += 1
            while pending and (pending[0].done() or len(pending) >= _AHEAD):
                pending.popleft().result()
        for each in pending:
            each.result()
        return n_rows

    def flush(self) -> Commit | None:
        """Commit all that is acknowledged now, and return the commit; None if there is nothing, or it is set aside.

        Raises:
            CorruptionError: the disk is full or not writable; the rows stay in the log.
        """
        self._check_process()
        with self._flush_lock:
            with self._log_lock:
                segments, n_rows, asked = self._log.rotate(), self._room.n_logged, self._log.asked()
            try:
                if not segments:
                    return None
                if self._showing is not None:
                    self._showing.settle()  # what is shown after its commit would never be settled
                with waiting_for_streams(0):
                    self._admission.renew()
                with waiting_for_streams(0 if any(map(is_from_flush, asked)) else FLUSH_S):
                    return self._flusher.flush(self._log, segments)
            finally:
                done = not any(segment.exists() for segment in segments)
                self._log.answer(asked, done=done)
                if done:
                    self._room.committed(n_rows)

    def close(self) -> None:
        """Wait until all rows are acknowledged and committed, and end the stream.

        Raises:
            CorruptionError: the disk is full or not writable; acknowledged rows stay in the log, and the next reader
                or stream takes them in.
        """
        if os.getpid() != self._process:
            return  # the stream is the parent's
        with self._end_lock:
            if self._ended:
                return
            self._stop()
            self._ended = True
            try:
                self.flush()
            finally:
                self._log.close()

    def _stop(self) -> None:
        """End the threads, once all rows are acknowledged."""
        atexit.unregister(self._stop)
        self._closed.set()
        self._room.close()
        self._wake.set()
        for thread in self._threads:
            thread.join()
        if self._showing is not None:
            self._showing.close()

    def _put(self, write: Write) -> "Future[None]":
        self._check_process()
        if not self._room.put(write):
            raise ConflictError(f"The stream into group {self._name!r} is closed.", fix="Open one with group.stream().")
        return write.done

    def _check_process(self) -> None:
        if os.getpid() != self._process:
            raise ConflictError(
                f"The stream into group {self._name!r} belongs to the process that this one was forked from.",
                why="Its threads do not come along into a fork.",
                fix="Open one here with group.stream(), of a project that is opened here.",
            )

    def _write_all(self) -> None:
        """The first thread: logs what waits, again and again."""
        with waiting_for_streams(0):  # they may wait for this very thread; what they hold is judged at the flush
            while (writes := self._room.take(_GROUP)) is not None:
                if writes:
                    self._write_group(writes)
                if self._room.n_logged >= self._limits.commit_rows or self._log.asked():
                    self._wake.set()

    def _write_group(self, writes: Sequence[Write]) -> None:
        counted = False
        try:
            with self._log_lock:  # until they are on their way into the store, for the same reason as in `flush`
                admitted = self._admission.admit(writes)
                segment = self._log.append([each.batch for each in admitted]) if admitted else 0
                self._room.written(writes, sum(each.batch.num_rows for each in admitted))
                counted = True
                if self._showing is not None and admitted:
                    self._showing.put([each.batch for each in admitted], segment)
                for each in admitted:
                    for write in each.writes:
                        write.done.set_result(None)
        except Exception as error:  # noqa: BLE001  # the edge of a thread: whatever it was, the writers must hear of it
            for write in writes:
                if not write.done.done():
                    write.done.set_exception(error)
            if not counted:
                self._room.written(writes, 0)

    def _flush_all(self) -> None:
        """The second thread: commits what is logged, every few seconds and when it is woken."""
        while not self._closed.is_set():
            self._wake.wait(self._limits.commit_every_s)
            self._wake.clear()
            if self._closed.is_set():
                return
            try:
                if self._room.n_logged or self._log.asked():
                    self.flush()
            except Exception as error:  # noqa: BLE001  # the edge of a thread: writers hear of it, rows stay in the log
                self._room.fail(error)
                time.sleep(LOOK_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "closed" if self._closed.is_set() else f"{self.uncommitted_rows:,} rows logged and not committed"
        return f"RowStream({self._name!r}: {state})"
