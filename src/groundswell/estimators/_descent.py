"""Gradient descent for linear functions: batch, stochastic and mini-batch, with the usual learning schedules."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from groundswell.engines import Batches
from groundswell.errors import FitError
from groundswell.estimators._row_blocks import RowBlock, row_blocks
from groundswell.statistics._matrix import Floats

SCHEDULES = ("constant", "invscaling", "optimal", "adaptive", "step", "exponential")


DIVERGED = 1e4
"""A mean loss so many times that of predicting nothing is no wobble of the first long steps any more."""

SHORTER_STEPS = "Put StandardScaler before it in a pipeline, lower eta0, or raise alpha with 'optimal'."


class SlopedLoss(Protocol):
    """A convex function of a predictor and a target, both of the shape (rows, functions)."""

    def value(self, eta: Floats, y: Floats) -> Floats:
        """The loss."""

    def slope(self, eta: Floats, y: Floats) -> Floats:
        """A derivative, or a subgradient, by the predictor."""


@dataclass(frozen=True)
class Hinge:
    """max(0, 1 − s η) with s = 2y − 1, y in {0, 1}: the loss of the linear support vector machine."""

    def value(self, eta: Floats, y: Floats) -> Floats:
        """max(0, 1 − s η)."""
        return np.maximum(0.0, 1 - (2 * y - 1) * eta)

    def slope(self, eta: Floats, y: Floats) -> Floats:
        """−s within the margin and on it, else 0."""
        s = 2 * y - 1
        return np.where(s * eta <= 1, -s, 0.0)


@dataclass(frozen=True)
class Huber:
    """½ r² for |r| ≤ ε, else ε |r| − ½ ε², with r = η − y.

    References:
        Huber: Robust estimation of a location parameter, Annals of Mathematical Statistics 35 (1964).
    """

    epsilon: float

    def value(self, eta: Floats, y: Floats) -> Floats:
        """The loss."""
        r = np.abs(eta - y)
        return np.where(r <= self.epsilon, 0.5 * r**2, self.epsilon * r - 0.5 * self.epsilon**2)

    def slope(self, eta: Floats, y: Floats) -> Floats:
        """r, at most ε in size."""
        return np.clip(eta - y, -self.epsilon, self.epsilon)


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

    def rate(self, t: int, epoch: int, factor: float) -> float:
        """The rate; `factor` is what "adaptive" has left of it.

        Args:
            t: the step, from 1.
            epoch: from 0.
            factor: at most 1.
        """
        if self.kind == "optimal":
            t0 = self.alpha**-0.75  # so that the first rate is the typical size of a weight, α^−¼
            return float(1 / (self.alpha * (t0 + t - 1)))
        if self.kind == "invscaling":
            return float(self.eta0 / t**self.power_t)
        if self.kind == "step":
            return float(self.eta0 * self.decay ** (epoch // self.decay_epochs))
        if self.kind == "exponential":
            return self.eta0 * math.exp(-self.decay * epoch)
        return self.eta0 * factor


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

    def run_epoch(self, batches: Batches, plan: Plan) -> float:
        """One pass over the rows; the mean loss of a row, at the time of its step or, if held out, after the pass.

        Raises:
            FitError: a value is missing or infinite, there are no rows, or the descent diverges.
        """
        total, weight, null, gradient = 0.0, 0.0, 0.0, None
        with np.errstate(over="ignore", invalid="ignore"):  # a descent that diverges is told below
            for block in _learned_from(batches, plan, self.epoch):
                for X, y, w in _steps(block, plan.batch_size):
                    eta = X @ self.W + self.b
                    total += float((w[:, None] * plan.loss.value(eta, y)).sum())
                    weight += float(w.sum())
                    if not self.epoch:
                        null += float((w[:, None] * plan.loss.value(np.zeros_like(eta), y)).sum())
                    slopes = plan.loss.slope(eta, y) * w[:, None]
                    found = np.vstack([slopes.sum(axis=0), X.T @ slopes])
                    if plan.batch_size is None:
                        gradient = found if gradient is None else gradient + found
                    else:
                        self._step(found / len(y), plan)
            if gradient is not None:
                self._step(gradient / weight, plan)
        if not weight:
            raise FitError("There are no rows to learn from.", fix="Check the filter, the file or the weights.")
        self.null_loss = null / weight if not self.epoch else self.null_loss
        self.epoch += 1
        mean = self._held_out_loss(batches, plan) if plan.held_out else total / weight
        if not (math.isfinite(mean) and np.isfinite(self.W).all()):
            raise FitError(
                f"The descent diverges: after {self.t} steps the loss is {mean:g}, and {self.null_loss:g} with W = 0.",
                why="The steps are too long for the size of the features.",
                fix=SHORTER_STEPS,
            )
        return mean

    def _step(self, gradient: Floats, plan: Plan) -> None:
        self.t += 1
        rate = plan.schedule.rate(self.t, self.epoch, self.factor)
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

    def _held_out_loss(self, batches: Batches, plan: Plan) -> float:
        W, b = self.solution
        total = weight = 0.0
        for block in row_blocks(batches, plan.shuffle_rows):
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


def _learned_from(batches: Batches, plan: Plan, epoch: int) -> Iterator[RowBlock]:
    """The blocks without the rows held out, shuffled if so planned."""
    for block in row_blocks(batches, plan.shuffle_rows):
        chosen = np.arange(len(block.y))
        if plan.held_out:
            chosen = chosen[~_held_out(block, plan)]
        if plan.shuffle and plan.batch_size is not None:
            chosen = np.random.default_rng([plan.seed, epoch, block.number]).permutation(chosen)
        yield block if len(chosen) == len(block.y) and not plan.shuffle else block.rows(chosen)


def _held_out(block: RowBlock, plan: Plan) -> NDArray[np.bool_]:
    lots = np.random.default_rng([plan.seed, block.number]).random(len(block.y))
    return np.asarray(lots < plan.held_out)


def _steps(block: RowBlock, batch_size: int | None) -> Iterator[tuple[Any, Floats, Floats]]:  # Any: a dense or sparse X
    """The rows of each step of a block; a step does not reach into the next block."""
    size = len(block.y) if batch_size is None else batch_size
    for start in range(0, len(block.y), max(size, 1)):
        chosen = slice(start, start + size)
        yield block.X[chosen], block.y[chosen], block.weights[chosen]
