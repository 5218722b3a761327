import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

import groundswell as gs


def test_a_sound_project_is_well(project: gs.Project) -> None:
    for deep in (False, True):
        diagnosis = project.doctor(deep=deep)
        assert diagnosis.ok, diagnosis
        assert diagnosis.findings == ()
        assert diagnosis.checked == {
            "catalog": 1,
            "feature groups": 5,
            "folders": 4,
            "feature views": 1,
            "training data": 2,
            "runs": 1,
            "model versions": 1,
            "models": 1,
        }


@pytest.mark.parametrize("damage", ["cut", "garbled", "gone", "newer"])
def test_a_catalog_that_cannot_be_opened_is_a_finding(project_folder: Path, damage: str) -> None:
    path = project_folder / "catalog.db"
    whole = path.read_bytes()
    if damage == "gone":
        path.unlink()
    elif damage == "newer":
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("UPDATE catalog_revision SET version_num = '9999'")
    else:
        path.write_bytes(whole[: len(whole) // 2] if damage == "cut" else b"garbled" * 1000)
    with gs.open(project_folder) as project:
        diagnosis = project.doctor()
    assert not diagnosis.ok
    assert str(path) in {f.where for f in diagnosis.findings}


def test_what_one_damage_breaks_is_all_told_and_the_rest_is_well(project_folder: Path) -> None:
    for path in [*project_folder.glob("tables/*/*.parquet"), *project_folder.glob("*/*/model.skops")]:
        path.write_bytes(path.read_bytes()[:-7])
    with gs.open(project_folder) as project:
        diagnosis = project.doctor(repair=True)
        assert project.get_feature_view("late_arrival").labels == ("late",)
    broken = {f.where for f in diagnosis.findings}
    assert {str(path) for path in project_folder.glob("tables/*/*.parquet")} <= broken
    assert {str(path) for path in project_folder.glob("*/*/model.skops")} <= broken
