"""What logistic regression and the linear support vector machine share: labels, features of unit size, predictions."""

import warnings
from functools import partial
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import Tags

from groundswell.errors import FitError, choices
from groundswell.estimators._input import Input
from groundswell.estimators._labels import Labeled
from groundswell.estimators._linear_model import linear_predictions
from groundswell.estimators._memory import require_memory_for_pairs
from groundswell.estimators._minimize import Minimum, Penalty, Point, lbfgs, newton
from groundswell.estimators._score import Classifier
from groundswell.estimators._start_sample import start_sample
from groundswell.statistics import Count, GradientSums
from groundswell.statistics._matrix import Floats

Solver = Literal["auto", "newton", "lbfgs"]

_NEWTON_COEFFICIENTS = 500
"""Up to so many coefficients "auto" is Newton's method. Beyond, its few passes cost more than many of L-BFGS."""

_START_TOL = 1e-6
"""How near the minimum of a sample it is enough to start: that of all rows is further away."""


class LinearClassifier(Classifier, BaseEstimator):  # type: ignore[misc]  # sklearn is untyped
    """A classifier by linear functions of the features: one for two classes, one for each of more."""

    classes_: NDArray[Any]

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def decision_function(self, X: Any) -> NDArray[np.float64]:  # Any: array-likes and tables
        """Xw + b: shape (rows,) for two classes, positive for the second; (rows, classes) for more.

        Raises:
            sklearn.exceptions.NotFittedError: it is not fitted.
            ColumnNotFoundError: a table lacks a feature.
        """
        scores = linear_predictions(self, X, accept_sparse=True)
        return scores[:, 0] if len(self.classes_) == 2 else scores

    def predict(self, X: Any) -> NDArray[Any]:  # Any: array-likes and tables; labels of any type
        """The label of each row, shape (rows,).

        Raises:
            sklearn.exceptions.NotFittedError: it is not fitted.
            ColumnNotFoundError: a table lacks a feature.
        """
        scores = self.decision_function(X)
        codes = (scores > 0).astype(np.intp) if scores.ndim == 1 else scores.argmax(axis=1)
        return np.asarray(self.classes_[codes])


def minimize_classifier(
    estimator: LinearClassifier,
    rows: Labeled,
    loss: str,
    *,
    C: float,
    l1_ratio: float,
    symmetric: bool,
) -> Minimum:
    """Minimize C Σ w ℓ + (1 − ρ) ‖w‖² / 2 + ρ ‖w‖₁, and set `coef_`, `intercept_` and what is known of the fit.

    Features are taken with mean 0 and deviation 1, which makes the steps good whatever their units, and the penalty is
    that of the features as they are.

    Args:
        estimator: it has `fit_intercept`, `solver`, `tol` and `max_iter`, and gets the attributes.
        rows: what to learn from.
        loss: ℓ, a name in `LOSSES`: of one function for two classes, else of one for each class.
        C: inverse strength of the penalty; infinite for none.
        l1_ratio: ρ.
        symmetric: whether adding a number to all functions changes no loss, as with softmax.

    Raises:
        FitError: C, ρ or the solver is none.
    """
    _check(estimator, C, l1_ratio)
    fit_intercept = bool(estimator.fit_intercept)
    p, k = len(rows.mean), 1 if len(rows.classes) == 2 else len(rows.classes)
    center = rows.mean if fit_intercept else np.zeros(p)
    strength = 1 / (C * rows.weight)
    # A feature's curvature is that through the loss, at most a quarter of its variance, and the penalty's. By the
    # deviation alone the penalty of rare words would dwarf all else: 23 steps on film reviews in place of over 100.
    size = rows.std if fit_intercept else np.hypot(rows.mean, rows.std)
    scale = np.sqrt(size**2 + 4 * strength * (1 - l1_ratio))
    free = np.repeat(np.append(fit_intercept, np.ones(p, bool)), k)
    squares = np.repeat(np.append(0.0, strength * (1 - l1_ratio) / scale**2), k)[free]
    absolutes = np.repeat(np.append(0.0, strength * l1_ratio / scale), k)[free]
    penalty = Penalty(square=squares, absolute=absolutes)

    def evaluate(data: Input, weight: float, theta: Floats, hessian: bool) -> Point:
        full = np.zeros((p + 1) * k)
        full[free] = theta
        found = data.fold(GradientSums(loss, full.reshape(p + 1, k), center, scale, hessian)).result()
        second = None
        if found.hessian is not None:
            second = found.hessian.reshape(len(full), len(full))[np.ix_(free, free)] / weight
        return Point(value=found.loss / weight, gradient=found.gradient.ravel()[free] / weight, hessian=second)

    by_newton = estimator.solver == "newton" or (estimator.solver == "auto" and free.sum() <= _NEWTON_COEFFICIENTS)
    if by_newton:
        require_memory_for_pairs(len(free), "Use solver='lbfgs'")
    shared = np.full((k, k), 1 / k)
    together = np.kron(np.eye(p + int(fit_intercept)), shared) if by_newton and symmetric and not l1_ratio else None

    def minimize(data: Input, weight: float, start: Floats, tol: float, max_iter: int) -> Minimum:
        function = partial(evaluate, data, weight)
        if not by_newton:
            return lbfgs(function, start, penalty, tol=tol, max_iter=max_iter)
        return newton(function, start, penalty, tol=tol, max_iter=max_iter, singular=together)

    start, few = np.zeros(int(free.sum())), start_sample(rows.data)
    if few is not None:
        start = minimize(few, few.fold(Count()).weight, start, _START_TOL, estimator.max_iter).solution
    found = minimize(rows.data, rows.weight, start, estimator.tol, estimator.max_iter)
    if not found.converged:
        warnings.warn(
            f"{type(estimator).__name__} did not reach tol={estimator.tol:g} in {found.n_iter} steps. Raise max_iter, "
            "or lower C: classes that can be told apart without error have no finite optimum without a penalty.",
            ConvergenceWarning,
            stacklevel=3,
        )
    full = np.zeros((p + 1) * k)
    full[free] = found.solution
    theta = full.reshape(p + 1, k)
    estimator.coef_ = (theta[1:] / scale[:, None]).T
    intercept = theta[0] - estimator.coef_ @ center
    estimator.intercept_ = intercept - (intercept.mean() if symmetric and fit_intercept else 0.0)
    estimator.n_iter_ = found.n_iter
    estimator.n_passes_ = found.n_passes + 1 + (few is not None)  # those for labels and sizes, and for the sample
    return found


def _check(estimator: LinearClassifier, C: float, l1_ratio: float) -> None:
    if not C > 0 or not 0 <= l1_ratio <= 1:
        raise FitError(
            f"C is {C!r} and l1_ratio is {l1_ratio!r}.",
            why="C weighs the data against the penalty, and l1_ratio is the share of absolute values in it.",
            fix="Use a C above zero (infinite for no penalty), and an l1_ratio from 0 to 1.",
            C=C,
            l1_ratio=l1_ratio,
        )
    if estimator.solver not in get_args(Solver):
        raise FitError(
            f"There is no solver {estimator.solver!r}.", fix=choices(str(estimator.solver), get_args(Solver), "solvers")
        )
