"""Rows written to files for other tools: whole or not at all, in the format that the file's name says."""

import os
import shutil
import uuid
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.dataset
import pyarrow.parquet as pq

from groundswell.errors import AlreadyExistsError, CorruptionError, DataError

__all__ = ["export", "write_folder"]

ROW_GROUP_ROWS = 122_880
FILE_ROWS = 16 * ROW_GROUP_ROWS
FORMATS = ("", ".parquet", ".arrow", ".csv")


def export(reader: pa.RecordBatchReader, path: Path, *, overwrite: bool) -> Path:
    """Write a stream to a file, or to a folder of Parquet files.

    Args:
        reader: the rows.
        path: a file named `*.parquet`, `*.arrow` (Arrow IPC) or `*.csv`; a name without suffix is a folder that will
            hold `part-0.parquet`, `part-1.parquet`, … of about two million rows each.
        overwrite: whether what is there may be replaced.

    Raises:
        AlreadyExistsError: something is there.
        DataError: the suffix is none of these, or the format cannot hold a column.
        CorruptionError: the disk is full or not writable.
    """
    _check(path, reader.schema)
    if path.exists() and not overwrite:
        raise AlreadyExistsError(f"{path} exists.", fix="Choose another name, or give overwrite=True.", path=str(path))
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix:
            _write_file(reader, part, path.suffix)
        else:
            write_folder(reader, part)
        _remove(path)
        part.replace(path)
    except OSError as error:
        raise CorruptionError.unwritable(path, error) from error
    finally:
        _remove(part)
    return path


def write_folder(reader: pa.RecordBatchReader, folder: Path, *, prefix: str = "part-") -> None:
    """Write a stream to Parquet files in a folder, in its order, on the disk when it returns.

    There is at least one file, so that its columns are known even if there are no rows.

    Args:
        reader: the rows.
        folder: made if it is not there.
        prefix: what the files' names begin with.
    """
    written: list[str] = []
    pyarrow.dataset.write_dataset(
        reader,
        folder,
        format="parquet",
        basename_template=prefix + "{i}.parquet",
        preserve_order=True,
        max_rows_per_file=FILE_ROWS,
        min_rows_per_group=ROW_GROUP_ROWS,
        max_rows_per_group=ROW_GROUP_ROWS,
        existing_data_behavior="overwrite_or_ignore",
        file_visitor=lambda file: written.append(file.path),
    )
    if not written:
        folder.mkdir(parents=True, exist_ok=True)
        written.append(str(folder / f"{prefix}0.parquet"))
        pq.write_table(reader.schema.empty_table(), written[0])
    for name in (*written, str(folder)):
        _sync(name)


def _check(path: Path, schema: pa.Schema) -> None:
    if path.suffix not in FORMATS:
        raise DataError(
            f"Rows cannot be written to {path.name!r}.",
            why=f"The suffix {path.suffix!r} names no format that is known.",
            fix="End the name in .parquet, .arrow or .csv, or give the name of a folder.",
            path=str(path),
        )
    nested = [f.name for f in schema if pa.types.is_nested(f.type) or pa.types.is_binary(f.type)]
    if path.suffix == ".csv" and nested:
        raise DataError(
            f"Column {nested[0]!r} has the type {schema.field(nested[0]).type}, which CSV cannot hold.",
            fix="Write .parquet or .arrow, or read the other columns only.",
            column=nested[0],
        )


def _write_file(reader: pa.RecordBatchReader, path: Path, suffix: str) -> None:
    if suffix == ".parquet":
        with pq.ParquetWriter(path, reader.schema) as parquet:
            for batch in reader:
                parquet.write_batch(batch, row_group_size=ROW_GROUP_ROWS)
    elif suffix == ".arrow":
        with pa.ipc.new_file(str(path), reader.schema) as arrow:
            for batch in reader:
                arrow.write_batch(batch)
    else:
        with pyarrow.csv.CSVWriter(str(path), reader.schema) as text:
            for batch in reader:
                text.write_batch(batch)
    _sync(path)


def _sync(path: str | Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        with suppress(FileNotFoundError, NotADirectoryError):
            path.unlink()
