"""`ConfusionMatrix`: how often each label was taken for each other, and all that follows from it."""

from dataclasses import dataclass
from html import escape
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from groundswell.errors import DataError

__all__ = ["Average", "ConfusionMatrix"]

Average = Literal["micro", "macro", "weighted"]

_MOST_SHOWN = 20


@dataclass(frozen=True, kw_only=True)
class ConfusionMatrix:
    """Counts of truth (rows) by prediction (columns); with weights, sums of weights.

    Args:
        labels: of the model, and behind them those that only the data hold.
        counts: shape (labels, labels).

    >>> matrix = ConfusionMatrix(labels=("no", "yes"), counts=np.array([[5.0, 1.0], [2.0, 3.0]]))
    >>> matrix.per_label().loc["yes", ["precision", "recall"]].tolist()
    [0.75, 0.6]
    """

    labels: tuple[Any, ...]  # Any: labels are of the data's type
    counts: NDArray[np.float64]

    @property
    def accuracy(self) -> float:
        """The share of the rows on the diagonal."""
        return _ratio(float(np.trace(self.counts)), float(self.counts.sum()))

    @property
    def balanced_accuracy(self) -> float:
        """The mean recall of the labels that the data hold."""
        true = self.counts.sum(axis=1)
        held = true > 0
        return float(np.mean(np.diag(self.counts)[held] / true[held])) if held.any() else float("nan")

    @property
    def matthews(self) -> float:
        """Matthews' correlation of truth and prediction, 0 if either does not vary.

        References:
            Gorodkin: Comparing two K-category assignments by a K-category correlation coefficient, Computational
            Biology and Chemistry 28 (2004).
        """
        true, said, total = self.counts.sum(axis=1), self.counts.sum(axis=0), self.counts.sum()
        together = np.trace(self.counts) * total - true @ said
        spread = (total**2 - said @ said) * (total**2 - true @ true)
        return float(together / np.sqrt(spread)) if spread > 0 else 0.0

    def per_label(self) -> pd.DataFrame:
        """For each label precision, recall, F₁, how often it was true (support) and how often it was predicted.

        A figure whose denominator is zero is NaN.
        """
        hits, true, said = np.diag(self.counts), self.counts.sum(axis=1), self.counts.sum(axis=0)
        columns = {
            "precision": _ratios(hits, said),
            "recall": _ratios(hits, true),
            "f1": _ratios(2 * hits, true + said),
            "support": true,
            "predicted": said,
        }
        return pd.DataFrame(columns, index=pd.Index(list(self.labels), name="label", dtype=object))

    def average(self, average: Average) -> dict[str, float]:
        """Precision, recall and F₁ over all labels that occur; a figure that does not exist counts as 0.

        Args:
            average: "micro" counts rows (and all three are the accuracy), "macro" takes the plain mean over labels,
                "weighted" the mean by support.

        Raises:
            DataError: there is no such average.
        """
        if average not in ("micro", "macro", "weighted"):
            raise DataError(f"There is no average {average!r}.", fix="Choose 'micro', 'macro' or 'weighted'.")
        if average == "micro":
            return dict.fromkeys(("precision", "recall", "f1"), self.accuracy)
        table = self.per_label()
        occurs = table[(table["support"] + table["predicted"]) > 0].fillna(0.0)
        weights = occurs["support"].to_numpy() if average == "weighted" else np.ones(len(occurs))
        return {
            name: _ratio(float(weights @ occurs[name].to_numpy()), float(weights.sum()))
            for name in ("precision", "recall", "f1")
        }

    def to_pandas(self) -> pd.DataFrame:
        """The counts, truth down and prediction across."""
        index, columns = (pd.Index(list(self.labels), name=name, dtype=object) for name in ("truth", "predicted"))
        return pd.DataFrame(self.counts, index=index, columns=columns)

    def __str__(self) -> str:
        shown = self.to_pandas().iloc[:_MOST_SHOWN, :_MOST_SHOWN].map(lambda count: f"{count:,.6g}")
        names = [str(label) for label in shown.columns]
        widths = [max(len(name), *(len(text) for text in shown.iloc[:, j])) for j, name in enumerate(names)]
        side = max([len("truth"), *map(len, names)])
        lines = ["  ".join([f"{'truth':<{side}}", *(f"{n:>{w}}" for n, w in zip(names, widths, strict=True))])]
        for i, name in enumerate(names):
            cells = (f"{text:>{w}}" for text, w in zip(shown.iloc[i], widths, strict=True))
            lines.append("  ".join([f"{name:<{side}}", *cells]))
        return "\n".join(["Truth down, prediction across", *lines, *self._left_out()])

    __repr__ = __str__

    def _left_out(self) -> list[str]:
        rest = len(self.labels) - _MOST_SHOWN
        return [f"and {rest} more labels"] if rest > 0 else []

    def _repr_html_(self) -> str:
        shown = self.labels[:_MOST_SHOWN]
        head = "".join(f'<th scope="col">{escape(str(label))}</th>' for label in shown)
        body = "".join(
            f'<tr><th scope="row">{escape(str(label))}</th>' + "".join(self._cells(i, len(shown))) + "</tr>"
            for i, label in enumerate(shown)
        )
        caption = escape("; ".join(["Truth down, prediction across", *self._left_out()]))
        return (
            f"<table><caption>{caption}</caption><thead><tr><th></th>{head}</tr></thead><tbody>{body}</tbody></table>"
        )

    def _cells(self, i: int, width: int) -> list[str]:
        """The cells of a row, the darker the larger their share of it; the number says the same."""
        total = self.counts[i].sum() or 1.0
        return [
            f'<td style="background:rgba(43,108,176,{0.6 * count / total:.2f})">{count:,.6g}</td>'
            for count in self.counts[i, :width]
        ]


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else float("nan")


def _ratios(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    ratios = np.full(len(part), np.nan)
    np.divide(part, whole, out=ratios, where=whole > 0)
    return ratios
