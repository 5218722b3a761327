"""Transforming what came in: an array gives an array, a table gives a table that is transformed as it is read.

A transformed table has the new columns in place of the features, and all other columns (labels, keys) as they were. So
scikit-learn's own Pipeline chains transformers over a table that does not fit in memory.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from groundswell.engines import Scannable
from groundswell.estimators._input import as_scannable, features_of, is_table, predict_parts
from groundswell.statistics import Batch

Function = Callable[[Batch], NDArray[Any]]


class Transformed:
    """A table whose features are replaced by what a function makes of them, part by part, when it is read.

    Args:
        source: the table.
        features: the columns that the function takes, in order.
        names: the columns that it gives; all float64.
        function: from a batch to an array of shape (rows, names).
    """

    def __init__(self, source: Scannable, features: Sequence[str], names: Sequence[str], function: Function) -> None:
        self._source, self._function = source, function
        self._features, self._names = tuple(features), tuple(names)
        kept = [field for field in source.schema if field.name not in self._features]
        self._schema = pa.schema([*(pa.field(name, pa.float64()) for name in self._names), *kept])

    @property
    def schema(self) -> pa.Schema:
        """The new columns, then those that were no features."""
        return self._schema

    @property
    def rows(self) -> int | None:
        """How many rows there are, if that is known."""
        return self._source.rows

    def parts(self, columns: Sequence[str]) -> Iterator[Callable[[], pa.Table]]:
        """One reader for each part of the source."""
        kept = [name for name in columns if name not in self._names]
        made = [name for name in columns if name in self._names]
        for part in self._source.parts([*(self._features if made else ()), *kept]):
            yield _Part(self, part, tuple(columns), bool(made))

    def make(self, table: pa.Table, columns: Sequence[str], *, transform: bool) -> pa.Table:
        """The columns asked for, of one part."""
        new: dict[str, Any] = {}
        if transform:
            values = self._function(Batch.from_arrow(table, X=list(self._features)))
            new = {name: pa.array(values[:, i]) for i, name in enumerate(self._names)}
        return pa.table([new[name] if name in new else table.column(name) for name in columns], names=list(columns))


class _Part:
    def __init__(
        self, owner: Transformed, part: Callable[[], Any], columns: tuple[str, ...], transform: bool
    ) -> None:  # Any: a record batch or table
        self._owner, self._part, self._columns, self._transform = owner, part, columns, transform

    def __call__(self) -> pa.Table:
        table = self._part()
        whole = table if isinstance(table, pa.Table) else pa.Table.from_batches([table])
        return self._owner.make(whole, self._columns, transform=self._transform)


def transform_parts(estimator: BaseEstimator, X: Any, function: Function) -> Any:  # Any: array-likes and tables
    """X with its features replaced by what `function` makes of them: an array, or a table that is read lazily.

    Raises:
        sklearn.exceptions.NotFittedError: the estimator is not fitted.
        ColumnNotFoundError: a table lacks a feature.
    """
    if not is_table(X):
        return predict_parts(estimator, X, function)
    source = as_scannable(X)
    names = [str(name) for name in estimator.get_feature_names_out()]
    return Transformed(source, features_of(estimator, source.schema.names), names, function)


def matrix(batch: Batch) -> NDArray[np.float64]:
    """The batch's features in float64."""
    return np.asarray(batch.matrix, np.float64)
