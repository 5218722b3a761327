"""Random numbers that belong to rows: hashes of their values, so that no cut or order of the rows changes a draw.

Trees sample rows with them: for the edges of bins, for the bootstrap of a forest and for the subsamples of boosting;
k-means draws its first centers with them, and cross-validation its folds. Equal rows have equal hashes, so a row of
weight three draws what three equal rows draw.

References:
    Steele, Lea, Flood, Fast splittable pseudorandom number generators, OOPSLA 2014.
"""

from itertools import chain
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from groundswell.statistics._compiled import compiled

Hashes: TypeAlias = NDArray[np.uint64]

_HALF = np.uint64(1 << 24)
"""Half a unit of the last of 28 digits of a float64, which has 53."""


def row_hashes(matrix: NDArray[Any], *others: NDArray[Any]) -> Hashes:
    """A hash of each row of numbers, shape (rows,), over one matrix or several side by side.

    Numbers count to 28 binary digits, so that rows which a pipeline computed in another order draw the same: a scaler
    of a table in parts and one of the array differ in the last digits.
    """
    state, values = np.full(len(matrix), np.uint64(0x9E3779B97F4A7C15), np.uint64), np.empty(len(matrix))
    for column in chain(matrix.T, *(other.T for other in others)):
        np.add(column, 0.0, out=values, dtype=np.float64)  # + 0.0 makes −0 the same as 0
        _mix(state, values.view(np.uint64))
    return state


@compiled
def _mix(state: Hashes, bits: Hashes) -> None:
    """Work the bits of a column into the hashes."""
    kept = ~(np.uint64(2) * _HALF - np.uint64(1))
    for i in range(len(state)):
        mixed = (state[i] ^ ((bits[i] + _HALF) & kept)) * np.uint64(0xBF58476D1CE4E5B9)
        state[i] = mixed ^ (mixed >> np.uint64(29))
