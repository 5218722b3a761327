"""Which revision a catalog's tables have, and what to do about it when it is opened.

An up-to-date catalog is recognized by one query, without Alembic.
"""

import errno
import os
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import sqlalchemy as sa

from groundswell._version import __version__
from groundswell.catalog._database import Database
from groundswell.catalog._schema import HEAD, REVISION_TABLE
from groundswell.errors import CorruptionError, VersionError

__all__ = ["bring_up_to_date", "check_file", "make_file"]

_REVISION = sa.select(sa.column("version_num", sa.String)).select_from(sa.table(REVISION_TABLE))


def make_file(path: Path) -> None:
    """Make an empty file at `path` unless one is there, as an empty file is an empty database.

    A file that is there is not opened: closing it would drop the locks that every connection of this process has on it,
    as POSIX has it, and another process could take the log away that they write to. So it is made under another name.

    Raises:
        CorruptionError: it cannot be made.
    """
    part = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not path.exists():
            part.touch()
            with suppress(FileExistsError):  # another process was faster
                path.hardlink_to(part)
    except OSError as error:
        raise CorruptionError(
            f"The catalog {str(path)!r} cannot be made.",
            why=f"{error.strerror}.",
            fix="Choose a path in a folder that exists and that you may write to.",
            path=str(path),
        ) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def check_file(path: Path) -> None:
    """Check that there is a file to open.

    Raises:
        CorruptionError: there is none.
    """
    try:
        there = path.is_file()
    except PermissionError:
        return  # connecting fails then, and says what is not allowed
    if not there:
        no_folder = not path.parent.is_dir()
        raise CorruptionError(
            f"There is no catalog at {str(path)!r}.",
            why="Its folder is missing." if no_folder else "It was moved or deleted, or the path is another one.",
            fix=f"Check the path, or make a new catalog with Catalog.create({'sqlite:///' + str(path)!r}).",
            path=str(path),
        )


def bring_up_to_date(database: Database, *, may_be_empty: bool) -> None:
    """Check that the tables have the newest revision, or upgrade them.

    Args:
        may_be_empty: whether a database without tables becomes a catalog.

    Raises:
        CorruptionError: the database is another program's, or empty though it may not be.
        VersionError: its revision is unknown here.
    """
    with database.read() as connection:
        if _stored(connection, database.path, may_be_empty=may_be_empty) == HEAD:
            return
    from groundswell.catalog import _upgrade  # imports Alembic, 0.2 s that an up-to-date catalog need not wait for

    with database.write() as connection:
        # Asked again under the write lock: another process may have upgraded it meanwhile.
        stored = _stored(connection, database.path, may_be_empty=may_be_empty)
        if stored is not None and stored not in _upgrade.known_revisions():
            raise VersionError(
                f"The catalog {str(database.path)!r} has the revision {stored!r}, "
                f"and Groundswell {__version__} knows up to {HEAD!r}.",
                why="It was made or opened by a newer Groundswell, whose tables this one cannot read safely.",
                fix="Upgrade with: pip install --upgrade groundswell",
                path=str(database.path),
                revision=stored,
                known=HEAD,
            )
        _upgrade.upgrade(connection)


def _stored(connection: sa.Connection, path: Path, *, may_be_empty: bool) -> str | None:
    """The stored revision; None for a database without tables."""
    tables = sa.inspect(connection).get_table_names()
    stored: str | None = connection.scalar(_REVISION) if REVISION_TABLE in tables else None
    if stored is None and (tables or not may_be_empty):
        create = f"Catalog.create({'sqlite:///' + str(path)!r})"
        foreign = f"It has the tables {', '.join(sorted(tables)[:5])}, as of another program, or was damaged."
        raise CorruptionError(
            f"{str(path)!r} is no catalog of Groundswell.",
            why=foreign if tables else "It is an empty database.",
            fix="Choose another file, or restore this one from a copy." if tables else f"Make it one with {create}.",
            path=str(path),
        )
    return stored
