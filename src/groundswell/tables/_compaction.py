"""Compaction: replaced rows folded away, and the rest in few files, without a change that a reader could see."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from deltalake.transaction import AddAction, RemoveAction

from groundswell import _faults
from groundswell.errors import CorruptionError
from groundswell.tables._disk import disk_errors
from groundswell.tables._identities import Identities
from groundswell.tables._insertion import moved
from groundswell.tables._staging import StagedFile, add_action, discard, stage
from groundswell.tables._versions import Commit
from groundswell.tables._writer import Writer

__all__ = ["compact"]


def compact(writer: Writer, engine: Identities) -> Commit | None:
    """Write the current rows as few files, in their order; None if there is nothing to gain.

    Raises:
        CorruptionError: the disk is full or not writable.
    """
    while True:
        snapshot = writer.versions.snapshot()
        definition = snapshot.definition
        if snapshot.clean and len(snapshot.files) < 2:
            return None
        try:
            with disk_errors(definition.name, writer.folder):
                staged = stage(writer.folder, engine.folded(snapshot), definition)
        except CorruptionError:
            if not moved(writer, snapshot.version):
                raise
            continue  # what was read went in a vacuum meanwhile
        _faults.point("compact:files-synced")
        before, after = snapshot.rows, sum(f.rows for f in staged)
        note = {"kind": "compaction", "rows": after, "folded": before - after, "order_version": snapshot.version}
        now = int(time.time() * 1000)
        actions: list[AddAction | RemoveAction] = [
            RemoveAction(Path(f.path).name, False, now, partition_values={}) for f in snapshot.files
        ]
        actions += [add_action(f, definition, data_change=False) for f in staged]
        _faults.point("compact:before-commit")
        version = _try_commit(writer, actions, snapshot.version, note | {"distinct": True}, staged)
        if version is not None:
            _faults.point("compact:after-commit")
            return writer.acknowledge(version, "compact")
        discard(staged)  # the table moved under it: start over from what is there now


def _try_commit(
    writer: Writer,
    actions: Sequence[AddAction | RemoveAction],
    after: int,
    note: Mapping[str, Any],
    staged: Sequence[StagedFile],
) -> int | None:
    ticket = writer.ticket()
    try:
        return writer.try_commit(actions, after, note, ticket)
    except BaseException:
        if not writer.landed(after, ticket):
            discard(staged)
        raise
