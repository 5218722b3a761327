"""The losses of boosting: squared, absolute, Huber, and log loss for two classes and for more.

References:
    Friedman, Greedy function approximation: a gradient boosting machine, Annals of Statistics 29 (2001), section 4.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, softmax

from groundswell.estimators._boosting import weighted_quantile
from groundswell.statistics._matrix import Floats


@dataclass(frozen=True)
class SquaredError:
    """½ r²."""

    n_outputs: int = 1
    level: float | None = None

    def start(self, shares: Floats, median: float) -> Floats:
        """The mean."""
        return shares.copy()

    def gradient(self, scores: Floats, y: Floats, output: int, delta: float) -> tuple[Floats, Floats]:
        """f − y and 1."""
        return scores[:, 0] - y, np.ones(len(y))


@dataclass(frozen=True)
class AbsoluteError:
    """|r|."""

    n_outputs: int = 1
    level: float | None = None

    def start(self, shares: Floats, median: float) -> Floats:
        """The median."""
        return np.array([median])

    def gradient(self, scores: Floats, y: Floats, output: int, delta: float) -> tuple[Floats, Floats]:
        """The sign of f − y, and 1 in place of the second derivative, which is zero."""
        return np.sign(scores[:, 0] - y), np.ones(len(y))

    def leaf(self, residuals: Floats, weights: Floats, delta: float) -> float:
        """The median."""
        return weighted_quantile(residuals, weights, 0.5)


@dataclass(frozen=True)
class Huber:
    """½ r² for |r| ≤ δ, else δ (|r| − ½ δ), with δ in each round the `level` quantile of |r|."""

    level: float | None = 0.9
    n_outputs: int = 1

    def start(self, shares: Floats, median: float) -> Floats:
        """The median."""
        return np.array([median])

    def gradient(self, scores: Floats, y: Floats, output: int, delta: float) -> tuple[Floats, Floats]:
        """f − y cut to [−δ, δ], and 1."""
        return np.clip(scores[:, 0] - y, -delta, delta), np.ones(len(y))

    def leaf(self, residuals: Floats, weights: Floats, delta: float) -> float:
        """The median and one step from it: the mean of what is left, cut to [−δ, δ]."""
        median = weighted_quantile(residuals, weights, 0.5)
        return median + float(np.average(np.clip(residuals - median, -delta, delta), weights=weights))


@dataclass(frozen=True)
class LogLoss:
    """−log p of the class of each row; one score for two classes, else one for each."""

    n_outputs: int
    level: float | None = None

    def start(self, shares: Floats, median: float) -> Floats:
        """The logarithms of the shares; for two classes of their odds."""
        return np.log(shares[1:] / shares[:1]) if self.n_outputs == 1 else np.log(shares)

    def gradient(self, scores: Floats, y: Floats, output: int, delta: float) -> tuple[Floats, Floats]:
        """p − [y is the class] and p (1 − p)."""
        p = self.probabilities(scores)[:, 1 if self.n_outputs == 1 else output]
        is_class = y == (1 if self.n_outputs == 1 else output)
        return p - is_class, p * (1 - p)

    def probabilities(self, scores: Floats) -> Floats:
        """Of the classes, shape (rows, classes)."""
        if self.n_outputs == 1:
            p: Floats = expit(scores[:, 0])
            return np.column_stack([1 - p, p])
        shares: Floats = softmax(scores, axis=1)
        return shares
