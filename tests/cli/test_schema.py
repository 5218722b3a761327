from collections.abc import Callable
from pathlib import Path
from typing import Any

from typer.testing import Result

import groundswell as gs

Run = Callable[..., Result]
RunJson = Callable[..., dict[str, Any]]


def test_a_column_is_appended(run: Run, run_json: RunJson, project_folder: Path) -> None:
    assert "version 2 of the schema" in run("append", "airports", "runways", "int8", "--default", "3").stdout
    commit = run_json("append", "airports", "code", "string", "--default", "5", "--not-null")["commit"]
    assert (commit["kind"], commit["detail"]["schema_version"]) == ("schema", 3)
    with gs.open(project_folder, threads=1) as project:
        rows = project.get_feature_group("airports").read(["runways", "code"]).to_arrow().to_pylist()
    assert rows == [{"runways": 3, "code": "5"}] * 2


def test_a_type_is_widened(run: Run, run_json: RunJson) -> None:
    run("append", "airports", "runways", "int8")
    assert run_json("widen", "airports", "runways", "int32")["commit"]["detail"]["schema_version"] == 3
    assert run("widen", "airports", "runways", "int32").stdout == "It has that type already.\n"
    assert run_json("widen", "airports", "runways", "int32")["commit"] is None


def test_what_cannot_be_changed_is_said(run: Run) -> None:
    assert "is there twice" in run("append", "airports", "faa", "string", code=1).stderr
    assert "is no type" in run("append", "airports", "x", "int65", code=1).stderr
    assert "is no int8" in run("append", "airports", "x", "int8", "--default", "many", code=1).stderr
    assert "new_version" in run("widen", "airports", "faa", "int64", code=1).stderr
