"""What estimators take: arrays as scikit-learn does, and tables that need not fit in memory.

An array, a sparse matrix or a data frame goes through scikit-learn's own checks and is cut into batches without a copy.
A Parquet path, an Arrow table or stream, or data of ours becomes batches that are decoded part by part. Either way an
estimator sees `Batches` and folds statistics over them, so the same object learns from both to the same answer.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from os import PathLike
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.utils import check_array, get_tags
from sklearn.utils.validation import (
    _check_n_features,
    _check_sample_weight,
    _get_feature_names,
    check_is_fitted,
    check_non_negative,
    validate_data,
)

from groundswell.engines import (
    ArrayBatches,
    Batches,
    Cached,
    Roles,
    Scannable,
    TableBatches,
    as_scannable,
    fold,
)
from groundswell.errors import ColumnNotFoundError, SchemaError, TypeMismatchError, choices
from groundswell.estimators._kept_batches import KeptBatches
from groundswell.estimators._row_errors import numbers_only, require_complete
from groundswell.estimators._row_major import RowMajor
from groundswell.statistics import Batch, Statistic
from groundswell.types import is_numeric

S = TypeVar("S", bound=Statistic[Any])  # Any: whatever the statistic's result is

CACHE_BYTES = 512 << 20
"""How much of a table an estimator with several passes keeps decoded in memory."""


@dataclass(frozen=True, kw_only=True)
class Input:
    """Checked data to learn from.

    Args:
        batches: the rows; each batch has X, and y and weights if they were given.
        n_features: columns of X.
        y_ndim: dimensions of y; a table's label column has one.
    """

    batches: Batches
    n_features: int
    y_ndim: int = 1

    def fold(self, statistic: S) -> S:
        """The statistic after all rows.

        Raises:
            FitError: a value is missing.
        """
        seen = fold(self.batches, statistic)
        require_complete(getattr(seen, "dropped", 0.0), "X or y")
        return seen

    @contextmanager
    def cached(self, *, row_major: bool = False) -> Iterator["Input"]:
        """The same input for several passes: what a table decodes or makes is kept as far as memory allows.

        Args:
            row_major: whether X of a table that is decoded is kept row by row, without y.
        """
        if isinstance(self.batches, ArrayBatches):
            yield self
            return
        if not isinstance(self.batches, TableBatches):
            yield replace(self, batches=KeptBatches(self.batches, CACHE_BYTES))
            return
        if row_major:
            yield replace(self, batches=KeptBatches(RowMajor(self.batches), CACHE_BYTES))
            return
        roles = self.batches.roles
        with Cached(self.batches.source, roles.names, memory_bytes=CACHE_BYTES) as kept:
            yield replace(self, batches=TableBatches(kept, roles))


@runtime_checkable
class BatchSource(Protocol):
    """A table that makes batches itself: one that computes its columns, and has them as a matrix at once."""

    def batches(self, roles: Roles) -> Batches:
        """The rows as batches of the named columns."""


def batches_of(source: Scannable, roles: Roles) -> Batches:
    """The rows of a table as batches; a matrix of one that computes it may be sparse."""
    return source.batches(roles) if isinstance(source, BatchSource) else TableBatches(source, roles)


def is_table(X: object) -> bool:
    """Whether X is a table to be read in parts rather than an array or data frame in memory."""
    if isinstance(X, pd.DataFrame | np.ndarray) or type(X).__module__.startswith("polars"):
        return False
    return isinstance(X, str | PathLike | Scannable) or hasattr(X, "__arrow_c_stream__")


def fit_input(
    estimator: BaseEstimator,
    X: Any,  # Any: scikit-learn's array-likes and all tables
    y: Any = None,
    sample_weight: Any = None,
    *,
    needs_y: bool = False,
    numeric_y: bool = False,
    multi_output: bool = False,
    accept_sparse: bool = False,
    reset: bool = True,
    positive: bool = False,
    allow_nan: bool = False,
) -> Input:
    """Check what was given to `fit` and set `n_features_in_` and `feature_names_in_`.

    Args:
        estimator: it gets the two attributes.
        X: an array-like of shape (rows, features), or a table.
        y: labels of shape (rows,) or (rows, targets); with a table the name of its label column.
        sample_weight: shape (rows,); with a table the name of its column of weights.
        needs_y: whether the estimator is supervised.
        numeric_y: whether y must be numbers.
        multi_output: whether y may have several columns.
        accept_sparse: whether X may be a scipy sparse matrix.
        reset: whether this is a first fit; otherwise X must have the features of before.
        positive: whether X must not be negative.
        allow_nan: whether X may have missing values.

    Raises:
        ColumnNotFoundError: a named column is not in the table.
        TypeMismatchError: a column holds no numbers.
        ValueError: arrays that scikit-learn refuses.
    """
    if is_table(X):
        return _table_input(estimator, X, y, sample_weight, needs_y=needs_y, reset=reset, numeric_y=numeric_y)
    options: dict[str, Any] = {"accept_sparse": ["csr", "csc"] if accept_sparse else False, "reset": reset}
    options["dtype"] = [np.float64, np.float32]
    options["ensure_all_finite"] = "allow-nan" if allow_nan else True
    estimator.__dict__.pop("_learned_from_table", None)
    if needs_y:
        X, y = validate_data(estimator, X, y, y_numeric=numeric_y, multi_output=multi_output, **options)
    else:
        X = validate_data(estimator, X, **options)
    if positive:
        check_non_negative(X, type(estimator).__name__)
    weights = None if sample_weight is None else _check_sample_weight(sample_weight, X, dtype=np.float64)
    if not isinstance(X, np.ndarray):
        X = X.tocsr()
    labels = None if y is None else np.asarray(y)
    batches = ArrayBatches(Batch(X=X, y=labels, weights=weights))
    return Input(batches=batches, n_features=X.shape[1], y_ndim=1 if labels is None else labels.ndim)


def _table_input(
    estimator: BaseEstimator, X: Any, y: Any, sample_weight: Any, *, needs_y: bool, reset: bool, numeric_y: bool
) -> Input:  # Any: as in fit_input
    source = as_scannable(X)
    roles = table_roles(estimator, X, source, y, sample_weight, needs_y=needs_y, reset=reset)
    check_numeric(source.schema, roles.X)
    if numeric_y and roles.y is not None:
        check_numeric(source.schema, [roles.y], fix="Use a classifier, or name a label that holds numbers.")
    return Input(batches=batches_of(source, roles), n_features=len(roles.X))


def table_roles(
    estimator: BaseEstimator,
    X: Any,  # Any: as in fit_input
    source: Scannable,
    y: Any = None,
    sample_weight: Any = None,
    *,
    needs_y: bool = False,
    reset: bool = True,
) -> Roles:
    """What the columns of a table are: all but the label and the weights are features. Arguments as for `fit_input`.

    Raises:
        ColumnNotFoundError: a named column is not in the table.
        SchemaError: labels or weights are an array, or are needed and not named.
    """
    label = _label(X, y, source, needs_y=needs_y)
    if sample_weight is not None and not isinstance(sample_weight, str):
        raise SchemaError(
            "sample_weight is an array, and X is a table.",
            why="A table is read in parts, and an array beside it could belong to other rows.",
            fix="Put the weights into the table and name their column: sample_weight='weight'.",
        )
    for name in (label, sample_weight):
        if name is not None and name not in source.schema.names:
            raise ColumnNotFoundError(
                f"There is no column {name!r} in the table.",
                fix=choices(name, source.schema.names, "columns"),
                column=name,
                known=source.schema.names,
            )
    features = tuple(name for name in source.schema.names if name not in (label, sample_weight))
    if not reset:
        features = features_of(estimator, features)
    else:
        estimator.n_features_in_ = len(features)
        estimator.feature_names_in_ = np.asarray(features, dtype=object)
        estimator._learned_from_table = True
    return Roles(X=features, y=label, weights=sample_weight)


def _label(X: Any, y: Any, source: Scannable, *, needs_y: bool) -> str | None:  # Any: as in fit_input
    if isinstance(y, str):
        return y
    if y is not None:
        raise SchemaError(
            "y is an array, and X is a table.",
            why="A table is read in parts, and an array beside it could belong to other rows.",
            fix="Put the labels into the table and name their column: fit(table, 'label').",
        )
    own = getattr(X, "label_schema", None)  # training data know their labels
    if own is not None and len(own) == 1:
        return str(own.names[0])
    if needs_y:
        raise SchemaError(
            "y is not given, and X is a table.",
            why="A supervised estimator learns one column from the others.",
            fix=f"Name it: fit(table, '{source.schema.names[-1]}'), for example.",
            known=source.schema.names,
        )
    return None


def predict_parts(
    estimator: BaseEstimator,
    X: Any,  # Any: scikit-learn's array-likes and all tables
    function: Callable[[Batch], NDArray[Any]],
    *,
    accept_sparse: bool = False,
) -> NDArray[Any]:
    """What `function` gives for each row of X, in order, part by part.

    Args:
        estimator: a fitted one; X must have its features. A table may have other columns beside them.
        X: an array-like of shape (rows, features), or a table.
        function: from a batch to an array whose first axis is its rows.
        accept_sparse: whether X may be a scipy sparse matrix.

    Raises:
        sklearn.exceptions.NotFittedError: the estimator is not fitted.
        ColumnNotFoundError: the table lacks a feature.
    """
    check_is_fitted(estimator)
    if not is_table(X):
        options: dict[str, Any] = {"accept_sparse": ["csr", "csc"] if accept_sparse else False}
        options["ensure_all_finite"] = "allow-nan" if get_tags(estimator).input_tags.allow_nan else True
        checked = validated(estimator, X, dtype=[np.float64, np.float32], **options)
        return function(Batch(X=checked if isinstance(checked, np.ndarray) else checked.tocsr()))
    source = as_scannable(X)
    features = features_of(estimator, tuple(source.schema.names))
    function = numbers_only(estimator, function)
    found = [whole_or_blocks(function, part()) for part in batches_of(source, Roles(X=features)).parts()]
    return np.concatenate(found) if found else function(_no_rows(len(features)))


def validated(estimator: BaseEstimator, X: Any, **options: Any) -> Any:  # Any: array-likes; check_array's options
    """X as scikit-learn checks it for a fitted estimator.

    scikit-learn warns of an array without names where the fit had some. A table always has names, and in a pipeline
    that learned from one an array without names may well follow a data frame: that is no reason to warn.
    """
    if getattr(estimator, "_learned_from_table", False) and _get_feature_names(X) is None:
        checked = check_array(X, estimator=estimator, **options)
        _check_n_features(estimator, checked, reset=False)
        return checked
    return validate_data(estimator, X, reset=False, **options)


def whole_or_blocks(function: Callable[[Batch], Any], batch: Batch) -> Any:  # Any: an array or a sparse matrix
    """What a function of rows gives; rows of a sparse matrix are handed to it in blocks, so that few are ever dense."""
    if batch.X is None or isinstance(batch.X, np.ndarray):
        return function(batch)
    found = [function(block) for block in Batch(X=batch.X, columns=batch.columns).blocks()] or [function(batch)]
    if isinstance(found[0], np.ndarray):
        return np.concatenate(found)
    return sparse.vstack(found, format="csr")


ENCODE = "Put OneHotEncoder or OrdinalEncoder before it in a pipeline, or leave the column out."


def check_numeric(schema: pa.Schema, names: Sequence[str], fix: str = ENCODE) -> None:
    """Raise unless the columns hold numbers.

    Raises:
        TypeMismatchError: one does not; the message says what to put before the estimator.
    """
    for name in names:
        kind = schema.field(name).type
        if not is_numeric(kind):
            raise TypeMismatchError(
                f"Column {name!r} has the type {kind}, and this estimator needs numbers.",
                fix=fix,
                column=name,
                type=str(kind),
            )


def features_of(estimator: BaseEstimator, present: Sequence[str]) -> tuple[str, ...]:
    """The features that the estimator was fitted on, by name where it knows names."""
    known = getattr(estimator, "feature_names_in_", None)
    if known is None:
        if len(present) != estimator.n_features_in_:
            raise SchemaError(
                f"The table has {len(present)} columns, and {type(estimator).__name__} was fitted on "
                f"{estimator.n_features_in_} unnamed features.",
                fix="Select the features, in the order of the fit.",
            )
        return tuple(present)
    names = tuple(str(name) for name in known)
    require_features(estimator, names, present)
    return names


def require_features(estimator: BaseEstimator, names: Sequence[str], present: Sequence[str]) -> None:
    """Raise unless a table has these features.

    Raises:
        ColumnNotFoundError: it lacks one.
    """
    columns = set(present)
    for name in names:
        if name not in columns:
            raise ColumnNotFoundError(
                f"The feature {name!r}, on which {type(estimator).__name__} was fitted, is not in the table.",
                fix=choices(name, list(present), "columns"),
                column=name,
                known=list(present),
            )


def _no_rows(n_features: int) -> Batch:
    return Batch(X=np.empty((0, n_features)))
