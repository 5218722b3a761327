"""From counts to figures: the metrics of an evaluation, and the reasons for those that do not exist."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from groundswell.models._confusion import ConfusionMatrix
from groundswell.models._evaluation import Evaluation
from groundswell.models._ranking import Ranking
from groundswell.models._signature import Task
from groundswell.statistics import ContingencyTableResult

__all__ = ["classifier_evaluation", "regressor_evaluation"]

_ONE_CLASS = "the model was trained on one class only"
_UNSEEN = "the data hold classes that the model was not trained on"
Slices = Mapping[str, Mapping[Any, Evaluation]]


class _Collected:
    """Metrics as they come, how far they may be off, and the reasons for those that do not exist."""

    def __init__(self) -> None:
        self.metrics: dict[str, float] = {}
        self.skipped: dict[str, str] = {}
        self.errors: dict[str, float] = {}

    def add(self, name: str, value: float, *, error: float = 0.0) -> None:
        """Keep a metric; one that is no number is left out."""
        if not math.isfinite(value):
            self.skipped[name] = f"its value is {value}"
            return
        self.metrics[name] = float(value)
        if error:
            self.errors[name] = float(error)

    def skip(self, reason: str, *names: str) -> None:
        """Leave metrics out."""
        self.skipped |= dict.fromkeys(names, reason)


def regressor_evaluation(everything: Mapping[str, Any], known: Mapping[str, Any], slices: Slices) -> Evaluation:
    """The figures of a regressor from its errors."""
    collected, errors = _Collected(), known["errors"]
    for name in ("rmse", "mae"):
        collected.add(name, getattr(errors, name))
    for name in ("r2", "explained_variance"):
        if errors.target_variance == 0:
            collected.skip("the labels do not vary, so there is no variance to explain", name)
        else:
            collected.add(name, getattr(errors, name))
    collected.add("median_absolute_error", errors.median_absolute_error, error=errors.median_error)
    for name in ("mape", "max_error", "mean_error"):
        collected.add(name, getattr(errors, name))
    return _evaluation("regression", everything, collected, slices)


def _evaluation(
    task: Task, everything: Mapping[str, Any], collected: _Collected, slices: Slices, **parts: Any
) -> Evaluation:
    return Evaluation(
        task=task,
        n_rows=everything["count"].rows,
        metrics=collected.metrics,
        skipped=collected.skipped,
        errors=collected.errors,
        slices=slices,
        **parts,
    )


def classifier_evaluation(
    everything: Mapping[str, Any],
    known: Mapping[str, Any],
    slices: Slices,
    *,
    model: Any,  # a fitted estimator
    labels: tuple[Any, ...],
    n_classes: int,
) -> Evaluation:
    """The figures of a classifier from its confusion matrix, the counts of its scores and its losses.

    Args:
        everything: results over all rows.
        known: results over rows whose label the model knows.
        slices: the evaluations of parts of the rows.
        model: says whether it gives probabilities or scores.
        labels: the model's classes, then labels that only the data hold.
        n_classes: how many of the labels are the model's.
    """
    collected = _Collected()
    confusion = _confusion(everything["confusion"], labels, n_classes)
    collected.add("accuracy", confusion.accuracy)
    collected.add("balanced_accuracy", confusion.balanced_accuracy)
    collected.add("matthews", confusion.matthews)
    if n_classes <= 2:
        _of_the_second(collected, confusion, n_classes)
    else:
        for name, value in confusion.average("macro").items():
            collected.add(f"{name}_macro", value)
        collected.add("f1_weighted", confusion.average("weighted")["f1"])
    true = confusion.counts.sum(axis=1)
    unseen = _UNSEEN if true[n_classes:].any() else ""
    if n_classes < 2:
        unseen = _ONE_CLASS
    _losses(collected, known, unseen, model, n_classes)
    scored = [k for k in range(n_classes) if f"scores {k}" in known and true[k] > 0]
    rankings = {labels[k]: Ranking(known[f"scores {k}"]) for k in scored}
    reason = unseen or ("" if any(name.startswith("scores") for name in known) else "the model gives no scores")
    (_binary_ranks if n_classes <= 2 else _many_ranks)(collected, rankings, true[:n_classes], reason)
    return _evaluation(
        "binary" if n_classes <= 2 else "multiclass", everything, collected, slices, confusion=confusion,
        rankings={} if unseen else rankings,
        calibrations={} if unseen else {labels[k]: known[f"calibration {k}"] for k in range(n_classes)
                                        if f"calibration {k}" in known},
    )  # fmt: skip


def _confusion(found: ContingencyTableResult, labels: tuple[Any, ...], n_classes: int) -> ConfusionMatrix:
    """The counts by label; labels that only the data hold are put in order behind the model's."""
    counts = np.zeros((len(labels), len(labels)))
    for i, predicted in enumerate(found.rows):
        for j, true in enumerate(found.columns):
            counts[int(true), int(predicted)] = found.counts[i, j]
    others = sorted(range(n_classes, len(labels)), key=lambda k: (str(type(labels[k])), str(labels[k])))
    occur = [k for k in others if counts[k].any() or counts[:, k].any()]
    order = [*range(n_classes), *occur]
    return ConfusionMatrix(labels=tuple(labels[k] for k in order), counts=counts[np.ix_(order, order)])


def _of_the_second(collected: _Collected, confusion: ConfusionMatrix, n_classes: int) -> None:
    if n_classes < 2:
        collected.skip(_ONE_CLASS, "base_rate", "precision", "recall", "f1")
        return
    hits, true, said = confusion.counts[1, 1], confusion.counts[1].sum(), confusion.counts[:, 1].sum()
    collected.add("base_rate", true / confusion.counts.sum())
    for name, part, whole, lacking in (
        ("precision", hits, said, "there are no predicted samples of the second class"),
        ("recall", hits, true, "there are no true samples of the second class"),
        ("f1", 2 * hits, true + said, "there are neither true nor predicted samples of the second class"),
    ):
        if whole > 0:
            collected.add(name, part / whole)
        else:
            collected.skip(lacking, name)


def _losses(collected: _Collected, known: Mapping[str, Any], unseen: str, model: Any, n_classes: int) -> None:
    reason = unseen if hasattr(model, "predict_proba") else "the model gives no probabilities"
    if reason:
        collected.skip(reason, "log_loss", "brier", "ece")
        return
    losses, binary = known["losses"], n_classes == 2
    collected.add("log_loss", losses.log_loss)
    collected.add("brier", losses.brier / 2 if binary else losses.brier)
    bins = [known[f"calibration {k}"] for k in ((1,) if binary else range(n_classes))]
    collected.add("ece", float(np.mean([each.expected_error for each in bins])))


def _binary_ranks(
    collected: _Collected, rankings: Mapping[Any, Ranking], true: np.ndarray[Any, Any], reason: str
) -> None:
    if reason or not rankings:
        collected.skip(reason or "the data hold no row of the second class", "roc_auc", "average_precision")
        return
    ranking = next(iter(rankings.values()))
    precision_recall = ranking.precision_recall()
    collected.add("average_precision", precision_recall.average_precision, error=precision_recall.error)
    if not true[0]:
        collected.skip("the data hold no row of the first class", "roc_auc")
        return
    roc = ranking.roc()
    collected.add("roc_auc", roc.auc, error=roc.error)


def _many_ranks(
    collected: _Collected, rankings: Mapping[Any, Ranking], true: np.ndarray[Any, Any], reason: str
) -> None:
    if not reason and not (true > 0).all():
        reason = "the data lack rows of some classes"
    if reason:
        collected.skip(reason, "roc_auc_ovr")
        return
    curves = [ranking.roc() for ranking in rankings.values()]
    collected.add(
        "roc_auc_ovr", float(np.mean([c.auc for c in curves])), error=float(np.mean([c.error for c in curves]))
    )
