"""A table: appends that are acknowledged only when durable, snapshots that never change, compaction that folds.

Every write is one Delta commit that carries its provenance. A write is checked against the version it follows and
committed only as the very next one; if another writer was faster, it is checked against what came in between and tried
again. So what a commit says about new and replaced rows is exact, and of two inserts that race both are there.
"""

import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable, Transaction
from deltalake.exceptions import DeltaError

from groundswell import _faults
from groundswell.catalog import Catalog
from groundswell.errors import CorruptionError, GroundswellError
from groundswell.tables._check import Check
from groundswell.tables._compaction import compact
from groundswell.tables._definition import Definition
from groundswell.tables._deletion import delete_rows
from groundswell.tables._disk import disk_errors
from groundswell.tables._fingerprints import Fingerprints
from groundswell.tables._frames import read_frame
from groundswell.tables._identities import Identities
from groundswell.tables._incoming import conform
from groundswell.tables._insertion import count_overlap, insert
from groundswell.tables._keys import read_keys
from groundswell.tables._lock import table_lock
from groundswell.tables._log import log_path
from groundswell.tables._pins import Pins
from groundswell.tables._purge import purge
from groundswell.tables._restoration import restore
from groundswell.tables._retention import Vacuumed, finish_removals, leftovers, vacuum
from groundswell.tables._schema_change import change_schema
from groundswell.tables._snapshot import DataFile, Snapshot
from groundswell.tables._staging import Staged, StagedFile, discard, stage
from groundswell.tables._versions import Commit, Versions
from groundswell.tables._writer import DEFINITION_KEY, Writer

__all__ = ["Table", "Watch", "stored_definition"]

Watch = Callable[[], AbstractContextManager[Callable[[pa.RecordBatch], object]]]
"""Opens a pass over rows: what it gives is called with each batch. The rows of the last pass are those written."""


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
        """Keys, times and schema of the newest version that was looked at."""
        return self._versions.definition

    def newest_definition(self) -> Definition:
        """Keys, times and schema of the newest version, whoever made it; the log is read only if it has grown.

        Raises:
            CorruptionError: the log is damaged.
        """
        return self._versions.newest_definition()

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
        return self._versions.snapshot(version, remainder=remainder)

    def files_once(self, version: int) -> tuple[DataFile, ...]:
        """The files that a version had when it was made; a vacuum or a purge may have removed some since."""
        return self._versions.files_once(version)

    def version_at(self, moment: datetime) -> int:
        """The version that was the newest at a time.

        Raises:
            NotFoundError: the table is younger.
        """
        return self._versions.at(moment)

    def history(self, limit: int | None = None) -> list[Commit]:
        """The commits, newest first."""
        return self._versions.history(limit)

    def stage(self, data: object, time_zone: str | None = None, watch: Watch | None = None) -> Staged:
        """Check rows and write them to files that `commit` will make part of the table.

        A row whose identity comes again later in the data is left out: the last one counts.

        Args:
            data: anything tabular, as `read_frame` takes it.
            time_zone: the IANA zone of naive times; None refuses them.
            watch: is shown the rows as they are written, in a pass that begins again if some are left out.

        Raises:
            SchemaError, ColumnNotFoundError, TypeMismatchError, DataError: the data does not fit. Nothing is left.
            CorruptionError: the disk is full or not writable. Nothing is left.
        """
        return self._stage(self.folder, data, time_zone, watch)

    def discard(self, staged: Staged) -> None:
        """Remove staged files that will not be committed."""
        discard(staged.files)
        if not self.exists(self.folder) and self.folder.exists() and not any(self.folder.iterdir()):
            self.folder.rmdir()

    def commit(
        self,
        staged: Staged,
        provenance: Mapping[str, Any] | None = None,
        *,
        transaction: tuple[str, int] | None = None,
    ) -> Commit:
        """Append staged rows as one commit. When it returns they are durable; if it raises nothing was written.

        A row whose identity is already there replaces the older one at read.

        Args:
            staged: what `stage` wrote.
            provenance: what the commit shall say about its origin, JSON.
            transaction: an application's name and its number for this write, for `transaction_version`.

        Raises:
            ConflictError: the schema was changed since the rows were staged.
            CorruptionError: the disk is full or not writable.
        """
        known = None if transaction is None else Transaction(*transaction)
        return insert(self._writer, self._engine, staged, provenance or {}, known)

    def transaction_version(self, application: str) -> int:
        """The number of the last write of an application that the log holds; 0 if there is none.

        An application that numbers its writes is told so which of them were committed before it was killed.
        """
        return self._writer.transaction_version(application)

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

    def delete_rows(
        self, keys: object, *, time_zone: str | None = None, provenance: Mapping[str, Any] | None = None
    ) -> Commit:
        """Delete the rows with certain keys from the newest version; earlier versions keep them.

        All rows of a key go, those that were replaced before among them. If there are none, the commit says that.

        Args:
            keys: anything tabular with the columns of the primary key, and those of the times if only rows of these
                times are meant; or one key as a mapping.
            time_zone: the IANA zone of naive times; None refuses them.
            provenance: what the commit shall say about its origin, JSON.

        Raises:
            SchemaError, ColumnNotFoundError, TypeMismatchError, DataError: these are no keys of the table.
            CorruptionError: the disk is full or not writable.
        """
        wanted = read_keys(keys, self.definition, time_zone)
        return delete_rows(self._writer, self._engine, wanted, provenance or {})

    def purge(
        self, keys: object, *, time_zone: str | None = None, provenance: Mapping[str, Any] | None = None
    ) -> Commit:
        """Take the rows with certain keys out of every version, so that no file holds a byte of them; pins yield.

        Arguments as for `delete_rows`. If the process dies on the way, the same call finishes.

        Raises:
            SchemaError, ColumnNotFoundError, TypeMismatchError, DataError: these are no keys of the table.
            CorruptionError: the disk is full or not writable.
        """
        wanted = read_keys(keys, self.definition, time_zone)
        return purge(self._writer, self._engine, self.pins, wanted, provenance or {})

    def restore(self, version: int, *, remainder: bool = False, provenance: Mapping[str, Any] | None = None) -> Commit:
        """Make the table what it was at a version, in one commit: the same rows in the same order.

        Args:
            version: which.
            remainder: whether rows of it that were purged may be missing.
            provenance: what the commit shall say about its origin, JSON.

        Raises:
            NotFoundError: there is no such version, or a vacuum removed files of it.
            ErasedError: rows of it were purged, and the remainder is not asked for.
            CorruptionError: a file of it is missing, or the disk is full or not writable.
        """
        return restore(self._writer, self._engine, version, provenance or {}, remainder=remainder)

    def vacuum(
        self,
        *,
        since: datetime | None = None,
        last: int = 1,
        provenance: Mapping[str, Any] | None = None,
        dry_run: bool = False,
    ) -> Vacuumed:
        """Remove the files that only versions need which shall not be kept; the newest and pinned ones always are.

        Files that killed inserts left go too, an hour after the last of them was written.

        Args:
            since: the versions that were the newest at some moment since are kept; None is none for that reason.
            last: so many of the newest are kept.
            provenance: what the commit shall say about its origin, JSON.
            dry_run: whether to say only what would go.

        Raises:
            CorruptionError: a pin cannot be read, or the disk is full or not writable.
        """
        return vacuum(self._writer, self.pins, since=since, last=last, provenance=provenance or {}, dry_run=dry_run)

    @property
    def pins(self) -> Pins:
        """Who relies on which version. Write one within `held`, that of a version found within it."""
        return Pins(self.folder, self.definition.name)

    def held(self) -> AbstractContextManager[None]:
        """Keep the files of all versions where they are: vacuums, purges and restores wait. Others may hold it too."""
        return table_lock(self.folder, self.definition.name, shared=True)

    def finish_removals(self) -> int:
        """Do what a vacuum or a purge that was killed has left undone; return how many files were removed."""
        with table_lock(self.folder, self.definition.name):
            return finish_removals(self._writer, self.pins)

    def leftovers(self) -> list[Path]:
        """The files that a vacuum or a purge which was killed has left."""
        return leftovers(self._writer)

    def change_schema(self, change: Callable[[Definition], Definition]) -> Commit | None:
        """Change the definition in a commit of kind "schema"; earlier versions keep theirs. None if nothing changes.

        Args:
            change: gives the new definition; it raises if the change cannot be made, and may be called again.

        Raises:
            CorruptionError: the disk is full or not writable.
        """
        return change_schema(self._writer, self._engine, change)

    def set_properties(self, properties: Mapping[str, str]) -> Commit:
        """Set properties of the Delta table, in a commit of their own.

        Raises:
            CorruptionError: the disk is full or not writable, or another writer was faster.
        """
        return self._writer.set_properties(properties)

    def _stage(self, folder: Path, data: object, time_zone: str | None, watch: Watch | None = None) -> Staged:
        reader = data if isinstance(data, pa.RecordBatchReader) else read_frame(data)
        definition = self.definition
        fingerprints = Fingerprints(definition)
        batches = fingerprints.of(conform(reader, definition, time_zone))
        with disk_errors(definition.name, folder):
            files = _write(folder, batches, definition, watch)
            try:
                paths = [str(f.path) for f in files]
                proven = not paths or fingerprints.differ()
                repeated = 0 if proven else self._engine.repeated(paths, definition)
                if repeated:
                    unique = _write(folder, self._engine.keep_last(paths, definition), definition, watch)
                    discard(files)
                    files = unique
            except BaseException:
                discard(files)
                raise
            return Staged(files=files, repeated=repeated, definition=definition)


def _write(
    folder: Path, batches: Iterable[pa.RecordBatch], definition: Definition, watch: Watch | None
) -> list[StagedFile]:
    if watch is None:
        return stage(folder, batches, definition)
    with watch() as see:
        return stage(folder, _shown(batches, see), definition)


def _shown(batches: Iterable[pa.RecordBatch], see: Callable[[pa.RecordBatch], object]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        see(batch)
        yield batch


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
