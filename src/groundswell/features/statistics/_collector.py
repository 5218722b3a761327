"""Summarizing rows while they are written: on a thread of its own, beside the one that encodes Parquet.

Encoding keeps one core busy and leaves the interpreter free, so on two cores a summary costs an insert little; read
back from the files afterwards, decoding alone would take as long as the summary. At most two batches wait, so memory
does not grow with the data.
"""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pyarrow as pa

from groundswell.features.statistics._summary import Summary
from groundswell.statistics import one_blas_thread

__all__ = ["Collector"]

_AHEAD = 2


class Collector:
    """Makes the summary of rows that pass by.

    Args:
        empty: makes a summary that has seen nothing.
    """

    def __init__(self, empty: Callable[[], Summary]) -> None:
        self._empty = empty
        self._summary, self._waiting = empty(), deque[Future[None]]()

    @contextmanager
    def watch(self) -> Iterator[Callable[[pa.RecordBatch], None]]:
        """A pass over the rows: what it gives is called with each batch. Only the last pass counts."""
        self._summary, self._waiting = self._empty(), deque()
        pool = ThreadPoolExecutor(1, thread_name_prefix="groundswell-statistics")
        try:
            with one_blas_thread():
                yield lambda batch: self._take(pool, batch)
                self._finish()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _take(self, pool: ThreadPoolExecutor, batch: pa.RecordBatch) -> None:
        try:
            self._waiting.append(pool.submit(self._summary.update, batch))
        except RuntimeError:  # the interpreter ends, and a stream that nobody closed is committed: no threads any more
            self._finish()
            self._summary.update(batch)
        if len(self._waiting) > _AHEAD:
            self._waiting.popleft().result()

    def _finish(self) -> None:
        while self._waiting:
            self._waiting.popleft().result()

    @property
    def summary(self) -> Summary:
        """The summary of the last pass that is complete."""
        return self._summary
