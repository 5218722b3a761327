"""Counts and amounts on a logarithmic scale."""

from typing import Any, Self

import numpy as np
from sklearn.base import OneToOneFeatureMixin
from sklearn.utils import Tags

from groundswell.errors import DataError
from groundswell.estimators._input import fit_input
from groundswell.estimators._transform import TableTransformer, matrix, transform_parts
from groundswell.statistics import Batch
from groundswell.statistics._matrix import Floats


class LogTransformer(OneToOneFeatureMixin, TableTransformer):  # type: ignore[misc]  # sklearn is untyped
    """log(1 + x) of features that are not negative, such as counts, prices and durations. NaN stays NaN.

    Attributes:
        n_features_in_, feature_names_in_: what it was fitted on.

    >>> LogTransformer().fit_transform([[0.0], [np.e - 1]]).ravel().tolist()
    [0.0, 1.0]
    """

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = True
        tags.input_tags.allow_nan = True
        return tags

    def fit(self, X: Any, y: Any = None) -> Self:  # Any: array-likes and tables
        """Learn the names of the features, and nothing else; arguments as for `StandardScaler.fit`.

        Raises:
            ValueError: an array has negative values. Those of a table are refused when it is read.
            ColumnNotFoundError, TypeMismatchError: a column is not there, or holds no numbers.
        """
        fit_input(self, X, y, allow_nan=True, positive=True)
        return self

    def _transform_batch(self, batch: Batch) -> Floats:
        x = matrix(batch)
        if (x < 0).any():
            row, column = np.argwhere(x < 0)[0]
            name = getattr(self, "feature_names_in_", [f"x{j}" for j in range(self.n_features_in_)])[column]
            raise DataError(
                f"{x[row, column]:g} of feature {name!r} is negative.",
                why="log(1 + x) is for counts and amounts.",
                fix="Shift the column, or scale it with RobustScaler.",
                column=str(name),
            )
        return np.log1p(x)

    def inverse_transform(self, X: Any) -> Any:  # Any: array-likes and tables
        """exp(x) − 1."""
        return transform_parts(self, X, lambda batch: np.expm1(matrix(batch)))
