"""Losses of linear predictors: what `GradientSums` sums. Each is a value and two derivatives by the predictor.

A loss is a function of the predictor η = b + xᵀβ and the target, in the natural parametrization: identity, logit,
softmax and log links. Constants that do not depend on η are left out.

References:
    McCullagh, Nelder: Generalized linear models, 2nd edition (1989), chapter 2.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

import numpy as np

from groundswell.errors import DataError, NotFoundError, choices
from groundswell.statistics._matrix import Floats

__all__ = ["LOSSES", "Loss", "Softmax", "loss_named"]


class Loss(Protocol):
    """A convex function of one predictor per row. Predictors, targets and results have the shape (rows,)."""

    def value(self, eta: Floats, y: Floats) -> Floats:
        """The loss of each row."""

    def slope(self, eta: Floats, y: Floats) -> Floats:
        """Its derivative by η."""

    def curvature(self, eta: Floats, y: Floats) -> Floats:
        """Its second derivative by η, not negative."""

    def check(self, y: Floats) -> None:
        """Refuse targets for which the loss is not defined.

        Raises:
            DataError: there is one.
        """


@dataclass(frozen=True)
class Squared:
    """½ (y − η)²: Gaussian targets."""

    def value(self, eta: Floats, y: Floats) -> Floats:
        """½ (y − η)²."""
        return 0.5 * (y - eta) ** 2

    def slope(self, eta: Floats, y: Floats) -> Floats:
        """η − y."""
        return eta - y

    def curvature(self, eta: Floats, y: Floats) -> Floats:
        """1."""
        return np.ones_like(eta)

    def check(self, y: Floats) -> None:
        """Every number will do."""


@dataclass(frozen=True)
class Logistic:
    """log(1 + e^η) − y η, y in {0, 1}: the log loss of p = 1 / (1 + e^−η), also called cross-entropy."""

    def value(self, eta: Floats, y: Floats) -> Floats:
        """log(1 + e^η) − y η, without overflow: for η > 0 as η + log(1 + e^−η)."""
        return np.log1p(np.exp(-np.abs(eta))) + np.maximum(eta, 0.0) - y * eta

    def slope(self, eta: Floats, y: Floats) -> Floats:
        """p − y."""
        return _sigmoid(eta) - y

    def curvature(self, eta: Floats, y: Floats) -> Floats:
        """p (1 − p)."""
        p = _sigmoid(eta)
        return p * (1 - p)

    def check(self, y: Floats) -> None:
        """Targets are 0 or 1; probabilities between are taken as shares of ones."""
        _require(y, (y >= 0) & (y <= 1), "logistic", "lies between 0 and 1", "Encode the two classes as 0 and 1.")


@dataclass(frozen=True)
class SquaredHinge:
    """max(0, 1 − s η)² with s = 2y − 1, y in {0, 1}: the loss of the linear support vector machine L2-SVM."""

    def value(self, eta: Floats, y: Floats) -> Floats:
        """max(0, 1 − s η)²."""
        return np.maximum(0.0, 1 - (2 * y - 1) * eta) ** 2

    def slope(self, eta: Floats, y: Floats) -> Floats:
        """−2 s max(0, 1 − s η)."""
        s = 2 * y - 1
        return -2 * s * np.maximum(0.0, 1 - s * eta)

    def curvature(self, eta: Floats, y: Floats) -> Floats:
        """2 within the margin, else 0: the generalized second derivative."""
        curvature: Floats = np.where((2 * y - 1) * eta < 1, 2.0, 0.0)
        return curvature

    def check(self, y: Floats) -> None:
        """Targets are 0 or 1."""
        _require(y, (y == 0) | (y == 1), "squared hinge", "is 0 or 1", "Encode the two classes as 0 and 1.")


@dataclass(frozen=True)
class Poisson:
    """e^η − y η: counts, with the log link."""

    def value(self, eta: Floats, y: Floats) -> Floats:
        """e^η − y η."""
        return np.exp(eta) - y * eta

    def slope(self, eta: Floats, y: Floats) -> Floats:
        """e^η − y."""
        return np.exp(eta) - y

    def curvature(self, eta: Floats, y: Floats) -> Floats:
        """e^η."""
        return np.exp(eta)

    def check(self, y: Floats) -> None:
        """Targets are not negative."""
        _require(y, y >= 0, "Poisson", "is zero or more", "Model another target, or use the squared loss.")


@dataclass(frozen=True)
class Gamma:
    """η + y e^−η: positive, skewed targets, with the log link."""

    def value(self, eta: Floats, y: Floats) -> Floats:
        """η + y e^−η."""
        return eta + y * np.exp(-eta)

    def slope(self, eta: Floats, y: Floats) -> Floats:
        """1 − y e^−η."""
        return 1 - y * np.exp(-eta)

    def curvature(self, eta: Floats, y: Floats) -> Floats:
        """y e^−η: the observed information, for the log link is not the canonical one."""
        return y * np.exp(-eta)

    def check(self, y: Floats) -> None:
        """Targets are positive."""
        _require(y, y > 0, "gamma", "is positive", "Shift the target, or use the squared or Poisson loss.")


@dataclass(frozen=True)
class Softmax:
    """log Σ_k e^{η_k} − η_y, y in {0 … K − 1}: the cross-entropy of K classes. Predictors have the shape (rows, K)."""

    def value(self, eta: Floats, y: Floats) -> Floats:
        """The loss of each row, shape (rows,)."""
        top = eta.max(axis=1)
        normalizer = top + np.log(np.exp(eta - top[:, None]).sum(axis=1))
        loss: Floats = normalizer - eta[np.arange(len(eta)), y.astype(np.intp)]
        return loss

    def probabilities(self, eta: Floats) -> Floats:
        """e^{η_k} / Σ e^{η_j}, shape (rows, K).

        >>> Softmax().probabilities(np.array([[0.0, np.log(3.0)]]))
        array([[0.25, 0.75]])
        """
        powers: Floats = np.exp(eta - eta.max(axis=1, keepdims=True))
        powers /= powers.sum(axis=1, keepdims=True)
        return powers

    def check(self, y: Floats, n_classes: int) -> None:
        """Targets are whole numbers below the number of classes.

        Raises:
            DataError: one is not.
        """
        valid = (y >= 0) & (y < n_classes) & (y == np.floor(y))
        _require(y, valid, "softmax", f"is one of 0 … {n_classes - 1}", "Encode the classes as 0, 1, 2, …")


LOSSES: Mapping[str, Loss] = MappingProxyType(
    {
        "squared": Squared(),
        "logistic": Logistic(),
        "squared_hinge": SquaredHinge(),
        "poisson": Poisson(),
        "gamma": Gamma(),
    }
)
"""The losses of one predictor by name."""


def loss_named(name: str) -> Loss | Softmax:
    """The loss of that name.

    Raises:
        NotFoundError: there is none.
    """
    if name == "softmax":
        return Softmax()
    if name not in LOSSES:
        raise NotFoundError(f"There is no loss {name!r}.", fix=choices(name, [*LOSSES, "softmax"], "losses"), name=name)
    return LOSSES[name]


def _sigmoid(eta: Floats) -> Floats:
    """1 / (1 + e^−η), without overflow: for η < 0 as e^η / (1 + e^η)."""
    e = np.exp(-np.abs(eta))
    sigmoid: Floats = np.where(eta >= 0, 1.0, e) / (1 + e)
    return sigmoid


def _require(y: Floats, valid: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], loss: str, rule: str, fix: str) -> None:
    if not valid.all():
        wrong = float(y[~valid][0])
        raise DataError(
            f"The target {wrong:g} has no {loss} loss.",
            why=f"A target of the {loss} loss {rule}.",
            fix=fix,
            value=wrong,
            loss=loss,
        )
