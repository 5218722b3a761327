"""What each policy writes, whatever the outcome of the rules."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import groundswell as gs
from groundswell.errors import DataError
from groundswell.features import FeatureGroup

GOOD, WARNED, BAD = [20.0, 30.0], [20.0, 70.0], [20.0, 500.0]
"""Temperatures that break no rule, one of level warning, and both."""


def written(group: FeatureGroup, project: gs.Project) -> tuple[int, int]:
    """The rows that the group has, and the files in its folder."""
    folder: Path = project.folder / "tables" / f"{group.name}_v{group.version}"
    return len(group.read()), len(list(folder.glob("*.parquet")))


@pytest.mark.parametrize(
    ("policy", "temps", "status", "writes"),
    [
        ("strict", GOOD, "success", True),
        ("strict", WARNED, "warning", False),
        ("strict", BAD, "failure", False),
        ("warning", GOOD, "success", True),
        ("warning", WARNED, "warning", True),
        ("warning", BAD, "failure", False),
        ("all", GOOD, "success", True),
        ("all", WARNED, "warning", True),
        ("all", BAD, "failure", True),
        ("none", GOOD, None, True),
        ("none", WARNED, None, True),
        ("none", BAD, None, True),
    ],
)
def test_policies(
    project: gs.Project,
    make: Callable[..., FeatureGroup],
    rows: Callable[..., Any],
    policy: Any,
    temps: list[float],
    status: str | None,
    writes: bool,
) -> None:
    group = make(
        expectations=[gs.expect("temp").between(-40, 130), gs.expect("temp").between(0, 50).warning()],
        validation=policy,
    )
    answer = group.check(rows(temps))
    assert answer.ok == writes
    assert (answer.validation and answer.validation.status) == status
    assert written(group, project) == (0, 0)
    assert group.validations() == []
    if writes:
        commit = group.insert(rows(temps))
        assert written(group, project) == (2, 1)
        assert commit.detail.get("validation", {}).get("status") == status
    else:
        with pytest.raises(DataError, match=f"policy '{policy}'") as caught:
            group.insert(rows(temps))
        assert caught.value.report.status == status
        assert written(group, project) == (0, 0)
        assert [c.kind for c in group.history()] == ["create"]
    reports = group.validations()
    assert [r.status for r in reports] == ([] if status is None else [status])
    assert [r.commit for r in reports] == ([] if status is None else [1 if writes else None])


def test_none_does_not_even_look_at_the_rules(make: Callable[..., FeatureGroup], rows: Callable[..., Any]) -> None:
    group = make(expectations=[gs.expect().sql("cast(sky AS int) > 0")], validation="none")
    group.insert(rows([1.0]))
    assert group.check(rows([1.0])).validation is None


def test_a_rule_that_cannot_be_computed_is_broken_at_its_level(
    make: Callable[..., FeatureGroup], rows: Callable[..., Any]
) -> None:
    group = make(expectations=[gs.expect().sql("cast(sky AS int) > 0").warning()], validation="warning")
    assert group.insert(rows([1.0])).detail["validation"]["status"] == "warning"
    group.set_expectations([gs.expect().sql("cast(sky AS int) > 0")])
    with pytest.raises(DataError, match="Could not convert string 'clear'"):
        group.insert(rows([1.0]))


def test_rows_that_a_later_one_replaces_are_not_validated(
    make: Callable[..., FeatureGroup], rows: Callable[..., Any]
) -> None:
    """The batch is what will be written: the last row of an identity."""
    group = make(expectations=[gs.expect("temp").between(-40, 130), gs.expect().row_count_between(1, 1)])
    twice = {name: [column[0].as_py()] * 2 for name, column in rows([0.0]).items()}
    assert group.insert({**twice, "temp": [500.0, 20.0]}).rows == 1
    with pytest.raises(DataError):
        group.insert({**twice, "temp": [20.0, 500.0]})


def test_an_empty_batch_breaks_rules_about_summaries_only(
    make: Callable[..., FeatureGroup], rows: Callable[..., Any]
) -> None:
    group = make(
        validation="all",
        expectations=[
            gs.expect("temp").between(0, 1), gs.expect("temp").complete(), gs.expect("temp").unique(),
            gs.expect("temp").increasing(), gs.expect("sky").is_in(["x"]), gs.expect("sky").matches("x"),
            gs.expect().that(gs.col("temp") > 0), gs.expect("temp").distinct_count_between(0, 0),
            gs.expect("temp").mean_between(0, 1), gs.expect("temp").quantile_between(0.5, 0, 1),
            gs.expect().freshness("1d"),
        ],
    )  # fmt: skip
    report = group.check(rows([])).validation
    assert [r.success for r in report.results] == [True] * 8 + [False] * 3
    assert all(r.rows == 0 for r in report.results)
