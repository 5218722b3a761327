"""The curves of an evaluation as plots."""

import numpy as np
from numpy.typing import NDArray

from groundswell.models._ranking import GainCurve, PrecisionRecallCurve, RocCurve
from groundswell.plots import Line, LinePlot
from groundswell.statistics import CalibrationBinsResult

__all__ = ["calibration_plot", "gain_plot", "precision_recall_plot", "roc_plot"]

_MOST_POINTS = 1_000
_DIAGONAL = (0.0, 1.0)


def roc_plot(curve: RocCurve) -> LinePlot:
    """The ROC curve and the diagonal of chance."""
    return LinePlot(
        title=f"ROC curve, area {curve.auc:.4g}",
        x_label="false positive rate",
        y_label="true positive rate",
        lines=(
            _line("model", curve.false_positive_rate, curve.true_positive_rate),
            Line(name="chance", x=_DIAGONAL, y=_DIAGONAL, reference=True),
        ),
        note=_worth("area", curve.error),
    )


def precision_recall_plot(curve: PrecisionRecallCurve) -> LinePlot:
    """The precision–recall curve and the precision of chance."""
    share = float(curve.precision[-1])
    return LinePlot(
        title=f"Precision–recall curve, average precision {curve.average_precision:.4g}",
        x_label="recall",
        y_label="precision",
        lines=(
            _line("model", curve.recall, curve.precision),
            Line(name="chance", x=_DIAGONAL, y=(share, share), reference=True),
        ),
        note=_worth("average precision", curve.error),
    )


def gain_plot(curve: GainCurve) -> LinePlot:
    """The cumulative gain and the diagonal of chance."""
    return LinePlot(
        title=f"Gain, {curve.at(0.1):.1%} of the positive rows in the first tenth",
        x_label="share of the rows, highest scores first",
        y_label="share of the positive rows",
        lines=(
            _line("model", curve.share, curve.gain),
            Line(name="chance", x=_DIAGONAL, y=_DIAGONAL, reference=True),
        ),
        note="points between corners are of rows of equal scores, or of one bin, in random order",
    )


def calibration_plot(bins: CalibrationBinsResult) -> LinePlot:
    """What came against what was said, and the diagonal of perfect calibration."""
    full = bins.weight > 0
    return LinePlot(
        title=f"Calibration, expected error {bins.expected_error:.4g}",
        x_label="predicted probability",
        y_label="observed share",
        lines=(
            Line(name="model", x=bins.predicted[full].tolist(), y=bins.observed[full].tolist()),
            Line(name="perfect", x=_DIAGONAL, y=_DIAGONAL, reference=True),
        ),
        note=f"{int(full.sum())} of {len(bins.weight)} bins hold rows",
    )


def _line(name: str, x: NDArray[np.float64], y: NDArray[np.float64]) -> Line:
    """A curve with no more points than can be seen."""
    chosen = np.unique(np.linspace(0, len(x) - 1, _MOST_POINTS).round().astype(np.int64))
    return Line(name=name, x=x[chosen].tolist(), y=y[chosen].tolist())


def _worth(what: str, error: float) -> str:
    return "exact" if error == 0 else f"the {what} is within {error:.2g}"
