"""What must be true of pins: each training data has one beside every table that it reads, and there are no others."""

import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from groundswell.catalog import Entry
from groundswell.diagnosis import Finding
from groundswell.errors import CorruptionError
from groundswell.features._pinning import pin_of
from groundswell.tables import Table

__all__ = ["check_pins"]

_PATIENCE_S = 3600
"""How long a pin may be there without the training data that it is for, which is recorded just after it."""


def check_pins(table: Table, group: Entry, training_data: Iterable[Entry]) -> Iterator[Finding]:
    """What is wrong with the pins of a group.

    Args:
        table: the group's.
        group: its entry.
        training_data: the entries of all training data.
    """
    pinning = [e for e in training_data if any(pin["id"] == group.id for pin in e.body["pins"].values())]
    write = partial(_write, table, group, pinning)
    try:
        pins = {pin.id: pin for pin in table.pins.all()}
    except CorruptionError as error:
        yield _finding(table, error.what, write)
        return
    for entry in pinning:
        if pins.pop(entry.id, None) is None:
            yield _finding(table, f"The {entry} has no pin on the {group}, so a vacuum would take its rows.", write)
    stale = [i for i in pins if time.time() - table.pins.path(i).stat().st_mtime > _PATIENCE_S]
    if stale:
        yield Finding(
            severity="notice",
            what=f"{len(stale)} pins of the {group} belong to no training data: its making was killed.",
            where=str(table.folder),
            fix="They only keep files from a vacuum. Remove them: groundswell doctor --repair.",
            repair=partial(_remove, table, stale),
        )


def _finding(table: Table, what: str, write: Callable[[], str]) -> Finding:
    return Finding(
        severity="warning",
        what=what,
        where=str(table.folder),
        fix="Write the pins again from the catalog: groundswell doctor --repair.",
        repair=write,
    )


def _write(table: Table, group: Entry, pinning: Iterable[Entry]) -> str:
    pins = [pin_of(entry, group.id) for entry in pinning]
    for pin in pins:
        table.pins.write(pin)
    table.pins.remove_unreadable()
    return f"Wrote {len(pins)} pins."


def _remove(table: Table, pin_ids: Iterable[str]) -> str:
    for pin_id in pin_ids:
        table.pins.remove(pin_id)
    return "Removed them."
