"""Fixtures for tests of several rooms."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
import redis
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline

import groundswell as gs
from groundswell.diagnosis import Diagnosis
from groundswell.features import FeatureGroup, TrainingData


class ForkServer:
    """Starts workers that run a task of `_fork_server.py` in a process of their own, and can be killed at any time."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("_fork_server.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(self, task: str, *, environment: dict[str, str] | None = None, **arguments: object) -> int:
        """Run the task with the arguments in a new process; its process id."""
        return self._ask({"start": task, "arguments": arguments, "environment": environment or {}})

    def wait(self, pid: int) -> int:
        """The worker's exit status once it has ended; minus the signal's number if a signal ended it."""
        return self._ask({"wait": pid})

    def start_and_stop(self, task: str, at: str, **arguments: object) -> int:
        """Start, and return once the worker has stopped at a fault point; SIGCONT lets it go on."""
        pid = self.start(task, environment={"GROUNDSWELL_FAULT": f"stop@{at}"}, **arguments)
        while (state := Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]) != "T":
            assert state != "Z", "the worker ended without passing the point"
            time.sleep(0.002)
        return pid

    def run(self, task: str, *, environment: dict[str, str] | None = None, **arguments: object) -> int:
        """Start and wait."""
        return self.wait(self.start(task, environment=environment, **arguments))

    def close(self) -> None:
        """End the server; its workers have been waited for."""
        self._process.stdin.close()
        assert self._process.wait(30) == 0
        self._process.stdout.close()

    def _ask(self, request: dict[str, object]) -> int:
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the fork server has ended; its error is above"
        return int(answer)


@pytest.fixture(scope="session")
def fork_server() -> Iterator[ForkServer]:
    """Workers that start in milliseconds."""
    server = ForkServer()
    yield server
    server.close()


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server of our own."""
    binary = shutil.which("redis-server")
    if binary is None:
        reason = "redis-server is not installed; `make setup` does it where it may"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    folder, port = tmp_path_factory.mktemp("redis"), _free_port()
    process = _start(binary, folder, port)
    try:
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        assert process.wait(30) == 0


def _start(binary: str, folder: Path, port: int) -> subprocess.Popen[bytes]:
    command = [binary, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", ""]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    with redis.Redis(port=port) as client:
        for _ in range(500):
            try:
                client.ping()
                return process
            except redis.ConnectionError:
                time.sleep(0.01)
    raise AssertionError("redis-server does not answer")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture(scope="session")
def made_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small project with everything in it: groups, a view, training data, a run, a model, predictions.

    Nobody may change it; `project_folder` is a copy to do anything with.
    """
    folder = tmp_path_factory.mktemp("made") / "flights"
    with gs.open(folder, threads=1) as project:
        flights = _make_groups(project)
        weather = project.get_feature_group("weather")
        query = flights.select("origin", "distance", "late").join(weather.select("temp"), prefix="wx_", max_age="3h")
        view = project.create_feature_view("late_arrival", query, labels=["late"], description="Late or not.")
        train, test = view.train_test_split(test_start="2013-01-01T18:00")
        entities = {"origin": ["EWR", "JFK"], "distance": [100.0, 200.0], "at": [_START, _START], "late": [True, False]}
        view.join_to(pa.table(entities), event_time="at")
        run = project.run(_fit, train, evaluate=test, params={"C": 0.5})
        project.register("late_arrival", run).set_alias("champion")
        with project.deploy("late_arrival@champion") as service:
            service.predict([{"origin": "EWR", "distance": 120.0}], at="2013-01-01T20:30Z")
    return folder


_START = datetime(2013, 1, 1, tzinfo=UTC)


def _make_groups(project: gs.Project) -> FeatureGroup:
    hours = [_START + timedelta(hours=i) for i in range(24)]
    weather = project.create_feature_group(
        "weather", primary_key=["origin"], event_time="observed_at", description="Hourly weather."
    )
    for first in (0, 12, 10):  # the last two hours of the first commit are written again by the third
        part = hours[first : first + 12]
        weather.insert(
            {"origin": ["EWR", "JFK"] * 6, "observed_at": part, "temp": [float(first + i) for i in range(12)]}
        )
    airports = project.create_feature_group("airports", primary_key=["faa"], description="Where they are.")
    airports.insert({"faa": ["EWR", "JFK"], "name": ["Newark", "Kennedy"], "lat": [40.69, 40.64]})
    flights = project.create_feature_group("flights", primary_key=["flight"], event_time="due_at")
    flights.insert(
        {
            "flight": list(range(48)),
            "due_at": [hours[i // 2] for i in range(48)],
            "origin": ["EWR", "JFK"] * 24,
            "distance": [100.0 + i for i in range(48)],
            "late": [i % 3 == 0 for i in range(48)],
        }
    )
    project.create_feature_group("empty", primary_key=["k"])
    return flights


def _fit(data: TrainingData, C: float = 1.0) -> Pipeline:
    return make_pipeline(
        ColumnTransformer([("keep", SimpleImputer(), ["distance", "wx_temp"])]), LogisticRegression(C=C)
    ).fit(data.X, data.y)


@pytest.fixture
def project_folder(made_project: Path, tmp_path: Path) -> Path:
    """A copy of `made_project`."""
    return Path(shutil.copytree(made_project, tmp_path / "flights"))


@pytest.fixture
def project(project_folder: Path) -> Iterator[gs.Project]:
    """The project in `project_folder`."""
    with gs.open(project_folder, threads=1) as project:
        yield project


@pytest.fixture
def doctor(project_folder: Path) -> Callable[..., Diagnosis]:
    """Opens the project in `project_folder` anew and examines it; takes what `project.doctor` takes."""

    def examine(*, deep: bool = False, repair: bool = False) -> Diagnosis:
        with gs.open(project_folder, threads=1) as project:
            return project.doctor(deep=deep, repair=repair)

    return examine
