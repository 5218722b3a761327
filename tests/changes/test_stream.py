import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from groundswell.catalog import Catalog, Event
from groundswell.changes import ChangeStream, Consumer, Filter, JsonLines, Webhook, check_consumer, register, status_of
from groundswell.errors import AlreadyExistsError, DataError, DeliveryError, NotFoundError
from groundswell.tables import Table

Happen = Callable[..., list[Event]]


class Listing:
    """Keeps what it is given, and says when it has so many; fails as often as it is told to."""

    def __init__(self, name: str = "list", failures: int = 0) -> None:
        self.name, self.filter, self.failures = name, Filter(), failures
        self.taken: list[int] = []
        self._news = threading.Condition()

    def deliver(self, events: Sequence[Event]) -> None:
        if self.failures:
            self.failures -= 1
            raise OSError("the sink is full")
        with self._news:
            self.taken += [event.sequence for event in events]
            self._news.notify_all()

    def wait_for(self, count: int) -> list[int]:
        with self._news:
            assert self._news.wait_for(lambda: len(self.taken) >= count, 30), self.taken
        return self.taken


@pytest.fixture
def stream_of(catalog: Catalog, table: Table, tmp_path: Path) -> Iterator[Callable[..., ChangeStream]]:
    made: list[ChangeStream] = []

    def stream_of(*consumers: Consumer) -> ChangeStream:
        made.append(ChangeStream(catalog, lambda _: table, tmp_path / "consumers", consumers))
        return made[-1]

    yield stream_of
    for stream in made:
        stream.stop()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("groundswell.changes._stream._FIRST_S", 0.001)


def test_what_happens_comes_to_all_consumers(stream_of: Callable, happen: Happen) -> None:
    first, second = Listing("first"), Listing("second")
    happen(2)
    with stream_of(first, second):
        assert first.wait_for(3) == second.wait_for(3) == [1, 2, 3], "what was there, and the table's commit 0"
        happen(2)
        assert first.wait_for(5) == second.wait_for(5) == [1, 2, 3, 4, 5]


def test_a_failing_consumer_is_tried_again_and_holds_up_nobody(
    catalog: Catalog, stream_of: Callable, happen: Happen
) -> None:
    failing, well = Listing("failing", failures=10**9), Listing("well")
    with stream_of(failing, well):
        happen(1)
        well.wait_for(2)
        while catalog.consumers.get("failing").failures < 3:
            threading.Event().wait(0.005)
        assert catalog.consumers.get("failing").error == "the sink is full"
        failing.failures = 0
        failing.wait_for(2)
    assert failing.taken == well.taken == [1, 2]
    assert (catalog.consumers.get("failing").failures, catalog.consumers.get("failing").error) == (0, "")


def test_consumers_come_and_go_while_it_runs(
    catalog: Catalog, stream_of: Callable, happen: Happen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("groundswell.changes._stream._REGISTRY_S", 0.02)
    here, path = Listing(), tmp_path / "events.jsonl"
    with stream_of(here) as stream:
        here.wait_for(1)
        register(catalog, JsonLines(path=path, name="audit"))
        while not path.exists() or path.read_text().count("\n") < 1:
            threading.Event().wait(0.005)
        catalog.consumers.remove("list")
        while stream._threads["list"].is_alive():
            threading.Event().wait(0.005)
        happen(1)
        while path.read_text().count("\n") < 2:
            threading.Event().wait(0.005)
    assert here.taken == [1]


def test_it_can_be_stopped_and_started_again(stream_of: Callable, happen: Happen) -> None:
    consumer = Listing()
    stream = stream_of(consumer)
    stream.stop()
    for count in (2, 3):
        happen(1)
        stream.start()
        stream.start()
        consumer.wait_for(count)
        stream.stop()
    assert consumer.taken == [1, 2, 3]
    assert {"groundswell changes", "list"}.isdisjoint(thread.name for thread in threading.enumerate())


def test_catching_up_gives_everybody_what_there_is_and_then_says_who_failed(
    catalog: Catalog, stream_of: Callable, happen: Happen
) -> None:
    happen(1)
    failing, well = Listing("a failing one", failures=1), Listing("well")
    stream = stream_of(failing, well)
    with pytest.raises(OSError, match="the sink is full"):
        stream.catch_up()
    assert (well.taken, failing.taken) == ([1, 2], [])
    assert catalog.consumers.get("a failing one").failures == 1
    assert stream.catch_up() == 2
    assert failing.taken == [1, 2]


def test_a_consumer_is_rebuilt(catalog: Catalog, stream_of: Callable, happen: Happen, tmp_path: Path) -> None:
    happen(3)
    path = tmp_path / "events.jsonl"
    register(catalog, JsonLines(path=path, name="audit"))
    stream = stream_of(Listing())
    stream.catch_up()
    whole = path.read_bytes()
    path.write_bytes(whole[:100])
    assert stream.rebuild("audit") == 4
    assert path.read_bytes() == whole
    with pytest.raises(NotFoundError, match=r"no consumer 'audi'\. Did you mean 'audit'\?"):
        stream.rebuild("audi")
    with pytest.raises(NotFoundError, match=r"'list' cannot be run here"):
        stream_of().rebuild("list")
    with pytest.raises(DataError, match="cannot be rebuilt"):
        stream.rebuild("list")


def test_a_dead_endpoint_holds_up_only_itself(
    catalog: Catalog, stream_of: Callable, happen: Happen, endpoint: Any
) -> None:
    register(catalog, Webhook(url=endpoint.url, name="hook", secret_variable="HOOK_SECRET"))
    endpoint.answers += [500] * 5
    happen(2)
    stream = stream_of()
    with pytest.raises(DeliveryError, match="answered 500"):
        stream.catch_up()
    (status,) = (status_of(record, catalog) for record in catalog.consumers.all())
    assert (status.behind, status.failures, status.kind) == (3, 1, "webhook")
    assert str(status).startswith("hook: at event 0, 3 behind, failing: http://127.0.0.1")
    (finding,) = check_consumer(catalog.consumers.get("hook"), catalog)
    assert (finding.severity, finding.where) == ("warning", endpoint.url)
    assert "The consumer 'hook' failed once: " in finding.what
    with stream:
        while catalog.consumers.get("hook").position < 3:
            threading.Event().wait(0.005)
    assert [event["sequence"] for event in endpoint.events] == [1, 2, 3]
    assert list(check_consumer(catalog.consumers.get("hook"), catalog)) == []


def test_one_name_is_one_consumer(stream_of: Callable, tmp_path: Path) -> None:
    stream_of(JsonLines(path=tmp_path / "a", name="audit"))
    with pytest.raises(AlreadyExistsError, match="consumer 'audit' already, with other settings"):
        stream_of(JsonLines(path=tmp_path / "b", name="audit"))
    with pytest.raises(DataError, match="A consumer needs a name"):
        stream_of(JsonLines(path=tmp_path / "b", name=""))
