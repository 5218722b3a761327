"""A consumer that brings what was committed to feature groups into their online stores.

The followers know what is in their stores: they keep the version of the table in the transaction of the rows. So the
events only say which of them have something to do.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from groundswell.catalog import Event
from groundswell.changes._filter import Filter

__all__ = ["Follows", "OnlineStores"]


class Follows(Protocol):
    """What is asked of `online.Follower`."""

    def follow(self, until: int | None = None) -> int:
        """Bring the store up to a version of the table, None being the newest, and return how far it is."""

    def rebuild(self) -> int:
        """Build the store anew from the table, and return the table's version."""


@dataclass(frozen=True, kw_only=True)
class OnlineStores:
    """Drives the followers of the groups that are online.

    Args:
        followers: gives the followers that there are now, by the id of their group.
        name: what it is registered as.
        filter: which events it wants.
    """

    followers: Callable[[], Mapping[str, Follows]]
    name: str = "online"
    filter: Filter = field(default_factory=lambda: Filter(kinds=["feature_group"]))

    def deliver(self, events: Sequence[Event]) -> None:
        """Bring the stores of the groups that the events tell of up to their tables."""
        followers = self.followers()
        for group in dict.fromkeys(event.entry_id for event in events):
            if group in followers:
                followers[group].follow()

    def start_over(self) -> None:
        """Build all stores anew; readers are answered all the while."""
        for follower in self.followers().values():
            follower.rebuild()
