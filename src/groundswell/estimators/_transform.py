"""Transforming what came in: an array gives an array, a table gives a table that is transformed as it is read.

A transformed table has the new columns in place of the features, and all other columns (labels, keys) as they were. So
scikit-learn's own Pipeline chains transformers over a table that does not fit in memory. What a transformer makes goes
on to the next step as one matrix, dense or sparse, and becomes Arrow columns only for those who ask for columns.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils._set_output import _wrap_data_with_container
from sklearn.utils.validation import check_is_fitted

from groundswell.engines import Batches, Roles, Scannable, as_scannable
from groundswell.engines._fold import BatchPart
from groundswell.engines._scannable import Part
from groundswell.errors import SchemaError
from groundswell.estimators._input import (
    batches_of,
    features_of,
    is_table,
    predict_parts,
    whole_or_blocks,
)
from groundswell.estimators._row_errors import numbers_only
from groundswell.statistics import Batch, Column, column_major
from groundswell.statistics._matrix import whole

Made: TypeAlias = Any  # a dense or sparse matrix (rows, names), or a list of Arrow arrays
Function = Callable[[Batch], Made]


class Transformed:
    """A table whose features are replaced by what a function makes of them, part by part, when it is read.

    Args:
        source: the table.
        features: the columns that the function takes, in order.
        names: the columns that it gives.
        function: from a batch to a matrix of shape (rows, names), or to a list of Arrow arrays.
        types: of the new columns; None is float64 for all.
        any_type: whether the function takes the features as named columns rather than as a matrix of numbers.
        reads: those of the features that the function takes, if it does without some.
        label_schema: the labels of training data, which a supervised step that follows then finds by itself.
    """

    def __init__(
        self,
        source: Scannable,
        features: Sequence[str],
        names: Sequence[str],
        function: Function,
        *,
        types: Sequence[pa.DataType] | None = None,
        any_type: bool = False,
        reads: Sequence[str] | None = None,
        label_schema: Any = None,  # Any: a schema of ours
    ) -> None:
        self._source, self._function, self._any_type = source, function, any_type
        self._reads, self.label_schema = tuple(features if reads is None else reads), label_schema
        self._features, self._names = tuple(features), tuple(names)
        self._types = types

    @cached_property
    def schema(self) -> pa.Schema:
        """The new columns, then those that were no features.

        Raises:
            SchemaError: a new one has the name of another that is kept.
        """
        features = set(self._features)
        types = [pa.float64()] * len(self._names) if self._types is None else self._types
        kept = [field for field in self._source.schema if field.name not in features]
        for field in kept:
            if field.name in self._positions:
                raise SchemaError(
                    f"A new column would be named {field.name!r}, as a column that is kept.",
                    why="Names of columns are unique, and the other may be the label.",
                    fix=f"Rename {field.name!r}, or put the transformer into a ColumnTransformer, which names anew.",
                    column=field.name,
                )
        return pa.schema([*zip(self._names, types, strict=True), *kept])

    @property
    def rows(self) -> int | None:
        """How many rows there are, if that is known."""
        return self._source.rows

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self._names)}

    def parts(self, columns: Sequence[str]) -> Iterator[Part]:
        """One reader for each part of the source."""
        if not any(name in self._positions for name in columns):
            yield from self._source.parts(columns)
            return
        schema = pa.schema([self.schema.field(name) for name in columns])
        for part in self.batches(Roles(columns=tuple(columns))).parts():
            yield partial(_as_table, part, schema)

    def batches(self, roles: Roles) -> Batches:
        """The rows as batches; X is what the function makes, not copied if it is asked for as a whole."""
        return _MadeBatches(self, roles)

    def inner(self, roles: Roles) -> Batches:
        """Batches of the source that have what these roles need."""
        asked = replace(roles, X=()) if self._names == roles.X else roles  # of a hash there are hundreds of thousands
        kept = [name for name in asked.names if name not in self._positions]
        other = tuple(name for name in kept if name not in (roles.y, roles.weights))
        X, columns = ((), self._reads) if self._any_type else (self._reads, ())
        y = None if roles.y is None or roles.y in self._positions else roles.y
        return batches_of(self._source, Roles(X=X, y=y, weights=roles.weights, columns=(*columns, *other)))

    def make(self, part: BatchPart, roles: Roles) -> Batch:
        """One part as a batch of these roles."""
        rows = part()
        taken = {name: rows.column(name) for name in self._reads} if self._any_type else {}
        made = whole_or_blocks(self._function, Batch(X=rows.X, columns=taken))
        if isinstance(made, np.ndarray) and isinstance(rows.X, np.ndarray) and np.may_share_memory(made, rows.X):
            made = made.copy()  # the memory of the source's matrix is used again for its next part

        def column(name: str) -> Column:
            if name not in self._positions:
                return rows.column(name)
            position = self._positions[name]
            if isinstance(made, list):
                return made[position]
            found: NDArray[Any] = made[:, position] if isinstance(made, np.ndarray) else made[:, [position]].toarray()
            return found.ravel()

        if self._names == roles.X and not isinstance(made, list):
            X = made
        elif sparse.issparse(made):
            X = self._sparse_matrix(made, rows, roles.X)
        else:
            X = column_major([column(name) for name in roles.X], roles.X) if roles.X else None
        return Batch(
            X=X,
            y=column(roles.y) if roles.y is not None and roles.y in self._positions else rows.y,
            weights=rows.weights,
            columns={name: column(name) for name in roles.columns},
        )

    def _sparse_matrix(self, made: Any, rows: Batch, names: tuple[str, ...]) -> Any:  # Any: scipy's classes
        """The named columns, some made and some as they were, side by side."""
        if not names:
            return None
        kept = [name for name in names if name not in self._positions]
        both = made
        if kept:
            both = sparse.hstack([made, column_major([rows.column(name) for name in kept], kept)], format="csr")
        after = {name: len(self._names) + i for i, name in enumerate(kept)}
        return both[:, [self._positions[name] if name in self._positions else after[name] for name in names]]


class _MadeBatches:
    def __init__(self, owner: Transformed, roles: Roles) -> None:
        self._owner, self._roles = owner, roles

    @property
    def rows(self) -> int | None:
        return self._owner.rows

    def parts(self) -> Iterator[BatchPart]:
        for part in self._owner.inner(self._roles).parts():
            yield partial(self._owner.make, part, self._roles)


def _as_table(part: BatchPart, schema: pa.Schema) -> pa.Table:
    batch = part()
    return pa.table([_arrow(batch.columns[field.name], field.type) for field in schema], schema=schema)


def _arrow(column: Column, kind: pa.DataType) -> pa.Array:
    array = pa.array(column) if isinstance(column, np.ndarray) else whole(column)
    return array if array.type == kind else array.cast(kind)


class TableTransformer(TransformerMixin, BaseEstimator, ABC, auto_wrap_output_keys=None):  # type: ignore[misc, call-arg]  # sklearn is untyped
    """What transformers share: `transform` of arrays as scikit-learn does it, of tables lazily.

    A subclass says what it makes of a batch. `set_output` is for arrays and data frames; a table gives a table.
    """

    @property
    def _any_type(self) -> bool:
        """Whether it takes the features as named columns of any type rather than as a matrix of numbers."""
        return False

    def transform(self, X: Any) -> Any:  # Any: array-likes and tables
        """The transformed rows: of an array an array, of a table a table that is transformed as it is read.

        Raises:
            sklearn.exceptions.NotFittedError: it is not fitted.
            ColumnNotFoundError: a table lacks a feature.
        """
        if is_table(X):
            return self._transform_table(X)
        return _wrap_data_with_container("transform", self._transform_array(X), X, self)

    def fit_transform(self, X: Any, y: Any = None, **fit_params: Any) -> Any:  # Any: as in fit
        """`fit`, then `transform` of the same rows."""
        return self.fit(X, y, **fit_params).transform(X)

    def transform_columns(self, columns: Mapping[str, Column]) -> dict[str, Column]:
        """The new columns of rows in memory, by name: at once and unchecked, as a service needs it for single rows.

        Args:
            columns: those that it was fitted on, of their types; others are left out.
        """
        names = [str(name) for name in self.feature_names_in_]
        taken = [columns[name] for name in names]
        if self._any_type:
            made = self._transform_batch(Batch(columns=dict(zip(names, taken, strict=True))))
        else:
            made = self._transform_batch(Batch(X=column_major(taken, names), names=tuple(names)))
        if sparse.issparse(made):
            made = made.toarray(order="F")
        found = list(made.T) if isinstance(made, np.ndarray) else made
        return dict(zip(map(str, self.get_feature_names_out()), found, strict=True))

    @abstractmethod
    def _transform_batch(self, batch: Batch) -> Made:
        """What becomes of some rows, whose features are X, or named columns if they may be of any type."""

    def _transform_array(self, X: Any) -> Any:  # Any: array-likes
        return predict_parts(self, X, self._transform_batch)

    def _transform_table(self, X: Any) -> Transformed:  # Any: tables
        check_is_fitted(self)
        source = as_scannable(X)
        names = [str(name) for name in self.get_feature_names_out()]
        return Transformed(
            source,
            features_of(self, source.schema.names),
            names,
            self._transform_batch if self._any_type else numbers_only(self, self._transform_batch),
            types=self._column_types(source.schema),
            any_type=self._any_type,
            label_schema=getattr(X, "label_schema", None),
        )

    def _column_types(self, schema: pa.Schema) -> list[pa.DataType] | None:
        """The types of the new columns of a table that has this schema; None is float64 for all."""
        return None


def transform_parts(estimator: BaseEstimator, X: Any, function: Function) -> Any:  # Any: array-likes and tables
    """X with its features replaced by what `function` makes of them: an array, or a table that is read lazily.

    Raises:
        sklearn.exceptions.NotFittedError: the estimator is not fitted.
        ColumnNotFoundError: a table lacks a feature.
    """
    if not is_table(X):
        return predict_parts(estimator, X, function)
    check_is_fitted(estimator)
    source = as_scannable(X)
    names = [str(name) for name in estimator.get_feature_names_out()]
    labels = getattr(X, "label_schema", None)
    function = numbers_only(estimator, function)
    return Transformed(source, features_of(estimator, source.schema.names), names, function, label_schema=labels)


def matrix(batch: Batch) -> NDArray[np.float64]:
    """The batch's features in float64."""
    return np.asarray(batch.matrix, np.float64)
