"""Followers that are killed at any instant: the store is never ahead of itself, and the next one makes it whole."""

import os
import random
import signal
import time
from pathlib import Path

import pytest

from groundswell._faults import FOLLOWER_POINTS
from groundswell.online import Lmdb, Redis


def task(folder: Path, store: str, **changes: object) -> dict[str, object]:
    return {"folder": str(folder), "store": store, "first": 0, "last": 12, "part_rows": 8} | changes


@pytest.mark.parametrize(
    "fault", [*(f"{point}:2" for point in FOLLOWER_POINTS), "follow:locked:1", "rebuild:rows-written:1"]
)
def test_a_follower_killed_at_a_fault_point_is_made_up_for(room_of, tmp_path, fork_server, fault):
    with room_of(tmp_path / "room") as room:
        room.now = 25
        arguments = task(room.folder, str(room.folder / "online"))
        status = fork_server.run("follow_table", environment={"GROUNDSWELL_FAULT": fault}, **arguments)
        assert status == -signal.SIGKILL, "the point was not passed"
        assert room.follower().position() <= room.table.version()
        room.follower().follow()
        room.check()


@pytest.mark.parametrize(("kind", "times"), [("lmdb", 25), ("redis", 6)])
def test_a_follower_killed_again_and_again_comes_to_what_a_rebuild_gives(
    room_of, tmp_path, fork_server, redis_url, kind, times
):
    moments = random.Random(3)
    with room_of(tmp_path / "room") as room:
        room.now = 25
        place = str(room.folder / "online") if kind == "lmdb" else redis_url
        store = room.store if kind == "lmdb" else Redis(redis_url)
        for _ in range(times):
            first = room.table.version() + 1
            worker = fork_server.start("follow_table", **task(room.folder, place, first=first, last=first + 1_000))
            while room.table.version() < first:
                time.sleep(0.005)
            time.sleep(moments.uniform(0, 0.2))
            os.kill(worker, signal.SIGKILL)
            assert fork_server.wait(worker) == -signal.SIGKILL
            assert room.follower(store).position() <= room.table.version()
        room.follower(store).follow()
        room.check(store)
        rebuilt = Lmdb(tmp_path / "rebuilt")
        room.follower(rebuilt).rebuild()
        assert room.dump(store) == room.dump(rebuilt)
        store.close()
