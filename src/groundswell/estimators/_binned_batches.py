"""`BinnedBatches`: rows as bins, in parts of a size at which their histograms are worth adding up."""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain, islice, repeat
from typing import Any

import numpy as np

from groundswell.engines import Batches
from groundswell.estimators._bins import Bins
from groundswell.estimators._labels import unknown_labels
from groundswell.estimators._row_hash import row_hashes
from groundswell.statistics import Batch
from groundswell.statistics._matrix import Floats

GROUP_ROWS = 1 << 18
"""Rows of a part at least, where there are many. At a deep level the histograms of a forest take longer to merge than
65,536 rows to sum; fewer rows than eight such parts are cut into eighths, down to a quarter of it, for the threads."""


class BinnedBatches:
    """Rows as bins, made in each pass; `KeptBatches` keeps them.

    A batch has bins as X, row-major, the target as numbers, weights, and where rows are drawn, in the column "hash" the
    hashes of its rows. Small parts are joined to larger ones.

    Args:
        batches: the rows as they are.
        bins: how their values become bins.
        classes: the labels whose positions are the target; None if y is numbers.
        sizes: how many rows each of their parts has.
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
        draws: bool,
    ) -> None:
        self._batches, self._bins, self._draws = batches, bins, draws
        self._codes = None if classes is None else {label: float(i) for i, label in enumerate(classes)}
        self._runs = _runs(sizes)

    @property
    def rows(self) -> int | None:
        """How many rows there are, if that is known."""
        return self._batches.rows

    def parts(self) -> Iterator[Any]:
        """One maker for each part, of one or several of the rows as they are."""
        makers = self._batches.parts()
        for run in chain(self._runs, repeat(1)):
            makes = list(islice(makers, run))
            if not makes:
                return
            yield partial(self._part, makes)

    def _part(self, makes: list[Any]) -> Batch:  # Any: makers of batches
        return _joined([self._binned(make()) for make in makes])

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
