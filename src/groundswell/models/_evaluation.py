"""`Evaluation`: how good a fitted model is on data that it has not seen, as figures, curves and slices.

A figure that does not exist for the data, such as the area under a curve when the data hold one class only, is left out
and the reason is kept. A figure that is not exact has its bound in `errors`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from groundswell.errors import DataError, choices
from groundswell.models._confusion import ConfusionMatrix
from groundswell.models._evaluation_plots import calibration_plot, gain_plot, precision_recall_plot, roc_plot
from groundswell.models._ranking import GainCurve, PrecisionRecallCurve, Ranking, RocCurve, Threshold
from groundswell.models._signature import Task
from groundswell.plots import LinePlot
from groundswell.statistics import CalibrationBinsResult

__all__ = ["Evaluation"]

T = TypeVar("T")
_MOST_LABELS = 100
_MOST_POINTS = 200
_PLOTS = ("roc", "pr", "gain", "calibration", "confusion")


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Metrics of a model on a data set, and what they were computed from.

    Args:
        task: what the model predicts.
        n_rows: how many rows were predicted.
        metrics: names to values, all finite.
        skipped: names of metrics that do not exist for this data, to the reason.
        errors: how far a metric may be off, for those that are not exact.
        confusion: of a classifier.
        rankings: of a classifier with scores, by label; of the second label only if there are two.
        calibrations: of a classifier with probabilities, in the same way.
        slices: by column and value, the same of the rows that have this value.
    """

    task: Task
    n_rows: int
    metrics: Mapping[str, float]
    skipped: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, float] = field(default_factory=dict)
    confusion: ConfusionMatrix | None = None
    rankings: Mapping[Any, Ranking] = field(default_factory=dict, repr=False)  # Any: labels are of the data's type
    calibrations: Mapping[Any, CalibrationBinsResult] = field(default_factory=dict, repr=False)
    slices: Mapping[str, Mapping[Any, "Evaluation"]] = field(default_factory=dict, repr=False)

    @property
    def per_label(self) -> pd.DataFrame:
        """For each label precision, recall, F₁, support, and how often it was predicted.

        Raises:
            DataError: the model is no classifier.
        """
        return self._confusion().per_label()

    def roc(self, label: Any = None) -> RocCurve:  # Any: a label
        """The ROC curve of a label against all others; of the second one if there are two.

        Raises:
            DataError: the model gives no scores, the data hold no such rows or no others, or the label must be said.
        """
        ranking = self._ranking(label, "ROC curve")
        if not ranking.counts.negative.sum():
            raise _none("ROC curve", "the data hold no row of another label")
        return ranking.roc()

    def pr(self, label: Any = None) -> PrecisionRecallCurve:  # Any: a label
        """The precision–recall curve of a label, as `roc`."""
        return self._ranking(label, "precision–recall curve").precision_recall()

    def gain(self, label: Any = None) -> GainCurve:  # Any: a label
        """The cumulative gain and lift of a label, as `roc`."""
        return self._ranking(label, "gain curve").gain()

    def calibration(self, label: Any = None) -> CalibrationBinsResult:  # Any: a label
        """Predicted probabilities and what came, in bins, as `roc`.

        Raises:
            DataError: the model gives no probabilities, or the label must be said.
        """
        return _one(self.calibrations, label, "calibration", self._why_not("log_loss"))

    def threshold(self, *, beta: float | None = None, cost: Any = None, label: Any = None) -> Threshold:
        """The best score from which on rows count as having the label: by Fᵦ, or by the least cost.

        Args:
            beta: recall weighs β times as much as precision; 1 if neither is given.
            cost: shape (2, 2), by truth (row) and decision (column), negative first:
                [[of a true negative, of a false alarm], [of a miss, of a hit]].
            label: as in `roc`.

        Raises:
            DataError: both are given, or the model gives no scores.
        """
        if beta is not None and cost is not None:
            raise DataError("beta and cost are both given.", fix="Choose by F-measure (beta) or by cost.")
        ranking = self._ranking(label, "threshold")
        return (
            ranking.threshold_by_f(1.0 if beta is None else beta) if cost is None else ranking.threshold_by_cost(cost)
        )

    def by(self, column: str) -> Mapping[Any, "Evaluation"]:  # Any: values are of the column's type
        """The same figures of the rows with each value of a column; rows without a value are in none.

        Raises:
            DataError: they were not computed.
        """
        if column not in self.slices:
            raise DataError(
                f"The figures were not computed by {column!r}.",
                why="Slices are counted while the data are read.",
                fix=f"Ask for them: evaluate(model, data, by=[{column!r}])."
                + (f" There are those by {', '.join(map(repr, self.slices))}." if self.slices else ""),
                column=column,
            )
        return self.slices[column]

    def plot(self, kind: str, label: Any = None) -> LinePlot | ConfusionMatrix:  # Any: a label
        """A plot that prints in the terminal and shows in a notebook.

        Args:
            kind: "roc", "pr", "gain", "calibration" or "confusion".
            label: as in `roc`.

        Raises:
            DataError: there is no such plot, or nothing to draw.
        """
        if kind == "confusion":
            return self._confusion()
        if kind == "calibration":
            return calibration_plot(self.calibration(label))
        draw = {"roc": lambda: roc_plot(self.roc(label)), "pr": lambda: precision_recall_plot(self.pr(label))}
        draw["gain"] = lambda: gain_plot(self.gain(label))
        if kind not in draw:
            raise DataError(f"There is no plot {kind!r}.", fix=choices(kind, _PLOTS, "plots"), kind=kind)
        return draw[kind]()

    def _ranking(self, label: Any, what: str) -> Ranking:
        return _one(self.rankings, label, what, self._why_not("average_precision") or self._why_not("roc_auc_ovr"))

    def _confusion(self) -> ConfusionMatrix:
        if self.confusion is None:
            reason = self.skipped.get("all", "the model is no classifier, or has too many labels for a stored one")
            raise _none("confusion matrix", reason)
        return self.confusion

    def _why_not(self, metric: str) -> str:
        return self.skipped.get(metric, self.skipped.get("all", ""))

    def summary(self) -> dict[str, str]:
        """What the curves say, in words, for model cards and the like."""
        said = {}
        if len(self.rankings) == 1:
            ranking = next(iter(self.rankings.values()))
            best, top = ranking.threshold_by_f(1.0), ranking.gain().at(0.1)
            said["best F1"] = (
                f"{best.f:.4g} from the score {best.value:.4g} on: precision {best.precision:.4g}, "
                f"recall {best.recall:.4g}, {best.flagged:.1%} of the rows"
            )
            said["gain"] = f"the tenth of the rows with the highest scores holds {top:.1%} of the positive ones"
        if len(self.calibrations) == 1:
            bins = next(iter(self.calibrations.values()))
            said["calibration"] = (
                f"probabilities are off by {bins.expected_error:.4g} on average and {bins.maximum_error:.4g} at most, "
                f"in {len(bins.weight)} bins"
            )
        if self.errors:
            said["accuracy of figures"] = ", ".join(f"{k} within {v:.1g}" for k, v in self.errors.items())
        return said

    def to_dict(self) -> dict[str, Any]:  # Any: JSON
        """Plain values, for JSON. Curves keep 200 points; a confusion matrix of more than 100 labels is left out."""
        small = self.confusion is not None and len(self.confusion.labels) <= _MOST_LABELS
        points = max(_MOST_POINTS // max(len(self.rankings), 1), 20)
        return {
            "task": self.task,
            "n_rows": self.n_rows,
            "metrics": dict(self.metrics),
            "skipped": dict(self.skipped),
            "errors": dict(self.errors),
            "confusion": {"labels": _plain(self.confusion.labels), "counts": self.confusion.counts.tolist()}
            if small and self.confusion is not None
            else None,
            "rankings": [[_plain(k), ranking.thinned(points).to_dict()] for k, ranking in self.rankings.items()],
            "calibrations": [[_plain(k), _bins_to_dict(bins)] for k, bins in self.calibrations.items()],
            "slices": {c: [[_plain(k), e.to_dict()] for k, e in by.items()] for c, by in self.slices.items()},
        }

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> "Evaluation":  # Any: JSON
        """Read back what `to_dict` gave."""
        confusion = body.get("confusion")
        return cls(
            task=body["task"],
            n_rows=body["n_rows"],
            metrics=body["metrics"],
            skipped=body["skipped"],
            errors=body.get("errors", {}),
            confusion=confusion
            and ConfusionMatrix(labels=tuple(confusion["labels"]), counts=np.array(confusion["counts"], np.float64)),
            rankings={k: Ranking.from_dict(ranking) for k, ranking in body.get("rankings", [])},
            calibrations={k: _bins_from_dict(bins) for k, bins in body.get("calibrations", [])},
            slices={c: {k: cls.from_dict(e) for k, e in by} for c, by in body.get("slices", {}).items()},
        )

    @classmethod
    def left_out(cls, reason: str) -> "Evaluation":
        """An evaluation that could not be made."""
        return cls(task="other", n_rows=0, metrics={}, skipped={"all": reason})

    def _rows(self) -> list[tuple[str, str]]:
        rows = [(name, f"{value:.4g}") for name, value in self.metrics.items()]
        rows += [*self.summary().items(), *((f"no {name}", why) for name, why in self.skipped.items())]
        return [*rows, *((f"by {column}", f"{len(by)} slices") for column, by in self.slices.items())]

    def __str__(self) -> str:
        width = max((len(name) for name, _ in self._rows()), default=0)
        title = f"Evaluation ({self.task}) on {self.n_rows:,} rows"
        return "\n".join([title, *(f"{name:<{width}}  {value}" for name, value in self._rows())])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = "".join(f'<tr><th scope="row">{escape(n)}</th><td>{escape(v)}</td></tr>' for n, v in self._rows())
        parts = [f"<table><caption>Evaluation ({self.task}) on {self.n_rows:,} rows</caption>{rows}</table>"]
        if self.confusion is not None:
            parts.append(self.confusion._repr_html_())
        if len(self.rankings) == 1 and "roc_auc" in self.metrics:
            parts.append(roc_plot(self.roc())._repr_html_())
        if len(self.calibrations) == 1:
            parts.append(calibration_plot(self.calibration())._repr_html_())
        return "".join(parts)


def _one(found: Mapping[Any, T], label: Any, what: str, reason: str) -> T:
    """What belongs to a label; the only one if none is said."""
    if not found:
        raise _none(what, reason or "the model is no classifier, or gives no scores")
    if label is None and len(found) == 1:
        return next(iter(found.values()))
    if label is None or label not in found:
        problem = f"There is one {what} for each label." if label is None else f"There is no {what} of {label!r}."
        raise DataError(problem, fix=f"Say label=…: {', '.join(map(repr, list(found)[:20]))}.", known=list(found))
    return found[label]


def _none(what: str, reason: str) -> DataError:
    return DataError(
        f"There is no {what}: {reason}.",
        fix="Curves need a classifier with predict_proba or decision_function, and data that hold its labels.",
    )


def _plain(value: Any) -> Any:  # Any: a label, or several
    """A label as JSON has it."""
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    value = value.item() if isinstance(value, np.generic) else value
    return value if isinstance(value, bool | int | float | str) else str(value)


def _bins_to_dict(bins: CalibrationBinsResult) -> dict[str, Any]:
    return {
        name: [None if np.isnan(value) else value for value in getattr(bins, name).tolist()]
        for name in ("edges", "weight", "predicted", "observed")
    }


def _bins_from_dict(body: Mapping[str, Any]) -> CalibrationBinsResult:
    return CalibrationBinsResult(**{name: np.array(values, np.float64) for name, values in body.items()})
