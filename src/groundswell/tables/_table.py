"""A table: appends that are acknowledged only when durable, snapshots that never change, compaction that folds.

Every write is one Delta commit that carries its provenance. A write is checked against the version it follows and
committed only as the very next one; if another writer was faster, it is checked against what came in between and tried
again. So what a commit says about new and replaced rows is exact, and of two inserts that race both are there.
"""

import json
import tempfile
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from groundswell.catalog import Catalog
from groundswell.errors import CorruptionError, GroundswellError
from groundswell.tables import _faults
from groundswell.tables._check import Check
from groundswell.tables._compaction import compact
from groundswell.tables._definition import Definition
from groundswell.tables._disk import disk_errors
from groundswell.tables._frames import read_frame
from groundswell.tables._identities import Identities
from groundswell.tables._incoming import conform
from groundswell.tables._insertion import count_overlap, insert
from groundswell.tables._log import log_path
from groundswell.tables._snapshot import Snapshot
from groundswell.tables._staging import Staged, discard, stage
from groundswell.tables._versions import Commit, Versions
from groundswell.tables._writer import DEFINITION_KEY, Writer

__all__ = ["Table", "stored_definition"]


class Table:
    """The Delta table of one feature group.

    Args:
        table_id: the group's id in the catalog.
        folder: where the table is.
        definition: keys, times and schema.
        catalog: keeps the index of the log.
        engine: answers questions about identities.
        author: who writes, as "user@host".
    """

    def __init__(
        self, *, table_id: str, folder: Path, definition: Definition, catalog: Catalog, engine: Identities, author: str
    ) -> None:
        self.table_id, self.folder, self._engine = table_id, folder, engine
        self._versions = Versions(table_id=table_id, folder=folder, definition=definition, catalog=catalog)
        self._writer = Writer(self._versions, author)

    @property
    def definition(self) -> Definition:
        """Keys, times and schema."""
        return self._versions.definition

    @staticmethod
    def exists(folder: Path) -> bool:
        """Whether there is a table in the folder."""
        return log_path(folder, 0).exists()

    def create(self) -> None:
        """Make the table on the disk, unless another process has just made the same.

        Raises:
            CorruptionError: the folder holds a table with another definition, or cannot be written.
        """
        _faults.point("create:before-table")
        try:
            self._writer.create()
        except (DeltaError, OSError) as error:
            if not self.exists(self.folder) or stored_definition(self.folder) != self.definition:
                raise CorruptionError(
                    f"The table of group {self.definition.name!r} cannot be made in {self.folder}: {error}",
                    fix="Check that the disk has room, is writable, and holds no other table there.",
                    path=str(self.folder),
                ) from error
        self._writer.sync_log(0)
        _faults.point("create:after-table")

    def version(self) -> int:
        """The newest version, with the index brought up to it."""
        return self._versions.newest()

    def snapshot(self, version: int | None = None) -> Snapshot:
        """The table as of a version; None is the newest.

        Raises:
            NotFoundError: there is no such version; the message names those there are.
            CorruptionError: the log is damaged before that version.
        """
        return self._versions.snapshot(version)

    def version_at(self, moment: datetime) -> int:
        """The version that was the newest at a time.

        Raises:
            NotFoundError: the table is younger.
        """
        return self._versions.at(moment)

    def history(self, limit: int | None = None) -> list[Commit]:
        """The commits, newest first."""
        return self._versions.history(limit)

    def stage(self, data: object, time_zone: str | None = None) -> Staged:
        """Check rows and write them to files that `commit` will make part of the table.

        A row whose identity comes again later in the data is left out: the last one counts.

        Args:
            data: anything tabular, as `read_frame` takes it.
            time_zone: the IANA zone of naive times; None refuses them.

        Raises:
            SchemaError, ColumnNotFoundError, TypeMismatchError, DataError: the data does not fit. Nothing is left.
            CorruptionError: the disk is full or not writable. Nothing is left.
        """
        return self._stage(self.folder, data, time_zone)

    def discard(self, staged: Staged) -> None:
        """Remove staged files that will not be committed."""
        discard(staged.files)
        if not self.exists(self.folder) and self.folder.exists() and not any(self.folder.iterdir()):
            self.folder.rmdir()

    def commit(self, staged: Staged, provenance: Mapping[str, Any] | None = None) -> Commit:
        """Append staged rows as one commit. When it returns they are durable; if it raises nothing was written.

        A row whose identity is already there replaces the older one at read.

        Args:
            staged: what `stage` wrote.
            provenance: what the commit shall say about its origin, JSON.

        Raises:
            CorruptionError: the disk is full or not writable.
        """
        return insert(self._writer, self._engine, staged, provenance or {})

    def check(
        self, data: object, *, time_zone: str | None = None, examine: Callable[[Staged], None] | None = None
    ) -> Check:
        """What inserting the data would do, without writing to the table.

        Args:
            data: as for `stage`.
            time_zone: as for `stage`.
            examine: is given the staged rows while they exist, if they fit the table.
        """
        with tempfile.TemporaryDirectory(prefix="groundswell-") as folder:
            try:
                staged = self._stage(Path(folder), data, time_zone)
            except GroundswellError as problem:
                return Check(rows=None, repeated=None, new=None, replaced=None, problem=problem)
            if examine is not None:
                examine(staged)
            rows = sum(f.rows for f in staged.files)
            replaced = count_overlap(self._engine, staged, self.snapshot()) if self.exists(self.folder) else 0
            return Check(
                rows=rows + staged.repeated,
                repeated=staged.repeated,
                new=rows - replaced,
                replaced=replaced,
                problem=None,
            )

    def compact(self) -> Commit | None:
        """Fold replaced rows away and write the rest as few files; readers see the same rows in the same order.

        Old versions stay readable. Returns None if there is nothing to gain.

        Raises:
            CorruptionError: the disk is full or not writable.
        """
        return compact(self._writer, self._engine)

    def set_properties(self, properties: Mapping[str, str]) -> Commit:
        """Set properties of the Delta table, in a commit of their own.

        Raises:
            CorruptionError: the disk is full or not writable, or another writer was faster.
        """
        return self._writer.set_properties(properties)

    def _stage(self, folder: Path, data: object, time_zone: str | None) -> Staged:
        reader = data if isinstance(data, pa.RecordBatchReader) else read_frame(data)
        batches = conform(reader, self.definition, time_zone)
        with disk_errors(self.definition.name, folder):
            files = stage(folder, batches, self.definition)
            try:
                paths = [str(f.path) for f in files]
                repeated = self._engine.repeated(paths, self.definition) if paths else 0
                if repeated:
                    unique = stage(folder, self._engine.keep_last(paths, self.definition), self.definition)
                    discard(files)
                    files = unique
            except BaseException:
                discard(files)
                raise
            return Staged(files=files, repeated=repeated)


def stored_definition(folder: Path) -> Definition:
    """The definition that the table itself carries.

    Raises:
        CorruptionError: there is no table, or it carries none.
    """
    try:
        text = DeltaTable(folder).metadata().configuration[DEFINITION_KEY]
        return Definition.from_dict(json.loads(text))
    except (DeltaError, OSError, KeyError, ValueError) as error:
        raise CorruptionError(
            f"The folder {folder} holds no table of ours ({error}).",
            fix="Restore it from a backup.",
            path=str(folder),
        ) from error
