"""What earlier versions of a table have lost: files that a vacuum removed, and rows that a purge took out.

The log says it: the commit of a vacuum names the versions that cannot be read any more, and that of a purge names for
each file that held such rows the file that holds the others. So it is known after a crash and in a copy of the table.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from groundswell.catalog import CommitRecord
from groundswell.errors import ErasedError, NotFoundError

__all__ = ["LOST", "PURGE", "REMAINDERS", "VACUUM", "Losses", "Remainder", "ranges_of", "remainders_of", "spelled"]

VACUUM, PURGE = "vacuum", "purge"
LOST = "lost"
"""The key of a vacuum's note: the ranges of versions that it made unreadable, ends included."""
REMAINDERS = "remainders"
"""The key of a purge's note: the path of each file that held purged rows, to the path and the rows of what is left."""


@dataclass(frozen=True, kw_only=True)
class Remainder:
    """What is left of a file whose rows were purged.

    Args:
        path: the file that holds the other rows; None if there are none.
        rows: how many.
        purge: the version that the purge made.
    """

    path: str | None
    rows: int
    purge: int


def remainders_of(note: Mapping[str, Any], version: int) -> dict[str, Remainder]:
    """What the note of a commit says that is left of files, by their paths."""
    return {old: Remainder(path=p, rows=n, purge=version) for old, (p, n) in note.get(REMAINDERS, {}).items()}


class Losses:
    """What the versions of one table have lost.

    Args:
        commits: the commits of vacuums and purges, in any order.
    """

    def __init__(self, commits: Sequence[CommitRecord]) -> None:
        self._vacuums = sorted((c for c in commits if c.kind == VACUUM), key=lambda c: c.version)
        self.purges = sorted((c for c in commits if c.kind == PURGE), key=lambda c: c.version)
        self.remainders: dict[str, Remainder] = {}
        for commit in self.purges:
            self.remainders |= remainders_of(commit.detail, commit.version)

    def vacuumed(self, version: int) -> CommitRecord | None:
        """The vacuum that removed files of a version, if one did."""
        for commit in self._vacuums:
            if any(low <= version <= high for low, high in commit.detail[LOST]):
                return commit
        return None

    def check_kept(self, group: str, version: int, newest: int) -> None:
        """Raise if a vacuum removed files of the version.

        Raises:
            NotFoundError: it did; the message says when, and what can be read.
        """
        commit = self.vacuumed(version)
        if commit is None:
            return
        kept = spelled(ranges_of(v for v in range(newest + 1) if self.vacuumed(v) is None))
        raise NotFoundError(
            f"Version {version} of group {group!r} cannot be read any more.",
            why=f"A vacuum removed files of it on {commit.committed_at:%Y-%m-%d %H:%M:%S} UTC (version "
            f"{commit.version}).",
            fix=f"The versions that can be read are {kept}.",
            group=group,
            version=version,
            vacuum=commit.version,
        )

    def resolve(self, path: str) -> tuple[str | None, Remainder | None]:
        """The path of the file that holds what is left of a file, and what the first purge of it left."""
        first, current = None, path
        while (remainder := self.remainders.get(current)) is not None:
            first = remainder if first is None else first
            if remainder.path is None:
                return None, first
            current = remainder.path
        return current, first

    def rows_of(self, path: str, rows: int) -> int:
        """How many rows are left of a file that had so many."""
        while (remainder := self.remainders.get(path)) is not None:
            rows = remainder.rows
            if remainder.path is None:
                break
            path = remainder.path
        return rows

    def erased(self, group: str, version: int, purge: int) -> ErasedError:
        """The error of whoever reads a version whose rows a purge took out."""
        commit = next(c for c in self.purges if c.version == purge)
        return ErasedError(
            f"Version {version} of group {group!r} is not what it was: rows of it were erased.",
            why=f"They were purged on {commit.committed_at:%Y-%m-%d %H:%M:%S} UTC by {commit.author} (version "
            f"{commit.version}), which took {commit.detail['purged']} rows out of the history.",
            fix="Ask for what is left of it with remainder=True, or read a later version.",
            group=group,
            version=version,
            purge=purge,
        )


def ranges_of(versions: Iterable[int]) -> list[tuple[int, int]]:
    """Versions in ascending order as ranges, ends included.

    >>> ranges_of([0, 3, 4, 5, 9])
    [(0, 0), (3, 5), (9, 9)]
    """
    ranges: list[tuple[int, int]] = []
    for version in versions:
        if ranges and version == ranges[-1][1] + 1:
            ranges[-1] = (ranges[-1][0], version)
        else:
            ranges.append((version, version))
    return ranges


def spelled(ranges: Sequence[tuple[int, int]]) -> str:
    """Ranges in words, the newest ten of them.

    >>> spelled([(0, 0), (3, 5)])
    '0 and 3 to 5'
    """
    words = [str(low) if low == high else f"{low} to {high}" for low, high in ranges[-10:]]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
