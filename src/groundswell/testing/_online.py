"""The conformance suite of online stores: what the rooms above rely on, and the rules that rows in it obey.

Whoever writes a store subclasses `OnlineStoreConformance` in its own tests. The first half asks the store for what its
protocol says; the second runs random histories of commits, corrections, deletes, clocks and rebuilds through it and
compares every answer with a search of all rows.
"""

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import uuid4

import pyarrow as pa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from groundswell.engines import VERSION
from groundswell.online import Answer, AskTable, OnlineRow, OnlineStore, OnlineTable
from groundswell.online._keys import KeyCodec, record_address, rows_prefix
from groundswell.online._layout import RowLayout
from groundswell.online._sink import Sink
from groundswell.online._state import State
from groundswell.tables import Definition, microseconds
from groundswell.types import TIMESTAMP, Schema

__all__ = ["OnlineStoreConformance"]

_START = datetime(2024, 1, 1, tzinfo=UTC)
_KEYS = ("a", "b", "11", "1")
_FEW = settings(
    max_examples=12, stateful_step_count=15, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)


class OnlineStoreConformance(ABC):
    """The rules for one store.

    Implement `open` and let pytest collect the class:

        class TestMyStore(OnlineStoreConformance):
            @pytest.fixture(autouse=True)
            def folder(self, tmp_path):
                self.path = tmp_path

            def open(self):
                return MyStore(self.path)
    """

    @abstractmethod
    def open(self) -> OnlineStore:
        """A handle to the store under test: each call opens the same place. Other tests may have written there."""

    def table(self) -> tuple[bytes, bytes]:
        """The record of a table that nobody has written yet, and what the addresses of its entities begin with."""
        table_id = uuid4().hex
        return record_address(table_id), rows_prefix(table_id)

    def test_what_was_written_is_found_and_nothing_else(self) -> None:
        store, (record, prefix) = self.open(), self.table()
        addresses = [prefix + end for end in (b"x", b"", b"\x00", b"\xff*?[]\\", b"x" * 300)]
        with store.writer(record) as writer:
            writer.write([(address, b"row " + address, None) for address in addresses])
        assert store.get_many(addresses) == [b"row " + address for address in addresses]
        assert store.get_many([addresses[1], prefix + b"y", addresses[1]]) == [b"row " + prefix, None, b"row " + prefix]
        assert store.get_many([]) == []

    def test_an_entity_is_replaced_and_removed(self) -> None:
        store, (record, prefix) = self.open(), self.table()
        with store.writer(record) as writer:
            writer.write([(prefix + b"a", b"1", None), (prefix + b"b", b"2", None)])
            writer.write([(prefix + b"a", b"3", None), (prefix + b"b", None, None), (prefix + b"c", None, ())])
        assert store.get_many([prefix + b"a", prefix + b"b", prefix + b"c"]) == [b"3", None, None]

    def test_the_record_comes_with_the_rows_and_stays_without_one(self) -> None:
        store, (record, prefix) = self.open(), self.table()
        records = []
        with store.writer(record) as writer:
            records.append(writer.record)
            writer.write([(prefix + b"a", b"1", None)], b"first")
            writer.write([(prefix + b"a", b"2", None)])
            records.append(writer.record)
            writer.write([], b"second")
        assert records == [None, b"first"]
        assert store.get_many([record]) == [b"second"]
        with store.writer(record) as writer:
            assert writer.record == b"second"

    def test_many_entities_are_written_at_once(self) -> None:
        store, (record, prefix) = self.open(), self.table()
        addresses = [prefix + str(i).encode() for i in range(3_500)]
        with store.writer(record) as writer:
            writer.write([(address, address * 3, [(i, b"later")]) for i, address in enumerate(addresses)], b"done")
        assert store.get_many(addresses) == [address * 3 for address in addresses]
        assert store.get_many([record]) == [b"done"]
        assert store.surfaced(addresses[7], 7) == b"later"
        assert store.surfaced(addresses[7], 6) is None

    def test_the_last_waiting_row_by_a_moment_surfaces(self) -> None:
        store, (record, prefix) = self.open(), self.table()
        moments = [-(2**62), -5, 0, 1, 2**62]
        waiting = [(moment, b"from %d" % moment) for moment in moments]
        with store.writer(record) as writer:
            writer.write([(prefix + b"a", b"now", waiting), (prefix + b"b", b"now", [(3, b"other")])])
            assert writer.pending(prefix + b"a") == [row for _, row in waiting]
            assert writer.pending(prefix + b"c") == []
        for asked in (*moments, -4, 10, 2**62 + 1):
            assert store.surfaced(prefix + b"a", asked) == b"from %d" % max(m for m in moments if m <= asked)
        assert store.surfaced(prefix + b"a", -(2**62) - 1) is None
        assert store.surfaced(prefix + b"", 10) is None
        assert store.surfaced(prefix + b"b", 2) is None
        assert store.surfaced(prefix + b"z", 2**63 - 1) is None

    def test_waiting_rows_stay_unless_others_are_given(self) -> None:
        store, (record, prefix) = self.open(), self.table()
        with store.writer(record) as writer:
            writer.write([(prefix + b"a", b"1", [(1, b"x"), (2, b"y")]), (prefix + b"b", b"1", [(1, b"z")])])
            writer.write([(prefix + b"a", b"2", None), (prefix + b"b", b"2", ())])
            assert writer.pending(prefix + b"a") == [b"x", b"y"]
            assert writer.pending(prefix + b"b") == []
            writer.write([(prefix + b"a", b"3", [(2, b"w")])])
            assert writer.pending(prefix + b"a") == [b"w"]

    def test_a_scan_finds_the_entities_of_one_table(self) -> None:
        store, (record, prefix), (other, elsewhere) = self.open(), self.table(), self.table()
        rows = {prefix + str(i).encode(): b"%d" % i for i in range(2_345)}
        with store.writer(record) as writer:
            writer.write([(address, row, [(1, b"later")] if row == b"7" else None) for address, row in rows.items()])
        with store.writer(other) as writer:
            writer.write([(elsewhere + b"1", b"1", None)])
        assert dict(pair for batch in store.scan(prefix) for pair in batch) == rows
        assert dict(pair for batch in store.scan(elsewhere) for pair in batch) == {elsewhere + b"1": b"1"}
        assert not any(store.scan(self.table()[1]))

    def test_another_handle_sees_what_was_written(self) -> None:
        (record, prefix), first = self.table(), self.open()
        with first.writer(record) as writer:
            writer.write([(prefix + b"a", b"1", None)], b"r")
        second = self.open()
        assert second.get_many([prefix + b"a", record]) == [b"1", b"r"]
        first.close()
        assert second.get_many([prefix + b"a"]) == [b"1"]
        assert self.open().get_many([prefix + b"a"]) == [b"1"]

    def test_one_writer_at_a_time(self) -> None:
        (record, prefix), handles = self.table(), [self.open() for _ in range(4)]

        def count(store: OnlineStore) -> None:
            for _ in range(5):
                with store.writer(record) as writer:
                    before = int(writer.record or b"0")
                    time.sleep(0.002)  # long enough for another to come in, if it may
                    writer.write([(prefix + b"n", b"%d" % (before + 1), None)], b"%d" % (before + 1))

        threads = [threading.Thread(target=count, args=(store,)) for store in handles]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert handles[0].get_many([record, prefix + b"n"]) == [b"20", b"20"]

    def test_writers_of_different_tables_do_not_wait_for_each_other(self) -> None:
        store, (one, _), (other, _) = self.open(), self.table(), self.table()
        with store.writer(one) as first, store.writer(other) as second:
            first.write([], b"1")
            second.write([], b"2")
        assert store.get_many([one, other]) == [b"1", b"2"]

    def test_readers_see_one_moment(self) -> None:
        store, (record, prefix) = self.open(), self.table()
        addresses = [prefix + b"a", prefix + b"b"]
        ended = threading.Event()

        def write() -> None:
            with store.writer(record) as writer:
                for i in range(100):
                    writer.write([(address, b"%d" % i, None) for address in addresses])
            ended.set()

        thread = threading.Thread(target=write)
        thread.start()
        while not ended.is_set():
            one, other = self.open().get_many(addresses)
            assert one == other
        thread.join()

    def test_random_histories_of_a_table_with_availability(self) -> None:
        self.run("t", "a")

    def test_random_histories_of_a_table_with_event_time(self) -> None:
        self.run("t", None)

    def test_random_histories_of_a_table_without_time(self) -> None:
        self.run(None, None)

    def run(self, event_time: str | None, available_at: str | None) -> None:
        """Compare random histories with a search of all rows."""
        store = self.open()

        class Histories(_Histories):
            def __init__(self) -> None:
                super().__init__(store, event_time, available_at)

        run_state_machine_as_test(Histories, settings=_FEW)


class _Row(NamedTuple):
    """A row of the model; times in minutes."""

    key: str
    event: int
    available: int
    version: int
    value: int | None


_MINUTES = st.integers(0, 30)
_DRAWN = st.lists(
    st.tuples(st.sampled_from(_KEYS), _MINUTES, _MINUTES, st.one_of(st.none(), st.integers(-9, 9))),
    min_size=1,
    max_size=8,
)


class _Histories(RuleBasedStateMachine):
    """Histories of one table in a store, beside a plain list of its rows."""

    def __init__(self, store: OnlineStore, event_time: str | None, available_at: str | None) -> None:
        super().__init__()
        self.store, self.timed, self.with_availability = store, event_time is not None, available_at is not None
        times = {name: TIMESTAMP for name in (event_time, available_at) if name}
        schema = Schema.of({"k": pa.string(), **times, "v": pa.int64(), "s": pa.string()})
        self.definition = Definition.of("g", ["k"], event_time, available_at, schema)
        self.table_id = uuid4().hex
        self.keys = KeyCodec(self.table_id, self.definition)
        self.layout = RowLayout(schema, event_time, available_at)
        self.rows: list[_Row] = []
        self.commits: list[list[_Row]] = []
        self.version = self.now = self.latest = 0

    @initialize()
    def begin(self) -> None:
        self.rebuild()

    @rule(drawn=_DRAWN)
    def put(self, drawn: Sequence[tuple[str, int, int, int | None]]) -> None:
        self.version += 1
        rows = {}
        for key, event, available, value in drawn:
            row = _Row(key, *self.times(event, available), self.version, value)
            rows[row[:3]] = row  # of one identity the last counts
        self.commits.append(list(rows.values()))
        self.rows += rows.values()
        with self.sink() as sink:
            sink.merge(self.batches(rows.values()))

    @rule(data=st.data())
    def put_again(self, data: st.DataObject) -> None:
        """A follower that was killed writes what it had written."""
        kept = [[row for row in commit if row in self.rows] for commit in self.commits]
        with self.sink() as sink:
            for commit in data.draw(st.permutations(kept)):
                sink.merge(self.batches(commit))

    @rule(minutes=st.sampled_from([-12, -3, 1, 4, 12]))
    def move_the_clock(self, minutes: int) -> None:
        self.now += minutes
        self.latest = max(self.latest, self.now)

    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        """Rows go, and the keys they had are recomputed from what is left."""
        if not self.rows:
            return
        gone = data.draw(st.lists(st.sampled_from(self.rows), min_size=1))
        self.rows = [row for row in self.rows if row not in gone]
        touched = {row.key for row in gone}
        with self.sink() as sink:
            sink.replace(self.batches([row for row in self.rows if row.key in touched], touched))

    @rule(lost=st.sampled_from(_KEYS))
    def rebuild(self, lost: str = "") -> None:
        """The table is another one, and the store is built anew over what it held."""
        self.rows = [row for row in self.rows if row.key != lost]
        with self.sink(1) as sink:
            sink.replace(self.batches(self.rows))
            sink.sweep(rows_prefix(self.table_id))

    @invariant()
    def answers_are_those_of_a_search_of_all_rows(self) -> None:
        requests = [{"k": key} for key in (*_KEYS, "none", None)]
        online = OnlineTable(
            self.store, self.table_id, self.definition, clock=lambda: _at(self.now), columns=["v", "s"]
        )
        assert online.get_many(requests) == online.get_many(requests, _at(self.now))
        for moment in {self.now, self.latest, max(self.now - 3, 0), self.latest + 4, 60}:
            answers = online.get_many(requests, _at(moment))
            for request, answer in zip(requests, answers, strict=True):
                self.check(request["k"], moment, answer)
            self.check_columns(online, requests, moment, answers)
        young = self.online(columns=["v"], max_age=timedelta(minutes=40))
        for request, answer in zip(requests, young.get_many(requests, _at(60)), strict=True):
            expected = self.expected(request["k"], 60)
            old = expected is not None and self.timed and 60 - expected.event > 40
            assert (answer is None) == (expected is None or old)

    def check(self, key: str | None, moment: int, answer: Answer) -> None:
        expected = self.expected(key, moment)
        if isinstance(answer, AskTable):
            assert moment < self.latest, "what counts now must be answered"
            assert any(microseconds(_at(self.known(row))) == answer.known_us for row in self.rows if row.key == key)
            assert microseconds(_at(moment)) < answer.known_us
        elif expected is None:
            assert answer is None, f"{key} at {moment}: {answer}"
        else:
            assert isinstance(answer, OnlineRow), f"{key} at {moment}: nothing, expected {expected}"
            assert answer.to_dict() == {"v": expected.value, "s": f"{expected.value}"}
            assert answer.version == expected.version
            assert answer.event_time == (_at(expected.event) if self.timed else None)
            assert answer.available_at == (_at(expected.available) if self.with_availability else None)

    def check_columns(
        self, online: OnlineTable, requests: Sequence[dict[str, str | None]], moment: int, answers: Sequence[Answer]
    ) -> None:
        found = online.read(pa.table({"k": pa.array([r["k"] for r in requests], pa.string())}), _at(moment))
        rows = [answer if isinstance(answer, OnlineRow) else None for answer in answers]
        assert found.found.tolist() == [row is not None for row in rows]
        assert found.ask_table.tolist() == [isinstance(answer, AskTable) for answer in answers]
        empty = {"v": None, "s": None}
        assert found.rows.to_pylist() == [empty if row is None else row.to_dict() for row in rows]
        assert [v for v, row in zip(found.versions.tolist(), rows, strict=True) if row] == [
            r.version for r in rows if r
        ]

    def online(self, **options: Any) -> OnlineTable:  # Any: those of OnlineTable
        return OnlineTable(self.store, self.table_id, self.definition, clock=lambda: _at(self.now), **options)

    def expected(self, key: str | None, moment: int) -> _Row | None:
        """The newest of all rows that had happened and were known."""
        seen = [row for row in self.rows if row.key == key and self.known(row) <= moment]
        return max(seen, key=lambda row: (row.event, row.available, row.version), default=None)

    def known(self, row: _Row) -> int:
        return max(row.event, row.available)

    def times(self, event: int, available: int) -> tuple[int, int]:
        """A row's times, as far as the table has them; without them it was always there."""
        if not self.timed:
            return -1_000, -1_000
        return event, available if self.with_availability else event

    @contextmanager
    def sink(self, epochs: int = 0) -> Iterator[Sink]:
        with self.store.writer(record_address(self.table_id)) as writer:
            state = State.from_bytes(writer.record)
            epoch = state.epoch + epochs
            layouts = state.with_layout(self.layout)
            writer.write([], State(version=self.version, epoch=epoch, keys=self.keys.kinds, layouts=layouts).to_bytes())
            now_us = microseconds(_at(self.now))
            yield Sink(self.store, writer, keys=self.keys, layout=self.layout, epoch=epoch, now_us=now_us)

    def batches(self, rows: Collection[_Row], touched: set[str] | None = None) -> list[pa.RecordBatch]:
        """Rows as an engine gives them: by key, and touched keys without a row with nulls; two rows a batch."""
        records = [
            {"k": r.key, "t": _at(r.event), "a": _at(r.available), "v": r.value, "s": f"{r.value}", VERSION: r.version}
            for r in rows
        ]
        records += [{"k": key} for key in (touched or set()) - {row.key for row in rows}]
        records.sort(key=lambda record: str(record["k"]))
        fields = [pa.field(f.name, f.type) for f in self.definition.schema]
        table = pa.Table.from_pylist(records, pa.schema([*fields, pa.field(VERSION, pa.int64())]))
        batches: list[pa.RecordBatch] = table.to_batches(max_chunksize=2)
        return batches


def _at(minute: int) -> datetime:
    return _START + timedelta(minutes=minute)
