"""Purging: rows with certain keys taken out of every version, so that no file of the table holds a byte of them.

Each file that holds such a row is written again without it, whether the newest version needs the file or an old one
does. One commit puts those of the newest version in place and says for all which file holds what is left; then the
files are removed. Earlier versions are not what they were, so reading one raises, unless what is left is asked for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from groundswell import _faults
from groundswell.catalog import FileRecord
from groundswell.errors import CorruptionError
from groundswell.tables._definition import Definition
from groundswell.tables._deletion import Deletion, stage_without
from groundswell.tables._identities import Identities
from groundswell.tables._insertion import back_off
from groundswell.tables._lock import table_lock
from groundswell.tables._losses import PURGE, REMAINDERS
from groundswell.tables._pins import Pins
from groundswell.tables._retention import finish_removals, remove_given_up
from groundswell.tables._rewriting import Rewrite, first_positions
from groundswell.tables._snapshot import DataFile
from groundswell.tables._staging import StagedFile, discard
from groundswell.tables._strays import uncommitted
from groundswell.tables._versions import Commit, data_file
from groundswell.tables._writer import Writer

__all__ = ["purge"]


@dataclass(frozen=True, kw_only=True)
class _Search:
    """What holds rows with the keys besides the newest version.

    Args:
        left: what is left of each file of old versions that does; None if nothing is.
        rows: how many such rows these files hold.
        change_data: the files of other tools' change feeds that do.
        uncommitted: how many files of inserts that have not committed yet, and may never, hold such rows or are still
            being written.
    """

    left: Mapping[str, StagedFile | None]
    rows: int
    change_data: list[str]
    uncommitted: int


def purge(writer: Writer, engine: Identities, pins: Pins, keys: pa.Table, provenance: Mapping[str, Any]) -> Commit:
    """Take all rows that have one of the keys out of every version.

    Raises:
        CorruptionError: the disk is full or not writable; the same call finishes what is left to do.
    """
    with table_lock(writer.folder, writer.versions.definition.name):
        finish_removals(writer, pins)
        remove_given_up(writer)
        commit = _commit(writer, engine, pins, keys, provenance)
        finish_removals(writer, pins)
        _faults.point("purge:files-removed")
        return commit


def _commit(writer: Writer, engine: Identities, pins: Pins, keys: pa.Table, provenance: Mapping[str, Any]) -> Commit:
    for attempt in range(1_000_000):
        deletion = Deletion.stage(writer, engine, keys)
        fresh = [file for file, _ in deletion.added]
        try:
            search = _search(writer, engine, deletion, keys)
            fresh += [file for file in search.left.values() if file is not None]
            note = {"kind": PURGE, **_note(writer, engine, pins, deletion, search, keys), **provenance}
        except BaseException:
            discard(fresh)
            raise
        _faults.point("purge:files-synced")
        rewrite = Rewrite(verb="purge", removed=deletion.removed, added=deletion.added, note=note, fresh=fresh)
        version = rewrite.try_commit(writer, deletion.snapshot.version)
        if version is not None:
            return writer.acknowledge(version, "purge")
        back_off(attempt)
    raise AssertionError("a million conflicts in a row")


def _note(
    writer: Writer, engine: Identities, pins: Pins, deletion: Deletion, search: _Search, keys: pa.Table
) -> dict[str, Any]:
    left = {**deletion.left, **search.left}
    definition = writer.versions.definition
    erased = {}
    for pin in pins.all():
        files = writer.versions.snapshot(pin.version, remainder=True).files
        if rows := engine.count_identities([f.path for f in files], keys, definition):
            erased[pin.id] = rows
    return {
        **deletion.note,
        "purged": deletion.rows + search.rows,
        "pins": erased,
        "uncommitted": search.uncommitted,
        "change_data": search.change_data,
        REMAINDERS: {old: [None, 0] if kept is None else [kept.path.name, kept.rows] for old, kept in left.items()},
    }


def _search(writer: Writer, engine: Identities, deletion: Deletion, keys: pa.Table) -> _Search:
    """Look into every other file that is there, and write what is left of those of old versions that hold such rows."""
    folder, definition = writer.folder, deletion.snapshot.definition
    candidates = sorted(folder.glob("*.parquet"))
    records, losses = writer.versions.all_files(), writer.versions.losses()
    active = {Path(file.path).name for file in deletion.snapshot.files}
    old = _old_files(writer, records, active)
    counts = engine.count_with_keys([file.path for file, _ in old.values()], keys, definition)
    first = first_positions(records)
    left: dict[str, StagedFile | None] = {}
    try:
        for path, (file, record) in old.items():
            if file.path in counts:
                left[path] = stage_without(engine, file, first.get(record.path, 0), keys, definition)
    except BaseException:
        discard(file for file in left.values() if file is not None)
        raise
    named = {r.path for r in records} | {r.path for r in losses.remainders.values() if r.path is not None}
    ours = {file.path.name for file in (*(f for f, _ in deletion.added), *(f for f in left.values() if f))}
    strays = [str(path) for path in uncommitted(candidates, named | ours)]
    changes = [str(path) for path in sorted((folder / "_change_data").glob("**/*.parquet"))]
    return _Search(
        left=left,
        rows=sum(counts.values()),
        change_data=[str(Path(p).relative_to(folder)) for p in engine.count_with_keys(changes, keys, definition)],
        uncommitted=sum(_may_hold(engine, stray, keys, definition) for stray in strays),
    )


def _may_hold(engine: Identities, path: str, keys: pa.Table, definition: Definition) -> bool:
    """Whether a file that may be on its way holds rows with the keys; one that has no end yet may."""
    try:
        return bool(engine.count_with_keys([path], keys, definition))
    except CorruptionError:
        return Path(path).exists()


def _old_files(
    writer: Writer, records: Sequence[FileRecord], active: set[str]
) -> dict[str, tuple[DataFile, FileRecord]]:
    """The files that only old versions need and that are there, by path, each with a record that it stands for."""
    losses = writer.versions.losses()
    old: dict[str, tuple[DataFile, FileRecord]] = {}
    for record in records:
        path, _ = losses.resolve(record.path)
        if path is not None and path not in active and path not in old and (writer.folder / path).exists():
            old[path] = (data_file(writer.folder, record, path), record)
    return old
