"""ScoreCounts and the bins under it: laws, scores as they are, and scores that share bins."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundswell.errors import DataError
from groundswell.statistics import Batch, ScoreCounts, Statistic, aggregate
from groundswell.statistics._level_counts import LevelCounts
from groundswell.testing import StatisticConformance, numeric_batches


class TestScoreCounts(StatisticConformance):
    tolerance = 1e-12

    def statistic(self) -> Statistic[Any]:
        return ScoreCounts()

    def batches(self) -> st.SearchStrategy[Batch]:
        return numeric_batches(1, target=(0.0, 1.0, 2.0), missing=False)


class TestScoreCountsInFewBins(TestScoreCounts):
    """Bins follow from the set of scores, so even joined ones do not depend on partitions."""

    def statistic(self) -> Statistic[Any]:
        return ScoreCounts(positive=2.0, max_scores=4)


def test_few_scores_are_counted_one_by_one_with_weights() -> None:
    batch = Batch(X=np.array([[0.5], [-0.0], [0.5], [0.0]]), y=np.array([1, 0, 0, 1]), weights=np.array([1, 2, 0.5, 3]))
    result = aggregate([batch], ScoreCounts()).result()
    assert result.thresholds.tolist() == [0.5, 0.0]
    assert (result.positive.tolist(), result.negative.tolist(), result.exact) == ([1.0, 3.0], [0.5, 2.0], True)


@given(st.lists(st.floats(allow_nan=False), min_size=1, max_size=60), st.integers(2, 8))
def test_joined_bins_hold_what_lies_between_their_ends(scores: list[float], max_bins: int) -> None:
    counts = LevelCounts(1, max_bins)
    counts.add(np.array(scores), np.ones((1, len(scores))))
    low, high = counts.lowest(), counts.highest()
    assert 1 <= len(low) <= max_bins
    assert (low <= high).all()
    assert (high[:-1] < low[1:]).all()
    for a, b, n in zip(low, high, counts.sums[0], strict=True):
        assert sum(a <= score <= b for score in scores) == n
    if len(set(scores)) <= max_bins:
        assert low.tolist() == high.tolist() == sorted(set(scores))


def test_bins_are_narrow_relative_to_the_scores() -> None:
    scores = np.random.default_rng(0).uniform(0.01, 1, 100_000)
    counts = LevelCounts(1, 65_536)
    counts.add(scores, np.ones((1, len(scores))))
    assert counts.level > 0
    assert (counts.highest() / counts.lowest()).max() < 1 + 2**-13


@pytest.mark.parametrize("bad", [np.nan, None])
def test_a_row_without_score_or_label_is_refused(bad: float | None) -> None:
    score, label = (0.5, np.nan) if bad is None else (bad, 1.0)
    with pytest.raises(DataError, match="1 rows have a score or a label that is NaN"):
        ScoreCounts().update(Batch(X=np.array([[score], [0.1]]), y=np.array([label, 0.0])))


def test_settings_that_mean_nothing_and_others_than_ours_are_refused() -> None:
    with pytest.raises(DataError, match="1 scores cannot rank"):
        ScoreCounts(max_scores=1)
    with pytest.raises(DataError, match="max_scores"):
        ScoreCounts().merge(ScoreCounts(max_scores=None))
    with pytest.raises(DataError, match="columns of scores"):
        ScoreCounts().update(Batch(X=np.zeros((1, 2)), y=np.zeros(1)))
