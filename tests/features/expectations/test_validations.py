"""Expectations of a group over time: set, read back, kept across openings and crashes, gone with the group."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import groundswell as gs
from groundswell.errors import CorruptionError, DataError, InUseError, NotFoundError
from groundswell.features import FeatureGroup


def test_expectations_are_kept(make: Callable[..., FeatureGroup], project: gs.Project) -> None:
    group = make(expectations=[gs.expect("temp").complete()], validation="warning")
    again = project.get_feature_group(group.name)
    assert list(again.expectations) == [gs.expect("temp").complete()]
    assert again.validation == "warning"
    again.set_expectations([gs.expect("temp").between(0, 1), gs.expect("sky").unique().warning()])
    assert list(group.expectations) == [gs.expect("temp").between(0, 1), gs.expect("sky").unique().warning()]
    assert group.validation == "warning"
    group.set_expectations([], "strict")
    assert (list(group.expectations), group.validation) == ([], "strict")


def test_a_group_without_expectations_validates_nothing(make: Callable[..., FeatureGroup], rows: Any) -> None:
    group = make()
    assert (list(group.expectations), group.validation) == ([], "strict")
    assert "validation" not in group.insert(rows([1.0])).detail
    assert group.validations() == []
    assert group.check(rows([1.0])).validation is None


def test_a_group_without_columns_takes_expectations_too(project: gs.Project, rows: Any) -> None:
    group = project.create_feature_group(
        "columnless", primary_key=["origin"], event_time="at", expectations=[gs.expect("temp").between(0, 50)]
    )
    with pytest.raises(DataError):
        group.insert(rows([99.0]))
    assert not group.has_table
    assert [r.commit for r in group.validations()] == [None]
    assert group.insert(rows([9.0])).version == 1
    assert [r.commit for r in group.validations()] == [1, None]


def test_reports_come_newest_first_with_their_commits(make: Callable[..., FeatureGroup], rows: Any) -> None:
    group = make(expectations=[gs.expect("temp").between(0, 50)])
    group.insert(rows([1.0]))
    with pytest.raises(DataError) as caught:
        group.insert(rows([99.0]))
    group.compact()
    group.insert(rows([2.0, 3.0]))
    reports = group.validations()
    assert [(r.number, r.commit, r.status, r.rows) for r in reports] == [
        (3, 2, "success", 2),
        (2, None, "failure", 1),
        (1, 1, "success", 1),
    ]
    assert caught.value.report == reports[1]
    assert {r.commit for r in reports} - {None} == {c.version for c in group.history() if c.kind == "insert"}


def test_what_is_done_is_in_the_activity(make: Callable[..., FeatureGroup], rows: Any, project: gs.Project) -> None:
    group = make(expectations=[gs.expect("temp").between(0, 50)], validation="all")
    group.insert(rows([99.0]))
    done = project.catalog.activity(name=group.name)
    assert [a.verb for a in done] == ["inserted", "validated", "defined", "expectations set", "created"]
    assert done[1].detail == {"report": 1, "status": "failure"}


def test_a_check_writes_no_report(make: Callable[..., FeatureGroup], rows: Any, project: gs.Project) -> None:
    group = make(expectations=[gs.expect("temp").between(0, 50)])
    answer = group.check(rows([99.0, 1.0]))
    assert not answer.ok
    assert answer.validation.results[0].offending == 1
    assert answer.validation.number is None
    assert (answer.rows, answer.new, answer.replaced) == (2, 2, 0)
    assert "The insert would be refused." in str(answer)
    assert "temp lies between 0 and 50: 1 of 2 rows offend" in str(answer)
    good = group.check(rows([1.0]))
    assert good.ok
    assert "The insert would be accepted: 1 rows, 1 new" in str(good)
    assert "✓ temp lies between 0 and 50" in str(good)
    broken = group.check({"origin": ["EWR"]})
    assert (broken.ok, broken.validation) == (False, None)
    assert group.validations() == []


def test_a_foreign_key_is_pinned_to_the_newest_version(project: gs.Project, make: Any, rows: Any) -> None:
    skies = project.create_feature_group("skies", primary_key=["sky"])
    skies.insert({"sky": ["rain"], "n": [1]})
    group = make(expectations=[gs.expect("sky").foreign_key(skies)])
    with pytest.raises(DataError, match="against version 1 of skies"):
        group.insert(rows([1.0]))
    skies.insert({"sky": ["clear"], "n": [1]})
    group.insert(rows([1.0]))
    detail = {"group": "skies", "version": 2, "key": "sky"}
    assert group.validations()[0].results[0].detail == detail
    skies.compact()
    group.insert(rows([2.0]))
    assert group.validations()[0].results[0].detail == {**detail, "version": 3}


def test_freshness_goes_by_the_clock_of_the_project(project: gs.Project, make: Any, rows: Any) -> None:
    group = make(expectations=[gs.expect().freshness("2h")])
    before = project.clock
    try:
        project.clock = lambda: datetime(2024, 1, 1, 3, tzinfo=UTC)
        group.insert(rows([1.0, 2.0]))
        project.clock = lambda: datetime(2024, 1, 1, 3, 0, 1, tzinfo=UTC)
        with pytest.raises(DataError, match="at most 2h old: observed 2024-01-01T01:00"):
            group.insert(rows([1.0, 2.0]))
    finally:
        project.clock = before


def test_reports_go_with_the_group(make: Callable[..., FeatureGroup], rows: Any, project: gs.Project) -> None:
    group = make(expectations=[gs.expect("temp").complete()])
    group.insert(rows([1.0]))
    project.create_feature_view("of_validated", group.select("temp"))
    with pytest.raises(InUseError) as caught:
        group.delete()
    assert caught.value.dependents == ["view 'of_validated' (version 1)"]
    other = make(expectations=[gs.expect("temp").complete()])
    other.insert(rows([1.0]))
    other.delete()
    with pytest.raises(NotFoundError):
        project.get_feature_group(other.name)
    for kind in ("expectations", "validation"):
        assert project.catalog.find(kind, name=f"{other.name}_v1") == []


def test_a_log_that_is_damaged_stops_a_write_before_it_is_validated(
    make: Callable[..., FeatureGroup], rows: Any, project: gs.Project
) -> None:
    group = make(expectations=[gs.expect("temp").complete()])
    group.insert(rows([1.0]))
    log = project.folder / "tables" / f"{group.name}_v1" / "_delta_log"
    (log / f"{2:020d}.json").write_text("{")  # a damaged commit of another writer
    with pytest.raises(CorruptionError):
        group.insert(rows([2.0]))
    (log / f"{2:020d}.json").unlink()
    assert [r.commit for r in group.validations()] == [1]


@pytest.mark.parametrize(
    ("fault", "commit"),
    [("insert:before-commit", None), ("insert:after-commit", 1)],
)
def test_a_killed_writer_leaves_a_report_that_knows_its_commit(
    tmp_path: Path, fork_server: Any, fault: str, commit: int | None
) -> None:
    folder = tmp_path / "project"
    with gs.open(folder) as project:
        project.create_feature_group(
            "events", primary_key=["k"], event_time="t", expectations=[gs.expect("v").complete()]
        )
    arguments = {"folder": str(folder), "writer": "w", "first": 0, "last": 0, "compact_every": 0}
    done = str(tmp_path / "acknowledged")
    status = fork_server.run("write_group", environment={"GROUNDSWELL_FAULT": fault}, acknowledged=done, **arguments)
    assert status == -9
    with gs.open(folder) as project:
        group = project.get_feature_group("events")
        assert [(r.commit, r.status) for r in group.validations()] == [(commit, "success")]
    assert fork_server.run("write_group", acknowledged=done, **{**arguments, "first": 1, "last": 1}) == 0
    with gs.open(folder) as project:
        commits = [r.commit for r in project.get_feature_group("events").validations()]
        assert commits == [2 if commit else 1, commit]
