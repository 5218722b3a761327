"""The command as a process: pipes, readers that leave, interrupts, and a service that listens."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest

import groundswell as gs

COMMAND = Path(sys.executable).with_name("groundswell")


@pytest.fixture
def environment(project_folder: Path) -> dict[str, str]:
    return os.environ | {"GROUNDSWELL_PROJECT": str(project_folder), "PYTHONWARNINGS": "error", "COLUMNS": "60"}


def test_exit_codes_and_streams(environment: dict[str, str]) -> None:
    def run(*arguments: str) -> tuple[int, str, str]:
        done = subprocess.run([COMMAND, *arguments], env=environment, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    code, out, err = run("groups")
    assert (code, err) == (0, "")
    assert "\x1b" not in out
    assert max(map(len, out.splitlines())) > 60  # in a pipe nothing is cut or folded
    code, out, err = run("describe", "wether")
    assert (code, out) == (1, "")
    assert err.startswith("error: There is no feature group 'wether'.\n")
    assert "Traceback" not in err
    code, out, err = run("describe", "wether", "--debug")
    assert (code, out) == (1, "")
    assert "Traceback" in err
    assert run("describe")[0] == 2


@pytest.mark.parametrize(("columns", "vertical"), [("60", True), ("200", False)])
def test_a_terminal_gets_colors_and_what_fits(environment: dict[str, str], columns: str, vertical: bool) -> None:
    ours, theirs = os.openpty()
    settings = environment | {"COLUMNS": columns, "TERM": "xterm-256color"}
    settings.pop("NO_COLOR", None)
    with subprocess.Popen([COMMAND, "groups"], env=settings, stdout=theirs) as process:
        os.close(theirs)
        text = b""
        try:
            while part := os.read(ours, 65_536):
                text += part
        except OSError:  # how Linux says that the other side has closed
            pass
    os.close(ours)
    assert process.returncode == 0
    assert b"\x1b[" in text
    lines = re.sub(r"\x1b\[[0-9;]*m", "", text.decode()).splitlines()
    assert max(map(len, lines)) <= int(columns)
    assert (["key", "faa"] in [line.split() for line in lines]) is vertical


def test_a_reader_may_leave(project_folder: Path, environment: dict[str, str]) -> None:
    with gs.open(project_folder) as project:
        group = project.create_feature_group("long", primary_key=["k"])
        group.insert({"k": list(range(100_000)), "text": ["x" * 50] * 100_000})
    for form, limit in (("csv", 100_000), ("json", 100_000), ("table", 2_000)):
        command = [COMMAND, "read", "long", "--format", form, "--limit", str(limit)]
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stdout.read(10)
            process.stdout.close()
            assert process.stderr.read() == b""
        assert process.returncode == 0


def test_an_interrupt_ends_with_130(project_folder: Path, environment: dict[str, str]) -> None:
    with gs.open(project_folder) as project:
        group = project.create_feature_group("long", primary_key=["k"])
        group.insert({"k": list(range(100_000)), "text": ["x" * 50] * 100_000})
    command = [COMMAND, "read", "long", "--json"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.read(10)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, b"")


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_a_service_answers_until_it_is_told_to_stop(environment: dict[str, str], ending: signal.Signals) -> None:
    command = [COMMAND, "serve", "late_arrival@champion", "--port", "0"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        line = process.stderr.readline()
        assert "Listening on http://127.0.0.1:" in line
        address = line.split("Listening on ")[1].split()[0]
        with urlopen(f"{address}/v2/models/late_arrival/ready", timeout=30) as reply:
            assert reply.status == 200
        with urlopen(f"{address}/v2/models/late_arrival", timeout=30) as reply:
            assert json.load(reply)["name"] == "late_arrival"
        process.send_signal(ending)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "Traceback" not in err
