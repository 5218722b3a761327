"""`RegressionErrors`: how far predictions are from the values that came."""

import math
from dataclasses import dataclass, field

import numpy as np

from groundswell.errors import DataError
from groundswell.statistics._batch import Batch
from groundswell.statistics._level_counts import LevelCounts
from groundswell.statistics._min_max import MinMax
from groundswell.statistics._moments import Moments
from groundswell.statistics._statistic import require_equal, require_same_width

__all__ = ["RegressionErrors", "RegressionErrorsResult"]


@dataclass(frozen=True, kw_only=True)
class RegressionErrorsResult:
    """Errors are predictions less values; all NaN without rows.

    Attributes:
        weight: Σ w.
        mse: the mean squared error.
        mae: the mean absolute error.
        mape: the mean absolute error relative to the value, as scikit-learn has it; huge where a value is 0.
        mean_error: the bias.
        error_variance: of the errors around their mean.
        target_variance: of the values around theirs.
        max_error: the largest absolute error.
        median_absolute_error: half of the rows are off by less.
        median_error: how far that median may be off; 0 if it is exact.
    """

    weight: float
    mse: float
    mae: float
    mape: float
    mean_error: float
    error_variance: float
    target_variance: float
    max_error: float
    median_absolute_error: float
    median_error: float

    @property
    def rmse(self) -> float:
        """The root of the mean squared error."""
        return math.sqrt(self.mse)

    @property
    def r2(self) -> float:
        """The share of the variance that is explained, 1 − mse / variance; NaN if the values do not vary."""
        return 1.0 - self.mse / self.target_variance if self.target_variance > 0 else math.nan

    @property
    def explained_variance(self) -> float:
        """The same, were the bias taken away; NaN if the values do not vary."""
        return 1.0 - self.error_variance / self.target_variance if self.target_variance > 0 else math.nan


@dataclass
class RegressionErrors:
    """Sums of the errors of predictions, and their sizes for the median.

    X is one column of predictions, y the values that came. Sums are taken around pilots, as those of `Moments`.

    Missing values: NaN and infinite values are refused.

    Args:
        max_sizes: how many sizes of errors are told apart; the median is exact up to so many, and beyond within one
            part in 5,000 for 65,536. None keeps them all.

    >>> errors = RegressionErrors()
    >>> errors.update(Batch(X=np.array([[3.0], [5.0], [4.0]]), y=np.array([3.0, 3.0, 5.0])))
    >>> result = errors.result()
    >>> result.mae, result.median_absolute_error, round(result.r2, 6)
    (1.0, 1.0, -0.875)
    """

    max_sizes: int | None = 65_536
    moments: Moments = field(init=False, default_factory=Moments)
    span: MinMax = field(init=False, default_factory=MinMax)
    sizes: LevelCounts = field(init=False)

    def __post_init__(self) -> None:
        self.sizes = LevelCounts(1, self.max_sizes)

    def zero(self) -> "RegressionErrors":
        """The same settings, no errors."""
        return RegressionErrors(self.max_sizes)

    def update(self, batch: Batch) -> None:
        """Add the rows.

        Raises:
            DataError: X has more than one column, or a value or a prediction is NaN or infinite.
        """
        for block in batch.blocks():
            require_same_width(1, block.n_features, "columns of predictions")
            said, came = block.matrix[:, 0].astype(np.float64), block.target[:, 0]
            for what, values in (("prediction", said), ("value", came)):
                wrong = values[~np.isfinite(values)]
                if len(wrong):
                    raise DataError(
                        f"{len(wrong):,} rows have a {what} that is {wrong[0]}.",
                        why="The error of such a row is no number.",
                        fix="Leave these rows out, or repair what made them.",
                        rows=len(wrong),
                    )
            errors = said - came
            sizes = np.abs(errors)
            relative = sizes / np.maximum(np.abs(came), np.finfo(np.float64).eps)
            derived = np.asfortranarray(np.stack([errors, sizes, errors**2, relative, came], axis=1))
            self.moments.update(Batch(X=derived, weights=block.weights))
            self.span.update(Batch(X=sizes[:, None]))
            self.sizes.add(sizes, (np.ones(len(sizes)) if block.weights is None else block.weights)[None])

    def merge(self, other: "RegressionErrors") -> None:
        """Add the sums.

        Raises:
            DataError: the other has other settings.
        """
        require_equal(self, other, "max_sizes")
        self.moments.merge(other.moments)
        self.span.merge(other.span)
        self.sizes.merge(other.sizes)

    def result(self) -> RegressionErrorsResult:
        """The means."""
        moments = self.moments.result()
        if not len(moments.weight):
            nothing = dict.fromkeys(_FIGURES, math.nan)
            return RegressionErrorsResult(weight=0.0, **nothing)
        mean, variance = moments.mean.tolist(), moments.variance().tolist()
        median, off = self.sizes.median()
        return RegressionErrorsResult(
            weight=float(moments.weight[0]),
            mean_error=mean[0],
            mae=mean[1],
            mse=mean[2],
            mape=mean[3],
            error_variance=variance[0],
            target_variance=variance[4],
            max_error=float(self.span.result().maximum[0]),
            median_absolute_error=median,
            median_error=off,
        )


_FIGURES = [name for name in RegressionErrorsResult.__dataclass_fields__ if name != "weight"]
