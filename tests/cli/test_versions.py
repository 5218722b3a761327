from collections.abc import Callable
from pathlib import Path
from typing import Any

from typer.testing import Result

import groundswell as gs

Run = Callable[..., Result]
RunJson = Callable[..., dict[str, Any]]


def n_rows(folder: Path) -> int:
    with gs.open(folder, threads=1) as project:
        return len(project.get_feature_group("airports").read())


def test_a_key_is_deleted_and_a_version_restored(run: Run, run_json: RunJson, project_folder: Path) -> None:
    assert "version 2: delete (1 deleted)" in run("delete", "airports", "faa=EWR").stdout
    assert n_rows(project_folder) == 1
    commit = run_json("restore", "airports", "1")["commit"]
    assert (commit["kind"], commit["new"], commit["deleted"]) == ("restore", 1, 0)
    assert n_rows(project_folder) == 2


def test_a_difference_is_shown(run: Run, run_json: RunJson) -> None:
    run("delete", "airports", "faa=EWR")
    text = run("diff", "airports", "1").stdout
    assert text.startswith("From version 1 to 2: 0 rows added, 1 removed, 0 changed.\n")
    assert "Newark" in text
    found = run_json("diff", "airports", "1", "2")
    assert found["removed"] == 1
    (row,) = found["rows"]
    assert (row["change"], row["faa"], row["name_before"], row["name_after"]) == ("removed", "EWR", "Newark", None)
    assert run("diff", "airports", "2", "2").stdout.count("\n") == 1


def test_a_vacuum_tells_what_goes_and_what_is_pinned(run: Run, run_json: RunJson) -> None:
    run("compact", "weather")
    assert "every version stays" in run("vacuum", "weather", "--dry-run").stdout
    found = run_json("vacuum", "weather", "--keep-versions", "1")
    assert found["commit"] is not None or found["files"] == 0
    assert {pin["version"] for pin in found["kept_for"]} == {3}


def test_a_purge_asks_before_it_erases(run: Run, run_json: RunJson, project_folder: Path) -> None:
    assert run("purge", "airports", "faa=EWR", code=1, stdin="n\n").stderr.startswith("Erase the rows of airports")
    assert n_rows(project_folder) == 2
    assert run_json("purge", "airports", "faa=EWR", "--yes")["commit"]["detail"]["purged"] == 1
    assert n_rows(project_folder) == 1
    assert "were erased" in run("read", "airports", "--as-of", "1", code=1).stderr
