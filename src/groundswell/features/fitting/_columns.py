"""Rows on their way to a transformer: cast to the raw features' types, cut to the columns that it takes."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from groundswell.engines import Scannable
from groundswell.errors import ColumnNotFoundError, DataError, choices
from groundswell.types import Field, Schema, type_name

__all__ = ["Chosen", "as_arrow", "as_floats", "raw_table", "whole"]


class Chosen:
    """Some columns of a source.

    Args:
        source: the rows.
        names: the columns, in order.
    """

    def __init__(self, source: Scannable, names: Sequence[str]) -> None:
        self._source, self._names = source, list(names)

    @property
    def schema(self) -> pa.Schema:
        """The columns."""
        return pa.schema([self._source.schema.field(name) for name in self._names])

    @property
    def rows(self) -> int | None:
        """How many rows there are, if that is known."""
        return self._source.rows

    def parts(self, columns: Sequence[str]) -> Iterator[Any]:
        """One reader for each part of the source."""
        return self._source.parts(columns)


def whole(column: Any) -> Any:  # Any: a column of numpy or Arrow
    """The column without chunks."""
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def as_arrow(column: Any) -> pa.Array:  # Any: a column of numpy or Arrow
    """The column as Arrow; NaN stays NaN, which for a number means that it is missing."""
    return pa.array(column) if isinstance(column, np.ndarray) else column


def as_floats(column: Any) -> NDArray[np.float64]:  # Any: a float64 column of numpy or Arrow
    """The column as numpy, a missing value as NaN."""
    found: NDArray[np.float64] = column if isinstance(column, np.ndarray) else column.to_numpy(zero_copy_only=False)
    return found


def raw_table(X: Any, schema: Schema) -> pa.Table:  # Any: a pandas frame or anything with an Arrow stream
    """The raw features of X as an Arrow table with exactly the schema's columns.

    Raises:
        ColumnNotFoundError: a raw feature is not there.
        DataError: a value does not fit the feature's type, or X has no named columns.
    """
    if isinstance(X, pd.DataFrame):
        found: Any = X
        names = list(X.columns)
    elif hasattr(X, "__arrow_c_stream__"):
        found = X if isinstance(X, pa.Table) else pa.table(X)
        names = found.column_names
    else:
        raise DataError(
            f"A {type(X).__name__} has no named columns.",
            why="Transformations are declared for columns by name.",
            fix="Give the raw features, such as data.raw, view.batch(), view.vectors(…) or a pandas frame.",
        )
    for name in schema.names:
        if name not in names:
            raise ColumnNotFoundError(
                f"The raw feature {name!r} is not there.", fix=choices(name, names, "columns"), column=name, known=names
            )
    return pa.table([_cast(found[field.name], field) for field in schema], schema.names)


def _cast(column: Any, field: Field) -> Any:  # Any: a pandas or Arrow column
    if isinstance(column, pa.ChunkedArray | pa.Array) and column.type == field.type:
        return column
    try:
        array = column if isinstance(column, pa.ChunkedArray | pa.Array) else pa.array(column, from_pandas=True)
        return array.cast(field.type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError) as error:
        raise DataError(
            f"Column {field.name!r} cannot be read as {type_name(field.type)}: {error}",
            why="The transformations were declared for a column of that type.",
            fix="Give the raw features as data.raw or the view has them.",
            column=field.name,
        ) from error
