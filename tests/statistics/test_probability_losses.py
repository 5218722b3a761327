"""ProbabilityLosses against scikit-learn."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss, log_loss

from groundswell.errors import DataError
from groundswell.statistics import Batch, ProbabilityLosses, Statistic, aggregate
from groundswell.testing import StatisticConformance, numeric_batches


def softmax(batch: Batch) -> Batch:
    raised = np.exp(batch.matrix)
    return replace(batch, X=np.asfortranarray(raised / raised.sum(axis=1, keepdims=True)))


class TestProbabilityLosses(StatisticConformance):
    def statistic(self) -> Statistic[Any]:
        return ProbabilityLosses()

    def batches(self) -> st.SearchStrategy[Batch]:
        return numeric_batches(3, target=(0.0, 1.0, 2.0), missing=False, far=False).map(softmax)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_losses_are_those_of_scikit_learn(n_classes: int) -> None:
    rng = np.random.default_rng(0)
    said = rng.dirichlet(np.ones(n_classes), 200)
    said[0] = [1.0, *[0.0] * (n_classes - 1)]
    came, w = rng.integers(0, n_classes, 200), rng.uniform(0, 2, 200)
    came[0] = 1
    result = aggregate([Batch(X=said, y=came, weights=w)], ProbabilityLosses()).result()
    assert result.log_loss == pytest.approx(log_loss(came, said, sample_weight=w), rel=1e-12)
    half = 0.5 if n_classes == 2 else 1.0
    said_of = said[:, 1] if n_classes == 2 else said
    assert result.brier * half == pytest.approx(brier_score_loss(came, said_of, sample_weight=w), rel=1e-12)


@pytest.mark.parametrize("row", [[0.5, 0.6], [1.5, -0.5], [np.nan, 0.5], [np.inf, -np.inf]])
def test_rows_that_are_no_distribution_are_refused(row: list[float]) -> None:
    with pytest.raises(DataError, match="1 rows are no probabilities of classes"):
        ProbabilityLosses().update(Batch(X=np.array([[0.5, 0.5], row]), y=np.zeros(2)))


@pytest.mark.parametrize("label", [2, -1, 0.5])
def test_a_class_without_probabilities_is_refused(label: float) -> None:
    with pytest.raises(DataError, match="is the number of no class"):
        ProbabilityLosses().update(Batch(X=np.array([[0.5, 0.5]]), y=np.array([label])))


def test_other_classes_than_before_are_refused() -> None:
    losses = aggregate([Batch(X=np.array([[0.5, 0.5]]), y=np.zeros(1))], ProbabilityLosses())
    with pytest.raises(DataError, match="classes"):
        losses.update(Batch(X=np.array([[0.2, 0.2, 0.6]]), y=np.zeros(1)))
    assert np.isnan(ProbabilityLosses().result().brier)
