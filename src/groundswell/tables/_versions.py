"""The versions of a table: which commits it has, and which files make up each, as the index of its log says."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from groundswell.catalog import Catalog, CommitRecord, FileRecord
from groundswell.errors import CorruptionError, NotFoundError
from groundswell.tables._definition import Definition
from groundswell.tables._definitions import Definitions
from groundswell.tables._index import follow
from groundswell.tables._log import log_path
from groundswell.tables._losses import PURGE, VACUUM, Losses
from groundswell.tables._snapshot import DataFile, Snapshot

__all__ = ["Commit", "Versions", "data_file"]

Commit = CommitRecord


class Versions:
    """Finds versions of one table; each question brings the index up to the log first.

    Args:
        table_id: the group's id in the catalog.
        folder: where the table is.
        definition: keys, times and schema, as the catalog has them.
        catalog: keeps the index of the log.
    """

    def __init__(self, *, table_id: str, folder: Path, definition: Definition, catalog: Catalog) -> None:
        self.table_id, self.folder = table_id, folder
        self._index = catalog.commits
        self._definitions = Definitions(table_id, definition, self._index)

    @property
    def definition(self) -> Definition:
        """Keys, times and schema of the newest version that was looked at."""
        return self._definitions.newest

    def newest_definition(self) -> Definition:
        """Keys, times and schema of the newest version; where no commit has come, that costs a look for its file."""
        if self._definitions.looked_at < 0 or log_path(self.folder, self._definitions.looked_at + 1).exists():
            self.newest()
        return self.definition

    def newest(self) -> int:
        """The newest version."""
        version = follow(self._index, self.table_id, self.folder, self.definition)
        self._definitions.follow(version)
        return version

    def snapshot(self, version: int | None = None, *, remainder: bool = False) -> Snapshot:
        """The table as of a version; None is the newest.

        Args:
            version: which.
            remainder: whether rows of it that were purged may be missing.

        Raises:
            NotFoundError: there is no such version, or a vacuum removed files of it; the message names those there are.
            ErasedError: rows of it were purged, and the remainder is not asked for.
            CorruptionError: the log is damaged before that version.
        """
        try:
            newest = self.newest()
        except CorruptionError:  # what was committed before the damage can still be read
            newest = self._index.position(self.table_id)
            self._definitions.follow(newest)
            if version is None or version > newest:
                raise
        commit = self._get(newest if version is None else version)
        return Snapshot(
            table_id=self.table_id,
            definition=self._definitions.at(commit.version),
            version=commit.version,
            committed_at=commit.committed_at,
            files=self._data_files(self._kept(commit.version, newest, remainder)),
        )

    def files(self, version: int, *, remainder: bool = False) -> list[FileRecord]:
        """The files of a version in the order of their rows, under the conditions of `snapshot`."""
        return self._kept(version, self.newest(), remainder)

    def files_once(self, version: int) -> tuple[DataFile, ...]:
        """The files that a version had when it was made, whatever became of them."""
        self.newest()
        return self._data_files(self._index.files(self.table_id, version))

    def all_files(self) -> list[FileRecord]:
        """The files of all versions, each for as long as it was part of the table."""
        self.newest()
        return self._index.all_files(self.table_id)

    def losses(self) -> Losses:
        """What vacuums and purges have taken from earlier versions."""
        self.newest()
        return Losses(self._index.history(self.table_id, kinds=(VACUUM, PURGE)))

    def at(self, moment: datetime) -> int:
        """The version that was the newest at a time.

        Raises:
            NotFoundError: the table is younger.
        """
        self.newest()
        try:
            return self._index.version_at(self.table_id, moment)
        except NotFoundError as error:
            raise _of_group(self.definition.name, error) from None

    def history(self, limit: int | None = None) -> list[Commit]:
        """The commits, newest first."""
        self.newest()
        return self._index.history(self.table_id, limit=limit)

    def commit(self, version: int) -> Commit:
        """The commit that made a version.

        Raises:
            NotFoundError: there is no such version; the message names those there are.
        """
        self.newest()
        return self._get(version)

    def _get(self, version: int) -> Commit:
        try:
            return self._index.get(self.table_id, version)
        except NotFoundError as error:
            raise _of_group(self.definition.name, error) from None

    def _kept(self, version: int, newest: int, remainder: bool) -> list[FileRecord]:
        """The files of a version as they are now."""
        records = self._index.files(self.table_id, version)
        if version == newest:
            return records  # what an earlier version has lost, the newest has not
        losses, name = (
            Losses(self._index.history(self.table_id, kinds=(VACUUM, PURGE), after=version)),
            self.definition.name,
        )
        losses.check_kept(name, version, newest)
        kept = []
        for record in records:
            path, lost = losses.resolve(record.path)
            if lost is not None and not remainder:
                raise losses.erased(name, version, lost.purge)
            if path is not None:
                kept.append(replace(record, path=path, rows=losses.rows_of(record.path, record.rows)))
        return kept

    def _data_files(self, records: Sequence[FileRecord]) -> tuple[DataFile, ...]:
        return tuple(data_file(self.folder, record, record.path) for record in records)


def data_file(folder: Path, record: FileRecord, path: str) -> DataFile:
    """A file as readers know it.

    Args:
        folder: the table's.
        record: what the index says of it.
        path: where its rows are now, in the folder.
    """
    return DataFile(
        path=str(folder / path),
        version=record.order_version,
        rows=record.rows,
        distinct=record.distinct,
        moved=record.order_version < record.added,
        min_time_us=record.min_time_us,
        max_time_us=record.max_time_us,
    )


def _of_group(name: str, error: NotFoundError) -> NotFoundError:
    """The index's error with the name of the group, which the index does not know."""
    what = error.what.replace("The table", f"Group {name!r}", 1)
    return NotFoundError(what, why=error.why, fix=error.fix, group=name, **error.facts)
