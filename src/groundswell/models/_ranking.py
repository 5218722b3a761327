"""How well scores rank rows: ROC curve, precision–recall curve, gain, and the thresholds that are best for a purpose.

All of it follows from how many positive and negative rows have each score (`ScoreCounts`). Where close scores share a
bin, every point of a curve is still a point of the true one, and only the order within bins is unknown; so the areas
come with a bound that holds for certain.

References:
    Fawcett: An introduction to ROC analysis, Pattern Recognition Letters 27 (2006).
    Davis, Goadrich: The relationship between precision-recall and ROC curves, ICML 2006.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from groundswell.errors import DataError
from groundswell.statistics import ScoreCountsResult

__all__ = ["GainCurve", "PrecisionRecallCurve", "Ranking", "RocCurve", "Threshold"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class RocCurve:
    """The receiver operating characteristic: what share of the positive rows is found at the cost of how many others.

    Attributes:
        false_positive_rate, true_positive_rate: rising, from (0, 0) to (1, 1).
        thresholds: rows with at least this score count as positive; the first is infinite.
        auc: the area: the probability that a positive row has a higher score than a negative one, ties half.
        error: how far the area may be off; 0 if it is exact.
    """

    false_positive_rate: Floats
    true_positive_rate: Floats
    thresholds: Floats
    auc: float
    error: float


@dataclass(frozen=True, kw_only=True)
class PrecisionRecallCurve:
    """What share of the flagged rows is positive, when what share of the positive rows is flagged.

    Attributes:
        precision, recall: recall rises; the first point has recall 0 and precision 1, by convention.
        thresholds: rows with at least this score are flagged; the first is infinite.
        average_precision: Σ (Rᵢ − Rᵢ₋₁) Pᵢ.
        error: how far it may be off; 0 if it is exact.
    """

    precision: Floats
    recall: Floats
    thresholds: Floats
    average_precision: float
    error: float


@dataclass(frozen=True, kw_only=True)
class GainCurve:
    """What share of the positive rows is among the rows with the highest scores: cumulative gain, and its lift.

    Attributes:
        share: of all rows, rising from 0 to 1.
        gain: of the positive rows.
        lift: gain / share, how many times as many as among as many rows at random; NaN at share 0.
        thresholds: the score from which on rows are taken; the first is infinite.
    """

    share: Floats
    gain: Floats
    lift: Floats
    thresholds: Floats

    def at(self, share: float) -> float:
        """The gain when this share of the rows is taken, those with the highest scores first."""
        return float(np.interp(share, self.share, self.gain))


@dataclass(frozen=True, kw_only=True)
class Threshold:
    """A score from which on rows count as positive, and what comes of it.

    Attributes:
        value: the score; infinite if it is best to flag no row.
        precision: of the flagged rows; NaN if there are none.
        recall: the share of the positive rows that is flagged.
        f: the F-measure that was asked for; NaN where a cost was.
        cost: the mean cost of a row; NaN where an F-measure was asked for.
        flagged: the share of all rows.
    """

    value: float
    precision: float
    recall: float
    f: float
    cost: float
    flagged: float


@dataclass(frozen=True)
class Ranking:
    """Positive and negative rows by score.

    Args:
        counts: with at least one positive and one negative row.
    """

    counts: ScoreCountsResult

    @cached_property
    def _hits(self) -> Floats:
        return np.concatenate([[0.0], np.cumsum(self.counts.positive)])

    @cached_property
    def _false(self) -> Floats:
        return np.concatenate([[0.0], np.cumsum(self.counts.negative)])

    @cached_property
    def _thresholds(self) -> Floats:
        return np.concatenate([[np.inf], self.counts.thresholds])

    def roc(self) -> RocCurve:
        """The ROC curve, all its corners."""
        hits, false = self._hits, self._false
        pairs = hits[-1] * false[-1]
        within = float(self.counts.positive @ self.counts.negative)  # pairs of one bin, in whatever order
        above = float(self.counts.negative @ hits[:-1])
        return RocCurve(
            false_positive_rate=_ratio(false, false[-1]),
            true_positive_rate=_ratio(hits, hits[-1]),
            thresholds=self._thresholds,
            auc=(above + within / 2) / pairs if pairs else float("nan"),
            error=0.0 if self.counts.exact or not pairs else within / 2 / pairs,
        )

    def precision_recall(self) -> PrecisionRecallCurve:
        """The precision–recall curve, all its corners."""
        hits, flagged = self._hits, self._hits + self._false
        precision = np.divide(hits, flagged, out=np.ones(len(hits)), where=flagged > 0)
        total = hits[-1]
        average = float(self.counts.positive @ precision[1:] / total) if total else float("nan")
        low, high = (average, average) if self.counts.exact or not total else self._average_precision_bounds()
        return PrecisionRecallCurve(
            precision=precision,
            recall=_ratio(hits, total),
            thresholds=self._thresholds,
            average_precision=average,
            error=max(high - average, average - low, 0.0),
        )

    def _average_precision_bounds(self) -> tuple[float, float]:
        """Average precision if each bin had its negative rows first and no ties, and if it had them last."""
        before, p, n = self._hits[:-1], self.counts.positive, self.counts.negative
        flagged = before + self._false[:-1] + n
        full = p > 0
        start = np.where(full & (flagged > 0), flagged, 1.0)
        lost = np.where(flagged > 0, (self._false[:-1] + n) * np.log1p(p / start), 0.0)
        low = np.sum((p - lost)[full])
        high = np.sum((p * (before + p) / np.where(full, before + p + self._false[:-1], 1.0))[full])
        return float(low / self._hits[-1]), float(high / self._hits[-1])

    def gain(self) -> GainCurve:
        """The gain curve, all its corners."""
        taken = self._hits + self._false
        share, gain = _ratio(taken, taken[-1]), _ratio(self._hits, self._hits[-1])
        lift = np.divide(gain, share, out=np.full(len(gain), np.nan), where=share > 0)
        return GainCurve(share=share, gain=gain, lift=lift, thresholds=self._thresholds)

    def threshold_by_f(self, beta: float) -> Threshold:
        """The threshold with the largest Fᵦ; of equals the highest.

        Raises:
            DataError: β is not positive.
        """
        if not (np.isfinite(beta) and beta > 0):
            raise DataError(f"beta is {beta}.", fix="Give a positive number: 1 weighs precision and recall alike.")
        f = self._f(beta)
        return self._threshold(int(np.argmax(f)), f=f)

    def _f(self, beta: float) -> Floats:
        hits, false = self._hits, self._false
        f: Floats = (1 + beta**2) * hits / (beta**2 * hits[-1] + hits + false)
        return f

    def threshold_by_cost(self, cost: Any) -> Threshold:  # Any: an array-like
        """The threshold with the least cost; of equals the highest.

        Args:
            cost: shape (2, 2): the cost of a row by truth (row) and decision (column), negative first.

        Raises:
            DataError: it is no such matrix.
        """
        matrix = np.asarray(cost, np.float64)
        if matrix.shape != (2, 2) or not np.isfinite(matrix).all():
            raise DataError(
                f"The cost {np.array2string(matrix, threshold=8)} is no matrix of 2 × 2 finite numbers.",
                fix="Give [[of a true negative, of a false alarm], [of a miss, of a hit]].",
            )
        hits, false = self._hits, self._false
        of_negatives = matrix[0, 0] * (false[-1] - false) + matrix[0, 1] * false
        of_positives = matrix[1, 0] * (hits[-1] - hits) + matrix[1, 1] * hits
        mean = (of_negatives + of_positives) / (hits[-1] + false[-1])
        return self._threshold(int(np.argmin(mean)), cost=mean)

    def _threshold(self, i: int, *, f: Floats | None = None, cost: Floats | None = None) -> Threshold:
        hits, flagged, nan = self._hits[i], self._hits[i] + self._false[i], float("nan")
        return Threshold(
            value=float(self._thresholds[i]),
            precision=float(hits / flagged) if flagged else nan,
            recall=float(hits / self._hits[-1]),
            f=nan if f is None else float(f[i]),
            cost=nan if cost is None else float(cost[i]),
            flagged=float(flagged / (self._hits[-1] + self._false[-1])),
        )

    def thinned(self, n_points: int) -> "Ranking":
        """The same curves with at most so many points, spread evenly along the ROC curve, those best by F₁ among them.

        Each point stays where it is, so nothing moves; what lies between two points is no longer known.
        """
        if len(self.counts.thresholds) <= n_points:
            return self
        along = _ratio(self._hits, self._hits[-1]) + _ratio(self._false, self._false[-1])
        wanted = np.searchsorted(along[1:], np.linspace(0.0, along[-1], n_points - 1)[1:])
        ends = np.unique(np.append(wanted, int(np.argmax(self._f(1.0))) - 1))
        ends = np.minimum(ends[ends >= 0], len(self.counts.thresholds) - 1)
        if ends[-1] != len(self.counts.thresholds) - 1:
            ends = np.append(ends, len(self.counts.thresholds) - 1)
        starts = np.append(0, ends[:-1] + 1)
        return Ranking(
            ScoreCountsResult(
                thresholds=self.counts.thresholds[ends],
                positive=np.add.reduceat(self.counts.positive, starts),
                negative=np.add.reduceat(self.counts.negative, starts),
                exact=False,
            )
        )

    def to_dict(self) -> dict[str, Any]:  # Any: JSON
        """Plain values, for JSON."""
        counts = self.counts
        return {
            "thresholds": [repr(t) if np.isinf(t) else t for t in counts.thresholds.tolist()],  # JSON has no infinity
            "positive": counts.positive.tolist(),
            "negative": counts.negative.tolist(),
            "exact": counts.exact,
        }

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> Self:  # Any: JSON
        """Read back what `to_dict` gave."""
        return cls(
            ScoreCountsResult(
                thresholds=np.array([float(t) for t in body["thresholds"]]),
                positive=np.array(body["positive"], np.float64),
                negative=np.array(body["negative"], np.float64),
                exact=body["exact"],
            )
        )


def _ratio(part: Floats, whole: float) -> Floats:
    return part / whole if whole > 0 else np.full(len(part), np.nan)
