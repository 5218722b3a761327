"""DistinctSketch: numbers of distinct values within the bound."""

from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import strategies as st

from groundswell.errors import DataError
from groundswell.statistics import Batch, DistinctSketch, Sketch, Statistic, aggregate
from groundswell.testing import SketchConformance


class TestDistinctSketch(SketchConformance):
    def statistic(self) -> Statistic[Any]:
        return DistinctSketch("id", lg_k=9)

    def batches(self) -> st.SearchStrategy[Batch]:
        def build(seed: int, n_rows: int, n_values: int) -> Batch:
            return Batch(columns={"id": np.random.default_rng(seed).integers(0, n_values, n_rows)})

        return st.builds(build, st.integers(0, 2**32), st.integers(0, 5000), st.integers(1, 5000))

    def view(self, result: Any) -> Any:
        return result.missing

    def check(self, sketch: Sketch[Any], rows: Batch) -> None:
        exact = len(np.unique(rows.column("id")))
        assert abs(sketch.result().estimate - exact) <= 3 * sketch.error * exact + 0.01


@pytest.mark.parametrize("n", [1, 100, 40_000])
def test_the_estimate_is_within_its_interval_after_merging(n: int) -> None:
    total = DistinctSketch("id")
    for seed in range(4):
        ids = np.random.default_rng(seed).permutation(n)
        total.merge(aggregate([Batch(columns={"id": ids})], DistinctSketch("id")))
    result = total.result()
    assert abs(result.estimate - n) <= total.error * n + 0.01
    assert result.low <= n <= result.high + 0.01


@pytest.mark.parametrize(
    "column",
    [
        pa.array(["a", "b", None, "a"]),
        pa.array([1, 2, None, 1]),
        pa.array([0.0, 1.5, None, -0.0]),
        pa.array([True, False, None, True]),
        pa.array([date(2024, 1, 1), date(2024, 1, 2), None, date(2024, 1, 1)]),
        pa.array(
            [datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 2, tzinfo=UTC), None, datetime(2024, 1, 1, tzinfo=UTC)]
        ),
        pa.array([b"a", b"b", None, b"a"]),
        pa.array(["a", "b", None, "a"]).dictionary_encode(),
    ],
    ids=lambda column: str(column.type),
)
def test_values_of_any_type(column: pa.Array) -> None:
    result = aggregate([Batch(columns={"c": column}), Batch(columns={"c": column})], DistinctSketch("c")).result()
    assert round(result.estimate) == 2
    assert result.missing == 2


def test_other_settings_are_refused_by_merge() -> None:
    with pytest.raises(DataError, match="lg_k"):
        DistinctSketch("a").merge(DistinctSketch("a", lg_k=10))
    with pytest.raises(DataError, match="column"):
        DistinctSketch("a").merge(DistinctSketch("b"))
