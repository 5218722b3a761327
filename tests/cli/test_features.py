import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

import groundswell as gs

Run = Callable[..., Result]
RunJson = Callable[..., dict[str, Any]]

COMMIT = {"version", "committed_at", "kind", "author", "rows", "new", "replaced", "deleted", "detail"}


def lines(result: Result) -> list[list[str]]:
    return [line.split() for line in result.stdout.splitlines()]


def test_groups_are_listed(run: Run, run_json: RunJson) -> None:
    titles, *rows = lines(run("groups"))
    assert " ".join(titles) == "group key event time available at columns rows written commit"
    assert ["weather", "origin", "observed_at", "3", "36", "3"] in rows
    assert ["empty", "k", "0", "0"] in rows
    found = {group["name"]: group for group in run_json("groups")["groups"]}
    assert sorted(found) == ["airports", "empty", "flights", "predictions_late_arrival_v1", "weather"]
    weather = found["weather"]
    assert datetime.fromisoformat(weather.pop("last_commit")).tzinfo is not None
    assert weather == {
        "name": "weather",
        "version": 1,
        "description": "Hourly weather.",
        "primary_key": ["origin"],
        "event_time": "observed_at",
        "available_at": None,
        "columns": 3,
        "rows_written": 36,
        "table_version": 3,
        "problem": None,
    }


def test_a_group_that_cannot_be_read_is_listed_with_the_reason(
    run: Run, run_json: RunJson, project_folder: Path
) -> None:
    log = project_folder / "tables" / "weather_v1" / "_delta_log" / f"{4:020d}.json"
    log.write_text("cut")
    found = {group["name"]: group["problem"] for group in run_json("groups")["groups"]}
    assert "0004.json is damaged at line 1" in found.pop("weather")
    assert set(found.values()) == {None}
    assert "0004.json is damaged" in run("groups").stdout


def test_a_group_is_described(run: Run, run_json: RunJson) -> None:
    text = run("describe", "weather").stdout
    assert "rows           24\n" in text
    assert lines(run("describe", "weather"))[-3:] == [
        ["origin", "string", "key", "never"],
        ["observed_at", "timestamp", "event", "time", "never"],
        ["temp", "float64"],
    ]
    found = run_json("describe", "weather", "--version", 1)
    assert found.keys() >= {
        "name", "version", "description", "primary_key", "event_time", "available_at", "created_at", "created_by",
        "schema", "rows", "rows_written", "files", "table_version", "last_commit",
    }  # fmt: skip
    assert (found["rows"], found["rows_written"], found["files"], found["table_version"]) == (24, 36, 3, 3)
    assert found["schema"][2] == {"name": "temp", "type": "float64", "nullable": True}


def test_a_group_without_columns_is_described_with_the_same_keys(run: Run, run_json: RunJson) -> None:
    assert "It has no columns yet: its first insert decides." in run("describe", "empty").stdout
    assert run_json("describe", "empty").keys() >= run_json("describe", "airports").keys() - {"schema"}
    assert run_json("describe", "empty")["rows"] == 0


def test_history_says_who_did_what(run: Run, run_json: RunJson) -> None:
    titles, newest, *_ = lines(run("history", "weather"))
    assert titles == ["version", "when", "who", "what", "rows", "new", "replaced", "deleted"]
    assert newest[0] == "3"
    assert newest[-5:] == ["insert", "12", "0", "12", "0"]
    found = run_json("history", "weather", "--limit", 2)
    assert found["group"] == "weather"
    assert [commit["version"] for commit in found["commits"]] == [3, 2]
    assert all(commit.keys() == COMMIT for commit in found["commits"])
    assert run_json("history", "empty") == {"group": "empty", "commits": []}
    assert run("history", "empty").stdout == "It has no commits yet.\n"


def test_views_are_listed_and_described(run: Run, run_json: RunJson) -> None:
    assert lines(run("views"))[1] == ["late_arrival", "1", "late", "flights,", "weather", "3"]
    (view,) = run_json("views")["views"]
    assert view == {
        "name": "late_arrival",
        "version": 1,
        "description": "Late or not.",
        "features": ["origin", "distance", "wx_temp"],
        "labels": ["late"],
        "groups": ["flights", "weather"],
    }
    assert "join 'weather' on origin, at most 3:00:00 old: wx_temp" in run("views", "late_arrival").stdout
    assert run_json("views", "late_arrival").keys() >= {
        "name", "version", "description", "features", "labels", "request", "query", "created_at", "created_by",
    }  # fmt: skip


def test_explain_says_which_row_matched_or_why_none(run: Run, run_json: RunJson) -> None:
    row = ["late_arrival", "origin=EWR", "distance=12", "--at", "2013-01-01T20:30Z"]
    assert "event time 2013-01-01 20:00:00 UTC, 0:30:00 old" in run("explain", *row).stdout
    found = run_json("explain", *row)
    (join,) = found.pop("joins")
    assert found == {"view": "late_arrival", "version": 1, "at": "2013-01-01T20:30:00+00:00"}
    assert join == {
        "name": "weather",
        "keys": {"origin": "EWR"},
        "commit": 3,
        "event_time": "2013-01-01T20:00:00+00:00",
        "available_at": None,
        "age_s": 1800.0,
        "values": {"wx_temp": 20.0},
        "reason": "",
        "point_in_time": True,
    }
    (late,) = run_json("explain", "late_arrival", "origin=EWR", "distance=12")["joins"]  # now: all is older than 3 h
    assert "max_age is 3:00:00" in late["reason"]
    assert late["age_s"] is None


@pytest.mark.parametrize(
    ("values", "code", "message"),
    [
        (["origin=EWR", "distance=far"], 1, "'far' is no float64 for 'distance'."),
        (["origin=EWR", "distanse=1"], 1, "Did you mean 'distance'?"),
        (["origin=EWR"], 1, "'distance'"),
        (["EWR"], 2, "'EWR' is no KEY=VALUE."),
        (["origin=EWR", "distance=null"], 0, ""),
    ],
)
def test_values_that_do_not_fit_are_refused_by_name(run: Run, values: list[str], code: int, message: str) -> None:
    assert message in run("explain", "late_arrival", *values, code=code).stderr


def test_compact_folds_once(run: Run, run_json: RunJson) -> None:
    assert run("compact", "weather").stdout == "Version 4 has 24 rows; 12 were folded away.\n"
    assert run("compact", "weather").stdout == "There was nothing to gain.\n"
    assert run_json("compact", "weather") == {"group": "weather", "commit": None}
    found = run_json("history", "weather", "--limit", 1)["commits"][0]
    assert (found["kind"], found["rows"]) == ("compaction", 24)


def test_compact_gives_its_commit(run_json: RunJson) -> None:
    found = run_json("compact", "weather")
    assert found["commit"].keys() == COMMIT
    assert found["commit"]["detail"]["folded"] == 12


def test_an_empty_project_says_how_to_go_on(run: Run, run_json: RunJson, project_folder: Path) -> None:
    shutil.rmtree(project_folder)
    gs.open(project_folder).close()
    for command in ("groups", "views", "runs", "models"):
        assert "from Python: project." in run(command).stdout
        assert run_json(command) == {command: []}
