"""A Redis server of our own, and a table with a store beside it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from groundswell.catalog import Catalog
from groundswell.engines import DuckDB
from groundswell.online import Follower, Lmdb, OnlineRow, OnlineStore, OnlineTable
from groundswell.online._keys import KeyCodec, rows_prefix
from groundswell.tables import Definition, Table, microseconds
from groundswell.types import TIMESTAMP, Schema


class Room:
    """A table, a store and what lies between them, with a clock that a test moves."""

    def __init__(self, folder: Path, available_at: str | None = None) -> None:
        self.folder, self.now = folder, 0
        folder.mkdir(parents=True, exist_ok=True)
        self.engine = DuckDB(threads=1)
        self.catalog = Catalog.create(f"sqlite:///{folder / 'catalog.db'}")
        times = {"t": TIMESTAMP} | ({available_at: TIMESTAMP} if available_at else {})
        schema = Schema.of({"k": pa.string(), **times, "v": pa.int64()})
        self.definition = Definition.of("events", ["k"], "t", available_at, schema)
        found = self.catalog.find("feature_group", name="events")
        self.table_id = (found[0] if found else self.catalog.add("feature_group", "events", {})).id
        self.table = Table(
            table_id=self.table_id,
            folder=folder / "events",
            definition=self.definition,
            catalog=self.catalog,
            engine=self.engine,
            author="me@here",
        )
        if not Table.exists(self.table.folder):
            self.table.folder.mkdir()
            self.table.create()
        self.store = Lmdb(folder / "online")

    def clock(self) -> datetime:
        return at(self.now)

    def insert(self, *rows: tuple[str, int, int] | tuple[str, int, int, int]) -> int:
        """Commit rows of (key, event minute, value) or (key, event minute, availability minute, value)."""
        columns = {"k": [r[0] for r in rows], "v": [r[-1] for r in rows]}
        columns["t"] = pa.array([at(r[1]) for r in rows], TIMESTAMP)
        if self.definition.available_at:
            columns[self.definition.available_at] = pa.array([at(r[2]) for r in rows], TIMESTAMP)
        return self.table.commit(self.table.stage(pa.table(columns))).version

    def follower(self, store: OnlineStore | None = None) -> Follower:
        return Follower(self.table, store or self.store, self.engine, clock=self.clock)

    def online(self, store: OnlineStore | None = None, **options: Any) -> OnlineTable:
        return OnlineTable(store or self.store, self.table_id, self.definition, clock=self.clock, **options)

    def values(self, *keys: str, minute: int | None = None) -> list[object]:
        """The values that requests see now or at a minute."""
        answers = self.online().get_many([{"k": k} for k in keys], None if minute is None else at(minute))
        return [a.to_dict()["v"] if isinstance(a, OnlineRow) else a for a in answers]

    def check(self, store: OnlineStore | None = None) -> None:
        """The store answers as the table does, now and later, and holds nothing else."""
        store = store or self.store
        rows = self.engine.folded(self.table.snapshot()).read_all().to_pylist()
        keys = sorted({row["k"] for row in rows})
        for minute in (self.now, self.now + 7, self.now + 10_000):
            answers = self.online(store).get_many([{"k": k} for k in keys], at(minute))
            got = {key: None if answer is None else answer.to_dict() for key, answer in zip(keys, answers, strict=True)}
            assert got == {key: newest(rows, key, at(minute), self.definition) for key in keys}
        held = {address for batch in store.scan(rows_prefix(self.table_id)) for address, _ in batch}
        assert held == {KeyCodec(self.table_id, self.definition).address({"k": key}) for key in keys}

    def dump(self, store: OnlineStore) -> dict[bytes, list[object]]:
        """All that the store holds of the table: for each address the answers, as time goes by."""
        held = sorted({address for batch in store.scan(rows_prefix(self.table_id)) for address, _ in batch})
        online = self.online(store)
        rows = store.get_many(held)
        return {
            address: [online.answer(row, address, microseconds(at(minute))) for minute in range(self.now, 60)]
            for address, row in zip(held, rows, strict=True)
        }

    def close(self) -> None:
        self.store.close()
        self.engine.close()
        self.catalog.close()


def newest(rows: list[dict], key: str, moment: datetime, definition: Definition) -> dict | None:
    """By a search of all rows in their order: the newest that had happened and was known."""
    names = [name for name in (definition.event_time, definition.available_at) if name]
    seen = [
        (*(row[name] for name in names), i)
        for i, row in enumerate(rows)
        if row["k"] == key and all(row[name] <= moment for name in names)
    ]
    return {n: rows[max(seen)[-1]][n] for n in definition.schema.names} if seen else None


def at(minute: int) -> datetime:
    return datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)


@contextmanager
def open_room(folder: Path, available_at: str | None = None) -> Iterator[Room]:
    room = Room(folder, available_at)
    try:
        yield room
    finally:
        room.close()


@pytest.fixture
def room_of() -> Callable[..., AbstractContextManager[Room]]:
    """Opens the room in a folder, made at first."""
    return open_room


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    """A table with event times."""
    with open_room(tmp_path / "room") as made:
        yield made


@pytest.fixture
def known_room(tmp_path: Path) -> Iterator[Room]:
    """A table with availability."""
    with open_room(tmp_path / "room", "a") as made:
        yield made
