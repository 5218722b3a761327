"""One insert: staged rows appended as one commit that says exactly how many of them are new and how many replace."""

import random
import time
from collections.abc import Mapping, Sequence
from typing import Any

from deltalake import Transaction

from groundswell import _faults
from groundswell.errors import ConflictError, CorruptionError
from groundswell.tables._identities import Identities
from groundswell.tables._snapshot import DataFile, Snapshot
from groundswell.tables._staging import Staged, add_action, discard
from groundswell.tables._versions import Commit
from groundswell.tables._writer import Writer

__all__ = ["back_off", "count_overlap", "insert", "moved"]


def insert(
    writer: Writer,
    engine: Identities,
    staged: Staged,
    provenance: Mapping[str, Any],
    transaction: Transaction | None = None,
) -> Commit:
    """Append staged rows. When it returns they are durable; if it raises they are gone.

    Raises:
        ConflictError: the schema was changed meanwhile.
        CorruptionError: the disk is full or not writable.
    """
    _faults.point("insert:files-synced")
    ticket = writer.ticket()
    try:
        before = writer.versions.newest()
    except BaseException:
        discard(staged.files)
        raise
    try:
        return _commit(writer, engine, staged, provenance, (ticket, transaction))
    except BaseException:
        if not writer.landed(before, ticket):
            discard(staged.files)
        raise


def _commit(
    writer: Writer,
    engine: Identities,
    staged: Staged,
    provenance: Mapping[str, Any],
    transactions: tuple[int, Transaction | None],
) -> Commit:
    rows, replaced, seen = sum(f.rows for f in staged.files), 0, frozenset[str]()
    for attempt in range(1_000_000):
        snapshot = writer.versions.snapshot()
        _check_definition(staged, snapshot)
        unseen = [f for f in snapshot.files if f.path not in seen]
        try:
            replaced = _recount(engine, staged, snapshot, unseen, replaced)
        except CorruptionError:
            if not moved(writer, snapshot.version):
                raise
            continue  # what was read went in a vacuum meanwhile: look at what is there now
        seen |= {f.path for f in unseen}
        note = {"kind": "insert", "rows": rows, "new": rows - replaced, "replaced": replaced, **provenance}
        actions = [add_action(f, staged.definition, data_change=True) for f in staged.files]
        _faults.point("insert:before-commit")
        version = writer.try_commit(actions, snapshot.version, note | {"distinct": replaced == 0}, *transactions)
        if version is not None:
            _faults.point("insert:after-commit")
            return writer.acknowledge(version, "insert")
        back_off(attempt)
    raise AssertionError("a million conflicts in a row")


def _check_definition(staged: Staged, snapshot: Snapshot) -> None:
    if staged.definition != snapshot.definition:
        raise ConflictError(
            f"The schema of group {snapshot.definition.name!r} was changed while rows were on their way: version "
            f"{snapshot.definition.schema_version} of it holds now, and the rows were checked against version "
            f"{staged.definition.schema_version}.",
            why="Rows of an older schema would lack columns, or have other types.",
            fix="Run the same call again: the rows will be checked against the new schema.",
            name=snapshot.definition.name,
        )


def moved(writer: Writer, version: int) -> bool:
    """Whether the table has other versions than this as its newest by now."""
    return writer.versions.newest() != version


def back_off(attempt: int) -> None:
    """Wait a moment after a lost race, a longer one after many, so that writers do not meet again."""
    time.sleep(random.uniform(0, min(0.001 * 2 ** min(attempt, 6), 0.05)))  # noqa: S311  # spreads writers


def _recount(engine: Identities, staged: Staged, snapshot: Snapshot, unseen: Sequence[DataFile], replaced: int) -> int:
    """How many staged rows replace one of the snapshot, given how many replace one of the files seen before."""
    if replaced and unseen:
        return count_overlap(engine, staged, snapshot)  # an identity may be in seen and unseen files: count anew
    return replaced + count_overlap(engine, staged, snapshot, unseen)


def count_overlap(
    engine: Identities, staged: Staged, snapshot: Snapshot, files: Sequence[DataFile] | None = None
) -> int:
    """How many identities of staged rows are in a snapshot, or in some files of it."""
    existing = snapshot.files if files is None else files
    times = [(f.min_time_us, f.max_time_us) for f in staged.files if f.min_time_us is not None]
    low = min((t for t, _ in times if t is not None), default=None)
    high = max((t for _, t in times if t is not None), default=None)
    near = [
        f.path
        for f in existing
        if None in (low, high, f.min_time_us, f.max_time_us) or (f.min_time_us <= high and f.max_time_us >= low)  # type: ignore[operator]
    ]
    if not near or not staged.files:
        return 0
    bounds = None if low is None or high is None else (low, high)
    return engine.overlap(staged.paths, near, snapshot.definition, bounds)
