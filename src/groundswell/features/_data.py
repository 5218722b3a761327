"""Rows that are read when they are asked for, in whatever form they are wanted."""

import os
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa

from groundswell.features._export import export
from groundswell.features._frames import to_features, to_pandas
from groundswell.features._has_rows import HasRows
from groundswell.types import Schema


class Data(HasRows):
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

    def to_arrow(self) -> pa.Table:
        """All rows as an Arrow table."""
        return self._read().read_all()

    def to_features(self) -> pd.DataFrame:
        """All rows as a pandas frame that scikit-learn takes, as `X` of training data is: integers and booleans with
        gaps are float64 with NaN, if that changes no value.
        """
        return to_features(self.to_arrow())

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

    def __len__(self) -> int:
        return self._count()

    def __repr__(self) -> str:
        return f"{self._title()}\n{self._head()}"

    def _repr_html_(self) -> str:
        return f"<p>{self._title()}</p>{self._head().to_html()}"

    def _stream(self) -> pa.RecordBatchReader:
        return self._read()

    def _title(self) -> str:
        return f"{len(self):,} rows × {len(self.schema)} columns"

    def _head(self) -> pd.DataFrame:
        first = next(self.batches(5), None)
        table = self.schema.to_arrow().empty_table() if first is None else pa.Table.from_batches([first])
        return to_pandas(table)
