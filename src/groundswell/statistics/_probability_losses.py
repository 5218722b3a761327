"""`ProbabilityLosses`: log loss and Brier score of probabilities of classes."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from groundswell.errors import DataError
from groundswell.statistics._batch import Batch
from groundswell.statistics._matrix import Floats
from groundswell.statistics._statistic import require_same_width

__all__ = ["ProbabilityLosses", "ProbabilityLossesResult"]

_MOST_OFF = float(np.sqrt(np.finfo(np.float32).eps))  # what scikit-learn allows probabilities of float32


@dataclass(frozen=True, kw_only=True)
class ProbabilityLossesResult:
    """Mean losses; NaN without rows.

    Attributes:
        weight: Σ w.
        log_loss: the mean of −log p of the true class, p kept away from 0 by the spacing of float64 at 1.
        brier: the mean of Σₖ (pₖ − 1[y = k])², from 0 to 2. For two classes half of it is what is usually given.
    """

    weight: float
    log_loss: float
    brier: float


@dataclass
class ProbabilityLosses:
    """Sums of the proper losses of predicted probabilities.

    X has a column of probabilities for each class, y the number of the true class: 0 … K − 1.

    References:
        Brier: Verification of forecasts expressed in terms of probability, Monthly Weather Review 78 (1950).
        Gneiting, Raftery: Strictly proper scoring rules, prediction, and estimation, JASA 102 (2007).

    >>> losses = ProbabilityLosses()
    >>> losses.update(Batch(X=np.array([[0.5, 0.5], [0.0, 1.0]]), y=np.array([1, 1])))
    >>> losses.result().brier, round(losses.result().log_loss, 6)
    (0.25, 0.346574)
    """

    sums: Floats = field(init=False, default_factory=lambda: np.zeros(3))  # of weights, log losses, squares
    n_classes: int = field(init=False, default=0)

    def zero(self) -> "ProbabilityLosses":
        """Sums of nothing."""
        return ProbabilityLosses()

    def update(self, batch: Batch) -> None:
        """Add the rows.

        Raises:
            DataError: a row of X is no distribution, y is no number of a class, or there were other classes before.
        """
        for block in batch.blocks():
            said = block.matrix.astype(np.float64)
            self._expect(said.shape[1])
            _check_distributions(said)
            true = _classes(block.target[:, 0], said.shape[1])
            w = np.ones(len(block)) if block.weights is None else block.weights
            hit = said[np.arange(len(said)), true]
            eps = np.finfo(np.float64).eps
            logs = -np.log(np.clip(hit, eps, 1 - eps))
            said[np.arange(len(said)), true] -= 1.0
            self.sums += [w.sum(), w @ logs, w @ np.square(said).sum(axis=1)]

    def _expect(self, n_classes: int) -> None:
        self.n_classes = self.n_classes or n_classes
        require_same_width(self.n_classes, n_classes, "classes")

    def merge(self, other: "ProbabilityLosses") -> None:
        """Add the sums.

        Raises:
            DataError: the other has another number of classes.
        """
        if other.n_classes:
            self._expect(other.n_classes)
        self.sums = self.sums + other.sums

    def result(self) -> ProbabilityLossesResult:
        """The means."""
        weight, logs, squares = self.sums.tolist()
        if not weight:
            return ProbabilityLossesResult(weight=0.0, log_loss=float("nan"), brier=float("nan"))
        return ProbabilityLossesResult(weight=weight, log_loss=logs / weight, brier=squares / weight)


def _check_distributions(said: Floats) -> None:
    with np.errstate(invalid="ignore"):  # infinite ones of both signs
        sums = said.sum(axis=1)
        wrong = np.flatnonzero(~((np.abs(sums - 1.0) <= _MOST_OFF) & (said >= 0).all(axis=1) & (said <= 1).all(axis=1)))
    if len(wrong):
        row, total = said[wrong[0]], sums[wrong[0]]
        raise DataError(
            f"{len(wrong):,} rows are no probabilities of classes, the first of them {row[:6].tolist()}, "
            f"which sums to {total:.6g}.",
            why="Probabilities of classes lie between 0 and 1 and sum to one.",
            fix="Divide each row by its sum, or give the model a predict_proba that does.",
            rows=len(wrong),
        )


def _classes(labels: Floats, n_classes: int) -> NDArray[np.int64]:
    known = (labels >= 0) & (labels < n_classes) & (labels == np.floor(labels))
    if not known.all():
        raise DataError(
            f"{float(labels[~known][0]):g} is the number of no class.",
            why=f"X has probabilities of {n_classes} classes, and y counts them from 0.",
            fix="Leave rows of other classes out: no probability was given for them.",
            value=float(labels[~known][0]),
        )
    return labels.astype(np.int64)
