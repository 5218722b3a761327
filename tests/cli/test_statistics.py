"""The command that shows statistics, on the project that all tests of commands read."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from typer.testing import Result

Run = Callable[..., Result]
RunJson = Callable[..., dict[str, Any]]


def test_a_report_names_rows_and_columns(run: Run, run_json: RunJson) -> None:
    said = run("statistics", "weather").stdout
    assert said.startswith("Statistics of rows written to 'weather'")
    assert "temp" in said
    document = run_json("statistics", "weather", "--current")
    assert (document["of"], document["scope"]) == ("weather", "current rows")
    temp = next(column for column in document["columns"] if column["name"] == "temp")
    assert temp["minimum"] <= temp["quantiles"]["0.5"] <= temp["maximum"]
    assert temp["accuracy"]["range"] == "exact"


def test_a_column_is_plotted(run: Run) -> None:
    said = run("statistics", "weather", "--column", "temp").stdout
    assert "temp" in said.splitlines()[0]
    assert "█" in said


def test_a_page_is_written(run: Run, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    assert run("statistics", "weather", "--html", page).stdout == ""
    assert page.read_text().startswith("<!DOCTYPE html>")


def test_a_commit_is_compared_with_another(run: Run, run_json: RunJson) -> None:
    document = run_json("statistics", "weather", "--against", 1)
    assert document["reference"].startswith("Statistics of commit 1 of 'weather'")
    assert {"name", "psi", "ks"} <= set(document["columns"][0])
    assert "psi" in run("statistics", "weather", "--against", 1).stdout


def test_what_is_not_there_is_an_error(run: Run) -> None:
    assert "wrote no rows" in run("statistics", "weather", "--commit", 0, code=1).stderr
    assert "Did you mean 'temp'" in run("statistics", "weather", "--column", "tmp", code=1).stderr
