"""A full disk or a read-only one: an error that says so, nothing half written, and all is well once there is room."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from sklearn.linear_model import LogisticRegression

import groundswell as gs
from groundswell.errors import CorruptionError, GroundswellError

START = datetime(2024, 1, 1, tzinfo=UTC)
SIZE_BYTES = 24 << 20


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of a few megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE_BYTES}", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("only root may mount a file system of its own")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path, leaving: int = 0) -> None:
    """Leave no byte, or so many."""
    with (disk / "filler").open("wb", buffering=0) as file:
        for size in (1 << 20, 4096, 1):
            with suppress(OSError):
                while True:
                    file.write(b"\0" * size)
        assert os.statvfs(disk).f_bavail == 0
        file.truncate(file.tell() - leaving)


def free(disk: Path) -> None:
    (disk / "filler").unlink()


def remount(disk: Path, mode: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{mode}", str(disk)], check=True)


def rows(first: int, n_rows: int) -> pa.Table:
    return pa.table(
        {
            "k": [f"k{i}" for i in range(first, first + n_rows)],
            "t": pa.array([START + timedelta(seconds=i) for i in range(n_rows)], pa.timestamp("us", "UTC")),
            "v": [float(i) for i in range(n_rows)],
            "y": [i % 2 == 0 for i in range(n_rows)],
        }
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small project that nobody changes."""
    folder = tmp_path_factory.mktemp("made") / "project"
    with gs.open(folder, threads=1) as project:
        group = project.create_feature_group("g", primary_key=["k"], event_time="t")
        group.insert(rows(0, 100))
        group.insert(rows(50, 100))
        online = project.create_feature_group("online", primary_key=["k"], event_time="t", online=True)
        online.insert(rows(0, 50))
        view = project.create_feature_view("view", group.select("v", "y"), labels=["y"])
        project.run(_large, view.training_data(), name="large")
        project.create_feature_view("scaled", group.select("v"), transformations=[gs.standardize("v")])
        scaled = project.create_feature_view(
            "split", group.select("v", "y"), labels=["y"], transformations=[gs.standardize("v")]
        )
        scaled.training_data()
    return folder


def read(project: gs.Project, name: str) -> list[dict]:
    return project.get_feature_group(name).read().to_arrow().to_pylist()


def _share(data: object) -> dict[str, float]:
    return {"share": float(data.y.mean())}


def _large(data: gs.TrainingData) -> LogisticRegression:
    """A model of 800 kB."""
    model = LogisticRegression().fit(data.X, data.y)
    model.noise_ = np.random.default_rng(0).random(100_000)
    return model


def _entities() -> pa.Table:
    """Rows from outside of more than 100 kB."""
    return pa.table({"k": ["k7"] * 20_000, "t": [START] * 20_000, "y": np.random.default_rng(0).random(20_000)})


ACTIONS: dict[str, Callable[[gs.Project], object]] = {
    "insert": lambda p: p.get_feature_group("g").insert(rows(1_000, 5_000)),
    "insert into a group that is online": lambda p: p.get_feature_group("online").insert(rows(1_000, 5_000)),
    "delete rows": lambda p: p.get_feature_group("g").delete_rows({"k": "k7"}),
    "purge": lambda p: p.get_feature_group("g").purge({"k": "k7"}),
    "restore": lambda p: p.get_feature_group("g").restore(1),
    "compact": lambda p: p.get_feature_group("g").compact(),
    "create a group": lambda p: p.create_feature_group("new", primary_key=["k"], schema={"k": pa.string()}),
    "training data": lambda p: p.get_feature_view("view").train_test_split(test_size=0.5),
    "run": lambda p: p.run(_share, p.get_training_data("view")["all"]),
}


def unchanged(folder: Path, action: str, before: dict[str, list[dict]]) -> None:
    """What was there is there, nothing is half there, and the same call works now."""
    with gs.open(folder, threads=1) as project:
        diagnosis = project.doctor(deep=True, repair=True)
        assert diagnosis.ok, diagnosis
        assert {name: read(project, name) for name in before} == before or action.startswith("insert into")
        ACTIONS[action](project)


@pytest.mark.parametrize("action", ACTIONS)
def test_a_full_disk_is_one_clear_error_and_nothing_is_half_written(disk, made, action):
    folder = Path(shutil.copytree(made, disk / "project"))
    with gs.open(folder, threads=1) as project:
        before = {name: read(project, name) for name in ("g", "online")}
        fill(disk)
        with pytest.raises(GroundswellError) as caught:
            ACTIONS[action](project)
        assert str(folder) in str(caught.value)
    free(disk)
    unchanged(folder, action, before)


LATER: dict[str, tuple[Callable[[gs.Project], object], tuple[int, ...]]] = {
    "register": (lambda p: p.register("m", p.get_run(p.catalog.find("run", name="large")[0].id)), (256, 512)),
    "run": (lambda p: p.run(_large, p.get_training_data("view")["all"]), (256, 512)),
    "training data": (lambda p: p.get_feature_view("split").train_test_split(test_size=0.5), (0, 4, 16, 32)),
    "join": (
        lambda p: p.get_feature_view("scaled").join_to(_entities(), event_time="t", labels=["y"]),
        (0, 64, 160, 176, 192),
    ),
}
"""What writes files beside the catalog, and the kilobytes that are left, which end while it writes one or the other."""


def beside(folder: Path) -> set[Path]:
    """All files but the catalog's."""
    return {path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("catalog.db")}


@pytest.mark.parametrize("action", LATER)
def test_a_disk_that_fills_up_in_the_middle_keeps_nothing_that_nobody_knows(disk, made, action):
    act, amounts = LATER[action]
    for kilobytes in amounts:
        folder = Path(shutil.copytree(made, disk / f"project{kilobytes}"))
        with gs.open(folder, threads=1) as project:
            before, last = beside(folder), project.catalog.events.last()
            fill(disk, leaving=kilobytes << 10)
            with pytest.raises(GroundswellError, match=f"{folder}.* cannot be written|written in {folder}") as caught:
                act(project)
            assert isinstance(caught.value, CorruptionError)
            free(disk)
            assert beside(folder) == before
            assert {event.verb for event in project.changes(after=last)} <= {"created", "failed"}
            assert {event.kind for event in project.changes(after=last)} <= {"run"}
            diagnosis = project.doctor(deep=True)
            assert diagnosis.ok, diagnosis
            act(project)
        shutil.rmtree(folder)


@pytest.mark.parametrize("action", ["insert", "delete rows", "create a group", "run"])
def test_a_read_only_disk_is_one_clear_error_and_rows_can_be_read(disk, made, action):
    folder = Path(shutil.copytree(made, disk / "project"))
    with gs.open(folder, threads=1) as project:
        before = {name: read(project, name) for name in ("g", "online")}
    remount(disk, "ro")
    with pytest.raises(GroundswellError) as caught, gs.open(folder, threads=1) as project:
        ACTIONS[action](project)
    assert str(folder) in str(caught.value)
    remount(disk, "rw")
    assert os.access(folder, os.W_OK)
    unchanged(folder, action, before)
