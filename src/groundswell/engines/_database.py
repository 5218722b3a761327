"""The DuckDB of a process: opened at first use, shared by threads, never shared with a forked child.

A child made by fork has none of the threads that its parent's database waits for: using it hangs, and so does letting
go of it. So databases that nobody uses are closed before a fork and open again at their next use; one in use stays the
parent's, and the child keeps it untouched.
"""

import ctypes
import os
import re
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from weakref import WeakSet, finalize

import duckdb

from groundswell.errors import CorruptionError, DataError

__all__ = ["Database", "explained", "parse_bytes"]

_SHARE = 0.6
"""DuckDB oversteps its limit by 15 to 55 %, and Python and Arrow need room too: of the user's limit it gets this."""
_LEAST_BYTES = 64 * 10**6
_UNITS = {"kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12, "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40}


class Database:
    """A database in memory with a folder to spill into. Each cursor is a session of its own, for one thread.

    Args:
        memory_limit: how much memory the process should take at most, such as "1GB"; None lets DuckDB choose.
        threads: how many; None is one per core.
        temp_folder: where to spill; None is a folder of its own in the system's temporary folder.

    Raises:
        DataError: the limit or the number of threads is none.
    """

    def __init__(self, *, memory_limit: str | None, threads: int | None, temp_folder: str | None) -> None:
        self._settings: dict[str, str | int | bool] = {}
        if memory_limit is not None:
            self._settings["memory_limit"] = f"{int(parse_bytes(memory_limit) * _SHARE) >> 20}MiB"
        if threads is not None:
            self._settings["threads"] = _checked_threads(threads)
        self._temp_folder = temp_folder
        self._remove_folder: finalize[..., Database] | None = None
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._cursors: WeakSet[duckdb.DuckDBPyConnection] = WeakSet()
        with _LOCK:
            _ALL.add(self)

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A session. Whoever asked for it closes it."""
        with _LOCK:
            if self._connection is None:
                self._connection = self._connect()
            cursor = self._connection.cursor()
            self._cursors.add(cursor)
            return cursor

    @contextmanager
    def session(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A session for a block, whose errors are explained."""
        cursor = self.cursor()
        try:
            with explained():
                yield cursor
        finally:
            self.release(cursor)

    def release(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Close a session."""
        cursor.close()
        with _LOCK:
            self._cursors.discard(cursor)

    def close(self) -> None:
        """Let go of memory and temporary files; the next cursor opens the database again."""
        with _LOCK:
            connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
        if self._remove_folder is not None:
            self._remove_folder()

    def _connect(self) -> duckdb.DuckDBPyConnection:
        folder = self._temp_folder
        if folder is None:
            folder = tempfile.mkdtemp(prefix="groundswell-duckdb-")
            self._remove_folder = finalize(self, _remove, folder, os.getpid())
        connection = duckdb.connect(config={**self._settings, "temp_directory": folder})
        connection.execute("SET GLOBAL TimeZone = 'UTC'")  # of all sessions; without GLOBAL it is this one's alone
        return connection

    def _is_idle(self) -> bool:
        return not self._cursors

    def _leave_to_parent(self) -> None:
        if self._connection is not None:
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._connection))  # it must never be let go of here
        self._connection, self._remove_folder, self._cursors = None, None, WeakSet()


_LOCK = threading.RLock()
_ALL: WeakSet[Database] = WeakSet()


def _before_fork() -> None:
    _LOCK.acquire()
    for database in _ALL:
        if database._is_idle():
            database.close()


def _after_fork_in_child() -> None:
    for database in _ALL:
        database._leave_to_parent()
    _LOCK.release()


os.register_at_fork(before=_before_fork, after_in_parent=_LOCK.release, after_in_child=_after_fork_in_child)


def _remove(folder: str, process: int) -> None:
    if os.getpid() == process:  # a forked child ends with the finalizers of its parent
        shutil.rmtree(folder, ignore_errors=True)


def parse_bytes(text: str) -> int:
    """Bytes from text such as "1GB" or "512MiB".

    Raises:
        DataError: it cannot be read, or is less than 64 MB.

    >>> parse_bytes("1.5 GiB")
    1610612736
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*", text.lower()) if isinstance(text, str) else None
    size = float(match[1]) * _UNITS.get(match[2], 0) if match else 0
    if not _LEAST_BYTES <= size < 2**63:
        raise DataError(
            f"{text!r} cannot be a memory limit.",
            why="It must be a number and a unit, and at least 64MB.",
            fix="Write it as '1GB' or '512MiB'.",
            value=text,
        )
    return int(size)


def _checked_threads(threads: object) -> int:
    if isinstance(threads, bool) or not isinstance(threads, int) or threads < 1:
        raise DataError(f"threads={threads!r} is no number of threads.", fix="Give 1 or more.", value=threads)
    return threads


@contextmanager
def explained() -> Iterator[None]:
    """Say in our words that a file cannot be read, that memory is used up, or that a value cannot be computed."""
    try:
        yield
    except duckdb.Error as error:
        reason = str(error).splitlines()[0].rstrip(".")
        if isinstance(error, duckdb.OutOfMemoryException):
            raise DataError(
                f"The memory limit is too small for this query: {reason}.",
                fix="Raise memory_limit, ask for fewer columns, or read in parts.",
            ) from error
        if isinstance(error, duckdb.OutOfRangeException | duckdb.ConversionException):
            raise DataError(
                f"A value cannot be computed: {reason}.",
                why="An integer leaves 64 bits, or another tool wrote a column with another type.",
                fix="Compute with floats, such as gs.col('x') * 1.0; `groundswell doctor` says if types differ.",
            ) from error
        if not _is_about_a_file(error):
            raise
        raise CorruptionError(
            f"A table's file cannot be read: {reason}.",
            why="It is damaged, missing, or the disk is full.",
            fix="`groundswell doctor` says which files are affected; other versions and groups can still be read.",
        ) from error


def _is_about_a_file(error: duckdb.Error) -> bool:
    """Whether a file is damaged or missing; what DuckDB's decoders of Parquet throw has no class of its own."""
    if isinstance(error, duckdb.InvalidInputException):
        return ".parquet" in str(error)
    return isinstance(error, duckdb.IOException) or type(error) is duckdb.Error
