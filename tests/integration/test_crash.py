"""Writers that are killed at any moment: nothing acknowledged is lost, nothing is there twice, nothing half."""

import os
import random
import signal
import time
from collections import Counter
from pathlib import Path

import pytest
from deltalake import DeltaTable

import groundswell as gs
from groundswell._faults import POINTS
from groundswell.features import FeatureGroup

ROWS = 20


def acknowledged(path: Path) -> dict[int, int]:
    """The batches that were acknowledged, with the versions of their commits; a line cut short was not written."""
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    pairs = [line.split() for line in lines if line.endswith("\n")]
    return {int(number): int(version) for number, version in pairs}


def check(folder: Path, writers: dict[str, dict[int, int]], last: int) -> None:
    """The project opens and is whole; of each writer's batches the acknowledged are there, once and in full.

    Args:
        folder: the project.
        writers: what each has acknowledged.
        last: the number of the last batch that any of them may have begun.
    """
    project = gs.open(folder)
    group = project.get_feature_group("events")
    rows = group.read().to_arrow().to_pylist()
    assert len({(row["k"], row["t"]) for row in rows}) == len(rows), "a row is there twice"
    own = Counter(tuple(row["k"].rsplit("-", 1)[0].rsplit("-", 1)) for row in rows if row["k"] != "shared")
    assert set(own.values()) <= {ROWS}, "a batch is there in part"
    for writer, done in writers.items():
        there = {int(number) for name, number in own if name == writer}
        assert set(done) <= there, "an acknowledged batch is lost"
        assert there <= set(range(last + 1))
    check_history(folder, group, rows)
    check_health(project, rows)
    project.close()


def check_health(project: gs.Project, rows: list[dict]) -> None:
    """Nothing is damaged; what the killed left behind can be cleared away, and the rows stay."""
    diagnosis = project.doctor(deep=True, repair=True)
    assert not [finding for finding in diagnosis.findings if finding.severity == "error"], diagnosis
    assert diagnosis.ok, diagnosis
    assert project.get_feature_group("events").read().to_arrow().to_pylist() == rows


def check_history(folder: Path, group: FeatureGroup, rows: list[dict]) -> None:
    history = group.history()
    assert [commit.version for commit in history] == list(range(len(history)))[::-1], "versions have gaps"
    inserts = [commit for commit in history if commit.kind == "insert"]
    assert sum(commit.new for commit in inserts) == len(rows), "the history's sums are wrong"
    assert all(commit.new + commit.replaced == commit.rows for commit in inserts)
    assert sum(commit.replaced for commit in inserts) == max(len(inserts) - 1, 0), "each insert replaces one shared row"
    table = DeltaTable(folder / "tables" / "events_v1")
    assert table.version() == history[0].version
    assert all((folder / "tables" / "events_v1" / path).exists() for path in table.file_uris())


def arguments(folder: Path, writer: str = "w", **changes: object) -> dict[str, object]:
    plain = {"folder": str(folder), "writer": writer, "first": 0, "last": 3, "compact_every": 0}
    return plain | {"acknowledged": str(folder.parent / f"{writer}.txt")} | changes


@pytest.mark.parametrize("with_schema", [True, False])
@pytest.mark.parametrize("point", [point for point in POINTS if point.startswith("create")])
def test_a_group_whose_creation_was_cut_short_can_be_used(tmp_path, fork_server, point, with_schema):
    folder, fault = tmp_path / "p", {"GROUNDSWELL_FAULT": point}
    task = {"folder": str(folder), "with_schema": with_schema}
    status = fork_server.run("create_group", environment=fault, **task)
    if not with_schema:  # the first insert makes the table
        assert status == 0
        status = fork_server.run("write_group", environment=fault, **arguments(folder))
    assert status == -signal.SIGKILL
    assert fork_server.run("create_group", **task) == 0
    assert fork_server.run("write_group", **arguments(folder)) == 0
    check(folder, {"w": acknowledged(tmp_path / "w.txt")}, 3)


@pytest.mark.parametrize("point", [point for point in POINTS if not point.startswith("create")])
def test_a_writer_killed_at_a_fault_point_loses_nothing(tmp_path, fork_server, point):
    folder = tmp_path / "p"
    assert fork_server.run("create_group", folder=str(folder), with_schema=True) == 0
    task = arguments(folder, last=7, compact_every=2)
    status = fork_server.run("write_group", environment={"GROUNDSWELL_FAULT": f"{point}:3"}, **task)
    assert status == -signal.SIGKILL, "the point was not passed"
    done = acknowledged(tmp_path / "w.txt")
    check(folder, {"w": done}, len(done))
    again = len(done)  # the batch that was being written: whether it landed or not, it may be written again
    assert fork_server.run("write_group", **(task | {"first": again, "compact_every": 0})) == 0
    done = acknowledged(tmp_path / "w.txt")
    assert set(done) == set(range(8))
    check_rows_once(folder, done)


def check_rows_once(folder: Path, done: dict[int, int]) -> None:
    with gs.open(folder) as project:
        rows = project.get_feature_group("events").read().to_arrow().to_pylist()
    assert len(rows) == len({(row["k"], row["t"]) for row in rows}) == ROWS * len(done) + 1
    assert {row["v"] for row in rows if row["k"] == "shared"} == {max(done)}


@pytest.mark.slow
def test_a_writer_killed_fifty_times_loses_nothing(tmp_path, fork_server):
    folder, moments = tmp_path / "p", random.Random(11)
    assert fork_server.run("create_group", folder=str(folder), with_schema=True) == 0
    first, killed = 0, 0
    for _ in range(50):
        task = arguments(folder, first=first, last=first + 1_000, compact_every=7)
        worker = fork_server.start("write_group", **task)
        time.sleep(moments.uniform(0.02, 0.7))
        os.kill(worker, signal.SIGKILL)
        killed += fork_server.wait(worker) == -signal.SIGKILL
        done = acknowledged(tmp_path / "w.txt")
        with gs.open(folder) as project:
            rows = project.get_feature_group("events").read().to_arrow()["k"].to_pylist()
        there = Counter(int(key.split("-")[1]) for key in rows if key != "shared")
        assert set(there.values()) <= {ROWS}, "a batch is there in part"
        assert set(done) <= set(there), "an acknowledged batch is lost"
        first = max(there, default=-1) + 1  # one that was not acknowledged may have landed
    assert killed == 50
    assert len(done) >= 10, "the writer hardly wrote"
    check(folder, {"w": done}, first)


@pytest.mark.slow
@pytest.mark.parametrize("with_schema", [True, False])
def test_four_writers_at_once_lose_nothing(tmp_path, fork_server, with_schema):
    folder, writers = tmp_path / "p", ("a", "b", "c", "d")
    assert fork_server.run("create_group", folder=str(folder), with_schema=with_schema) == 0
    workers = [fork_server.start("write_group", **arguments(folder, writer, last=14)) for writer in writers]
    assert [fork_server.wait(worker) for worker in workers] == [0, 0, 0, 0]
    done = {writer: acknowledged(tmp_path / f"{writer}.txt") for writer in writers}
    versions = [version for batches in done.values() for version in batches.values()]
    assert sorted(versions) == list(range(1, 61)), "each insert is one commit, and versions are contiguous"
    for batches in done.values():
        assert list(batches.values()) == sorted(batches.values()), "a writer's commits are in its order"
    check(folder, done, 14)


def test_eight_processes_may_make_one_project_at_once(tmp_path, fork_server):
    folder = tmp_path / "p"
    workers = [fork_server.start("open_project", folder=str(folder)) for _ in range(8)]
    assert [fork_server.wait(worker) for worker in workers] == [0] * 8


@pytest.mark.slow
def test_a_project_whose_making_was_cut_short_can_be_opened(tmp_path, fork_server):
    moments = random.Random(5)
    for number in range(20):
        folder = tmp_path / str(number)
        worker = fork_server.start("open_project", folder=str(folder))
        time.sleep(moments.uniform(0, 0.1))
        os.kill(worker, signal.SIGKILL)
        fork_server.wait(worker)
        with gs.open(folder) as project:
            assert project.feature_groups() == []
            assert project.doctor(repair=True).ok


@pytest.mark.parametrize("point", [point for point in POINTS if point.startswith(("stage", "insert"))])
def test_a_writer_that_is_stopped_holds_nobody_up_and_goes_on_later(tmp_path, fork_server, point):
    folder, file = tmp_path / "p", tmp_path / "w.txt"
    assert fork_server.run("create_group", folder=str(folder), with_schema=True) == 0
    task = {"folder": str(folder), "writer": "w", "first": 0, "last": 2, "acknowledged": str(file), "compact_every": 0}
    pid = fork_server.start_and_stop("write_group", f"{point}:2", **task)
    other = {**task, "writer": "o", "acknowledged": str(tmp_path / "o.txt"), "compact_every": 2}
    try:
        assert fork_server.run("write_group", **other) == 0, "another writer inserts and compacts meanwhile"
    finally:
        os.kill(pid, signal.SIGCONT)
    assert fork_server.wait(pid) == 0
    done = {"w": acknowledged(file), "o": acknowledged(tmp_path / "o.txt")}
    assert [sorted(each) for each in done.values()] == [[0, 1, 2], [0, 1, 2]]
    check(folder, done, 2)
