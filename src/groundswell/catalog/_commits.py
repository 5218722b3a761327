"""The commit index: what the tables' logs say about versions and files, in a form that can be searched.

The Delta log of a table is the truth; this is a copy of what reading it needs, so that a time resolves to a version and
a version to its files without replaying the log. The room that owns tables follows the log and gives the records their
meaning; everything here can be dropped and rebuilt.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any, TypeVar

import sqlalchemy as sa

from groundswell.catalog import _announcements
from groundswell.catalog._database import Database
from groundswell.catalog._json import plain_mapping
from groundswell.catalog._schema import FOREVER
from groundswell.catalog._schema import commits as _commits
from groundswell.catalog._schema import files as _files
from groundswell.errors import NotFoundError

__all__ = ["CommitIndex", "CommitRecord", "FileRecord"]

Record = TypeVar("Record")


@dataclass(frozen=True, kw_only=True, repr=False)
class CommitRecord:
    """One commit of one table.

    Args:
        version: the table's version that the commit made.
        committed_at: in UTC.
        kind: what the commit did, such as "insert" or "compaction".
        author: "user@host", or empty if unknown.
        rows: rows that the commit wrote; a commit that wrote any carries data.
        new: rows of identities that were not there before; None if not known.
        replaced: rows of identities that were there before; None if not known.
        deleted: rows that the commit took away.
        distinct: whether its identities are known to differ from each other and from all before.
        detail: JSON; whatever else its readers need.
    """

    version: int
    committed_at: datetime
    kind: str
    author: str
    rows: int
    new: int | None
    replaced: int | None
    deleted: int
    distinct: bool
    detail: Mapping[str, Any]  # Any: JSON

    def __repr__(self) -> str:
        counts = "".join(f", {name}={n}" for name in ("new", "replaced", "deleted") if (n := getattr(self, name)))
        moment = self.committed_at.isoformat(" ", "seconds")
        return f"Commit(version={self.version}, kind={self.kind!r}, rows={self.rows}{counts}, at={moment!r})"

    def __str__(self) -> str:
        """What it did in a line."""
        counts = [f"{n:,} {name}" for name in ("new", "replaced", "deleted") if (n := getattr(self, name))]
        moment = f"{self.committed_at:%Y-%m-%d %H:%M:%S} UTC"
        rows = f" of {self.rows:,} rows" if self.rows or not counts else ""
        told = f" ({', '.join(counts)})" if counts else ""
        return f"version {self.version}: {self.kind}{rows}{told}, {moment}"


@dataclass(frozen=True, kw_only=True)
class FileRecord:
    """One data file of one table, from the version that added it until the version that removed it.

    Args:
        path: as the log writes it.
        added: the version that added it.
        removed: the version that removed it; None while it is active.
        order_version: the version that its rows count as written by; lower than `added` if compaction moved them.
        position: its place among the files of that version.
        distinct: whether its identities are known to differ from all before, as its commit says.
        min_time_us: the earliest event time in it, in microseconds since 1970 in UTC; None if not known.
        max_time_us: the latest event time in it, likewise.
    """

    path: str
    added: int
    removed: int | None
    order_version: int
    position: int
    rows: int
    size_bytes: int
    distinct: bool
    min_time_us: int | None
    max_time_us: int | None


_REMOVED = sa.func.nullif(_files.c.removed, FOREVER).label("removed")
_COMMIT = sa.select(*(column for column in _commits.c if column is not _commits.c.table_id))
_FILE = sa.select(*(_REMOVED if c is _files.c.removed else c for c in _files.c if c is not _files.c.table_id))
_COMMIT_FIELDS = _COMMIT.selected_columns.keys()
_FILE_FIELDS = _FILE.selected_columns.keys()


class CommitIndex:
    """The commits and files of all tables; `table_id` is the id of the feature group's entry."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def position(self, table_id: str) -> int:
        """The last version that is indexed, -1 if none is."""
        with self._database.read() as connection:
            return _position(connection, table_id)

    def advance(
        self,
        table_id: str,
        after: int,
        commits: Sequence[CommitRecord],
        added: Sequence[FileRecord],
        removed: Sequence[tuple[str, int]],
    ) -> None:
        """Index the commits that follow version `after`, with the files they added and removed, and tell of them.

        Each commit becomes an event once, however often it is indexed. All or nothing, and nothing if the index does
        not stand at `after` any more: another follower was faster and has written the same.

        Args:
            commits: in order of their versions, without gaps.
            added: new files; one that the same commits removed again may say so itself.
            removed: the path of each file removed, and the version that did it, in the order of versions: a file may
                come back and be removed again. Paths that are not active are ignored.
        """
        versions = [after, *(commit.version for commit in commits)] if after >= 0 else [c.version for c in commits]
        assert all(b == a + 1 for a, b in pairwise(versions)), f"the versions {versions} have gaps"
        rows = [vars(c) | {"table_id": table_id, "detail": plain_mapping(c.detail, "detail")} for c in commits]
        with self._database.write() as connection:
            if _position(connection, table_id) != after:
                return
            _insert(connection, table_id, rows, added)
            _remove(connection, table_id, removed)
            _announcements.announce(connection, table_id, rows)

    def history(
        self,
        table_id: str,
        *,
        after: int = -1,
        until: int | None = None,
        kinds: Sequence[str] | None = None,
        limit: int | None = None,
    ) -> list[CommitRecord]:
        """The commits, newest first.

        Args:
            table_id: of which table.
            after: only those of later versions.
            until: up to and including this version; None is the newest.
            kinds: only those of these kinds; None is all.
            limit: at most so many.
        """
        query = _COMMIT.where(_commits.c.table_id == table_id).order_by(_commits.c.version.desc()).limit(limit)
        if until is not None:
            query = query.where(_commits.c.version <= min(until, FOREVER))
        if after >= 0:
            query = query.where(_commits.c.version > min(after, FOREVER))
        if kinds is not None:
            query = query.where(_commits.c.kind.in_(kinds))
        with self._database.read() as connection:
            return [_record(CommitRecord, _COMMIT_FIELDS, row) for row in connection.execute(query)]

    def get(self, table_id: str, version: int) -> CommitRecord:
        """The commit that made `version`.

        Raises:
            NotFoundError: no such version; the message names those there are.
        """
        query = _COMMIT.where(_commits.c.table_id == table_id, _commits.c.version == version)
        with self._database.read() as connection:
            _check_version(connection, table_id, version)
            return _record(CommitRecord, _COMMIT_FIELDS, connection.execute(query).one())

    def version_at(self, table_id: str, moment: datetime) -> int:
        """The largest version that was committed at `moment` or before; one without a zone is taken as UTC.

        Raises:
            NotFoundError: the table is younger; the message names the time of its first commit.
        """
        of_table = _commits.c.table_id == table_id
        version = sa.select(_commits.c.version).where(of_table, _commits.c.committed_at <= moment)
        first = sa.select(_commits.c.committed_at).where(of_table).order_by(_commits.c.version).limit(1)
        with self._database.read() as connection:
            found: int | None = connection.scalar(version.order_by(_commits.c.version.desc()).limit(1))
            if found is None:
                raise _too_early(moment, connection.scalar(first))
            return found

    def files(self, table_id: str, version: int) -> list[FileRecord]:
        """The files that are active at `version`, in the order in which their rows were written.

        Raises:
            NotFoundError: no such version; the message names those there are.
        """
        active = (_files.c.table_id == table_id, _files.c.removed > version, _files.c.added <= version)
        with self._database.read() as connection:
            _check_version(connection, table_id, version)
            in_order = _files.c.order_version, _files.c.position, _files.c.added, _files.c.path
            rows = connection.execute(_FILE.where(*active).order_by(*in_order))
            return [_record(FileRecord, _FILE_FIELDS, row) for row in rows.all()]

    def all_files(self, table_id: str) -> list[FileRecord]:
        """The files that ever were active, in the order in which they were added."""
        query = _FILE.where(_files.c.table_id == table_id).order_by(_files.c.added, _files.c.position)
        with self._database.read() as connection:
            return [_record(FileRecord, _FILE_FIELDS, row) for row in connection.execute(query)]

    def forget(self, table_id: str) -> None:
        """Drop what is indexed of the table, so that it can be indexed again from its log."""
        with self._database.write() as connection:
            connection.execute(sa.delete(_files).where(_files.c.table_id == table_id))
            connection.execute(sa.delete(_commits).where(_commits.c.table_id == table_id))

    def rewind(self, table_id: str, version: int) -> None:
        """Drop what is indexed of the table, because an earlier copy was put in its place, and tell of that.

        Args:
            version: the newest one of the copy.
        """
        with self._database.write() as connection:
            self.forget(table_id)
            _announcements.rewind(connection, table_id, version)


def _position(connection: sa.Connection, table_id: str) -> int:
    last = connection.scalar(sa.select(sa.func.max(_commits.c.version)).where(_commits.c.table_id == table_id))
    return -1 if last is None else last


def _insert(
    connection: sa.Connection, table_id: str, rows: list[dict[str, Any]], added: Sequence[FileRecord]
) -> None:  # Any: the values of a row
    if rows:
        connection.execute(sa.insert(_commits), rows)
    if added:
        records = [
            vars(file) | {"table_id": table_id, "removed": FOREVER if file.removed is None else file.removed}
            for file in added
        ]
        connection.execute(sa.insert(_files), records)


def _remove(connection: sa.Connection, table_id: str, removed: Sequence[tuple[str, int]]) -> None:
    if not removed:
        return
    statement = (
        sa.update(_files)
        .where(_files.c.table_id == table_id, _files.c.path == sa.bindparam("of_path"))
        .where(_files.c.added < sa.bindparam("at"), _files.c.removed == FOREVER)
        .values(removed=sa.bindparam("at"))
    )
    connection.execute(statement, [{"of_path": path, "at": version} for path, version in removed])


def _record(cls: type[Record], fields: Sequence[str], row: Iterable[Any]) -> Record:  # Any: each column has its type
    # What the dataclass's own __init__ leaves behind, which sets each field of a frozen one by a call: 0.9 ms, not
    # 1.4, for the 1,000 files of a snapshot, whose rows are fetched in 1.3.
    record = object.__new__(cls)
    vars(record).update(zip(fields, row, strict=True))
    return record


def _check_version(connection: sa.Connection, table_id: str, version: int) -> None:
    known = sa.select(_commits.c.version).where(_commits.c.table_id == table_id, _commits.c.version == version)
    if 0 <= version < FOREVER and connection.scalar(known) is not None:
        return
    bounds = sa.select(sa.func.min(_commits.c.version), sa.func.max(_commits.c.version))
    first, last = connection.execute(bounds.where(_commits.c.table_id == table_id)).one()
    fix = "It has no versions yet." if first is None else f"The versions are {first} to {last}."
    raise NotFoundError(f"The table has no version {version}.", fix=fix, version=version, first=first, last=last)


def _too_early(moment: datetime, first: datetime | None) -> NotFoundError:
    return NotFoundError(
        f"The table has no version at {moment.isoformat()}.",
        why=f"Its first commit was made at {first.isoformat()}." if first else "It has no versions yet.",
        fix="Ask for that time or a later one." if first else "Write to it first.",
        moment=moment,
        first=first,
    )
