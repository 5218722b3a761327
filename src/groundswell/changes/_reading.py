"""Reading the events up to the present, from any position."""

from collections.abc import Callable, Iterator

from groundswell.catalog import Catalog, Entry, Event
from groundswell.changes._filter import Filter
from groundswell.changes._watch import Watch
from groundswell.tables import Table

__all__ = ["read_events"]

_PAGE = 1_000


def read_events(
    catalog: Catalog, open_table: Callable[[Entry], Table], *, after: int = 0, wanted: Filter | None = None
) -> Iterator[Event]:
    """The events that follow one, up to the present, oldest first; commits of other tools are looked for first.

    Args:
        catalog: keeps the events.
        open_table: gives the table of a feature group that is ready.
        after: the number of the event that they follow; 0 is the beginning.
        wanted: which of them; None is all.
    """
    last = Watch(catalog, open_table).look()
    while after < last and (page := catalog.events.after(after, _PAGE)):
        for event in page:
            if event.sequence <= last and (wanted is None or wanted.passes(event)):
                yield event
        after = page[-1].sequence
