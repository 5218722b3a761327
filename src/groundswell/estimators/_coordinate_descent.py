"""Minimizing a quadratic with an absolute-value penalty: the core of lasso, elastic net and proximal Newton steps.

The quadratic is a Gram matrix, or a Hessian, of as many rows as there are coefficients; so the number of rows of data
plays no part here, and a whole path of penalties costs milliseconds after one pass over them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from groundswell.statistics._matrix import Floats

SWEEPS_BEFORE_SOLVING = 4
"""Sweeps after which the signs are tried as final. Solving for them ends most problems exactly, and costs a sweep."""


@dataclass(frozen=True)
class Descent:
    """Where the descent ended.

    Attributes:
        solution: shape (p,).
        n_sweeps: how often it went over coefficients.
        converged: whether the conditions of the optimum hold to the tolerance.
    """

    solution: Floats
    n_sweeps: int
    converged: bool


def coordinate_descent(
    quadratic: Floats, linear: Floats, penalty: Floats, start: Floats, *, tol: float = 1e-10, max_iter: int = 1000
) -> Descent:
    """The θ that minimizes ½ θᵀQθ − cᵀθ + Σ penaltyⱼ |θⱼ|.

    Coordinates that are zero and may stay so are left alone. Between sweeps the equations of the others are solved for
    their signs, so what comes out has the rounding errors of a linear solution and not those of an iteration.

    Args:
        quadratic: Q, symmetric and positive semidefinite, shape (p, p).
        linear: c, shape (p,).
        penalty: shape (p,), zero or more.
        start: shape (p,), for example the solution of a neighboring problem.
        tol: how far the slope of a coordinate may be from its optimum, relative to the largest slope at zero.
        max_iter: sweeps at most.

    References:
        Friedman, Hastie, Tibshirani: Regularization paths for generalized linear models via coordinate descent, Journal
        of Statistical Software 33 (2010), section 2.

    >>> coordinate_descent(np.eye(2), np.array([3.0, 0.5]), np.ones(2), np.zeros(2)).solution
    array([2., 0.])
    """
    diagonal = np.diagonal(quadratic)
    usable = diagonal > 0
    theta = np.where(usable, start, 0.0)
    slope = linear - quadratic @ theta
    allowed = tol * max(float(np.abs(linear).max(initial=0.0)), np.finfo(np.float64).tiny)
    sweeps = 0
    while True:
        error = _violation(slope, theta, penalty)
        error[~usable] = 0.0
        if error.max(initial=0.0) <= allowed or sweeps >= max_iter:
            return Descent(theta, sweeps, bool(error.max(initial=0.0) <= allowed))
        active = np.flatnonzero((theta != 0) | (error > allowed))
        for _ in range(min(SWEEPS_BEFORE_SOLVING, max_iter - sweeps)):
            _sweep(quadratic, diagonal, penalty, theta, slope, active)
            sweeps += 1
        theta = _solve_signs(quadratic, linear, penalty, theta)
        slope = linear - quadratic @ theta


def _violation(slope: Floats, theta: Floats, penalty: Floats) -> Floats:
    """How far each coordinate is from the conditions of the optimum (Karush–Kuhn–Tucker)."""
    moving = np.abs(slope - penalty * np.sign(theta))
    resting = np.maximum(np.abs(slope) - penalty, 0.0)
    return np.where(theta != 0, moving, resting)


def _sweep(
    quadratic: Floats, diagonal: Floats, penalty: Floats, theta: Floats, slope: Floats, active: NDArray[np.intp]
) -> None:
    """Put each active coordinate to its optimum given the others, in place."""
    for j in active.tolist():
        old = theta[j]
        goal = slope[j] + diagonal[j] * old
        size = abs(goal) - penalty[j]
        new = (size if goal > 0 else -size) / diagonal[j] if size > 0 else 0.0
        if new != old:
            theta[j] = new
            slope -= quadratic[j] * (new - old)


def _solve_signs(quadratic: Floats, linear: Floats, penalty: Floats, theta: Floats) -> Floats:
    """Toward the optimum among the θ of the same signs, up to where coordinates become zero; again without those.

    Within one combination of signs the function is a quadratic, so each step lowers it, and each but the last has one
    coordinate less to go. Dependent columns have no single optimum; θ then stays where it is.
    """
    theta = theta.copy()
    while True:
        chosen = np.flatnonzero(theta)
        signs = np.sign(theta[chosen])
        try:
            factor = cho_factor(quadratic[np.ix_(chosen, chosen)], check_finite=False)
        except LinAlgError:
            return theta
        found = cho_solve(factor, linear[chosen] - penalty[chosen] * signs, check_finite=False)
        crossing = (found * signs <= 0) & (penalty[chosen] > 0)
        if not np.isfinite(found).all():
            return theta
        if not crossing.any():
            theta[chosen] = found
            return theta
        old = theta[chosen]
        share = np.where(crossing, old / np.where(crossing, old - found, 1.0), np.inf)
        theta[chosen] = np.where(share == share.min(), 0.0, old + share.min() * (found - old))
