"""Losses of a linear function that gradient descent follows: those of statistics, and two that have no curvature."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from groundswell.statistics._matrix import Floats


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
