"""Blocks of rows are the same however the source is cut and however much of it is kept."""

from collections import Counter

import numpy as np
import pytest
from scipy import sparse

from groundswell.estimators._row_blocks import RowBlocks
from groundswell.statistics import Batch


class Parts:
    """Batches of so many rows, which tell what was read; dense ones use the same memory again."""

    def __init__(self, X, sizes, weights=None):
        self.X, self.weights, self.read = X, weights, Counter()
        self.ends = np.cumsum([0, *sizes])
        self.memory = None if sparse.issparse(X) else np.empty((max(sizes), X.shape[1]), X.dtype, order="F")

    @property
    def rows(self):
        return self.X.shape[0]

    def parts(self):
        for number in range(len(self.ends) - 1):
            yield lambda number=number: self.batch(number)

    def batch(self, number):
        self.read[number] += 1
        chosen = slice(self.ends[number], self.ends[number + 1])
        X = self.X[chosen]
        if self.memory is not None:
            self.memory[: len(X)] = X
            X = self.memory[: len(X)]
        y = np.arange(self.rows, dtype=float)[chosen]
        return Batch(X=X, y=y, weights=None if self.weights is None else self.weights[chosen])


def dense(X):
    return X.toarray() if sparse.issparse(X) else X


@pytest.mark.parametrize("memory_bytes", [0, 900, 10**6])
@pytest.mark.parametrize("sizes", [[40], [1] * 40, [15, 0, 15, 10], [7, 33]])
@pytest.mark.parametrize(
    "make", [np.asfortranarray, lambda X: X.astype(np.float32), lambda X: X[:, :1], sparse.csr_array]
)
def test_blocks_are_the_same_in_every_pass(make, sizes, memory_bytes):
    X = make(np.random.default_rng(0).normal(size=(40, 3)))
    weights = np.where(np.arange(40) % 5, 1.0, 0.0)
    kept = weights > 0
    source = Parts(X, sizes, weights)
    blocks = RowBlocks(source, 6, memory_bytes=memory_bytes)
    for _ in range(3):
        found = list(blocks)
        assert [block.number for block in found] == list(range(6))
        assert [len(block.y) for block in found] == [6, 6, 6, 6, 6, 2]
        np.testing.assert_array_equal(np.concatenate([dense(block.X) for block in found]), dense(X)[kept])
        np.testing.assert_array_equal(np.concatenate([block.y for block in found])[:, 0], np.flatnonzero(kept))
    if memory_bytes == 10**6:
        assert max(source.read.values()) == 1
    if memory_bytes == 0:
        assert max(source.read.values()) == 3


def test_parts_whose_rows_are_all_kept_are_not_read_again():
    X = np.random.default_rng(0).normal(size=(60, 4))
    source = Parts(X, [10] * 6)
    blocks = RowBlocks(source, 10, memory_bytes=2 * 10 * 4 * 8 + 10)
    for _ in range(2):
        np.testing.assert_array_equal(np.concatenate([block.X for block in blocks]), X)
    assert [source.read[number] for number in range(6)] == [1, 1, 2, 2, 2, 2]
