"""What a split should reduce: risks of groups of rows, from sums that `SplitHistograms` gives.

A risk is Σ w times an impurity, so that the risks of two children add up; sums lie along the last axis.
"""

import functools
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from groundswell.errors import FitError, choices
from groundswell.statistics import entropy, gini
from groundswell.statistics._matrix import Floats

Target: TypeAlias = Literal["number", "class", "gradient"]
Risk: TypeAlias = Callable[[Floats], Floats]


def gini_risk(sums: Floats) -> Floats:
    """Σ w (1 − Σ p²), of weights by class."""
    weight = total(sums)
    risk: Floats = weight - _ratio(total(np.square(sums)), weight)
    return risk


def entropy_risk(sums: Floats) -> Floats:
    """Σ w (−Σ p log₂ p), of weights by class."""
    risk: Floats = total(sums) * entropy(sums)
    return risk


def squared_error_risk(sums: Floats) -> Floats:
    """Σ w (y − mean)², of Σ w, Σ w y and Σ w y²."""
    return np.maximum(sums[..., 2] - _ratio(np.square(sums[..., 1]), sums[..., 0]), 0.0)


def newton_risk(sums: Floats) -> Floats:
    """−G²/H, of Σ w, G and H: twice what the loss changes by one Newton step, to the second order."""
    return -_ratio(np.square(sums[..., 1]), sums[..., 2])


CRITERIA: Mapping[str, tuple[Target, Risk]] = MappingProxyType(
    {
        "gini": ("class", gini_risk),
        "entropy": ("class", entropy_risk),
        "squared_error": ("number", squared_error_risk),
        "newton": ("gradient", newton_risk),
    }
)
"""What there is to reduce, and of what; `best_splits` numbers them in this order."""


def criterion_named(name: str, target: Target) -> Risk:
    """The risk of that name.

    Raises:
        FitError: there is none of that name for such a target.
    """
    found = CRITERIA.get(name)
    if found is None or found[0] != target:
        known = [other for other, (kind, _) in CRITERIA.items() if kind == target]
        raise FitError(
            f"There is no criterion {name!r} for this estimator.",
            fix=choices(str(name), known, "criteria"),
            criterion=name,
            known=known,
        )
    return found[1]


def impurity(name: str, sums: Floats) -> Floats:
    """The impurity of groups of rows by the criterion of that name."""
    target, risk = CRITERIA[name]
    if target == "class":
        return gini(sums) if name == "gini" else entropy(sums)
    return _ratio(risk(sums), sums[..., 0])


def is_pure(sums: Floats, target: Target) -> NDArray[np.bool_]:
    """Whether groups of rows have one target each, to rounding, shape without the last axis. Gradients never do."""
    if target == "class":
        return np.asarray(sums.max(axis=-1) >= sums.sum(axis=-1))
    if target == "number":
        return np.asarray(squared_error_risk(sums) <= 1e-13 * np.abs(sums[..., 2]))
    return np.zeros(sums.shape[:-1], np.bool_)


def sums_of(cells: Floats, target: Target) -> Floats:
    """What risks are of, in the last axis, from cells of `SplitHistograms`, whose last axes are classes and sums."""
    return cells[..., 1] if target == "class" else cells[..., 0, 1:]


def total(sums: Floats) -> Floats:
    """The sums over the last axis, class by class: along an axis of two numpy takes five times as long."""
    return functools.reduce(np.add, np.moveaxis(sums, -1, 0))


def _ratio(above: Floats, below: Floats) -> Floats:
    ratio = np.zeros_like(above)
    np.divide(above, below, out=ratio, where=below > 0)
    return ratio
