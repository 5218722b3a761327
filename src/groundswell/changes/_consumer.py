"""What a consumer of events is: a name, a filter, and one method.

`JsonLines`, `Webhook` and `OnlineStores` are consumers; so is any object of that shape.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol, runtime_checkable

from groundswell.catalog import Event
from groundswell.changes._filter import Filter

__all__ = ["Consumer", "Rebuildable", "Stored"]


class Consumer(Protocol):
    """Takes events, in their order, each at least once."""

    @property
    def name(self) -> str:
        """What it is registered as; its position is kept under this name."""

    @property
    def filter(self) -> Filter:
        """Which events it wants."""

    def deliver(self, events: Sequence[Event]) -> None:
        """Take the next events. Once this returns they count as taken; if it raises they are given again.

        If the process dies meanwhile they are given again too, so whoever cannot take an event twice remembers the
        number of the last one together with what it made of it.
        """


@runtime_checkable
class Rebuildable(Protocol):
    """A consumer that can be built anew from the stream."""

    def start_over(self) -> None:
        """Forget what was taken: all events that are kept come again, from the first on."""


@runtime_checkable
class Stored(Protocol):
    """A consumer that the catalog can keep, so that any process may run it."""

    kind: ClassVar[str]

    def settings(self) -> Mapping[str, Any]:  # Any: JSON
        """What its class needs, besides name and filter, to make it again."""
