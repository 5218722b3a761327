"""Columns of any type as input: categories, texts and numbers side by side, from arrays, data frames and tables.

What `_input` does for matrices of numbers is done here for columns: an estimator sees batches whose columns have the
names of its features, and folds statistics over them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_array, check_consistent_length
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, _check_y, validate_data

from groundswell.engines import ArrayBatches, Batches, Roles, as_scannable, fold
from groundswell.errors import DataError, TypeMismatchError
from groundswell.estimators._input import batches_of, is_table, table_roles, validated
from groundswell.estimators._row_errors import no_rows
from groundswell.statistics import Batch, Statistic
from groundswell.statistics._matrix import whole

S = TypeVar("S", bound=Statistic[Any])  # Any: whatever the statistic's result is


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Checked columns to learn from.

    Attributes:
        batches: the rows; each batch has the features as named columns.
        names: of the features, in order.
        types: theirs; of dictionaries that of the values.
    """

    batches: Batches
    names: tuple[str, ...]
    types: tuple[pa.DataType, ...]

    def fold(self, statistic: S) -> S:
        """The statistic after all rows.

        Raises:
            FitError: there are no rows.
        """
        if self.batches.rows == 0:
            raise no_rows()
        return fold(self.batches, statistic)


def fit_columns(estimator: BaseEstimator, X: Any, y: Any = None) -> Columns:  # Any: array-likes and tables
    """Check what was given to `fit` and set `n_features_in_` and `feature_names_in_`.

    Args:
        estimator: it gets the two attributes.
        X: an array-like of shape (rows, features), a data frame, or a table.
        y: not used; with a table the name of a column that is no feature.

    Raises:
        ColumnNotFoundError: y is not in the table.
        TypeMismatchError: a column holds values of several types, or of one that has no categories.
        ValueError: arrays that scikit-learn refuses.
    """
    if is_table(X):
        source = as_scannable(X)
        roles = table_roles(estimator, X, source, y)
        types = [source.schema.field(name).type for name in roles.X]
        batches = batches_of(source, Roles(columns=roles.X))
        return Columns(batches=batches, names=roles.X, types=_value_types(roles.X, types))
    estimator.__dict__.pop("_learned_from_table", None)
    batch = array_columns(estimator, X, reset=True)
    names, types = tuple(batch.columns), [arrow_column(batch, name).type for name in batch.columns]
    return Columns(batches=ArrayBatches(batch), names=names, types=_value_types(names, types))


def fit_labeled_columns(
    estimator: BaseEstimator, X: Any, y: Any, sample_weight: Any = None
) -> Columns:  # Any: as above
    """The same for a supervised estimator: batches have labels and weights too.

    Args:
        estimator: it gets the two attributes.
        X: as for `fit_columns`.
        y: labels of shape (rows,); with a table the name of its label column.
        sample_weight: shape (rows,); with a table the name of its column of weights.

    Raises:
        ColumnNotFoundError: a named column is not in the table.
        SchemaError: with a table, labels or weights are an array, or labels are not named.
        TypeMismatchError: a column holds values of several types, or of one that has no categories.
        ValueError: arrays that scikit-learn refuses.
    """
    if is_table(X):
        source = as_scannable(X)
        roles = table_roles(estimator, X, source, y, sample_weight, needs_y=True)
        types = [source.schema.field(name).type for name in roles.X]
        batches = batches_of(source, Roles(columns=roles.X, y=roles.y, weights=roles.weights))
        return Columns(batches=batches, names=roles.X, types=_value_types(roles.X, types))
    columns = fit_columns(estimator, X)
    if y is None:
        raise ValueError(f"{type(estimator).__name__} requires y to be passed, but the target y is None")
    labels = _check_y(y, estimator=estimator)
    check_classification_targets(labels)
    rows = columns.batches.batch  # type: ignore[attr-defined]  # of arrays they are one batch
    check_consistent_length(rows.column(columns.names[0]), labels)
    weights = None if sample_weight is None else _check_sample_weight(sample_weight, labels, dtype=np.float64)
    return replace(columns, batches=ArrayBatches(Batch(columns=rows.columns, y=labels, weights=weights)))


def feature_keys(estimator: BaseEstimator) -> tuple[str, ...]:
    """The names by which a fitted estimator finds its columns in a batch: its features', or x0, x1, …."""
    known = getattr(estimator, "feature_names_in_", None)
    if known is None:
        return tuple(f"x{j}" for j in range(estimator.n_features_in_))
    return tuple(str(name) for name in known)


def input_names(estimator: BaseEstimator, given: Any) -> tuple[str, ...]:  # Any: an array-like of names
    """The names of the features: those given, which must fit the fit, or those of the fit.

    Raises:
        DataError: there are not as many names as features, or others than those of the fit.
    """
    if given is None:
        return feature_keys(estimator)
    names = tuple(str(name) for name in given)
    known = getattr(estimator, "feature_names_in_", None)
    if known is not None and names != feature_keys(estimator):
        raise DataError(
            f"input_features is not equal to feature_names_in_: {list(names)[:10]}.",
            fix="Leave input_features out, or give the names of the fit.",
        )
    if len(names) != estimator.n_features_in_:
        raise DataError(
            f"input_features should have length equal to number of features ({estimator.n_features_in_}), "
            f"got {len(names)}.",
            fix="Give one name for each feature.",
        )
    return names


def array_columns(estimator: BaseEstimator, X: Any, *, reset: bool = False) -> Batch:  # Any: array-likes
    """An array or data frame as a batch of named columns; its features must be those of the fit unless `reset`.

    Raises:
        TypeMismatchError: a column holds values of several types.
        ValueError: arrays that scikit-learn refuses.
    """
    if isinstance(X, pd.DataFrame) or type(X).__module__.startswith("polars"):
        validate_data(estimator, X, skip_check_array=True, reset=reset)
        if not len(X) or not X.shape[1]:
            check_array(np.empty(X.shape))  # raises scikit-learn's own message
        series = [X.iloc[:, j] if isinstance(X, pd.DataFrame) else X[:, j] for j in range(X.shape[1])]
    else:
        checked = _checked_array(estimator, X, reset=reset)
        series = [checked[:, j] for j in range(checked.shape[1])]
    keys = feature_keys(estimator)
    return Batch(columns={key: _arrow(column, key) for key, column in zip(keys, series, strict=True)})


def arrow_column(batch: Batch, name: str) -> pa.Array:
    """A column of a batch as Arrow.

    Raises:
        ColumnNotFoundError: it has no such column.
    """
    column = batch.column(name)
    return pa.array(column, from_pandas=True) if isinstance(column, np.ndarray) else whole(column)


def _checked_array(estimator: BaseEstimator, X: Any, *, reset: bool) -> NDArray[Any]:  # Any: array-likes
    """The array in its own type; a list of lists that numpy would turn into text keeps its numbers."""
    check = partial(validate_data, reset=True) if reset else validated
    checked: NDArray[Any] = check(estimator, X, dtype=None, ensure_all_finite="allow-nan")
    if not hasattr(X, "dtype") and np.issubdtype(checked.dtype, np.str_):
        checked = check(estimator, X, dtype=object, ensure_all_finite="allow-nan")
    return checked


def _arrow(column: Any, name: str) -> pa.Array:  # Any: a column of numpy, pandas or polars
    if hasattr(column, "to_arrow"):
        return column.to_arrow()
    try:
        array = pa.array(column, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        kinds = sorted({type(value).__name__ for value in column if value is not None})
        raise TypeMismatchError(
            f"Column {name!r} has values of the types {', '.join(kinds)}: the argument must be uniformly strings or "
            "numbers.",
            why="Categories of different types have no common order and no common column.",
            fix=f"Cast the column to one type, such as text: column.astype(str). Arrow says: {error}",
            column=name,
        ) from None
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def _value_types(names: Sequence[str], types: Sequence[pa.DataType]) -> tuple[pa.DataType, ...]:
    found = []
    for name, kind in zip(names, types, strict=True):
        value = kind.value_type if pa.types.is_dictionary(kind) else kind
        if pa.types.is_nested(value):
            raise TypeMismatchError(
                f"Column {name!r} has the type {value}, whose values are no categories: the argument must be "
                "uniformly strings or numbers.",
                fix="Take the values apart into columns of their own, or leave the column out.",
                column=name,
                type=str(value),
            )
        found.append(value)
    return tuple(found)
