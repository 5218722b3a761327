"""Bins against a search for every value, and their sample against the cut of rows."""

import numpy as np
import pytest

from groundswell.estimators._bins import MAX_VALUES, SAMPLE_ROWS, Bins, BinValues
from groundswell.estimators._row_hash import row_hashes
from groundswell.statistics import Batch, uniform


def bins_of(X, cuts=(0,)):
    """The bins of a column-wise float matrix, whose rows come in parts that begin at `cuts`."""
    seen = BinValues()
    for start, stop in zip(cuts, [*cuts[1:], len(X)], strict=True):
        part = seen.zero()
        part.update(Batch(X=X[start:stop]))
        seen.merge(part)
    names = [str(j) for j in range(X.shape[1])]
    return Bins.of(seen.result(), np.zeros(X.shape[1], bool), names)


@pytest.mark.parametrize("tails", [0.1, 1.0, 8.0])
def test_a_value_s_bin_is_the_number_of_smaller_edges(tails):
    X = np.exp(tails * np.random.default_rng(0).normal(size=(70_000, 1)))
    X[:3] = [[np.nan], [-np.inf], [np.inf]]
    bins = bins_of(X[3:])
    found, edges = bins.bin(X)[:, 0], bins.edges[0]
    assert len(edges) == MAX_VALUES - 1
    assert found[0] == bins.missing
    np.testing.assert_array_equal(found[1:], np.searchsorted(edges, X[1:, 0]))
    for edge in edges:  # values on an edge are not above it
        assert bins.bin(np.full((70_000, 1), edge))[0, 0] == np.searchsorted(edges, edge)


def test_bins_of_many_values_hold_nearly_equally_many():
    """254 bins of a sample of 16,384: a bin has 64.5 sampled rows, so none is beyond half or twice its share."""
    bins = bins_of(np.random.default_rng(1).normal(size=(100_000, 1)))
    counts = np.bincount(bins.bin(np.random.default_rng(2).normal(size=(100_000, 1)))[:, 0], minlength=MAX_VALUES)
    assert counts.min() > 100_000 / MAX_VALUES / 2.5
    assert counts.max() < 100_000 / MAX_VALUES * 2


def test_bins_do_not_depend_on_cut_or_order():
    X = np.random.default_rng(3).normal(size=(40_000, 2))
    shuffled = X[np.random.default_rng(4).permutation(len(X))]
    reference = bins_of(X)
    np.testing.assert_array_equal(bins_of(shuffled, (0, 5, 1000, 30_000)).edges, reference.edges)
    assert len(X) > 2 * SAMPLE_ROWS


def test_a_value_that_fills_half_the_rows_is_a_bin_of_its_own():
    X = np.random.default_rng(5).normal(size=(30_000, 1))
    X[::2] = 0.25
    bins = bins_of(X)
    of_it = bins.bin(np.array([[0.25]]))[0, 0]
    others = bins.bin(X[1::2])[:, 0]
    assert (others == of_it).mean() < 2 / MAX_VALUES


def test_a_bin_for_each_of_few_values_and_one_for_none():
    rng = np.random.default_rng(7)
    X = rng.integers(0, MAX_VALUES, (30_000, 3)).astype(np.float64)
    X[:, 1] = np.where(X[:, 1] < 5, np.nan, -X[:, 1] / 8)
    X[:, 2] = np.where(np.arange(len(X)) < 25_000, 1.5, rng.normal(size=len(X)))  # many values, but late
    bins = bins_of(X, (0, 10, 12_000))
    for j in (0, 1):
        different = np.unique(X[~np.isnan(X[:, j]), j])
        np.testing.assert_array_equal(bins.edges[j, : len(different) - 1], (different[1:] + different[:-1]) / 2)
    assert bins.counts[2] > 1
    found = bins.bin(X)
    np.testing.assert_array_equal(found[:, 0], X[:, 0])
    assert (found[np.isnan(X[:, 1]), 1] == bins.missing).all()


def test_categories_are_their_positions_and_others_are_missing():
    X = np.array([[3.0, 1.0], [-1.0, 2.0], [7.0, 2.0], [np.inf, 1.0]])
    seen = BinValues()
    seen.update(Batch(X=X))
    bins = Bins.of(seen, np.array([True, False]), ["a", "b"])
    asked = np.array([[3.0, 9.0], [np.inf, 0.0], [8.0, 1.5], [np.nan, np.nan], [-np.inf, 2.0]])
    assert bins.bin(asked).tolist() == [[1, 1], [3, 0], [4, 0], [4, 4], [4, 1]]
    assert bins.bin(asked, np.array([1]))[:, 0].tolist() == [0] * 5


def test_a_share_of_the_rows_gives_the_same_sample_where_it_holds_enough():
    X = np.random.default_rng(8).normal(size=(60_000, 2))
    whole, part = BinValues(), BinValues(share=0.35)
    for seen in (whole, part):
        seen.update(Batch(X=X))
    np.testing.assert_array_equal(part.rows, whole.rows)
    small = BinValues(share=0.1)
    small.update(Batch(X=X))
    assert len(small.lots) < SAMPLE_ROWS


def test_hashes_do_not_depend_on_precision_and_draws_are_uniform():
    X = np.random.default_rng(6).normal(size=(20_000, 3)).astype(np.float32)
    np.testing.assert_array_equal(row_hashes(X), row_hashes(X.astype(np.float64)))
    one, other = uniform(row_hashes(X), 0), uniform(row_hashes(X), 1)
    assert abs(one.mean() - 0.5) < 5 / np.sqrt(12 * len(X))
    assert abs(np.corrcoef(one, other)[0, 1]) < 5 / np.sqrt(len(X))
