"""Gradient descent for linear functions: batch, stochastic and mini-batch, with the usual learning schedules."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundswell.errors import FitError
from groundswell.estimators._descent_losses import SlopedLoss
from groundswell.estimators._descent_steps import descend
from groundswell.estimators._row_blocks import RowBlock
from groundswell.statistics._matrix import Floats

SCHEDULES = ("constant", "invscaling", "optimal", "adaptive", "step", "exponential")


DIVERGED = 1e4
"""A mean loss so many times that of predicting nothing is no wobble of the first long steps any more."""

SHORTER_STEPS = "Put StandardScaler before it in a pipeline, lower eta0, or raise alpha with 'optimal'."


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """The learning rate η of each step t = 1, 2, … in the epochs e = 0, 1, …

    "constant": η₀. "invscaling": η₀ / t^power_t. "optimal": 1 / (α (t₀ + t)). "adaptive": η₀, divided by 5 whenever
    epochs bring no gain. "step": η₀ · decay^⌊e / epochs⌋. "exponential": η₀ · exp(−decay · e).

    References:
        Bottou: Stochastic gradient descent tricks (2012), section 5 ("optimal").
    """

    kind: str
    eta0: float
    power_t: float
    alpha: float
    decay: float
    decay_epochs: int

    def rates(self, steps: range, epoch: int, factor: float) -> Floats:
        """The rate of each step; `factor` is what "adaptive" has left of it.

        Args:
            steps: from 1.
            epoch: from 0.
            factor: at most 1.
        """
        t = np.arange(steps.start, steps.stop, dtype=np.float64)
        if self.kind == "optimal":
            t0 = self.alpha**-0.75  # so that the first rate is the typical size of a weight, α^−¼
            return np.asarray(1 / (self.alpha * (t0 + t - 1)))
        if self.kind == "invscaling":
            return np.asarray(self.eta0 / t**self.power_t)
        if self.kind == "step":
            return np.full(len(t), self.eta0 * self.decay ** (epoch // self.decay_epochs))
        if self.kind == "exponential":
            return np.full(len(t), self.eta0 * math.exp(-self.decay * epoch))
        return np.full(len(t), self.eta0 * factor)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How to descend.

    Args:
        loss: of one row.
        schedule: of the learning rate.
        square, absolute: weights of ½ ‖w‖² and ‖w‖₁.
        batch_size: rows of a step; None is all.
        shuffle_rows: rows of a block that is shuffled before each epoch.
        shuffle: whether it is.
        seed: of the shuffles and of the rows held out.
        fit_intercept: whether b moves.
        average_from: the step from which iterates are averaged; None for never.
        held_out: the share of rows held out to tell when to stop; 0 tells by the loss of the rows learned from.
    """

    loss: SlopedLoss
    schedule: Schedule
    square: float
    absolute: float
    batch_size: int | None
    shuffle_rows: int
    shuffle: bool
    seed: int
    fit_intercept: bool
    average_from: int | None
    held_out: float


@dataclass
class Descent:
    """Where a descent is: W of the shape (features, functions), b of (functions,), and their means over steps.

    Args:
        W, b: where to start; they are changed.
    """

    W: Floats
    b: Floats
    mean_W: Floats = field(init=False)
    mean_b: Floats = field(init=False)
    t: int = field(init=False, default=0)
    n_averaged: int = field(init=False, default=0)
    epoch: int = field(init=False, default=0)
    factor: float = field(init=False, default=1.0)
    null_loss: float = field(init=False, default=math.inf)

    def __post_init__(self) -> None:
        self.mean_W, self.mean_b = self.W.copy(), self.b.copy()

    @property
    def solution(self) -> tuple[Floats, Floats]:
        """W and b: their means if iterates were averaged, else the last."""
        return (self.mean_W, self.mean_b) if self.n_averaged else (self.W, self.b)

    def run_epoch(self, blocks: Iterable[RowBlock], plan: Plan) -> float:
        """One pass over the rows; the mean loss of a row, at the time of its step or, if held out, after the pass.

        Raises:
            FitError: a value is missing or infinite, there are no rows, or the descent diverges.
        """
        total, weight, null, gradient = 0.0, 0.0, 0.0, np.zeros((len(self.W) + 1, len(self.b)))
        with np.errstate(over="ignore", invalid="ignore"):  # a descent that diverges is told below
            for block in blocks:
                chosen = _chosen(block, plan, self.epoch)
                weight += float(block.weights[chosen].sum())
                if not self.epoch:
                    rows = block.weights[chosen, None]
                    null += float((rows * plan.loss.value(np.zeros((len(chosen), len(self.b))), block.y[chosen])).sum())
                if plan.batch_size is None:
                    total += self._add_slopes(block.rows(chosen) if plan.held_out else block, plan, gradient)
                else:
                    total += self._steps(block, chosen, plan.batch_size, plan)
            if plan.batch_size is None and weight:
                self._step(gradient / weight, plan)
        if not weight:
            raise FitError("There are no rows to learn from.", fix="Check the filter, the file or the weights.")
        self.null_loss = null / weight if not self.epoch else self.null_loss
        self.epoch += 1
        mean = self._held_out_loss(blocks, plan) if plan.held_out else total / weight
        if not (math.isfinite(mean) and np.isfinite(self.W).all()):
            raise FitError(
                f"The descent diverges: after {self.t} steps the loss is {mean:g}, and {self.null_loss:g} with W = 0.",
                why="The steps are too long for the size of the features.",
                fix=SHORTER_STEPS,
            )
        return mean

    def _add_slopes(self, block: RowBlock, plan: Plan, gradient: Floats) -> float:
        """Add to the gradient of all rows; Σ w ℓ of these."""
        eta, w = block.X @ self.W + self.b, block.weights[:, None]
        slopes = plan.loss.slope(eta, block.y) * w
        gradient[0] += slopes.sum(axis=0)
        gradient[1:] += block.X.T @ slopes
        return float((w * plan.loss.value(eta, block.y)).sum())

    def _step(self, gradient: Floats, plan: Plan) -> None:
        """One step along the gradient of all rows."""
        self.t += 1
        rate = float(plan.schedule.rates(range(self.t, self.t + 1), self.epoch, self.factor)[0])
        self.W *= max(0.0, 1 - rate * plan.square)
        self.W -= rate * gradient[1:]
        if plan.absolute:
            self.W = np.sign(self.W) * np.maximum(np.abs(self.W) - rate * plan.absolute, 0.0)
        if plan.fit_intercept:
            self.b = self.b - rate * gradient[0]
        if plan.average_from is not None and self.t >= plan.average_from:
            self.n_averaged += 1
            self.mean_W += (self.W - self.mean_W) / self.n_averaged
            self.mean_b = self.mean_b + (self.b - self.mean_b) / self.n_averaged

    def _steps(self, block: RowBlock, chosen: NDArray[np.int64], size: int, plan: Plan) -> float:
        """The steps of a block; Σ w ℓ of its rows. A step does not reach into the next block."""
        steps = range(self.t + 1, self.t + 1 + math.ceil(len(chosen) / size))
        rates = plan.schedule.rates(steps, self.epoch, self.factor)
        first = len(steps) if plan.average_from is None else max(plan.average_from - steps.start, 0)
        rule = plan.loss, size, plan.square, plan.absolute, plan.fit_intercept
        own = (np.ascontiguousarray(self.W.T), self.b, np.ascontiguousarray(self.mean_W.T), self.mean_b)
        total = descend(block, chosen, rates, rule, own, (first, self.n_averaged))
        self.W, self.mean_W = own[0].T.copy(), own[2].T.copy()
        self.t += len(steps)
        self.n_averaged += max(len(steps) - first, 0)
        return total

    def _held_out_loss(self, blocks: Iterable[RowBlock], plan: Plan) -> float:
        W, b = self.solution
        total = weight = 0.0
        for block in blocks:
            rows = block.rows(_held_out(block, plan))
            total += float((rows.weights[:, None] * plan.loss.value(rows.X @ W + b, rows.y)).sum())
            weight += float(rows.weights.sum())
        if not weight:
            raise FitError(
                f"No row is held out with validation_fraction={plan.held_out:g}.",
                why="Rows are held out by chance, and there are few.",
                fix="Raise validation_fraction, or set early_stopping=False.",
            )
        return total / weight

    def state(self) -> dict[str, Any]:  # Any: arrays and numbers
        """Everything, as plain values that can be stored."""
        return dict(vars(self))

    @classmethod
    def resumed(cls, state: dict[str, Any]) -> "Descent":  # Any: as above
        """The descent that had this state."""
        copied = {name: value.copy() if isinstance(value, np.ndarray) else value for name, value in state.items()}
        descent = cls(copied["W"], copied["b"])
        vars(descent).update(copied)
        return descent


def _chosen(block: RowBlock, plan: Plan, epoch: int) -> NDArray[np.int64]:
    """The rows of a block in the order of the steps: without those held out, shuffled if so planned."""
    chosen = np.flatnonzero(~_held_out(block, plan)) if plan.held_out else np.arange(len(block.y))
    if plan.shuffle and plan.batch_size is not None:
        chosen = np.random.default_rng([plan.seed, epoch, block.number]).permutation(chosen)
    return chosen


def _held_out(block: RowBlock, plan: Plan) -> NDArray[np.bool_]:
    lots = np.random.default_rng([plan.seed, block.number]).random(len(block.y))
    return np.asarray(lots < plan.held_out)
