"""Growing trees level by level: one fold sums histograms of all nodes of a level, of one tree or of many.

Each pass looks at binned rows only. What a node needs to know of its rows (how many, their sums) follows from the split
of its parent, so the deepest level needs no pass.

References:
    Breiman, Friedman, Olshen, Stone, Classification and regression trees (1984).
    Panda, Herbach, Basu, Bayardo, PLANET: massively parallel learning of tree ensembles, VLDB 2009.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundswell.engines import Batches, fold
from groundswell.estimators._bins import Bins
from groundswell.estimators._criteria import CRITERIA, Floats, Risk, Target, is_pure, sums_of
from groundswell.estimators._splits import TIES, Splits, best_splits
from groundswell.estimators._trees import Trees, single
from groundswell.estimators._whereabouts import Level, NumberedBatch, Sampling, Whereabouts
from groundswell.statistics import Batch, SplitHistograms
from groundswell.statistics._compiled import compiled

CELLS = 1 << 21
"""Cells of histograms that one pass may sum: 32 MiB for each part under way."""


@dataclass(frozen=True, kw_only=True)
class Growth:
    """When to split, and what rows and features each tree sees.

    Args:
        criterion: the name of what splits reduce.
        bins: of the features.
        n_classes: of a target that is a class.
        max_depth: of a tree; None grows until nothing can be split.
        min_samples_leaf: how many rows a leaf has at least.
        min_impurity_decrease: the least gain of a split, as a share of all weight.
        center: subtracted from numbers before they are squared.
        max_features: how many features, drawn anew, a node may choose from; None takes all.
        seed: of these draws.
        sampling: how often each row counts in each tree; None counts all rows once.
    """

    criterion: str
    bins: Bins
    n_classes: int = 1
    max_depth: int | None = None
    min_samples_leaf: int = 1
    min_impurity_decrease: float = 0.0
    center: float = 0.0
    max_features: int | None = None
    seed: int = 0
    sampling: Sampling | None = None

    @property
    def target(self) -> Target:
        """What the target of the rows is."""
        return CRITERIA[self.criterion][0]

    @property
    def risk(self) -> Risk:
        """What splits reduce."""
        return CRITERIA[self.criterion][1]


@dataclass(frozen=True, kw_only=True)
class Grown:
    """Trees with what their nodes know: Σ of the target and how many rows, and the gain of their splits."""

    trees: Trees
    sums: Floats
    rows: Floats
    gain: Floats


@dataclass(frozen=True, kw_only=True)
class _Task:
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


class _LevelSums:
    """The statistic of one pass: histograms for each task."""

    def __init__(self, tasks: list[_Task], level: Level, whereabouts: Whereabouts, growth: Growth) -> None:
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


class _Numbered:
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
class _Histograms:
    """Of some nodes: cells, shape (nodes, k, bins, classes, sums), and the k features of each node."""

    nodes: NDArray[np.intp]
    cells: Floats
    features: NDArray[np.uint32]

    def of(self, chosen: NDArray[np.bool_]) -> "_Histograms":
        """Those of chosen nodes."""
        if chosen.all():
            return self
        return _Histograms(nodes=self.nodes[chosen], cells=self.cells[chosen], features=self.features[chosen])


class _Passes:
    """The histograms of one level, task by task; those of larger siblings by subtraction where all is kept."""

    def __init__(self, batches: Batches, growth: Growth, level: Level, whereabouts: Whereabouts) -> None:
        self._batches, self._growth, self._level, self._whereabouts = batches, growth, level, whereabouts
        k = growth.max_features or len(growth.bins.counts)
        self._node_cells = k * (growth.bins.missing + 1) * growth.n_classes * (1 if growth.target == "class" else 2)

    def fits(self, n_nodes: int) -> bool:
        """Whether one pass may sum the histograms of so many nodes."""
        return n_nodes * self._node_cells <= CELLS

    def histograms(self, tasks: list[_Task]) -> Iterator[_Histograms]:
        """Pass over the rows as often as the memory for histograms demands."""
        waiting: list[_Task] = []
        for task in self._cut(tasks):
            if waiting and not self.fits(sum(len(t.nodes) for t in [*waiting, task])):
                yield from self._passed(waiting)
                waiting = []
            waiting.append(task)
        yield from self._passed(waiting)

    def _cut(self, tasks: list[_Task]) -> Iterator[_Task]:
        most = max(1, CELLS // self._node_cells)
        for task in tasks:
            for start in range(0, len(task.nodes), most):
                nodes, some = task.nodes[start : start + most], slice(start, start + most)
                yield replace(task, nodes=nodes, features=None if task.features is None else task.features[some])

    def _passed(self, tasks: list[_Task]) -> Iterator[_Histograms]:
        level = _LevelSums(tasks, self._level, self._whereabouts, self._growth)
        for task, statistic in zip(tasks, fold(self._batches, level).result(), strict=True):
            features, cells = task.features, statistic.histograms()
            if features is None:
                features = np.tile(np.arange(len(self._growth.bins.counts), dtype=np.uint32), (len(task.nodes), 1))
            if not cells.shape[1]:  # the tree drew no rows
                cells = np.zeros((len(cells), features.shape[1], *cells.shape[2:]))
            yield _Histograms(nodes=task.nodes, cells=cells, features=features)


@compiled
def _subtract(cells: Floats, others: Floats) -> None:
    """Subtract the cells of nodes' children in place; where no rows are left there is nothing, rounding or not."""
    n_sums = cells.shape[-1]
    ours, theirs = cells.reshape(-1, n_sums), others.reshape(-1, n_sums)
    for cell in range(len(ours)):
        left = ours[cell, 0] > theirs[cell, 0]
        for s in range(n_sums):
            ours[cell, s] = ours[cell, s] - theirs[cell, s] if left else 0.0


class _Grower:
    """Trees under way."""

    def __init__(self, batches: Batches, growth: Growth, n_trees: int) -> None:
        self.batches, self.growth = _Numbered(batches), growth
        self.whereabouts = Whereabouts(growth.sampling)
        self.trees = single(growth.bins.missing, growth.bins.missing + 1, n_trees)
        n_sums = growth.n_classes if growth.target == "class" else 3
        self.sums, self.rows, self.gain = np.zeros((n_trees, n_sums)), np.zeros(n_trees), np.zeros(n_trees)
        self.tree_of = np.arange(n_trees)
        self.frontier = np.arange(n_trees)
        self.random = np.random.default_rng(growth.seed)
        self.kept: list[_Histograms] = []  # of the parents of the frontier

    def level(self) -> None:
        """Split the nodes of the frontier; their children are the next."""
        open_ = np.zeros(len(self.trees.feature), np.bool_)
        open_[self.frontier] = True
        level = Level(trees=self.trees, depth=self.trees.depth, open=open_)
        growth, work = self.growth, _Passes(self.batches, self.growth, level, self.whereabouts)
        keep = growth.max_features is None and len(self.trees.roots) == 1 and work.fits(len(self.frontier))
        chosen: list[tuple[NDArray[np.intp], NDArray[np.intp], Splits]] = []
        kept: list[_Histograms] = []
        for found in self._found(work):
            nodes = found.nodes
            if self.trees.depth == 0:
                totals = found.cells[:, 0].sum(axis=1)
                self.sums[nodes], self.rows[nodes] = sums_of(totals, growth.target), totals[..., 0].sum(axis=1)
            splits = best_splits(
                found.cells,
                growth.bins.categorical[found.features],
                criterion=growth.criterion,
                min_samples_leaf=growth.min_samples_leaf,
            )
            accepted = self._accepted(nodes, splits)
            features = found.features[np.arange(len(nodes)), np.maximum(splits.slot, 0)].astype(np.intp)
            chosen.append((nodes[accepted], features[accepted], _taken(splits, accepted)))
            if keep:
                kept.append(found.of(accepted))
        self.kept = kept
        self._extend(chosen)

    def _found(self, work: _Passes) -> Iterator[_Histograms]:
        """The histograms of the frontier; those of a larger child from its parent, where that is kept."""
        if not self.kept:
            yield from work.histograms(self._tasks(self.frontier))
            return
        parents = np.concatenate([part.nodes for part in self.kept])
        left, right = self.trees.left[parents].astype(np.intp), self.trees.right[parents].astype(np.intp)
        left_smaller = self.rows[left] <= self.rows[right]
        (found,) = work.histograms(self._tasks(np.where(left_smaller, left, right)))
        yield found
        larger, start = np.where(left_smaller, right, left), 0
        for part in self.kept:
            stop = start + len(part.nodes)
            _subtract(part.cells, found.cells[start:stop])
            yield _Histograms(nodes=larger[start:stop], cells=part.cells, features=part.features)
            start = stop

    def _tasks(self, nodes: NDArray[np.intp]) -> list[_Task]:
        n_features, k = len(self.growth.bins.counts), self.growth.max_features
        tasks = []
        for tree in np.unique(self.tree_of[nodes]).tolist():
            mine, features = nodes[self.tree_of[nodes] == tree], None
            if k is not None and k < n_features:
                drawn = self.random.random((len(mine), n_features)).argpartition(k - 1, axis=1)[:, :k]
                features = np.sort(drawn, axis=1).astype(np.uint32)
            tasks.append(_Task(tree=tree, nodes=mine, features=features))
        return tasks

    def _accepted(self, nodes: NDArray[np.intp], splits: Splits) -> NDArray[np.bool_]:
        growth, sums = self.growth, self.sums[nodes]
        weight = self.sums[self.trees.roots[self.tree_of[nodes]]]
        whole = weight.sum(axis=1) if growth.target == "class" else weight[:, 0]
        enough = splits.gain >= growth.min_impurity_decrease * whole - TIES * np.abs(growth.risk(sums))
        if growth.target == "gradient":  # a step is only worth a split that changes the loss
            enough &= splits.gain > TIES * np.abs(growth.risk(sums))
        return (splits.slot >= 0) & enough & ~is_pure(sums, growth.target)

    def _extend(self, chosen: list[tuple[NDArray[np.intp], NDArray[np.intp], Splits]]) -> None:
        nodes = np.concatenate([part[0] for part in chosen])
        order = np.argsort(nodes)
        nodes, features = nodes[order], np.concatenate([part[1] for part in chosen])[order]
        splits = _taken(_joined([part[2] for part in chosen]), order)
        known, n_new = len(self.rows), 2 * len(nodes)
        children = known + np.arange(n_new).reshape(-1, 2)
        gap = self.sums[nodes] - splits.left
        sums = np.stack([splits.left, gap], axis=1).reshape(n_new, self.sums.shape[1])
        rows = np.stack([splits.left_rows, self.rows[nodes] - splits.left_rows], axis=1).reshape(-1)
        self.trees = _with_children(self.trees, nodes, features, splits, children, self.growth.bins.categorical)
        self.gain[nodes] = splits.gain
        self.sums, self.rows = np.concatenate([self.sums, sums]), np.concatenate([self.rows, rows])
        self.gain = np.concatenate([self.gain, np.zeros(n_new)])
        self.tree_of = np.concatenate([self.tree_of, np.repeat(self.tree_of[nodes], 2)])
        new = np.arange(known, known + n_new)
        open_ = (rows >= 2 * self.growth.min_samples_leaf) & ~is_pure(sums, self.growth.target)
        if self.kept:
            open_ = np.repeat(open_.reshape(-1, 2).any(axis=1), 2)  # siblings go together
            wanted = np.zeros(known, np.bool_)
            wanted[nodes] = open_[::2]
            self.kept = [part.of(wanted[part.nodes]) for part in self.kept]
        self.frontier = new[open_]


def grow(batches: Batches, growth: Growth, n_trees: int = 1) -> Grown:
    """Grow trees on binned rows, all trees of a level in one pass as far as memory for histograms allows."""
    grower = _Grower(batches, growth, n_trees)
    while len(grower.frontier) and (growth.max_depth is None or grower.trees.depth < growth.max_depth):
        grower.level()
    return Grown(trees=grower.trees, sums=grower.sums, rows=grower.rows, gain=grower.gain)


def _taken(splits: Splits, chosen: NDArray[Any]) -> Splits:
    return Splits(**{name: part[chosen] for name, part in vars(splits).items()})


def _joined(parts: list[Splits]) -> Splits:
    return Splits(**{name: np.concatenate([vars(part)[name] for part in parts]) for name in vars(parts[0])})


def _with_children(
    trees: Trees,
    nodes: NDArray[np.intp],
    features: NDArray[np.intp],
    splits: Splits,
    children: NDArray[np.intp],
    categorical: NDArray[np.bool_],
) -> Trees:
    """The trees where these leaves have become questions with two leaves each."""
    new = children.reshape(-1)

    def extended(known: NDArray[Any], fill: Any, values: Any) -> NDArray[Any]:
        whole = np.concatenate([known, np.broadcast_to(np.asarray(fill, known.dtype), new.shape)])
        whole[nodes] = values
        return whole

    named = categorical[features]
    category = np.full(len(nodes), -1)
    category[named] = len(trees.sets) + np.arange(named.sum())
    return Trees(
        roots=trees.roots,
        feature=extended(trees.feature, -1, features),
        cut=extended(trees.cut, -1, splits.cut),
        missing_left=extended(trees.missing_left, False, splits.missing_left),
        category=extended(trees.category, -1, category),
        left=extended(trees.left, new, children[:, 0]),
        right=extended(trees.right, new, children[:, 1]),
        sets=np.concatenate([trees.sets, splits.sets[named]]),
        missing=trees.missing,
        depth=trees.depth + (len(nodes) > 0),
    )
