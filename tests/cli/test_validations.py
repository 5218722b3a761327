"""The command that shows what expectations said of the batches of a group."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import groundswell as gs
from groundswell.cli import app

GOOD, HOT = {"city": "Bern", "temp": 3.0}, {"city": "Rome", "temp": 185.0}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project with one accepted and one refused batch."""
    with gs.open(tmp_path / "p") as project:
        rules = [gs.expect("temp").between(-40, 50), gs.expect("city").complete()]
        weather = project.create_feature_group("weather", primary_key=["city"], expectations=rules)
        weather.insert([GOOD])
        with pytest.raises(gs.GroundswellError, match="refused"):
            weather.insert([HOT])
    return tmp_path / "p"


def said(folder: Path, *arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["validations", "weather", "--project", str(folder), *arguments])
    assert result.exit_code == code, result.output
    return result.output


def test_reports_are_listed_newest_first_and_refused_batches_are_among_them(folder: Path) -> None:
    title, refused, accepted = said(folder).splitlines()
    assert title.split() == ["report", "validated", "at", "policy", "status", "broken", "rows", "commit"]
    assert "strict  failure  1 of 2" in refused
    assert refused.endswith("not written")
    assert "strict  success  0 of 2" in accepted
    assert [line.split() for line in said(folder, "--limit", "1").splitlines()] == [title.split(), refused.split()]


def test_a_report_shows_rows_that_break_a_rule(folder: Path) -> None:
    lines = said(folder, "--number", "2").splitlines()
    assert lines[0].startswith("Validation of 'weather' (strict): failure, 1 of 2 expectations broken, 1 rows")
    assert "city='Rome', temp=185.0" in lines[2]
    assert lines[3].startswith("success")


def test_json_has_what_python_has(folder: Path) -> None:
    with gs.open(folder) as project:
        expected = [report.to_dict() for report in project.get_feature_group("weather").validations()]
    assert json.loads(said(folder, "--json")) == {"group": "weather", "reports": expected}
    assert json.loads(said(folder, "--number", "1", "--json")) == expected[1]


def test_a_report_that_is_not_there_is_an_error_that_names_those_that_are(folder: Path) -> None:
    assert "no validation report 7" in said(folder, "--number", "7", code=1)


def test_a_group_that_was_never_validated_says_so(tmp_path: Path) -> None:
    with gs.open(tmp_path / "p") as project:
        project.create_feature_group("weather", primary_key=["city"]).insert([GOOD])
    assert said(tmp_path / "p").startswith("No batch was validated yet.")
