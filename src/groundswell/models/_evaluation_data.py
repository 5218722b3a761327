"""What a model is evaluated on, in blocks of rows as its `predict` takes them.

Arrays and data frames are cut without a copy. Training data, Parquet files, Arrow tables and streams are read part by
part, so that they may be larger than memory.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from groundswell.engines import Scannable, as_scannable
from groundswell.errors import ColumnNotFoundError, DataError, SchemaError, choices
from groundswell.features import Data, to_features
from groundswell.models._signature import columns_of
from groundswell.statistics import Column

__all__ = ["Block", "Question", "blocks_of", "features_of", "is_in_memory"]

_BLOCK_ROWS = 65_536


@dataclass(frozen=True, kw_only=True)
class Block:
    """Some rows.

    Args:
        inputs: what the model's `predict` takes.
        labels: what is true, one of each row; objects, None or NaN where it is missing.
        weights: of the rows, or None.
        columns: those that figures are sliced by.
    """

    inputs: Any  # a frame, an array or a sparse matrix
    labels: NDArray[Any]
    weights: NDArray[np.float64] | None
    columns: Mapping[str, Column]


@dataclass(frozen=True, kw_only=True)
class Question:
    """Which rows, and what their columns are.

    Args:
        data: the rows: an array, a data frame or a table.
        labels: an array, or the name of a column; None for training data, which know theirs.
        weights: the same, or None.
        by: names of the columns that figures are sliced by.
    """

    data: Any  # an array-like or a table
    labels: Any  # an array-like or a name
    weights: Any  # an array-like or a name
    by: tuple[str, ...]


def is_in_memory(data: object) -> bool:
    """Whether the rows are an array or a data frame rather than a table to be read in parts."""
    return isinstance(data, pd.DataFrame | np.ndarray) or not (
        isinstance(data, str | PathLike | Scannable | Data) or hasattr(data, "__arrow_c_stream__")
    )


def blocks_of(model: Any, question: Question) -> Iterator[Block]:  # Any: a fitted estimator
    """The rows in blocks, in their order.

    Raises:
        ColumnNotFoundError: a named column is not there.
        SchemaError: labels are not named, or are an array where rows are read in parts.
        DataError: parts have different lengths, or the model was fitted on other columns.
    """
    if is_in_memory(question.data):
        return _of_arrays(model, question)
    return _of_tables(model, question, _tables(question.data))


def _of_arrays(model: Any, question: Question) -> Iterator[Block]:  # Any: a fitted estimator
    data = question.data if hasattr(question.data, "shape") else np.asarray(question.data)
    labels = _column(data, question.labels, "labels")
    weights = None if question.weights is None else _column(data, question.weights, "weights").astype(np.float64)
    columns = {name: _column(data, name, "by") for name in question.by}
    if isinstance(data, pd.DataFrame):
        own = [name for name in (question.labels, question.weights) if isinstance(name, str)]
        data = data[features_of(model, [name for name in data.columns if name not in own], question.by)]
    for start in range(0, data.shape[0], _BLOCK_ROWS):
        rows = slice(start, start + _BLOCK_ROWS)
        yield Block(
            inputs=data.iloc[rows] if isinstance(data, pd.DataFrame) else data[rows],
            labels=labels[rows],
            weights=None if weights is None else weights[rows],
            columns={name: column[rows] for name, column in columns.items()},
        )


def _column(data: Any, given: Any, what: str) -> NDArray[Any]:  # Any: array-likes
    """A column of a frame by name, or an array beside the rows."""
    if isinstance(given, str):
        names = list(data.columns) if isinstance(data, pd.DataFrame) else []
        if given not in names:
            raise ColumnNotFoundError(
                f"There is no column {given!r} in the data.",
                fix=choices(given, map(str, names), "columns"),
                column=given,
                known=names,
            )
        return np.asarray(data[given].to_numpy(dtype=object))
    if given is None:
        raise SchemaError(
            "The labels are not given.", why="What a model says is held against what is true.", fix="Give labels=…."
        )
    column = given.to_numpy(dtype=object) if isinstance(given, pd.Series) else np.asarray(given, dtype=object)
    if column.shape != (data.shape[0],):
        raise DataError(
            f"The {what} have the shape {column.shape}, and there are {data.shape[0]:,} rows.",
            why="Row i of each belongs to row i of the others.",
            fix="Give one value for each row.",
            rows=data.shape[0],
            shape=column.shape,
        )
    return column


def _tables(data: Any) -> tuple[pa.Schema, Iterator[pa.Table]]:  # Any: all that is not in memory
    """The columns of a table and its parts."""
    source = as_scannable(data)
    return source.schema, (_whole(part()) for part in source.parts(source.schema.names))


def _whole(part: pa.RecordBatch | pa.Table) -> pa.Table:
    return part if isinstance(part, pa.Table) else pa.Table.from_batches([part])


def _of_tables(model: Any, question: Question, found: tuple[pa.Schema, Iterator[pa.Table]]) -> Iterator[Block]:
    schema, tables = found
    label = _name(question.labels, "labels", schema) or _own_label(question.data)
    weights = None if question.weights is None else _name(question.weights, "weights", schema)
    for name in (label, *([] if weights is None else [weights]), *question.by):
        if name not in schema.names:
            raise ColumnNotFoundError(
                f"There is no column {name!r} in the data.",
                fix=choices(name, schema.names, "columns"),
                column=name,
                known=schema.names,
            )
    features = features_of(model, [name for name in schema.names if name not in (label, weights)], question.by)
    nameless = hasattr(model, "n_features_in_") and not hasattr(model, "feature_names_in_")  # fitted on an array
    for table in tables:
        for start in range(0, table.num_rows, _BLOCK_ROWS):
            rows = table.slice(start, _BLOCK_ROWS)
            inputs = to_features(rows.select(features))
            yield Block(
                inputs=inputs.to_numpy() if nameless else inputs,
                labels=np.array([*rows[label].to_pylist(), None], dtype=object)[:-1],  # None: lists stay objects
                weights=None if weights is None else rows[weights].to_numpy().astype(np.float64),
                columns={name: rows[name] for name in question.by},
            )


def _name(given: Any, what: str, schema: pa.Schema) -> str:  # Any: a name or an array-like
    if given is None or isinstance(given, str):
        return given or ""
    raise SchemaError(
        f"The {what} are an array, and the data are read in parts.",
        why="An array beside a table could belong to other rows.",
        fix=f"Put them into the table and name their column: {what}={schema.names[-1]!r}, for example.",
    )


def _own_label(data: Any) -> str:  # Any: a table
    own = getattr(data, "label_schema", None)
    if own is not None and len(own) == 1:
        return str(own.names[0])
    raise SchemaError(
        "The labels are not given.",
        why="What a model says is held against one column of the data.",
        fix="Name it: evaluate(model, data, 'late').",
    )


def features_of(model: Any, names: Sequence[str], by: Sequence[str]) -> list[str]:  # Any: a fitted estimator
    """The columns that the model takes; one that knows no names takes all that are not there to slice by."""
    n_fitted = getattr(model, "n_features_in_", None)
    if getattr(model, "feature_names_in_", None) is None and n_fitted not in (None, len(names)):
        names = [name for name in names if name not in by]
    return columns_of(model, names)
