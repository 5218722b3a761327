"""Statistics of a group as its user sees them: per commit, merged, current, forgotten, made again."""

import datetime as dt
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from deltalake import write_deltalake

import groundswell as gs
from groundswell.errors import ColumnNotFoundError, DataError, NotFoundError
from groundswell.features import FeatureGroup, StatisticsConfig


@pytest.fixture
def project(tmp_path: Path) -> Any:
    with gs.open(tmp_path / "p") as project:
        yield project


@pytest.fixture
def group(project: Any) -> FeatureGroup:
    return project.create_feature_group("weather", primary_key=["origin"], event_time="at")


def rows(n_rows: int, first: int = 0, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    temp = rng.standard_normal(n_rows)
    temp[::5] = np.nan
    return pd.DataFrame(
        {
            "origin": [f"K{i}" for i in range(first, first + n_rows)],
            "at": pd.to_datetime("2024-01-01", utc=True) + pd.to_timedelta(np.arange(n_rows), "h"),
            "temp": temp,
            "wind": 2 * temp + rng.standard_normal(n_rows),
            "sky": rng.choice(["clear", "fog"], n_rows),
        }
    )


def test_commits_merge_to_what_all_rows_give(group: FeatureGroup) -> None:
    first, second = rows(300), rows(200, 300, 1)
    one, two = group.insert(first), group.insert(second)
    report, frame = group.statistics(), pd.concat([first, second])
    assert (report.scope, report.rows, report.commits, report.lost) == ("rows written", 500, 2, ())
    assert list(report.columns) == ["at", "temp", "wind", "sky"]
    temp = report["temp"]
    assert (temp.count, temp.nulls + temp.nan) == (frame.temp.count(), frame.temp.isna().sum())
    assert temp.mean == pytest.approx(frame.temp.mean())
    assert temp.std == pytest.approx(frame.temp.std())
    assert (temp.minimum, temp.maximum) == (frame.temp.min(), frame.temp.max())
    assert abs((frame.temp.dropna() <= temp.median).mean() - 0.5) < 0.03
    assert report.correlations is not None
    assert report.correlations.loc["temp", "wind"] == pytest.approx(frame.temp.corr(frame.wind))
    assert {(item.value, item.estimate) for item in report["sky"].frequent} == set(frame.sky.value_counts().items())
    assert report["sky"].distinct == 2
    assert report["at"].maximum == frame["at"].max().to_pydatetime()
    for commit, part in ((one, first), (two, second)):
        own = group.statistics(commit=commit.version)
        assert (own.scope, own.rows) == ("commit", len(part))
        assert own["temp"].mean == pytest.approx(part.temp.mean())
    assert group.statistics(as_of=one.version).rows == 300


def test_the_commit_carries_a_digest_and_no_value(group: FeatureGroup) -> None:
    commits = [group.insert(rows(50)), group.insert(rows(50))]
    digests = [commit.detail["statistics"] for commit in commits]
    assert [list(digest) for digest in digests] == [["digest"], ["digest"]]
    assert digests[0] != digests[1]  # salted: equal rows do not show as equal


def test_rows_written_and_current_rows_are_told_apart(project: Any, group: FeatureGroup) -> None:
    group.insert(rows(100))
    group.insert(rows(100).assign(temp=5.0))
    assert group.statistics().rows == 200
    current = group.statistics(rows="current")
    assert (current.scope, current.rows, current["temp"].mean) == ("current rows", 100, 5.0)
    compaction = group.compact()
    assert compaction is not None
    kept = group.table.folder / "_statistics" / f"current-{compaction.version}.summary"
    assert kept.exists()
    assert group.statistics(rows="current").rows == 100
    assert group.statistics().rows == 200
    done = [a.detail for a in project.catalog.activity(name="weather") if a.verb == "statistics computed"]
    assert {"of": "current rows", "version": compaction.version} in done
    with pytest.raises(NotFoundError, match="wrote no rows"):
        group.statistics(commit=compaction.version)


def test_repeated_rows_of_a_batch_are_left_out(group: FeatureGroup) -> None:
    twice = pd.concat([rows(40).assign(temp=1.0), rows(40).assign(temp=2.0)])
    report = group.statistics(commit=group.insert(twice).version)
    assert (report.rows, report["temp"].minimum) == (40, 2.0)


def test_what_is_lost_or_damaged_is_made_again(group: FeatureGroup) -> None:
    commit = group.insert(rows(100))
    before = group.statistics()
    files = group.table.folder / "_statistics"
    path = files / f"{commit.detail['statistics']['digest']}.summary"
    for damage in (b"", path.read_bytes()[:-4], b"x" * 99):
        path.write_bytes(damage)
        for kept in files.glob("*-*.summary"):
            kept.unlink()
        assert group.statistics()["temp"].mean == pytest.approx(before["temp"].mean)
    path.unlink()
    (files / f"commit-{commit.version}.summary").write_bytes(b"no summary")
    assert group.statistics()["wind"].std == pytest.approx(before["wind"].std)


def test_off_nothing_is_kept_and_asking_computes(project: Any) -> None:
    group = project.create_feature_group("plain", primary_key=["origin"], event_time="at", statistics=False)
    commit = group.insert(rows(30))
    assert "statistics" not in commit.detail
    assert not (group.table.folder / "_statistics").exists()
    assert group.statistics().rows == 30
    group.set_statistics(True)
    assert "statistics" in group.insert(rows(30, 30)).detail


def test_kinds_and_columns_are_chosen(project: Any) -> None:
    config = StatisticsConfig(kinds=("range", "distinct"), columns=("origin", "temp"))
    group = project.create_feature_group("some", primary_key=["origin"], event_time="at", statistics=config)
    group.insert(rows(500))
    report = group.statistics()
    assert list(report.columns) == ["origin", "temp"]
    assert (report["temp"].mean, report["temp"].median, report.correlations) == (None, None, None)
    assert report["origin"].minimum == "K0"
    assert report["origin"].distinct == pytest.approx(500, rel=0.05)
    assert set(report["origin"].accuracy) == {"counts", "range", "distinct"}
    group.set_statistics(["moments"])
    group.insert(rows(10, 500, 2))
    assert group.statistics()["temp"].minimum is None  # known of some rows only
    assert group.statistics()["temp"].rows == 510
    assert group.compute_statistics()["temp"].mean is not None
    assert list(group.statistics().columns) == ["at", "temp", "wind", "sky"]


def test_bad_choices_are_refused_and_write_nothing(project: Any, group: FeatureGroup) -> None:
    group.insert(rows(10))
    with pytest.raises(DataError, match=r"no statistic 'quantile'\. Did you mean 'quantiles'"):
        group.set_statistics(["quantile"])
    with pytest.raises(ColumnNotFoundError, match="'tmp'"):
        group.set_statistics(StatisticsConfig(columns=("tmp",)))
    with pytest.raises(DataError, match="no 'newest' rows"):
        group.statistics(rows="newest")  # type: ignore[arg-type]
    for wrong in ("range", 3, None, [1]):
        with pytest.raises(DataError):
            group.set_statistics(wrong)  # type: ignore[arg-type]
    with pytest.raises(DataError):
        project.create_feature_group("other", primary_key=["k"], statistics=["x"])
    assert [g.name for g in project.feature_groups()] == ["weather"]


def test_a_group_without_columns_has_no_statistics(group: FeatureGroup) -> None:
    with pytest.raises(NotFoundError, match="no columns yet"):
        group.statistics()


def test_erasure_forgets_values(group: FeatureGroup) -> None:
    group.insert(rows(50).assign(sky="secret"))
    group.insert(rows(50, 50))
    group.statistics()
    keys = {"origin": [f"K{i}" for i in range(50)]}
    group.purge(pd.DataFrame(keys))
    said = "".join(path.read_bytes().hex() for path in (group.table.folder / "_statistics").iterdir())
    assert b"secret".hex() not in said
    for report in (group.statistics(rows="current"), group.statistics()):
        assert report.rows == 50
        assert "secret" not in report.to_json()


def test_commits_of_other_tools_are_counted(group: FeatureGroup) -> None:
    group.insert(rows(20))
    foreign = pa.Table.from_pandas(rows(10, 100), preserve_index=False)
    write_deltalake(group.table.folder, foreign, mode="append", schema_mode="merge")
    assert group.statistics().rows == 30
    assert group.statistics(commit=group.table.version()).rows == 10


def test_a_long_history_is_merged_once(project: Any) -> None:
    group = project.create_feature_group("long", primary_key=["k"], statistics=["moments", "frequent"])
    for i in range(34):
        group.insert({"k": [i], "v": [i % 3]})
    report = group.statistics()
    assert (group.table.folder / "_statistics" / f"written-{group.table.version()}.summary").exists()
    group.insert({"k": [99], "v": [7]})
    assert group.statistics()["v"].mean == pytest.approx((report["v"].mean * 34 + 7) / 35)
    assert group.statistics().commits == 35


def test_summaries_without_a_commit_are_found_and_removed(project: Any, group: FeatureGroup) -> None:
    group.insert(rows(10))
    files = group.table.folder / "_statistics"
    stray, young = files / f"{'a' * 64}.summary", files / f"{'b' * 64}.summary"
    stray.write_bytes(b"")
    young.write_bytes(b"")
    os.utime(stray, (0, 0))
    findings = [f for f in project.doctor().findings if "statistics" in f.what]
    assert [f.severity for f in findings] == ["notice"]
    project.doctor(repair=True)
    assert not stray.exists()
    assert young.exists()
    assert group.statistics().rows == 10


def test_an_insert_that_is_refused_leaves_no_statistics(project: Any) -> None:
    schema, rule = {"k": pa.int64(), "v": pa.int64()}, gs.expect("v").between(0, 1)
    group = project.create_feature_group("strict", primary_key=["k"], expectations=[rule], schema=schema)
    with pytest.raises(DataError, match="refused"):
        group.insert({"k": [1], "v": [9]})
    with pytest.raises(DataError, match="is null"):
        group.insert({"k": [None], "v": [1]})
    assert not list((group.table.folder / "_statistics").glob("*"))
    assert group.statistics().rows == 0


def test_deleting_the_group_takes_its_choice_along(project: Any, group: FeatureGroup) -> None:
    group.set_statistics(False)
    group.delete()
    assert not project.catalog.find("statistics")


def test_training_data_has_statistics(project: Any, group: FeatureGroup) -> None:
    group.insert(rows(60).assign(late=lambda f: f.temp > 0))
    view = project.create_feature_view("v", group.select("temp", "sky", "late"), labels=["late"])
    report = view.training_data().statistics()
    assert (report.scope, report.rows) == ("training data", 60)
    assert set(report.columns) == {"temp", "sky", "late"}
    assert report["late"].mean == pytest.approx(rows(60).temp.gt(0).mean())


def test_those_of_training_data_are_in_the_units_of_the_group(project: Any, group: FeatureGroup) -> None:
    group.insert(rows(60).assign(late=lambda f: f.temp > 0))
    view = project.create_feature_view(
        "v", group.select("temp", "sky", "late"), labels=["late"],
        transformations=[gs.standardize("temp"), gs.one_hot("sky")],
    )  # fmt: skip
    report = view.training_data().statistics()
    assert set(report.columns) == {"temp", "sky", "late"}
    assert report["temp"].mean == pytest.approx(group.statistics()["temp"].mean)


def test_every_type_is_summarized(project: Any) -> None:
    group = project.create_feature_group("types", primary_key=["k"])
    group.insert(
        pa.table(
            {
                "k": [1, 2, 3],
                "big": pa.array([2**63 - 1, 2**63 - 2, None]),
                "flag": [True, True, False],
                "day": [dt.date(2024, 1, 1), dt.date(2024, 1, 3), None],
                "price": pa.array([None, 1, 2], pa.decimal128(20, 2)),
                "nothing": pa.array([None] * 3, pa.float64()),
                "odd": [np.inf, np.nan, 1.0],
                "list": [[1], [], None],
                "bytes": [b"a", None, b"b"],
                "struct": [{"a": 1}, {"a": 2}, None],
            }
        )
    )
    report = group.statistics()
    assert (report["big"].minimum, report["big"].maximum) == (2**63 - 2, 2**63 - 1)
    assert report["flag"].mean == pytest.approx(2 / 3)
    assert (report["day"].minimum, report["day"].maximum) == (dt.date(2024, 1, 1), dt.date(2024, 1, 3))
    assert report["day"].mean == dt.datetime(2024, 1, 2, tzinfo=dt.UTC)
    assert report["day"].median in (dt.date(2024, 1, 1), dt.date(2024, 1, 3))
    assert (str(report["price"].minimum), report["price"].mean) == ("1.00", 1.5)
    assert (report["nothing"].count, report["nothing"].mean, report["nothing"].median) == (0, None, None)
    odd = report["odd"]
    assert (odd.nan, odd.infinite, odd.maximum, odd.mean, odd.std) == (1, 1, np.inf, np.inf, None)
    for name in ("list", "bytes", "struct"):
        assert (report[name].rows, report[name].nulls, set(report[name].accuracy)) == (3, 1, {"counts"})
    assert str(report)
    assert report.to_html()
    assert report.to_json()


@pytest.mark.parametrize("n_rows", [0, 1])
def test_few_rows(project: Any, n_rows: int) -> None:
    group = project.create_feature_group("few", primary_key=["k"], schema={"k": pa.int64(), "x": pa.float64()})
    group.insert(pa.table({"k": pa.array(range(n_rows)), "x": pa.array([1.5] * n_rows)}))
    report = group.statistics()
    assert report.rows == n_rows
    assert str(report)
    assert report.to_html()
    if n_rows:
        assert (report["x"].minimum, report["x"].mean, report["x"].std, report["x"].median) == (1.5, 1.5, None, 1.5)
        assert report.plot("x").bars


@pytest.mark.parametrize(
    ("fault", "rows_written"),
    [("insert:files-synced", 0), ("insert:before-commit", 0), ("insert:after-commit", 1)],
)
def test_a_killed_writer_leaves_statistics_of_what_it_committed(
    tmp_path: Path, fork_server: Any, fault: str, rows_written: int
) -> None:
    folder = tmp_path / "project"
    with gs.open(folder) as project:
        project.create_feature_group("events", primary_key=["k"], event_time="t")
    arguments = {"folder": str(folder), "writer": "w", "first": 0, "last": 0, "compact_every": 0}
    done = str(tmp_path / "acknowledged")
    status = fork_server.run("write_group", environment={"GROUNDSWELL_FAULT": fault}, acknowledged=done, **arguments)
    assert status == -9
    with gs.open(folder) as project:
        group = project.get_feature_group("events")
        expected = group.read().to_pandas()
        report = group.statistics()
        assert (report.rows > 0, report.rows) == (rows_written > 0, len(expected))
        for path in (group.table.folder / "_statistics").glob("*"):
            os.utime(path, (0, 0))
        strays = [finding for finding in project.doctor(repair=True).findings if "statistics" in finding.what]
        assert len(strays) == (rows_written == 0)
        assert project.get_feature_group("events").statistics().rows == len(expected)
