"""Reading rows in every form, and what of each form may never change."""

import csv
import io
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

import groundswell as gs
from groundswell.cli import app

Run = Callable[..., Result]
RunJson = Callable[..., dict[str, Any]]


@pytest.fixture
def odd(project_folder: Path) -> list[dict[str, Any]]:
    """A group with values that forms stumble over."""
    rows = [
        {
            "year": 2013,
            "text": 'a "b", c\n\x1b[31m',
            "part": 0.1,
            "list": [1.5, None],
            "raw": b"\x00\xff",
            "none": None,
        },
        {"year": 2014, "text": "", "part": math.nan, "list": None, "raw": None, "none": 1},
        {"year": 2015, "text": None, "part": math.inf, "list": [], "raw": b"", "none": None},
    ]
    with gs.open(project_folder) as project:
        project.create_feature_group("odd", primary_key=["year"]).insert(rows)
    return rows


def test_a_table_shows_numbers_as_they_are_and_no_control_characters(run: Run, odd: object) -> None:
    titles, first, second, third = run("read", "odd").stdout.splitlines()
    assert titles.split() == ["year", "text", "part", "list", "raw", "none"]
    assert first.split() == ["2013", "a", '"b",', "c\\n\\x1b[31m", "0.1", "1.5,", "AP8="]
    assert second.split() == ["2014", "nan", "1"]
    assert third.split() == ["2015", "inf"]


def test_a_table_ends_after_20_rows_unless_asked_otherwise(run: Run) -> None:
    assert run("read", "flights").stdout.splitlines()[-1] == "20 of 48 rows; --limit shows more."
    assert len(run("read", "flights").stdout.splitlines()) == 22
    assert len(run("read", "flights", "--limit", 100).stdout.splitlines()) == 49
    assert run("read", "airports", "--limit", 2).stdout.splitlines()[-1].startswith("JFK")
    assert run("read", "airports", "--limit", 0).stdout == "faa  name  lat\n0 of 2 rows; --limit shows more.\n"


def test_json_is_one_document_with_every_value(run_json: RunJson, odd: object) -> None:
    found = run_json("read", "odd")
    assert found.keys() == {"group", "table_version", "columns", "rows"}
    assert (found["group"], found["table_version"]) == ("odd", 1)
    assert [column["name"] for column in found["columns"]] == ["year", "text", "part", "list", "raw", "none"]
    assert found["rows"] == [
        {"year": 2013, "text": 'a "b", c\n\x1b[31m', "part": 0.1, "list": [1.5, None], "raw": "AP8=", "none": None},
        {"year": 2014, "text": "", "part": "NaN", "list": None, "raw": None, "none": 1},
        {"year": 2015, "text": None, "part": "Infinity", "list": [], "raw": "", "none": None},
    ]
    assert run_json("read", "odd", "--limit", 0)["rows"] == []
    assert len(run_json("read", "flights")["rows"]) == 48


def test_csv_reads_back(run: Run, odd: object) -> None:
    result = run_raw("read", "odd", "--format", "csv")
    titles, *rows = csv.reader(io.StringIO(result, newline=""))
    assert titles == ["year", "text", "part", "list", "raw", "none"]
    assert rows == [
        ["2013", 'a "b", c\n\x1b[31m', "0.1", "[1.5, null]", "AP8=", ""],
        ["2014", "", "nan", "", "", "1"],
        ["2015", "", "inf", "[]", "", ""],
    ]
    assert result.splitlines()[-1].startswith("2015,,")  # a null is empty, and an empty text is quoted
    assert '\n2014,"",' in result


def run_raw(*arguments: object) -> str:
    """The output of a command that prints data as they are, control characters too."""
    result = CliRunner().invoke(app, list(map(str, arguments)))
    assert result.exit_code == 0
    return result.stdout_bytes.decode()


def test_parquet_and_files_hold_the_rows(run: Run, odd: list[dict[str, Any]], tmp_path: Path) -> None:
    path = tmp_path / "odd.parquet"
    assert run("read", "odd", "-f", "parquet", "-o", path).output == ""
    found = pq.read_table(path, page_checksum_verification=True).to_pylist()
    assert found[0] == odd[0]
    assert [row["year"] for row in found] == [2013, 2014, 2015]
    run("read", "airports", "-f", "csv", "-o", tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_text().splitlines()[0] == '"faa","name","lat"'
    run("read", "airports", "--json", "-o", tmp_path / "a.json", "--limit", 1)
    assert len(json.loads((tmp_path / "a.json").read_text())["rows"]) == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.csv", "a.json", "flights", "odd.parquet"]


def test_columns_and_versions_are_chosen(run: Run, run_json: RunJson) -> None:
    assert run("read", "airports", "--columns", "lat,faa").stdout.splitlines()[1].split() == ["40.69", "EWR"]
    assert run("read", "airports", "--columns", "lat", "--columns", "faa").stdout.startswith("  lat  faa")
    assert len(run_json("read", "weather", "--as-of", 1)["rows"]) == 12
    assert run_json("read", "weather", "--as-of", 1)["table_version"] == 1
    assert len(run_json("read", "weather", "--as-of", "2100-01-01")["rows"]) == 24


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--as-of", "2001-01-01"], 1, "Group 'weather' has no version at 2001-01-01"),
        (["--as-of", "9"], 1, "The versions are 0 to 3."),
        (["--as-of", "noon"], 1, "'noon' cannot be read as as_of."),
        (["--columns", "tmep"], 1, "Did you mean 'temp'?"),
        (["--format", "parquet"], 2, "add --output FILE"),
        (["--output", "x.txt"], 2, "add --format"),
        (["--format", "xml"], 2, "'xml' is not one of"),
        (["--limit", "-1"], 2, "--limit"),
        (["--json", "--output", "/nowhere/x.json"], 1, "cannot be written"),
    ],
)
def test_what_cannot_be_read_is_refused(run: Run, arguments: list[str], code: int, message: str) -> None:
    assert message in run("read", "weather", *arguments, code=code).stderr


def test_a_file_that_is_half_written_never_takes_its_name(run: Run, project_folder: Path, tmp_path: Path) -> None:
    for path in (project_folder / "tables" / "flights_v1").glob("*.parquet"):
        path.write_bytes(path.read_bytes()[:-9])
    (tmp_path / "f.csv").write_text("before")
    assert "groundswell doctor" in run("read", "flights", "-f", "csv", "-o", tmp_path / "f.csv", code=1).stderr
    assert (tmp_path / "f.csv").read_text() == "before"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["f.csv", "flights"]
