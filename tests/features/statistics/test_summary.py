"""Summaries: they merge to what all rows give, travel as bytes, and take every type."""

import threading
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.errors import CorruptionError, VersionError
from groundswell.features.statistics import (
    Collector,
    StatisticsConfig,
    StatisticsReport,
    Summary,
    summary_from_bytes,
    summary_to_bytes,
)
from groundswell.features.statistics._files import SummaryFiles
from groundswell.types import Schema


def table(n_rows: int = 200, seed: int = 0) -> pa.Table:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(n_rows) * 3 + 1e6
    x[rng.random(n_rows) < 0.1] = np.nan
    y = pa.array(x + rng.standard_normal(n_rows), mask=rng.random(n_rows) < 0.2)
    return pa.table(
        {
            "x": pa.array(x),
            "y": y,
            "n": pa.array(rng.integers(-(2**62), 2**62, n_rows), mask=rng.random(n_rows) < 0.3),
            "at": pa.array(rng.integers(0, 10**15, n_rows)).cast(pa.timestamp("us", tz="UTC")),
            "word": pa.array(rng.choice(["a", "b", "ü", None], n_rows).tolist()),
            "flag": pa.array(rng.random(n_rows) < 0.5),
        }
    )


def summary(*parts: pa.Table, config: StatisticsConfig | None = None) -> Summary:
    schema = Schema.from_arrow(parts[0].schema)
    found = Summary.of(schema, schema.names, config or StatisticsConfig())
    for part in parts:
        for batch in part.to_batches():
            found.update(batch)
    return found


def report(found: Summary) -> StatisticsReport:
    return StatisticsReport.from_summary(found, of="t", scope="commit", version=1)


def assert_describes(found: Summary, rows: pa.Table) -> None:
    """Exact figures against pandas, the others against their bounds."""
    frame, said = rows.to_pandas(), report(found)
    assert said.rows == len(frame)
    for name in ("x", "y"):
        column, values = said[name], frame[name].dropna()
        assert column.count == len(values)
        assert (column.minimum, column.maximum) == (values.min(), values.max())
        assert column.mean == pytest.approx(values.mean(), rel=1e-12)
        assert column.std == pytest.approx(values.std(), rel=1e-9)
        assert column.rank_error is not None
        for level in (0.1, 0.5, 0.9):
            low, high = (values < column.quantile(level)).mean(), (values <= column.quantile(level)).mean()
            assert low - 3 * column.rank_error <= level <= high + 3 * column.rank_error
    whole = [v for v in rows["n"].to_pylist() if v is not None]
    assert (said["n"].minimum, said["n"].maximum, said["n"].nulls) == (min(whole), max(whole), len(frame) - len(whole))
    assert said["at"].maximum == max(rows["at"].to_pylist())
    words = pd.Series(rows["word"].to_pylist()).value_counts()
    assert {item.value: item.estimate for item in said["word"].frequent} == words.to_dict()
    assert said["flag"].mean == pytest.approx(frame.flag.mean())
    assert said.correlations is not None
    assert said.correlations.loc["x", "y"] == pytest.approx(frame.x.corr(frame.y), rel=1e-6)


@given(cuts=st.lists(st.integers(0, 200), min_size=3, max_size=3), travel=st.booleans())
@settings(max_examples=10, deadline=None)
def test_parts_merge_to_the_whole(cuts: list[int], travel: bool) -> None:
    rows, bounds = table(), [0, *sorted(cuts), 200]
    total = Summary()
    for low, high in pairwise(bounds):
        part = summary(rows.slice(low, high - low))
        total.merge(summary_from_bytes(summary_to_bytes(part)) if travel else part)
    assert_describes(total, rows)


def test_large_blocks_are_described_as_well() -> None:
    rows = table(300_000, 3)
    assert_describes(summary(rows), rows)


def test_merging_changes_neither_the_other_nor_shares_memory() -> None:
    one, other = Summary(), summary(table())
    before = report(other).to_dict()
    one.merge(other)
    one.merge(summary(table(50, 1)))
    assert report(other).to_dict() == before


def test_columns_may_come_and_go() -> None:
    early, late = table().drop_columns(["y", "word"]), table(100, 1).drop_columns(["x"])
    both = summary(early)
    both.merge(summary(late))
    said = report(both)
    assert said.rows == 300
    assert {name: column.rows for name, column in said.columns.items()} == {
        "x": 200, "n": 300, "at": 300, "flag": 300, "y": 100, "word": 100,
    }  # fmt: skip
    assert said.correlations is not None
    assert np.isnan(said.correlations.loc["x", "y"])
    joined = pd.concat([early.to_pandas(), late.to_pandas()])
    expected = joined["flag"].astype(float).corr(joined["at"].astype("int64").astype(float))
    assert said.correlations.loc["flag", "at"] == pytest.approx(expected, rel=1e-6)


def test_wide_tables_correlate_their_first_columns() -> None:
    wide = pa.table({f"c{i}": np.arange(3.0) + i for i in range(70)})
    found = summary(wide)
    assert found.correlated == tuple(f"c{i}" for i in range(64))
    assert report(found)["c69"].mean == 70.0


def test_equal_summaries_have_different_bytes() -> None:
    assert summary_to_bytes(summary(table())) != summary_to_bytes(summary(table()))


@pytest.mark.parametrize("data", [b"", b"no summary", b"x\x9c\x03\x00\x00\x00\x00\x01"])
def test_what_is_no_summary_is_damage(data: bytes) -> None:
    with pytest.raises(CorruptionError, match="no summary"):
        summary_from_bytes(data)


def test_a_newer_format_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("groundswell.features.statistics._wire._FORMAT", 2)
    data = summary_to_bytes(summary(table(3)))
    monkeypatch.undo()
    with pytest.raises(VersionError, match="format 2"):
        summary_from_bytes(data)


def test_a_collector_counts_the_last_pass_only() -> None:
    rows = table()
    schema = Schema.from_arrow(rows.schema)
    collector = Collector(lambda: Summary.of(schema, schema.names, StatisticsConfig()))
    for part in (rows, rows.slice(0, 120)):
        with collector.watch() as see:
            for batch in part.to_batches(max_chunksize=10):
                see(batch)
    assert_describes(collector.summary, rows.slice(0, 120))


def test_a_collector_ends_its_thread_and_passes_errors_on() -> None:
    def broken() -> Summary:
        return Summary.of(Schema.of({"x": pa.float64()}), ["x"], StatisticsConfig())

    collector = Collector(broken)
    failing = collector.watch()
    failing.__enter__()(pa.record_batch({"other": [1.0]}))
    with pytest.raises(KeyError):
        failing.__exit__(None, None, None)
    interrupted = collector.watch()
    interrupted.__enter__()(pa.record_batch({"x": [1.0]}))
    assert not interrupted.__exit__(ZeroDivisionError, ZeroDivisionError(), None)
    for thread in threading.enumerate():
        if thread.name.startswith("groundswell-statistics"):
            thread.join(10)
            assert not thread.is_alive()


def test_nothing_is_left_where_the_disk_is_full(tmp_path: Path) -> None:
    blocked = tmp_path / "table"
    blocked.write_text("a file where a folder should be")
    with pytest.raises(CorruptionError, match="Statistics cannot be kept"):
        SummaryFiles(blocked).keep(summary(table(3)))
