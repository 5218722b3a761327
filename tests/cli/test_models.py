import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

Run = Callable[..., Result]
RunJson = Callable[..., dict[str, Any]]

RUN = {
    "id", "name", "version", "state", "params", "metrics", "training_data", "pins", "started_at", "duration_s",
    "created_by",
}  # fmt: skip
MODEL = {
    "name", "version", "aliases", "description", "type", "task", "metrics", "run_id", "training_data", "created_at",
    "created_by",
}  # fmt: skip


def test_runs_are_listed_and_described(run: Run, run_json: RunJson) -> None:
    (found,) = run_json("runs")["runs"]
    assert found.keys() == RUN
    assert (found["name"], found["state"], found["params"]) == ("fit", "finished", {"C": 0.5})
    assert found["pins"] == {"flights": 1, "weather": 3}
    titles, row = run("runs").stdout.splitlines()
    assert titles.split() == ["run", "name", "state", "started", "seconds", "parameters", "metrics"]
    assert row.startswith(found["id"][:8])
    one = run_json("runs", found["id"][:8])
    assert one.keys() == RUN | {"code", "environment", "seed", "evaluations", "reads", "error"}
    assert {key: one[key] for key in RUN} == found
    assert "parameters  C=0.5" in run("runs", found["id"][:8]).stdout
    assert one["evaluations"]["test"]["confusion"]["labels"] == [False, True]


def test_the_evaluations_of_a_run_are_plotted(run: Run, run_json: RunJson) -> None:
    (found,) = run_json("runs")["runs"]
    plotted = run("runs", found["id"], "--plot", "roc").stdout.splitlines()
    assert plotted[0] == "test"
    assert plotted[1].startswith("ROC curve, area 0.")
    assert "There is no plot 'rocc'" in run("runs", found["id"], "--plot", "rocc", code=1).output
    assert "Say of which run" in run("runs", "--plot", "roc", code=2).output


@pytest.mark.parametrize(
    ("choice", "n"),
    [(["--state", "failed"], 0), (["--state", "finished"], 1), (["--name", "other"], 0), (["--limit", "0"], 0)],
)
def test_runs_are_chosen(run_json: RunJson, choice: list[str], n: int) -> None:
    assert len(run_json("runs", *choice)["runs"]) == n


def test_models_are_listed_and_described(run: Run, run_json: RunJson) -> None:
    (found,) = run_json("models")["models"]
    assert found.keys() == MODEL
    assert (found["name"], found["version"], found["aliases"]) == ("late_arrival", 1, ["champion"])
    assert run_json("models", "late_arrival")["models"] == [found]
    assert "@champion" in run("models").stdout
    for reference in ("late_arrival@champion", "late_arrival:1"):
        one = run_json("models", reference)
        assert one.keys() == MODEL | {"inputs", "outputs", "classes", "parameters", "file", "digest", "size_bytes"}
        assert {key: one[key] for key in MODEL} == found
        assert Path(one["file"]).stat().st_size == one["size_bytes"]
        assert [column["name"] for column in one["inputs"]] == ["origin", "distance", "wx_temp"]
        assert one["classes"] == [False, True]
    assert "late_arrival:1  (@champion)" in run("models", "late_arrival:1").stdout


RECORD = {"origin": "EWR", "distance": 100.0}


@pytest.mark.parametrize("form", ["argument", "list", "file", "lines", "stdin"])
def test_predictions_are_made_from_records_in_any_form(run_json: RunJson, tmp_path: Path, form: str) -> None:
    two = [RECORD, RECORD | {"distance": 140.5}]
    text = {"argument": json.dumps(RECORD), "lines": "\n".join(map(json.dumps, two)) + "\n"}.get(form, json.dumps(two))
    (tmp_path / "records.json").write_text(text)
    argument = {"argument": text, "list": text, "stdin": "-"}.get(form, tmp_path / "records.json")
    found = run_json("predict", "late_arrival@champion", argument, "--at", "2013-01-01T20:30Z", stdin=text)
    assert found.keys() == {"model", "version", "predictions"}
    assert (found["model"], found["version"]) == ("late_arrival", 1)
    assert len(found["predictions"]) == (1 if form == "argument" else 2)
    first = found["predictions"][0]
    assert first.keys() == {"id", "prediction", "probability", "probabilities", "at"}
    assert first["at"] == "2013-01-01T20:30:00+00:00"
    assert 0 <= first["probability"] <= 1


def test_standard_input_is_read_by_default_and_a_record_may_bring_its_moment(run: Run, run_json: RunJson) -> None:
    record = json.dumps(RECORD | {"at": "2013-01-01T20:30Z"})
    (found,) = run_json("predict", "late_arrival", stdin=record)["predictions"]
    assert found["at"] == "2013-01-01T20:30:00+00:00"
    titles, row = run("predict", "late_arrival", record).stdout.splitlines()
    assert titles.split() == ["prediction", "probability", "at", "id"]
    assert row.split()[-1].startswith("late_arrival-1-")


@pytest.mark.parametrize(
    ("records", "message"),
    [
        ("", "It is empty."),
        ("[]", "It is empty."),
        ("[1]", "It is JSON, and no object."),
        ("{'a': 1}", "is no record"),
        ('{"origin": "EWR"}\n{"origin"', "is no record"),
        ('{"origin": "EWR"}', "'distance'"),
        ('{"origin": "EWR", "distance": "far"}', "'far'"),
        ('{"origin": "EWR", "distance": 1, "at": "noon"}', "'noon'"),
    ],
)
def test_records_that_do_not_fit_are_refused(run: Run, records: str, message: str) -> None:
    assert message in run("predict", "late_arrival", "-", code=1, stdin=records).stderr


def test_a_file_of_records_that_is_not_there_is_named(run: Run) -> None:
    assert "nowhere.json" in run("predict", "late_arrival", "nowhere.json", code=1).stderr


def test_a_prediction_is_traced(run: Run, run_json: RunJson) -> None:
    record = json.dumps(RECORD)
    (made,) = run_json("predict", "late_arrival", record, "--at", "2013-01-01T20:30Z")["predictions"]
    found = run_json("trace", made["id"])
    assert found.keys() >= {
        "prediction_id", "model", "version", "at", "predicted_at", "inputs", "keys", "outputs", "model_facts", "run",
        "training_data", "commits", "rows",
    }  # fmt: skip
    assert (found["prediction_id"], found["model"], found["version"]) == (made["id"], "late_arrival", 1)
    assert found["rows"][0].keys() == {"join", "key", "commit", "event_time", "available_at", "values", "shown_as"}
    assert found["rows"][0]["commit"].keys() == {
        "group", "group_version", "version", "committed_at", "author", "kind", "rows",
    }  # fmt: skip
    text = run("trace", made["id"]).stdout
    assert text.startswith(f"prediction {made['id']}\n├── outputs: ")
    assert "weather (origin='EWR')" in text
