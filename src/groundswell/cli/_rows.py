"""Writing rows: as a table, CSV, one JSON document or Parquet, streamed, to standard output or to a file."""

import io
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq
import typer

from groundswell.cli._tables import print_table, shown
from groundswell.cli._text import plain
from groundswell.errors import CorruptionError, GroundswellError
from groundswell.features import Data

__all__ = ["write_rows"]

_BATCH_ROWS = 16_384


def write_rows(data: Data, form: str, output: Path | None, limit: int | None, about: Mapping[str, object]) -> None:
    """Write the rows.

    Args:
        data: what to write.
        form: "table", "csv", "json" or "parquet".
        output: the file; None is standard output.
        limit: at most so many rows; None is all.
        about: what a JSON document says before the rows.

    Raises:
        CorruptionError: the file cannot be written; what was there before stays.
    """
    if form == "table" and output is None:
        _print(data, limit)
        return
    writers: dict[str, Callable[[IO[bytes]], None]] = {
        "csv": lambda file: _write_csv(data, limit, file),
        "json": lambda file: _write_json(data, limit, file, about),
        "parquet": lambda file: _write_parquet(data, limit, file),
    }
    if form not in writers:
        raise typer.BadParameter("A file holds csv, json or parquet: add --format.", param_hint="--output")
    if output is None:
        sys.stdout.flush()
        writers[form](sys.stdout.buffer)
        return
    with _whole(output) as file:
        writers[form](file)


@contextmanager
def _whole(path: Path) -> Iterator[IO[bytes]]:
    """A file that takes its name only once it is written."""
    part = path.with_name(f".{path.name}.part")
    try:
        try:
            with part.open("wb") as file:
                yield file
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except GroundswellError:  # of the rows, not of the file
        raise
    except OSError as error:
        raise CorruptionError(
            f"{path} cannot be written: {error.strerror}.", fix="Give a path that can be written.", path=str(path)
        ) from error


def _batches(data: Data, limit: int | None) -> Iterator[pa.RecordBatch]:
    """The batches, cut off after `limit` rows."""
    left = sys.maxsize if limit is None else limit
    if left == 0:
        return
    for batch in data.batches(min(left, _BATCH_ROWS)):
        yield batch.slice(0, left)
        left -= batch.num_rows
        if left <= 0:
            return


def _print(data: Data, limit: int | None) -> None:
    rows = [list(row.values()) for batch in _batches(data, limit) for row in batch.to_pylist()]
    print_table(data.schema.names, rows, cell=_cell)
    if limit is not None and len(rows) == limit and (total := len(data)) > limit:
        typer.echo(f"{limit:,} of {total:,} rows; --limit shows more.")


def _cell(value: object) -> str:
    """A value of a row: numbers as they are, without separators or rounding that a year or an id has not."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:.10g}" if isinstance(value, float) else str(value)
    return shown(value)


def _write_csv(data: Data, limit: int | None, file: IO[bytes]) -> None:
    flat = pa.schema([pa.field(f.name, f.type if _is_flat(f.type) else pa.string()) for f in data.schema])
    header = csv.WriteOptions(include_header=True)
    rows = csv.WriteOptions(include_header=False)
    _write_part(flat.empty_table(), header, file)
    for batch in _batches(data, limit):
        columns = [
            column if _is_flat(column.type) else pa.array([_text(value) for value in column.to_pylist()], pa.string())
            for column in batch.columns
        ]
        _write_part(pa.Table.from_arrays(columns, schema=flat), rows, file)


def _write_part(table: pa.Table, options: csv.WriteOptions, file: IO[bytes]) -> None:
    part = io.BytesIO()  # pyarrow closes what it writes to, and standard output must stay open
    csv.write_csv(table, part, options)
    file.write(part.getvalue())


def _is_flat(kind: pa.DataType) -> bool:
    return not pa.types.is_nested(kind) and not pa.types.is_binary(kind)


def _text(value: object) -> str | None:
    """What CSV has no form for: lists and structs as JSON, bytes as base64."""
    simple = plain(value)
    return simple if simple is None or isinstance(simple, str) else json.dumps(simple, ensure_ascii=False)


def _write_json(data: Data, limit: int | None, file: IO[bytes], about: Mapping[str, object]) -> None:
    head = json.dumps(plain({**about, "columns": data.schema.to_dict()}), ensure_ascii=False)
    file.write(f'{head[:-1]}, "rows": ['.encode())
    separator = "\n"
    for batch in _batches(data, limit):
        for row in batch.to_pylist():
            file.write((separator + json.dumps(plain(row), ensure_ascii=False, allow_nan=False)).encode())
            separator = ",\n"
    file.write(b"\n]}\n")


def _write_parquet(data: Data, limit: int | None, file: IO[bytes]) -> None:
    with pq.ParquetWriter(file, data.schema.to_arrow(), write_page_checksum=True) as writer:
        for batch in _batches(data, limit):
            writer.write_batch(batch)
