"""Where the rows of a stream wait for the disk, and their writers for room: the stream's memory is bounded here."""

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from groundswell.features.streaming._limits import StreamLimits

__all__ = ["LOOK_S", "Row", "WaitingRoom", "Write"]

LOOK_S = 0.02
"""How often one who waits looks around: a writer whether there is room, the log whether a reader asks."""

Row = Mapping[str, Any]  # Any: of the columns' types


@dataclass(frozen=True)
class Write:
    """Rows that are acknowledged together or not at all."""

    rows: Sequence[Row] | pa.Table
    done: "Future[None]" = field(default_factory=Future)


class WaitingRoom:
    """The writes of a stream that are not on the disk yet, and how many of its rows are there and not committed.

    Args:
        limits: how much it holds.
        full: called, often, while a writer waits because too much is logged.
    """

    def __init__(self, limits: StreamLimits, full: Callable[[], object]) -> None:
        self._limits, self._full = limits, full
        self._changed = threading.Condition()
        self._queue: deque[Write] = deque()
        self._n_waiting, self._n_logged = 0, 0
        self._closed = False
        self._failure: Exception | None = None
        self._n_failures = 0

    @property
    def n_logged(self) -> int:
        """Rows that are on the disk and not committed."""
        return self._n_logged

    def put(self, write: Write) -> bool:
        """Queue a write, once there is room; whether it is queued, which it is not once the room is closed.

        Raises:
            Exception: what `fail` was told of while the writer waited.
        """
        n_rows = len(write.rows)
        with self._changed:
            heard = self._n_failures
            while not self._closed and not self._has_room(n_rows):
                if self._failure is not None and self._n_failures > heard:
                    raise self._failure
                self._full()
                self._changed.wait(LOOK_S)
            if self._closed:
                return False
            self._queue.append(write)
            self._n_waiting += n_rows
            self._changed.notify_all()
        return True

    def take(self, at_most: int) -> list[Write] | None:
        """The writes that wait, in order, after a moment if there are none; None once closed and empty."""
        with self._changed:
            if not self._queue and not self._closed:
                self._changed.wait(LOOK_S)
            if not self._queue and self._closed:
                return None
            return [self._queue.popleft() for _ in range(min(at_most, len(self._queue)))]

    def written(self, writes: Sequence[Write], n_logged: int) -> None:
        """Some writes that were taken wait no more, and so many rows of them are logged now."""
        with self._changed:
            self._n_waiting -= sum(len(write.rows) for write in writes)
            self._n_logged += n_logged
            self._changed.notify_all()

    def committed(self, n_rows: int) -> None:
        """So many logged rows are committed, or set aside."""
        with self._changed:
            self._n_logged -= n_rows
            self._changed.notify_all()

    def fail(self, error: Exception) -> None:
        """Logged rows could not be committed: writers that wait for room hear of it."""
        with self._changed:
            self._failure, self._n_failures = error, self._n_failures + 1
            self._changed.notify_all()

    def close(self) -> None:
        """Let nobody in any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _has_room(self, n_rows: int) -> bool:
        held = self._n_waiting + self._n_logged
        return len(self._queue) < self._limits.waiting and (not held or held + n_rows <= self._limits.logged_rows)
