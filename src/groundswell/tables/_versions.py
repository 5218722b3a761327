"""The versions of a table: which commits it has, and which files make up each, as the index of its log says."""

from datetime import datetime
from pathlib import Path

from groundswell.catalog import Catalog, CommitRecord, FileRecord
from groundswell.errors import CorruptionError
from groundswell.tables._definition import Definition
from groundswell.tables._index import follow
from groundswell.tables._snapshot import DataFile, Snapshot

__all__ = ["Commit", "Versions"]

Commit = CommitRecord


class Versions:
    """Finds versions of one table; each question brings the index up to the log first.

    Args:
        table_id: the group's id in the catalog.
        folder: where the table is.
        definition: keys, times and schema.
        catalog: keeps the index of the log.
    """

    def __init__(self, *, table_id: str, folder: Path, definition: Definition, catalog: Catalog) -> None:
        self.table_id, self.folder, self.definition = table_id, folder, definition
        self._index = catalog.commits

    def newest(self) -> int:
        """The newest version."""
        return follow(self._index, self.table_id, self.folder, self.definition)

    def snapshot(self, version: int | None = None) -> Snapshot:
        """The table as of a version; None is the newest.

        Raises:
            NotFoundError: there is no such version; the message names those there are.
            CorruptionError: the log is damaged before that version.
        """
        try:
            newest = self.newest()
        except CorruptionError:  # what was committed before the damage can still be read
            newest = self._index.position(self.table_id)
            if version is None or version > newest:
                raise
        commit = self._index.get(self.table_id, newest if version is None else version)
        return Snapshot(
            table_id=self.table_id,
            definition=self.definition,
            version=commit.version,
            committed_at=commit.committed_at,
            files=tuple(map(self._data_file, self._index.files(self.table_id, commit.version))),
        )

    def at(self, moment: datetime) -> int:
        """The version that was the newest at a time.

        Raises:
            NotFoundError: the table is younger.
        """
        self.newest()
        return self._index.version_at(self.table_id, moment)

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
        return self._index.get(self.table_id, version)

    def _data_file(self, record: FileRecord) -> DataFile:
        return DataFile(
            path=str(self.folder / record.path),
            version=record.order_version,
            rows=record.rows,
            distinct=record.distinct,
            moved=record.order_version < record.added,
            min_time_us=record.min_time_us,
            max_time_us=record.max_time_us,
        )
