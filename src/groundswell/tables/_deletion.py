"""Deleting rows by their keys: files that hold such rows are written again without them, in their places.

References:
    Delta Lake's delete is the same copy-on-write, but moves the rows that stay behind all others.
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
from groundswell.tables._disk import disk_errors
from groundswell.tables._identities import Identities
from groundswell.tables._insertion import back_off, moved
from groundswell.tables._place import Place
from groundswell.tables._rewriting import Rewrite, first_positions, place_of
from groundswell.tables._snapshot import DataFile, Snapshot
from groundswell.tables._staging import StagedFile, discard, stage
from groundswell.tables._versions import Commit
from groundswell.tables._writer import Writer

__all__ = ["Deletion", "delete_rows", "stage_without"]


@dataclass(frozen=True, kw_only=True)
class Deletion:
    """The files of one version that hold rows to be deleted, and what shall stand in their places.

    Args:
        snapshot: the version.
        removed: the files.
        added: what is left of each that has other rows too.
        left: for each removed file, what is left of it; None if nothing is.
        identities: how many current rows go.
        rows: how many rows go, those among them that were replaced before.
    """

    snapshot: Snapshot
    removed: tuple[FileRecord, ...]
    added: tuple[tuple[StagedFile, Place], ...]
    left: Mapping[str, StagedFile | None]
    identities: int
    rows: int

    @property
    def note(self) -> dict[str, Any]:
        """What a commit says of it: numbers only."""
        return {"rows": 0, "deleted": self.identities, "superseded": self.rows - self.identities}

    @staticmethod
    def stage(writer: Writer, engine: Identities, keys: pa.Table) -> "Deletion":
        """Look for the rows in the newest version, and write what is left of the files that hold some."""
        snapshot = writer.versions.snapshot()
        records = writer.versions.files(snapshot.version)
        definition = snapshot.definition
        counts = engine.count_with_keys([f.path for f in snapshot.files], keys, definition)
        pairs = [pair for pair in zip(records, snapshot.files, strict=True) if pair[1].path in counts]
        identities = engine.count_identities([f.path for _, f in pairs], keys, definition) if pairs else 0
        pairs = _with_siblings(pairs, list(zip(records, snapshot.files, strict=True)))
        first = first_positions(writer.versions.all_files()) if pairs else {}
        left: dict[str, StagedFile | None] = {}
        try:
            for record, file in pairs:
                left[record.path] = stage_without(engine, file, first.get(record.path, 0), keys, definition)
        except BaseException:
            discard(file for file in left.values() if file is not None)
            raise
        return Deletion(
            snapshot=snapshot,
            removed=tuple(record for record, _ in pairs),
            added=tuple((kept, place_of(r)) for r, _ in pairs if (kept := left[r.path]) is not None),
            left=left,
            identities=identities,
            rows=sum(counts.values()),
        )


def delete_rows(writer: Writer, engine: Identities, keys: pa.Table, provenance: Mapping[str, Any]) -> Commit:
    """Delete all rows that have one of the keys, those that were replaced before among them.

    If there are none, the commit says that.

    Raises:
        CorruptionError: the disk is full or not writable; nothing was committed.
    """
    for attempt in range(1_000_000):
        before = writer.versions.newest()
        try:
            deletion = Deletion.stage(writer, engine, keys)
        except CorruptionError:
            if not moved(writer, before):
                raise
            continue  # what was read went in a vacuum meanwhile: look at what is there now
        _faults.point("delete:files-synced")
        note = {"kind": "delete", **deletion.note, **provenance}
        fresh = [file for file, _ in deletion.added]
        rewrite = Rewrite(verb="delete", removed=deletion.removed, added=deletion.added, note=note, fresh=fresh)
        version = rewrite.try_commit(writer, deletion.snapshot.version)
        if version is not None:
            return writer.acknowledge(version, "delete")
        back_off(attempt)
    raise AssertionError("a million conflicts in a row")


def stage_without(
    engine: Identities, file: DataFile, first_position: int, keys: pa.Table, definition: Definition
) -> StagedFile | None:
    """Write the rows of a file that have none of the keys to another file; None if there are none.

    Args:
        engine: reads the file.
        file: the file.
        first_position: the position in its commit of its first row, if the file is as that commit wrote it.
        keys: what no row shall have.
        definition: what the new file shall be like.
    """
    folder = Path(file.path).parent
    with disk_errors(definition.name, folder):
        staged = stage(folder, engine.without_keys(file, first_position, keys, definition), definition, whole=True)
    return staged[0] if staged else None


def _with_siblings(
    touched: Sequence[tuple[FileRecord, DataFile]], every: Sequence[tuple[FileRecord, DataFile]]
) -> list[tuple[FileRecord, DataFile]]:
    """The files touched, and those that follow one of them in the same commit.

    A fresh file does not say at which position its rows begin: the files before it do. If one of those changes, it must
    say so itself from then on.
    """
    first: dict[int, int] = {}
    for record, _ in touched:
        first[record.added] = min(record.position, first.get(record.added, record.position))
    paths = {record.path for record, _ in touched}
    return [
        (record, file)
        for record, file in every
        if record.path in paths
        or (record.added == record.order_version and record.position > first.get(record.added, record.position))
    ]
