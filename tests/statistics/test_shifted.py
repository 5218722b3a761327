"""Blocks around a pilot."""

import numpy as np
import pytest

from groundswell.statistics import Batch
from groundswell.statistics._shifted import Scratch, pilot_of, shifted


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, np.uint8, np.bool_])
@pytest.mark.parametrize("order", ["C", "F"])
def test_the_design_is_ones_and_the_exact_differences(dtype: type, order: str) -> None:
    X = np.array(np.random.default_rng(0).integers(0, 2, (300, 3)) * 100, dtype, order=order)
    block = shifted(X, Scratch())
    np.testing.assert_array_equal(block.design[:, 0], 1)
    np.testing.assert_array_equal(block.matrix, X.astype(np.float64) - block.pilot)
    assert block.design.flags.f_contiguous


def test_the_pilot_is_near_the_mean_and_ignores_what_is_not_finite() -> None:
    X = np.random.default_rng(0).standard_normal((5000, 2)) + 1e8
    X[::2, 1] = np.nan
    X[3, 0] = np.inf
    assert np.abs(pilot_of(X) - 1e8).max() < 1
    np.testing.assert_array_equal(pilot_of(np.full((3, 1), np.nan)), [0.0])
    np.testing.assert_array_equal(pilot_of(np.empty((0, 2))), [0.0, 0.0])
    np.testing.assert_array_equal(pilot_of(np.full((1000, 1), 0.1)), [0.1])


def test_rebase_turns_sums_over_the_design_into_sums_over_standardized_features() -> None:
    X = np.random.default_rng(0).standard_normal((50, 3)) * 4 + 7
    center, scale = np.array([1.0, 2.0, 3.0]), np.array([2.0, 3.0, 4.0])
    block = shifted(X, Scratch())
    expected = np.column_stack([np.ones(50), (X - center) / scale])
    np.testing.assert_allclose(block.design @ block.rebase(center, scale), expected, rtol=1e-12, atol=1e-12)


def test_blocks_of_a_batch_share_memory_and_rows_taken_apart_do_not() -> None:
    batch = Batch(X=np.arange(300_000.0)[:, None])
    designs = [block.shifted.design for block in batch.blocks()]
    assert len(designs) > 1
    assert all(np.shares_memory(designs[0], other) for other in designs[1:])
    assert not np.shares_memory(batch.rows(slice(0, 5)).shifted.design, batch.rows(slice(0, 5)).shifted.design)
