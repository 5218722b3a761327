"""A sample of the rows on which an iterative method finds where to start.

The optimum of some ten thousand rows is so near that of all that Newton's method needs two or three passes over all
rows in place of five to eight. Where the method ends does not depend on it, so the sample is the cheapest there is:
every n-th row of each part.
"""

from dataclasses import dataclass, field, replace

import numpy as np
from scipy import sparse

from groundswell.engines import ArrayBatches
from groundswell.estimators._input import Input
from groundswell.statistics import Batch

SAMPLE_ROWS = 32_768
"""Rows of a sample, about."""


@dataclass
class EveryNth:
    """Every n-th row of each part, copied."""

    step: int
    found: list[Batch] = field(default_factory=list)

    def zero(self) -> "EveryNth":
        """No rows."""
        return EveryNth(self.step)

    def update(self, batch: Batch) -> None:
        """Take some rows."""
        few = batch.rows(np.arange(0, len(batch), self.step))
        self.found.append(Batch(X=few.X, y=few.target, weights=few.weights))

    def merge(self, other: "EveryNth") -> None:
        """Take the other's."""
        self.found.extend(other.found)

    def result(self) -> list[Batch]:
        """The rows, part by part."""
        return self.found


def start_sample(data: Input) -> Input | None:
    """A few of the rows, in memory; None if there are not many more, or how many there are is not known.

    Args:
        data: the rows; y holds numbers.
    """
    rows = data.batches.rows
    if rows is None or rows < 4 * SAMPLE_ROWS:
        return None
    parts = [part for part in data.fold(EveryNth(rows // SAMPLE_ROWS)).result() if len(part)]
    dense = [part.X for part in parts if isinstance(part.X, np.ndarray)]
    weights = [part.weights for part in parts if part.weights is not None]
    few = Batch(
        X=np.asfortranarray(np.concatenate(dense)) if dense else sparse.vstack([p.X for p in parts], format="csr"),
        y=np.concatenate([part.target for part in parts]),
        weights=np.concatenate(weights) if weights else None,
    )
    return replace(data, batches=ArrayBatches(few)) if few.weights is None or few.weights.any() else None
