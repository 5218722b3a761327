import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from typer.testing import Result

import groundswell as gs

Run = Callable[..., Result]
RunJson = Callable[..., dict[str, Any]]
COMMAND = Path(sys.executable).with_name("groundswell")
SCHEMA = {"k": pa.int64(), "t": pa.timestamp("us", "UTC"), "v": pa.float64()}


@pytest.fixture
def project_folder(tmp_path: Path) -> Path:
    with gs.open(tmp_path / "p") as project:
        project.create_feature_group("counts", primary_key=["k"], event_time="t", schema=SCHEMA)
    return tmp_path / "p"


def lines(*rows: object) -> str:
    return "".join(f"{json.dumps(row)}\n" for row in rows)


def row(k: int, t: str = "2024-01-01T00:00:00Z", v: float = 0.5) -> dict[str, object]:
    return {"k": k, "t": t, "v": v}


def stored(folder: Path) -> list[dict[str, object]]:
    with gs.open(folder) as project:
        return sorted(project.get_feature_group("counts").read().to_arrow().to_pylist(), key=lambda r: r["k"])


def test_rows_are_written_and_bad_lines_are_named(run: Run, project_folder: Path) -> None:
    given = lines(row(1)) + "{no json}\n\n" + lines([1], row("x"), {"k": 4}) + json.dumps(row(5))
    result = run("stream", "counts", stdin=given, code=1)
    assert result.stdout == "Group 'counts': 2 rows written, 4 lines refused.\n"
    told = result.stderr.splitlines()
    assert [line.split(":")[0] for line in sorted(told)] == ["line 2", "line 4", "line 5", "line 6"]
    assert any("It is no JSON" in line for line in told)
    assert [r["k"] for r in stored(project_folder)] == [1, 5]


def test_a_strict_stream_ends_at_the_first_bad_line(run: Run, project_folder: Path) -> None:
    given = lines(row(1), {"k": 2}) + lines(*(row(k) for k in range(10, 5_000)))
    result = run("stream", "counts", "--strict", "--batch", "10", stdin=given, code=1)
    assert "line 2:" in result.stderr
    assert 1 <= len(stored(project_folder)) < 1_000


def test_the_summary_is_json_if_asked_for(run_json: RunJson) -> None:
    found = run_json("stream", "counts", "--time-zone", "America/New_York", stdin=lines(row(1, "2024-01-01 00:00")))
    assert found == {"group": "counts", "lines": 1, "written": 1, "refused": 0}
    assert run_json("read", "counts")["rows"][0]["t"] == "2024-01-01T05:00:00+00:00"


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_a_slow_source_is_written_as_it_comes_and_a_signal_ends_it(
    project_folder: Path, ending: signal.Signals
) -> None:
    environment = os.environ | {"GROUNDSWELL_PROJECT": str(project_folder), "PYTHONWARNINGS": "error"}
    command = [COMMAND, "stream", "counts"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, env=environment, text=True, **pipes) as process:
        process.stdin.write(lines(row(1), {"k": 2}))
        process.stdin.flush()
        assert process.stderr.readline().startswith("line 2: ")  # though no other line comes
        while stored(project_folder) != [{"k": 1, "t": datetime(2024, 1, 1, tzinfo=UTC), "v": 0.5}]:
            time.sleep(0.01)
        process.send_signal(ending)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (1, "Group 'counts': 1 rows written, 1 lines refused.\n", "")


def test_rows_in_quarantine_are_shown_inserted_and_discarded(run: Run, run_json: RunJson, project_folder: Path) -> None:
    assert run("quarantine", "counts").stdout == "Nothing is in quarantine.\n"
    with gs.open(project_folder) as project:
        group = project.get_feature_group("counts")
        group.set_expectations([gs.expect("v").mean_between(0, 1)])
        for k in (1, 2):
            with group.stream() as stream:
                stream.write(row(k, v=50.0))
        group.set_expectations([])
    parts = run_json("quarantine", "counts")["parts"]
    assert [part["rows"] for part in parts] == [1, 1]
    first, second = (part["name"] for part in parts)
    assert first in run("quarantine", "counts").stdout
    assert run_json("quarantine", "counts", first)["rows"][0]["v"] == 50.0
    assert "50" in run("quarantine", "counts", first).stdout
    assert run_json("quarantine", "counts", "--insert", first)["inserted"] == 1
    assert run("quarantine", "counts", "--discard", second).stdout == "1 rows discarded.\n"
    assert run_json("quarantine", "counts")["parts"] == []
    assert [r["v"] for r in stored(project_folder)] == [50.0]
    assert "empty" in run("quarantine", "counts", first, code=1).stderr
    run("quarantine", "counts", first, "--discard", second, code=2)
