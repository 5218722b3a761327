"""`Whereabouts`: which node of each tree each row has reached, kept from level to level.

A row is sent one question further at each level, and rows in finished leaves are forgotten, so a level costs what its
open nodes hold. Where memory does not last, rows are sent from the root again.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundswell.estimators._criteria import Floats
from groundswell.estimators._trees import Trees
from groundswell.statistics import Batch

MEMORY_BYTES = 256 << 20
"""How much is kept; a row takes nine bytes for each tree that drew it."""

Sampling = Callable[[Batch, int], NDArray[np.uint8]]
"""How often each row of a batch counts in a tree."""


@dataclass(frozen=True, kw_only=True, eq=False)
class NumberedBatch(Batch):
    """A batch that knows which part it is."""

    number: int = 0


@dataclass(frozen=True, kw_only=True)
class Reached:
    """The rows of a part that still take part in a tree.

    Attributes:
        rows: their positions, ascending.
        nodes: the node that each has reached.
        times: how often each counts; None is once.
        depth: of the nodes.
    """

    rows: NDArray[np.int32]
    nodes: NDArray[np.int32]
    times: NDArray[np.uint8] | None
    depth: int

    @property
    def n_bytes(self) -> int:
        """What it takes to keep it."""
        return self.rows.nbytes + self.nodes.nbytes + (0 if self.times is None else self.times.nbytes)

    def at(self, depth: int, trees: Trees, open_: NDArray[np.bool_], bins: NDArray[np.uint8]) -> "Reached":
        """The same rows at a deeper level, those in open nodes only."""
        nodes = self.nodes
        for _ in range(self.depth, depth):
            nodes = trees.children(bins, self.rows, nodes)
        here = open_[nodes]
        if here.all():
            return Reached(rows=self.rows, nodes=nodes, times=self.times, depth=depth)
        chosen = np.flatnonzero(here)
        times = None if self.times is None else self.times[chosen]
        return Reached(rows=self.rows[chosen], nodes=nodes[chosen], times=times, depth=depth)


class Whereabouts:
    """Where the rows of all parts are in all trees. Used from several threads, each with parts of its own.

    Args:
        sampling: how often each row counts in each tree; None counts all rows once.
    """

    def __init__(self, sampling: Sampling | None) -> None:
        self._sampling, self._memory_left = sampling, MEMORY_BYTES
        self._kept: dict[tuple[int, int], Reached] = {}
        self._lock = threading.Lock()

    def of(self, batch: NumberedBatch, tree: int, trees: Trees, depth: int, open_: NDArray[np.bool_]) -> Reached:
        """The rows that are in open nodes of a level.

        Args:
            batch: a part, binned.
            tree: which of the trees.
            trees: as they are grown so far.
            depth: the level.
            open_: for each node whether it is open at this level.
        """
        place = (batch.number, tree)
        before = self._kept.get(place)
        reached = self._drawn(batch, tree, trees) if before is None else before
        reached = reached.at(depth, trees, open_, batch.matrix)
        with self._lock:
            left = self._memory_left + (0 if before is None else before.n_bytes) - reached.n_bytes
            if left >= 0:
                self._memory_left, self._kept[place] = left, reached
        return reached

    def _drawn(self, batch: NumberedBatch, tree: int, trees: Trees) -> Reached:
        times = None if self._sampling is None else self._sampling(batch, tree)
        if times is None:
            rows = np.arange(len(batch), dtype=np.int32)
        else:
            rows = np.flatnonzero(times).astype(np.int32)
            times = times[rows]
        return Reached(rows=rows, nodes=np.full(len(rows), trees.roots[tree], np.int32), times=times, depth=0)


def counted(reached: Reached, weights: Floats | None) -> Floats | None:
    """The weights of the rows: their own times how often they count."""
    if reached.times is None:
        return None if weights is None else weights[reached.rows]
    return reached.times.astype(np.float64) if weights is None else weights[reached.rows] * reached.times
