"""`score` of classifiers and regressors: scikit-learn's figure, of tables as well as of arrays."""

from typing import Any

import numpy as np
import pyarrow as pa
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils.validation import check_is_fitted

from groundswell.engines import Roles, as_scannable
from groundswell.errors import FitError
from groundswell.estimators._input import batches_of, is_table, table_roles


class Classifier(ClassifierMixin):  # type: ignore[misc]  # sklearn is untyped
    """A classifier that scores tables too."""

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:  # Any: array-likes and tables
        """The share of rows whose label is predicted (accuracy).

        Of a table the labels and predictions are held in memory; `groundswell.evaluate` holds neither.

        Args:
            X: shape (rows, features), or a table.
            y: shape (rows,); with a table the name of its label column.
            sample_weight: shape (rows,); with a table the name of its column of weights.

        Raises:
            FitError: a table has no rows, or a label is missing.
            ColumnNotFoundError: a column is not in the table.
        """
        if is_table(X):
            labels, sample_weight = _labels(self, X, y, sample_weight)
            return float(accuracy_score(np.asarray(labels.to_pylist()), self.predict(X), sample_weight=sample_weight))
        return float(super().score(X, y, sample_weight))


class Regressor(RegressorMixin):  # type: ignore[misc]  # sklearn is untyped
    """A regressor that scores tables too."""

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:  # Any: array-likes and tables
        """The coefficient of determination, R².

        Of a table the labels and predictions are held in memory; `groundswell.evaluate` holds neither.

        Args:
            X: shape (rows, features), or a table.
            y: shape (rows,) or (rows, targets); with a table the name of its label column.
            sample_weight: shape (rows,); with a table the name of its column of weights.

        Raises:
            FitError: a table has no rows, or a label is missing.
            ColumnNotFoundError: a column is not in the table.
        """
        if is_table(X):
            labels, sample_weight = _labels(self, X, y, sample_weight)
            return float(r2_score(labels.to_numpy(), self.predict(X), sample_weight=sample_weight))
        return float(super().score(X, y, sample_weight))


def _labels(
    estimator: BaseEstimator,
    X: Any,  # Any: tables
    y: Any,
    sample_weight: Any,
) -> tuple[pa.ChunkedArray, Any]:
    """The label column of a table, and that of the weights if one is named."""
    check_is_fitted(estimator)
    source = as_scannable(X)
    roles = table_roles(estimator, X, source, y, sample_weight, needs_y=True, reset=False)
    read = Roles(columns=(str(roles.y),), weights=roles.weights)
    parts = [part() for part in batches_of(source, read).parts()]
    known = [pa.table({"y": part.column(read.columns[0])}) for part in parts]
    labels = pa.concat_tables(known)["y"] if known else pa.chunked_array([], source.schema.field(roles.y).type)
    if not len(labels) or labels.null_count:
        raise FitError(
            f"The label {roles.y!r} has {len(labels)} rows, {labels.null_count} of them without a value.",
            why="A score compares each prediction with what came.",
            fix="Filter the rows.",
        )
    return labels, None if roles.weights is None else np.concatenate([part.weights for part in parts])
