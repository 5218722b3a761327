"""A table: appends that are acknowledged only when durable, snapshots that never change, compaction that folds.

Every write is one Delta commit that carries its provenance. A write is checked against the version it follows and
committed only as the very next one; if another writer was faster, it is checked against what came in between and tried
again. So what a commit says about new and replaced rows is exact, and of two inserts that race both are there.
"""

import itertools
import json
import random
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, PostCommitHookProperties, Transaction
from deltalake.exceptions import CommitFailedError, DeltaError
from deltalake.transaction import AddAction, RemoveAction

from groundswell.catalog import Catalog, CommitRecord
from groundswell.errors import CorruptionError, GroundswellError
from groundswell.tables import _faults
from groundswell.tables._definition import HIDDEN, Definition
from groundswell.tables._incoming import conform, read_frame
from groundswell.tables._index import follow
from groundswell.tables._log import METADATA_KEY, log_path, read_log
from groundswell.tables._snapshot import DataFile, Snapshot
from groundswell.tables._staging import StagedFile, add_action, discard, stage, sync_file, sync_folder

Commit = CommitRecord

PROPERTIES = {
    # Delta deletes old log files after 30 days by default, and with them commits, provenance and old versions.
    "delta.logRetentionDuration": "interval 36500 days",
    "delta.deletedFileRetentionDuration": "interval 36500 days",
    "delta.enableChangeDataFeed": "true",
    "delta.checkpointInterval": "50",
}
DEFINITION_KEY = "groundswell.definition"
_AFTER_COMMIT = PostCommitHookProperties(create_checkpoint=True, cleanup_expired_logs=False)


class Identities(Protocol):
    """What a table asks of the engine that reads its rows."""

    def repeated(self, paths: Sequence[str], definition: Definition) -> int:
        """How many rows of the files have an identity that a later row of them has too."""

    def keep_last(self, paths: Sequence[str], definition: Definition) -> pa.RecordBatchReader:
        """The rows of the files without those that a later one replaces, in order."""

    def overlap(self, paths: Sequence[str], existing: Sequence[str], definition: Definition) -> int:
        """How many identities of the first files are in the existing ones too; in the first each is there once."""

    def folded(self, snapshot: Snapshot) -> pa.RecordBatchReader:
        """The current rows of the snapshot in order, each with the commit and position it comes from."""


@dataclass(frozen=True, kw_only=True)
class Staged:
    """Checked rows in files that are not part of the table yet; `repeated` rows were left out for later ones."""

    files: list[StagedFile]
    repeated: int

    @property
    def paths(self) -> list[str]:
        """Where the files are."""
        return [str(file.path) for file in self.files]


@dataclass(frozen=True, kw_only=True)
class Check:
    """What an insert would do.

    Args:
        rows: rows given.
        repeated: rows that a later row of the same data replaces.
        new: rows that would be new.
        replaced: rows that would replace one that is there.
        problem: why the insert would be refused, or None.
    """

    rows: int | None
    repeated: int | None
    new: int | None
    replaced: int | None
    problem: GroundswellError | None

    @property
    def ok(self) -> bool:
        """Whether the insert would be accepted."""
        return self.problem is None

    def __str__(self) -> str:
        if self.problem is not None:
            return f"The insert would be refused. {self.problem}"
        return f"The insert would be accepted: {self.rows} rows, {self.new} new, {self.replaced} replacing, " + (
            f"{self.repeated} repeated within the data." if self.repeated else "none repeated within the data."
        )


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
        self.table_id, self.folder, self.definition = table_id, folder, definition
        self._catalog, self._engine, self._author = catalog, engine, author
        self._writer, self._tickets = uuid.uuid4().hex, itertools.count(1)
        self._delta: DeltaTable | None = None
        self._lock = threading.Lock()

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
            DeltaTable.create(
                self.folder,
                schema=pa.schema([*self.definition.schema.to_arrow(), *HIDDEN]),
                mode="error",
                configuration={**PROPERTIES, DEFINITION_KEY: self.definition.to_json()},
                raise_if_key_not_exists=False,
                commit_properties=self._properties({"kind": "create", "rows": 0}, next(self._tickets)),
                post_commithook_properties=_AFTER_COMMIT,
            )
        except (DeltaError, OSError) as error:
            if not self.exists(self.folder) or stored_definition(self.folder) != self.definition:
                raise CorruptionError(
                    f"The table of group {self.definition.name!r} cannot be made in {self.folder}: {error}",
                    fix="Check that the disk has room, is writable, and holds no other table there.",
                    path=str(self.folder),
                ) from error
        self._sync_log(0)
        _faults.point("create:after-table")

    def version(self) -> int:
        """The newest version, with the index brought up to it."""
        return follow(self._catalog.commits, self.table_id, self.folder, self.definition)

    def snapshot(self, version: int | None = None) -> Snapshot:
        """The table as of a version; None is the newest.

        Raises:
            NotFoundError: there is no such version; the message names those there are.
        CorruptionError: the log is damaged before that version.
        """
        try:
            newest = self.version()
        except CorruptionError:  # what was committed before the damage can still be read
            newest = self._catalog.commits.position(self.table_id)
            if version is None or version > newest:
                raise
        commit = self._catalog.commits.get(self.table_id, newest if version is None else version)
        return Snapshot(
            table_id=self.table_id,
            definition=self.definition,
            version=commit.version,
            committed_at=commit.committed_at,
            files=tuple(
                DataFile(
                    path=str(self.folder / record.path),
                    version=record.order_version,
                    rows=record.rows,
                    distinct=record.distinct,
                    moved=record.order_version < record.added,
                    min_time_us=record.min_time_us,
                    max_time_us=record.max_time_us,
                )
                for record in self._catalog.commits.files(self.table_id, commit.version)
            ),
        )

    def version_at(self, moment: datetime) -> int:
        """The version that was the newest at a time.

        Raises:
            NotFoundError: the table is younger.
        """
        self.version()
        return self._catalog.commits.version_at(self.table_id, moment)

    def history(self, limit: int | None = None) -> list[Commit]:
        """The commits, newest first."""
        self.version()
        return self._catalog.commits.history(self.table_id, limit=limit)

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
        _faults.point("insert:files-synced")
        ticket = next(self._tickets)
        try:
            before = self.version()
        except BaseException:
            discard(staged.files)
            raise
        try:
            return self._commit_insert(staged.files, dict(provenance or {}), ticket)
        except BaseException:
            if not self._landed(before, ticket):
                discard(staged.files)
            raise

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
            replaced = self._overlap(staged.files, self.snapshot().files) if self.exists(self.folder) else 0
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
        while True:
            snapshot = self.snapshot()
            if snapshot.clean and len(snapshot.files) < 2:
                return None
            staged = stage(self.folder, self._engine.folded(snapshot), self.definition)
            _faults.point("compact:files-synced")
            before, after = snapshot.rows, sum(f.rows for f in staged)
            note = {"kind": "compaction", "rows": after, "folded": before - after, "order_version": snapshot.version}
            now = int(time.time() * 1000)
            actions: list[AddAction | RemoveAction] = [
                RemoveAction(Path(f.path).name, False, now, partition_values={}) for f in snapshot.files
            ]
            actions += [add_action(f, self.definition, data_change=False) for f in staged]
            _faults.point("compact:before-commit")
            version = self._try_commit(actions, snapshot.version, note | {"distinct": True}, next(self._tickets))
            if version is not None:
                _faults.point("compact:after-commit")
                return self._acknowledge(version, "compact")
            discard(staged)  # the table moved under it: start over from what is there now

    def set_properties(self, properties: Mapping[str, str]) -> Commit:
        """Set properties of the Delta table, in a commit of their own.

        Raises:
            CorruptionError: the disk is full or not writable, or another writer was faster.
        """
        note = {"kind": "properties", "rows": 0, "properties": sorted(properties)}
        with self._lock, _disk_errors(self.definition.name, self.folder):
            delta = self._handle(self.version())
            delta.alter.set_table_properties(
                dict(properties),
                raise_if_not_exists=False,
                commit_properties=self._properties(note, next(self._tickets)),
                post_commithook_properties=_AFTER_COMMIT,
            )
            version = delta.version()
        self._sync_log(version)
        self.version()
        return self._catalog.commits.get(self.table_id, version)

    def _stage(self, folder: Path, data: object, time_zone: str | None) -> Staged:
        reader = data if isinstance(data, pa.RecordBatchReader) else read_frame(data)
        batches = conform(reader, self.definition, time_zone)
        with _disk_errors(self.definition.name, folder):
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

    def _commit_insert(self, staged: list[StagedFile], provenance: dict[str, Any], ticket: int) -> Commit:
        rows, replaced, seen = sum(f.rows for f in staged), 0, frozenset[str]()
        for attempt in range(1_000_000):
            snapshot = self.snapshot()
            unseen = [f for f in snapshot.files if f.path not in seen]
            replaced = self._recount(staged, snapshot, unseen, replaced)
            seen |= {f.path for f in unseen}
            note = {"kind": "insert", "rows": rows, "new": rows - replaced, "replaced": replaced} | provenance
            actions = [add_action(f, self.definition, data_change=True) for f in staged]
            _faults.point("insert:before-commit")
            version = self._try_commit(actions, snapshot.version, note | {"distinct": replaced == 0}, ticket)
            if version is not None:
                _faults.point("insert:after-commit")
                return self._acknowledge(version, "insert")
            time.sleep(random.uniform(0, min(0.001 * 2 ** min(attempt, 6), 0.05)))  # noqa: S311  # spreads writers
        raise AssertionError("a million conflicts in a row")

    def _recount(self, staged: list[StagedFile], snapshot: Snapshot, unseen: Sequence[DataFile], replaced: int) -> int:
        """How many staged rows replace one of the snapshot, given how many replace one of the files seen before."""
        if replaced and unseen:
            return self._overlap(staged, snapshot.files)  # an identity may be in seen and unseen files: count anew
        return replaced + self._overlap(staged, unseen)

    def _overlap(self, staged: Sequence[StagedFile], existing: Sequence[DataFile]) -> int:
        times = [(f.min_time_us, f.max_time_us) for f in staged if f.min_time_us is not None]
        low = min((t for t, _ in times if t is not None), default=None)
        high = max((t for _, t in times if t is not None), default=None)
        near = [
            f.path
            for f in existing
            if None in (low, high, f.min_time_us, f.max_time_us) or (f.min_time_us <= high and f.max_time_us >= low)  # type: ignore[operator]
        ]
        return self._engine.overlap([str(f.path) for f in staged], near, self.definition) if near and staged else 0

    def _try_commit(
        self, actions: Sequence[AddAction | RemoveAction], after: int, note: Mapping[str, Any], ticket: int
    ) -> int | None:
        """Commit as the version that follows `after` and return it, or None if that version is taken."""
        with self._lock, _disk_errors(self.definition.name, self.folder):
            delta = self._handle(after)
            if delta.version() != after:
                return None
            try:
                delta.create_write_transaction(
                    list(actions),
                    "append",
                    pa.schema([*self.definition.schema.to_arrow(), *HIDDEN]),
                    commit_properties=self._properties(note, ticket),
                    post_commithook_properties=_AFTER_COMMIT,
                )
            except (CommitFailedError, DeltaError, OSError):
                # A reply can be lost and the commit be there: our transaction in the log says so.
                if self._landed(after, ticket):
                    return after + 1
                if log_path(self.folder, after + 1).exists():
                    return None
                raise
            return after + 1

    def _landed(self, after: int, ticket: int) -> bool:
        """Whether the write with this ticket is in the log after a version."""
        entries = read_log(self.folder, after, self.definition.event_time)
        return any(entry.transactions.get(self._writer) == ticket for entry in entries)

    def _handle(self, version: int) -> DeltaTable:
        if self._delta is None:
            self._delta = DeltaTable(self.folder)
        if self._delta.version() != version:
            self._delta.update_incremental()
        return self._delta

    def _properties(self, note: Mapping[str, Any], ticket: int) -> CommitProperties:
        text = json.dumps({"format": 1, "author": self._author} | dict(note))
        return CommitProperties(
            custom_metadata={METADATA_KEY: text},
            max_commit_retries=0,
            app_transactions=[Transaction(self._writer, ticket)],
        )

    def _acknowledge(self, version: int, verb: str) -> Commit:
        self._sync_log(version)
        if verb == "insert":
            _faults.point("insert:log-synced")
        self.version()
        _faults.point(f"{verb}:indexed")
        return self._catalog.commits.get(self.table_id, version)

    def _sync_log(self, version: int) -> None:
        path = log_path(self.folder, version)
        sync_file(path)
        sync_folder(path.parent)


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


class _disk_errors:  # a context manager reads as a phrase
    """Say in our words that the disk failed."""

    def __init__(self, name: str, folder: Path) -> None:
        self._name, self._folder = name, folder

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, GroundswellError) or not isinstance(error, OSError | DeltaError):
            return
        raise CorruptionError(
            f"Group {self._name!r} cannot be written in {self._folder}: {error}",
            why="The disk is full, not writable, or the table's files are damaged. Nothing was committed.",
            fix="Make room or set the permissions, then run the same call again. `groundswell doctor` finds damage.",
            path=str(self._folder),
        ) from error
