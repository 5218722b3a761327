"""What must be true of what vacuums and purges took away: that it is gone, and which files are not missed for it."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import replace

from groundswell.diagnosis import Finding
from groundswell.tables._log import AddedFile, LogEntry
from groundswell.tables._losses import LOST, Remainder, remainders_of
from groundswell.tables._table import Table

__all__ = ["Removals", "check_removals"]


class Removals:
    """What the commits of a log have taken away.

    Args:
        entries: the commits that could be read, in their order.
    """

    def __init__(self, entries: Sequence[LogEntry]) -> None:
        lost = [part for entry in entries for part in entry.note.get(LOST, ())]
        gone = {version for low, high in lost for version in range(low, high + 1)}
        self._newest = entries[-1].version if entries else 0
        self._readable = [version for version in range(self._newest + 1) if version not in gone]
        self.remainders: dict[str, Remainder] = {}
        for entry in entries:
            self.remainders |= remainders_of(entry.note, entry.version)

    def expected(self, file: AddedFile, added: int, removed: int | None) -> AddedFile | None:
        """What must be there of a file that was part of the table from one version until before another, if anything.

        That is the file, or what a purge left of it, whose size no commit tells.
        """
        first, end = bisect_left(self._readable, added), self._newest + 1 if removed is None else removed
        if first == len(self._readable) or self._readable[first] >= end:
            return None
        while (remainder := self.remainders.get(file.path)) is not None:
            if remainder.path is None:
                return None
            file = replace(file, path=remainder.path, rows=remainder.rows, size_bytes=None)
        return file


def check_removals(table: Table) -> Iterator[Finding]:
    """Whether vacuums and purges came to their end."""
    left = table.leftovers()
    if left:
        count = f"{len(left)} data file{'s' * (len(left) != 1)}"
        yield Finding(
            severity="warning",
            what=f"{count} of group {table.definition.name!r} that a vacuum or a purge gave up are still there: it was "
            "killed.",
            where=str(table.folder),
            fix="Rows that were to be erased may be in them. Remove them: groundswell doctor --repair.",
            repair=lambda: f"Removed {table.finish_removals()} files.",
        )
