"""Streams whose process is killed at any instant: what was acknowledged is there, once, and the online store has it."""

import os
import random
import signal
import time
from collections import Counter
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

import groundswell as gs
from groundswell._faults import STREAM_POINTS
from groundswell.errors import ConflictError
from groundswell.features import FeatureGroup
from groundswell.features.streaming import _flusher
from groundswell.online import Lmdb, count_differences
from groundswell.tables import streams

START = datetime(2024, 1, 1, tzinfo=UTC)
SCHEMA = {"k": pa.string(), "t": pa.timestamp("us", tz="UTC"), "v": pa.int64()}


def acknowledged(path: Path) -> list[int]:
    """The numbers that were acknowledged; a line cut short was not written."""
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    return [int(line) for line in lines if line.endswith("\n")]


def make(folder: Path) -> None:
    with gs.open(folder) as project:
        project.create_feature_group("events", primary_key=["k"], event_time="t", schema=SCHEMA, online=True)


def check(project: gs.Project, done: dict[str, list[int]], anew: Path) -> FeatureGroup:
    """Every acknowledged row is there once, what was not acknowledged is there whole or not at all, and online too."""
    group = project.get_feature_group("events")
    rows = group.read().to_arrow().to_pylist()
    assert streams(group.table.folder) == [], "a log is left"
    there = Counter(row["k"] for row in rows if row["k"] != "shared")
    assert set(there.values()) <= {1}
    for writer, numbers in done.items():
        assert {f"{writer}-{number}" for number in numbers} <= set(there), "an acknowledged row is lost"
    commits = [commit for commit in group.history() if commit.kind == "insert"]
    assert sum(commit.new for commit in commits) == len(rows), "a row was taken in twice"
    assert sum(commit.replaced for commit in commits) == sum(commit.rows for commit in commits) - len(rows)
    group.follow_online()
    store = Lmdb(anew)
    project.groups.online.follower(group.table, store).rebuild()
    assert count_differences(group.table, (project.online, store), project.clock) == 0
    store.close()
    return group


@pytest.mark.parametrize("point", STREAM_POINTS)
@pytest.mark.parametrize("passing", [1, 3])
def test_killed_at_each_point(tmp_path, fork_server, point, passing):
    folder, file = tmp_path / "p", tmp_path / "w.txt"
    make(folder)
    task = {"folder": str(folder), "writer": "w", "first": 0, "last": 300, "acknowledged": str(file)}
    status = fork_server.run("stream_rows", environment={"GROUNDSWELL_FAULT": f"{point}:{passing}"}, **task)
    assert status == -signal.SIGKILL
    with gs.open(folder, threads=1) as project:
        check(project, {"w": acknowledged(file)}, tmp_path / "anew")
        assert project.doctor(deep=True, repair=True).ok


@pytest.mark.parametrize("times", [25, pytest.param(100, marks=pytest.mark.slow)])
def test_killed_again_and_again(tmp_path, fork_server, times):
    folder, moments = tmp_path / "p", random.Random(times)
    make(folder)
    done: dict[str, list[int]] = {}
    for number in range(times):
        writer, file = f"w{number}", tmp_path / f"w{number}.txt"
        task = {"folder": str(folder), "writer": writer, "first": 0, "last": 100_000, "acknowledged": str(file)}
        pid = fork_server.start("stream_rows", **task)
        while not acknowledged(file):
            time.sleep(0.002)
        time.sleep(moments.uniform(0, 0.1))
        os.kill(pid, signal.SIGKILL)
        assert fork_server.wait(pid) == -signal.SIGKILL
        done[writer] = acknowledged(file)
        if number % 10 == 9:
            with gs.open(folder, threads=1) as project:
                check(project, done, tmp_path / f"anew-{number}")
    with gs.open(folder, threads=1) as project:
        check(project, done, tmp_path / "anew")
        assert project.doctor(deep=True, repair=True).ok


def test_two_streams_and_a_reader_in_three_processes(tmp_path, fork_server):
    folder = tmp_path / "p"
    make(folder)
    files = {writer: tmp_path / f"{writer}.txt" for writer in ("a", "b")}
    pids = [
        fork_server.start("stream_rows", folder=str(folder), writer=writer, first=0, last=150, acknowledged=str(file))
        for writer, file in files.items()
    ]
    with gs.open(folder, threads=1) as project:
        group = project.get_feature_group("events")
        for _ in range(5):
            known = {f"{writer}-{n}" for writer, file in files.items() for n in acknowledged(file)}
            assert known <= set(group.read(["k"]).to_arrow()["k"].to_pylist()), "a reader missed an acknowledged row"
        assert [fork_server.wait(pid) for pid in pids] == [0, 0]
        check(project, {writer: acknowledged(file) for writer, file in files.items()}, tmp_path / "anew")


@pytest.mark.parametrize("point", STREAM_POINTS)
def test_a_stream_that_is_stopped_is_told_of_and_goes_on_later(tmp_path, fork_server, monkeypatch, point):
    monkeypatch.setattr(_flusher, "_READER_S", 0.2)
    monkeypatch.setattr(_flusher, "_PATIENCE_S", ContextVar("groundswell_patience", default=0.2))
    folder, file = tmp_path / "p", tmp_path / "w.txt"
    make(folder)
    task = {"folder": str(folder), "writer": "w", "first": 0, "last": 150, "acknowledged": str(file)}
    pid = fork_server.start_and_stop("stream_rows", f"{point}:1", **task)
    row = {"k": "o-0", "t": START, "v": 0}
    try:
        with gs.open(folder, threads=1) as project:
            group = project.get_feature_group("events")
            with pytest.raises(ConflictError, match="does not answer"):
                group.insert([row])
            with pytest.raises(ConflictError, match="does not answer"):
                group.read()
            rows = group.read(["k", "v"], as_of=group.committed_table.version()).to_arrow().to_pylist()
            known = {(row["k"], row["v"]) for row in rows}
            assert len(known) == len(rows), "commits can be read, and hold no row twice"
            assert known <= {(key, n) for n in range(151) for key in (f"w-{n}", "shared")}
    finally:
        os.kill(pid, signal.SIGCONT)
    assert fork_server.wait(pid) == 0
    with gs.open(folder, threads=1) as project:
        project.get_feature_group("events").insert([row])
        check(project, {"w": acknowledged(file), "o": [0]}, tmp_path / "anew")
        assert acknowledged(file) == list(range(151))
        assert project.doctor(deep=True).ok
