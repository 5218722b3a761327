"""Models whose files or aliases do not fit the registry any more: each breach is made for real and found."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

import groundswell as gs
from groundswell.diagnosis import Diagnosis, Finding
from groundswell.models import Writer

Doctor = Callable[..., Diagnosis]


@pytest.fixture
def model(project_folder: Path) -> Path:
    return project_folder / "models" / "late_arrival" / "1"


def only(diagnosis: Diagnosis) -> Finding:
    assert len(diagnosis.findings) == 1, diagnosis
    return diagnosis.findings[0]


def execute(folder: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(folder / "catalog.db")) as connection, connection:
        connection.execute(statement, values)


@pytest.mark.parametrize("damage", ["missing", "cut", "flipped"])
def test_a_model_file_that_is_not_the_one_stored_is_named(model: Path, doctor: Doctor, damage: str) -> None:
    path = model / "model.skops"
    whole = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(whole[:-1] if damage == "cut" else whole[:99] + bytes([whole[99] ^ 1]) + whole[100:])
    for deep in (False, True):
        finding = only(doctor(deep=deep, repair=True))
        assert (finding.severity, finding.where) == ("error", str(path))
        assert "train and register the model again" in finding.fix


def test_a_model_that_cannot_be_built_is_found_by_building_it(
    model: Path, project_folder: Path, doctor: Doctor
) -> None:
    path = model / "model.skops"
    path.write_bytes(b"no archive")
    text = sqlite3.connect(project_folder / "catalog.db")
    with closing(text) as connection, connection:
        (body,) = connection.execute("SELECT body FROM entries WHERE kind = 'model'").fetchone()
        changed = json.loads(body)
        changed["file"]["digest"] = sha256(b"no archive").hexdigest()
        connection.execute("UPDATE entries SET body = ? WHERE kind = 'model'", [json.dumps(changed)])
    assert doctor().ok
    assert "cannot be read" in only(doctor(deep=True)).what


@pytest.mark.parametrize("lost", [["signature.json"], ["README.md"], ["signature.json", "README.md"]])
def test_signature_and_card_are_written_again(model: Path, doctor: Doctor, lost: list[str]) -> None:
    before = {name: (model / name).read_bytes() for name in ("signature.json", "README.md")}
    for name in lost:
        (model / name).unlink()
    assert f"{' and '.join(lost)} " in only(doctor()).what
    assert only(doctor(repair=True)).repaired == f"Wrote {' and '.join(lost)} again."
    assert {name: (model / name).read_bytes() for name in before} == before


def test_an_edited_card_is_left_alone(model: Path, doctor: Doctor) -> None:
    (model / "README.md").write_text("# Mine")
    (model / "signature.json").write_text("{}")
    assert only(doctor(repair=True)).repaired == "Wrote signature.json again."
    assert (model / "README.md").read_text() == "# Mine"
    assert doctor().findings == ()


def test_a_version_that_was_being_registered_or_deleted_is_finished(
    model: Path, project_folder: Path, doctor: Doctor
) -> None:
    dead = json.dumps(Writer(Writer.this().host, 2**22 + 1, 1).to_dict())
    edit = "UPDATE entries SET state = ?, body = json_set(body, '$.writer', json(?)) WHERE kind = 'model'"
    execute(project_folder, "DELETE FROM aliases")
    execute(project_folder, edit, "pending", dead)
    assert only(doctor()).severity == "warning"
    assert "it is ready now" in only(doctor(repair=True)).repaired
    assert doctor().findings == ()
    execute(project_folder, "UPDATE entries SET state = 'deleted' WHERE kind = 'model'")
    assert "was being deleted when its process ended" in only(doctor()).what
    assert "they are gone now" in only(doctor(repair=True)).repaired
    assert not model.exists()
    assert doctor().findings == ()


def test_a_version_that_a_living_process_registers_is_well(project_folder: Path, doctor: Doctor) -> None:
    edit = "UPDATE entries SET state = 'pending', body = json_set(body, '$.writer', json(?)) WHERE kind = 'model'"
    execute(project_folder, "DELETE FROM aliases")
    execute(project_folder, edit, json.dumps(Writer.this().to_dict()))
    assert doctor(repair=True).findings == ()


def test_an_alias_that_points_to_no_version_is_named(project_folder: Path, model: Path, doctor: Doctor) -> None:
    execute(project_folder, "UPDATE entries SET state = 'deleted' WHERE kind = 'model'")
    shutil.rmtree(model)
    finding = only(doctor())
    assert finding.what == "The alias late_arrival@champion points to version 1, which is not there."
    assert finding.fix.endswith("The versions are none.")


def test_folders_without_a_version_are_named(model: Path, doctor: Doctor) -> None:
    shutil.copytree(model, model.with_name("2"))
    assert only(doctor(repair=True)).what == "The folder late_arrival/2 belongs to no version of a model."


def test_examining_repairs_nothing_by_itself(project_folder: Path) -> None:
    dead = json.dumps(Writer(Writer.this().host, 2**22 + 1, 1).to_dict())
    execute(project_folder, "DELETE FROM aliases")
    edit = "UPDATE entries SET state = 'pending', body = json_set(body, '$.writer', json(?)) WHERE kind = 'model'"
    execute(project_folder, edit, dead)
    with gs.open(project_folder) as project:
        assert not project.doctor().ok
        assert not project.doctor().ok
