"""Whatever a user calls a table, as a stream of Arrow batches."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import pandas as pd
import pyarrow as pa

from groundswell.errors import DataError, GroundswellError, TypeMismatchError
from groundswell.types import Field, Schema

__all__ = ["read_frame", "refuse_mixed_zones"]

_UNREADABLE = (pa.ArrowException, OverflowError, TypeError, ValueError)
"""What Arrow and pandas raise for values that make no column; ValueError is also that for text that is no Unicode."""


def read_frame(data: object) -> pa.RecordBatchReader:
    """The batches of anything tabular.

    Args:
        data: pandas, polars, pyarrow, DuckDB or anything else with `__arrow_c_stream__`; a mapping of names to
            columns; a sequence of mappings (records). A pandas index with a name is a column of that name, as
            `groupby` and `set_index` leave it; one without a name numbers the rows and is left out.

    Raises:
        TypeMismatchError: it is none of these, or a column mixes types.
        SchemaError: two columns have one name, or a pandas index has that of a column.
        DataError: a column mixes time zones.
    """
    if isinstance(data, pd.DataFrame):
        return _read_pandas(data)
    if isinstance(data, Mapping):
        return _read_columns(data)
    if isinstance(data, Sequence) and not isinstance(data, str | bytes) and all(isinstance(r, Mapping) for r in data):
        return _read_columns(_columns_of(data))
    try:
        if hasattr(data, "__arrow_c_stream__"):
            return pa.RecordBatchReader.from_stream(data)
        if hasattr(data, "to_batches") and hasattr(data, "schema"):  # pyarrow datasets
            return pa.RecordBatchReader.from_batches(data.schema, data.to_batches())
    except pa.ArrowInvalid:
        pass  # a single column, such as a pandas Series, streams too
    raise TypeMismatchError(
        f"A {type(data).__name__} is no table.",
        why="Data comes in through the Arrow C stream, which pandas, polars, pyarrow and DuckDB offer.",
        fix="Give a data frame, an Arrow table, a mapping of columns or a list of records; collect a lazy frame.",
        type=type(data).__name__,
    )


def refuse_mixed_zones(column: str, zones: Iterable[str]) -> None:
    """Raise unless all times of a column are in one zone or offset; "None" stands for none.

    Raises:
        DataError: they are not.
    """
    found = sorted(set(zones))
    if len(found) > 1:
        raise DataError(
            f"Column {column!r} mixes the time zones {', '.join(found)}.",
            why="One of them is likely a mistake, and a naive time among others has no meaning.",
            fix="Convert the column to one zone first, with pandas.to_datetime(column, utc=True).",
            column=column,
            zones=found,
        )


def _read_pandas(frame: pd.DataFrame) -> pa.RecordBatchReader:
    named = [name for name in frame.index.names if name is not None]
    _check_names([*named, *frame.columns])
    if named:
        frame = frame.reset_index(level=named)
    for name in frame.columns:
        if frame[name].dtype == object:
            refuse_mixed_zones(name, _zones(frame[name].array))
    try:
        return pa.Table.from_pandas(frame, preserve_index=False).to_reader()
    except _UNREADABLE as error:
        raise _unreadable("A column", error) from None


def _read_columns(columns: Mapping[Any, Any]) -> pa.RecordBatchReader:  # Any: names and values are checked here
    _check_names(columns)
    arrays = {}
    for name, values in columns.items():
        if isinstance(values, list | tuple):
            refuse_mixed_zones(name, _zones(values))
        try:
            arrays[name] = _column(values)
        except GroundswellError:
            raise
        except _UNREADABLE as error:
            raise _unreadable(f"Column {name!r}", error) from None
    try:
        return pa.table(arrays).to_reader()
    except pa.ArrowInvalid as error:  # columns of different lengths
        raise _unreadable("A column", error) from None


def _column(values: object) -> pa.ChunkedArray:
    try:
        return pa.table({"values": values}).column(0)
    except OverflowError:
        return pa.chunked_array([pa.array(values, pa.uint64())])  # integers that int64 does not hold


def _unreadable(what: str, error: Exception) -> TypeMismatchError:
    parts = error.args if isinstance(error, pa.ArrowException) else (error,)
    reason = ". ".join(str(part).rstrip(".") for part in parts)
    return TypeMismatchError(
        f"{what} cannot be read: {reason}.",
        why="A column holds values of one type that fits 64 bits, and all columns are of one length.",
        fix="Give each column as many values as the others, all of one type.",
    )


def _check_names(names: Iterable[object]) -> None:
    for name in names:
        if not isinstance(name, str):
            raise TypeMismatchError(
                f"The data has a column named {name!r} ({type(name).__name__}); names are text.",
                fix="Rename the columns, with pandas: frame.columns = frame.columns.astype(str).",
                column=name,
            )
    Schema(tuple(Field(str(name), pa.null()) for name in names))  # refuses duplicate names


def _columns_of(records: Sequence[Mapping[Any, Any]]) -> dict[Any, list[Any]]:
    """Columns of records that need not all have the same keys: Arrow itself looks at the first record only."""
    names = dict.fromkeys(name for record in records for name in record)
    return {name: [record.get(name) for record in records] for name in names}


def _zones(values: Iterable[object]) -> Iterable[str]:
    return (str(v.tzinfo) for v in values if isinstance(v, datetime) and v is not pd.NaT)
