"""Pins of training data: the versions that it reads stay whole, because a vacuum finds them beside the tables.

While training data is made, the files of its groups are held; before it is recorded, each group's table gets a pin. If
the process dies in between, a pin is there that nobody needs, and never training data that nobody pins.
"""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager

from groundswell.catalog import Entry
from groundswell.errors import GroundswellError
from groundswell.features._selection import Source
from groundswell.tables import Pin

__all__ = ["held", "pin", "pin_of", "unpin"]


@contextmanager
def held(groups: Iterable[Source]) -> Iterator[None]:
    """Keep the files of all versions of some groups where they are, as long as the block runs."""
    with ExitStack() as locks:
        for group in {group.id: group for group in groups}.values():
            locks.enter_context(group.table.held())
        yield


def pin(groups: Iterable[Source], entry: Entry) -> None:
    """Pin the versions that training data reads; `held` keeps them until then.

    Raises:
        CorruptionError: the disk is full or not writable.
    """
    for group in groups:
        group.table.pins.write(pin_of(entry, group.id))


def unpin(groups: Iterable[Source], entries: Iterable[Entry]) -> None:
    """Take the pins of training data that was deleted from the tables that are still there."""
    removed = [entry.id for entry in entries]
    for group in groups:
        for entry_id in removed:
            group.table.pins.remove(entry_id)


def pin_of(entry: Entry, group_id: str) -> Pin:
    """The pin that training data has on a group.

    Raises:
        GroundswellError: it has none.
    """
    for pinned in entry.body["pins"].values():
        if pinned["id"] == group_id:
            return Pin(id=entry.id, title=str(entry), version=pinned["version"])
    raise GroundswellError(f"The {entry} does not read the group {group_id}.")
