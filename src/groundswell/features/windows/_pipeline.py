"""Windows kept up to date: a group that follows another one, commit by commit.

The pipeline's position in the source's versions stands in the commit by which it wrote, so rows and position land
together or not at all: killed at any moment and run again, it comes to the same rows.
"""

from typing import Protocol

import pyarrow as pa

from groundswell.errors import ErasedError, NotFoundError, SchemaError
from groundswell.features._group import FeatureGroup
from groundswell.tables import Commit, Snapshot

__all__ = ["WindowPipeline"]

_NOTE = "windows"
"""The key in a commit under which the pipeline keeps its position."""


class Windowing(Protocol):
    """What a pipeline asks of the windows that it keeps."""

    @property
    def source(self) -> FeatureGroup:
        """The group whose rows are aggregated."""

    @property
    def digest(self) -> str:
        """What tells these aggregations from others."""

    def rows(self, snapshot: Snapshot, before: Snapshot | None, written: Snapshot | None) -> pa.RecordBatchReader:
        """The result over a version of the source, in the windows that differ from an earlier one."""


class WindowPipeline:
    """Brings windows over one group into another; made by `Windows.into`.

    Args:
        windows: what is computed.
        target: where it goes.
    """

    def __init__(self, windows: Windowing, target: FeatureGroup) -> None:
        self.windows, self.target = windows, target

    @property
    def position(self) -> int | None:
        """The version of the source up to which the target was brought; None if it must be computed as a whole.

        That is so before the first run, and after the target was restored to an earlier version or another tool wrote
        to it.

        Raises:
            SchemaError: the target holds windows of another definition.
        """
        source = self.windows.source
        for commit in self.target.table.history() if self.target.has_table else ():
            if commit.kind == "restore" or not commit.author:
                return None
            note = commit.detail.get(_NOTE)
            if note is not None and note["source"] == source.id:
                self._check(note["definition"])
                return int(note["version"])
        return None

    def run(self) -> Commit | None:
        """Write the windows that the source's new commits touch, as one commit; None if there are none.

        Late rows, corrections, deleted and restored rows all count: a window is computed anew from all rows that it has
        now. Where the target has availability, what was known earlier stays as it was known.

        Raises:
            SchemaError: the target holds windows of another definition.
            DataError: a value cannot be computed, such as a sum beyond 64 bits, or breaks the target's expectations.
            CorruptionError: the disk is full or not writable; nothing was written.
        """
        source = self.windows.source
        position, snapshot = self.position, source.snapshot()
        if position == snapshot.version:
            return None
        before = None if position is None else self._earlier(position)
        written = self.target.snapshot() if self.target.has_table else None
        rows = self.windows.rows(snapshot, before, written)
        first = next(iter(rows), None)
        if first is None:
            return None
        note = {"source": source.id, "definition": self.windows.digest, "version": snapshot.version}
        every = pa.RecordBatchReader.from_batches(rows.schema, (b for part in ((first,), rows) for b in part))
        return self.target.insert(every, provenance={_NOTE: note})

    def _earlier(self, position: int) -> Snapshot | None:
        """The source as it was; None if that cannot be read any more, so that all is computed anew."""
        try:
            return self.windows.source.snapshot(position)
        except (NotFoundError, ErasedError):
            return None

    def _check(self, definition: str) -> None:
        if definition != self.windows.digest:
            raise SchemaError(
                f"Group {self.target.name!r} holds other windows over group {self.windows.source.name!r}.",
                why="Key, aggregations, distance or time zone were others, and rows of both would be mixed.",
                fix="Create another group for these windows, or make the windows as they were.",
                name=self.target.name,
            )

    def __repr__(self) -> str:
        return f"WindowPipeline({self.windows.source.name!r} into {self.target.name!r})"
