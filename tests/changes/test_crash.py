"""Consumers and writers that are killed at any instant: every sink comes to what the events, or a rebuild, give."""

import json
import os
import random
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from groundswell.catalog import Catalog
from groundswell.changes import ChangeStream, JsonLines, OnlineStores, Webhook
from groundswell.engines import DuckDB
from groundswell.online import Follower, Lmdb, OnlineRow, OnlineTable
from groundswell.tables import Table, stored_definition

NOW = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=25)


class Room:
    """What is left of a writer and its consumers, opened in this process."""

    def __init__(self, folder: Path, url: str, max_bytes: int | None) -> None:
        self.folder, self.engine = folder, DuckDB(threads=1)
        self.catalog = Catalog.open(f"sqlite:///{folder / 'catalog.db'}")
        self.table = Table(
            table_id=self.catalog.get("feature_group", "events").id,
            folder=folder / "events",
            definition=stored_definition(folder / "events"),
            catalog=self.catalog,
            engine=self.engine,
            author="me@here",
        )
        self.store = Lmdb(folder / "online")
        consumers = [
            JsonLines(path=folder / "events.jsonl", name="audit", max_bytes=max_bytes),
            Webhook(url=url, name="hook", secret_variable="HOOK_SECRET"),
            OnlineStores(followers=lambda: {self.table.table_id: self.follower(self.store)}),
        ]
        self.stream = ChangeStream(self.catalog, lambda _: self.table, folder / "consumers", consumers)

    def follower(self, store: Lmdb) -> Follower:
        return Follower(self.table, store, self.engine, clock=lambda: NOW)

    def answers(self, store: Lmdb) -> list[object]:
        """What a store answers for every key, now and as time goes by."""
        online = OnlineTable(store, self.table.table_id, self.table.definition, clock=lambda: NOW)
        requests = [{"k": f"k{i}"} for i in range(20)]
        found = [answer for m in range(0, 60, 6) for answer in online.get_many(requests, NOW + timedelta(minutes=m))]
        return [answer.to_dict() if isinstance(answer, OnlineRow) else answer for answer in found]

    def lines(self) -> list[dict[str, Any]]:
        files = [*sorted(self.folder.glob("events-*.jsonl")), self.folder / "events.jsonl"]
        return [json.loads(line) for file in files for line in file.read_text().splitlines()]

    def close(self) -> None:
        self.store.close()
        self.engine.close()
        self.catalog.close()


@pytest.fixture
def processes(fork_server: Any) -> Iterator[set[int]]:
    """The workers that must be killed, whatever happens."""
    running: set[int] = set()
    yield running
    for worker in running:
        kill(fork_server, worker)


def kill(fork_server: Any, worker: int) -> None:
    os.kill(worker, signal.SIGKILL)
    assert fork_server.wait(worker) == -signal.SIGKILL


@pytest.mark.slow
@pytest.mark.parametrize(("max_bytes", "seed"), [(None, 1), (3_000, 2)])
def test_consumers_killed_fifty_times_have_everything(
    tmp_path: Path, fork_server: Any, endpoint: Any, processes: set[int], max_bytes: int | None, seed: int
) -> None:
    moments, folder, environment = random.Random(seed), str(tmp_path), {"HOOK_SECRET": os.environ["HOOK_SECRET"]}
    writer, first = None, 0
    for number in range(50):
        if number % 10 == 0:  # the writer is killed too, now and then
            if writer is not None:
                processes.remove(writer)
                kill(fork_server, writer)
            writer = fork_server.start("change_things", folder=folder, first=first)
            processes.add(writer)
            first += 1_000
            while not (tmp_path / "events" / "_delta_log").exists():
                time.sleep(0.005)
        endpoint.answers[:] = [500] * moments.choice([0, 0, 0, 1])
        task = {"folder": folder, "url": endpoint.url, "max_bytes": max_bytes}
        worker = fork_server.start("follow_changes", environment=environment, **task)
        if number % 3:  # else it may not even have begun
            asked, deadline = endpoint.asked, time.monotonic() + 1
            while endpoint.asked == asked and time.monotonic() < deadline:
                time.sleep(0.002)
        time.sleep(moments.uniform(0, 0.06))
        kill(fork_server, worker)
    processes.remove(writer)
    kill(fork_server, writer)
    endpoint.answers.clear()
    room = Room(tmp_path, endpoint.url, max_bytes)
    try:
        assert room.catalog.consumers.get("hook").position > 0, "the consumers hardly ran"
        room.stream.catch_up()
        check(room, endpoint)
    finally:
        room.close()


def check(room: Room, endpoint: Any) -> None:
    """Every commit is an event, once; every sink has every event, in their order; online is what a rebuild gives."""
    events = [event.to_dict() for event in room.catalog.events.after(0)]
    assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
    commits = [event["detail"]["commit"] for event in events if "commit" in event["detail"]]
    assert commits == list(range(room.table.version() + 1))
    models = {event["id"] for event in events if event["verb"] == "registered"}
    assert models >= {entry.id for entry in room.catalog.find("model")}
    assert room.lines() == events, "a line for each event, once"
    assert endpoint.events == events, "each event came, at first in its order"
    assert all(post == sorted(post, key=lambda event: event["sequence"]) for post in endpoint.posts)
    rebuilt = Lmdb(room.folder / "rebuilt")
    room.follower(rebuilt).rebuild()
    assert room.answers(room.store) == room.answers(rebuilt)
    rebuilt.close()
