"""Which rows of a key can still be seen: the newest, and those that will be newest when their time comes.

A row counts from the moment it is known on, the later of its event time and its availability. At a moment the answer
is, of the rows known by then, the one with the largest event time, then the largest availability, then the latest
commit. With time the answer takes steps; a row that is not greater than what is known when it becomes known is none.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from groundswell.online._layout import NEVER, Head, waiting_only
from groundswell.online._store import Entry

__all__ = ["Step", "entry_of", "horizon_of", "step_of", "steps_from"]

_NEXT = Head.NEXT_PLACE


class Step(NamedTuple):
    """A row: from when on it is known, what puts it in order among the others, and its bytes."""

    known_us: int
    order: tuple[int, int, int]
    row: bytes


def step_of(row: bytes) -> Step:
    """A row with its time and order, as its head says."""
    head = Head.STRUCT.unpack_from(row)
    return Step(head[Head.KNOWN], head[Head.EVENT_TIME : Head.VERSION + 1], row)


def steps_from(rows: Iterable[Step], now_us: int) -> list[Step]:
    """The rows that are the answer at some moment from `now_us` on, in the order of those moments."""
    steps: list[Step] = []
    for step in sorted(rows, key=lambda s: (max(s.known_us, now_us), s.order)):
        if steps and step.order <= steps[-1].order:
            continue
        if steps and (step.known_us <= now_us or step.known_us == steps[-1].known_us):
            steps.pop()  # both begin now, or at one later moment
        steps.append(step)
    return steps


def horizon_of(row: Step | None, now_us: int) -> int:
    """From when on something can be said of an entity that holds this row: what was known before it was let go.

    That is now, unless the clock went back since the row became the newest.
    """
    return now_us if row is None else max(now_us, row.known_us)


def entry_of(address: bytes, steps: Sequence[Step], horizon_us: int, epoch: int) -> Entry:
    """What the store shall hold of an entity with these steps; nothing, if there are none."""
    if not steps:
        return address, None, ()
    first, *waiting = steps
    if first.known_us > horizon_us:
        return address, waiting_only(epoch, first.known_us), [(s.known_us, s.row) for s in steps]
    row = _until(first.row, waiting[0].known_us if waiting else NEVER)
    return address, row, [(s.known_us, s.row) for s in waiting]


def _until(row: bytes, next_us: int) -> bytes:
    return row[: _NEXT.start] + next_us.to_bytes(8, "little", signed=True) + row[_NEXT.stop :]
