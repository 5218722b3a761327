"""`aggregate`: map-reduce over batches. What to map and how to reduce is the statistic; nothing else is needed.

This is the sequential fold. The engines fold over tables with threads or on a cluster, by the same four methods.
"""

from collections.abc import Iterable
from typing import TypeVar

from groundswell.statistics._batch import Batch
from groundswell.statistics._statistic import Statistic

__all__ = ["aggregate"]

S = TypeVar("S", bound=Statistic[object])


def aggregate(batches: Iterable[Batch], statistic: S) -> S:
    """A statistic like the one given that has seen all the batches; the one given is a prototype and stays as it is.

    Args:
        batches: one at a time is held.
        statistic: what to compute; `Together` computes several in one pass.

    References:
        Dean, Ghemawat: MapReduce: simplified data processing on large clusters, OSDI 2004.

    >>> import numpy as np
    >>> from groundswell.statistics import Moments
    >>> parts = (Batch(X=np.array([[value]])) for value in (1.0, 2.0, 6.0))
    >>> aggregate(parts, Moments()).result().mean
    array([3.])
    """
    total = statistic.zero()
    for batch in batches:
        total.update(batch)
    return total
