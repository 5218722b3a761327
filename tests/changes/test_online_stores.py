from collections.abc import Callable

from groundswell.catalog import Event
from groundswell.changes import Consumer, OnlineStores, Rebuildable

Happen = Callable[..., list[Event]]


class Following:
    """Counts what it is asked for."""

    def __init__(self) -> None:
        self.followed = self.rebuilt = 0

    def follow(self, until: int | None = None) -> int:
        self.followed += 1
        return 0

    def rebuild(self) -> int:
        self.rebuilt += 1
        return 0


def test_followers_of_the_groups_that_events_tell_of_follow_once(happen: Happen) -> None:
    events = happen(3)
    mine, other = Following(), Following()
    consumer: Consumer = OnlineStores(followers=lambda: {events[0].entry_id: mine, "other": other})
    consumer.deliver(events)
    assert (mine.followed, other.followed) == (1, 0)
    OnlineStores(followers=dict).deliver(events)


def test_starting_over_rebuilds_every_store() -> None:
    followers = {"a": Following(), "b": Following()}
    consumer = OnlineStores(followers=lambda: followers)
    assert isinstance(consumer, Rebuildable)
    consumer.start_over()
    assert [follower.rebuilt for follower in followers.values()] == [1, 1]
