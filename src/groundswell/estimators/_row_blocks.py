"""Rows in blocks of a fixed number, in the order of their source, however the source cuts them into parts.

What is learned from blocks, their order and a seed is therefore the same, to the last bit, for an array, a Parquet file
of any row groups, and a stream.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from groundswell.engines import ArrayBatches, Batches
from groundswell.errors import FitError
from groundswell.statistics import Batch
from groundswell.statistics._matrix import Floats


@dataclass(frozen=True, kw_only=True)
class RowBlock:
    """Some rows that follow each other.

    Attributes:
        number: of the block, from 0.
        X: shape (rows, features): row-major in its own type of floats, or sparse in float64.
        y: shape (rows, targets).
        weights: shape (rows,).
    """

    number: int
    X: Any  # Any: an array or a sparse matrix
    y: Floats
    weights: Floats

    def rows(self, chosen: slice | NDArray[Any]) -> "RowBlock":
        """Some of the rows, in the order in which they are named, or those where an array of booleans is true."""
        return RowBlock(number=self.number, X=self.X[chosen], y=self.y[chosen], weights=self.weights[chosen])


class RowBlocks:
    """Blocks of `size` rows; the last may have fewer. Rows of weight zero are left out.

    They may be gone through over and over. Those that fit into memory are kept, so that a later pass makes only the
    others again, from the parts in which they lie.

    Args:
        batches: the rows.
        size: of a block.
        memory_bytes: how much may be kept.
        allow_nan: whether X may have missing values.
    """

    def __init__(self, batches: Batches, size: int, *, memory_bytes: int = 0, allow_nan: bool = False) -> None:
        self._batches, self._size, self._memory_left = batches, size, memory_bytes
        self._allow_nan, self._owned = allow_nan, isinstance(batches, ArrayBatches)
        self._kept: list[RowBlock] = []
        self._part_rows: list[int] = []
        self._complete = False

    def __iter__(self) -> Iterator[RowBlock]:
        """The blocks, in order.

        Raises:
            FitError: a value is missing or infinite.
        """
        keeping = not self._part_rows
        yield from self._kept
        if self._complete:
            return
        number, waiting, count = len(self._kept), list[RowBlock](), 0
        for rows in self._rest(sum(len(block.y) for block in self._kept)):
            start = 0
            while start < len(rows.y):
                stop = min(start + self._size - count, len(rows.y))
                waiting.append(rows.rows(slice(start, stop)))
                count, start = count + stop - start, stop
                if count == self._size:
                    yield self._keep(_joined(waiting, number), keeping)
                    number, waiting, count = number + 1, [], 0
        if waiting:
            yield self._keep(_joined(waiting, number), keeping)
            number += 1
        self._complete = len(self._kept) == number

    def _rest(self, done: int) -> Iterator[RowBlock]:
        """The rows after so many, part by part; parts that hold none of them are not read."""
        start = 0
        for number, part in enumerate(self._batches.parts()):
            if number < len(self._part_rows) and start + self._part_rows[number] <= done:
                start += self._part_rows[number]
                continue
            rows = _checked(part(), self._allow_nan, copy=not self._owned)
            if number == len(self._part_rows):
                self._part_rows.append(len(rows.y))
            yield rows.rows(slice(max(done - start, 0), None))
            start += len(rows.y)

    def _keep(self, block: RowBlock, keeping: bool) -> RowBlock:
        """The block, kept if it is the next and memory is left."""
        held = block.X if isinstance(block.X, np.ndarray) else block.X.data  # indices weigh as much at most
        size = 2 * (held.nbytes + block.y.nbytes + block.weights.nbytes) if held is not block.X else held.nbytes
        if keeping and block.number == len(self._kept) and size <= self._memory_left:
            self._memory_left -= size
            self._kept.append(block)
        return block


def _checked(batch: Batch, allow_nan: bool, *, copy: bool) -> RowBlock:
    """The rows of a batch that count. Its matrix may lie in memory that the next batch will overwrite, if `copy`."""
    if batch.weights is not None and not batch.weights.all():
        batch = batch.rows(np.flatnonzero(batch.weights))
    X = batch.X if isinstance(batch.X, np.ndarray) else sparse.csr_array(batch.X, dtype=np.float64)
    values = X if isinstance(X, np.ndarray) else X.data
    wrong = np.isinf(values) if allow_nan else ~np.isfinite(values)
    if wrong.any() or not np.isfinite(batch.target).all():
        raise FitError(
            "X or y has a value that is missing (null or NaN) or infinite.",
            why="Nothing can be learned from it by this estimator.",
            fix="Put SimpleImputer before it in a pipeline, or filter the rows.",
        )
    if isinstance(X, np.ndarray):
        kind = X.dtype if X.dtype in (np.float32, np.float64) else np.float64
        X = np.array(X, kind, order="C", copy=True) if copy else np.ascontiguousarray(X, kind)
    weights = np.ones(len(batch)) if batch.weights is None else batch.weights
    return RowBlock(number=0, X=X, y=batch.target, weights=weights)


def _joined(parts: list[RowBlock], number: int) -> RowBlock:
    if len(parts) == 1:
        return replace(parts[0], number=number)
    dense = isinstance(parts[0].X, np.ndarray)
    X = np.concatenate([p.X for p in parts]) if dense else sparse.vstack([p.X for p in parts], format="csr")
    return RowBlock(
        number=number,
        X=X,
        y=np.concatenate([part.y for part in parts]),
        weights=np.concatenate([part.weights for part in parts]),
    )
