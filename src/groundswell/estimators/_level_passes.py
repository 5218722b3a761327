"""Passes over binned rows that tell what the nodes of one level need to know: histograms, or few rows themselves."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundswell.engines import Batches, fold
from groundswell.estimators._few_rows import NodeRows, splits_of_rows
from groundswell.estimators._growth_rules import Growth
from groundswell.estimators._splits import Splits
from groundswell.estimators._whereabouts import Level, NumberedBatch, Whereabouts
from groundswell.statistics import Batch, SplitHistograms
from groundswell.statistics._matrix import Floats

CELLS = 1 << 21
"""Cells of histograms that one pass may sum: 32 MiB for each part under way."""

ROWS_BYTES = 64 << 20
"""How large the rows of nodes with few of them may be that one pass brings together."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """Some nodes of one tree at one level.

    Args:
        tree: which tree.
        nodes: their numbers.
        features: those that each node may ask for, shape (nodes, k); None for all.
    """

    tree: int
    nodes: NDArray[np.intp]
    features: NDArray[np.uint32] | None

    def places(self, n_nodes: int) -> NDArray[np.int32]:
        """The position of each of so many nodes in the task, −1 for others."""
        places = np.full(n_nodes, -1, np.int32)
        places[self.nodes] = np.arange(len(self.nodes))
        return places

    def all_features(self, n_features: int) -> NDArray[np.uint32]:
        """The features that each node may ask for, all of them where nothing else is said, shape (nodes, k)."""
        if self.features is not None:
            return self.features
        return np.tile(np.arange(n_features, dtype=np.uint32), (len(self.nodes), 1))

    def part(self, start: int, stop: int) -> "Task":
        """Some of the nodes that follow each other."""
        some = slice(start, stop)
        return replace(self, nodes=self.nodes[some], features=None if self.features is None else self.features[some])


class _LevelSums:
    """The statistic of one pass: histograms for each task."""

    def __init__(self, tasks: list[Task], level: Level, whereabouts: Whereabouts, growth: Growth) -> None:
        self.tasks, self.level, self.whereabouts, self.growth = tasks, level, whereabouts, growth
        n_bins = growth.bins.missing + 1
        self.sums = [
            SplitHistograms(len(t.nodes), n_bins, growth.target, growth.n_classes, center=growth.center) for t in tasks
        ]

    def zero(self) -> "_LevelSums":
        """The same tasks, no rows."""
        return _LevelSums(self.tasks, self.level, self.whereabouts, self.growth)

    def update(self, batch: Batch) -> None:
        """Send each row to its node of each task."""
        assert isinstance(batch, NumberedBatch)
        for task, sums in zip(self.tasks, self.sums, strict=True):
            reached = self.whereabouts.of(batch, task.tree, self.level)
            if len(reached.rows):
                places = task.places(len(self.level.trees.feature))
                sums.add(batch, reached.rows, reached.nodes, times=reached.times, places=places, features=task.features)

    def merge(self, other: "_LevelSums") -> None:
        """Add the histograms; those of a first part are taken over."""
        for i, (ours, theirs) in enumerate(zip(self.sums, other.sums, strict=True)):
            if ours.width:
                ours.merge(theirs)
            else:
                self.sums[i] = theirs

    def result(self) -> list[SplitHistograms]:
        """The histograms of each task."""
        return self.sums


class _LevelRows:
    """The statistic of one pass: the rows of the nodes of each task."""

    def __init__(self, tasks: list[Task], level: Level, whereabouts: Whereabouts, growth: Growth) -> None:
        self.tasks, self.level, self.whereabouts, self.growth = tasks, level, whereabouts, growth
        self.found: list[list[NodeRows]] = [[] for _ in tasks]

    def zero(self) -> "_LevelRows":
        """The same tasks, no rows."""
        return _LevelRows(self.tasks, self.level, self.whereabouts, self.growth)

    def update(self, batch: Batch) -> None:
        """Take the rows of a part that have reached the nodes."""
        assert isinstance(batch, NumberedBatch)
        for task, found in zip(self.tasks, self.found, strict=True):
            reached = self.whereabouts.of(batch, task.tree, self.level)
            places = task.places(len(self.level.trees.feature))[reached.nodes]
            here = np.flatnonzero(places >= 0)
            times = None if reached.times is None else reached.times[here]
            features = task.all_features(len(self.growth.bins.counts))
            target, center = self.growth.target, self.growth.center
            found.append(
                NodeRows.of(batch, reached.rows[here], places[here], times, features, target=target, center=center)
            )

    def merge(self, other: "_LevelRows") -> None:
        """Put the rows of later parts behind."""
        for ours, theirs in zip(self.found, other.found, strict=True):
            ours.extend(theirs)

    def result(self) -> list[list[NodeRows]]:
        """The rows of each task, part by part."""
        return self.found


class Numbered:
    """Batches that know which part they are."""

    def __init__(self, batches: Batches) -> None:
        self._batches = batches

    @property
    def rows(self) -> int | None:
        """How many rows there are, if that is known."""
        return self._batches.rows

    def parts(self) -> Iterator[Any]:
        """One maker for each part."""
        for number, make in enumerate(self._batches.parts()):
            yield partial(_numbered, number, make)


def _numbered(number: int, make: Any) -> NumberedBatch:  # Any: the maker of a batch
    batch: Batch = make()
    return NumberedBatch(X=batch.X, y=batch.target, weights=batch.weights, columns=batch.columns, number=number)


@dataclass(frozen=True, kw_only=True)
class Histograms:
    """Of some nodes: cells, shape (nodes, k, bins, classes, sums), and the k features of each node."""

    nodes: NDArray[np.intp]
    cells: Floats
    features: NDArray[np.uint32]

    def of(self, chosen: NDArray[np.bool_]) -> "Histograms":
        """Those of chosen nodes."""
        if chosen.all():
            return self
        return Histograms(nodes=self.nodes[chosen], cells=self.cells[chosen], features=self.features[chosen])


@dataclass(frozen=True, kw_only=True)
class Found:
    """The best splits of some nodes, and the features that they ask for."""

    nodes: NDArray[np.intp]
    features: NDArray[np.intp]
    splits: Splits

    @classmethod
    def of(cls, nodes: NDArray[np.intp], features: NDArray[np.uint32], splits: Splits) -> "Found":
        """Splits whose slots are positions among the features of each node."""
        asked = features[np.arange(len(nodes)), np.maximum(splits.slot, 0)]
        return cls(nodes=nodes, features=asked.astype(np.intp), splits=splits)

    def taken(self, chosen: NDArray[Any]) -> "Found":
        """Those of chosen nodes."""
        splits = Splits(**{name: part[chosen] for name, part in vars(self.splits).items()})
        return Found(nodes=self.nodes[chosen], features=self.features[chosen], splits=splits)


class Passes:
    """What one level needs to know of the rows, task by task: histograms, or of small nodes the rows themselves."""

    def __init__(self, batches: Batches, growth: Growth, level: Level, whereabouts: Whereabouts) -> None:
        self._batches, self._growth, self._level, self._whereabouts = batches, growth, level, whereabouts
        k = growth.max_features or len(growth.bins.counts)
        self._node_cells = k * (growth.bins.missing + 1) * growth.n_classes * (1 if growth.target == "class" else 2)

    def fits(self, n_nodes: int) -> bool:
        """Whether one pass may sum the histograms of so many nodes."""
        return n_nodes * self._node_cells <= CELLS

    def histograms(self, tasks: list[Task]) -> Iterator[Histograms]:
        """Pass over the rows as often as the memory for histograms demands."""
        for some in _passes(tasks, np.full(len(self._level.open), self._node_cells), CELLS):
            yield from self._summed(some)

    def _summed(self, tasks: list[Task]) -> Iterator[Histograms]:
        level = _LevelSums(tasks, self._level, self._whereabouts, self._growth)
        for task, statistic in zip(tasks, fold(self._batches, level).result(), strict=True):
            features, cells = task.all_features(len(self._growth.bins.counts)), statistic.histograms()
            if not cells.shape[1]:  # the tree drew no rows
                cells = np.zeros((len(cells), features.shape[1], *cells.shape[2:]))
            yield Histograms(nodes=task.nodes, cells=cells, features=features)

    def splits(self, tasks: list[Task], rows: Floats) -> Iterator[Found]:
        """The best splits of nodes with few rows; `rows` is how many each node of the trees has."""
        growth, n_features = self._growth, len(self._growth.bins.counts)
        n_bytes = rows * ((growth.max_features or n_features) + 8 * (3 if growth.target == "class" else 5))
        for some in _passes(tasks, n_bytes, ROWS_BYTES):
            level = _LevelRows(some, self._level, self._whereabouts, growth)
            for task, parts in zip(some, fold(self._batches, level).result(), strict=True):
                splits = splits_of_rows(
                    parts, len(task.nodes), criterion=growth.criterion, n_classes=growth.n_classes,
                    n_bins=growth.bins.missing + 1, min_samples_leaf=growth.min_samples_leaf,
                )  # fmt: skip
                yield Found.of(task.nodes, task.all_features(n_features), splits)


def _passes(tasks: list[Task], sizes: NDArray[Any], most: int) -> Iterator[list[Task]]:
    """The tasks in groups, cut where they must be, whose nodes are together no larger than one pass may be.

    Args:
        tasks: in order.
        sizes: of all nodes of the trees.
        most: how large the nodes of a pass may be; a single node may be larger.
    """
    waiting, left = list[Task](), float(most)
    for task in tasks:
        start = 0
        while start < len(task.nodes):
            fitting = int(np.searchsorted(np.cumsum(sizes[task.nodes[start:]]), left, side="right"))
            if fitting or not waiting:
                waiting.append(task.part(start, start + max(fitting, 1)))
                left -= float(sizes[waiting[-1].nodes].sum())
                start += len(waiting[-1].nodes)
            if start < len(task.nodes):
                yield waiting
                waiting, left = [], float(most)
    if waiting:
        yield waiting
