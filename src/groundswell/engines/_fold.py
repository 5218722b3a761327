"""`fold`: one pass of a statistic over rows, decoded and summed by several threads, never held as a whole.

Each part of the source is decoded and summed by itself, and the sums are merged in the order of the parts. So the
result does not depend on how many threads there are, to the last bit; and other cuts of the same rows give the same to
the rounding of float64, which is a law of statistics.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from os import cpu_count
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from groundswell.engines._scannable import PART_ROWS, Part, Scannable
from groundswell.statistics import Batch, Statistic, one_blas_thread

S = TypeVar("S", bound=Statistic[Any])  # Any: whatever the statistic's result is

BatchPart = Callable[[], Batch]
"""Makes the batch of one part. Called once, from any thread."""

Progress = Callable[[int, int | None], None]
"""Called after each part with the rows done and the rows in all, if known."""


@dataclass(frozen=True, kw_only=True)
class Roles:
    """What the columns of a source are to a statistic.

    Args:
        X: the numeric columns of the matrix, in order.
        y: the target, or None.
        weights: the column of weights, or None.
        columns: other columns that the statistic reads by name.
    """

    X: tuple[str, ...] = ()
    y: str | None = None
    weights: str | None = None
    columns: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """All columns that are to be read, each once."""
        single = [name for name in (self.y, self.weights) if name is not None]
        return list(dict.fromkeys([*self.X, *single, *self.columns]))


class Batches(Protocol):
    """Rows as batches, in a fixed sequence of parts that can be made over and over."""

    @property
    def rows(self) -> int | None:
        """How many rows there are; None if that is not known without reading."""

    def parts(self) -> Iterator[BatchPart]:
        """One maker of a batch for each part, in order; each is called once, from any thread."""


class TableBatches:
    """The rows of a source as batches. A thread uses the memory of its matrix again for its next part.

    Args:
        source: the rows.
        roles: what the columns are.
    """

    def __init__(self, source: Scannable, roles: Roles) -> None:
        self.source, self.roles = source, roles
        self._memory = threading.local()

    @property
    def rows(self) -> int | None:
        """How many rows there are, if that is known."""
        return self.source.rows

    def parts(self) -> Iterator[BatchPart]:
        """One maker for each part of the source."""
        for part in self.source.parts(self.roles.names):
            yield partial(_batch, part, self.roles, self._memory)


class ArrayBatches:
    """Arrays in memory as batches of `PART_ROWS` rows; nothing is copied.

    Args:
        batch: all rows.
    """

    def __init__(self, batch: Batch) -> None:
        self.batch = batch

    @property
    def rows(self) -> int | None:
        """How many rows there are."""
        return len(self.batch)

    def parts(self) -> Iterator[BatchPart]:
        """One maker for each slice."""
        for start in range(0, len(self.batch), PART_ROWS):
            yield partial(self.batch.rows, slice(start, start + PART_ROWS))


def fold(batches: Batches, statistic: S, *, threads: int | None = None, progress: Progress | None = None) -> S:
    """A statistic like the one given that has seen all rows; the one given is a prototype and stays as it is.

    BLAS runs on one thread meanwhile: it does not parallelize tall and narrow products, and parts run side by side.
    An interrupt or an error in a part ends the pass; parts that have not begun are dropped.

    Args:
        batches: the rows.
        statistic: what to compute; `Together` computes several in one pass.
        threads: how many; None is one per core. Memory grows with it: about two decoded parts for each.
        progress: told how far it is.

    Raises:
        ColumnNotFoundError: a column is not there.
        TypeMismatchError: a column of X holds no numbers.
    """
    total, done = statistic.zero(), 0

    def work(part: BatchPart) -> tuple[S, int]:
        mine, batch = statistic.zero(), part()
        mine.update(batch)
        return mine, len(batch)

    with one_blas_thread():
        for mine, rows in _in_order(batches.parts(), work, threads or cpu_count() or 1):
            total.merge(mine)
            done += rows
            if progress is not None:
                progress(done, batches.rows)
    return total


def _in_order(
    parts: Iterator[BatchPart], work: Callable[[BatchPart], tuple[S, int]], threads: int
) -> Iterator[tuple[S, int]]:
    """The results of the parts in their order, with at most two parts per thread under way.

    A single part is done here: to start a thread takes longer than to sum a thousand rows.
    """
    first = list(islice(parts, 2))
    if threads == 1 or len(first) < 2:
        yield from map(work, chain(first, parts))
        return
    waiting: deque[Future[tuple[S, int]]] = deque()
    with ThreadPoolExecutor(threads, thread_name_prefix="groundswell-fold") as pool:
        try:
            for part in chain(first, parts):
                waiting.append(pool.submit(work, part))
                if len(waiting) >= 2 * threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _batch(part: Part, roles: Roles, memory: threading.local) -> Batch:
    """The part as a batch whose matrix lies in memory that this thread uses again for the next part."""
    out: NDArray[Any] | None = getattr(memory, "matrix", None)
    batch = Batch.from_arrow(part(), X=list(roles.X), y=roles.y, weights=roles.weights, out=out)
    matrix = batch.X
    if isinstance(matrix, np.ndarray) and matrix.flags.writeable and (out is None or len(matrix) > len(out)):
        base = matrix if matrix.base is None else matrix.base
        memory.matrix = base if isinstance(base, np.ndarray) and base.ndim == 2 else None
    return batch
