"""Growing trees level by level: one fold sums histograms of all nodes of a level, of one tree or of many.

Each pass looks at binned rows only. What a node needs to know of its rows (how many, their sums) follows from the split
of its parent, so the deepest level needs no pass.

References:
    Breiman, Friedman, Olshen, Stone, Classification and regression trees (1984).
    Panda, Herbach, Basu, Bayardo, PLANET: massively parallel learning of tree ensembles, VLDB 2009.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundswell.engines import Batches
from groundswell.estimators._criteria import is_pure, sums_of
from groundswell.estimators._growth_rules import Growth
from groundswell.estimators._level_passes import Found, Histograms, Numbered, Passes, Task
from groundswell.estimators._split_kernels import TIES
from groundswell.estimators._splits import Splits, best_splits
from groundswell.estimators._trees import Trees, single
from groundswell.estimators._whereabouts import Level, Whereabouts
from groundswell.statistics._compiled import compiled
from groundswell.statistics._matrix import Floats


@dataclass(frozen=True, kw_only=True)
class Grown:
    """Trees with what their nodes know: Σ of the target and how many rows, and the gain of their splits."""

    trees: Trees
    sums: Floats
    rows: Floats
    gain: Floats


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
        self.batches, self.growth = Numbered(batches), growth
        self.whereabouts = Whereabouts(growth.sampling)
        self.trees = single(growth.bins.missing, growth.bins.missing + 1, n_trees)
        n_sums = growth.n_classes if growth.target == "class" else 3
        self.sums, self.rows, self.gain = np.zeros((n_trees, n_sums)), np.zeros(n_trees), np.zeros(n_trees)
        self.tree_of = np.arange(n_trees)
        self.frontier = np.arange(n_trees)
        self.random = np.random.default_rng(growth.seed)
        self.kept: list[Histograms] = []  # of the parents of the frontier

    def level(self) -> None:
        """Split the nodes of the frontier; their children are the next."""
        open_ = np.zeros(len(self.trees.feature), np.bool_)
        open_[self.frontier] = True
        level = Level(trees=self.trees, depth=self.trees.depth, open=open_)
        growth, work = self.growth, Passes(self.batches, self.growth, level, self.whereabouts)
        few = self._few()
        many = self.frontier[~few]
        keep = growth.max_features is None and len(self.trees.roots) == 1 and work.fits(len(many))
        chosen, kept = list[Found](), list[Histograms]()
        for histograms in self._histograms(work, many):
            nodes, cells = histograms.nodes, histograms.cells
            if self.trees.depth == 0:
                totals = cells[:, 0].sum(axis=1)
                self.sums[nodes], self.rows[nodes] = sums_of(totals, growth.target), totals[..., 0].sum(axis=1)
            categorical = growth.bins.categorical[histograms.features]
            splits = best_splits(
                cells, categorical, criterion=growth.criterion, min_samples_leaf=growth.min_samples_leaf
            )
            accepted = self._accepted(nodes, splits)
            chosen.append(Found.of(nodes, histograms.features, splits).taken(accepted))
            if keep:
                kept.append(histograms.of(accepted))
        for found in work.splits(self._tasks(self.frontier[few]), self.rows):
            chosen.append(found.taken(self._accepted(found.nodes, found.splits)))
        self.kept = kept
        self._extend(_joined(chosen))

    def _few(self) -> NDArray[np.bool_]:
        """Which nodes of the frontier have few rows, and no part in histograms of their parents that are kept."""
        if not self.trees.depth:  # how many rows the roots have is not known yet
            return np.zeros(len(self.frontier), np.bool_)
        served = np.zeros(len(self.trees.feature), np.bool_)
        for part in self.kept:
            served[self.trees.left[part.nodes]] = served[self.trees.right[part.nodes]] = True
        return np.asarray((self.rows[self.frontier] <= self.growth.few_rows) & ~served[self.frontier])

    def _histograms(self, work: Passes, nodes: NDArray[np.intp]) -> Iterator[Histograms]:
        """The histograms of nodes; those of a larger child from its parent, where that is kept."""
        if not self.kept:
            yield from work.histograms(self._tasks(nodes))
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
            yield Histograms(nodes=larger[start:stop], cells=part.cells, features=part.features)
            start = stop

    def _tasks(self, nodes: NDArray[np.intp]) -> list[Task]:
        n_features, k = len(self.growth.bins.counts), self.growth.max_features
        tasks = []
        for tree in np.unique(self.tree_of[nodes]).tolist():
            mine, features = nodes[self.tree_of[nodes] == tree], None
            if k is not None and k < n_features:
                drawn = self.random.random((len(mine), n_features)).argpartition(k - 1, axis=1)[:, :k]
                features = np.sort(drawn, axis=1).astype(np.uint32)
            tasks.append(Task(tree=tree, nodes=mine, features=features))
        return tasks

    def _accepted(self, nodes: NDArray[np.intp], splits: Splits) -> NDArray[np.bool_]:
        growth, sums = self.growth, self.sums[nodes]
        weight = self.sums[self.trees.roots[self.tree_of[nodes]]]
        whole = weight.sum(axis=1) if growth.target == "class" else weight[:, 0]
        enough = splits.gain >= growth.min_impurity_decrease * whole - TIES * np.abs(growth.risk(sums))
        if growth.target == "gradient":  # a step is only worth a split that changes the loss
            enough &= splits.gain > TIES * np.abs(growth.risk(sums))
        return (splits.slot >= 0) & enough & ~is_pure(sums, growth.target)

    def _extend(self, found: Found) -> None:
        nodes, splits = found.nodes, found.splits
        known, n_new = len(self.rows), 2 * len(nodes)
        children = known + np.arange(n_new).reshape(-1, 2)
        gap = self.sums[nodes] - splits.left
        sums = np.stack([splits.left, gap], axis=1).reshape(n_new, self.sums.shape[1])
        rows = np.stack([splits.left_rows, self.rows[nodes] - splits.left_rows], axis=1).reshape(-1)
        self.trees = _with_children(self.trees, nodes, found.features, splits, children, self.growth.bins.categorical)
        self.gain[nodes] = splits.gain
        self.sums, self.rows = np.concatenate([self.sums, sums]), np.concatenate([self.rows, rows])
        self.gain = np.concatenate([self.gain, np.zeros(n_new)])
        self.tree_of = np.concatenate([self.tree_of, np.repeat(self.tree_of[nodes], 2)])
        new = np.arange(known, known + n_new)
        open_ = np.asarray((rows >= 2 * self.growth.min_samples_leaf) & ~is_pure(sums, self.growth.target))
        if self.kept:  # the histograms of a parent serve both children, and are worth it where one has many rows
            pairs = open_.reshape(-1, 2)
            served = np.asarray(pairs.any(axis=1) & (rows.reshape(-1, 2) > self.growth.few_rows).any(axis=1))
            open_ = (pairs | served[:, None]).reshape(-1)
            wanted = np.zeros(known, np.bool_)
            wanted[nodes] = served
            self.kept = [part.of(wanted[part.nodes]) for part in self.kept if wanted[part.nodes].any()]
        self.frontier = new[open_]


def grow(batches: Batches, growth: Growth, n_trees: int = 1) -> Grown:
    """Grow trees on binned rows, all trees of a level in one pass as far as memory for histograms allows."""
    grower = _Grower(batches, growth, n_trees)
    while len(grower.frontier) and (growth.max_depth is None or grower.trees.depth < growth.max_depth):
        grower.level()
    return Grown(trees=grower.trees, sums=grower.sums, rows=grower.rows, gain=grower.gain)


def _joined(parts: list[Found]) -> Found:
    """The splits of all parts in the order of their nodes."""
    splits = {name: np.concatenate([vars(part.splits)[name] for part in parts]) for name in vars(parts[0].splits)}
    nodes, features = (np.concatenate([getattr(part, name) for part in parts]) for name in ("nodes", "features"))
    return Found(nodes=nodes, features=features, splits=Splits(**splits)).taken(np.argsort(nodes))


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
