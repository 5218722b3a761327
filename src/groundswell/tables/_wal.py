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
import time
import uuid
from collections.abc import Iterable, Sequence
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import IO
from weakref import WeakSet

import pyarrow as pa

from groundswell import _faults
from groundswell.errors import ConflictError, CorruptionError, NotFoundError
from groundswell.tables._disk import disk_errors, sync_folder
from groundswell.tables._lock import BESIDE
from groundswell.tables._wal_segment import MAGIC, write_frame, write_whole

__all__ = ["WriteAheadLog", "ask_to_flush", "is_abandoned", "is_from_flush", "streams"]

_SEGMENT = "{:08d}.wal"
_FLUSHING = "-flushing"
_POLL_S, _PATIENCE_S = 0.005, 30.0


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
        self._file: FileIO | None = None
        self._number = max([0, *map(_number, self.segments())])
        self._schema: pa.Schema | None = None
        _OPEN.add(self)

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
        with disk_errors(name, table):
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
            NotFoundError: the group was deleted.
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
                    write_frame(self._file, batch.serialize())
                _faults.point("wal:written")
                os.fdatasync(self._file.fileno())
                if not os.fstat(self._file.fileno()).st_nlink:  # what is written now is gone when it is closed
                    raise self._deleted()
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
            moved = [path.rename(folder / f"{self.stream}-{path.name}") for path in segments]
            sync_folder(folder)
            return moved

    def asked(self) -> list[Path]:
        """The requests of readers to take in what is there, to be answered when that is done."""
        return list(self.folder.glob("*.ask"))

    def answer(self, requests: Iterable[Path], *, done: bool) -> None:
        """Tell readers whether what was there when they asked is taken in."""
        for request in requests:
            with suppress(FileNotFoundError):  # who asked has given up
                request.unlink() if done else request.rename(request.with_suffix(".failed"))

    def close(self) -> None:
        """Let go of the stream; its folder goes with it if nothing is left in it."""
        left = self.rotate()
        if not left:
            shutil.rmtree(self.folder, ignore_errors=True)
        self._lock.close()

    def _begin(self, schema: pa.Schema) -> None:
        self._number += 1
        path = self.folder / _SEGMENT.format(self._number)
        if not self.folder.exists():
            raise self._deleted()
        # Without a buffer: what a full disk refused would be written when the file is closed, beyond the cut.
        file = path.open("xb", buffering=0)
        try:
            write_whole(file, MAGIC)
            write_frame(file, schema.serialize())
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

    def _deleted(self) -> NotFoundError:
        return NotFoundError(
            f"Group {self._name!r} was deleted, so the stream {self.stream} has no place to write to.",
            fix="Close the stream. If the group is there again, open a stream into that.",
            name=self._name,
        )

    def _left_to_parent(self) -> None:
        """In a forked child: let go of the lock, which would hold as long as the child lives."""
        self._lock.close()
        if self._file is not None:
            self._file.close()


_OPEN: WeakSet[WriteAheadLog] = WeakSet()
"""The logs of this process, for the fork alone: a child shares the locks of what it inherits."""


def _after_fork_in_child() -> None:
    for log in list(_OPEN):
        log._left_to_parent()  # a log's own part of the fork


os.register_at_fork(after_in_child=_after_fork_in_child)


def streams(table: Path) -> list[Path]:
    """The folders of the streams that have a log beside a table; finding none costs one look at the disk."""
    try:
        return [Path(entry.path) for entry in os.scandir(_home(table)) if not entry.name.startswith(".")]
    except (FileNotFoundError, NotADirectoryError):
        return []


def is_abandoned(folder: Path) -> bool:
    """Whether the process that wrote a stream is gone, and nobody has taken it over."""
    with suppress(FileNotFoundError), (folder / "lock").open("r") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
    return False


def ask_to_flush(folder: Path, *, patience_s: float = _PATIENCE_S, flushing: bool = False) -> bool:
    """Ask the process that writes a stream to take in its rows, and wait; whether it did.

    It did not if it is gone: then whoever takes the stream over can do so.

    Args:
        folder: the stream's.
        patience_s: how long to wait.
        flushing: whether who asks is taking in rows of another stream, which the one that is asked must not wait for.

    Raises:
        ConflictError: it did not answer in that time.
        CorruptionError: it tried and could not.
    """
    request = folder / f"{uuid.uuid4().hex}{_FLUSHING if flushing else ''}.ask"
    with disk_errors(folder.name, folder):
        try:
            request.touch()
        except FileNotFoundError:
            return True  # the stream was closed, and so has taken in all
    until = time.monotonic() + patience_s
    while request.exists():
        if time.monotonic() > until:
            request.unlink(missing_ok=True)
            raise _silent(folder, patience_s)
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


def is_from_flush(request: Path) -> bool:
    """Whether a request comes from one who is taking in rows of another stream."""
    return request.stem.endswith(_FLUSHING)


def _silent(folder: Path, patience_s: float) -> ConflictError:
    return ConflictError(
        f"The stream {folder.name} has acknowledged rows, and has not committed them for {patience_s:g} seconds.",
        why="Who reads the newest rows must have them, and the process that writes the stream does not answer: it was "
        "stopped, or is very busy.",
        fix="Let it go on or end it (its rows are safe and are committed then), and run the same call again. Earlier "
        "versions can be read meanwhile: as_of=….",
        path=str(folder),
    )


def _home(table: Path) -> Path:
    return table / BESIDE / "wal"


def _number(segment: Path) -> int:
    return int(segment.stem)
