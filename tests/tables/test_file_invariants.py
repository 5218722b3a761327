"""Data files damaged for real: each is named, and what does not need it stays readable."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from deltalake.transaction import AddAction

import groundswell as gs
from groundswell.diagnosis import Diagnosis, Finding
from groundswell.errors import CorruptionError

Doctor = Callable[..., Diagnosis]


@pytest.fixture
def table(project_folder: Path) -> Path:
    return project_folder / "tables" / "weather_v1"


def added_by(table: Path, version: int) -> Path:
    lines = (table / "_delta_log" / f"{version:020d}.json").read_text().splitlines()
    return table / next(json.loads(line)["add"]["path"] for line in lines if '"add"' in line)


def named(diagnosis: Diagnosis, path: Path) -> list[Finding]:
    return [f for f in diagnosis.findings if f.where == str(path) and "A data file" in f.what]


def flip(whole: bytes, place: int) -> bytes:
    return whole[:place] + bytes([whole[place] ^ 0x40]) + whole[place + 1 :]


DAMAGES: dict[str, tuple[Callable[[bytes], bytes | None], str]] = {
    "missing": (lambda whole: None, "is missing"),
    "cut": (lambda whole: whole[:-100], "bytes, and its commit says"),
    "longer": (lambda whole: whole + b"PAR1", "bytes, and its commit says"),
    "footer": (lambda whole: whole[:-20] + b"\0" * 20, "is damaged: "),
    "zeros": (lambda whole: b"\0" * len(whole), "is damaged: "),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_named_and_the_rest_stays_readable(
    table: Path, project_folder: Path, doctor: Doctor, damage: str
) -> None:
    path = added_by(table, 2)
    make, text = DAMAGES[damage]
    damaged = make(path.read_bytes())
    if damaged is None:
        path.unlink()
    else:
        path.write_bytes(damaged)
    (finding,) = named(doctor(repair=True), path)
    assert text in finding.what
    assert finding.severity == "error"
    assert finding.fix == "Restore the file from a backup. Versions before 2 can still be read."
    with gs.open(project_folder) as project:
        weather = project.get_feature_group("weather")
        assert len(weather.read(as_of=1).to_arrow()) == 12
        assert len(project.get_feature_group("flights").read()) == 48
        if damage != "longer":  # a footer at the end is a footer
            with pytest.raises(CorruptionError, match="groundswell doctor"):
                weather.read().to_arrow()


def test_a_flipped_bit_of_a_value_is_found_by_its_checksum(table: Path, doctor: Doctor) -> None:
    path = added_by(table, 2)
    whole = path.read_bytes()
    column = next(c for c in map(pq.read_metadata(path).row_group(0).column, range(4)) if c.path_in_schema == "temp")
    path.write_bytes(flip(whole, column.data_page_offset + column.total_compressed_size - 5))
    assert named(doctor(), path) == []
    (finding,) = named(doctor(deep=True), path)
    assert "checksum" in finding.what.lower()


def test_other_rows_than_the_commit_says_are_found(table: Path, doctor: Doctor) -> None:
    path, log = added_by(table, 2), table / "_delta_log" / f"{2:020d}.json"
    log.write_text(log.read_text().replace('\\"numRecords\\": 12', '\\"numRecords\\": 13'))
    (finding,) = named(doctor(), path)
    assert "has 12 rows, and its commit says 13" in finding.what


def test_times_outside_the_range_that_reads_go_by_are_found(table: Path, doctor: Doctor) -> None:
    path, log = added_by(table, 2), table / "_delta_log" / f"{2:020d}.json"
    text = log.read_text()
    assert "2013-01-01T23:00:00.000000Z" in text
    log.write_text(text.replace("2013-01-01T23:00:00.000000Z", "2013-01-01T22:00:00.000000Z"))
    (finding,) = named(doctor(), path)
    assert "outside the range" in finding.what


def test_lost_files_of_old_versions_are_told_once_and_break_no_reads(
    table: Path, project_folder: Path, doctor: Doctor
) -> None:
    with gs.open(project_folder) as project:
        weather = project.get_feature_group("weather")
        rows = weather.read().to_arrow()
        weather.compact()
    for version in (1, 2):
        added_by(table, version).unlink()
    found = [f for f in doctor().findings if "of old versions" in f.what]
    assert [(f.severity, f.where) for f in found] == [("warning", str(table))]
    assert found[0].what.startswith("2 data files of old versions of group 'weather' cannot be used any more")
    assert "versions 1 to 3" in found[0].fix
    with gs.open(project_folder) as project:
        assert project.get_feature_group("weather").read().to_arrow() == rows


@pytest.mark.parametrize("name", ["weather_v1", "empty_v1"])
def test_files_of_killed_inserts_are_removed_once_they_are_old(project_folder: Path, doctor: Doctor, name: str) -> None:
    table = project_folder / "tables" / name
    table.mkdir(exist_ok=True)
    strays = [table / "part-a.parquet", table / "part-b.parquet"]
    for path in strays:
        path.write_bytes(b"x" * 600)
        os.utime(path, (time.time() - 7200,) * 2)
    os.utime(strays[1])
    assert doctor(repair=True).findings == ()  # an insert that began two hours ago may still be writing
    os.utime(strays[1], (time.time() - 3700,) * 2)
    diagnosis = doctor()
    (finding,) = diagnosis.findings
    assert diagnosis.ok
    assert (finding.severity, finding.where) == ("notice", str(table))
    assert finding.what.startswith("2 data files (1,200 bytes) of group ")
    (finding,) = doctor(repair=True).findings
    assert finding.repaired == "Removed 2 files."
    assert doctor(deep=True).findings == ()
    assert not any(path.exists() for path in strays)


def test_rows_that_other_tools_wrote_against_the_rules_are_found_by_reading_them(
    table: Path, project_folder: Path, doctor: Doctor
) -> None:
    schema = pa.schema(DeltaTable(table).schema().to_arrow())
    foreign = pa.Table.from_pylist([{"temp": 1.0}], schema=pa.schema([f.with_nullable(True) for f in schema]))
    path = table / "foreign.parquet"
    pq.write_table(foreign, path)
    DeltaTable(table).create_write_transaction([_add(path, 1)], "append", schema)
    assert doctor().ok
    (finding,) = doctor(deep=True).findings
    assert (finding.severity, finding.where) == ("error", str(path))
    assert finding.what == "1 rows of group 'weather' have a null in origin, observed_at, so no key finds them."


def test_a_file_that_is_wrongly_marked_as_distinct_is_found_by_reading_it(
    table: Path, project_folder: Path, doctor: Doctor
) -> None:
    log = table / "_delta_log" / f"{3:020d}.json"
    log.write_text(log.read_text().replace('\\"distinct\\": false', '\\"distinct\\": true'))
    assert doctor(repair=True).ok
    (finding,) = doctor(deep=True).findings
    assert finding.where == str(added_by(table, 3))
    assert finding.what.startswith("12 rows of group 'weather' are there twice: the file is marked as distinct")


def test_a_commit_whose_staged_file_is_gone_is_refused(project: gs.Project) -> None:
    weather = project.get_feature_group("weather")
    staged = weather.table.stage({"origin": ["X"], "observed_at": ["2014-01-01T00:00Z"], "temp": [1.0]})
    staged.files[0].path.unlink()
    before = weather.read().to_arrow()
    with pytest.raises(CorruptionError, match=r"The staged file .* is gone.*Run the same call again"):
        weather.table.commit(staged)
    assert weather.read().to_arrow() == before
    assert project.doctor().ok


def _add(path: Path, rows: int) -> AddAction:
    return AddAction(
        path.name, path.stat().st_size, {}, int(time.time() * 1000), True, json.dumps({"numRecords": rows})
    )
