import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

import groundswell as gs
from groundswell.changes import Filter, JsonLines

Run = Callable[..., Result]
RunJson = Callable[..., dict[str, Any]]


@pytest.fixture
def audit(project_folder: Path) -> Path:
    """The file of a consumer of what happens to models."""
    path = project_folder.parent / "events.jsonl"
    with gs.open(project_folder) as project:
        project.add_consumer(JsonLines(path=path, name="audit", filter=Filter(kinds=["model"])))
    return path


def test_changes_are_shown_from_any_position(run: Run, run_json: RunJson) -> None:
    whole = run_json("changes")["events"]
    assert [event["sequence"] for event in whole] == list(range(1, len(whole) + 1))
    assert {"created", "defined", "inserted", "pinned", "finished", "registered", "alias set", "deployed"} <= {
        event["verb"] for event in whole
    }
    assert run_json("changes", "--after", len(whole) - 1)["events"] == whole[-1:]
    models = run_json("changes", "--kind", "model", "--verb", "registered")["events"]
    assert [event["path"] for event in models] == ["model/late_arrival/1"]
    assert re.search(r"alias set +model/late_arrival/1", run("changes", "--path", "model/*").stdout)
    assert run("changes", "--tag", "none").stdout == "Nothing happened.\n"
    assert "Did you mean 'model'?" in run("changes", "--kind", "modell", code=1).stderr


def test_consumers_are_shown_and_caught_up(run: Run, run_json: RunJson, audit: Path) -> None:
    (before,) = run_json("consumers")["consumers"]
    assert (before["position"], before["filter"], before["kind"]) == (0, {"kinds": ["model"]}, "json lines")
    assert run("follow", "--once").stdout == f"All consumers have what happened up to event {before['behind']}.\n"
    (after,) = run_json("consumers")["consumers"]
    assert (after["position"], after["behind"]) == (before["behind"], 0)
    verbs = [json.loads(line)["verb"] for line in audit.read_text().splitlines()]
    assert verbs == ["registered", "alias set", "deployed"]
    assert "audit" in run("consumers").stdout


def test_a_consumer_is_built_anew(run: Run, audit: Path) -> None:
    run("follow", "--once")
    whole = audit.read_text()
    audit.unlink()
    assert "audit was built anew, up to event" in run("follow", "--rebuild", "audit").stdout
    assert audit.read_text() == whole
    assert "There is no consumer 'other'" in run("follow", "--rebuild", "other", code=1).stderr


def test_following_goes_on_until_it_is_told_to_end(project_folder: Path, audit: Path) -> None:
    command = [Path(sys.executable).with_name("groundswell"), "follow", "--project", project_folder]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline().startswith(f"Following {project_folder}")
        while not audit.exists() or audit.read_text().count("\n") < 3:
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 130


def test_the_doctor_tells_of_consumers(run: Run, audit: Path) -> None:
    assert "1 consumer" in run("doctor").stdout
    audit.mkdir()
    run("follow", "--once", code=1)
    assert "The consumer 'audit' failed once: Events cannot be written to" in run("doctor", code=3).stdout
