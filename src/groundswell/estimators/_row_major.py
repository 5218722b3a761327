"""`RowMajor`: batches whose matrix lies row by row."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from groundswell.engines import Batches
from groundswell.statistics import Batch


class RowMajor:
    """X row by row and weights, in memory of their own, without y and columns: for k-means, which looks at whole rows.

    The values of a row of a column-major part lie in as many lines of the cache and pages as there are columns.

    Args:
        batches: what to turn.
    """

    def __init__(self, batches: Batches) -> None:
        self._batches = batches

    @property
    def rows(self) -> int | None:
        """How many rows there are, if that is known."""
        return self._batches.rows

    def parts(self) -> Iterator[Any]:  # Any: makers of batches
        """One maker for each part."""
        for make in self._batches.parts():
            yield partial(_turned, make)


def _turned(make: Any) -> Batch:  # Any: the maker of a batch
    batch: Batch = make()
    weights = None if batch.weights is None else batch.weights.copy()
    return Batch(X=np.array(batch.matrix, order="C"), weights=weights)
