"""Scalers: columns brought to a common scale by sums that merge."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import OneToOneFeatureMixin

from groundswell.errors import FitError
from groundswell.estimators._input import fit_input
from groundswell.estimators._row_errors import no_rows, require_finite
from groundswell.estimators._transform import TableTransformer, transform_parts
from groundswell.statistics import Batch, MinMax, MinMaxResult, Moments


class Scaler(OneToOneFeatureMixin, TableTransformer):  # type: ignore[misc]  # sklearn is untyped
    """What the scalers share: z = (x − center) / scale, column by column. NaN stays NaN and is left out of the fit."""

    _center: NDArray[np.float64]
    _scale: NDArray[np.float64]

    def _transform_batch(self, batch: Batch) -> NDArray[np.float64]:
        made: NDArray[np.float64] = np.subtract(batch.matrix, self._center)  # in float64, as the center is
        made /= self._scale
        return made

    def inverse_transform(self, X: Any) -> Any:  # Any: array-likes and tables
        """The features as they were before scaling."""
        return transform_parts(self, X, self._unscaled)

    def _unscaled(self, batch: Batch) -> NDArray[np.float64]:
        made: NDArray[np.float64] = np.multiply(batch.matrix, self._scale)
        made += self._center
        return made

    def __sklearn_tags__(self) -> Any:  # Any: scikit-learn's tags
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


class StandardScaler(Scaler):
    """Standardize features: z = (x − mean) / standard deviation, with ddof = 0 as scikit-learn (Spark takes 1).

    Args:
        with_mean: whether to subtract the mean.
        with_std: whether to divide by the standard deviation; a constant column is divided by 1.

    Attributes:
        mean_, var_, scale_: shape (features,).
        n_samples_seen_: rows, or the sum of their weights.

    References:
        Chan, Golub, LeVeque, Algorithms for computing the sample variance, The American Statistician 37, 1983.

    >>> StandardScaler().fit_transform(np.array([[1.0], [3.0]])).ravel().tolist()
    [-1.0, 1.0]
    """

    def __init__(self, *, with_mean: bool = True, with_std: bool = True) -> None:
        self.with_mean, self.with_std = with_mean, with_std

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:  # Any: array-likes and tables
        """Learn mean and standard deviation.

        Args:
            X: shape (rows, features), or a table; NaN is left out column by column.
            y: not used; with a table the name of a column that is no feature.
            sample_weight: shape (rows,); with a table the name of its column of weights.

        Raises:
            FitError: there are no rows, or a value is infinite.
            ColumnNotFoundError, TypeMismatchError: a column is not there, or holds no numbers.
        """
        data = fit_input(self, X, y, sample_weight, allow_nan=True)
        moments = data.fold(Moments()).result()
        if not moments.weight.size:
            raise no_rows()
        require_finite(moments.mean[moments.weight > 0], moments.variance()[moments.weight > 0])
        self.n_samples_seen_ = float(np.max(moments.weight + moments.missing))
        self.mean_ = moments.mean
        self.var_ = moments.variance()
        # Rounding leaves a constant column a variance near ε²·mean², by which nothing should be divided.
        noise = 10 * np.finfo(np.float64).eps * np.abs(self.mean_)
        self.scale_ = np.where(np.sqrt(self.var_) > noise, np.sqrt(self.var_), 1.0)
        self._center = self.mean_ if self.with_mean else np.zeros_like(self.mean_)
        self._scale = self.scale_ if self.with_std else np.ones_like(self.scale_)
        return self


class MinMaxScaler(Scaler):
    """Scale features to a range: the least value to its beginning, the greatest to its end.

    Args:
        feature_range: beginning and end.

    Attributes:
        data_min_, data_max_: shape (features,).

    >>> MinMaxScaler().fit_transform(np.array([[1.0], [2.0], [5.0]])).ravel().tolist()
    [0.0, 0.25, 1.0]
    """

    def __init__(self, feature_range: tuple[float, float] = (0, 1)) -> None:
        self.feature_range = feature_range

    def fit(self, X: Any, y: Any = None) -> Self:  # Any: array-likes and tables
        """Learn the ranges; arguments as for `StandardScaler.fit`.

        Raises:
            FitError: there are no rows, or the range does not rise.
            ColumnNotFoundError, TypeMismatchError: a column is not there, or holds no numbers.
        """
        low, high = self.feature_range
        if low >= high:
            raise FitError(
                f"The range {self.feature_range} does not rise.",
                fix="Give (low, high) with low < high, such as (0, 1).",
            )
        span = fit_input(self, X, y, allow_nan=True).fold(MinMax()).result()
        if not span.minimum.size:
            raise no_rows()
        _require_bounds(span)
        self.data_min_, self.data_max_ = span.minimum, span.maximum
        width = np.where(span.maximum > span.minimum, span.maximum - span.minimum, 1.0)
        self._scale = width / (high - low)
        self._center = span.minimum - low * self._scale
        return self


class MaxAbsScaler(Scaler):
    """Divide each feature by its largest absolute value, so that zeros stay zeros.

    Attributes:
        max_abs_, scale_: shape (features,).

    >>> MaxAbsScaler().fit_transform(np.array([[-4.0], [2.0]])).ravel().tolist()
    [-1.0, 0.5]
    """

    def fit(self, X: Any, y: Any = None) -> Self:  # Any: array-likes and tables
        """Learn the largest absolute values; arguments as for `StandardScaler.fit`.

        Raises:
            FitError: there are no rows.
            ColumnNotFoundError, TypeMismatchError: a column is not there, or holds no numbers.
        """
        span = fit_input(self, X, y, allow_nan=True).fold(MinMax()).result()
        if not span.minimum.size:
            raise no_rows()
        _require_bounds(span)
        self.max_abs_ = np.maximum(np.abs(span.minimum), np.abs(span.maximum))
        self.scale_ = np.where(self.max_abs_ > 0, self.max_abs_, 1.0)
        self._center, self._scale = np.zeros_like(self.scale_), self.scale_
        return self


def _require_bounds(span: MinMaxResult) -> None:
    """Raise unless the extremes are finite; those of a feature without values are NaN."""
    require_finite(*(bound[~np.isnan(bound)] for bound in (span.minimum, span.maximum)))
