"""`fold`: one pass of a statistic over rows, decoded and summed by several threads, never held as a whole.

Each part of the source is decoded and summed by itself, and the sums are merged in the order of the parts. So the
result does not depend on how many threads there are, to the last bit; and other cuts of the same rows give the same to
the rounding of float64, which is a law of statistics.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from os import cpu_count
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from groundswell.engines._scannable import Part, Scannable
from groundswell.statistics import Batch, Statistic

S = TypeVar("S", bound=Statistic[Any])  # Any: whatever the statistic's result is

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


def fold(
    source: Scannable,
    statistic: S,
    roles: Roles,
    *,
    threads: int | None = None,
    progress: Progress | None = None,
) -> S:
    """A statistic like the one given that has seen all rows; the one given is a prototype and stays as it is.

    BLAS runs on one thread meanwhile: it does not parallelize tall and narrow products, and parts run side by side.
    An interrupt or an error in a part ends the pass; parts that have not begun are dropped.

    Args:
        source: the rows.
        statistic: what to compute; `Together` computes several in one pass.
        roles: what the columns are.
        threads: how many; None is one per core. Memory grows with it: about two decoded parts for each.
        progress: told how far it is.

    Raises:
        ColumnNotFoundError: a column is not there.
        TypeMismatchError: a column of X holds no numbers.
    """
    total, done = statistic.zero(), 0
    memory = threading.local()

    def work(part: Part) -> tuple[S, int]:
        mine = statistic.zero()
        batch = _batch(part(), roles, memory)
        mine.update(batch)
        return mine, len(batch)

    with threadpool_limits(limits=1, user_api="blas"):
        for mine, rows in _in_order(source.parts(roles.names), work, threads or cpu_count() or 1):
            total.merge(mine)
            done += rows
            if progress is not None:
                progress(done, source.rows)
    return total


def _in_order(parts: Iterator[Part], work: Callable[[Part], tuple[S, int]], threads: int) -> Iterator[tuple[S, int]]:
    """The results of the parts in their order, with at most two parts per thread under way."""
    if threads == 1:
        yield from map(work, parts)
        return
    waiting: deque[Future[tuple[S, int]]] = deque()
    with ThreadPoolExecutor(threads, thread_name_prefix="groundswell-fold") as pool:
        try:
            for part in parts:
                waiting.append(pool.submit(work, part))
                if len(waiting) >= 2 * threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _batch(table: pa.RecordBatch | pa.Table, roles: Roles, memory: threading.local) -> Batch:
    """The rows as a batch whose matrix lies in memory that this thread uses again for the next part."""
    out: NDArray[Any] | None = getattr(memory, "matrix", None)
    batch = Batch.from_arrow(table, X=list(roles.X), y=roles.y, weights=roles.weights, out=out)
    matrix = batch.X
    if isinstance(matrix, np.ndarray) and matrix.flags.writeable and (out is None or len(matrix) > len(out)):
        base = matrix if matrix.base is None else matrix.base
        memory.matrix = base if isinstance(base, np.ndarray) and base.ndim == 2 else None
    return batch


def batches(source: Scannable, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """The rows one part after the other, as record batches."""
    for part in source.parts(columns):
        table = part()
        yield from table.to_batches() if isinstance(table, pa.Table) else [table]
