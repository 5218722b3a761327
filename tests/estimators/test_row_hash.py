"""Hashes of rows: the same for the same numbers, whatever their precision or their last digits, and spread evenly."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundswell.estimators._row_hash import row_hashes
from groundswell.statistics import uniform

ROWS = np.random.default_rng(3).normal(size=(5_000, 4))


def test_precision_and_last_digits_do_not_matter() -> None:
    hashes = row_hashes(ROWS)
    computed = (ROWS * 3.0 - 7.0 + 7.0) / 3.0
    assert not np.array_equal(computed, ROWS)
    assert np.mean(row_hashes(computed) == hashes) > 0.999
    for kind in (">f8", "g"):
        assert np.array_equal(row_hashes(ROWS.astype(kind)), hashes)
    half = ROWS.astype(np.float16)
    assert np.array_equal(row_hashes(half), row_hashes(half.astype(np.float64)))
    single = ROWS.astype(np.float32)
    assert np.array_equal(row_hashes(single), row_hashes(single.astype(np.float64)))


@given(st.floats(1e-300, 1e300), st.integers(2, 1 << 20))
def test_what_differs_in_the_first_digits_differs(value: float, parts: int) -> None:
    other = value * (1 + 1 / parts)
    assert row_hashes(np.array([[value]])) != row_hashes(np.array([[other]]))


def test_columns_cut_into_matrices_hash_alike_and_order_matters() -> None:
    assert np.array_equal(row_hashes(ROWS), row_hashes(ROWS[:, :1], ROWS[:, 1:]))
    assert not np.any(row_hashes(ROWS) == row_hashes(ROWS[:, ::-1]))


def test_special_numbers() -> None:
    assert row_hashes(np.array([[-0.0]])) == row_hashes(np.array([[0.0]]))
    special = np.array([[np.nan], [np.inf], [-np.inf], [0.0]])
    assert len(set(row_hashes(special).tolist())) == len(special)
    missing = np.array([[np.nan], [-np.nan], [np.uint64(0x7FF0000000000123).view(np.float64)]])
    assert len(set(row_hashes(missing).tolist())) == 1


def test_the_same_rows_hash_alike_however_they_lie_in_memory() -> None:
    hashes = row_hashes(ROWS)
    wide = np.zeros((len(ROWS), 8))
    wide[:, ::2] = ROWS
    for rows in (np.asfortranarray(ROWS), wide[:, ::2], np.asfortranarray(np.vstack([ROWS, ROWS]))[: len(ROWS)]):
        assert np.array_equal(row_hashes(rows), hashes)
    assert np.array_equal(np.concatenate([row_hashes(ROWS[:777]), row_hashes(ROWS[777:])]), hashes)


@pytest.mark.parametrize("seed", [0, 1, 99])
def test_draws_are_uniform(seed: int) -> None:
    draws = uniform(row_hashes(ROWS), seed)
    assert draws.min() > 0
    assert draws.max() < 1
    counts = np.bincount((draws * 20).astype(int), minlength=20)
    assert ((counts - 250.0) ** 2 / 250.0).sum() < 43.8  # chi-square with 19 degrees of freedom, 0.999
