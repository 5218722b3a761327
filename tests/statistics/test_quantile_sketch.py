"""QuantileSketch: ranks within the bound."""

from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st

from groundswell.errors import DataError
from groundswell.statistics import Batch, QuantileSketch, Sketch, Statistic, aggregate
from groundswell.testing import SketchConformance


class TestQuantileSketch(SketchConformance):
    def statistic(self) -> Statistic[Any]:
        return QuantileSketch(k=64)

    def batches(self) -> st.SearchStrategy[Batch]:
        def build(seed: int, n_rows: int) -> Batch:
            X = np.random.default_rng(seed).lognormal(size=(n_rows, 2))
            X[::7, 1] = np.nan
            return Batch(X=np.asfortranarray(X))

        return st.builds(build, st.integers(0, 2**32), st.integers(0, 3000))

    def view(self, result: Any) -> Any:
        return result.weight, result.missing

    def check(self, sketch: Sketch[Any], rows: Batch) -> None:
        levels = np.linspace(0.0, 1.0, 11)
        for column, found in zip(rows.matrix.T, sketch.result().quantile(levels), strict=False):
            values = np.sort(column[~np.isnan(column)])
            low = np.searchsorted(values, found, "left") / max(len(values), 1)
            high = np.searchsorted(values, found, "right") / max(len(values), 1)
            if len(values):
                assert (levels >= low - 3 * sketch.error).all()
                assert (levels <= high + 3 * sketch.error).all()


def test_the_error_stays_bounded_over_many_values_and_merges() -> None:
    x = np.random.default_rng(0).pareto(1.0, 100_000)
    total = QuantileSketch()
    for part in np.array_split(x, 40):
        total.merge(aggregate([Batch(X=part[:, None])], QuantileSketch()))
    levels = np.linspace(0.01, 0.99, 50)
    ranks = np.searchsorted(np.sort(x), total.result().quantile(levels)[0]) / len(x)
    assert np.abs(ranks - levels).max() < 1.5 * total.error
    assert total.error == pytest.approx(0.0133, abs=1e-4)
    assert total.result().rank(float(np.median(x)))[0] == pytest.approx(0.5, abs=1.5 * total.error)


@pytest.mark.parametrize("n_rows", [299, 300, 301, 600, 65_535, 65_536, 131_072])
@pytest.mark.parametrize("k", [8, 200, 4096])
def test_sorted_blocks_lose_no_value(k: int, n_rows: int) -> None:
    x = np.random.default_rng(n_rows).permutation(n_rows).astype(float)
    sketch = aggregate([Batch(X=x[:, None]), Batch(X=x[:, None])], QuantileSketch(k))
    assert sketch.result().weight[0] == 2 * n_rows
    assert sketch.result().quantile([0.0, 1.0]).tolist() == [[0.0, n_rows - 1.0]]
    levels = np.linspace(0, 1, 21)
    found = (sketch.result().quantile(levels)[0] + 1) / n_rows
    assert np.abs(found - levels).max() <= 1.5 * sketch.error + 1 / n_rows


def test_sorted_blocks_have_the_error_of_single_values_or_less() -> None:
    x = np.random.default_rng(3).standard_normal(200_000)
    ordered, points = np.sort(x), np.linspace(-2, 2, 41)
    exact = np.searchsorted(ordered, points, "right") / len(x)
    errors = []
    for _ in range(20):
        sketch = aggregate([Batch(X=x[:, None])], QuantileSketch(64)).result()
        errors.append([sketch.rank(point)[0] for point in points] - exact)
    assert np.abs(errors).max() < sketch.error
    assert np.abs(np.mean(errors)) < 0.1 * sketch.error  # off to both sides alike


def test_small_data_are_answered_exactly() -> None:
    sketch = aggregate([Batch(X=np.array([[5.0, np.nan], [1.0, np.nan], [np.inf, np.nan]]))], QuantileSketch())
    result = sketch.result()
    np.testing.assert_array_equal(result.quantile([0.0, 0.5, 1.0]), [[1.0, 5.0, np.inf], [np.nan] * 3])
    np.testing.assert_array_equal(result.rank(5.0), [2 / 3, np.nan])
    np.testing.assert_array_equal(result.missing, [0, 3])


def test_a_weight_that_is_not_whole_is_refused() -> None:
    with pytest.raises(DataError, match="not a whole number"):
        QuantileSketch().update(Batch(X=np.zeros((1, 1)), weights=np.array([0.5])))


def test_other_sizes_are_refused_by_merge() -> None:
    with pytest.raises(DataError, match="k 200 cannot take in one with 64"):
        QuantileSketch().merge(QuantileSketch(64))
