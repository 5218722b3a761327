"""Runs that never ended, and models of runs that are not what was stored."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import groundswell as gs
from groundswell.diagnosis import Diagnosis, Finding
from groundswell.models import Writer

Doctor = Callable[..., Diagnosis]


def only(diagnosis: Diagnosis) -> Finding:
    assert len(diagnosis.findings) == 1, diagnosis
    return diagnosis.findings[0]


def mark_running(folder: Path, writer: Writer) -> None:
    edit = "UPDATE entries SET state = 'running', body = json_set(body, '$.writer', json(?)) WHERE kind = 'run'"
    with closing(sqlite3.connect(folder / "catalog.db")) as connection, connection:
        connection.execute(edit, [json.dumps(writer.to_dict())])


def test_a_run_whose_process_has_ended_is_marked_as_failed(project_folder: Path, doctor: Doctor) -> None:
    mark_running(project_folder, Writer(Writer.this().host, 2**22 + 1, 1))
    finding = only(doctor())
    assert finding.severity == "warning"
    assert "is marked as running, and its process has ended" in finding.what
    assert "it is marked as failed now" in only(doctor(repair=True)).repaired
    assert doctor().findings == ()
    with gs.open(project_folder) as project:
        assert [run.state for run in project.runs.find()] == ["failed"]


def test_a_run_of_a_living_process_is_well(project_folder: Path, doctor: Doctor) -> None:
    mark_running(project_folder, Writer.this())
    assert doctor(repair=True).findings == ()


def test_the_model_of_a_run_that_is_not_the_one_stored_is_named(project_folder: Path, doctor: Doctor) -> None:
    (path,) = (project_folder / "runs").glob("*/model.skops")
    path.write_bytes(path.read_bytes()[:-1])
    finding = only(doctor(repair=True))
    assert (finding.severity, finding.where) == ("error", str(path))


def test_folders_without_a_run_are_named(project_folder: Path, doctor: Doctor) -> None:
    (project_folder / "runs" / "0123").mkdir()
    assert only(doctor()).what == "The folder '0123' belongs to no run."
