"""Logged rows on their way into the online store, in a thread of its own: no writer waits for the store.

What waits goes in together, so a store that takes its time per write, and not per row, keeps up.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress

import pyarrow as pa

from groundswell.errors import GroundswellError

__all__ = ["Showing"]


class Showing:
    """Shows rows in the order in which they were logged.

    Args:
        show: shows rows, given the number of the log's segment that has them; it raises if the store does not answer.
    """

    def __init__(self, show: Callable[[pa.RecordBatch, int], object]) -> None:
        self._show = show
        self._changed = threading.Condition()
        self._queue: deque[tuple[pa.RecordBatch, int]] = deque()
        self._n_put, self._n_shown, self._closed = 0, 0, False
        self._thread = threading.Thread(target=self._show_all, name="groundswell-show", daemon=True)
        self._thread.start()

    def put(self, batches: Sequence[pa.RecordBatch], segment: int) -> None:
        """Show these rows soon."""
        with self._changed:
            self._queue.extend((batch, segment) for batch in batches)
            self._n_put += len(batches)
            self._changed.notify_all()

    def settle(self) -> None:
        """Wait until all rows are shown that were put before, or could not be."""
        with self._changed:
            until = self._n_put
            self._changed.wait_for(lambda: self._n_shown >= until)

    def close(self) -> None:
        """End the thread, once all rows are shown."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()

    def _show_all(self) -> None:
        while batches := self._next():
            try:
                # A store that does not answer gets the rows with their commit.
                with suppress(GroundswellError):
                    self._show(_joined([batch for batch, _ in batches]), batches[0][1])
            finally:
                with self._changed:
                    self._n_shown += len(batches)
                    self._changed.notify_all()

    def _next(self) -> list[tuple[pa.RecordBatch, int]]:
        """What waits, as far as it is of one segment, and so of one schema; nothing once closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._closed)
            taken: list[tuple[pa.RecordBatch, int]] = []
            while self._queue and (not taken or self._queue[0][1] == taken[0][1]):
                taken.append(self._queue.popleft())
            return taken


def _joined(batches: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    return batches[0] if len(batches) == 1 else pa.Table.from_batches(batches).combine_chunks().to_batches()[0]
