"""A rewrite: a commit that puts files in the place of others, so that the order of rows stays as it is.

Deleting, purging and restoring are rewrites. Each file that comes in says where it stands, so a row keeps its commit
and its position however often it is moved.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deltalake.transaction import AddAction, RemoveAction

from groundswell import _faults
from groundswell.catalog import FileRecord
from groundswell.tables._definition import Definition
from groundswell.tables._place import PLACES, Place
from groundswell.tables._staging import StagedFile, add_action, discard
from groundswell.tables._writer import Writer

__all__ = ["Rewrite", "first_positions", "place_of", "staged_again"]


@dataclass(frozen=True, kw_only=True)
class Rewrite:
    """What comes and what goes.

    Args:
        verb: what the fault points call it.
        removed: the files that go.
        added: the files that come, each with its place.
        note: what the commit says of itself, besides the places.
        fresh: the files that were written for it, which go if it is not made.
    """

    verb: str
    removed: Sequence[FileRecord]
    added: Sequence[tuple[StagedFile, Place]]
    note: Mapping[str, Any]
    fresh: Sequence[StagedFile] = ()

    def try_commit(self, writer: Writer, after: int) -> int | None:
        """Commit as the version that follows `after` and return it, or None if that version is taken.

        Raises:
            CorruptionError: the disk is full or not writable, or a staged file is gone.
        """
        note = {**self.note, PLACES: {file.path.name: place.to_list() for file, place in self.added}}
        ticket = writer.ticket()
        try:
            actions = self._actions(writer.versions.definition)
            _faults.point(f"{self.verb}:before-commit")
            version = writer.try_commit(actions, after, note, ticket)
        except BaseException:
            if not writer.landed(after, ticket):
                discard(self.fresh)
            raise
        if version is None:  # the table moved under it: what was staged is of the version before
            discard(self.fresh)
            return None
        _faults.point(f"{self.verb}:after-commit")
        return version

    def _actions(self, definition: Definition) -> list[AddAction | RemoveAction]:
        now = int(time.time() * 1000)
        gone = [RemoveAction(file.path, True, now, partition_values={}) for file in self.removed]
        return [*gone, *(add_action(file, definition, data_change=True) for file, _ in self.added)]


def place_of(record: FileRecord) -> Place:
    """Where a file stands."""
    return Place(order_version=record.order_version, position=record.position, distinct=record.distinct)


def first_positions(records: Iterable[FileRecord]) -> dict[str, int]:
    """The position in its commit of the first row of each file that is as its commit wrote it.

    Args:
        records: all files that the table ever had.
    """
    seen: dict[int, int] = {}
    first: dict[str, int] = {}
    for record in sorted(records, key=lambda r: (r.added, r.position)):
        if record.added == record.order_version:
            first[record.path] = seen.get(record.added, 0)
            seen[record.added] = first[record.path] + record.rows
    return first


def staged_again(record: FileRecord, folder: Path) -> StagedFile:
    """A file that is there already, to be made part of the table again."""
    return StagedFile(
        path=folder / record.path,
        rows=record.rows,
        size_bytes=(folder / record.path).stat().st_size,
        min_time_us=record.min_time_us,
        max_time_us=record.max_time_us,
    )
