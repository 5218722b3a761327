"""Curves and thresholds against scikit-learn, and the bounds of curves from few bins."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as skm

from groundswell.errors import DataError
from groundswell.models import Ranking
from groundswell.statistics import Batch, ScoreCounts, aggregate

ROWS = st.lists(
    st.tuples(st.integers(0, 9).map(lambda n: n / 8), st.booleans(), st.integers(1, 3)), min_size=2, max_size=40
).filter(lambda rows: len({truth for _, truth, _ in rows}) == 2)
MANY = st.integers(0, 10_000).map(
    lambda seed: [
        (float(score), bool(score + noise > 0), 1)
        for score, noise in np.random.default_rng(seed).normal(size=(60, 2)).round(2)
    ]
)


def ranked(rows: list[tuple[float, bool, int]], max_scores: int | None = None) -> Ranking:
    scores, truth, weights = (np.array(column, float) for column in zip(*rows, strict=True))
    counts = aggregate([Batch(X=scores[:, None], y=truth, weights=weights)], ScoreCounts(max_scores=max_scores))
    return Ranking(counts.result())


@settings(deadline=None, max_examples=40)
@given(ROWS)
def test_curves_are_those_of_scikit_learn(rows: list[tuple[float, bool, int]]) -> None:
    scores, truth, weights = zip(*rows, strict=True)
    roc, pr = ranked(rows).roc(), ranked(rows).precision_recall()
    fpr, tpr, thresholds = skm.roc_curve(truth, scores, sample_weight=weights, drop_intermediate=False)
    np.testing.assert_allclose(roc.false_positive_rate, fpr, atol=1e-12)
    np.testing.assert_allclose(roc.true_positive_rate, tpr, atol=1e-12)
    np.testing.assert_array_equal(roc.thresholds, thresholds)
    assert roc.auc == pytest.approx(skm.roc_auc_score(truth, scores, sample_weight=weights), abs=1e-12)
    precision, recall, thresholds = skm.precision_recall_curve(truth, scores, sample_weight=weights)
    np.testing.assert_allclose(pr.precision[::-1], precision, atol=1e-12)
    np.testing.assert_allclose(pr.recall[::-1], recall, atol=1e-12)
    np.testing.assert_array_equal(pr.thresholds[:0:-1], thresholds)
    assert pr.average_precision == pytest.approx(skm.average_precision_score(truth, scores, sample_weight=weights))
    assert roc.error == pr.error == 0.0


@settings(deadline=None, max_examples=40)
@given(MANY.filter(lambda rows: len({truth for _, truth, _ in rows}) == 2), st.integers(2, 12))
def test_areas_from_few_bins_are_within_their_bounds(rows: list[tuple[float, bool, int]], max_scores: int) -> None:
    rough, exact = ranked(rows, max_scores), ranked(rows)
    assert abs(rough.roc().auc - exact.roc().auc) <= rough.roc().error + 1e-12
    ours, theirs = rough.precision_recall(), exact.precision_recall()
    assert abs(ours.average_precision - theirs.average_precision) <= ours.error + 1e-12
    corners = set(zip(exact.roc().false_positive_rate, exact.roc().true_positive_rate, strict=True))
    assert corners >= set(zip(rough.roc().false_positive_rate, rough.roc().true_positive_rate, strict=True))


def test_the_bounds_are_reached() -> None:
    """One bin in which the positive rows are all above the others, or all below."""
    for sign in (1, -1):
        rows = [(1 + sign * i * 1e-12, i > 0, 1) for i in (-3, -2, -1, 1, 2)] + [(-1.0, False, 1)]
        rough = replace(ranked(rows, 2).roc())
        exact = ranked(rows).roc()
        assert abs(rough.auc - exact.auc) == pytest.approx(rough.error)
        assert rough.error > 0.3


def test_many_bins_have_a_small_bound() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random(100_000) < 0.2
    scores = 1 / (1 + np.exp(-rng.normal(truth, 1)))
    counts = aggregate([Batch(X=scores[:, None], y=truth.astype(float))], ScoreCounts())
    roc, pr = Ranking(counts.result()).roc(), Ranking(counts.result()).precision_recall()
    assert abs(roc.auc - skm.roc_auc_score(truth, scores)) <= roc.error < 1e-5
    assert abs(pr.average_precision - skm.average_precision_score(truth, scores)) <= pr.error < 1e-3


@settings(deadline=None, max_examples=30)
@given(ROWS, st.sampled_from([0.5, 1.0, 2.0]))
def test_no_threshold_has_a_better_f(rows: list[tuple[float, bool, int]], beta: float) -> None:
    scores, truth, weights = (np.array(column) for column in zip(*rows, strict=True))
    best = ranked(rows).threshold_by_f(beta)

    def f(threshold: float) -> float:
        said = scores >= threshold
        return float(skm.fbeta_score(truth, said, beta=beta, sample_weight=weights, zero_division=0.0))

    assert best.f == pytest.approx(f(best.value)) == pytest.approx(max(map(f, set(scores))))
    said = scores >= best.value
    assert best.precision == pytest.approx(skm.precision_score(truth, said, sample_weight=weights))
    assert best.recall == pytest.approx(skm.recall_score(truth, said, sample_weight=weights))
    assert best.flagged == pytest.approx(weights[said].sum() / weights.sum())


@settings(deadline=None, max_examples=30)
@given(ROWS, st.tuples(*[st.integers(-2, 9)] * 4))
def test_no_threshold_costs_less(rows: list[tuple[float, bool, int]], costs: tuple[int, ...]) -> None:
    cost = np.array(costs, float).reshape(2, 2)
    best = ranked(rows).threshold_by_cost(cost)

    def mean(threshold: float) -> float:
        total = sum(weight * cost[int(truth), int(score >= threshold)] for score, truth, weight in rows)
        return float(total / sum(weight for _, _, weight in rows))

    assert best.cost == pytest.approx(mean(best.value))
    assert best.cost == pytest.approx(min(map(mean, [np.inf, *(score for score, _, _ in rows)])))


def test_cancer_is_treated_as_soon_as_it_is_likelier_than_one_in_1001() -> None:
    """Worked example: a missed cancer costs 1000, a false alarm 1; here the probabilities are right."""
    rows = [row for k in range(1, 6) for row in [(k / 2002, True, k), (k / 2002, False, 2002 - k)]]
    assert ranked(rows).threshold_by_cost([[0, 1], [1000, 0]]).value == 3 / 2002  # 2/2002 = 1/1001 is indifferent


def test_gain_and_lift() -> None:
    gain = ranked([(0.9, True, 1), (0.8, False, 1), (0.7, True, 1), (0.1, False, 1)]).gain()
    assert gain.share.tolist() == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert gain.gain.tolist() == [0.0, 0.5, 0.5, 1.0, 1.0]
    assert gain.lift[1:].tolist() == pytest.approx([2.0, 1.0, 4 / 3, 1.0])
    assert gain.at(0.125) == 0.25


@pytest.mark.parametrize("n_points", [2, 20])
def test_a_thinned_curve_keeps_corners_and_the_best_f(n_points: int) -> None:
    rng = np.random.default_rng(0)
    exact = ranked([(float(s), bool(s + rng.normal() > 0), 1) for s in rng.normal(size=500)])
    thin = exact.thinned(n_points)
    assert len(thin.counts.thresholds) <= n_points + 1
    ours, theirs = thin.threshold_by_f(1.0), exact.threshold_by_f(1.0)
    assert (ours.value, ours.f, ours.recall) == (theirs.value, theirs.f, theirs.recall)
    assert thin.counts.positive.sum() == exact.counts.positive.sum()
    assert abs(thin.roc().auc - exact.roc().auc) <= thin.roc().error
    assert set(thin.roc().thresholds) <= set(exact.roc().thresholds)
    assert exact.thinned(10_000) is exact


def test_a_curve_of_infinite_scores_goes_through_json() -> None:
    ranking = ranked([(np.inf, True, 1), (0.0, False, 1), (-np.inf, True, 1)])
    again = Ranking.from_dict(ranking.to_dict())
    assert again.roc().thresholds.tolist() == ranking.roc().thresholds.tolist()
    assert again.roc().auc == 0.5


def test_what_is_no_cost_and_no_beta_is_refused() -> None:
    ranking = ranked([(1.0, True, 1), (0.0, False, 1)])
    for cost in ([1, 2], [[0, np.nan], [1, 0]]):
        with pytest.raises(DataError, match="no matrix of 2 × 2"):
            ranking.threshold_by_cost(cost)
    with pytest.raises(DataError, match="beta is 0"):
        ranking.threshold_by_f(0)
