"""`CalibrationBins`: what happened where a model said how probable it was."""

from dataclasses import dataclass, field

import numpy as np

from groundswell.errors import DataError
from groundswell.statistics._batch import Batch
from groundswell.statistics._matrix import Floats
from groundswell.statistics._statistic import require_equal, require_same_width

__all__ = ["CalibrationBins", "CalibrationBinsResult"]


@dataclass(frozen=True, kw_only=True)
class CalibrationBinsResult:
    """Probabilities and outcomes by bin.

    Attributes:
        edges: of the bins, shape (bins + 1,).
        weight: Σ w of the rows in each bin, shape (bins,).
        predicted: the mean probability that was given, shape (bins,); NaN in an empty bin.
        observed: the share of positive rows, shape (bins,); NaN in an empty bin.
    """

    edges: Floats
    weight: Floats
    predicted: Floats
    observed: Floats

    @property
    def expected_error(self) -> float:
        """The expected calibration error: the mean of |predicted − observed|, bins by weight; NaN without rows."""
        total = self.weight.sum()
        return float(np.nansum(self.weight * self._gaps) / total) if total else float("nan")

    @property
    def maximum_error(self) -> float:
        """The largest |predicted − observed| of a bin; NaN without rows."""
        return float(np.nanmax(self._gaps)) if self.weight.any() else float("nan")

    @property
    def _gaps(self) -> Floats:
        return np.abs(self.predicted - self.observed)


@dataclass
class CalibrationBins:
    """Mean probability and share of positive rows in bins of equal width: the reliability diagram.

    X is one column of probabilities, y says which rows are positive. A bin holds its right edge and not its left one,
    except that the first holds both, as in `sklearn.calibration.calibration_curve`.

    Missing values: NaN are refused, as is all that is no probability.

    Args:
        positive: the y of positive rows.
        n_bins: how many bins there are between 0 and 1.

    References:
        DeGroot, Fienberg: The comparison and evaluation of forecasters, The Statistician 32 (1983).
        Naeini, Cooper, Hauskrecht: Obtaining well calibrated probabilities using Bayesian binning, AAAI 2015.

    >>> bins = CalibrationBins(n_bins=2)
    >>> bins.update(Batch(X=np.array([[0.2], [0.4], [0.9]]), y=np.array([0, 1, 1])))
    >>> bins.result().predicted.round(6), bins.result().observed
    (array([0.3, 0.9]), array([0.5, 1. ]))
    """

    positive: float = 1.0
    n_bins: int = 10
    sums: Floats = field(init=False)

    def __post_init__(self) -> None:
        if self.n_bins < 1:
            raise DataError(f"{self.n_bins} bins cannot be made.", fix="Give n_bins of at least 1.")
        self.sums = np.zeros((3, self.n_bins))  # of weights, of weighted probabilities, of weights of positive rows

    def zero(self) -> "CalibrationBins":
        """The same bins, empty."""
        return CalibrationBins(self.positive, self.n_bins)

    def update(self, batch: Batch) -> None:
        """Take in the rows.

        Raises:
            DataError: X has more than one column, or a value that is no probability.
        """
        edges = np.linspace(0.0, 1.0, self.n_bins + 1)
        for block in batch.blocks():
            require_same_width(1, block.n_features, "columns of probabilities")
            said = block.matrix[:, 0].astype(np.float64)
            wrong = np.flatnonzero(~((said >= 0) & (said <= 1)))
            if len(wrong):
                raise DataError(
                    f"{said[wrong[0]]} is no probability.",
                    why="A probability lies between 0 and 1.",
                    fix="Give what predict_proba gives; scores of decision_function are no probabilities.",
                    value=float(said[wrong[0]]),
                )
            weights = np.ones(len(block)) if block.weights is None else block.weights
            hits = weights * (block.target[:, 0] == self.positive)
            bins = np.searchsorted(edges[1:-1], said)
            self.sums += [np.bincount(bins, each, self.n_bins) for each in (weights, weights * said, hits)]

    def merge(self, other: "CalibrationBins") -> None:
        """Add the sums.

        Raises:
            DataError: the other has other bins.
        """
        require_equal(self, other, "positive", "n_bins")
        self.sums = self.sums + other.sums

    def result(self) -> CalibrationBinsResult:
        """Means and shares by bin."""
        weight, said, hits = self.sums
        full = weight > 0
        return CalibrationBinsResult(
            edges=np.linspace(0.0, 1.0, self.n_bins + 1),
            weight=weight.copy(),
            predicted=np.divide(said, weight, out=np.full(self.n_bins, np.nan), where=full),
            observed=np.divide(hits, weight, out=np.full(self.n_bins, np.nan), where=full),
        )
