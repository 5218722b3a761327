"""What must be true of a table, and how each breach is repaired: its log, its properties, its index.

The log is the truth. What can be made from it again (the commit index, Delta's checkpoints) is repaired by making it
again; what cannot is named. `_file_invariants` looks at the data files. `project.doctor` calls `check_table`.
"""

import json
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from groundswell.catalog import Catalog, FileRecord
from groundswell.diagnosis import Finding
from groundswell.errors import CorruptionError, GroundswellError
from groundswell.tables._definition import Definition
from groundswell.tables._file_invariants import RowCheck, check_files, check_rows, check_strays
from groundswell.tables._index import follow
from groundswell.tables._log import LogEntry, log_path, read_entry
from groundswell.tables._order_invariants import check_order
from groundswell.tables._removal_invariants import check_removals
from groundswell.tables._table import Table
from groundswell.tables._writer import DEFINITION_KEY, PROPERTIES

__all__ = ["check_table"]

_COMMIT_FILE = re.compile(r"(\d{20})\.json")


def check_table(table: Table, catalog: Catalog, rows: RowCheck | None = None) -> Iterator[Finding]:
    """What is wrong with a table.

    Args:
        table: the table.
        catalog: keeps the index of its log.
        rows: reads every row; None leaves the rows unread and looks at logs and footers only.
    """
    if not table.folder.is_dir():
        yield Finding(
            severity="error",
            what=f"The table of {_name(table)} is gone.",
            where=str(table.folder),
            fix="Restore the folder from a backup, or delete the group.",
        )
        return
    candidates = list(table.folder.glob("*.parquet"))  # listed before the log is read: what comes later is in neither
    log = _Log.read(table)
    yield from log.findings
    if log.is_whole:
        yield from _check_delta(table)
        yield from _check_properties(table)
        yield from _check_index(table, catalog)
        yield from check_order(table)
        yield from check_removals(table)
        yield from check_strays(table.folder, table.definition.name, log.entries, candidates)
    yield from check_files(table, log.entries, thorough=rows is not None)
    if rows is not None:
        yield from check_rows(table, rows)


@dataclass(frozen=True)
class _Log:
    """The commits that can be read, and what is wrong with the others."""

    entries: list[LogEntry]
    findings: list[Finding]

    @property
    def is_whole(self) -> bool:
        return bool(self.entries) and not self.findings

    @staticmethod
    def read(table: Table) -> "_Log":
        folder = log_path(table.folder, 0).parent
        names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
        versions = {int(match[1]) for name in names if (match := _COMMIT_FILE.fullmatch(name))}
        entries, findings = [], []
        for version in range(max(versions, default=0) + 1):
            if version not in versions:
                findings.append(_missing(table, log_path(table.folder, version), version))
                continue
            try:
                entries.append(read_entry(table.folder, version, table.definition.event_time))
            except GroundswellError as error:
                findings.append(Finding.of(error, log_path(table.folder, version)))
        return _Log(entries, findings)


def _missing(table: Table, path: Path, version: int) -> Finding:
    before = f" Versions before it can still be read: read(as_of={version - 1})." if version else ""
    return Finding(
        severity="error",
        what=f"Commit {version} of {_name(table)} is missing from its log.",
        where=str(path),
        fix=f"Restore the file from a backup.{before}",
    )


def _check_delta(table: Table) -> Iterator[Finding]:
    """Whether Delta Lake's own reader opens the table; it starts from a checkpoint, which only repeats the log."""
    try:
        DeltaTable(table.folder)
    except (DeltaError, OSError) as error:
        folder = log_path(table.folder, 0).parent
        checkpoints = sorted([*folder.glob("*.checkpoint*.parquet"), *folder.glob("_last_checkpoint")])
        yield Finding(
            severity="error",
            what=f"Delta Lake cannot open the table of {_name(table)}: {str(error).splitlines()[0]}",
            where=str(checkpoints[-2] if len(checkpoints) > 1 else folder),
            fix="Remove its checkpoints, which only repeat the log: groundswell doctor --repair."
            if checkpoints
            else "Restore the folder from a backup.",
            repair=partial(_remove_checkpoints, checkpoints) if checkpoints else None,
        )


def _remove_checkpoints(checkpoints: list[Path]) -> str:
    for path in reversed(checkpoints):  # the hint `_last_checkpoint` sorts last: without it, the files are only extra
        path.unlink(missing_ok=True)
    return f"Removed {len(checkpoints)} files of checkpoints; the next one is written by itself."


def _check_properties(table: Table) -> Iterator[Finding]:
    """Whether the table keeps its log, says what it is, and has the columns that it says."""
    try:
        delta = DeltaTable(table.folder)
    except (DeltaError, OSError):  # said above
        return
    stored = delta.metadata().configuration
    lost = {key: value for key, value in PROPERTIES.items() if stored.get(key) != value}
    if DEFINITION_KEY not in stored:
        lost[DEFINITION_KEY] = table.definition.to_json()
    if lost:
        shown = ", ".join(f"{key} is {stored.get(key, 'not set')!r:.60}" for key in lost)
        yield Finding(
            severity="warning",
            what=f"Properties of the table of {_name(table)} are not as they were made: {shown}.",
            where=str(table.folder),
            fix="Without them old commits, and what they say about their origin, are deleted after a while. "
            "Set them again: groundswell doctor --repair.",
            repair=lambda: f"Set {', '.join(lost)} in version {table.set_properties(lost).version}.",
        )
    yield from _check_columns(table, delta)


def _check_columns(table: Table, delta: DeltaTable) -> Iterator[Finding]:
    text = delta.metadata().configuration.get(DEFINITION_KEY)
    definition = table.definition if text is None else Definition.from_dict(json.loads(text))  # the catalog's may lag
    ours = {f.name: f.type for f in definition.file_schema}
    theirs = {f.name: f.type for f in pa.schema(delta.schema().to_arrow())}
    changed = sorted(name for name, kind in ours.items() if theirs.get(name) != kind)
    if changed:
        shown = ", ".join(f"{name!r} is {theirs.get(name, 'gone')}, not {ours[name]}" for name in changed)
        yield Finding(
            severity="error",
            what=f"Another tool changed columns of {_name(table)}: {shown}.",
            where=str(table.folder),
            fix="Change them back with that tool, or insert what it wrote into a new group.",
        )
    if more := sorted(theirs.keys() - ours.keys()):
        yield Finding(
            severity="notice",
            what=f"Another tool added columns to the table of {_name(table)}, which are not read: {', '.join(more)}.",
            where=str(table.folder),
            fix="Nothing needs to be done. To use them, insert them into a group of their own.",
        )


def _check_index(table: Table, catalog: Catalog) -> Iterator[Finding]:
    """Whether the commit index says what following the log from its beginning would; it may only lag behind."""
    index, table_id = catalog.commits, table.table_id
    try:
        position = index.position(table_id)
        commits, files = index.history(table_id, until=position), index.all_files(table_id)
        with (
            tempfile.TemporaryDirectory(prefix="groundswell-") as folder,
            Catalog.create(f"sqlite:///{folder}/catalog.db") as scratch,
        ):
            follow(scratch.commits, table_id, table.folder, table.definition)
            rebuilt, listed = scratch.commits.history(table_id, until=position), scratch.commits.all_files(table_id)
        same = commits == rebuilt and _as_of(position, files) == _as_of(position, listed)
        problem = "differs from its log"
    except CorruptionError as error:  # a text in the index that is no JSON any more
        same, problem = False, f"cannot be read ({error.why})"
    if not same:
        yield Finding(
            severity="error",
            what=f"The commit index of {_name(table)} {problem}.",
            where="catalog.db",
            fix="Make it again from the log: groundswell doctor --repair.",
            repair=partial(_reindex, table, catalog),
        )


def _as_of(position: int, files: list[FileRecord]) -> list[FileRecord]:
    """The files as they were at a version: other processes index what they commit meanwhile."""
    return [
        replace(file, removed=None) if file.removed is not None and file.removed > position else file
        for file in files
        if file.added <= position
    ]


def _reindex(table: Table, catalog: Catalog) -> str:
    catalog.commits.forget(table.table_id)
    return f"Made the index again from the log, up to version {table.version()}."


def _name(table: Table) -> str:
    return f"group {table.definition.name!r}"
