"""A follower brings a table into a store, whatever happens to the table."""

import shutil
import threading
import time
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from groundswell.errors import CorruptionError
from groundswell.online import AskTable, Follower, Lmdb, OnlineTable, Redis
from groundswell.online import _follower as module
from groundswell.online._keys import record_address
from groundswell.online._layout import NEVER
from groundswell.online._state import State
from groundswell.tables import Definition, Table, commit_digest, read_changes
from groundswell.types import TIMESTAMP, Schema

START = datetime(2024, 1, 1, tzinfo=UTC)


def epoch_of(room) -> int:
    """How often the store was built from the whole table."""
    return State.from_bytes(room.store.get_many([record_address(room.table_id)])[0]).epoch


def test_inserts_come_in_commit_by_commit(room):
    follower = room.follower()
    assert follower.position() == -1
    room.insert(("a", -5, 1), ("b", -5, 2))
    assert follower.follow() == 1
    assert room.values("a", "b", "c") == [1, 2, None]
    room.insert(("a", -6, 3))
    room.insert(("b", -4, 4), ("c", -4, 5))
    assert follower.follow() == follower.position() == 3
    assert room.values("a", "b", "c") == [1, 4, 5]
    assert epoch_of(room) == 1, "only the first time the whole table was read"
    room.check()


def test_it_goes_to_a_version_or_beyond(room):
    for value in range(3):
        room.insert(("a", value - 9, value))
    follower = room.follower()
    assert follower.follow(1) == 3
    room.insert(("a", -1, 7))
    assert follower.follow(2) == 3, "it is there already"
    assert follower.follow(4) == 4
    assert room.values("a") == [7]


def test_a_later_commit_replaces_a_row_of_equal_event_time(room):
    room.insert(("a", -5, 1))
    room.follower().follow()
    room.insert(("a", -5, 2))
    room.follower().follow()
    assert room.values("a") == [2]
    assert room.online().get({"k": "a"}).version == 2


def test_rows_of_the_future_wait_until_the_clock_passes(known_room):
    room = known_room
    room.insert(("a", -5, -5, 1), ("a", 10, 12, 2), ("b", 3, 3, 3))
    room.follower().follow()
    room.insert(("a", 11, 11, 4), ("a", -4, 20, 5))
    room.follower().follow()
    assert room.values("a", "b") == [1, None]
    seen = {minute: room.values("a", "b", minute=minute) for minute in (2, 3, 10, 11, 12, 20)}
    assert seen == {2: [1, None], 3: [1, 3], 10: [1, 3], 11: [4, 3], 12: [4, 3], 20: [4, 3]}
    room.now = 11
    assert room.values("a") == [4]
    room.insert(("a", 11, 30, 6), ("b", 2, 2, 9))
    room.follower().follow()
    room.now = 30
    assert room.values("a", "b") == [6, 3]
    room.check()


def test_a_moment_before_the_newest_row_is_left_to_the_table(room):
    room.insert(("a", -9, 1), ("b", 5, 2))
    room.insert(("a", -5, 2))
    room.follower().follow()
    known_us = int((START - timedelta(minutes=5)).timestamp() * 1e6)
    assert room.values("a", minute=-6) == [AskTable(known_us)]
    assert room.values("a", minute=-5) == [2]
    assert room.values("b", "c", minute=-6) == [None, None], "there the store knows that nothing was known"


def test_compaction_is_passed_over(room):
    for value in range(3):
        room.insert(("a", value - 9, value), (f"k{value}", -1, value))
    follower = room.follower()
    follower.follow()
    room.insert(("a", -1, 9))
    room.table.compact()
    room.insert(("b", -1, 10))
    maintenance = next(iter(read_changes(room.table.folder, room.definition, 4)))
    assert (maintenance.added, maintenance.removed) == ((), ())
    assert follower.follow() == 6
    assert room.values("a", "b", "k1") == [9, 10, 1]
    assert epoch_of(room) == 1
    room.check()


def test_a_follower_that_comes_late_reads_rows_that_were_compacted_away(room):
    room.insert(("a", -9, 1))
    room.follower().follow()
    for value in range(4):
        room.insert((f"k{value}", value - 8, value))
    room.table.compact()
    room.table.compact()
    assert room.follower().follow() == room.table.version()
    room.check()


def test_many_commits_are_read_in_parts(room, monkeypatch):
    monkeypatch.setattr(module, "FILES", 3)
    room.insert(("a", -99, 0))
    room.follower().follow()
    for value in range(8):
        room.insert(("a", value - 50, value), (f"k{value}", 5, value))
    assert room.follower().follow() == 9
    assert room.values("a") == [7]
    room.check()


def test_keys_that_another_tool_deletes_are_recomputed(room):
    room.insert(("a", -9, 1), ("a", -5, 2), ("b", -5, 3), ("c", 5, 4))
    room.follower().follow()
    room.insert(("d", -5, 5))
    DeltaTable(room.table.folder).delete("v = 2 OR k = 'b' OR k = 'c'")
    room.insert(("e", -5, 6))
    assert room.follower().follow() == 4
    assert room.values("a", "b", "c", "d", "e") == [1, None, None, 5, 6]
    assert epoch_of(room) == 1, "only the touched keys were recomputed"
    room.check()


def test_a_restored_version_takes_later_rows_away(room):
    room.insert(("a", -9, 1), ("b", -9, 1))
    before = room.table.version()
    room.follower().follow()
    room.insert(("a", -5, 2), ("c", -5, 3))
    room.follower().follow()
    DeltaTable(room.table.folder).restore(before)
    room.follower().follow()
    assert room.values("a", "b", "c") == [1, 1, None]
    room.insert(("a", -7, 4))
    room.follower().follow()
    assert room.values("a") == [4]
    room.check()


def test_an_append_of_another_tool_counts_as_later(room):
    room.insert(("a", -9, 1), ("b", -9, 1))
    room.follower().follow()
    frame = pa.table({"k": ["a", "a"], "t": pa.array([START - timedelta(minutes=9)] * 2, TIMESTAMP), "v": [5, 6]})
    hidden = {name: pa.nulls(2, pa.int64()) for name in ("__gs_version", "__gs_position")}
    for name, column in hidden.items():
        frame = frame.append_column(name, column)
    write_deltalake(room.table.folder, frame, mode="append")
    room.follower().follow()
    assert room.values("a", "b") == [6, 1]


def test_a_table_that_was_vacuumed_under_it_is_read_anew(room):
    room.insert(("a", -9, 1))
    room.follower().follow()
    room.insert(("b", -9, 2))
    gone = {f.path for f in room.table.snapshot().files}
    room.table.compact()
    for path in gone - {f.path for f in room.table.snapshot().files}:
        (room.table.folder / path).unlink()
    room.follower().follow()
    assert epoch_of(room) == 2
    room.check()


def test_an_older_copy_of_the_table_is_noticed(room, tmp_path):
    room.insert(("a", -9, 1))
    shutil.copytree(room.table.folder, tmp_path / "copy")
    room.insert(("a", -5, 2))
    room.insert(("z", -5, 2))
    room.follower().follow()
    shutil.rmtree(room.table.folder)
    shutil.copytree(tmp_path / "copy", room.table.folder)
    room = type(room)(room.folder)
    room.insert(("a", -7, 3))
    room.insert(("b", -7, 4))
    room.insert(("b", -7, 5))
    assert room.follower().follow() == 4
    assert room.values("a", "b", "z") == [3, 5, None]
    room.check()


def test_a_rebuild_mends_whatever_the_store_holds(room):
    room.insert(("a", -9, 1), ("b", 5, 2), ("b", 7, 3))
    follower = room.follower()
    follower.follow()
    keys = module.KeyCodec(room.table_id, room.definition)
    with room.store.writer(record_address(room.table_id)) as writer:
        a, b, x = (keys.address({"k": key}) for key in "abx")
        row = room.store.get_many([a])[0]
        writer.write([(a, None, ()), (b, row, [(5, row)]), (x, row, [(9, row)])])
    assert room.values("a", "b") != [1, None]
    assert follower.rebuild() == follower.position() == 1
    room.check()


def test_what_is_forgotten_can_be_followed_again(room):
    room.insert(("a", -9, 1), ("b", 5, 2))
    follower = room.follower()
    follower.follow()
    follower.forget()
    assert follower.position() == -1
    assert room.values("a", minute=9) == room.values("b", minute=9) == [AskTable(NEVER)]
    follower.follow()
    room.check()


def test_a_table_without_rows_can_be_followed(room):
    assert room.follower().follow() == 0
    assert room.values("a") == [None]
    room.insert(("a", -9, 1))
    assert room.follower().follow() == 1
    assert epoch_of(room) == 1


def test_a_changed_key_type_moves_every_row(room, tmp_path):
    room.insert(("1", -9, 1))
    room.follower().follow()
    other = Definition.of("events", ["k"], "t", None, Schema.of({"k": pa.binary(), "t": TIMESTAMP, "v": pa.int64()}))
    table = Table(
        table_id=room.table_id,
        folder=room.table.folder,
        definition=other,
        catalog=room.catalog,
        engine=room.engine,
        author="me@here",
    )
    Follower(table, room.store, room.engine, clock=room.clock).follow()
    assert epoch_of(room) == 2
    assert room.values("1") == [AskTable(NEVER)]


def test_a_column_that_came_later_is_null_in_older_rows(room):
    room.insert(("a", -9, 1))
    room.follower().follow()
    wider = Schema((*room.definition.schema, *Schema.of({"w": pa.float64()})))
    definition = Definition.of("events", ["k"], "t", None, wider)
    reader = OnlineTable(room.store, room.table_id, definition, clock=room.clock)
    assert reader.get({"k": "a"}).to_dict()["w"] is None
    assert reader.read(pa.table({"k": ["a", "x"]})).rows["w"].to_pylist() == [None, None]
    assert reader.read(pa.table({"k": ["a"]})).rows["v"].to_pylist() == [1]


def test_followers_at_once_do_the_work_once(room):
    stores = [Lmdb(room.folder / "online") for _ in range(3)]
    room.insert(("a", -9, 0))
    stop = threading.Event()

    def tail(store):
        room.follower(store).tail(stop, poll_s=0.001)

    threads = [threading.Thread(target=tail, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for value in range(1, 8):
        version = room.insert(("a", value - 9, value), (f"k{value}", value, value))
    deadline = time.monotonic() + 30
    while room.follower().position() < version and time.monotonic() < deadline:
        time.sleep(0.005)
    stop.set()
    for thread in threads:
        thread.join()
    assert room.follower().position() == version
    assert epoch_of(room) == 1
    room.check()


def test_the_same_table_into_two_kinds_of_store(known_room, redis_url):
    room = known_room
    with Redis(redis_url) as store:
        for step in range(6):
            room.insert(*((f"k{i % 3}", i * 2 - 5, step * 3 + i - 9, step * 10 + i) for i in range(5)))
            room.now += 4
            room.follower().follow()
            room.follower(store).follow()
            room.check(store)
            room.check()
        DeltaTable(room.table.folder).delete("k = 'k1'")
        room.follower(store).follow()
        room.check(store)
        room.follower(store).forget()
        assert not any(store.scan(b"e" + bytes.fromhex(room.table_id)))


def test_a_damaged_log_is_named(room):
    room.insert(("a", -9, 1))
    room.follower().follow()
    room.insert(("a", -8, 2))
    log = room.table.folder / "_delta_log" / f"{2:020d}.json"
    log.write_text("nonsense")
    with pytest.raises(CorruptionError, match=r"00002\.json"):
        room.follower().follow()
    assert room.values("a") == [1]


def test_a_commit_is_told_from_one_of_the_same_version_elsewhere(room, tmp_path):
    room.insert(("a", -9, 1))
    other = type(room)(tmp_path / "other")
    other.insert(("a", -9, 1))
    assert commit_digest(room.table.folder, 1) != commit_digest(other.table.folder, 1)
    assert commit_digest(room.table.folder, 9) is None
    other.close()
