"""New versions of a group: rows copied under another definition, all of them or none, and who reads which."""

import os
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

import groundswell as gs
from groundswell.errors import (
    ColumnNotFoundError,
    DataError,
    GroundswellError,
    InUseError,
    NotFoundError,
    SchemaError,
    TypeMismatchError,
)
from groundswell.features import StatisticsConfig
from groundswell.types import TIMESTAMP

AT = datetime(2024, 1, 1, tzinfo=UTC)
SCHEMA = {"k": pa.int64(), "t": TIMESTAMP, "known": TIMESTAMP, "v": pa.float64(), "name": pa.string()}


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "project"


@pytest.fixture
def project(folder):
    with gs.open(folder) as project:
        yield project


@pytest.fixture
def group(project):
    group = project.create_feature_group(
        "g", primary_key=["k"], event_time="t", available_at="known", schema=SCHEMA, description="of old",
        expectations=[gs.expect("v").between(0, 10)],
    )  # fmt: skip
    group.insert([row(k, v=float(k)) for k in range(5)])
    group.insert([row(0, v=9.0), row(7, known=AT + timedelta(2), v=1.0)])
    return group


def row(k, t=AT, known=AT, v=0.0, name="a"):
    return {"k": k, "t": t, "known": known, "v": v, "name": name}


def files(folder: Path) -> dict[str, bytes]:
    return {str(p): p.read_bytes() for p in folder.rglob("*") if p.is_file() and "catalog" not in p.name}


def test_a_new_version_has_the_rows_in_their_order(project, group):
    made = group.new_version()
    assert (made.name, made.version, made.description) == ("g", 2, "of old")
    assert (made.primary_key, made.event_time, made.available_at) == (("k",), "t", "known")
    assert made.read().to_arrow().equals(group.read().to_arrow())
    assert made.expectations.to_dict() == group.expectations.to_dict()
    assert project.get_feature_group("g").version == 2
    assert project.get_feature_group("g", 1).version == 1
    (insert, _) = made.table.history()
    assert insert.detail["copied_from"] == {"group": "g", "version": 1, "table_version": 2}
    made.insert([row(8)])
    assert (len(made.read()), len(group.read())) == (7, 6)
    assert [g.version for g in project.feature_groups()] == [2]
    assert project.doctor(deep=True).ok


def test_columns_are_renamed_dropped_narrowed_and_made(project, group):
    def transform(rows: pa.Table) -> pd.DataFrame:
        frame = rows.to_pandas().rename(columns={"k": "id"}).drop(columns="name")
        return frame.assign(twice=frame["v"] * 2)

    made = group.new_version(primary_key=["id"], transform=transform, expectations=[], description="new")
    assert made.schema.names == ["id", "t", "known", "v", "twice"]
    assert made.read(["id", "twice"]).to_arrow().to_pylist()[-2:] == [{"id": 0, "twice": 18.0}, {"id": 7, "twice": 2.0}]
    narrow = made.new_version(
        schema={"id": pa.int16(), "t": TIMESTAMP, "known": TIMESTAMP, "v": pa.int8(), "more": pa.string()}
    )
    assert narrow.version == 3
    assert narrow.schema["v"].type == pa.int8()
    assert narrow.read(["v", "more"]).to_arrow()["more"].null_count == 6
    wider_key = narrow.new_version(primary_key=["id", "v"])
    assert wider_key.primary_key == ("id", "v")
    assert not wider_key.schema["v"].nullable


def test_a_group_without_rows_has_new_versions_too(project):
    empty = project.create_feature_group("e", primary_key=["k"], schema={"k": pa.int64(), "v": pa.int64()})
    made = empty.new_version(transform=lambda rows: rows.rename_columns(["k", "w"]))
    assert made.schema.names == ["k", "w"]
    assert len(made.read()) == 0
    with pytest.raises(NotFoundError, match="no columns yet"):
        project.create_feature_group("bare", primary_key=["k"]).new_version()


@pytest.mark.parametrize(
    ("wanted", "error", "says"),
    [
        ({"primary_key": ["kk"]}, ColumnNotFoundError, "'kk'"),
        ({"primary_key": []}, SchemaError, "primary key"),
        ({"primary_key": ["name"]}, DataError, "rows of group 'g' have the key and times of a later one"),
        ({"schema": {"k": pa.int64()}}, ColumnNotFoundError, "'t'"),
        ({"schema": {**SCHEMA, "v": pa.string()}}, TypeMismatchError, "'v'"),
        ({"schema": {**SCHEMA, "k": pa.bool_()}}, TypeMismatchError, "'k'"),
        ({"schema": 5}, TypeMismatchError, "no schema"),
        ({"schema": {n: k for n, k in SCHEMA.items() if n != "v"}}, ColumnNotFoundError, "'v'"),
        ({"transform": lambda rows: 5}, TypeMismatchError, "no table"),
        ({"transform": lambda rows: rows.drop_columns("k")}, ColumnNotFoundError, "'k'"),
        ({"transform": lambda rows: rows.set_column(0, "k", pa.nulls(len(rows), pa.int64()))}, DataError, "null"),
        ({"transform": lambda rows: rows, "schema": {**SCHEMA, "x": pa.int8()}}, ColumnNotFoundError, "'x'"),
        ({"transform": lambda rows: 1 / 0}, ZeroDivisionError, "division"),
        ({"event_time": "v"}, TypeMismatchError, "no time"),
        ({"expectations": [gs.expect("vv").complete()]}, ColumnNotFoundError, "'vv'"),
        ({"expectations": ["v > 0"]}, DataError, "expectation"),
    ],
)
def test_what_does_not_fit_makes_no_version_and_leaves_no_file(project, group, folder, wanted, error, says):
    before = files(folder)
    with pytest.raises(error, match=says) as caught:
        group.new_version(**wanted)
    assert not isinstance(caught.value, GroundswellError) or caught.value.fix
    assert files(folder) == before
    assert project.get_feature_group("g").version == 1


def test_views_and_training_data_stay_with_their_version(project, folder, group):
    view = project.create_feature_view("view", group.select("v", "name"), labels=["v"])
    data = view.training_data()
    before = data.to_arrow()
    made = group.new_version(transform=lambda rows: rows.drop_columns("v"), expectations=[])
    with gs.open(folder) as other:
        again = other.get_feature_view("view")
        assert again.training_data().to_arrow().equals(before)
        assert other.get_training_data("view", 1)["all"].to_arrow().equals(before)
        newer = other.create_feature_view("newer", other.get_feature_group("g").select())
        assert newer.schema.names == ["name"]
    with pytest.raises(InUseError, match="'view'"):
        project.get_feature_group("g", 1).delete()
    with pytest.raises(InUseError, match="'newer'"):
        made.delete()


def test_two_versions_of_a_group_join(project, group):
    made = group.new_version(
        transform=lambda rows: rows.rename_columns(["k", "t", "known", "w", "name"]), expectations=[]
    )
    view = project.create_feature_view("both", group.select("v").join(made.select("w")), labels=["v"])
    rows = view.training_data().to_arrow().to_pylist()
    assert [r["w"] for r in rows] == [1.0, 2.0, 3.0, 4.0, 9.0, None], "the last row was known only after its own time"
    assert [r["v"] for r in rows] == [1.0, 2.0, 3.0, 4.0, 9.0, 1.0]


def test_what_was_said_and_chosen_of_features_holds_for_those_that_are_left(project, group):
    group.describe_feature("v", "meters per second")
    group.describe_feature("name", "of the mast")
    project.catalog.tags.set(group.id, "unit", "m/s", feature="v")
    group.set_statistics(StatisticsConfig(kinds=("range",), columns=("v", "name")))
    made = group.new_version(transform=lambda rows: rows.drop_columns("name"))
    assert made.feature_descriptions == {"v": "meters per second"}
    assert made.feature_tags == {"v": {"unit": "m/s"}}
    made.insert([{name: value for name, value in row(9).items() if name != "name"}])
    assert list(made.statistics(commit=made.table.version()).columns) == ["v"]
    group.set_statistics(False)
    assert group.new_version().insert([row(9)]).detail.get("statistics") is None


def test_deleted_versions_leave_the_others_and_their_numbers(project, group):
    made = group.new_version()
    made.delete()
    assert project.get_feature_group("g").version == 1
    third = group.new_version()
    assert third.version == 3
    assert third.read().to_arrow().equals(group.read().to_arrow())


@pytest.mark.parametrize(
    "fault", ["create:after-table", "stage:file-written", "insert:before-commit", "insert:indexed"]
)
def test_a_process_killed_while_copying_leaves_no_version(fork_server, folder, fault):
    with gs.open(folder) as project:
        project.create_feature_group("g", primary_key=["k"]).insert({"k": [1, 2, 3]})
    status = fork_server.run("copy_group", environment={"GROUNDSWELL_FAULT": fault}, folder=str(folder))
    assert status == -signal.SIGKILL
    with gs.open(folder) as project:
        group = project.get_feature_group("g")
        assert group.version == 1
        assert group.new_version().read().to_arrow()["k"].to_pylist() == [1, 2, 3]
        assert project.doctor().ok
        left = list((folder / "tables").glob(".*"))
        assert len(left) == 1
        for path in (p for copy in left for p in (copy, *copy.rglob("*"))):
            os.utime(path, (0, 0))
        assert project.doctor(repair=True).ok
        assert not list((folder / "tables").glob(".*"))
