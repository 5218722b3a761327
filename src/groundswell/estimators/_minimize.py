"""Minimizing a convex sum over rows plus a separable penalty: Newton, proximal Newton and L-BFGS.

Each evaluation is a pass over the rows, so the methods are chosen and stopped to have few of them.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from scipy.optimize import Bounds, minimize

from groundswell.estimators._coordinate_descent import coordinate_descent
from groundswell.statistics import one_blas_thread
from groundswell.statistics._matrix import Floats


@dataclass(frozen=True, kw_only=True)
class Point:
    """The smooth part of a function at some θ: its value, gradient (q,) and, if asked for, Hessian (q, q)."""

    value: float
    gradient: Floats
    hessian: Floats | None = None


@dataclass(frozen=True, kw_only=True)
class Penalty:
    """Σ ½ squareⱼ θⱼ² + absoluteⱼ |θⱼ|; both of shape (q,) and zero or more."""

    square: Floats
    absolute: Floats

    def value(self, theta: Floats) -> float:
        """The penalty at θ."""
        return float(0.5 * self.square @ theta**2 + self.absolute @ np.abs(theta))


@dataclass(frozen=True, kw_only=True)
class Minimum:
    """Where a minimization ended.

    Attributes:
        solution: θ, shape (q,).
        n_iter: steps taken.
        n_passes: how often the function was evaluated, each a pass over the rows.
        converged: whether it ended because the minimum was reached.
    """

    solution: Floats
    n_iter: int
    n_passes: int
    converged: bool


def newton(
    evaluate: Callable[[Floats, bool], Point],
    start: Floats,
    penalty: Penalty,
    *,
    tol: float,
    max_iter: int,
    singular: Floats | None = None,
) -> Minimum:
    """Newton's method; with absolute values in the penalty, each step minimizes the quadratic model plus the penalty.

    It ends when the model says that the value is within `tol` of the minimum, and takes the last step without another
    pass: near the minimum a step squares the distance.

    Args:
        evaluate: the smooth part without its penalty at θ; the second argument asks for the Hessian.
        start: θ, shape (q,).
        penalty: what is added to the smooth part.
        tol: the estimated distance of the value from its minimum.
        max_iter: steps at most.
        singular: added to the Hessian where it is known to be singular, in directions in which the gradient is zero.

    References:
        Boyd, Vandenberghe: Convex optimization (2004), section 9.5, for the decrement as an estimate of the distance.
        Lee, Sun, Saunders: Proximal Newton-type methods for minimizing composite functions, SIAM Journal on
        Optimization 24 (2014), algorithm 1.
    """
    theta, passes = start, 1
    point = evaluate(theta, True)
    for iteration in range(1, max_iter + 1):
        assert point.hessian is not None
        model = point.hessian + np.diag(penalty.square) + (0.0 if singular is None else singular)
        gradient = point.gradient + penalty.square * theta
        goal = _model_minimum(model, gradient, theta, penalty.absolute)
        step = goal - theta
        gain = float(gradient @ step + penalty.absolute @ (np.abs(goal) - np.abs(theta)))
        if -gain <= tol:
            return Minimum(solution=goal, n_iter=iteration, n_passes=passes, converged=True)
        value = point.value + penalty.value(theta)
        share = 1.0
        while True:
            tried = theta + share * step
            point, passes = evaluate(tried, True), passes + 1
            rounding = 1e-14 * abs(value)
            if point.value + penalty.value(tried) <= value + 1e-4 * share * gain + rounding:
                break
            share /= 2
            if share < 1e-8:
                return Minimum(solution=theta, n_iter=iteration, n_passes=passes, converged=False)
        theta = tried
    return Minimum(solution=theta, n_iter=max_iter, n_passes=passes, converged=False)


def _model_minimum(model: Floats, gradient: Floats, theta: Floats, absolute: Floats) -> Floats:
    if absolute.any():
        return coordinate_descent(model, model @ theta - gradient, absolute, theta, tol=1e-12).solution
    try:
        step = cho_solve(cho_factor(model, check_finite=False), -gradient, check_finite=False)
        if np.isfinite(step).all() and np.abs(model @ step + gradient).max() <= 1e-6 * np.abs(gradient).max():
            return np.asarray(theta + step)
    except LinAlgError:
        pass
    return np.asarray(theta + np.linalg.lstsq(model, -gradient)[0])


def lbfgs(
    evaluate: Callable[[Floats, bool], Point], start: Floats, penalty: Penalty, *, tol: float, max_iter: int
) -> Minimum:
    """Limited-memory BFGS: memory and time of a step grow with q only.

    Where the penalty has absolute values, θⱼ is the difference of two numbers that are not negative and whose sum is
    |θⱼ|: the function is smooth again, and the bounds are where coefficients become zero.

    Args:
        evaluate, start, penalty, max_iter: as in `newton`.
        tol: the square of the largest slope at which it ends, of slopes that no bound stops.

    References:
        Byrd, Lu, Nocedal, Zhu: A limited memory algorithm for bound constrained optimization, SIAM Journal on
        Scientific Computing 16 (1995).
    """
    halved = np.flatnonzero(penalty.absolute)
    free, q = np.setdiff1d(np.arange(len(start)), halved), len(start)

    def whole(halves: Floats) -> Floats:
        theta = halves[:q].copy()
        theta[halved] -= halves[q:]
        return theta

    def function(halves: Floats) -> tuple[float, Floats]:
        theta = whole(halves)
        point = evaluate(theta, False)
        slope = point.gradient + penalty.square * theta
        value = point.value + 0.5 * penalty.square @ theta**2 + penalty.absolute @ halves[:q]
        absolute = penalty.absolute[halved]
        gradient = np.concatenate([slope + penalty.absolute, absolute - slope[halved]])
        return float(value + absolute @ halves[q:]), gradient

    lower = np.zeros(q + len(halved))
    lower[free] = -np.inf
    options = {"maxiter": max_iter, "gtol": np.sqrt(tol), "ftol": 0.0, "maxls": 50}
    above = np.where(penalty.absolute > 0, np.maximum(start, 0.0), start)
    begin, bounds = np.append(above, np.maximum(-start[halved], 0.0)), Bounds(lower, np.inf) if len(halved) else None
    with one_blas_thread():  # which vectors of this length need
        found = minimize(function, begin, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    return Minimum(
        solution=whole(found.x), n_iter=int(found.nit), n_passes=int(found.nfev), converged=found.status == 0
    )
