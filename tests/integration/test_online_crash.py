"""Writers of a group that is online, killed at any instant: the store comes to hold what a rebuild would put there."""

import os
import random
import signal
import time
from datetime import UTC, datetime

import pytest

import groundswell as gs
from groundswell.online import Lmdb, Redis, count_differences


@pytest.mark.parametrize(
    ("kind", "times"), [("lmdb", 14), ("redis", 4), pytest.param("lmdb", 100, marks=pytest.mark.slow)]
)
def test_a_writer_killed_again_and_again_leaves_what_the_next_insert_makes_whole(
    tmp_path, fork_server, request, kind, times
):
    url = request.getfixturevalue("redis_url") if kind == "redis" else ""
    moments, folder = random.Random(times), tmp_path / "p"
    task = {"folder": str(folder), "store": url}
    assert fork_server.run("write_online_group", **task, first=0, last=1) == 0
    with gs.open(folder, online=Redis(url) if url else None, threads=1) as project:
        project.clock = lambda: datetime(2024, 1, 1, 0, 25, tzinfo=UTC)
        group = project.get_feature_group("events")
        killed = 0
        for _ in range(times):
            first = group.table.version() + 1
            worker = fork_server.start("write_online_group", **task, first=first, last=first + 1_000)
            while group.table.version() < first:
                time.sleep(0.005)
            time.sleep(moments.uniform(0, 0.2))
            os.kill(worker, signal.SIGKILL)
            killed += fork_server.wait(worker) == -signal.SIGKILL
            assert (group.online_version or 0) <= group.table.version(), "the store is ahead of the table"
        assert killed == times
        group.follow_online()
        anew = Lmdb(tmp_path / "anew")
        project.groups.online.follower(group.table, anew).rebuild()
        assert count_differences(group.table, (project.online, anew), project.clock) == 0
        anew.close()
