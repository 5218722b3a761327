"""How good a fitted model is on data that it has not seen, by the metrics of its task.

Every figure comes from scikit-learn's own metrics. A figure that does not exist for the data, such as the area under a
curve when the data hold one class only, is left out and the reason is kept.
"""

import math
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from sklearn import metrics as skm
from sklearn.exceptions import UndefinedMetricWarning

from groundswell.errors import DataError
from groundswell.models._signature import Task, columns_of, task_of

__all__ = ["Evaluation", "evaluate"]

_UNSEEN = -1  # the code of a class that the model was not trained on
_Codes = np.ndarray[Any, Any]


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Metrics of a model on a data set.

    Args:
        task: what the model predicts.
        n_rows: how many rows were predicted.
        metrics: names to values, all finite.
        skipped: names of metrics that do not exist for this data, to the reason.
    """

    task: Task
    n_rows: int
    metrics: Mapping[str, float]
    skipped: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "task": self.task, "n_rows": self.n_rows, "metrics": dict(self.metrics), "skipped": dict(self.skipped)
        }  # fmt: skip


def evaluate(model: Any, inputs: pd.DataFrame, labels: pd.Series) -> Evaluation:  # Any: a fitted estimator
    """The metrics of a fitted scikit-learn model.

    - binary: `base_rate` (share of the second class), `roc_auc`, `average_precision`, `log_loss`, `brier`, `accuracy`,
      `precision`, `recall`, `f1`, the last three of the second class;
    - multiclass: `accuracy`, `f1_macro`, `log_loss`;
    - regression: `rmse`, `mae`, `r2`.

    Args:
        inputs: n rows × the columns that the model was trained on.
        labels: n true values.

    Raises:
        DataError: there are no rows, a label is missing, the model is neither classifier nor regressor, or it was
            fitted on other columns.
    """
    task, classes = task_of(model)
    if task == "other":
        raise DataError(
            f"A {type(model).__name__} cannot be evaluated.",
            why="Metrics are known for classifiers and regressors of one label.",
            fix="Compute your own in the function and return (model, {'name': value}).",
        )
    if len(inputs) == 0:
        raise DataError("There are no rows to evaluate on.", fix="Choose a split that leaves some.")
    missing = int(labels.isna().sum())
    if missing:
        raise DataError(
            f"{missing:,} of {len(labels):,} labels are missing.", fix="Leave those rows out.", missing=missing
        )
    inputs = inputs[columns_of(model, list(inputs.columns))]
    collected = _Collected()
    with warnings.catch_warnings():
        warnings.simplefilter("error", UndefinedMetricWarning)
        if task == "regression":
            _regression(collected, labels.to_numpy(dtype=np.float64), model.predict(inputs))
        else:
            codes = {label: code for code, label in enumerate(classes)}
            truth = pd.Series(labels.to_numpy(dtype=object)).map(codes).fillna(_UNSEEN).to_numpy(dtype=np.int64)
            predicted = pd.Series(model.predict(inputs)).map(codes).to_numpy(dtype=np.int64)
            _classification(collected, _Outcome(model, inputs, truth, predicted, len(classes)), binary=task == "binary")
    return Evaluation(task=task, n_rows=len(inputs), metrics=collected.metrics, skipped=collected.skipped)


class _Collected:
    """Metrics as they come, and the reasons for those that do not exist."""

    def __init__(self) -> None:
        self.metrics: dict[str, float] = {}
        self.skipped: dict[str, str] = {}

    def add(self, name: str, compute: Callable[[], float], unless: str = "") -> None:
        """Compute a metric, unless there is a reason not to."""
        if unless:
            self.skipped[name] = unless
            return
        try:
            value = float(compute())
        except UndefinedMetricWarning as reason:
            self.skipped[name] = str(reason)
            return
        if math.isfinite(value):
            self.metrics[name] = value
        else:
            self.skipped[name] = f"its value is {value}"


class _Outcome:
    """What a classifier said and what was true, as positions in its classes, with its scores where it gives them."""

    def __init__(self, model: Any, inputs: pd.DataFrame, truth: _Codes, predicted: _Codes, n_classes: int) -> None:
        self.truth, self.predicted, self.n_classes = truth, predicted, n_classes
        self.probabilities: np.ndarray[Any, Any] | None = None
        self.scores: np.ndarray[Any, Any] | None = None
        if hasattr(model, "predict_proba"):
            self.probabilities = np.asarray(model.predict_proba(inputs), dtype=np.float64)
            self.scores = self.probabilities[:, -1]
        elif hasattr(model, "decision_function"):
            self.scores = np.asarray(model.decision_function(inputs))

    def no_loss(self) -> str:
        """Why there is no loss of the probabilities, if so."""
        if self.probabilities is None:
            return "the model gives no probabilities"
        if self.n_classes < 2:
            return "the model was trained on one class only"
        if np.any(self.truth == _UNSEEN):
            return "the data hold classes that the model was not trained on"
        return ""

    def no_ranking(self, *, both: bool) -> str:
        """Why the scores cannot be compared with the truth, if so; some measures need rows of both classes."""
        if self.scores is None:
            return "the model gives no scores"
        if self.n_classes < 2:
            return "the model was trained on one class only"
        if np.any(self.truth == _UNSEEN):
            return "the data hold classes that the model was not trained on"
        if not np.any(self.truth == 1):
            return "the data hold no row of the second class"
        return "the data hold no row of the first class" if both and np.all(self.truth == 1) else ""


def _regression(collected: _Collected, truth: np.ndarray[Any, Any], predicted: np.ndarray[Any, Any]) -> None:
    collected.add("rmse", lambda: skm.root_mean_squared_error(truth, predicted))
    collected.add("mae", lambda: skm.mean_absolute_error(truth, predicted))
    flat = "the labels do not vary, so there is no variance to explain" if np.ptp(truth) == 0 else ""
    collected.add("r2", lambda: skm.r2_score(truth, predicted), flat)


def _classification(collected: _Collected, outcome: _Outcome, *, binary: bool) -> None:
    truth, predicted = outcome.truth, outcome.predicted
    known = list(range(outcome.n_classes))
    collected.add("accuracy", lambda: skm.accuracy_score(truth, predicted))
    collected.add("log_loss", lambda: skm.log_loss(truth, outcome.probabilities, labels=known), outcome.no_loss())
    if not binary:
        collected.add("f1_macro", lambda: skm.f1_score(truth, predicted, average="macro"))
        return
    positive, said = truth == 1, predicted == 1
    collected.add("base_rate", lambda: positive.mean())
    collected.add("roc_auc", lambda: skm.roc_auc_score(positive, outcome.scores), outcome.no_ranking(both=True))
    collected.add(
        "average_precision",
        lambda: skm.average_precision_score(positive, outcome.scores),
        outcome.no_ranking(both=False),
    )
    collected.add("brier", lambda: skm.brier_score_loss(positive, _second(outcome)), outcome.no_loss())
    for name, metric in (("precision", skm.precision_score), ("recall", skm.recall_score), ("f1", skm.f1_score)):
        collected.add(name, partial(metric, positive, said))


def _second(outcome: _Outcome) -> np.ndarray[Any, Any]:
    assert outcome.probabilities is not None  # no_loss() has said so
    return outcome.probabilities[:, 1]
