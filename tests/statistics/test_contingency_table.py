"""ContingencyTable against scipy."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import strategies as st
from scipy.stats import contingency

from groundswell.statistics import Batch, ContingencyTable, Statistic, aggregate
from groundswell.testing import StatisticConformance, categorical_batches


class TestContingencyTable(StatisticConformance):
    tolerance = 0.0

    def statistic(self) -> Statistic[Any]:
        return ContingencyTable("one")

    def batches(self) -> st.SearchStrategy[Batch]:
        return categorical_batches("one")


def test_the_ages_of_the_lecture_from_three_partitions(buys: pa.Table) -> None:
    """Worked example: of the youth 2 of 5 buy, of the middle-aged 4 of 4, of the seniors 3 of 5."""
    batches = (Batch.from_arrow(part, y="buys") for part in buys.to_batches(max_chunksize=5))
    result = aggregate(batches, ContingencyTable("age")).result()
    assert result.rows == ["middle_aged", "senior", "youth"]
    assert result.columns == ["no", "yes"]
    assert result.counts.tolist() == [[0, 4], [2, 3], [3, 2]]


@pytest.mark.parametrize("n_values", [3, 500])
def test_counts_and_expectations_are_those_of_scipy(n_values: int) -> None:
    rng = np.random.default_rng(0)
    a, b, w = rng.integers(0, n_values, 900), rng.integers(0, n_values, 900), rng.integers(1, 4, 900).astype(float)
    batch = Batch(columns={"a": a, "b": b}, weights=w)
    result = aggregate([batch], ContingencyTable("a", "b")).result()
    repeated = np.repeat(np.arange(900), w.astype(int))
    expected = contingency.crosstab(a[repeated], b[repeated])
    np.testing.assert_array_equal(result.rows, expected.elements[0])
    np.testing.assert_array_equal(result.counts, expected.count)
    np.testing.assert_allclose(result.expected(), contingency.expected_freq(expected.count), rtol=1e-12)


def test_a_pair_with_a_missing_half_is_left_out_and_counted() -> None:
    batch = Batch(columns={"a": pa.array(["x", None, "x"])}, y=pa.array(["p", "p", None]))
    result = aggregate([batch], ContingencyTable("a")).result()
    assert (result.rows, result.columns, result.counts.tolist(), result.missing) == (["x"], ["p"], [[1.0]], 2.0)


def test_the_confusion_of_the_lecture() -> None:
    """Worked example: TP 3, TN 5, FP 1, FN 2: precision 3/4, recall 3/5, FPR 1/6 (erratum: printed as 5/6)."""
    truth = np.array([1] * 5 + [0] * 6)
    predicted = np.array([1, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0])
    counts = (
        aggregate([Batch(columns={"predicted": predicted}, y=truth)], ContingencyTable("predicted")).result().counts
    )
    assert counts[1, 1] / counts[1].sum() == 3 / 4
    assert counts[1, 1] / counts[:, 1].sum() == 3 / 5
    assert counts[1, 0] / counts[:, 0].sum() == 1 / 6
