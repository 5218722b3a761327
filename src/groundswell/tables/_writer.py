"""Writing commits: each is made as the very next version, carries its provenance, and is durable once acknowledged."""

import itertools
import json
import os
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from deltalake import CommitProperties, DeltaTable, Metadata, PostCommitHookProperties, Transaction
from deltalake.exceptions import CommitFailedError, DeltaError
from deltalake.transaction import AddAction, RemoveAction

from groundswell import _faults
from groundswell.tables._disk import disk_errors, sync_file, sync_folder
from groundswell.tables._log import METADATA_KEY, log_path, read_log
from groundswell.tables._versions import Commit, Versions

__all__ = ["DEFINITION_KEY", "PROPERTIES", "Writer"]

PROPERTIES = {
    # Delta deletes old log files after 30 days by default, and with them commits, provenance and old versions.
    "delta.logRetentionDuration": "interval 36500 days",
    "delta.deletedFileRetentionDuration": "interval 36500 days",
    "delta.enableChangeDataFeed": "true",
    "delta.checkpointInterval": "50",
}
DEFINITION_KEY = "groundswell.definition"
_AFTER_COMMIT = PostCommitHookProperties(create_checkpoint=True, cleanup_expired_logs=False)


class Writer:
    """Writes the commits of one table. Threads may share it.

    Args:
        versions: the table's.
        author: who writes, as "user@host".
    """

    def __init__(self, versions: Versions, author: str) -> None:
        self.versions, self.folder, self._author = versions, versions.folder, author
        self._id, self._tickets = uuid.uuid4().hex, itertools.count(1)
        self._delta: DeltaTable | None = None
        self._lock = threading.Lock()

    def ticket(self) -> int:
        """A number for one write, by which it is known again in the log."""
        return next(self._tickets)

    def create(self) -> None:
        """Make the table with its first commit.

        Raises:
            DeltaError, OSError: there is a table, or the disk failed.
        """
        definition = self.versions.definition
        DeltaTable.create(
            self.folder,
            schema=definition.file_schema,
            mode="error",
            configuration={**PROPERTIES, DEFINITION_KEY: definition.to_json()},
            raise_if_key_not_exists=False,
            commit_properties=self._properties({"kind": "create", "rows": 0}, self.ticket()),
            post_commithook_properties=_AFTER_COMMIT,
        )

    def try_commit(
        self,
        actions: Sequence[AddAction | RemoveAction],
        after: int,
        note: Mapping[str, Any],
        ticket: int,
        transaction: Transaction | None = None,
    ) -> int | None:
        """Commit as the version that follows `after` and return it, or None if that version is taken.

        Args:
            actions: which files come and go.
            after: the version that the commit was checked against.
            note: what the commit says of itself, JSON.
            ticket: the write's.
            transaction: of an application that counts what it writes.

        Raises:
            CorruptionError: the disk is full or not writable.
        """
        definition = self.versions.definition
        with self._lock, disk_errors(definition.name, self.folder):
            delta = self._handle(after)
            if delta.version() != after:
                return None
            try:
                delta.create_write_transaction(
                    list(actions),
                    "append",
                    definition.file_schema,
                    commit_properties=self._properties(note, ticket, transaction),
                    post_commithook_properties=_AFTER_COMMIT,
                )
            except (CommitFailedError, DeltaError, OSError):
                # A reply can be lost and the commit be there: our transaction in the log says so.
                if self.landed(after, ticket):
                    return after + 1
                if log_path(self.folder, after + 1).exists():
                    return None
                raise
            return after + 1

    def try_write(self, actions: Sequence[Mapping[str, Any]], after: int, note: Mapping[str, Any]) -> int | None:
        """Write a commit of our own as the version that follows `after`, or return None if that version is taken.

        For what Delta libraries offer in two commits only, such as a new schema and a property that describes it. The
        file appears in the log whole or not at all.

        Args:
            actions: of the Delta protocol, but for the one that says who wrote them.
            after: the version that the commit was checked against.
            note: what the commit says of itself, JSON.

        Raises:
            CorruptionError: the disk is full or not writable.
        """
        info = {
            "timestamp": int(time.time() * 1000),
            "operation": str(note["kind"]).upper(),
            "operationParameters": {},
            "engineInfo": "groundswell",
            METADATA_KEY: self._text(note),
        }
        lines = [json.dumps(action) for action in ({"commitInfo": info}, *actions)]
        path = log_path(self.folder, after + 1)
        draft = path.with_name(f".{uuid.uuid4().hex}.draft")
        with self._lock, disk_errors(self.versions.definition.name, self.folder):
            try:
                draft.write_text("\n".join(lines), encoding="utf-8")
                sync_file(draft)
                os.link(draft, path)
            except FileExistsError:
                return None
            finally:
                draft.unlink(missing_ok=True)
        return after + 1

    def metadata(self) -> Metadata:
        """What the Delta table says of itself."""
        with self._lock, disk_errors(self.versions.definition.name, self.folder):
            return self._handle(self.versions.newest()).metadata()

    def landed(self, after: int, ticket: int) -> bool:
        """Whether the write with this ticket is in the log after a version."""
        entries = read_log(self.folder, after, self.versions.definition.event_time)
        return any(entry.transactions.get(self._id) == ticket for entry in entries)

    def acknowledge(self, version: int, verb: str) -> Commit:
        """Wait until a commit is on the disk, index it and return it.

        Args:
            version: the version that it made.
            verb: what the fault points call the write.
        """
        self.sync_log(version)
        if verb == "insert":
            _faults.point("insert:log-synced")
        commit = self.versions.commit(version)
        _faults.point(f"{verb}:indexed")
        return commit

    def set_properties(self, properties: Mapping[str, str]) -> Commit:
        """Set properties of the Delta table, in a commit of their own.

        Raises:
            CorruptionError: the disk is full or not writable, or another writer was faster.
        """
        note = {"kind": "properties", "rows": 0, "properties": sorted(properties)}
        with self._lock, disk_errors(self.versions.definition.name, self.folder):
            delta = self._handle(self.versions.newest())
            delta.alter.set_table_properties(
                dict(properties),
                raise_if_not_exists=False,
                commit_properties=self._properties(note, self.ticket()),
                post_commithook_properties=_AFTER_COMMIT,
            )
            version = delta.version()
        self.sync_log(version)
        return self.versions.commit(version)

    def sync_log(self, version: int) -> None:
        """Wait until the log file of a version is on the disk."""
        path = log_path(self.folder, version)
        sync_file(path)
        sync_folder(path.parent)

    def _handle(self, version: int) -> DeltaTable:
        if self._delta is None:
            self._delta = DeltaTable(self.folder)
        if self._delta.version() != version:
            self._delta.update_incremental()
        return self._delta

    def transaction_version(self, application: str) -> int:
        """The number of the last transaction of an application in the log; 0 if it has none."""
        with self._lock, disk_errors(self.versions.definition.name, self.folder):
            return self._handle(self.versions.newest()).transaction_version(application) or 0

    def _properties(
        self, note: Mapping[str, Any], ticket: int, transaction: Transaction | None = None
    ) -> CommitProperties:
        return CommitProperties(
            custom_metadata={METADATA_KEY: self._text(note)},
            max_commit_retries=0,
            app_transactions=[Transaction(self._id, ticket), *([] if transaction is None else [transaction])],
        )

    def _text(self, note: Mapping[str, Any]) -> str:
        return json.dumps({"format": 1, "author": self._author} | dict(note))
