"""What each commit did to the rows: the change feed of a table, which followers read.

It is read from the log files themselves, in the order of versions, because they are the truth and the index may lag. A
commit appends rows, or rewrites files so that earlier rows may be gone or other, or moves rows and changes none.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from groundswell.tables._definition import Definition
from groundswell.tables._definitions import SCHEMA
from groundswell.tables._log import LogEntry, log_path, read_log
from groundswell.tables._place import Place, places_of
from groundswell.tables._snapshot import DataFile

__all__ = ["Change", "commit_digest", "has_commit", "read_changes"]

MAINTENANCE = frozenset({"compaction", SCHEMA})
"""The kinds of our commits that move rows and change none: each moved row says itself which commit wrote it."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """What one commit did to the rows.

    Args:
        version: the version that it made.
        foreign: whether another tool wrote it, so that nothing is known of the rows but the files that hold them.
        added: the files that it added, in the order of their rows; none if the commit only maintains the table.
        removed: the paths of the files that it removed, likewise.
        schema: whether it changed the definition, so that rows have other columns or types than before.
        stream: if it took in what a stream had logged, the stream and the number of its last segment that it has.
    """

    version: int
    foreign: bool
    added: tuple[DataFile, ...]
    removed: tuple[str, ...]
    schema: bool = False
    stream: tuple[str, int] | None = None

    @property
    def appends(self) -> bool:
        """Whether every row before it is as it was, and its own rows are later than all of them."""
        return not self.removed and not (self.foreign and self.added)


def read_changes(folder: Path, definition: Definition, after: int) -> Iterator[Change]:
    """The commits after a version, oldest first, up to the newest.

    Files named by a change may be gone meanwhile, if the table was vacuumed since.

    Raises:
        CorruptionError: a log file is damaged.
    """
    for entry in read_log(folder, after, definition.event_time):
        yield _change(folder, entry)


def has_commit(folder: Path, version: int) -> bool:
    """Whether the log has the commit that made a version; a microsecond's question, for who asks again and again."""
    return log_path(folder, version).exists()


def commit_digest(folder: Path, version: int) -> str | None:
    """What tells a commit from any other, those of another copy of the table included; None if it is not there."""
    try:
        return blake2b(log_path(folder, version).read_bytes(), digest_size=16).hexdigest()
    except FileNotFoundError:
        return None


def _change(folder: Path, entry: LogEntry) -> Change:
    foreign = not entry.note
    kind = entry.note.get("kind")
    if kind in MAINTENANCE:
        return Change(version=entry.version, foreign=False, added=(), removed=(), schema=kind == SCHEMA)
    distinct = not foreign and entry.note.get("distinct", True)
    usual, places = Place(order_version=entry.version, position=0, distinct=distinct), places_of(entry.note)
    added = tuple(
        DataFile(
            path=str(folder / file.path),
            version=(place := places.get(file.path, usual)).order_version,
            rows=file.rows,
            distinct=place.distinct,
            moved=place.order_version < entry.version,
            min_time_us=file.min_time_us,
            max_time_us=file.max_time_us,
        )
        for file in entry.added
    )
    stream = entry.note.get("stream")
    return Change(
        version=entry.version,
        foreign=foreign,
        added=added,
        removed=tuple(str(folder / p) for p in entry.removed),
        stream=None if stream is None else (stream["id"], stream["segment"]),
    )
