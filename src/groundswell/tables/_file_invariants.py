"""What must be true of a table's data files: there, whole, as the log says, and none without a commit."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from groundswell.diagnosis import Finding
from groundswell.tables._definition import Definition
from groundswell.tables._log import AddedFile, LogEntry
from groundswell.tables._removal_invariants import Removals
from groundswell.tables._snapshot import DataFile, microseconds
from groundswell.tables._strays import given_up, uncommitted
from groundswell.tables._table import Table

__all__ = ["RowCheck", "check_files", "check_rows", "check_strays"]

RowCheck = Callable[[Sequence[DataFile], Definition], Mapping[str, tuple[int, int]]]
"""Given files in their order: for each path the rows with a null key or time, and the rows whose identity was there."""


@dataclass(frozen=True, kw_only=True)
class _Listed:
    """A file that the log adds, from the version that added it until the one that removed it."""

    file: AddedFile
    added: int
    removed: int | None


def check_files(table: Table, entries: Sequence[LogEntry], *, thorough: bool) -> Iterator[Finding]:
    """Whether every file that a commit added is as the commit says.

    Args:
        table: the table.
        entries: the commits that could be read.
        thorough: whether to read every page and compare its checksum, not the footer only.
    """
    old: list[tuple[_Listed, str]] = []
    for listed in _listed(entries):
        problem = _problem(table, listed.file, thorough=thorough)
        if problem and listed.removed is not None:
            old.append((listed, problem))
        elif problem:
            before = f" Versions before {listed.added} can still be read." if listed.added > 1 else ""
            yield Finding(
                severity="error",
                what=f"A data file of group {table.definition.name!r} {problem}.",
                where=str(table.folder / listed.file.path),
                fix=f"Restore the file from a backup.{before}",
            )
    if old:
        first, last = min(f.added for f, _ in old), max((f.removed or 0) - 1 for f, _ in old)
        yield Finding(
            severity="warning",
            what=f"{len(old)} data file{'s' * (len(old) != 1)} of old versions of group {table.definition.name!r} "
            f"cannot be used any more; {Path(old[0][0].file.path).name} {old[0][1]}.",
            where=str(table.folder),
            fix=f"The current rows do not need them. Restore them from a backup if versions {first} to {last} matter.",
        )


def _listed(entries: Sequence[LogEntry]) -> list[_Listed]:
    removals, active = Removals(entries), dict[str, tuple[AddedFile, int]]()
    spans: list[tuple[AddedFile, int, int | None]] = []
    for entry in entries:
        spans += [(*active.pop(path), entry.version) for path in entry.removed if path in active]
        for file in entry.added:
            active.setdefault(file.path, (file, entry.version))
    spans += [(file, added, None) for file, added in active.values()]
    listed: dict[str, _Listed] = {}
    for file, added, until in sorted(spans, key=lambda span: span[1]):
        expected = removals.expected(file, added, until)
        if expected is not None:
            listed[expected.path] = _Listed(file=expected, added=added, removed=until)
    return list(listed.values())


def _problem(table: Table, file: AddedFile, *, thorough: bool) -> str:
    """What is wrong with a file, as the end of a sentence that it begins; empty if nothing is."""
    path, event_time = table.folder / file.path, table.definition.event_time
    try:
        size_bytes = path.stat().st_size
    except OSError as error:
        return "is missing" if isinstance(error, FileNotFoundError) else f"cannot be read: {error.strerror}"
    if file.size_bytes not in (size_bytes, None):
        return f"has {size_bytes:,} bytes, and its commit says {file.size_bytes or 0:,}"
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as parquet:
            n_rows = parquet.metadata.num_rows
            if n_rows != file.rows:
                return f"has {n_rows:,} rows, and its commit says {file.rows:,}"
            if event_time is not None and not _times_fit(parquet.metadata, file, event_time):
                return "holds event times outside the range that its commit says, so reads by time would miss rows"
            if thorough:
                for _ in parquet.iter_batches():
                    pass
    except (pa.ArrowException, OSError) as error:
        return f"is damaged: {str(error).splitlines()[0].rstrip('.')}"
    return ""


def _times_fit(metadata: pq.FileMetaData, file: AddedFile, event_time: str) -> bool:
    """Whether the footer's range of event times, where it has one, is within the one that reads go by."""
    if file.min_time_us is None or file.max_time_us is None:
        return True
    for group in range(metadata.num_row_groups):
        for column in map(metadata.row_group(group).column, range(metadata.num_columns)):
            known = column.statistics if column.path_in_schema == event_time else None
            if known is None or not known.has_min_max or getattr(known.min, "tzinfo", None) is None:
                continue
            if microseconds(known.min) < file.min_time_us or microseconds(known.max) > file.max_time_us:
                return False
    return True


def check_strays(
    folder: Path, group: str, entries: Sequence[LogEntry], candidates: Sequence[Path]
) -> Iterator[Finding]:
    """The files that no commit names, which inserts leave that were killed.

    As long as one of them is young, an insert may be on its way that began with the others, and none is reported.

    Args:
        folder: the table's.
        group: the name of its group.
        entries: all its commits, read after `candidates` were listed.
        candidates: the files that are there.
    """
    named = {file.path for entry in entries for file in entry.added} | {p for e in entries for p in e.removed}
    left = {r.path for r in Removals(entries).remainders.values() if r.path is not None}
    strays = given_up(uncommitted(candidates, named | left))
    if strays:
        size = sum(path.stat().st_size for path in strays)
        count = f"{len(strays)} data file{'s' * (len(strays) != 1)} ({size:,} bytes)"
        yield Finding(
            severity="notice",
            what=f"{count} of group {group!r} belong to no commit: the insert that wrote them was killed.",
            where=str(folder),
            fix="They are never read. Remove them: groundswell doctor --repair.",
            repair=partial(_remove, strays),
        )


def _remove(paths: Sequence[Path]) -> str:
    for path in paths:
        path.unlink(missing_ok=True)
    return f"Removed {len(paths)} file{'s' * (len(paths) != 1)}."


def check_rows(table: Table, rows: RowCheck) -> Iterator[Finding]:
    """Whether keys and times are never null, and files that are marked as distinct hold nothing that was there."""
    snapshot = table.snapshot()
    found = rows(snapshot.files, snapshot.definition)
    for file in snapshot.files:
        nulls, repeated = found.get(file.path, (0, 0))
        if nulls:
            yield Finding(
                severity="error",
                what=f"{nulls:,} rows of group {table.definition.name!r} have a null in "
                f"{', '.join(table.definition.identity)}, so no key finds them.",
                where=file.path,
                fix=f"Another tool wrote them in version {file.version}: delete them with that tool.",
            )
        if repeated and file.distinct:
            yield Finding(
                severity="error",
                what=f"{repeated:,} rows of group {table.definition.name!r} are there twice: the file is marked as "
                "distinct from everything before it, and is not.",
                where=file.path,
                fix="Insert the group's rows into a new group, which folds them, and report this as a defect.",
            )
