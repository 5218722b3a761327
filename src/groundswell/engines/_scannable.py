"""`Scannable`: rows that can be read in parts, over and over, a few columns at a time.

It is what a fold runs over and what an estimator takes as data. How rows are cut into parts is the source's business
and stays the same from pass to pass, so a fold over the same source gives the same bits however many threads run it.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

import pyarrow as pa
import pyarrow.parquet as pq

from groundswell.errors import ColumnNotFoundError, CorruptionError, choices

PART_ROWS = 65_536
"""Rows of a part of an Arrow table. Parts of a Parquet file are its row groups."""

Part = Callable[[], pa.RecordBatch | pa.Table]
"""Reads one part. Called once, from any thread."""


@runtime_checkable
class Scannable(Protocol):
    """Rows in a fixed sequence of parts."""

    @property
    def schema(self) -> pa.Schema:
        """The columns."""

    @property
    def rows(self) -> int | None:
        """How many rows there are; None if that is not known without reading."""

    def parts(self, columns: Sequence[str]) -> Iterator[Part]:
        """One reader for each part, in order. Reading happens when a reader is called.

        Raises:
            ColumnNotFoundError: a column is not there.
        """


class ParquetRows:
    """The rows of Parquet files, in the order of the files; a part is a row group.

    Args:
        paths: one file or several, or a folder whose `*.parquet` files are taken in the order of their names.

    Raises:
        CorruptionError: a file is missing or is no Parquet file, or two files have different columns.
    """

    def __init__(self, paths: str | Path | Sequence[str | Path]) -> None:
        given = [paths] if isinstance(paths, str | Path) else list(paths)
        self.paths = [file for path in given for file in _files(Path(path))]
        self._metadata = [_metadata(path) for path in self.paths]
        schemas = [metadata.schema.to_arrow_schema().remove_metadata() for metadata in self._metadata]
        for path, schema in zip(self.paths, schemas, strict=True):
            if not schema.equals(schemas[0]):
                raise CorruptionError(
                    f"{path} has other columns than {self.paths[0]}.",
                    why=f"It has {schema.names}, the first has {schemas[0].names}, or types differ.",
                    fix="Give files of one table.",
                    path=str(path),
                )
        self._schema = schemas[0]

    @property
    def schema(self) -> pa.Schema:
        """The columns."""
        return self._schema

    @property
    def rows(self) -> int | None:
        """How many rows there are, from the footers."""
        return sum(int(metadata.num_rows) for metadata in self._metadata)

    def parts(self, columns: Sequence[str]) -> Iterator[Part]:
        """One reader for each row group, in order."""
        check_columns(columns, self.schema)
        for path, metadata in zip(self.paths, self._metadata, strict=True):
            for group in range(metadata.num_row_groups):
                yield _RowGroup(path, metadata, group, tuple(columns))


class ArrowRows:
    """The rows of an Arrow table in memory; a part is a slice of `PART_ROWS` rows."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table

    @property
    def schema(self) -> pa.Schema:
        """The columns."""
        return self._table.schema

    @property
    def rows(self) -> int | None:
        """How many rows there are."""
        return int(self._table.num_rows)

    def parts(self, columns: Sequence[str]) -> Iterator[Part]:
        """One reader for each slice, in order."""
        check_columns(columns, self.schema)
        chosen = self._table.select(list(columns))
        for start in range(0, self._table.num_rows, PART_ROWS):
            yield _Slice(chosen, start)


class StreamRows:
    """Rows that can only be read one after the other, such as the result of a query; a part is a batch of the stream.

    Args:
        schema: the columns.
        read: opens the stream anew; called once for each pass.
        rows: how many rows there are, if that is known.
    """

    def __init__(self, schema: pa.Schema, read: Callable[[], pa.RecordBatchReader], rows: int | None = None) -> None:
        self._schema, self._read, self._rows = schema, read, rows

    @property
    def schema(self) -> pa.Schema:
        """The columns."""
        return self._schema

    @property
    def rows(self) -> int | None:
        """How many rows there are, if that is known."""
        return self._rows

    def parts(self, columns: Sequence[str]) -> Iterator[Part]:
        """The batches of the stream, in order."""
        check_columns(columns, self.schema)
        for batch in self._read():
            yield _Held(batch.select(list(columns)))


class _RowGroup:
    def __init__(self, path: Path, metadata: pq.FileMetaData, group: int, columns: tuple[str, ...]) -> None:
        self._path, self._metadata, self._group, self._columns = path, metadata, group, columns

    def __call__(self) -> pa.Table:
        try:
            with pq.ParquetFile(self._path, metadata=self._metadata, memory_map=True) as file:
                return file.read_row_group(self._group, columns=list(self._columns), use_threads=False)
        except (pa.ArrowInvalid, OSError) as error:
            raise CorruptionError(
                f"Row group {self._group} of {self._path} cannot be read: {error}",
                fix="Restore the file, or write it anew.",
                path=str(self._path),
            ) from error


class _Slice:
    def __init__(self, table: pa.Table, start: int) -> None:
        self._table, self._start = table, start

    def __call__(self) -> pa.Table:
        return self._table.slice(self._start, PART_ROWS)


class _Held:
    def __init__(self, batch: pa.RecordBatch) -> None:
        self._batch = batch

    def __call__(self) -> pa.RecordBatch:
        return self._batch


def check_columns(columns: Sequence[str], schema: pa.Schema) -> None:
    """Raise unless all columns are there.

    Raises:
        ColumnNotFoundError: one is not.
    """
    for column in columns:
        if column not in schema.names:
            raise ColumnNotFoundError(
                f"There is no column {column!r} in the data.",
                fix=choices(column, schema.names, "columns"),
                column=column,
                known=schema.names,
            )


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        found = sorted(path.glob("*.parquet"))
        if found:
            return found
    elif path.is_file():
        return [path]
    raise CorruptionError(
        f"There is no Parquet file at {path}.", fix="Name a file, or a folder with *.parquet files.", path=str(path)
    )


def _metadata(path: Path) -> pq.FileMetaData:
    try:
        return pq.read_metadata(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise CorruptionError(
            f"{path} cannot be read as Parquet: {error}", fix="Restore the file, or write it anew.", path=str(path)
        ) from error
