"""Random numbers that belong to rows: hashes of their values, so that no cut or order of the rows changes a draw.

Trees sample rows with them: for the edges of bins, for the bootstrap of a forest and for the subsamples of boosting;
k-means draws its first centers with them, and cross-validation its folds. Equal rows have equal hashes, so a row of
weight three draws what three equal rows draw.

References:
    Steele, Lea, Flood, Fast splittable pseudorandom number generators, OOPSLA 2014.
"""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from groundswell.statistics._compiled import compiled
from groundswell.statistics._matrix import sealed

Hashes: TypeAlias = NDArray[np.uint64]

_HALF = np.uint64(1 << 24)
"""Half a unit of the last of 28 digits of a float64, which has 53."""

_NAN = np.uint64(0x7FF8000000000000)


def row_hashes(matrix: NDArray[Any], *others: NDArray[Any]) -> Hashes:
    """A hash of each row of numbers, shape (rows,), over one matrix or several side by side.

    Numbers count to 28 binary digits, so that rows which a pipeline computed in another order draw the same: a scaler
    of a table in parts and one of the array differ in the last digits.
    """
    state = np.full(len(matrix), np.uint64(0x9E3779B97F4A7C15), np.uint64)
    for part in (matrix, *others):
        _mix(state, sealed(part))
    return state


@compiled
def _mix(state: Hashes, matrix: NDArray[Any]) -> None:
    """Work the bits of columns into the hashes, column by column; some rows at a time, which stay in the cache."""
    kept = ~(np.uint64(2) * _HALF - np.uint64(1))
    n_rows, n_columns = matrix.shape
    for start in range(0, n_rows, 256):
        hashes = state[start : start + 256]
        for j in range(n_columns):
            column = matrix[start : start + 256, j]
            for i in range(len(hashes)):
                value = np.float64(np.float64(column[i]) + 0.0)  # + 0.0 makes −0 the same as 0
                bits = value.view(np.uint64) if value == value else _NAN  # of which there are many
                mixed = (hashes[i] ^ ((bits + _HALF) & kept)) * np.uint64(0xBF58476D1CE4E5B9)
                hashes[i] = mixed ^ (mixed >> np.uint64(29))
