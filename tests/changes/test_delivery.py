import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from groundswell.catalog import Catalog, Event
from groundswell.changes import Filter, register
from groundswell.changes._delivery import Delivery
from groundswell.errors import DataError, NotFoundError

Happen = Callable[..., list[Event]]


class Listing:
    """Keeps what it is given."""

    def __init__(self, name: str = "list", **wanted: Sequence[str]) -> None:
        self.name, self.filter, self.taken = name, Filter(**wanted), list[int]()

    def deliver(self, events: Sequence[Event]) -> None:
        self.taken += [event.sequence for event in events]


class Rebuilt(Listing):
    def start_over(self) -> None:
        self.taken.clear()


@pytest.fixture
def deliver(catalog: Catalog, tmp_path: Path) -> Callable[..., int]:
    """Registers a consumer, delivers all there is, and gives the number of batches."""

    def deliver(consumer: Listing, after: int = 0) -> int:
        register(catalog, consumer, after)
        delivery = Delivery(catalog, consumer, tmp_path / "consumers")
        return sum(1 for _ in iter(delivery.step, False))

    return deliver


def test_events_come_in_order_in_batches(
    catalog: Catalog, deliver: Callable, happen: Happen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("groundswell.changes._delivery.BATCH", 3)
    happen(7)
    consumer = Listing()
    assert deliver(consumer) == 3
    assert consumer.taken == [1, 2, 3, 4, 5, 6, 7]
    assert deliver(consumer) == 0
    assert catalog.consumers.get("list").position == 7


def test_a_consumer_may_begin_anywhere(deliver: Callable, happen: Happen) -> None:
    happen(5)
    consumer = Listing()
    deliver(consumer, after=3)
    assert consumer.taken == [4, 5]


def test_what_the_filter_does_not_pass_counts_as_taken(catalog: Catalog, deliver: Callable, happen: Happen) -> None:
    happen(2)
    happen(1, verb="deleted")
    happen(1)
    consumer = Listing(verbs=["deleted"])
    deliver(consumer)
    assert consumer.taken == [3]
    other = Listing("other", kinds=["run"])
    deliver(other)
    assert (other.taken, catalog.consumers.get("other").position) == ([], 4)
    assert catalog.consumers.get("other").delivered_at is None


def test_what_was_taken_before_the_position_moved_is_given_again(
    catalog: Catalog, deliver: Callable, happen: Happen
) -> None:
    happen(3)
    consumer = Listing()
    deliver(consumer)
    catalog.consumers.move("list", 1, delivered=True)
    deliver(consumer)
    assert consumer.taken == [1, 2, 3, 2, 3]


def test_two_runners_take_turns(catalog: Catalog, happen: Happen, tmp_path: Path) -> None:
    happen(60)
    inside = threading.Semaphore(1)

    class Alone(Listing):
        def deliver(self, events: Sequence[Event]) -> None:
            assert inside.acquire(blocking=False), "two deliver at once"
            threading.Event().wait(0.002)
            super().deliver(events)
            inside.release()

    consumer, errors = Alone(), list[BaseException]()
    register(catalog, consumer)

    def run() -> None:
        try:
            for _ in range(20):
                catalog.log("described", catalog.get("model", "late"))
                while Delivery(catalog, consumer, tmp_path / "consumers").step():
                    pass
        except BaseException as error:  # noqa: BLE001 - a thread's, told by the test
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert consumer.taken == list(range(1, 121))


def test_starting_over_gives_everything_again(catalog: Catalog, happen: Happen, tmp_path: Path) -> None:
    happen(3)
    consumer = Rebuilt()
    register(catalog, consumer)
    delivery = Delivery(catalog, consumer, tmp_path / "consumers")
    assert delivery.step()
    delivery.start_over()
    assert (consumer.taken, catalog.consumers.get("list").position) == ([], 0)
    assert delivery.step()
    assert consumer.taken == [1, 2, 3]


def test_one_that_cannot_start_over_says_so(catalog: Catalog, tmp_path: Path) -> None:
    register(catalog, Listing())
    with pytest.raises(DataError, match=r"'list' cannot be rebuilt\. It has no method start_over"):
        Delivery(catalog, Listing(), tmp_path / "consumers").start_over()


def test_a_removed_consumer_gets_nothing(catalog: Catalog, happen: Happen, tmp_path: Path) -> None:
    happen(1)
    delivery = Delivery(catalog, Listing(), tmp_path / "consumers")
    with pytest.raises(NotFoundError, match="There is no consumer 'list'"):
        delivery.step()
