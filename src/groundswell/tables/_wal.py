"""A write-ahead log beside a table: rows that are on the disk before they are part of a commit.

Each stream of rows has a folder of its own, `_groundswell/wal/<stream>/`, with segments `00000001.wal`, … in it. A
segment begins with the rows' Arrow schema, and each frame after it is one Arrow record batch with its length and
checksum. A stream appends to its last segment; the others are complete and wait for the commit that takes them in,
which says so in an application transaction of the Delta log: stream and number of the last segment. So a segment is
taken in once, whoever does it and however often they are killed.

The folder is locked by the process that writes the stream. A lock that can be had means that the process is gone; who
gets it may take in what is left.
"""

import fcntl
import os
import shutil
import struct
import time
import uuid
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

import pyarrow as pa

from groundswell import _faults
from groundswell.errors import CorruptionError
from groundswell.tables._disk import disk_errors, sync_folder
from groundswell.tables._lock import BESIDE

__all__ = ["WriteAheadLog", "ask_to_flush", "read_segment", "segment_schema", "streams"]

_MAGIC = b"GSWAL\x01\r\n"
_FRAME = struct.Struct("<II")
_SEGMENT = "{:08d}.wal"
_POLL_S = 0.005


class WriteAheadLog:
    """The log of one stream, for the one process that writes it or takes in what it left.

    Made by `create` and `take_over`. It is not for several threads at once.

    Attributes:
        stream: the stream's name.
        folder: where the segments are.
    """

    def __init__(self, table: Path, name: str, folder: Path, lock: IO[str]) -> None:
        self._table, self._name, self.folder, self._lock = table, name, folder, lock
        self.stream = folder.name
        self._file: IO[bytes] | None = None
        self._number = max([0, *map(_number, self.segments())])
        self._schema: pa.Schema | None = None

    @staticmethod
    def create(table: Path, name: str) -> "WriteAheadLog":
        """Begin a new stream.

        Args:
            table: the table's folder.
            name: its group's name, for errors.

        Raises:
            CorruptionError: the disk is full or not writable.
        """
        folder = _home(table) / uuid.uuid4().hex
        with disk_errors(name, table):
            # Made under another name and locked before it can be seen: nobody takes it for abandoned.
            draft = folder.with_name(f".{folder.name}")
            draft.mkdir(parents=True)
            lock = (draft / "lock").open("a")
            fcntl.flock(lock, fcntl.LOCK_EX)
            draft.rename(folder)
            sync_folder(folder.parent)
        return WriteAheadLog(table, name, folder, lock)

    @staticmethod
    def take_over(table: Path, name: str, folder: Path) -> "WriteAheadLog | None":
        """The log of a stream whose process is gone; None if it is not gone, or somebody else was faster."""
        try:
            lock = (folder / "lock").open("a")
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            return None
        if not folder.exists():
            lock.close()
            return None
        return WriteAheadLog(table, name, folder, lock)

    def append(self, batches: Sequence[pa.RecordBatch]) -> int:
        """Write rows; they are on the disk when it returns. If it raises, none of them counts.

        Args:
            batches: rows of one schema.

        Returns:
            The number of the segment that has them.

        Raises:
            CorruptionError: the disk is full or not writable.
        """
        with disk_errors(self._name, self._table):
            if self._file is not None and batches[0].schema != self._schema:
                self._file.close()  # the table's schema was changed
                self._file = None
            if self._file is None:
                self._begin(batches[0].schema)
            assert self._file is not None
            start = self._file.tell()
            try:
                for batch in batches:
                    _write_frame(self._file, batch.serialize())
                self._file.flush()
                _faults.point("wal:written")
                os.fdatasync(self._file.fileno())
            except BaseException:
                self._undo(start)
                raise
        _faults.point("wal:synced")
        return self._number

    def rotate(self) -> list[Path]:
        """Complete the segment that is written to, if there is one, and return all that are complete, in order."""
        if self._file is not None:
            self._file.close()
            self._file = None
            _faults.point("stream:rotated")
        return self.segments()

    def segments(self) -> list[Path]:
        """The segments there are, in order."""
        return sorted(self.folder.glob("*.wal"))

    def remove(self, segments: Sequence[Path]) -> None:
        """Remove segments that were taken in."""
        if segments:
            _faults.point("stream:committed")
        for path in segments:
            path.unlink(missing_ok=True)
            _faults.point("wal:removed")

    def set_aside(self, segments: Sequence[Path], folder: Path) -> list[Path]:
        """Move segments that were refused as a batch to a folder, where they stay until somebody decides."""
        with disk_errors(self._name, self._table):
            folder.mkdir(parents=True, exist_ok=True)
            return [path.rename(folder / f"{self.stream}-{path.name}") for path in segments]

    def asked(self) -> list[Path]:
        """The requests of readers to take in what is there; remove each when that is done."""
        return list(self.folder.glob("*.ask"))

    def close(self) -> None:
        """Let go of the stream; its folder goes with it if nothing is left in it."""
        left = self.rotate()
        if not left:
            shutil.rmtree(self.folder, ignore_errors=True)
        self._lock.close()

    def _begin(self, schema: pa.Schema) -> None:
        self._number += 1
        path = self.folder / _SEGMENT.format(self._number)
        file = path.open("xb")
        try:
            file.write(_MAGIC)
            _write_frame(file, schema.serialize())
            file.flush()
            sync_folder(self.folder)
        except BaseException:
            with suppress(OSError):
                file.close()
            path.unlink(missing_ok=True)
            raise
        self._file, self._schema = file, schema

    def _undo(self, start: int) -> None:
        """Cut off what was written in part; where even that fails, leave the segment as it is and begin another."""
        file, self._file = self._file, None
        assert file is not None
        with suppress(OSError):
            os.ftruncate(file.fileno(), start)
            os.fsync(file.fileno())
        with suppress(OSError):
            file.close()


def streams(table: Path) -> list[Path]:
    """The folders of the streams that have a log beside a table; finding none costs one look at the disk."""
    try:
        return [Path(entry.path) for entry in os.scandir(_home(table)) if not entry.name.startswith(".")]
    except (FileNotFoundError, NotADirectoryError):
        return []


def ask_to_flush(folder: Path) -> bool:
    """Ask the process that writes a stream to take in its rows, and wait; whether it did.

    It did not if it is gone: then whoever takes the stream over can do so.

    Raises:
        CorruptionError: it tried and could not.
    """
    request = folder / f"{uuid.uuid4().hex}.ask"
    try:
        request.touch()
    except FileNotFoundError:
        return True  # the stream was closed, and so has taken in all
    while request.exists():
        with suppress(FileNotFoundError), (folder / "lock").open("a") as lock, suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            request.unlink(missing_ok=True)
            return False
        time.sleep(_POLL_S)
    failed = request.with_suffix(".failed")
    if failed.exists():
        failed.unlink(missing_ok=True)
        raise CorruptionError(
            f"The rows that the stream {folder.name} has acknowledged cannot be committed.",
            why="The disk is full or not writable; the process that writes the stream knows more.",
            fix="Make room or set the permissions. The rows are in the stream's log and are committed then.",
            path=str(folder),
        )
    return True


def segment_schema(path: Path) -> pa.Schema:
    """The columns of the rows in a segment.

    Raises:
        CorruptionError: it is no segment, or was damaged after it was written.
    """
    with path.open("rb") as file:
        return _read_schema(file, path)


def read_segment(path: Path) -> Iterator[pa.RecordBatch]:
    """The batches of a segment, up to the last one that was written whole.

    Raises:
        CorruptionError: it is no segment, or was damaged after it was written.
    """
    with path.open("rb") as file:
        schema = _read_schema(file, path)
        while (payload := _read_frame(file, path)) is not None:
            yield pa.ipc.read_record_batch(pa.py_buffer(payload), schema)


def _read_schema(file: IO[bytes], path: Path) -> pa.Schema:
    head = _read_frame(file, path) if file.read(len(_MAGIC)) == _MAGIC else None
    if head is not None:
        return pa.ipc.read_schema(pa.py_buffer(head))
    file.seek(0)
    if not _MAGIC.startswith(file.read(len(_MAGIC))):
        raise _damaged(path)
    return pa.schema([])  # the process died while it began the segment


def _write_frame(file: IO[bytes], payload: pa.Buffer) -> None:
    file.write(_FRAME.pack(payload.size, zlib.crc32(payload)))
    file.write(payload)


def _read_frame(file: IO[bytes], path: Path) -> bytes | None:
    """The next frame; None at the end, and if the process died while it wrote the last one."""
    head = file.read(_FRAME.size)
    if len(head) < _FRAME.size:
        return None
    size, checksum = _FRAME.unpack(head)
    payload = file.read(size)
    if len(payload) == size and zlib.crc32(payload) == checksum:
        return payload
    if len(payload) < size or not file.read(1):
        return None
    raise _damaged(path)


def _damaged(path: Path) -> CorruptionError:
    return CorruptionError(
        f"The write-ahead log {path} is damaged.",
        why="Its checksums do not match what was written: the disk failed, or something else wrote to it.",
        fix="Restore it from a backup; or move it away, and the rows of that stream since its last commit are lost.",
        path=str(path),
    )


def _home(table: Path) -> Path:
    return table / BESIDE / "wal"


def _number(segment: Path) -> int:
    return int(segment.stem)
