"""Rows that are read when they are asked for, in whatever form they are wanted."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from groundswell.errors import MissingDependencyError
from groundswell.features._batches import rebatch, shuffled
from groundswell.features._export import export
from groundswell.types import Schema

_NULLABLE = {
    pa.int8(): pd.Int8Dtype(), pa.int16(): pd.Int16Dtype(), pa.int32(): pd.Int32Dtype(), pa.int64(): pd.Int64Dtype(),
    pa.uint8(): pd.UInt8Dtype(), pa.uint16(): pd.UInt16Dtype(), pa.uint32(): pd.UInt32Dtype(),
    pa.uint64(): pd.UInt64Dtype(), pa.bool_(): pd.BooleanDtype(),
}  # fmt: skip


class Data:
    """Rows of a group or a query at one version: the same whenever they are read.

    Nothing is read until one of its methods is called. Anything that takes an Arrow stream takes it as it is, such as
    `polars.DataFrame(data)`, `duckdb.sql("FROM data")` or `pyarrow.table(data)`.

    Args:
        schema: the columns.
        read: opens the rows as a stream.
        count: counts them without reading all columns.
    """

    def __init__(self, schema: Schema, read: Callable[[], pa.RecordBatchReader], count: Callable[[], int]) -> None:
        self.schema = schema
        self._read, self._count = read, count

    def batches(self, batch_rows: int = 65_536) -> Iterator[pa.RecordBatch]:
        """The rows in order, in record batches of `batch_rows` rows (the last may be smaller), never all at once.

        Raises:
            DataError: `batch_rows` is less than one.
        """
        return rebatch(self._read(), batch_rows)

    def shuffled(
        self, batch_rows: int = 1_024, *, buffer_rows: int = 131_072, seed: int = 0
    ) -> Iterator[pa.RecordBatch]:
        """The rows in random order in record batches of `batch_rows` rows, each row once, never all at once.

        Args:
            batch_rows: rows of a batch; the last one may be smaller.
            buffer_rows: rows among which is drawn; as many as there are rows give a full shuffle.
            seed: of the order; take another for each epoch.

        Raises:
            DataError: a number is less than one, or the buffer is smaller than a batch.
        """
        return shuffled(self._read(), batch_rows, buffer_rows, seed)

    def to_arrow(self) -> pa.Table:
        """All rows as an Arrow table."""
        return self._read().read_all()

    def to_pandas(self) -> pd.DataFrame:
        """All rows as a pandas frame. Integers with nulls become pandas' nullable integers, never floats."""
        return to_pandas(self.to_arrow())

    def to_features(self) -> pd.DataFrame:
        """All rows as a pandas frame that scikit-learn takes, as `X` of training data is: integers and booleans with
        gaps are float64 with NaN, if that changes no value.
        """
        return to_features(self.to_arrow())

    def to_polars(self) -> Any:  # Any: polars is an optional package
        """All rows as a polars frame.

        Raises:
            MissingDependencyError: polars is not installed.
        """
        return to_polars(self.to_arrow())

    def export(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Write the rows to a file, or to a folder of Parquet files, and return where they are.

        The name is there once all rows are; if it raises, nothing is left.

        Args:
            path: ends in `.parquet`, `.arrow` (Arrow IPC) or `.csv`; a name without suffix is a folder.
            overwrite: whether what is there may be replaced.

        Raises:
            AlreadyExistsError: something is there.
            DataError: the suffix is none of these, or CSV cannot hold a column.
            CorruptionError: the disk is full or not writable.
        """
        return export(self._read(), Path(path).expanduser(), overwrite=overwrite)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._read().__arrow_c_stream__(requested_schema)

    def __len__(self) -> int:
        return self._count()

    def __repr__(self) -> str:
        return f"{self._title()}\n{self._head()}"

    def _repr_html_(self) -> str:
        return f"<p>{self._title()}</p>{self._head().to_html()}"

    def _title(self) -> str:
        return f"{len(self):,} rows × {len(self.schema)} columns"

    def _head(self) -> pd.DataFrame:
        first = next(self.batches(5), None)
        table = self.schema.to_arrow().empty_table() if first is None else pa.Table.from_batches([first])
        return to_pandas(table)


def to_pandas(table: pa.Table) -> pd.DataFrame:
    """An Arrow table as a pandas frame in which integers stay integers."""
    columns = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        nullable = _NULLABLE.get(column.type) if column.null_count else None
        columns[name] = column.to_pandas(types_mapper=None if nullable is None else {column.type: nullable}.get)
    return pd.DataFrame(columns, index=pd.RangeIndex(table.num_rows))


def to_features(table: pa.Table) -> pd.DataFrame:
    """Features as a pandas frame that scikit-learn takes, in training and in serving alike.

    Where a join found nothing, integers and booleans are missing, and scikit-learn's column transformers do not know
    pandas' missing integers. So a column of these with gaps becomes float64 with NaN, if each value is exact there;
    integers beyond 2⁵³ stay pandas' nullable integers.

    >>> to_features(pa.table({"seats": pa.array([180, None])}))["seats"].tolist()
    [180.0, nan]
    """
    frame = to_pandas(table)
    for name, column in zip(table.column_names, table.columns, strict=True):
        if column.null_count and column.type in _NULLABLE and _exact_in_float64(column):
            frame[name] = frame[name].astype("float64")
    return frame


def _exact_in_float64(column: pa.ChunkedArray) -> bool:
    if column.type not in (pa.int64(), pa.uint64()):
        return True
    bounds = pc.min_max(column).as_py()
    return bounds["min"] is None or -(2**53) <= bounds["min"] <= bounds["max"] <= 2**53


def to_polars(table: pa.Table) -> Any:  # Any: polars is an optional package
    """An Arrow table as a polars frame.

    Raises:
        MissingDependencyError: polars is not installed.
    """
    try:
        import polars as pl
    except ImportError:
        raise MissingDependencyError(
            "polars is not installed.", fix="Install it: pip install 'groundswell[polars]'."
        ) from None
    return pl.from_arrow(table)
