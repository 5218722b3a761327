"""What requests see: one or many keys, of one or several tables, now or at a moment; and what is refused."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import numpy as np
import pyarrow as pa
import pytest

from groundswell.engines import VERSION
from groundswell.errors import ColumnNotFoundError, CorruptionError, DataError, TypeMismatchError, VersionError
from groundswell.online import AskTable, Lmdb, OnlineRow, OnlineTable, OnlineTables
from groundswell.online._keys import KeyCodec, record_address
from groundswell.online._layout import NEVER, RowLayout
from groundswell.online._sink import Sink
from groundswell.online._state import State
from groundswell.tables import Definition, microseconds
from groundswell.types import TIMESTAMP, Schema

NOW = datetime(2024, 1, 1, 12, tzinfo=UTC)


def hours(number: float) -> datetime:
    return NOW + timedelta(hours=number)


class Place:
    """A table's rows in a store, put there without a table."""

    def __init__(self, store: Lmdb, definition: Definition, table_id: str | None = None) -> None:
        self.store, self.definition, self.table_id = store, definition, table_id or uuid4().hex
        self.keys = KeyCodec(self.table_id, definition)

    def put(self, *rows: dict, version: int = 1) -> None:
        layout = RowLayout(self.definition.schema, self.definition.event_time, self.definition.available_at)
        fields = [pa.field(f.name, f.type) for f in self.definition.schema]
        schema = pa.schema([*fields, pa.field(VERSION, pa.int64())])
        with self.store.writer(record_address(self.table_id)) as writer:
            state = State.from_bytes(writer.record)
            record = State(version=version, keys=self.keys.kinds, layouts=state.with_layout(layout)).to_bytes()
            sink = Sink(self.store, writer, keys=self.keys, layout=layout, epoch=0, now_us=microseconds(NOW))
            sink.merge([pa.RecordBatch.from_pylist([row | {VERSION: version} for row in rows], schema)], record)

    def online(self, definition: Definition | None = None, **options) -> OnlineTable:
        return OnlineTable(self.store, self.table_id, definition or self.definition, clock=lambda: NOW, **options)


@pytest.fixture
def store(tmp_path):
    return Lmdb(tmp_path / "online")


def definition_of(name: str = "weather", key: str = "origin", **columns: pa.DataType) -> Definition:
    columns = columns or {"temp": pa.float64(), "wind": pa.float64()}
    return Definition.of(name, [key], "t", None, Schema.of({key: pa.string(), "t": TIMESTAMP, **columns}))


@pytest.fixture
def weather(store):
    place = Place(store, definition_of())
    place.put(
        {"origin": "EWR", "t": hours(-1), "temp": 3.5, "wind": None},
        {"origin": "JFK", "t": hours(-5), "temp": 4.5, "wind": 7.0},
        {"origin": "LGA", "t": hours(2), "temp": 9.5, "wind": 9.0},
        version=4,
    )
    return place


def test_a_row_comes_with_its_times_and_commit(weather):
    row = weather.online().get({"origin": "EWR"})
    assert row.to_dict() == {"origin": "EWR", "t": hours(-1), "temp": 3.5, "wind": None}
    assert (row.version, row.event_time, row.available_at) == (4, hours(-1), None)


def test_columns_come_in_the_order_asked_for(weather):
    online = weather.online(columns=["wind", "origin"])
    assert online.get({"origin": "JFK"}).values == (7.0, "JFK")
    rows = online.read(pa.table({"origin": ["JFK", "EWR"]})).rows
    assert rows.column_names == ["wind", "origin"]
    assert rows.to_pylist() == [{"wind": 7.0, "origin": "JFK"}, {"wind": None, "origin": "EWR"}]


def test_no_column_may_be_asked_for(weather):
    online = weather.online(columns=[])
    assert online.get({"origin": "JFK"}).values == ()
    assert online.read(pa.table({"origin": ["JFK", "?"]})).found.tolist() == [True, False]


def test_an_unknown_column_is_refused_with_the_nearest(weather):
    with pytest.raises(ColumnNotFoundError, match="'temp'"):
        weather.online(columns=["tmp"])


def test_a_moment_may_be_said_in_many_ways(weather):
    online = weather.online(columns=["temp"])
    for moment in (hours(2), "2024-01-01T14:00Z", "2024-01-01 14:00", hours(2).astimezone(), date(2024, 1, 2)):
        assert online.get({"origin": "LGA"}, moment).values == (9.5,)
    assert online.get({"origin": "LGA"}) is None
    with pytest.raises(DataError, match="cannot be read"):
        online.get({"origin": "LGA"}, "noon")


def test_each_request_may_have_its_own_moment(weather):
    online = weather.online(columns=["temp"])
    requests = pa.table({"origin": ["LGA", "LGA", "EWR", "EWR", None]})
    found = online.read(requests, [hours(1), hours(2), hours(-2), hours(-1), hours(9)])
    assert found.rows["temp"].to_pylist() == [None, 9.5, None, 3.5, None]
    assert found.found.tolist() == [False, True, False, True, False]
    assert found.ask_table.tolist() == [False, False, True, False, False]
    assert found.versions[found.found].tolist() == [4, 4]
    assert found.event_time_us[1] == microseconds(hours(2))
    with pytest.raises(DataError, match="5 requests and 2 moments"):
        online.read(requests, [hours(1), hours(2)])


def test_a_row_that_is_too_old_is_none(weather):
    online = weather.online(columns=["temp"], max_age=timedelta(hours=3))
    assert online.get({"origin": "EWR"}).values == (3.5,)
    assert online.get({"origin": "JFK"}) is None
    assert online.get({"origin": "EWR"}, hours(2)).values == (3.5,)
    assert online.get({"origin": "EWR"}, hours(2.001)) is None
    assert isinstance(online.get({"origin": "EWR"}, hours(-2)), AskTable)
    found = online.read(pa.table({"origin": ["JFK", "EWR"]}))
    assert (found.found.tolist(), found.ask_table.tolist()) == ([False, True], [False, False])


@pytest.mark.parametrize("max_age", [None, timedelta(hours=3)])
@pytest.mark.parametrize("at", [hours(-9), hours(-2), hours(0), hours(2), hours(9)])
def test_many_keys_are_told_what_each_is_told_alone(weather, at, max_age):
    online = weather.online(columns=["wind", "temp"], max_age=max_age)
    for keys in (["EWR", "JFK"], ["JFK", "JFK"], ["LGA", "EWR"], ["JFK", "?", None], ["EWR"]):
        alone = [online.get({"origin": key}, at) for key in keys]
        found = online.read(pa.table({"origin": pa.array(keys, pa.string())}), at)
        assert found.ask_table.tolist() == [isinstance(row, AskTable) for row in alone]
        rows = zip(found.found, found.rows.to_pylist(), strict=True)
        assert [tuple(row.values()) if there else None for there, row in rows] == [
            row.values if isinstance(row, OnlineRow) else None for row in alone
        ]


def test_rows_without_time_are_never_too_old(store):
    definition = Definition.of("planes", ["tail"], None, None, Schema.of({"tail": pa.int64(), "seats": pa.int32()}))
    place = Place(store, definition)
    place.put({"tail": 5, "seats": 100})
    place.put({"tail": 5, "seats": 200}, version=2)
    online = place.online(max_age=timedelta(0))
    assert online.get({"tail": 5}, "1900-01-01").to_dict() == {"tail": 5, "seats": 200}
    assert online.get({"tail": 5}).event_time is None
    assert online.read(pa.table({"tail": [6, 5]}), "1900-01-01").rows["seats"].to_pylist() == [None, 200]


def test_several_tables_answer_in_one_vector(weather, store):
    airports = Definition.of("airports", ["faa"], None, None, Schema.of({"faa": pa.string(), "lat": pa.float64()}))
    place = Place(store, airports)
    place.put({"faa": "IAH", "lat": 30.0}, {"faa": "EWR", "lat": 40.7})
    roles = [
        weather.online(columns=["temp"]),
        place.online(names=["origin"], columns=["lat"]),
        place.online(names=["dest"], columns=["lat"]),
    ]
    request = {"origin": "EWR", "dest": "IAH", "carrier": "UA"}
    assert [answer.values for answer in OnlineTables(roles).get(request)] == [(3.5,), (40.7,), (30.0,)]
    assert [answer and answer.values for answer in OnlineTables(roles).get({"origin": "X", "dest": "EWR"})] == [
        None,
        None,
        (40.7,),
    ]
    requests = pa.table({"dest": ["EWR", None, "IAH"], "origin": ["EWR", "LGA", "JFK"]})
    found = OnlineTables(roles).read(requests, hours(5))
    assert [rows.rows.column(0).to_pylist() for rows in found] == [
        [3.5, 9.5, 4.5],
        [40.7, None, None],
        [40.7, None, 30.0],
    ]


def test_no_request_has_no_rows(weather):
    assert weather.online().get_many([]) == []
    assert weather.online().read(pa.table({"origin": pa.array([], pa.string())})).rows.num_rows == 0


def test_rows_under_several_schemas_are_read_together(store):
    older = Place(store, definition_of(temp=pa.int32()))
    older.put({"origin": "EWR", "t": hours(-1), "temp": 3}, {"origin": "JFK", "t": hours(-1), "temp": 4})
    newer = Place(store, definition_of(temp=pa.int64(), wind=pa.string()), older.table_id)
    reader = newer.online()
    assert reader.get({"origin": "EWR"}).to_dict() == {"origin": "EWR", "t": hours(-1), "temp": 3, "wind": None}
    newer.put({"origin": "JFK", "t": hours(-1), "temp": 2**40, "wind": "strong"}, version=2)
    rows = reader.read(pa.table({"origin": ["JFK", "EWR", "?", "JFK"]})).rows
    assert rows["temp"].to_pylist() == [2**40, 3, None, 2**40]
    assert rows["wind"].to_pylist() == ["strong", None, None, "strong"]
    assert rows.schema.field("temp").type == pa.int64()
    assert reader.get({"origin": "JFK"}).to_dict()["wind"] == "strong"
    assert older.online(columns=["temp"]).get({"origin": "JFK"}).values == (2**40,), "an old reader meets a new row"


def test_a_row_that_no_schema_explains_is_named(weather):
    address = weather.keys.address({"origin": "EWR"})
    (row,) = weather.store.get_many([address])
    online = weather.online()
    online.get({"origin": "EWR"})
    for damaged in (b"unknown!" + row[8:], row[:-1], row[:60], row[:20] + row[28:]):
        with weather.store.writer(record_address(weather.table_id)) as writer:
            writer.write([(address, damaged, None)])
        for reader in (online, weather.online()):
            with pytest.raises(CorruptionError, match="online store"):
                reader.get({"origin": "EWR"})
            with pytest.raises(CorruptionError, match="online store"):
                reader.read(pa.table({"origin": ["JFK", "EWR"]}))


def test_a_row_that_promises_another_is_named(weather):
    address = weather.keys.address({"origin": "LGA"})
    (row,) = weather.store.get_many([address])
    with weather.store.writer(record_address(weather.table_id)) as writer:
        writer.write([(address, row, ())])
    with pytest.raises(CorruptionError):
        weather.online().get({"origin": "LGA"}, hours(3))


def test_a_row_that_comes_up_between_two_looks_is_found(weather):
    class Late:
        """A store whose writer moves the waiting row up after a reader has seen the old one."""

        def __init__(self, store: Lmdb) -> None:
            self.store = store

        def get_many(self, addresses):
            return self.store.get_many(addresses)

        def surfaced(self, address, at_us):
            (waiting,) = [self.store.surfaced(address, at_us)] if not getattr(self, "done", False) else [None]
            if waiting is not None:
                self.done = True
                with self.store.writer(record_address(weather.table_id)) as writer:
                    writer.write([(address, waiting, ())])
            return

    online = OnlineTable(Late(weather.store), weather.table_id, weather.definition, clock=lambda: NOW)
    assert online.get({"origin": "LGA"}, hours(3)).to_dict()["temp"] == 9.5


def test_a_wrong_key_is_refused_and_a_missing_one_named(weather):
    with pytest.raises(TypeMismatchError, match="'origin'"):
        weather.online().get({"origin": 5})
    with pytest.raises(ColumnNotFoundError, match="'origin'"):
        weather.online().get({"orign": "EWR"})
    with pytest.raises(TypeMismatchError, match="int64"):
        weather.online().read(pa.table({"origin": np.arange(2)}))


def test_a_record_of_another_format_or_none_is_refused(weather):

    with pytest.raises(VersionError, match="format 9"):
        State.from_bytes(b'{"format": 9}')
    for damaged in (b"nonsense", b"[1]", b"{}", b'{"format": 1, "surprise": 1}'):
        with pytest.raises(CorruptionError, match="damaged"):
            State.from_bytes(damaged)
    assert State.from_bytes(None) == State()


def test_of_a_table_that_is_not_there_as_a_whole_nothing_is_denied(weather, store):
    requests = pa.table({"origin": ["EWR", "X", None]})
    for state in (State(version=1, building=True, keys=weather.keys.kinds), State(), State(version=1, keys=["text"])):
        with store.writer(record_address(weather.table_id)) as writer:
            before = State.from_bytes(writer.record)
            writer.write([], replace(state, layouts=before.layouts).to_bytes())
        online = weather.online()
        assert online.get({"origin": "EWR"}).values[0] == "EWR", "a row that is there speaks for itself"
        assert online.get({"origin": "X"}) == AskTable(NEVER)
        assert online.get({"origin": None}) is None, "null equals nothing, whatever the table holds"
        assert online.read(requests).ask_table.tolist() == [False, True, False]
    unknown = OnlineTable(store, uuid4().hex, weather.definition, clock=lambda: NOW)
    assert unknown.get({"origin": "X"}) == AskTable(NEVER)
