"""From whatever holds a table to `Scannable`: a path, Arrow tables, readers and streams, and what is one already."""

from os import PathLike
from pathlib import Path
from typing import Any

import pyarrow as pa

from groundswell.engines._read_once import ReadOnceRows
from groundswell.engines._scannable import ArrowRows, ParquetRows, Scannable, StreamRows
from groundswell.errors import SchemaError


def as_scannable(data: Any) -> Scannable:  # Any: a path, or anything of Arrow's interface for streams
    """The table as a source of parts.

    Args:
        data: the path of a Parquet file or of a folder of them, an Arrow table or reader, anything else that gives an
            Arrow stream, or a `Scannable`, which is given back.

    Raises:
        CorruptionError: a path leads to no Parquet file.
        SchemaError: two columns have one name.
    """
    if isinstance(data, Scannable):
        return data
    source = _source(data)
    names = source.schema.names
    if len(set(names)) < len(names):
        double = next(name for name in names if names.count(name) > 1)
        raise SchemaError(
            f"Several columns of the table have the name {double!r}.",
            why="Columns are found by their names.",
            fix="Rename them, or leave all but one out.",
            column=double,
        )
    return source


def _source(data: Any) -> Scannable:  # Any: as above
    if isinstance(data, str | PathLike):
        return ParquetRows(Path(data))
    if isinstance(data, pa.Table):
        return ArrowRows(data)
    if isinstance(data, pa.RecordBatchReader):
        return ReadOnceRows(data)
    if hasattr(data, "__arrow_c_schema__"):
        return StreamRows(pa.schema(data.__arrow_c_schema__()), lambda: pa.RecordBatchReader.from_stream(data))
    opened = [pa.RecordBatchReader.from_stream(data)]  # to learn the schema; the first pass reads on from there
    return StreamRows(opened[0].schema, lambda: opened.pop() if opened else pa.RecordBatchReader.from_stream(data))
