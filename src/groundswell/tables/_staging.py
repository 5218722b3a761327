"""Writing Parquet files that a commit will add: durable before they are named, gone if the commit never comes.

Files are laid out for the reads that follow, in row groups of about 120,000 rows, which DuckDB and Spark read in
parallel. Key columns carry no statistics, so that erasing a key leaves no trace of it in a footer or in the log.
"""

import json
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from deltalake.transaction import AddAction

from groundswell import _faults
from groundswell.errors import CorruptionError
from groundswell.tables._definition import HIDDEN, Definition
from groundswell.tables._disk import sync_file, sync_folder
from groundswell.tables._encodings import choose_encodings
from groundswell.tables._physical import to_physical

ROW_GROUP_ROWS = 122_880
FILE_BYTES = 256 << 20


@dataclass(frozen=True, kw_only=True)
class StagedFile:
    """A file written and not yet committed; times in microseconds since 1970."""

    path: Path
    rows: int
    size_bytes: int
    min_time_us: int | None
    max_time_us: int | None


@dataclass(frozen=True, kw_only=True)
class Staged:
    """Checked rows in files that are not part of the table yet.

    Args:
        files: the files.
        repeated: rows that were left out for later ones.
        definition: what they were checked against.
    """

    files: list[StagedFile]
    repeated: int
    definition: Definition

    @property
    def paths(self) -> list[str]:
        """Where the files are."""
        return [str(file.path) for file in self.files]


def stage(
    folder: Path, batches: Iterable[pa.RecordBatch], definition: Definition, *, whole: bool = False
) -> list[StagedFile]:
    """Write the batches to new files in the folder, in order, and sync them to the disk.

    Args:
        folder: the table's folder.
        batches: rows with the table's columns, and the hidden ones if they were moved from other files.
        definition: the table's.
        whole: whether to write one file however large it gets, because it stands for one that is there.

    Raises:
        OSError: the disk is full or not writable; the files begun are removed.
    """
    files: list[StagedFile] = []
    writer: _Writer | None = None
    made = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        for batch in batches:
            if batch.num_rows == 0:
                continue
            stored = _stored(batch, definition.file_schema)
            if writer is None:
                writer = _Writer(folder, definition, stored)
            writer.write(stored)
            if writer.full and not whole:
                files.append(writer.close())
                writer = None
        if writer is not None:
            files.append(writer.close())
            writer = None
        sync_folder(folder)
    except BaseException:
        if writer is not None:
            writer.abandon()
        discard(files)
        if made and not any(folder.iterdir()):
            folder.rmdir()
        raise
    return files


def discard(files: Iterable[StagedFile]) -> None:
    """Remove staged files whose commit will not come."""
    for file in files:
        file.path.unlink(missing_ok=True)


def add_action(file: StagedFile, definition: Definition, *, data_change: bool) -> AddAction:
    """The Delta action that makes a staged file part of the table.

    Raises:
        CorruptionError: somebody removed the file meanwhile; a commit would point to nothing.
    """
    if not file.path.exists():
        raise CorruptionError(
            f"The staged file {file.path} is gone.",
            why="It was removed before its commit, which was not made therefore.",
            fix="Run the same call again.",
            path=str(file.path),
        )
    stats: dict[str, object] = {"numRecords": file.rows}
    if definition.event_time and file.min_time_us is not None and file.max_time_us is not None:
        stats["minValues"] = {definition.event_time: _iso(file.min_time_us)}
        stats["maxValues"] = {definition.event_time: _iso(file.max_time_us)}
    return AddAction(file.path.name, file.size_bytes, {}, int(time.time() * 1000), data_change, json.dumps(stats))


def _iso(us: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _stored(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """The rows as they lie in a file; those that were not moved have nulls in the hidden columns."""
    if batch.num_columns < len(schema):
        hidden = [pa.nulls(batch.num_rows, f.type) for f in HIDDEN]
        batch = pa.RecordBatch.from_arrays([*batch.columns, *hidden], [*batch.schema.names, *HIDDEN.names])
    return to_physical(batch, schema)


class _Writer:
    """One file being written, which begins with some rows as they lie in it."""

    def __init__(self, folder: Path, definition: Definition, first: pa.RecordBatch) -> None:
        schema, encodings = definition.file_schema, choose_encodings(first)
        self._path = folder / f"part-{uuid.uuid4().hex}.parquet"
        self._schema, self._time = schema, definition.event_time
        self._low: int | None = None
        self._high: int | None = None
        self._rows = 0
        self._bytes = 0
        self._pending: list[pa.RecordBatch] = []
        self._pending_rows = 0
        try:
            self._writer = pq.ParquetWriter(
                self._path,
                schema,
                compression="snappy",
                use_dictionary=list(encodings.dictionary),
                column_encoding=dict.fromkeys(encodings.differences, "DELTA_BINARY_PACKED"),
                write_statistics=[name for name in schema.names if name not in definition.primary_key],
                write_page_checksum=True,  # costs nothing measurable; `doctor(deep=True)` finds a flipped bit by it
            )
        except OSError:
            self._path.unlink(missing_ok=True)  # the disk is full: the name was there before the first byte failed
            raise

    @property
    def full(self) -> bool:
        return self._bytes >= FILE_BYTES

    def write(self, batch: pa.RecordBatch) -> None:
        if self._time is not None:
            bounds = pc.min_max(batch.column(self._time).cast(pa.int64())).as_py()
            self._low = bounds["min"] if self._low is None else min(self._low, bounds["min"])
            self._high = bounds["max"] if self._high is None else max(self._high, bounds["max"])
        self._pending.append(batch)
        self._pending_rows += batch.num_rows
        self._rows += batch.num_rows
        self._bytes += batch.nbytes
        if self._pending_rows >= ROW_GROUP_ROWS:
            self._flush()

    def _flush(self) -> None:
        if self._pending:
            self._writer.write_table(pa.Table.from_batches(self._pending, self._schema), row_group_size=ROW_GROUP_ROWS)
        self._pending, self._pending_rows = [], 0

    def close(self) -> StagedFile:
        self._flush()
        self._writer.close()
        _faults.point("stage:file-written")
        sync_file(self._path)
        size_bytes = self._path.stat().st_size
        return StagedFile(
            path=self._path, rows=self._rows, size_bytes=size_bytes, min_time_us=self._low, max_time_us=self._high
        )

    def abandon(self) -> None:
        try:
            self._writer.close()
        except OSError:
            pass  # the disk is full: that is why we abandon it
        finally:
            self._path.unlink(missing_ok=True)
