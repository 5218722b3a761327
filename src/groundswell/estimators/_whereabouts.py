"""`Whereabouts`: which node of each tree each row has reached, kept from level to level.

A row is sent one question further at each level, and rows in finished leaves are forgotten, so a level costs what its
open nodes hold. Where memory does not last, rows are sent from the root again.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundswell.estimators._bins import BinMatrix
from groundswell.estimators._trees import Trees
from groundswell.statistics import Batch
from groundswell.statistics._compiled import compiled

MEMORY_BYTES = 256 << 20
"""How much is kept; a row takes nine bytes for each tree that drew it."""

_NONE = np.zeros(0, np.uint8)

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

    def at(self, level: "Level", bins: BinMatrix) -> "Reached":
        """The same rows at a deeper level, those in open nodes only. They move where they are: this one is spent."""
        reached = self
        inner = level.trees.feature >= 0
        for depth in range(self.depth, level.depth):
            reached = reached._asked(level, bins, level.open if depth == level.depth - 1 else inner)
        return reached

    def _asked(self, level: "Level", bins: BinMatrix, wanted: NDArray[np.bool_]) -> "Reached":
        """The rows one question further, those whose node is wanted."""
        trees, rows, nodes, times = level.trees, self.rows, self.nodes, self.times
        left = _ask(
            bins, rows.view(np.uint32), nodes.view(np.uint32), _NONE if times is None else times, trees.questions,
            trees.sets, trees.missing, wanted,
        )  # fmt: skip
        if left < len(rows):  # copies, or the memory of the others would be held
            rows, nodes, times = rows[:left].copy(), nodes[:left].copy(), None if times is None else times[:left].copy()
        return Reached(rows=rows, nodes=nodes, times=times, depth=self.depth + 1)


@dataclass(frozen=True, kw_only=True)
class Level:
    """A level of the trees under way.

    Args:
        trees: as they are grown so far.
        depth: of the level.
        open: for each node whether it is open at this level.
    """

    trees: Trees
    depth: int
    open: NDArray[np.bool_]


class Whereabouts:
    """Where the rows of all parts are in all trees. Used from several threads, each with parts of its own.

    Args:
        sampling: how often each row counts in each tree; None counts all rows once.
    """

    def __init__(self, sampling: Sampling | None) -> None:
        self._sampling, self._memory_left = sampling, MEMORY_BYTES
        self._kept: dict[tuple[int, int], Reached] = {}
        self._lock = threading.Lock()

    def of(self, batch: NumberedBatch, tree: int, level: Level) -> Reached:
        """The rows of a binned part that are in open nodes of a tree at a level."""
        place = (batch.number, tree)
        before = self._kept.get(place)
        reached = self._drawn(batch, tree, level.trees) if before is None else before
        reached = reached.at(level, batch.matrix)
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


@compiled
def _ask(
    bins: BinMatrix,
    rows: NDArray[np.uint32],
    nodes: NDArray[np.uint32],
    times: NDArray[np.uint8],
    questions: NDArray[np.int32],
    sets: NDArray[np.bool_],
    missing: int,
    wanted: NDArray[np.bool_],
) -> int:
    """Send rows one question further and move those whose node is wanted to the front; how many. None is of a leaf.

    A question is answered in this loop and in that of `Trees`, each in place: called as a kernel of its own it is not
    inlined, and costs a forest half of its time again.
    """
    kept = np.uint64(0)
    for i in range(len(rows)):
        row, node = rows[i], nodes[i]
        if questions[node, 0] >= 0:
            b = bins[row, np.uint32(questions[node, 0])]
            if questions[node, 3] >= 0:
                left = sets[np.uint32(questions[node, 3]), b]
            elif b == missing:
                left = questions[node, 2] != 0
            else:
                left = b <= questions[node, 1]
            child = questions[node, np.uint32(5) - np.uint32(left)]  # looked up: a branch would be guessed wrong
            rows[kept], nodes[kept] = row, child
            if len(times):
                times[kept] = times[i]
            kept += np.uint64(wanted[np.uint32(child)])
    return int(kept)
