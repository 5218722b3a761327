"""Drift figures against their definitions over the rows themselves."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from groundswell.errors import ColumnNotFoundError, DataError
from groundswell.features.statistics import StatisticsConfig, StatisticsReport
from groundswell.types import Schema


def report(columns: dict[str, Any]) -> StatisticsReport:
    rows = pa.table(columns)
    return StatisticsReport.of_training_data(rows.to_batches(), Schema.from_arrow(rows.schema), of="t", version=1)


def test_numbers_move_as_far_as_their_distributions() -> None:
    rng = np.random.default_rng(0)
    before, after = rng.standard_normal(20_000), rng.standard_normal(10_000) * 1.5 + 0.5
    drift = report({"x": before}).compare(report({"x": after}))["x"]
    assert drift.ks_error is not None
    assert drift.ks == pytest.approx(stats.ks_2samp(before, after).statistic, abs=2 * drift.ks_error)
    edges = [-np.inf, *np.quantile(before, np.linspace(0, 1, 11)[1:-1]), np.inf]
    p, q = (np.histogram(x, edges)[0] / len(x) for x in (before, after))
    assert drift.psi == pytest.approx(((q - p) * np.log(q / p)).sum(), rel=0.1)
    assert drift.mean_shift == pytest.approx((after.mean() - before.mean()) / before.std(ddof=1))


def test_text_moves_as_its_shares() -> None:
    before, after = ["a"] * 60 + ["b"] * 40, ["a"] * 20 + ["b"] * 60 + ["c"] * 20
    drift = report({"s": before}).compare(report({"s": after}))["s"]
    p, q = np.array([0.6, 0.4, 1e-4]), np.array([0.2, 0.6, 0.2])
    assert drift.psi == pytest.approx(((q - p) * np.log(q / p)).sum())
    assert (drift.ks, drift.ks_error) == (pytest.approx(0.4), 0.0)


def test_missing_values_are_a_bin_of_their_own() -> None:
    x = np.arange(1000.0)
    holes = np.where(np.arange(1000) % 2 == 0, np.nan, x)
    comparison = report({"x": x, "s": ["a"] * 1000}).compare(report({"x": holes, "s": [None, "a"] * 500}))
    for drift in comparison.columns:
        assert drift.missing_shift == 0.5
        assert drift.psi is not None
        assert drift.psi > 1
    assert comparison.drifted() == sorted(["x", "s"], key=lambda n: -(comparison[n].psi or 0))


def test_nothing_moves_from_itself() -> None:
    same = report({"x": np.arange(500.0), "s": ["a", "b"] * 250, "c": [1.0] * 500, "e": pa.nulls(500, pa.float64())})
    comparison = same.compare(same)
    assert comparison.drifted(1e-9) == []
    assert {drift.ks for drift in comparison.columns} <= {0.0, None}
    assert str(comparison).startswith("Reference: Statistics of training data")
    assert comparison._repr_html_()
    with pytest.raises(ColumnNotFoundError, match="'c', 'e', 's', 'x'"):
        comparison["z"]
    assert list(comparison.to_pandas().index) == ["x", "s", "c", "e"]


def test_columns_of_other_kinds_and_no_rows_have_no_figures() -> None:
    empty = report({"x": pa.array([], pa.float64())})
    assert report({"x": [1.0, 2.0]}).compare(empty)["x"].psi is None
    assert report({"x": [1.0, 2.0]}).compare(report({"x": ["a", "b"]}))["x"].ks is None
    with pytest.raises(DataError, match="no column in common"):
        empty.compare(report({"y": [1.0]}))
    assert StatisticsConfig.from_dict(StatisticsConfig(columns=("a",)).to_dict()).columns == ("a",)
