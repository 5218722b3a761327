"""Reports: what they say, how they show, and what of them goes where."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

import groundswell as gs
from groundswell.features import FeatureGroup, ValidationReport

RULES = [
    gs.expect("temp").between(-40, 130),
    gs.expect("temp").complete(0.5).warning(),
    gs.expect("temp").mean_between(0, 10).warning(),
    gs.expect("temp").quantile_between(0.5, 1000, None),
    gs.expect("sky").is_in(["rain"]),
    gs.expect().freshness("1h"),
    gs.expect().sql("cast(sky AS int) > 0"),
]
TEMPS = [20.0, None, 987654.0, 987653.0]


@pytest.fixture
def report(make: Callable[..., FeatureGroup], rows: Callable[..., Any]) -> ValidationReport:
    group = make(expectations=RULES, validation="all")
    group.insert(rows(TEMPS))
    return group.validations()[0]


def test_the_numbers_are_those_of_the_rows(report: ValidationReport) -> None:
    between, complete, mean, median, sky, fresh, cast = report.results
    assert report.rows == 4
    assert (between.rows, between.offending) == (3, 2)
    assert (complete.rows, complete.offending, complete.observed, complete.success) == (4, 1, 0.75, True)
    assert mean.observed == pytest.approx((20 + 987654 + 987653) / 3)
    assert median.observed == 987653.0 or median.success
    assert (sky.offending, len(sky.examples)) == (4, 3)
    assert fresh.observed == "2024-01-01T03:00:00+00:00"
    assert "clear" in cast.problem


def test_examples_name_the_row_and_the_value(report: ValidationReport) -> None:
    assert report.results[0].examples == (
        {"origin": "EWR", "at": "2024-01-01T02:00:00+00:00", "temp": 987654.0},
        {"origin": "EWR", "at": "2024-01-01T03:00:00+00:00", "temp": 987653.0},
    )


def test_the_status_is_the_worst_of_what_is_broken(report: ValidationReport) -> None:
    assert [r.status for r in report.results] == [
        "failure", "success", "warning", "success", "failure", "failure", "failure",
    ]  # fmt: skip
    assert (report.status, report.success, len(report.broken)) == ("failure", False, 5)


def test_a_report_comes_back_from_json(report: ValidationReport) -> None:
    assert ValidationReport.from_dict(json.loads(report.to_json())) == report


def test_it_reads_as_text(report: ValidationReport) -> None:
    text = str(report)
    assert "(all): failure, 5 of 7 expectations broken, 4 rows, written as version 1" in text
    assert "✗ temp lies between -40 and 130: 2 of 3 rows offend, such as origin='EWR', at='2024-01-01T02:00" in text
    assert "✓ temp is there in at least 50 % of rows: 1 of 4 rows lack it, observed 0.75" in text
    assert "! the mean of temp lies between 0 and 10: observed 658442" in text


def test_it_shows_as_a_table_with_everything_escaped(
    make: Callable[..., FeatureGroup], rows: Callable[..., Any]
) -> None:
    group = make(expectations=[gs.expect("sky").matches("<i>")], validation="all")
    given = rows([1.0])
    group.insert({**given, "sky": ["<script>alert(1)</script>"]})
    html = group.validations()[0]._repr_html_()
    assert "<script>" not in html
    assert "<i>" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert html.count("<tr>") == 2


def test_the_commit_carries_counts_and_a_digest_and_no_value(
    project: gs.Project, make: Callable[..., FeatureGroup], rows: Callable[..., Any]
) -> None:
    group = make(expectations=RULES, validation="all")
    commit = group.insert(rows(TEMPS))
    report = group.validations()[0]
    said = commit.detail["validation"]
    assert said == report.numbers()
    assert said["report"] == report.number == 1
    assert said["digest"] == report.digest()
    assert set(said["rules"][0]) == {"rule", "column", "level", "success", "rows", "offending"}
    log = (project.folder / "tables" / f"{group.name}_v1" / "_delta_log" / f"{1:020d}.json").read_text()
    info = next(action["commitInfo"] for action in map(json.loads, log.splitlines()) if "commitInfo" in action)
    assert json.loads(info["groundswell"])["validation"] == said
    for value in ("987654", "987653", "658442", "clear"):
        assert value not in json.dumps(info)


def test_values_can_be_forgotten_and_the_digest_still_holds(
    make: Callable[..., FeatureGroup], rows: Callable[..., Any]
) -> None:
    group = make(expectations=RULES, validation="all")
    commit = group.insert(rows(TEMPS))
    assert group.forget_validated_values() == 1
    report = group.validations()[0]
    assert report.commit == 1
    assert report.digest() == commit.detail["validation"]["digest"]
    told = report.to_json()
    for value in ("987654", "987653", "658442", "clear", "2024-01-01T03"):
        assert value not in told
    assert report.results[0].offending == 2
    assert not report.results[-1].success
    assert group.forget_validated_values() == 0


def test_the_digest_tells_reports_apart(report: ValidationReport) -> None:
    other = replace(report, rows=5)
    assert other.digest() != report.digest()
    again = ValidationReport.from_dict(
        {**report.to_dict(), "validated_at": datetime(2024, 1, 1, tzinfo=UTC).isoformat()}
    )
    assert again.digest() == report.digest()


def test_values_of_every_type_are_shown(project: gs.Project) -> None:
    moment = datetime(2024, 1, 1, tzinfo=UTC)
    row = {
        "id": 2**62, "at": moment, "text": "x" * 1_000, "price": Decimal("1.50"), "photo": b"\xff", "past": [1.5, None],
        "far": float("inf"), "flag": True, "big": 2**60 + 1, "inner": {"a": 1},
    }  # fmt: skip
    schema = {
        "id": pa.int64(), "at": pa.timestamp("us", tz="UTC"), "text": pa.string(), "price": pa.decimal128(8, 2),
        "photo": pa.binary(), "past": pa.list_(pa.float64()), "far": pa.float64(), "flag": pa.bool_(),
        "big": pa.int64(), "inner": pa.struct({"a": pa.int64()}), "gap": pa.string(),
    }  # fmt: skip
    group = project.create_feature_group("shown", primary_key=["id"], event_time="at", schema=schema, validation="all")
    flat = [name for name in schema if name not in ("past", "inner", "id", "at", "gap")]
    condition = gs.col("gap").is_null() & ~gs.col("gap").is_null()
    for name in flat:
        condition = condition & gs.col(name).is_null()
    group.set_expectations([gs.expect().that(condition)])
    (result,) = group.check([{**row, "gap": None}]).validation.results
    (example,) = result.examples
    assert example["id"] == 2**62
    assert example["at"] == "2024-01-01T00:00:00+00:00"
    assert example["text"] == "x" * 200 + "…"
    assert (example["price"], example["photo"], example["far"]) == ("1.50", "b'\\xff'", "inf")
    assert (example["flag"], example["big"], example["gap"]) == (True, 2**60 + 1, None)
    json.dumps(example, allow_nan=False)
