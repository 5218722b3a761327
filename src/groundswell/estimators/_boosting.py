"""Boosting on binned rows: each round grows a tree on the gradient of the loss at the scores so far.

The scores of all rows are kept, eight bytes for each row and output; everything else is read in passes. Scores of a
part are brought up to date when a pass first meets it, so a round costs one pass for each level of its trees.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from groundswell.engines import Batches, fold
from groundswell.estimators._growth import grow
from groundswell.estimators._growth_rules import Growth
from groundswell.estimators._tree_model import importances_of
from groundswell.estimators._trees import Trees, joined
from groundswell.statistics import Batch, uniform
from groundswell.statistics._matrix import Floats


class BoostingLoss(Protocol):
    """What boosting reduces."""

    @property
    def n_outputs(self) -> int:
        """How many scores a row has."""

    @property
    def level(self) -> float | None:
        """The level of |residual| that each round needs to know; None needs none."""

    def start(self, shares: Floats, median: float) -> Floats:
        """The scores that all rows begin with, shape (outputs,)."""

    def gradient(self, scores: Floats, y: Floats, output: int, delta: float) -> tuple[Floats, Floats]:
        """First and second derivative of the loss by one score, each of shape (rows,)."""


@runtime_checkable
class RobustLoss(BoostingLoss, Protocol):
    """One whose leaves are set from the residuals themselves in place of a Newton step."""

    def leaf(self, residuals: Floats, weights: Floats, delta: float) -> float:
        """The best step for the rows of a leaf."""


@dataclass(frozen=True)
class Subsample:
    """Whether a row takes part in a round, by the hash of the row and the number of the round."""

    share: float
    seed: int

    def __call__(self, batch: Batch, tree: int) -> NDArray[np.uint8]:
        """1 for the rows that do, else 0."""
        return (uniform(np.asarray(batch.column("hash")), self.seed + tree) < self.share).astype(np.uint8)


class _Scored:
    """Binned rows whose target is the gradient of one output at the scores so far."""

    def __init__(self, rows: Batches, loss: BoostingLoss, start: Floats) -> None:
        self._rows, self._loss, self._start = rows, loss, start
        self._scores: dict[int, tuple[int, Floats]] = {}
        self.steps: list[list[tuple[Trees, Floats]]] = []
        self.output, self.delta, self.residuals = 0, np.inf, False

    @property
    def rows(self) -> int | None:
        """How many rows there are, if that is known."""
        return self._rows.rows

    def parts(self) -> Iterator[Any]:
        """One maker for each part; the target is the gradient, or for one pass the residual."""
        for number, make in enumerate(self._rows.parts()):
            yield partial(self._part, number, make)

    def _part(self, number: int, make: Any) -> Batch:  # Any: the maker of a batch
        batch: Batch = make()
        scores, y = self._updated(number, batch), batch.target[:, 0]
        if self.residuals:
            target = y - scores[:, 0]
        else:
            target = np.column_stack(self._loss.gradient(scores, y, self.output, self.delta))
        return Batch(X=batch.X, y=target, weights=batch.weights, columns=batch.columns)

    def _updated(self, number: int, batch: Batch) -> Floats:
        done, scores = self._scores.get(number, (0, None))
        if scores is None:
            scores = np.tile(self._start, (len(batch), 1))
        for step in self.steps[done:]:
            for output, (trees, values) in enumerate(step):
                scores[:, output] += values[trees.leaves(batch.matrix)]
        self._scores[number] = (len(self.steps), scores)
        return scores


class _Residuals:
    """The residual, the weight and the leaf of every row."""

    def __init__(self, trees: Trees | None) -> None:
        self.trees = trees
        self.found: list[tuple[Floats, Floats, NDArray[np.int32]]] = []

    def zero(self) -> "_Residuals":
        """The same tree, no rows."""
        return _Residuals(self.trees)

    def update(self, batch: Batch) -> None:
        """Take in the rows."""
        weights = np.ones(len(batch)) if batch.weights is None else batch.weights
        leaves = np.zeros(len(batch), np.int32) if self.trees is None else self.trees.leaves(batch.matrix)
        self.found.append((batch.target[:, 0], weights, leaves))

    def merge(self, other: "_Residuals") -> None:
        """Take in the other's rows."""
        self.found.extend(other.found)

    def result(self) -> tuple[Floats, Floats, NDArray[np.int32]]:
        """All rows."""
        residuals, weights, leaves = (np.concatenate(parts) for parts in zip(*self.found, strict=True))
        return residuals, weights, leaves


@dataclass(frozen=True, kw_only=True)
class Boosted:
    """The trees of all rounds, one for each output in turn, what each node adds to its score, and the first scores."""

    trees: Trees
    values: Floats
    start: Floats
    importances: Floats


def boost(
    rows: Batches,
    loss: BoostingLoss,
    shares: Floats,
    growth: Growth,
    *,
    n_rounds: int,
    learning_rate: float,
    subsample: float,
) -> Boosted:
    """Grow the trees of all rounds.

    Args:
        rows: binned, with the target as numbers or positions of classes.
        loss: what to reduce.
        shares: of the classes, or the mean of the target alone.
        growth: of a tree.
        n_rounds: how many.
        learning_rate: how much of each step is taken.
        subsample: the share of the rows that a round sees.

    References:
        Friedman, Greedy function approximation: a gradient boosting machine, Annals of Statistics 29 (2001).
        Friedman, Stochastic gradient boosting, Computational Statistics and Data Analysis 38 (2002).
    """
    median = 0.0
    if isinstance(loss, RobustLoss):
        median = weighted_quantile(*_residuals(_Scored(rows, loss, np.zeros(1)), None)[:2], 0.5)
    scored = _Scored(rows, loss, loss.start(shares, median))
    importances = np.zeros(len(growth.bins.counts))
    for number in range(n_rounds):
        if loss.level is not None:
            residuals, weights, _ = _residuals(scored, None)
            scored.delta = weighted_quantile(np.abs(residuals), weights, loss.level)
        sampling = None if subsample >= 1 else Subsample(subsample, growth.seed + number)
        step = []
        for output in range(loss.n_outputs):
            scored.output = output
            this = Growth(**{**vars(growth), "sampling": sampling})
            grown = grow(scored, this)
            if isinstance(loss, RobustLoss):
                values = _robust_steps(loss, scored, grown.trees)
            else:
                values = _newton_steps(grown.sums)
            step.append((grown.trees, learning_rate * values))
            importances += importances_of(grown, len(importances))
        scored.steps.append(step)
    flat = [pair for step in scored.steps for pair in step]
    return Boosted(
        trees=joined([trees for trees, _ in flat]), values=np.concatenate([values for _, values in flat]),
        start=loss.start(shares, median), importances=importances,
    )  # fmt: skip


def growth_of(**settings: Any) -> Growth:
    """How the trees of a round grow: by Newton steps on gradients."""
    return Growth(criterion="newton", **settings)


def _newton_steps(sums: Floats) -> Floats:
    steps = np.zeros(len(sums))
    np.divide(-sums[:, 1], sums[:, 2], out=steps, where=sums[:, 2] > 1e-12)
    return steps


def _robust_steps(loss: RobustLoss, scored: _Scored, trees: Trees) -> Floats:
    residuals, weights, leaves = _residuals(scored, trees)
    order = np.argsort(leaves, kind="stable")
    bounds = np.searchsorted(leaves[order], np.arange(len(trees.feature) + 1))
    values = np.zeros(len(trees.feature))
    for leaf in np.unique(leaves).tolist():
        here = order[bounds[leaf] : bounds[leaf + 1]]
        values[leaf] = loss.leaf(residuals[here], weights[here], scored.delta)
    return values


def _residuals(scored: _Scored, trees: Trees | None) -> tuple[Floats, Floats, NDArray[np.int32]]:
    scored.residuals = True
    found = fold(scored, _Residuals(trees)).result()
    scored.residuals = False
    return found


def weighted_quantile(values: Floats, weights: Floats, level: float) -> float:
    """The value at which the cumulative weight passes a share of it all; the mean of both neighbours at a tie.

    >>> weighted_quantile(np.array([4.0, 1.0, 2.0, 3.0]), np.ones(4), 0.5)
    2.5
    """
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order])
    wanted = level * reached[-1]
    low, high = np.searchsorted(reached, wanted, side="left"), np.searchsorted(reached, wanted, side="right")
    return float((values[order][low] + values[order][min(high, len(order) - 1)]) / 2)
