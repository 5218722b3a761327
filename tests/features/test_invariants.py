"""Groups, views and training data whose halves do not fit any more: each breach is made for real and found."""

import json
import os
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

import groundswell as gs
from groundswell.catalog import Catalog
from groundswell.diagnosis import Diagnosis, Finding

Doctor = Callable[..., Diagnosis]


def only(diagnosis: Diagnosis) -> Finding:
    assert len(diagnosis.findings) == 1, diagnosis
    return diagnosis.findings[0]


def execute(folder: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(folder / "catalog.db")) as connection, connection:
        connection.execute(statement, values)


def edit_body(folder: Path, kind: str, name: str, edit: Callable[[dict], None]) -> None:
    where = "WHERE kind = ? AND name = ? AND version = 1"
    with closing(sqlite3.connect(folder / "catalog.db")) as connection, connection:
        (text,) = connection.execute(f"SELECT body FROM entries {where}", [kind, name]).fetchone()
        body = json.loads(text)
        edit(body)
        connection.execute(f"UPDATE entries SET body = ? {where}", [json.dumps(body), kind, name])
    with closing(Catalog.open(f"sqlite:///{folder / 'catalog.db'}")) as catalog:
        catalog.search.rebuild()  # what is about bodies is not about the index


def test_a_group_that_was_being_made_is_finished(project_folder: Path, doctor: Doctor) -> None:
    shutil.rmtree(project_folder / "tables" / "airports_v1")
    execute(project_folder, "UPDATE entries SET state = 'pending' WHERE name = 'airports'")
    found = doctor().findings
    assert "The feature group 'airports' version 1 was being made when its process ended." in {f.what for f in found}
    repaired = {f.what: f.repaired for f in doctor(repair=True).findings}
    assert (
        repaired["The feature group 'airports' version 1 was being made when its process ended."] == "It is made now."
    )
    doctor(repair=True)  # the index still speaks of the table that was removed
    assert doctor(deep=True).ok


def test_a_group_that_was_being_deleted_is_gone_after_a_repair(project_folder: Path, doctor: Doctor) -> None:
    execute(project_folder, "UPDATE entries SET state = 'deleting' WHERE name = 'airports'")
    finding = only(doctor())
    assert (finding.severity, finding.repaired) == ("warning", "")
    assert only(doctor(repair=True)).repaired == "It is deleted now."
    assert doctor().findings == ()
    assert not (project_folder / "tables" / "airports_v1").exists()


def test_a_state_that_there_is_not_is_named(project_folder: Path, doctor: Doctor) -> None:
    execute(project_folder, "UPDATE entries SET state = 'resting' WHERE name = 'airports'")
    finding = only(doctor(repair=True))
    assert finding.what == "The feature group 'airports' version 1 is in the state 'resting', which there is not."


BREACHES: dict[str, Callable[[dict], None]] = {
    "another event time": lambda body: body.update(event_time=None),
    "another key": lambda body: body.update(primary_key=["temp"]),
    "another type": lambda body: body["schema"][2].update(type="int64"),
    "no such type": lambda body: body["schema"][2].update(type="complex"),
    "no schema": lambda body: body.pop("schema"),
}


@pytest.mark.parametrize("breach", BREACHES)
def test_a_definition_that_differs_is_copied_from_the_table(project_folder: Path, doctor: Doctor, breach: str) -> None:
    edit_body(project_folder, "feature_group", "weather", BREACHES[breach])
    found = [f for f in doctor().findings if "says that it is" in f.what]
    assert [f.severity for f in found] == ["error"]
    assert "Copied the table's definition into the catalog." in {f.repaired for f in doctor(repair=True).findings}
    assert doctor(deep=True).ok
    with gs.open(project_folder) as project:
        assert project.get_feature_group("weather").event_time == "observed_at"


def test_the_table_of_another_group_is_not_believed(project_folder: Path, doctor: Doctor) -> None:
    tables = project_folder / "tables"
    shutil.rmtree(tables / "airports_v1")
    shutil.copytree(tables / "weather_v1", tables / "airports_v1")
    found = [f for f in doctor(repair=True).findings if "says that it is" in f.what]
    assert [(f.repair, f.repaired) for f in found] == [(None, "")]
    assert found[0].fix == "It is the table of another group: restore the whole project from one backup."


def test_folders_without_a_group_are_named_and_left_alone(project_folder: Path, doctor: Doctor) -> None:
    shutil.copytree(project_folder / "tables" / "airports_v1", project_folder / "tables" / "airports_v7")
    finding = only(doctor(repair=True))
    assert finding.severity == "warning"
    assert finding.what.startswith("The folder 'airports_v7' (")
    assert (project_folder / "tables" / "airports_v7").exists()


def test_a_table_of_a_group_without_columns_is_named(project_folder: Path, doctor: Doctor) -> None:
    shutil.copytree(project_folder / "tables" / "airports_v1", project_folder / "tables" / "empty_v1")
    assert (
        only(doctor()).what
        == "The catalog knows no columns of the feature group 'empty' version 1, and it has a table."
    )


def test_a_view_whose_group_or_column_is_gone_is_named(project_folder: Path, doctor: Doctor) -> None:
    edit_body(project_folder, "feature_view", "late_arrival", lambda b: b["query"]["base"].update(group="flihgts"))
    finding = only(doctor())
    assert "feature view 'late_arrival' version 1" in finding.what
    assert "Did you mean 'flights'?" in finding.what
    assert "restore the whole project from one backup" in finding.fix
    edit_body(
        project_folder,
        "feature_view",
        "late_arrival",
        lambda b: b["query"]["base"].update(group="flights", columns=["origin", "distanse", "late"]),
    )
    assert "'distanse'" in only(doctor()).what
    edit_body(
        project_folder,
        "feature_view",
        "late_arrival",
        lambda b: b["query"]["base"].update(columns=["origin", "distance"]),
    )
    assert "has the labels ['late'], which its query has not" in only(doctor()).what


def test_what_cannot_be_understood_is_a_finding_too(project_folder: Path, doctor: Doctor) -> None:
    edit_body(project_folder, "feature_view", "late_arrival", lambda b: b.pop("query"))
    finding = only(doctor())
    assert finding.what == "The feature view 'late_arrival' version 1 cannot be examined: KeyError: 'query'."


def test_training_data_that_lost_a_pinned_version_a_file_or_a_group_is_named(
    project_folder: Path, doctor: Doctor
) -> None:
    def pin_later(body: dict) -> None:
        body["pins"]["weather"]["version"] = 9

    edit_body(project_folder, "training_data", "late_arrival", pin_later)
    finding = only(doctor())
    assert finding.what.startswith(
        "The training data 'late_arrival' version 1 cannot be read as it was: it is pinned to"
    )
    assert "has no version 9" in finding.what

    def pin_nothing(body: dict) -> None:
        body["pins"]["weather"].update(version=1, id="0" * 32)

    edit_body(project_folder, "training_data", "late_arrival", pin_nothing)
    assert "the feature group 'weather' is not in the catalog" in only(doctor()).what


def test_training_data_that_needs_a_missing_file_is_named(project_folder: Path, doctor: Doctor) -> None:
    file = next((project_folder / "tables" / "flights_v1").glob("*.parquet"))
    file.unlink()
    told = [f.what for f in doctor().findings if f.where == str(file)]
    assert "The training data 'late_arrival' version 1 cannot be read as it was: " in " ".join(told)
    assert len(told) == 3  # the file itself, and twice training data


@pytest.mark.parametrize("damage", ["missing", "cut", "other"])
def test_rows_joined_to_a_view_that_are_lost_are_named(project_folder: Path, doctor: Doctor, damage: str) -> None:
    (file,) = (project_folder / "training_data").glob("*/entities.parquet")
    if damage == "missing":
        file.unlink()
    elif damage == "cut":
        file.write_bytes(file.read_bytes()[:-9])
    else:
        edit = "UPDATE entries SET body = replace(body, '\"all\":2', '\"all\":3') WHERE kind = 'training_data'"
        execute(project_folder, edit.replace('":', '": '))
        execute(project_folder, edit)
    finding = only(doctor())
    assert finding.where == str(file)
    assert (
        "The training data 'late_arrival' version 2 cannot be read as it was: the rows joined to the view"
        in finding.what
    )


def test_rows_joined_by_a_killed_call_are_removed_once_they_are_old(project_folder: Path, doctor: Doctor) -> None:
    folder = project_folder / "training_data" / "0123"
    folder.mkdir()
    (folder / "entities.parquet").write_bytes(b"x")
    assert doctor(repair=True).findings == ()
    os.utime(folder, (time.time() - 3700,) * 2)
    assert only(doctor(repair=True)).repaired == "Removed it."
    assert not folder.exists()
