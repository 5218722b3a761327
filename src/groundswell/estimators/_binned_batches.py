"""`BinnedBatches`: rows as bins, in parts of a size at which their histograms are worth adding up."""

import threading
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain, islice, repeat
from typing import Any

import numpy as np

from groundswell.engines import Batches
from groundswell.estimators._bins import Bins, Floats
from groundswell.estimators._labels import unknown_labels
from groundswell.estimators._row_hash import row_hashes
from groundswell.statistics import Batch

GROUP_ROWS = 1 << 18
"""Rows of a part at least, where there are many. At a deep level the histograms of a forest take longer to merge than
65,536 rows to sum; fewer rows than eight such parts are cut into eighths, down to a quarter of it, for the threads."""


class BinnedBatches:
    """Rows as bins, kept after the first pass as far as memory allows; the others are decoded and binned again.

    A batch has bins as X, row-major, the target as numbers, weights, and where rows are drawn, in the column "hash" the
    hashes of its rows. Small parts are joined to larger ones.

    Args:
        batches: the rows as they are.
        bins: how their values become bins.
        classes: the labels whose positions are the target; None if y is numbers.
        sizes: how many rows each of their parts has.
        memory_bytes: how much may be kept.
        draws: whether rows are drawn, so that they need hashes.

    Raises:
        FitError: when a part is read: a label is missing, or is none of the classes.
    """

    def __init__(
        self,
        batches: Batches,
        bins: Bins,
        classes: list[Any] | None,
        sizes: Sequence[int],
        *,
        memory_bytes: int,
        draws: bool,
    ) -> None:
        self._batches, self._bins, self._memory_left, self._draws = batches, bins, memory_bytes, draws
        self._codes = None if classes is None else {label: float(i) for i, label in enumerate(classes)}
        self._runs = _runs(sizes)
        self._kept: dict[int, Batch] = {}
        self._lock = threading.Lock()

    @property
    def rows(self) -> int | None:
        """How many rows there are, if that is known."""
        return self._batches.rows

    def parts(self) -> Iterator[Any]:
        """One maker for each part: of what is kept, or of the rows as they are."""
        if len(self._kept) == len(self._runs):
            for number in range(len(self._runs)):
                yield partial(self._kept.__getitem__, number)
            return
        makers = self._batches.parts()
        for number, run in enumerate(chain(self._runs, repeat(1))):
            makes = list(islice(makers, run))
            if not makes:
                return
            yield partial(self._part, number, makes)

    def _part(self, number: int, makes: list[Any]) -> Batch:  # Any: makers of batches
        if number in self._kept:
            return self._kept[number]
        batch = _joined([self._binned(make()) for make in makes])
        weights = () if batch.weights is None else (batch.weights,)
        hashes = [np.asarray(column) for column in batch.columns.values()]
        size = sum(part.nbytes for part in (batch.matrix, batch.target, *hashes, *weights))
        with self._lock:
            room = size <= self._memory_left
            self._memory_left -= size if room else 0
        if room:
            self._kept[number] = batch
        return batch

    def _binned(self, raw: Batch) -> Batch:
        raw = raw if raw.weights is None or raw.weights.all() else raw.rows(np.flatnonzero(raw.weights))
        target = self._target(raw)
        hashes = {"hash": row_hashes(raw.matrix) ^ row_hashes(target[:, None])} if self._draws else {}
        weights = None if raw.weights is None else raw.weights.copy()
        return Batch(X=self._bins.bin(raw.matrix), y=target, weights=weights, columns=hashes)

    def _target(self, raw: Batch) -> Floats:
        if self._codes is None:
            return raw.target[:, 0].copy()
        encoded = raw.codes()
        labels = encoded.values.to_pylist()
        positions = np.array([*(self._codes.get(label, -1.0) for label in labels), -1.0])  # the last: of no label
        target = np.asarray(positions[encoded.codes], np.float64)
        if (target < 0).any():  # compiled loops take it for an index, unchecked
            found = np.unique(encoded.codes[target < 0])
            raise unknown_labels([labels[code] for code in found if code >= 0], self._codes)
        return target


def _runs(sizes: Sequence[int]) -> list[int]:
    """How many neighbouring parts are joined, again and again."""
    runs, rows = [0], 0
    enough = min(max(sum(sizes) // 8, GROUP_ROWS // 4), GROUP_ROWS)
    for size in sizes:
        if rows >= enough:
            runs.append(0)
            rows = 0
        runs[-1] += 1
        rows += size
    return runs if runs[0] else []


def _joined(batches: list[Batch]) -> Batch:
    if len(batches) == 1:
        return batches[0]
    weights = [batch.weights for batch in batches if batch.weights is not None]
    return Batch(
        X=np.concatenate([batch.matrix for batch in batches]),
        y=np.concatenate([batch.target[:, 0] for batch in batches]),
        weights=np.concatenate(weights) if weights else None,
        columns={
            name: np.concatenate([np.asarray(batch.columns[name]) for batch in batches]) for name in batches[0].columns
        },
    )
