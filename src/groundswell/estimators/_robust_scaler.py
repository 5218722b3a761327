"""Scaling by quantiles, which outliers do not move."""

from typing import Any, Self

import numpy as np
from scipy.stats import norm

from groundswell.errors import FitError
from groundswell.estimators._input import fit_input
from groundswell.estimators._quantiles import quantiles
from groundswell.estimators._row_errors import require_finite
from groundswell.estimators._scalers import Scaler


class RobustScaler(Scaler):
    """Scale features by their median and the range between two quantiles: z = (x − median) / range.

    The quantiles are exact, on tables too, by one to six passes.

    Args:
        with_centering: whether to subtract the median.
        with_scaling: whether to divide by the range; a range of zero counts as 1.
        quantile_range: the lower and the upper quantile in percent.
        unit_variance: whether the range is divided by that of a standard normal, so that normal features get
            variance 1.

    Attributes:
        center_, scale_: shape (features,); None if not asked for.
        n_features_in_, feature_names_in_: what it was fitted on.

    >>> RobustScaler().fit_transform(np.array([[1.0], [2.0], [3.0], [1000.0]])).ravel().round(3).tolist()
    [-0.006, -0.002, 0.002, 3.982]
    """

    def __init__(
        self,
        *,
        with_centering: bool = True,
        with_scaling: bool = True,
        quantile_range: tuple[float, float] = (25.0, 75.0),
        unit_variance: bool = False,
    ) -> None:
        self.with_centering, self.with_scaling = with_centering, with_scaling
        self.quantile_range, self.unit_variance = quantile_range, unit_variance

    def fit(self, X: Any, y: Any = None) -> Self:  # Any: array-likes and tables
        """Learn the quantiles; arguments as for `StandardScaler.fit`.

        Raises:
            FitError: there are no rows, a quantile is infinite, or the range is none.
            ColumnNotFoundError, TypeMismatchError: a column is not there, or holds no numbers.
        """
        low, high = self.quantile_range
        if not 0 <= low <= high <= 100:
            raise FitError(
                f"Invalid quantile range: {self.quantile_range}.",
                why="Quantiles are in percent, the lower before the upper.",
                fix="Use (25.0, 75.0), for example.",
            )
        data = fit_input(self, X, y, allow_nan=True)
        found = quantiles(data, [low / 100, 0.5, high / 100])
        require_finite(found[~np.isnan(found)])
        self._center, self._scale = np.zeros(len(found)), np.ones(len(found))
        self.center_ = self.scale_ = None
        if self.with_centering:
            self.center_ = self._center = found[:, 1]
        if self.with_scaling:
            width = found[:, 2] - found[:, 0]
            width = np.where(np.abs(width) < 10 * np.finfo(np.float64).eps, 1.0, width)
            if self.unit_variance:
                width = width / (norm.ppf(high / 100) - norm.ppf(low / 100))
            self.scale_ = self._scale = width
        return self
