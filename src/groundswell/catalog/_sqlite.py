"""How SQLite is connected to, and what its errors mean.

All that is special to SQLite is here: the settings without which concurrent writers lose updates, and the translation
of its errors into ours, which name the file and the way out.
"""

import json
import shlex
import sqlite3
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, ExceptionContext, NullPool, create_engine, event

from groundswell.errors import ConflictError, CorruptionError, GroundswellError

__all__ = ["IMMEDIATE", "explain", "make_engine", "path_from_url"]

BUSY_TIMEOUT_S = 60
"""How long a writer waits for another one before it gives up."""

IMMEDIATE = "catalog_immediate"
"""Execution option of a connection: its next transaction takes the write lock when it begins, not at its first write.

A transaction that reads first and writes later would otherwise work on what another one has changed meanwhile, or fail
halfway because it cannot get the lock any more.
"""

_PREFIX = "sqlite:///"


def path_from_url(url: str) -> Path:
    """The file that `url` names: all that follows `sqlite:///`, taken literally, so any character may be in a path.

    Raises:
        CorruptionError: not a SQLite address, or one in memory, which several connections cannot share.
    """
    path = url.removeprefix(_PREFIX)
    if not url.startswith(_PREFIX) or path in {"", ":memory:"}:
        raise CorruptionError(
            f"{url!r} is no place for a catalog.",
            why="A catalog is a SQLite file, as its connections must see the same database.",
            fix="Write 'sqlite:///' and the file's path, such as 'sqlite:////home/ada/flights/catalog.db'.",
            url=url,
        )
    return Path(path)


def make_engine(path: Path) -> Engine:
    """An engine for the existing file at `path`; each of its connections is a new one."""

    def connect() -> sqlite3.Connection:
        # mode=rw: a missing file must not come back as an empty one. check_same_thread: see Database.close.
        return sqlite3.connect(
            f"file:{quote(str(path.absolute()))}?mode=rw",
            uri=True,
            timeout=BUSY_TIMEOUT_S,
            isolation_level=None,
            check_same_thread=False,
        )

    def decode(text: str) -> Any:  # Any: JSON
        try:
            return json.loads(text)
        except ValueError as error:
            raise _damaged(path, error) from error

    def set_up(connection: sqlite3.Connection, _record: object) -> None:
        try:
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA journal_mode = WAL")  # readers go on while one writes; kept in the file
            connection.execute("PRAGMA synchronous = FULL")  # a commit outlives a power cut
        except UnicodeDecodeError as error:
            raise _damaged(path, error) from error

    engine = create_engine("sqlite://", creator=connect, poolclass=NullPool, json_deserializer=decode)
    event.listen(engine, "connect", set_up)
    event.listen(engine, "begin", _begin)

    def translate(context: ExceptionContext) -> GroundswellError | None:
        return explain(context.original_exception, path)

    event.listen(engine, "handle_error", translate, retval=True)
    return engine


def _begin(connection: Connection) -> None:
    immediate = connection.get_execution_options().get(IMMEDIATE, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def explain(error: BaseException, path: Path) -> GroundswellError | None:
    """Our error for one of SQLite's, or None if it says nothing about the file."""
    cause = getattr(error, "sqlite_errorname", "").removeprefix("SQLITE_").split("_")[0]
    if cause in {"BUSY", "LOCKED"}:
        return ConflictError(
            f"The catalog {str(path)!r} was locked for {BUSY_TIMEOUT_S} seconds.",
            why="Another process or thread has been writing to it all the while.",
            fix=f"Try again; if it stays locked, find out who holds it with: fuser -v {shlex.quote(str(path))}",
            path=str(path),
        )
    garbled = isinstance(error, sqlite3.Error) and any(text in str(error) for text in _GARBLED)
    if cause in _DAMAGES or garbled or isinstance(error, UnicodeDecodeError):
        return _damaged(path, error, cause)
    return None


def _damaged(path: Path, error: BaseException, cause: str = "CORRUPT") -> CorruptionError:
    what, why, fix = _DAMAGES.get(cause, _DAMAGES["CORRUPT"])
    return CorruptionError(
        f"The catalog {str(path)!r} {what}.",
        why=f"{why} The cause was: {str(error).rstrip('.'):.300}.",
        fix=fix.format(path=shlex.quote(str(path))),
        path=str(path),
    )


# What SQLite and Python say, without an error code of its own, when the text in a page is not what was written.
_GARBLED = ("Could not decode to UTF-8", "no such column", "no such table", "has no column named")

_UNREADABLE = (
    "is damaged or not a SQLite database",
    "What it holds does not read as it was written.",
    "Restore the file from a copy, or save what can still be read with: sqlite3 {path} .recover",
)
_UNWRITABLE = (
    "cannot be written",
    "The file or its folder may not be written to by this user; SQLite needs both.",
    "Give this user the right to write to the folder of {path} and all in it.",
)
_DAMAGES = {
    "CORRUPT": _UNREADABLE,
    "NOTADB": _UNREADABLE,
    "FORMAT": _UNREADABLE,
    "READONLY": _UNWRITABLE,
    "PERM": _UNWRITABLE,
    "FULL": (
        "cannot be written: no space is left",
        "The disk, or the share of it that you may use, is full; nothing of this transaction was written.",
        "Free some space and repeat the call.",
    ),
    "CANTOPEN": (
        "cannot be opened",
        "The file or its folder is missing, or may not be read and written by this user.",
        "Check the path, and that this user may read and write the folder of {path} and all in it.",
    ),
    "IOERR": (
        "cannot be read or written",
        "The disk or the network share under it gave an error; nothing of this transaction was written.",
        "Check the disk (dmesg tells) and that {path} lies on a local file system, then repeat the call.",
    ),
}
