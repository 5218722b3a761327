"""No skew: what a request sees online is, at every step of a history, what a point-in-time join sees of the table."""

import random

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from groundswell.engines import AsOfJoin, PointInTimeJoin, Rows, Scan
from groundswell.online import OnlineRow

KEYS = ("a", "b", "c", "11", "1")


def at_of(room, minute):
    room.now, before = minute, room.now
    moment, room.now = room.clock(), before
    return moment


def offline(room, minutes: range) -> list[object]:
    """The joined value of every key at every minute."""
    pairs = [(key, minute) for minute in minutes for key in KEYS]
    moments = pa.array([at_of(room, minute) for _, minute in pairs], pa.timestamp("us", tz="UTC"))
    join = AsOfJoin(
        name="g",
        scan=Scan(snapshot=room.table.snapshot(), columns=("v",)),
        on=(("k", "k"),),
        outputs=("v",),
    )
    left = Rows(table=pa.table({"k": [key for key, _ in pairs], "at": moments}))
    plan = PointInTimeJoin(left=left, time="at", outputs=("k",), joins=(join,))
    return room.engine.join(plan)[0].read_all()["v"].to_pylist()


def online(room, minutes: range) -> list[object]:
    """What requests see when the clock shows each minute."""
    reader, seen = room.online(columns=["v"]), []
    for minute in minutes:
        room.now = minute
        answers = reader.get_many([{"k": key} for key in KEYS])
        seen += [answer.values[0] if isinstance(answer, OnlineRow) else answer for answer in answers]
        assert reader.read(pa.table({"k": list(KEYS)})).rows["v"].to_pylist() == seen[-len(KEYS) :]
    return seen


@pytest.mark.parametrize("seed", range(4))
def test_online_is_offline_at_every_step(known_room, seed):
    room, chance, value = known_room, random.Random(seed), 0
    for step in range(14):
        rows = []
        for _ in range(chance.randint(1, 6)):
            event, value = room.now + chance.randint(-12, 10), value + 1
            rows.append((chance.choice(KEYS), event, event + chance.choice([-5, 0, 0, 3, 9]), value))
        room.insert(*rows)
        match chance.choice(["", "", "compact", "delete", "restore", "two"]):
            case "compact":
                room.table.compact()
            case "delete":
                DeltaTable(room.table.folder).delete(f"v = {chance.randint(1, value)} OR k = '{chance.choice(KEYS)}'")
            case "restore" if step:
                DeltaTable(room.table.folder).restore(chance.randint(1, room.table.version() - 1))
            case "two":
                room.insert(("a", room.now - 1, room.now, value))
        room.follower().follow()
        minutes = range(room.now, room.now + chance.randint(1, 6))
        assert online(room, minutes) == offline(room, minutes)
    room.check()
