"""Retention: which versions of a table are kept, and the removal of files that none of them needs.

A vacuum says in a commit which versions it gives up, and only then removes what no other version needs. So a process
that is killed on the way leaves files too many, never too few, and the next one finishes. It holds the table's lock
from looking at the pins to removing the last file: a version that is pinned is whole, and stays so.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from groundswell import _faults
from groundswell.catalog import FileRecord
from groundswell.tables._disk import disk_errors
from groundswell.tables._insertion import back_off
from groundswell.tables._lock import table_lock
from groundswell.tables._losses import LOST, VACUUM, Losses, ranges_of, spelled
from groundswell.tables._pins import Pin, Pins
from groundswell.tables._strays import given_up, uncommitted
from groundswell.tables._versions import Commit
from groundswell.tables._writer import Writer

__all__ = ["Vacuumed", "finish_removals", "leftovers", "remove_given_up", "vacuum"]

Ranges = list[tuple[int, int]]


@dataclass(frozen=True, kw_only=True)
class Vacuumed:
    """What a vacuum removed, or would remove.

    Args:
        group: the group's name.
        files: how many data files.
        size_bytes: their size.
        lost: the versions that cannot be read any more, as ranges with their ends.
        kept_for: the pins that kept a version which would have been lost.
        commit: the commit that says so; None if no version was lost, or nothing was done.
    """

    group: str
    files: int
    size_bytes: int
    lost: tuple[tuple[int, int], ...]
    kept_for: tuple[Pin, ...]
    commit: Commit | None

    def __str__(self) -> str:
        lost = f"versions {spelled(self.lost)} are given up" if self.lost else "every version stays"
        pinned = "".join(f"; {pin}" for pin in self.kept_for)
        return f"Group {self.group!r}: {self.files} files of {self.size_bytes:,} bytes go, {lost}{pinned}."


@dataclass(frozen=True, kw_only=True)
class _Plan:
    newest: int
    lost: Ranges
    kept_for: tuple[Pin, ...]
    paths: list[Path]


def vacuum(
    writer: Writer, pins: Pins, *, since: datetime | None, last: int, provenance: Mapping[str, Any], dry_run: bool
) -> Vacuumed:
    """Remove the files that only versions need which shall not be kept; the newest and pinned ones always are.

    Args:
        writer: of the table.
        pins: of the table.
        since: the versions that were the newest at some moment since are kept; None is none for that reason.
        last: so many of the newest are kept.
        provenance: what the commit shall say about its origin, JSON.
        dry_run: whether to say only what would go.

    Raises:
        CorruptionError: a pin cannot be read, or the disk is full or not writable.
    """
    name = writer.versions.definition.name
    with table_lock(writer.folder, name):
        commit = None
        for attempt in range(1_000_000):
            plan = _plan(writer, pins, since, last)
            size = sum(path.stat().st_size for path in plan.paths)
            report = Vacuumed(
                group=name,
                files=len(plan.paths),
                size_bytes=size,
                lost=tuple(plan.lost),
                kept_for=plan.kept_for,
                commit=None,
            )
            if dry_run or not plan.lost:
                break
            note = {"kind": VACUUM, "rows": 0, LOST: plan.lost, "files": len(plan.paths), "bytes": size}
            _faults.point("vacuum:before-commit")
            version = writer.try_commit([], plan.newest, note | dict(provenance), writer.ticket())
            if version is not None:
                _faults.point("vacuum:after-commit")
                commit = writer.acknowledge(version, "vacuum")
                break
            back_off(attempt)
        if not dry_run:
            _remove(writer, plan.paths)
        return replace(report, commit=commit)


def leftovers(writer: Writer) -> list[Path]:
    """The data files that are there and that no readable version needs: a vacuum or purge was killed on its way."""
    records, losses = writer.versions.all_files(), writer.versions.losses()
    newest = writer.versions.newest()
    readable = [version for version in range(newest + 1) if losses.vacuumed(version) is None]
    needed = _paths(losses, (r for r in records if _any_within(readable, r, newest)))
    named = _named(records, losses)
    changes = [path for commit in losses.purges for path in commit.detail.get("change_data", ())]
    every = [writer.folder / path for path in [*sorted(named - needed), *changes]]
    return [path for path in every if path.exists()]


def finish_removals(writer: Writer, pins: Pins) -> int:
    """Do what a vacuum or a purge that was killed has left undone; return how many files were removed.

    The caller holds the table's lock.
    """
    for commit in writer.versions.losses().purges:
        for pin_id, rows in commit.detail.get("pins", {}).items():
            pins.mark_erased(pin_id, commit.version, rows)
    paths = leftovers(writer)
    _remove(writer, paths)
    return len(paths)


def remove_given_up(writer: Writer) -> None:
    """Remove the files of inserts that were killed long ago. The caller holds the table's lock."""
    candidates = sorted(writer.folder.glob("*.parquet"))
    _remove(writer, given_up(uncommitted(candidates, _named(writer.versions.all_files(), writer.versions.losses()))))


def _plan(writer: Writer, pins: Pins, since: datetime | None, last: int) -> _Plan:
    versions, candidates = writer.versions, sorted(writer.folder.glob("*.parquet"))
    history = versions.history()
    newest, losses, named = history[0].version, versions.losses(), _named(versions.all_files(), versions.losses())
    records = [record for record in versions.all_files() if record.added <= newest]  # others commit meanwhile
    readable = [c.version for c in reversed(history) if losses.vacuumed(c.version) is None]
    ends = {older.version: newer.committed_at for newer, older in pairwise(history)}
    wanted = {v for v in readable if v > newest - max(last, 1)}
    wanted |= {v for v in readable if since is not None and v in ends and ends[v] > since}
    claims = pins.all()
    kept = sorted(wanted | {pin.version for pin in claims})
    gone = _paths(losses, records) - _paths(losses, (r for r in records if _any_within(kept, r, newest)))
    lost = _lost(losses, records, gone, readable, newest)
    unpinned = _paths(losses, records) - _paths(losses, (r for r in records if _any_within(sorted(wanted), r, newest)))
    at_risk = {v for low, high in _lost(losses, records, unpinned, readable, newest) for v in range(low, high + 1)}
    strays = given_up(uncommitted(candidates, named))
    found = [*(writer.folder / path for path in sorted(gone)), *leftovers(writer), *strays]
    return _Plan(
        newest=newest,
        lost=lost,
        kept_for=tuple(pin for pin in claims if pin.version in at_risk),
        paths=[path for path in dict.fromkeys(found) if path.exists()],
    )


def _lost(
    losses: Losses, records: Sequence[FileRecord], gone: set[str], readable: Sequence[int], newest: int
) -> Ranges:
    """The readable versions of which a file goes."""
    lost: set[int] = set()
    for record in records:
        path, _ = losses.resolve(record.path)
        if path in gone:
            low, high = bisect_left(readable, record.added), bisect_left(readable, _end(record, newest))
            lost.update(readable[low:high])
    return ranges_of(sorted(lost))


def _paths(losses: Losses, records: Iterable[FileRecord]) -> set[str]:
    """Where the rows of files are now."""
    return {path for record in records if (path := losses.resolve(record.path)[0]) is not None}


def _named(records: Iterable[FileRecord], losses: Losses) -> set[str]:
    """Every file that the log names."""
    return {record.path for record in records} | {r.path for r in losses.remainders.values() if r.path is not None}


def _any_within(versions: Sequence[int], record: FileRecord, newest: int) -> bool:
    """Whether one of the versions, in ascending order, has the file."""
    at = bisect_left(versions, record.added)
    return at < len(versions) and versions[at] < _end(record, newest)


def _end(record: FileRecord, newest: int) -> int:
    return newest + 1 if record.removed is None else record.removed


def _remove(writer: Writer, paths: Iterable[Path]) -> None:
    with disk_errors(writer.versions.definition.name, writer.folder):
        for path in paths:
            path.unlink(missing_ok=True)
            _faults.point("vacuum:file-removed")
