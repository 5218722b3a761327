"""Errors on the command line: three parts, one exit code each, and the same as JSON."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import groundswell as gs
from groundswell.cli import app
from groundswell.cli._errors import report
from groundswell.errors import DataError, NotFoundError

Run = Callable[..., Result]


def test_an_error_is_told_in_three_parts(run: Run, tmp_path: Path) -> None:
    result = run("groups", "--project", tmp_path / "none", code=1)
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        f"error: There is no project in {tmp_path / 'none'}.",
        "       Commands work on the project in the current folder, unless --project or GROUNDSWELL_PROJECT names one.",
        f"       Name one, or make one: groundswell init {tmp_path / 'none'}",
    ]
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["groups"], ["describe", "g"], ["history", "g"], ["read", "g"], ["compact", "g"], ["views"], ["runs"],
        ["explain", "v", "k=1"], ["models"], ["predict", "m", "{}"], ["trace", "x"], ["doctor"], ["serve", "m"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_no_command_makes_a_project_silently(run: Run, tmp_path: Path, arguments: list[str]) -> None:
    folder = tmp_path / "fresh"
    folder.mkdir()
    assert "There is no project in" in run(*arguments, "-p", folder, code=1).stderr
    assert list(folder.iterdir()) == []


def test_a_project_nearby_is_named(run: Run, project_folder: Path) -> None:
    error = run("groups", "-p", project_folder.parent, code=1).stderr
    assert f"There is one in {project_folder}: --project {project_folder}" in error


def test_the_project_is_in_the_current_folder_by_default(project_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GROUNDSWELL_PROJECT", raising=False)
    monkeypatch.chdir(project_folder)
    assert CliRunner().invoke(app, ["groups"]).exit_code == 0


def test_an_error_as_json_has_its_parts_and_facts(run: Run) -> None:
    result = run("describe", "wether", "--json", code=1)
    assert result.stdout == ""
    error = json.loads(result.stderr)["error"]
    assert error == {
        "type": "NotFoundError",
        "what": "There is no feature group 'wether'.",
        "why": "",
        "fix": "Did you mean 'weather'?",
        "facts": {
            "kind": "feature_group",
            "name": "wether",
            "version": None,
            "known": ["airports", "empty", "flights", "predictions_late_arrival_v1", "weather"],
        },
    }


def test_wrong_usage_is_told_in_both_forms(run: Run) -> None:
    result = run("reed", code=2)
    assert result.stderr.splitlines() == [
        "error: No such command 'reed'. Did you mean 'read'?",
        "       Try 'groundswell --help'.",
    ]
    error = json.loads(run("history", "--json", code=2).stderr)["error"]
    assert error["what"] == "Missing argument 'GROUP'."
    assert error["fix"] == "Try 'groundswell history --help'."


def test_debug_shows_where_an_error_comes_from(project_folder: Path) -> None:
    for arguments in (["--debug", "describe", "wether"], ["describe", "wether", "--debug"]):
        result = CliRunner().invoke(app, [*arguments, "--project", str(project_folder)])
        assert result.exit_code == 1
        assert isinstance(result.exception, NotFoundError)


def test_a_defect_asks_for_a_report(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(ZeroDivisionError("division by zero"), as_json=False) == 1
    assert capsys.readouterr().err.splitlines() == [
        "error: ZeroDivisionError: division by zero",
        "       This is a defect of Groundswell, or of a package that it uses.",
        "       Run it again with --debug, and report what it prints.",
    ]
    assert report(ZeroDivisionError("division by zero"), as_json=True) == 1
    assert json.loads(capsys.readouterr().err)["error"]["type"] == "ZeroDivisionError"


def test_what_others_wrote_cannot_command_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    report(DataError("The name \x1b[2J\r\n is none.", fix="Use \u202eanother."), as_json=False)
    assert capsys.readouterr().err.splitlines() == [
        "error: The name \\x1b[2J\\r\\n is none.",
        "       Use \\u202eanother.",
    ]


def test_facts_that_json_has_not_become_text(capsys: pytest.CaptureFixture[str]) -> None:
    report(DataError("No.", value=float("nan"), path=Path("a"), raw=b"\0", kind=int), as_json=True)
    facts = json.loads(capsys.readouterr().err)["error"]["facts"]
    assert facts == {"value": "NaN", "path": "a", "raw": "AA==", "kind": "<class 'int'>"}


def test_init_makes_a_project_once(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "fresh" / "project"
    assert run("init", folder).stdout.startswith(f"Made a project in {folder}.\nInsert data from Python: ")
    assert run("init", folder).stdout == f"There is a project in {folder}.\n"
    assert gs.open(folder).feature_groups() == []
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("mine")
    assert "is not empty and holds no project" in run("init", tmp_path / "full", code=1).stderr


def test_the_doctor_tells_by_its_exit_code(run: Run, project_folder: Path) -> None:
    assert run("doctor").stdout.startswith("Checked the catalog, 5 feature groups")
    document = json.loads(run("doctor", "--deep", "--json").stdout)
    assert document.keys() == {"ok", "checked", "findings"}
    assert (document["ok"], document["findings"]) == (True, [])
    (project_folder / "models" / "late_arrival" / "1" / "README.md").unlink()
    shutil.rmtree(project_folder / "runs")
    result = run("doctor", code=3)
    assert result.stdout.splitlines()[-1].endswith("1 error and 1 warning.")
    error, warning = json.loads(run("doctor", "--json", code=3).stdout)["findings"]
    assert error.keys() == {"severity", "what", "where", "fix", "repairable", "repaired"}
    assert (error["severity"], error["repairable"]) == ("error", False)
    assert (warning["severity"], warning["repairable"]) == ("warning", True)
    repaired = run("doctor", "--repair", code=3).stdout
    assert "  Repaired: Wrote README.md again." in repaired.splitlines()
    assert repaired.splitlines()[-1].endswith("1 error, 1 repaired.")
