"""Every breach is made for real in a project's table, found, named, and repaired where the log can repair it."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from deltalake.schema import Field

import groundswell as gs
from groundswell.diagnosis import Diagnosis, Finding
from groundswell.errors import CorruptionError

Doctor = Callable[..., Diagnosis]


@pytest.fixture
def table(project_folder: Path) -> Path:
    return project_folder / "tables" / "weather_v1"


def log(table: Path, version: int) -> Path:
    return table / "_delta_log" / f"{version:020d}.json"


def only(diagnosis: Diagnosis) -> Finding:
    assert len(diagnosis.findings) == 1, diagnosis
    return diagnosis.findings[0]


def execute(folder: Path, *statements: str) -> None:
    with closing(sqlite3.connect(folder / "catalog.db")) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def weather_rows(folder: Path, as_of: int | None = None) -> pa.Table:
    with gs.open(folder, threads=1) as project:
        return project.get_feature_group("weather").read(as_of=as_of).to_arrow()


DAMAGES = {
    "cut": lambda whole: whole[: len(whole) - 30],
    "empty": lambda whole: b"",
    "no text": lambda whole: whole.replace(b"part-", b"\xff\xfe-"),
    "no action": lambda whole: b"[1, 2]\n",
    "not numbers": lambda whole: whole.replace(b'"size":', b'"size_of_it":'),
    "our note": lambda whole: whole.replace(b'\\"kind\\"', b'\\"sort\\"'),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_log_entry_is_named_and_the_rest_stays_readable(
    table: Path, project_folder: Path, doctor: Doctor, damage: str
) -> None:
    before = [weather_rows(project_folder, version) for version in (1, 2)]
    path = log(table, 3)
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    finding = next(f for f in doctor().findings if f.where == str(path))
    assert finding.severity == "error"
    assert "is damaged at line" in finding.what
    assert "read(as_of=2)" in finding.fix
    execute(project_folder, "DELETE FROM files", "DELETE FROM commits")  # all must come from the log again
    assert [weather_rows(project_folder, version) for version in (1, 2)] == before
    with gs.open(project_folder) as project, pytest.raises(CorruptionError, match=r"0003\.json is damaged at line"):
        project.get_feature_group("weather").read()
    with gs.open(project_folder) as project:
        assert len(project.get_feature_group("flights").read()) == 48
        with pytest.raises(CorruptionError, match=r"0003\.json is damaged at line"):
            project.get_feature_group("weather").insert(
                {"origin": ["X"], "observed_at": ["2014-01-01T00:00Z"], "temp": [1.0]}
            )
        assert not any("belong to no commit" in f.what for f in project.doctor().findings)
    assert len(list(table.glob("*.parquet"))) == 3  # the refused insert left nothing


def test_a_missing_log_entry_is_named(table: Path, doctor: Doctor) -> None:
    log(table, 1).unlink()
    finding = only(doctor(repair=True))
    assert finding.what == "Commit 1 of group 'weather' is missing from its log."
    assert finding.where == str(log(table, 1))
    assert finding.fix == "Restore the file from a backup. Versions before it can still be read: read(as_of=0)."


def test_a_folder_that_is_gone_is_named(table: Path, doctor: Doctor) -> None:
    table.rename(table.parent / "elsewhere")
    what = {f.what for f in doctor().findings}
    assert "The table of group 'weather' is gone." in what
    assert any(text.startswith("The folder 'elsewhere' (") for text in what)


@pytest.mark.parametrize("damage", ["cut", "flipped", "missing"])
def test_damaged_checkpoints_are_removed_because_the_log_has_it_all(
    table: Path, project_folder: Path, doctor: Doctor, damage: str
) -> None:
    rows = weather_rows(project_folder)
    DeltaTable(table).create_checkpoint()
    (path,) = (table / "_delta_log").glob("*.checkpoint.parquet")
    whole = path.read_bytes()
    if damage == "missing":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(whole[:-100])
    else:
        path.write_bytes(whole[:50] + bytes(byte ^ 0xFF for byte in whole[50:500]) + whole[500:])
    finding = only(doctor())
    assert finding.what.startswith("Delta Lake cannot open the table of group 'weather': ")
    assert only(doctor(repair=True)).repaired.startswith("Removed ")
    assert doctor().ok
    assert weather_rows(project_folder) == rows
    with gs.open(project_folder) as project:
        frame = {"origin": ["X"], "observed_at": ["2014-01-01T00:00Z"], "temp": [1.0]}
        assert project.get_feature_group("weather").insert(frame).version == 4


def test_properties_that_another_tool_changed_are_set_again(table: Path, project_folder: Path, doctor: Doctor) -> None:
    rows = weather_rows(project_folder)
    DeltaTable(table).alter.set_table_properties({"delta.logRetentionDuration": "interval 30 days"})
    finding = only(doctor())
    assert finding.severity == "warning"
    assert "delta.logRetentionDuration is 'interval 30 days'" in finding.what
    assert only(doctor(repair=True)).repaired == "Set delta.logRetentionDuration in version 5."
    assert doctor(deep=True).ok
    assert DeltaTable(table).metadata().configuration["delta.logRetentionDuration"] == "interval 36500 days"
    assert weather_rows(project_folder) == rows
    with gs.open(project_folder) as project:
        commit = project.get_feature_group("weather").history()[0]
        assert (commit.version, commit.kind, commit.rows) == (5, "properties", 0)


def test_a_definition_that_the_table_lost_comes_back_from_the_catalog(table: Path, doctor: Doctor) -> None:
    text = log(table, 0).read_text()
    actions = [json.loads(line) for line in text.splitlines()]
    definition = next(a["metaData"]["configuration"].pop("groundswell.definition") for a in actions if "metaData" in a)
    log(table, 0).write_text("\n".join(map(json.dumps, actions)))
    assert "groundswell.definition is 'not set'" in only(doctor(repair=True)).what
    assert DeltaTable(table).metadata().configuration["groundswell.definition"] == definition
    assert doctor().ok


def test_columns_that_another_tool_changed_are_named(table: Path, doctor: Doctor) -> None:
    DeltaTable(table).alter.add_columns([Field("more", "long", nullable=True)])
    finding = only(doctor())
    assert finding.severity == "notice"
    assert "which are not read: more" in finding.what
    assert doctor().ok
    text = (
        log(table, 4)
        .read_text()
        .replace('\\"name\\":\\"temp\\",\\"type\\":\\"double\\"', '\\"name\\":\\"temp\\",\\"type\\":\\"long\\"')
    )
    log(table, 4).write_text(text)
    finding = doctor().findings[0]
    assert finding.severity == "error"
    assert "'temp' is int64, not double" in finding.what


INDEX_BREACHES = {
    "a commit is gone": "DELETE FROM commits WHERE version = 2",
    "a file is gone": "DELETE FROM files WHERE added = 1",
    "a count is another": "UPDATE commits SET replaced = 7 WHERE version = 3",
    "a file is taken for distinct": 'UPDATE files SET "distinct" = 1',
    "a file is taken for removed": "UPDATE files SET removed = 2 WHERE added = 1",
    "a time is another": "UPDATE commits SET committed_at = 0 WHERE version = 2",
    "a detail is no JSON": "UPDATE commits SET detail = '{\"a' WHERE version = 2",
}


@pytest.mark.parametrize("breach", INDEX_BREACHES)
def test_an_index_that_differs_from_the_log_is_made_again(project_folder: Path, doctor: Doctor, breach: str) -> None:
    rows = weather_rows(project_folder)
    execute(project_folder, INDEX_BREACHES[breach])
    found = [f for f in doctor().findings if f.what.startswith("The commit index of group 'weather' ")]
    assert [f.severity for f in found] == ["error"]
    doctor(repair=True)
    assert doctor(deep=True).ok
    assert weather_rows(project_folder) == rows


def test_an_index_that_lags_behind_is_well(table: Path, project_folder: Path, doctor: Doctor) -> None:
    rows = weather_rows(project_folder)
    execute(project_folder, "DELETE FROM commits WHERE version = 3", "DELETE FROM files WHERE added = 3")
    assert doctor().ok
    assert weather_rows(project_folder) == rows
    with gs.open(project_folder) as project:
        weather = project.get_feature_group("weather")
        weather.compact()
        assert project.doctor().ok
    execute(
        project_folder,
        "DELETE FROM commits WHERE version = 4",
        "DELETE FROM files WHERE added = 4",
        f"UPDATE files SET removed = {2**63 - 1}",
    )
    assert doctor().ok


def test_a_foreign_commit_is_legal(table: Path, project_folder: Path, doctor: Doctor) -> None:
    rows = weather_rows(project_folder).slice(0, 3)
    schema = pa.schema(DeltaTable(table).schema().to_arrow())
    hidden = [pa.nulls(3, pa.int64())] * 2
    write_deltalake(table, pa.Table.from_arrays([*rows.columns, *hidden], schema=schema), mode="append")
    assert doctor(deep=True).ok
    with gs.open(project_folder) as project:
        assert project.get_feature_group("weather").history()[0].kind == "foreign write"
