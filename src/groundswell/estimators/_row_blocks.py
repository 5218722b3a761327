"""Rows in blocks of a fixed number, in the order of their source, however the source cuts them into parts.

What is learned from blocks, their order and a seed is therefore the same, to the last bit, for an array, a Parquet file
of any row groups, and a stream.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from groundswell.engines import Batches
from groundswell.errors import FitError
from groundswell.statistics import Batch
from groundswell.statistics._matrix import Floats


@dataclass(frozen=True, kw_only=True)
class RowBlock:
    """Some rows that follow each other.

    Attributes:
        number: of the block, from 0.
        X: shape (rows, features): row-major in float64, or sparse.
        y: shape (rows, targets).
        weights: shape (rows,).
    """

    number: int
    X: Any  # Any: an array or a sparse matrix
    y: Floats
    weights: Floats

    def rows(self, chosen: NDArray[Any]) -> "RowBlock":
        """Some of the rows, in the order in which they are named, or those where an array of booleans is true."""
        return RowBlock(number=self.number, X=self.X[chosen], y=self.y[chosen], weights=self.weights[chosen])


def row_blocks(batches: Batches, size: int, *, allow_nan: bool = False) -> Iterator[RowBlock]:
    """Blocks of `size` rows; the last may have fewer. Rows of weight zero are left out.

    Args:
        batches: the rows.
        size: of a block.
        allow_nan: whether X may have missing values.

    Raises:
        FitError: a value is missing or infinite.
    """
    number, waiting, count = 0, list[RowBlock](), 0
    for part in batches.parts():
        rows = _checked(part(), allow_nan)
        start = 0
        while start < len(rows.y):
            stop = min(start + size - count, len(rows.y))
            waiting.append(rows.rows(np.arange(start, stop)))
            count, start = count + stop - start, stop
            if count == size:
                yield _joined(waiting, number)
                number, waiting, count = number + 1, [], 0
    if waiting:
        yield _joined(waiting, number)


def _checked(batch: Batch, allow_nan: bool) -> RowBlock:
    if batch.weights is not None and not batch.weights.all():
        batch = batch.rows(np.flatnonzero(batch.weights))
    X = batch.X if isinstance(batch.X, np.ndarray) else sparse.csr_array(batch.X)
    values = X if isinstance(X, np.ndarray) else X.data
    wrong = np.isinf(values) if allow_nan else ~np.isfinite(values)
    if wrong.any() or not np.isfinite(batch.target).all():
        raise FitError(
            "X or y has a value that is missing (null or NaN) or infinite.",
            why="Nothing can be learned from it by this estimator.",
            fix="Put SimpleImputer before it in a pipeline, or filter the rows.",
        )
    weights = np.ones(len(batch)) if batch.weights is None else batch.weights
    return RowBlock(number=0, X=X, y=batch.target, weights=weights)


def _joined(parts: list[RowBlock], number: int) -> RowBlock:
    dense = isinstance(parts[0].X, np.ndarray)
    X = (
        np.concatenate([part.X for part in parts], dtype=np.float64)
        if dense
        else sparse.vstack([part.X for part in parts], format="csr", dtype=np.float64)
    )
    return RowBlock(
        number=number,
        X=np.ascontiguousarray(X) if dense else X,
        y=np.concatenate([part.y for part in parts]),
        weights=np.concatenate([part.weights for part in parts]),
    )
