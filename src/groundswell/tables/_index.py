"""Follows a table's log into the catalog's commit index.

The index is what makes a version or a time resolve to files in milliseconds. It only repeats the log: it may lag, it
may be dropped, and following brings it back.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import count, islice
from pathlib import Path

from groundswell.catalog import CommitIndex, CommitRecord, FileRecord
from groundswell.errors import CorruptionError
from groundswell.tables._definition import Definition
from groundswell.tables._log import LogEntry, log_path, read_log
from groundswell.tables._place import PLACES, places_of

UNORDERED = "unordered"
"""The key of a foreign commit's detail that says that the order of its rows is not known."""

BATCH = 1_000
"""Commits indexed in one transaction."""


def follow(index: CommitIndex, table_id: str, folder: Path, definition: Definition) -> int:
    """Bring the index up to the newest commit and return its version.

    Raises:
        CorruptionError: the table has no log, or a log file is damaged; the commits before it are indexed.
    """
    position = index.position(table_id)
    if not log_path(folder, max(position, 0)).exists():
        if not log_path(folder, 0).exists():
            raise CorruptionError(
                f"The table of group {definition.name!r} has no commit log in {folder}.",
                fix="Restore the folder from a backup, or delete the group.",
                path=str(folder),
            )
        newest = next(version for version in count() if not log_path(folder, version + 1).exists())
        index.rewind(table_id, newest)  # an older copy was put back: the index speaks of commits that are gone
        position = -1
    while True:
        entries: list[LogEntry] = []
        try:
            for entry in islice(read_log(folder, position, definition.event_time), BATCH):
                entries.append(entry)  # noqa: PERF402  # what was read before a damaged file counts
        finally:
            if entries:
                _advance(index, table_id, position, entries)
                position = entries[-1].version
        if not entries:
            return position


def _advance(index: CommitIndex, table_id: str, position: int, entries: Sequence[LogEntry]) -> None:
    last = index.history(table_id, limit=1)
    now = last[0].committed_at if last else datetime.fromtimestamp(0, tz=UTC)
    known = _removable(index, table_id, position, entries)
    commits: list[CommitRecord] = []
    added: list[FileRecord] = []
    removed: list[tuple[str, int]] = []
    for entry in entries:
        now = max(now, entry.committed_at or now)  # clocks of several writers may differ; versions may not go back
        commits.append(_commit(entry, now, known))
        again = () if entry.note else (file.path for file in entry.added)  # the protocol: in place of the one before
        removed += [(path, entry.version) for path in (*entry.removed, *again)]
        new = [_file(entry, i, commits[-1].distinct, known) for i in range(len(entry.added))]
        known |= {file.path: file for file in new}
        added += new
    index.advance(table_id, position, commits, added, removed)


def _removable(index: CommitIndex, table_id: str, position: int, entries: Iterable[LogEntry]) -> dict[str, FileRecord]:
    """The files that may be removed or come back, by path; asked for only if a commit may do so."""
    if position < 0 or not any(entry.removed or (entry.added and not entry.note) for entry in entries):
        return {}
    return {file.path: file for file in index.all_files(table_id)}


def _file(entry: LogEntry, number: int, distinct: bool, known: Mapping[str, FileRecord]) -> FileRecord:
    """A file that a commit adds, in the order of rows.

    When another tool rewrites files (a delete, an optimize), the rows stay as old as they were: the new files take the
    place of the newest file that they replace, or an old row would come after its own correction. A file that was part
    of the table before, which another tool restored, takes its own place again.
    """
    file, order, place = entry.added[number], entry.note.get("order_version", entry.version), number
    if (moved := places_of(entry.note).get(file.path)) is not None:
        order, place, distinct = moved.order_version, moved.position, moved.distinct
    elif not entry.note and (before := known.get(file.path)) is not None:
        order, place = before.order_version, before.position
    elif not entry.note:
        replaced = [known[path] for path in entry.removed if path in known]
        if replaced:
            newest = max(replaced, key=_spot)
            order, place = newest.order_version, newest.position
    return FileRecord(
        path=file.path,
        added=entry.version,
        removed=None,
        order_version=order,
        position=place,
        rows=file.rows,
        size_bytes=file.size_bytes or 0,
        distinct=distinct,
        min_time_us=file.min_time_us,
        max_time_us=file.max_time_us,
    )


def _mixes(entry: LogEntry, known: Mapping[str, FileRecord]) -> bool:
    """Whether another tool's commit put rows of several files into others, so that it is not known any more which of
    two rows of one identity is the later one; there must have been such.
    """
    places = {_spot(known[path]) for path in entry.removed if path in known}
    if len(places) < 2 or all(file.path in known for file in entry.added):
        return False
    return any(not file.distinct and min(places) < _spot(file) <= max(places) for file in known.values())


def _spot(file: FileRecord) -> tuple[int, int]:
    return file.order_version, file.position


def _commit(entry: LogEntry, now: datetime, known: Mapping[str, FileRecord]) -> CommitRecord:
    note = entry.note
    rows = sum(f.rows for f in entry.added)
    if not note:  # another tool's commit: legal, of unknown origin, never assumed to be distinct
        gone = sum(known[path].rows for path in entry.removed if path in known)
        return CommitRecord(
            version=entry.version,
            committed_at=now,
            kind=f"foreign {entry.operation.lower()}",
            author="",
            rows=rows,
            new=None,
            replaced=None,
            deleted=max(gone - rows, 0),
            distinct=rows == 0,
            detail={"changes_schema": entry.changes_schema} | ({UNORDERED: True} if _mixes(entry, known) else {}),
        )
    own = {"format", "kind", "author", "rows", "new", "replaced", "deleted", "distinct", "order_version", PLACES}
    return CommitRecord(
        version=entry.version,
        committed_at=now,
        kind=note["kind"],
        author=note["author"],
        rows=note["rows"],
        new=note.get("new", 0),
        replaced=note.get("replaced", 0),
        deleted=note.get("deleted", 0),
        distinct=note.get("distinct", True),
        detail={k: v for k, v in note.items() if k not in own},
    )
