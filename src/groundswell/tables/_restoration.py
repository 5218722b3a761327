"""Restoring an earlier version: one commit that brings its files back, in their places, and removes all others."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from groundswell.errors import CorruptionError
from groundswell.tables._identities import Identities
from groundswell.tables._insertion import back_off
from groundswell.tables._lock import table_lock
from groundswell.tables._rewriting import Rewrite, place_of, staged_again
from groundswell.tables._snapshot import Snapshot
from groundswell.tables._versions import Commit
from groundswell.tables._writer import Writer

__all__ = ["restore"]


def restore(
    writer: Writer, engine: Identities, version: int, provenance: Mapping[str, Any], *, remainder: bool
) -> Commit:
    """Make the table what it was at a version.

    Args:
        writer: of the table.
        engine: counts what changes by it.
        version: the version.
        provenance: what the commit shall say about its origin, JSON.
        remainder: whether rows of it that were purged may be missing.

    Raises:
        NotFoundError: there is no such version, or a vacuum removed files of it.
        ErasedError: rows of it were purged, and the remainder is not asked for.
        CorruptionError: a file of it is missing, or the disk is full or not writable.
    """
    with table_lock(writer.folder, writer.versions.definition.name, shared=True):
        for attempt in range(1_000_000):
            wanted = writer.versions.snapshot(version, remainder=remainder)
            _check_there(wanted)
            now = writer.versions.snapshot()
            new, deleted, replaced = engine.count_changes(now, wanted)
            note = {"kind": "restore", "restored": version, "rows": 0, "new": new, "replaced": replaced}
            rewrite = _rewrite(writer, now.version, version, remainder, {**note, "deleted": deleted, **provenance})
            made = rewrite.try_commit(writer, now.version)
            if made is not None:
                return writer.acknowledge(made, "restore")
            back_off(attempt)
    raise AssertionError("a million conflicts in a row")


def _rewrite(writer: Writer, now: int, version: int, remainder: bool, note: Mapping[str, Any]) -> Rewrite:
    wanted, present = writer.versions.files(version, remainder=remainder), writer.versions.files(now)
    there, stays = {file.path for file in present}, {file.path for file in wanted}
    return Rewrite(
        verb="restore",
        removed=[f for f in present if f.path not in stays],
        added=[(staged_again(f, writer.folder), place_of(f)) for f in wanted if f.path not in there],
        note=note,
    )


def _check_there(snapshot: Snapshot) -> None:
    for file in snapshot.files:
        if not Path(file.path).exists():
            raise CorruptionError(
                f"Version {snapshot.version} of group {snapshot.definition.name!r} cannot be restored: its file "
                f"{file.path} is missing.",
                fix="Restore the file from a backup.",
                path=file.path,
            )
