"""What a table asks of the engine that reads its rows."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import pyarrow as pa

from groundswell.tables._definition import Definition
from groundswell.tables._snapshot import DataFile, Snapshot

__all__ = ["Identities"]


class Identities(Protocol):
    """Answers questions about the identities of rows in files."""

    def repeated(self, paths: Sequence[str], definition: Definition) -> int:
        """How many rows of the files have an identity that a later row of them has too."""

    def keep_last(self, paths: Sequence[str], definition: Definition) -> pa.RecordBatchReader:
        """The rows of the files without those that a later one replaces, in order."""

    def overlap(
        self, paths: Sequence[str], existing: Sequence[str], definition: Definition, times: tuple[int, int] | None
    ) -> int:
        """How many identities of the first files are in the existing ones too; in the first each is there once.

        Args:
            paths: the first files.
            existing: the others.
            definition: the table's.
            times: the first and last event time in the first files, in microseconds since 1970; None if there is none.
        """

    def count_with_keys(self, paths: Sequence[str], keys: pa.Table, definition: Definition) -> Mapping[str, int]:
        """How many rows of each file have one of the keys; files without such rows are left out."""

    def count_identities(self, paths: Sequence[str], keys: pa.Table, definition: Definition) -> int:
        """How many identities with one of the keys the files hold."""

    def without_keys(
        self, file: DataFile, first_position: int, keys: pa.Table, definition: Definition
    ) -> pa.RecordBatchReader:
        """The rows of a file that have none of the keys, in order, each with the commit and position it comes from."""

    def count_changes(self, before: Snapshot, after: Snapshot) -> tuple[int, int, int]:
        """How many current rows were added, removed and changed from one version to another."""

    def folded(self, snapshot: Snapshot) -> pa.RecordBatchReader:
        """The current rows of the snapshot in order, each with the commit and position it comes from."""
