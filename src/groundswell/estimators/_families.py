"""Families of generalized linear models: what the variance of a target is to its mean, and the links between a mean
and a linear predictor.

References:
    McCullagh, Nelder: Generalized linear models, 2nd edition (1989), table 2.1.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, gammaln, logit, xlogy

from groundswell.statistics._matrix import Floats


class Link(Protocol):
    """A monotone function of the mean μ, η = g(μ). Arguments and results have the shape (rows,)."""

    def of(self, mean: Floats) -> Floats:
        """η = g(μ)."""

    def mean(self, eta: Floats) -> Floats:
        """μ = g⁻¹(η)."""

    def slope(self, eta: Floats) -> Floats:
        """dμ/dη."""


class Identity:
    """η = μ."""

    def of(self, mean: Floats) -> Floats:
        """μ."""
        return mean

    def mean(self, eta: Floats) -> Floats:
        """η."""
        return eta

    def slope(self, eta: Floats) -> Floats:
        """1."""
        return np.ones_like(eta)


class Log:
    """η = log μ."""

    def of(self, mean: Floats) -> Floats:
        """log μ."""
        return np.asarray(np.log(mean))

    def mean(self, eta: Floats) -> Floats:
        """e^η."""
        return np.asarray(np.exp(eta))

    def slope(self, eta: Floats) -> Floats:
        """e^η."""
        return np.asarray(np.exp(eta))


class Logit:
    """η = log(μ / (1 − μ))."""

    def of(self, mean: Floats) -> Floats:
        """log(μ / (1 − μ))."""
        return np.asarray(logit(mean))

    def mean(self, eta: Floats) -> Floats:
        """1 / (1 + e^−η)."""
        return np.asarray(expit(eta))

    def slope(self, eta: Floats) -> Floats:
        """μ (1 − μ)."""
        return np.asarray(expit(eta) * expit(-eta))


class Inverse:
    """η = 1 / μ."""

    def of(self, mean: Floats) -> Floats:
        """1 / μ."""
        return np.asarray(1 / mean)

    def mean(self, eta: Floats) -> Floats:
        """1 / η."""
        return np.asarray(1 / eta)

    def slope(self, eta: Floats) -> Floats:
        """−1 / η²."""
        return np.asarray(-1 / eta**2)


CANONICAL: Mapping[tuple[str, str], float] = MappingProxyType(
    {("gaussian", "identity"): 1.0, ("binomial", "logit"): 1.0, ("poisson", "log"): 1.0, ("gamma", "inverse"): -1.0}
)
"""dμ/dη over V(μ) of families with their canonical links: so where both round to zero, too."""


class Family(Protocol):
    """A distribution of the target around its mean. Arguments and results have the shape (rows,)."""

    @property
    def link(self) -> str:
        """The canonical link, or the one that is used most."""

    @property
    def dispersed(self) -> bool:
        """Whether the dispersion φ is estimated; otherwise it is 1."""

    @property
    def rule(self) -> str:
        """Which targets it has, for messages."""

    def holds(self, y: Floats) -> NDArray[np.bool_]:
        """Which targets it can have."""

    def inside(self, mean: Floats) -> NDArray[np.bool_]:
        """Which means it can have."""

    def variance(self, mean: Floats) -> Floats:
        """V(μ), the variance over φ."""

    def deviance(self, y: Floats, mean: Floats) -> Floats:
        """Twice the log-likelihood that is lost against μ = y, times φ."""

    def log_likelihood(self, y: Floats, mean: Floats, dispersion: float) -> Floats:
        """log p(y | μ, φ)."""


@dataclass(frozen=True)
class Gaussian:
    """V = 1."""

    link: str = "identity"
    dispersed: bool = True
    rule: str = "is finite"

    def holds(self, y: Floats) -> NDArray[np.bool_]:
        """Finite ones."""
        return np.isfinite(y)

    def inside(self, mean: Floats) -> NDArray[np.bool_]:
        """Finite ones."""
        return np.isfinite(mean)

    def variance(self, mean: Floats) -> Floats:
        """1."""
        return np.ones_like(mean)

    def deviance(self, y: Floats, mean: Floats) -> Floats:
        """(y − μ)²."""
        return np.asarray((y - mean) ** 2)

    def log_likelihood(self, y: Floats, mean: Floats, dispersion: float) -> Floats:
        """−½ (log 2πφ + (y − μ)² / φ)."""
        return np.asarray(-0.5 * (np.log(2 * np.pi * dispersion) + (y - mean) ** 2 / dispersion))


@dataclass(frozen=True)
class Binomial:
    """V = μ (1 − μ), y in [0, 1]: outcomes, or shares of successes with the number of trials as weight."""

    link: str = "logit"
    dispersed: bool = False
    rule: str = "lies between 0 and 1"

    def holds(self, y: Floats) -> NDArray[np.bool_]:
        """From 0 to 1."""
        return np.asarray((y >= 0) & (y <= 1))

    def inside(self, mean: Floats) -> NDArray[np.bool_]:
        """From 0 to 1."""
        return np.asarray((mean >= 0) & (mean <= 1))

    def variance(self, mean: Floats) -> Floats:
        """μ (1 − μ)."""
        return np.asarray(mean * (1 - mean))

    def deviance(self, y: Floats, mean: Floats) -> Floats:
        """2 (y log(y/μ) + (1 − y) log((1 − y)/(1 − μ)))."""
        full = xlogy(y, y) + xlogy(1 - y, 1 - y)
        return np.asarray(2 * (full - xlogy(y, mean) - xlogy(1 - y, 1 - mean)))

    def log_likelihood(self, y: Floats, mean: Floats, dispersion: float) -> Floats:
        """y log μ + (1 − y) log(1 − μ), for single outcomes."""
        return np.asarray(xlogy(y, mean) + xlogy(1 - y, 1 - mean))


@dataclass(frozen=True)
class Poisson:
    """V = μ: counts."""

    link: str = "log"
    dispersed: bool = False
    rule: str = "is zero or more"

    def holds(self, y: Floats) -> NDArray[np.bool_]:
        """Zero or more."""
        return np.asarray((y >= 0) & np.isfinite(y))

    def inside(self, mean: Floats) -> NDArray[np.bool_]:
        """Above zero."""
        return np.asarray((mean > 0) & np.isfinite(mean))

    def variance(self, mean: Floats) -> Floats:
        """μ."""
        return mean

    def deviance(self, y: Floats, mean: Floats) -> Floats:
        """2 (y log(y/μ) − y + μ)."""
        return np.asarray(2 * (xlogy(y, y / mean) - y + mean))

    def log_likelihood(self, y: Floats, mean: Floats, dispersion: float) -> Floats:
        """y log μ − μ − log y!."""
        return np.asarray(xlogy(y, mean) - mean - gammaln(y + 1))


@dataclass(frozen=True)
class Gamma:
    """V = μ²: positive targets whose deviation grows with their mean."""

    link: str = "log"
    dispersed: bool = True
    rule: str = "is positive"

    def holds(self, y: Floats) -> NDArray[np.bool_]:
        """Above zero."""
        return np.asarray((y > 0) & np.isfinite(y))

    def inside(self, mean: Floats) -> NDArray[np.bool_]:
        """Above zero."""
        return np.asarray((mean > 0) & np.isfinite(mean))

    def variance(self, mean: Floats) -> Floats:
        """μ²."""
        return np.asarray(mean**2)

    def deviance(self, y: Floats, mean: Floats) -> Floats:
        """2 ((y − μ)/μ − log(y/μ))."""
        return np.asarray(2 * ((y - mean) / mean - np.log(y / mean)))

    def log_likelihood(self, y: Floats, mean: Floats, dispersion: float) -> Floats:
        """(log(y/μφ) − y/μ) / φ + … of the gamma distribution of shape 1/φ."""
        shape = 1 / dispersion
        return np.asarray(shape * np.log(shape * y / mean) - shape * y / mean - np.log(y) - gammaln(shape))


FAMILIES: Mapping[str, Family] = MappingProxyType(
    {"gaussian": Gaussian(), "binomial": Binomial(), "poisson": Poisson(), "gamma": Gamma()}
)
"""The families by name."""

LINKS: Mapping[str, Link] = MappingProxyType(
    {"identity": Identity(), "log": Log(), "logit": Logit(), "inverse": Inverse()}
)
"""The links by name."""
