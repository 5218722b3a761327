"""`KeptBatches`: batches that a first pass computes and that later passes find in memory, as far as they fit."""

import threading
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from groundswell.engines import Batches
from groundswell.statistics import Batch


class KeptBatches:
    """Batches kept after the first pass while memory lasts; the others are made again in each pass.

    They must own their memory, as those of a table that computes its columns do.

    Args:
        batches: what to keep.
        memory_bytes: how much may be kept.
    """

    def __init__(self, batches: Batches, memory_bytes: int) -> None:
        self._batches, self._memory_left = batches, memory_bytes
        self._kept: dict[int, Batch] = {}
        self._count: int | None = None
        self._lock = threading.Lock()

    @property
    def rows(self) -> int | None:
        """How many rows there are, if that is known."""
        return self._batches.rows

    def parts(self) -> Iterator[Any]:  # Any: makers of batches
        """One maker for each part: of what is kept, or of what is made again."""
        if self._count is not None and len(self._kept) == self._count:
            for number in range(self._count):
                yield partial(self._kept.__getitem__, number)
            return
        count = 0
        for count, make in enumerate(self._batches.parts(), 1):
            yield partial(self._batch, count - 1, make)
        self._count = count

    def _batch(self, number: int, make: Any) -> Batch:  # Any: the maker of a batch
        if number in self._kept:
            return self._kept[number]
        batch: Batch = make()
        size = sum(_n_bytes(part) for part in (batch.X, batch.y, batch.weights, *batch.columns.values()))
        with self._lock:
            if size <= self._memory_left:
                self._memory_left -= size
                self._kept[number] = Batch(X=batch.X, y=batch.y, weights=batch.weights, columns=batch.columns)
        return batch


def _n_bytes(part: Any) -> int:  # Any: arrays of numpy, Arrow and scipy, or None
    if part is None:
        return 0
    if hasattr(part, "indptr"):
        return int(part.data.nbytes + part.indices.nbytes + part.indptr.nbytes)
    return int(np.asarray(part).nbytes if isinstance(part, np.ndarray) else part.nbytes)
