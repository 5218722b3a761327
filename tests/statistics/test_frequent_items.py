"""FrequentItems: heavy hitters within the bound."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import strategies as st

from groundswell.errors import DataError
from groundswell.statistics import Batch, FrequentItems, Sketch, Statistic, aggregate
from groundswell.testing import SketchConformance


class TestFrequentItems(SketchConformance):
    def statistic(self) -> Statistic[Any]:
        return FrequentItems("id", lg_max_size=4)

    def batches(self) -> st.SearchStrategy[Batch]:
        def build(seed: int, n_rows: int) -> Batch:
            drawn = np.random.default_rng(seed).zipf(1.5, n_rows)
            return Batch(columns={"id": pa.array(drawn.astype(str))})

        return st.builds(build, st.integers(0, 2**32), st.integers(0, 2000))

    def view(self, result: Any) -> Any:
        return result.weight, result.missing

    def check(self, sketch: Sketch[Any], rows: Batch) -> None:
        values, counts = np.unique(np.array(rows.column("id").to_pylist(), dtype=str), return_counts=True)
        exact = dict(zip(values.tolist(), counts.tolist(), strict=True))
        found = {item.value: item for item in sketch.result().items}
        for item in found.values():
            assert item.low <= exact[item.value] <= item.high
            assert item.high - item.low <= sketch.error
        assert all(value in found for value, count in exact.items() if count > sketch.error)


def test_heavy_hitters_among_many_values() -> None:
    rng = np.random.default_rng(0)
    ids = np.concatenate([rng.integers(0, 10**9, 20_000), np.repeat([7, 8, 9], [4000, 3000, 2000])])
    rng.shuffle(ids)
    total = FrequentItems("id", lg_max_size=8)
    for part in np.array_split(ids, 5):
        total.merge(aggregate([Batch(columns={"id": part})], FrequentItems("id", lg_max_size=8)))
    result = total.result()
    assert [item.value for item in result.items[:3]] == ["7", "8", "9"]
    for item, exact in zip(result.items[:3], (4000, 3000, 2000), strict=True):
        assert item.low <= exact <= item.high
    assert 0 < result.error < 0.02 * len(ids)
    assert result.weight == len(ids)


def test_weights_count_and_must_be_whole() -> None:
    batch = Batch(columns={"c": pa.array(["x", "y", None])}, weights=np.array([3.0, 1.0, 2.0]))
    result = aggregate([batch], FrequentItems("c")).result()
    assert [(item.value, item.estimate) for item in result.items] == [("x", 3), ("y", 1)]
    assert (result.weight, result.missing, result.error) == (4, 2, 0.0)
    with pytest.raises(DataError, match="not a whole number"):
        FrequentItems("c").update(Batch(columns={"c": pa.array(["x"])}, weights=np.array([1.5])))


def test_blocks_of_many_values_lose_no_more_than_they_say() -> None:
    rng = np.random.default_rng(1)
    ids = np.concatenate([rng.integers(0, 2_000, 30_000), np.repeat([5000, 5001], [3000, 500])])
    rng.shuffle(ids)
    for column in (pa.array(ids), pa.array(ids.astype(str)), ids):
        sketch = aggregate([Batch(columns={"id": column})], FrequentItems("id", lg_max_size=8))
        result = sketch.result()
        assert 0 < sketch.lost <= result.error
        assert (result.items[0].value, result.weight) == ("5000", len(ids))
        exact = dict(zip(*(part.tolist() for part in np.unique(ids, return_counts=True)), strict=True))
        for item in result.items:
            assert item.low <= exact[int(item.value)] <= item.high
        found = {int(item.value) for item in result.items}
        assert all(value in found for value, count in exact.items() if count > result.error)


def test_as_many_values_as_the_table_holds_are_counted_exactly() -> None:
    ids = np.tile(np.arange(192), 3)
    sketch = aggregate([Batch(columns={"id": ids})], FrequentItems("id", lg_max_size=8))
    assert (sketch.error, len(sketch.result().items)) == (0.0, 192)
    assert {item.low for item in sketch.result().items} == {3}
