"""Versions of groups that are restored, compared, given up and erased, and the training data that is pinned to them."""

import json
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import groundswell as gs
from groundswell.errors import CorruptionError, DataError, ErasedError, NotFoundError
from groundswell.tables import Pin

START = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.fixture
def project(tmp_path):
    with gs.open(tmp_path / "project", threads=1) as project:
        yield project


@pytest.fixture
def group(project):
    group = project.create_feature_group("g", primary_key=["k"], event_time="t")
    group.insert(rows(("a", 0, 1), ("b", 1, 2)))
    group.insert(rows(("a", 0, 10), ("c", 2, 3)))
    return group


def rows(*triples):
    return [{"k": k, "t": START + timedelta(hours=h), "v": v, "y": v > 2} for k, h, v in triples]


def values(data):
    return [(r["k"], r["v"]) for r in data.to_arrow().to_pylist()]


@pytest.fixture
def view(project, group):
    return project.create_feature_view("view", group.select("k", "v", "y"), labels=["y"])


def test_a_difference_names_rows_added_removed_and_changed(group):
    group.delete_rows({"k": "b"})
    diff = group.diff(1)
    assert (diff.before, diff.after, diff.added, diff.removed, diff.changed) == (1, 3, 1, 1, 1)
    assert str(diff) == "From version 1 to 3: 1 rows added, 1 removed, 1 changed."
    found = {r["k"]: (r["change"], r["v_before"], r["v_after"]) for r in diff.rows.to_arrow().to_pylist()}
    assert found == {"a": ("changed", 1, 10), "b": ("removed", 2, None), "c": ("added", None, 3)}
    assert group.diff(3, 3).rows.to_arrow().num_rows == len(group.diff(2, 2).rows) == 0


def test_a_compaction_and_the_same_values_again_are_no_difference(group):
    group.compact()
    group.insert(rows(("a", 0, 10)))
    assert len(group.diff(2).rows) == 0


def test_the_row_changes_of_commits_read_as_deltas_change_feed(group):
    group.compact()
    group.delete_rows({"k": "b"})
    group.restore(2)
    feed = [(r["_commit_version"], r["_change_type"], r["k"], r["v"]) for r in group.changes(0).to_arrow().to_pylist()]
    assert feed == [
        (1, "insert", "a", 1),
        (1, "insert", "b", 2),
        (2, "update_preimage", "a", 1),
        (2, "update_postimage", "a", 10),
        (2, "insert", "c", 3),
        (4, "delete", "b", 2),
        (5, "insert", "b", 2),
    ]
    assert len(group.changes(0)) == len(feed)
    assert [r["k"] for r in group.changes(1, 2).to_arrow().to_pylist()] == ["a", "a", "c"]
    replay = {}
    for _, kind, k, v in feed:
        if kind in ("insert", "update_postimage"):
            replay[k] = v
        elif kind == "delete":
            del replay[k]
    assert replay == dict(values(group.read()))


def test_a_vacuum_keeps_what_is_pinned_and_says_what_pins_it(project, group, view):
    train = view.training_data()
    before = train.to_arrow()
    group.insert(rows(("d", 3, 4)))
    group.compact()
    planned = group.vacuum(keep_versions=1, dry_run=True)
    report = group.vacuum(keep_versions=1)
    assert (planned.files, planned.lost) == (report.files, report.lost)
    assert report.lost == ((3, 3),)
    assert "training data 'view' version 1 pins version 2" in str(report)
    assert project.get_training_data("view")["all"].to_arrow() == before
    with pytest.raises(NotFoundError, match=r"Version 3 of group 'g'.*vacuum.* are 0 to 2 and 4"):
        group.read(as_of=3).to_arrow()
    assert group.vacuum(keep_versions=1).files == 0
    view.delete()
    report = group.vacuum(keep_versions=1)
    assert report.lost == ((1, 2),)
    assert [Path(f.path) for f in group.snapshot().files] == list(Path(group.table.folder).glob("*.parquet"))
    assert project.doctor(deep=True).ok


def test_a_vacuum_by_age_keeps_what_was_the_newest_within_it(project, group):
    group.compact()
    assert group.vacuum().lost == ()
    project.clock = lambda: datetime.now(UTC) + timedelta(days=31)
    assert group.vacuum("60d").lost == ()
    assert group.vacuum().lost == ((1, 2),)
    assert values(group.read()) == [("b", 2), ("a", 10), ("c", 3)]
    with pytest.raises(DataError, match="Give one of them"):
        group.vacuum("1d", keep_versions=3)


def test_a_vacuum_that_is_told_nothing_keeps_what_the_group_says(project, group):
    group.compact()
    assert (group.retention, group.describe()["retention"]) == (timedelta(days=30), "30d")
    before = project.catalog.events.last()
    group.set_retention("60d 12h")
    project.clock = lambda: datetime.now(UTC) + timedelta(days=31)
    assert group.vacuum().lost == ()
    assert group.vacuum(dry_run=True, keep="30d").lost == ((1, 2),)
    again = project.get_feature_group("g")
    assert (again.retention, again.describe()["retention"]) == (timedelta(days=60, hours=12), "60d 12h")
    group.set_retention(timedelta(days=1))
    assert again.vacuum().lost == ((1, 2),), "what another one has set counts"
    told = [(event.verb, dict(event.detail)) for event in project.changes(after=before, verbs=["configured"])]
    assert told == [("configured", {"retention": "60d 12h"}), ("configured", {"retention": "1d"})]
    assert (values(group.read()), project.doctor(deep=True).ok) == ([("b", 2), ("a", 10), ("c", 3)], True)


def test_pins_and_the_online_store_win_over_a_short_retention(project, tmp_path):
    group = project.create_feature_group("short", primary_key=["k"], event_time="t", online=True, retention="0s")
    group.insert(rows(("a", 0, 1), ("b", 1, 2)))
    asked = project.create_feature_group("asked", primary_key=["k"], event_time="t")
    asked.insert(rows(("a", 5, 0)))
    view = project.create_feature_view("view", asked.select("y").join(group.select("v")), labels=["y"])
    pinned = view.training_data().to_arrow()
    group.insert(rows(("a", 0, 10)), wait=False)
    group.delete_rows({"k": "b"}, wait=False)
    group.compact()
    report = group.vacuum()
    assert [pin.version for pin in report.kept_for] == [1]
    assert project.get_training_data("view")["all"].to_arrow() == pinned
    group.insert(rows(("c", 2, 3)))
    assert [view.vector({"k": k})["v"] for k in "abc"] == [10, None, 3]


def test_a_retention_is_given_at_creation_and_taken_along(project):
    group = project.create_feature_group(
        "kept", primary_key=["k"], schema={"k": pa.string(), "v": pa.int64()}, retention=timedelta(weeks=1)
    )
    group.append_features({"w": pa.int64()})
    assert project.get_feature_group("kept").retention == timedelta(weeks=1)
    assert group.new_version().retention == timedelta(weeks=1)
    group.set_retention("1000000w")
    assert group.vacuum().lost == (), "that is before the first of all years"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [("30 fortnights", "cannot be read as retention"), (30, "30 cannot be retention"), ("-1d", "cannot be read")],
)
def test_a_retention_that_is_no_length_of_time_is_refused(project, group, wrong, message):
    with pytest.raises(DataError, match=message):
        project.create_feature_group("new", primary_key=["k"], retention=wrong)
    assert [each.name for each in project.feature_groups()] == ["g"]
    with pytest.raises(DataError, match=message):
        group.set_retention(wrong)
    assert group.retention == timedelta(days=30)


def test_pins_are_in_a_copy_of_the_project_too(project, group, view, tmp_path):
    view.training_data()
    project.close()
    shutil.copytree(tmp_path / "project", tmp_path / "copy")
    with gs.open(tmp_path / "copy", threads=1) as copy:
        (pin,) = copy.get_feature_group("g").table.pins.all()
        assert (pin.version, pin.title) == (2, "training data 'view' version 1")


def test_erasing_takes_rows_from_training_data_and_the_remainder_must_be_asked_for(project, group, view):
    train = view.training_data()
    commit = group.purge({"k": "b"})
    assert commit.detail["pins"] == {train.id: 1}
    with pytest.raises(ErasedError, match=f"Version 2 of group 'g'.*version {commit.version}"):
        project.get_training_data("view")["all"].to_arrow()
    left = project.get_training_data("view", remainder=True)["all"].to_arrow()
    assert left["v"].to_pylist() == [10, 3]
    (pin,) = group.table.pins.all()
    assert pin.erased == {commit.version: 1}
    assert project.doctor(deep=True).ok
    group.vacuum(keep_versions=1)
    assert project.get_training_data("view", remainder=True)["all"].to_arrow()["v"].to_pylist() == [10, 3]
    with pytest.raises(ErasedError):
        group.restore(2)
    group.restore(2, remainder=True)
    assert values(group.read()) == [("a", 10), ("c", 3)]


def test_nothing_that_was_erased_stays_in_the_project(project, tmp_path):
    secret = "Zq9-secret-person"
    group = project.create_feature_group(
        "g", primary_key=["k"], event_time="t", expectations=[gs.expect("v").between(0, 5)], validation="all"
    )
    group.insert(rows((secret, 0, 987654321), ("b", 1, 2)))
    group.insert(rows((secret, 0, 987654322)))
    group.publish()
    group.purge({"k": secret})
    for path in (tmp_path / "project").rglob("*"):
        if path.is_file() and "catalog.db" not in path.name:
            assert secret.encode() not in path.read_bytes(), path
            assert b"98765432" not in path.read_bytes(), path
            if path.suffix == ".parquet" and "_delta_log" not in str(path):
                assert secret not in str(pq.ParquetFile(path).read().to_pylist()), path
    for report in group.validations():
        assert "98765432" not in str(report)
        assert secret not in str(report)


def test_restoring_brings_the_online_store_along(tmp_path):
    with gs.open(tmp_path / "project", threads=1) as project:
        group = project.create_feature_group("g", primary_key=["k"], event_time="t", online=True)
        group.insert(rows(("a", 0, 1)))
        group.insert(rows(("a", 1, 2), ("b", 0, 3)))
        view = project.create_feature_view("v", group.select("v"))
        group.delete_rows({"k": "b"})
        assert [view.vector({"k": k})["v"] for k in "ab"] == [2, None]
        group.restore(2)
        assert [view.vector({"k": k})["v"] for k in "ab"] == [2, 3]
        group.purge({"k": "a"})
        assert [view.vector({"k": k})["v"] for k in "ab"] == [None, 3]


def test_the_log_holds_numbers_of_what_was_erased_and_no_values(group):
    group.purge({"k": "b"})
    log = Path(group.table.folder) / "_delta_log"
    text = (log / f"{group.table.version():020d}.json").read_text()
    note = json.loads(json.loads(text.splitlines()[0])["commitInfo"]["groundswell"])
    assert (note["kind"], note["deleted"], note["purged"]) == ("purge", 1, 1)


def test_the_doctor_writes_pins_that_are_lost_and_removes_those_that_nobody_needs(project, group, view):
    train = view.training_data()
    pins = group.table.pins
    pins.remove(train.id)
    pins.write(Pin(id="nobody", title="training data of nobody", version=1))
    os.utime(pins.path("nobody"), (1, 1))
    found = project.doctor().findings
    assert [finding.severity for finding in found] == ["warning", "notice"]
    assert "has no pin" in found[0].what
    assert project.doctor(repair=True).ok
    assert [(pin.id, pin.version) for pin in pins.all()] == [(train.id, 2)]
    pins.path(train.id).write_text("{")
    with pytest.raises(CorruptionError, match="nothing may be removed"):
        group.vacuum(keep_versions=1)
    assert project.doctor(repair=True).ok
    assert [pin.id for pin in pins.all()] == [train.id]


def test_other_tools_see_what_a_delete_and_a_restore_left(group):
    folder = str(group.table.folder)
    group.delete_rows({"k": "a"})
    assert sorted(pl.read_delta(folder)["k"].to_list()) == ["b", "c"]
    group.restore(1)
    assert sorted(pl.read_delta(folder)["v"].to_list()) == [1, 2]
    assert sorted(pl.read_delta(folder, version=3)["k"].to_list()) == ["b", "c"]


def test_deleting_with_an_availability_takes_one_row_or_all_of_its_key(project):
    group = project.create_feature_group("late", primary_key=["k"], event_time="t", available_at="known")
    row = {"k": "a", "t": START, "known": START, "v": 1}
    group.insert(
        [
            row,
            row | {"known": START + timedelta(hours=1), "v": 2},
            row | {"t": START + timedelta(hours=2), "known": START + timedelta(hours=3)},
        ]
    )
    assert group.delete_rows([{"k": "a", "t": START, "known": START}]).deleted == 1
    assert group.delete_rows([{"k": "a", "t": START}]).deleted == 1
    assert group.read().to_arrow()["t"].to_pylist() == [START + timedelta(hours=2)]


def test_rows_of_versions_before_the_columns_changed_are_deleted_erased_and_restored(project, group):
    group.append_features({"w": pa.float32()}, default={"w": 0.5})
    group.insert([{"k": "d", "t": START, "v": 4, "y": True, "w": 2.5}])
    group.delete_rows({"k": "b"})
    assert [(r["k"], r["w"]) for r in group.read().to_arrow().to_pylist()] == [("a", 0.5), ("c", 0.5), ("d", 2.5)]
    assert group.diff(2).removed == 1
    group.purge({"k": "a"})
    assert values(group.read(as_of=2, remainder=True)) == [("b", 2), ("c", 3)]
    group.restore(2, remainder=True)
    assert [(r["k"], r["w"]) for r in group.read().to_arrow().to_pylist()] == [("b", 0.5), ("c", 0.5)]
    assert sorted(r["_change_type"] for r in group.changes(6).to_arrow().to_pylist()) == ["delete", "insert"]
    assert project.doctor(deep=True).ok


def test_rows_from_outside_that_bring_an_erased_key_go_too(project, group, tmp_path):
    view = project.create_feature_view("plain", group.select("v"))
    frame = pa.table({"k": ["b", "a", "b", "z"], "at": [START + timedelta(hours=9)] * 4, "good": [1, 0, 1, 0]})
    frame = frame.set_column(1, "at", frame["at"].cast(pa.timestamp("us", "UTC")))
    made = view.join_to(frame, event_time="at", labels=["good"])
    group.purge({"k": ["z"], "t": [START]})
    assert made.to_arrow().num_rows == 4
    group.purge([{"k": "z"}])
    commit = group.purge([{"k": "b"}, {"k": "nobody"}])
    with pytest.raises(ErasedError, match=f"3 of its rows.*version {commit.version}"):
        project.get_training_data("plain")["all"].to_arrow()
    left = project.get_training_data("plain", remainder=True)["all"]
    assert (len(left), left.counts["all"], left.to_arrow()["v"].to_pylist()) == (1, 1, [10])
    (path,) = (tmp_path / "project" / "training_data").rglob("entities.parquet")
    assert pq.read_table(path)["k"].to_pylist() == ["a"]
    assert project.doctor(deep=True).ok


def test_a_remainder_counts_its_own_rows(project, group, view):
    view.train_test_split(test_size=0.5, seed=1)
    group.purge({"k": "b"})
    parts = project.get_training_data("view", remainder=True)
    assert sum(len(part) for part in parts.values()) == 2
    for part in parts.values():
        assert len(part) == part.to_arrow().num_rows
