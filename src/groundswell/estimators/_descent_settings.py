"""From the settings of an estimator to a descent: what is checked, when it ends, and what it tells."""

import math
import warnings
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from groundswell.errors import FitError, choices
from groundswell.estimators._descent import (
    DIVERGED,
    SCHEDULES,
    SHORTER_STEPS,
    Descent,
    Plan,
    Schedule,
)
from groundswell.estimators._descent_losses import SlopedLoss
from groundswell.estimators._input import CACHE_BYTES, Input
from groundswell.estimators._row_blocks import RowBlocks

LEAST_RATE = 1e-6
"""The rate at which "adaptive" gives up, as in scikit-learn."""


def fit_descent(estimator: Any, data: Input, n_functions: int) -> Descent:  # Any: an SGD estimator
    """Epochs until there is no more gain; sets `n_iter_`, `loss_curve_` and what `partial_fit` goes on from."""
    plan = _plan(estimator)
    descent = Descent(np.zeros((data.n_features, n_functions)), np.zeros(n_functions))
    blocks = RowBlocks(data.batches, plan.shuffle_rows, memory_bytes=CACHE_BYTES)
    tol = -math.inf if estimator.tol is None else estimator.tol
    best, loss, idle, estimator.loss_curve_ = math.inf, math.inf, 0, []
    for _ in range(estimator.max_iter):
        loss = descent.run_epoch(blocks, plan)
        estimator.loss_curve_.append(loss)
        idle = idle + 1 if loss > best - tol else 0
        best = min(best, loss)
        if idle >= estimator.n_iter_no_change:
            if estimator.learning_rate != "adaptive" or estimator.eta0 * descent.factor <= LEAST_RATE:
                break
            descent.factor, idle = descent.factor / 5, 0
    else:
        if tol > -math.inf:  # otherwise so many epochs are what was asked for
            warnings.warn(
                f"{type(estimator).__name__} did not converge in {estimator.max_iter} epochs. Raise max_iter or tol.",
                ConvergenceWarning,
                stacklevel=3,
            )
    if loss > DIVERGED * descent.null_loss:
        warnings.warn(
            f"The descent diverges: the loss is {loss:g}, and {descent.null_loss:g} with W = 0. {SHORTER_STEPS}",
            ConvergenceWarning,
            stacklevel=3,
        )
    estimator.n_iter_ = len(estimator.loss_curve_)
    return descent


def _plan(estimator: Any) -> Plan:  # Any: an SGD estimator
    """The settings, checked.

    Raises:
        FitError: one is none.
    """
    _check(estimator)
    l1_ratio = {"l2": 0.0, "l1": 1.0, None: 0.0}.get(estimator.penalty, estimator.l1_ratio)
    alpha = 0.0 if estimator.penalty is None else estimator.alpha
    size = estimator.batch_size
    schedule = Schedule(
        kind=estimator.learning_rate,
        eta0=estimator.eta0,
        power_t=estimator.power_t,
        alpha=estimator.alpha,
        decay=estimator.decay,
        decay_epochs=estimator.decay_epochs,
    )
    return Plan(
        loss=estimator._loss(),
        schedule=schedule,
        square=alpha * (1 - l1_ratio),
        absolute=alpha * l1_ratio,
        batch_size=size,
        shuffle_rows=estimator.shuffle_rows if size is None else math.ceil(estimator.shuffle_rows / size) * size,
        shuffle=estimator.shuffle,
        seed=int(check_random_state(estimator.random_state).randint(2**31 - 1)),
        fit_intercept=estimator.fit_intercept,
        average_from=int(estimator.average) if estimator.average else None,
        held_out=estimator.validation_fraction if estimator.early_stopping else 0.0,
    )


def _check(estimator: Any) -> None:  # Any: an SGD estimator
    names: dict[str, tuple[Any, ...]] = {  # Any: None among them
        "learning_rate": SCHEDULES,
        "penalty": ("l2", "l1", "elasticnet", None),
    }
    for name, known in names.items():
        value = getattr(estimator, name)
        if value not in known:
            raise FitError(f"{name} is {value!r}.", fix=choices(str(value), [str(one) for one in known], "choices"))
    positive = ["eta0", "max_iter", "n_iter_no_change", "shuffle_rows", "decay", "decay_epochs"]
    positive += ["alpha"] if estimator.learning_rate == "optimal" else []
    positive += [] if estimator.batch_size is None else ["batch_size"]
    for name in positive:
        if not getattr(estimator, name) > 0:
            raise FitError(f"{name} is {getattr(estimator, name)!r}.", fix="Use a number above zero.")
    if not 0 <= estimator.l1_ratio <= 1:
        raise FitError(f"l1_ratio is {estimator.l1_ratio!r}.", fix="Use a number from 0 to 1.")
    if estimator.early_stopping and not 0 < estimator.validation_fraction < 1:
        raise FitError(
            f"validation_fraction is {estimator.validation_fraction!r}.", fix="Use a number between 0 and 1."
        )
    if not estimator.alpha >= 0:
        raise FitError(f"alpha is {estimator.alpha!r}.", why="It weighs the penalty.", fix="Use 0 or more.")


def one_epoch(estimator: Any, data: Input, n_functions: int) -> Descent:  # Any: an SGD estimator
    """One epoch from where the estimator is; sets `n_iter_` and `loss_curve_`."""
    state = getattr(estimator, "_state", None)
    zeros = np.zeros((data.n_features, n_functions)), np.zeros(n_functions)
    descent = Descent(*zeros) if state is None else Descent.resumed(state)
    plan = _plan(estimator)
    loss = descent.run_epoch(RowBlocks(data.batches, plan.shuffle_rows), plan)
    estimator.loss_curve_ = [*getattr(estimator, "loss_curve_", []), loss]
    estimator.n_iter_ = len(estimator.loss_curve_)
    return descent


def loss_among(name: str, known: dict[str, SlopedLoss]) -> SlopedLoss:
    """The loss of that name.

    Raises:
        FitError: there is none.
    """
    if name not in known:
        raise FitError(f"There is no loss {name!r}.", fix=choices(str(name), list(known), "losses"))
    return known[name]
