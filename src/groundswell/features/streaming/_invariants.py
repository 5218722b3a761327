"""What must be true of a group's streams: no log is left behind, none is damaged, and nothing waits in quarantine."""

from collections.abc import Callable, Iterator
from pathlib import Path

from groundswell.diagnosis import Finding
from groundswell.errors import CorruptionError
from groundswell.features.streaming._quarantine import Quarantine
from groundswell.tables import Table, is_abandoned, read_segment, streams

__all__ = ["check_streams"]


def check_streams(table: Table, quarantine: Quarantine, drain: Callable[[], object]) -> Iterator[Finding]:
    """What is wrong with the streams of a group.

    Args:
        table: the group's.
        quarantine: the group's.
        drain: commits what processes that are gone have left in their logs.
    """
    for folder in streams(table.folder):
        if is_abandoned(folder):
            yield from _check_abandoned(folder, table.definition.name, drain)
    yield from _check_quarantine(quarantine, table.definition.name)


def _check_abandoned(folder: Path, name: str, drain: Callable[[], object]) -> Iterator[Finding]:
    try:
        n_rows = sum(_count(path) for path in sorted(folder.glob("*.wal")))
    except CorruptionError as error:
        yield Finding.of(error, folder)
        return

    def take_in() -> str:
        drain()
        return "They are committed now."

    if n_rows:
        yield Finding(
            severity="warning",
            what=f"A stream into group {name!r} has acknowledged {n_rows:,} rows that are in no commit yet; its "
            "process has ended.",
            where=str(folder),
            fix="Whoever reads the group commits them first, and so does this: groundswell doctor --repair.",
            repair=take_in,
        )


def _check_quarantine(quarantine: Quarantine, name: str) -> Iterator[Finding]:
    n_rows, since = 0, None
    for part in quarantine:
        try:
            n_rows += _count(part.path)
        except CorruptionError as error:
            yield Finding.of(error, part.path)
            continue
        since = since or part.set_aside_at
    if since is not None:
        yield Finding(
            severity="warning",
            what=f"{n_rows:,} rows of group {name!r} are in quarantine, the first since {since:%Y-%m-%d %H:%M:%S} UTC: "
            "they broke a rule about batches after they were acknowledged.",
            where=str(quarantine.folder),
            fix=f"Look at them: groundswell quarantine {name}. Then --insert them once the rule allows it, or "
            "--discard them.",
        )


def _count(segment: Path) -> int:
    return sum(batch.num_rows for batch in read_segment(segment))
