"""RegressionErrors against scikit-learn."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st
from sklearn import metrics as skm

from groundswell.errors import DataError
from groundswell.statistics import Batch, RegressionErrors, Statistic, aggregate
from groundswell.testing import StatisticConformance, numeric_batches


class TestRegressionErrors(StatisticConformance):
    def statistic(self) -> Statistic[Any]:
        return RegressionErrors()

    def batches(self) -> st.SearchStrategy[Batch]:
        return numeric_batches(1, target=(-2.0, 0.5, 1.0, 7.0), missing=False, far=False)


class TestRegressionErrorsInFewBins(TestRegressionErrors):
    def statistic(self) -> Statistic[Any]:
        return RegressionErrors(max_sizes=3)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("offset", [0.0, 1e7])
def test_figures_are_those_of_scikit_learn(weighted: bool, offset: float) -> None:
    rng = np.random.default_rng(0)
    came = rng.normal(offset, 3, 301)
    said = came + rng.normal(0.5, 1, 301)
    w = rng.uniform(0.1, 2, 301) if weighted else None
    parts = [slice(0, 100), slice(100, 100), slice(100, 301)]
    batches = [Batch(X=said[p, None], y=came[p], weights=None if w is None else w[p]) for p in parts]
    found = aggregate(batches, RegressionErrors()).result()
    for value, oracle in {
        found.rmse: skm.root_mean_squared_error,
        found.mae: skm.mean_absolute_error,
        found.r2: skm.r2_score,
        found.explained_variance: skm.explained_variance_score,
        found.mape: skm.mean_absolute_percentage_error,
        found.median_absolute_error: skm.median_absolute_error,
    }.items():
        assert value == pytest.approx(oracle(came, said, sample_weight=w), rel=1e-9)
    assert found.max_error == skm.max_error(came, said)
    assert found.median_error == 0.0


def test_the_median_of_many_errors_is_within_its_bound() -> None:
    said = np.random.default_rng(0).lognormal(0, 2, 20_000)
    found = aggregate([Batch(X=said[:, None], y=np.zeros(20_000))], RegressionErrors(max_sizes=500)).result()
    assert 0 < found.median_error < 0.02 * found.median_absolute_error
    assert abs(found.median_absolute_error - np.median(said)) <= found.median_error


def test_an_even_number_of_errors_has_its_median_between() -> None:
    found = aggregate([Batch(X=np.array([[1.0], [3.0]]), y=np.zeros(2))], RegressionErrors()).result()
    assert (found.median_absolute_error, found.median_error) == (2.0, 0.0)


def test_without_variance_nothing_is_explained() -> None:
    found = aggregate([Batch(X=np.array([[1.0], [3.0]]), y=np.array([5.0, 5.0]))], RegressionErrors()).result()
    assert math.isnan(found.r2)
    assert math.isnan(found.explained_variance)
    assert math.isnan(RegressionErrors().result().rmse)


@pytest.mark.parametrize(("said", "came", "what"), [(np.nan, 1, "prediction"), (1, np.inf, "value")])
def test_what_is_no_number_is_refused(said: float, came: float, what: str) -> None:
    with pytest.raises(DataError, match=f"1 rows have a {what} that is"):
        RegressionErrors().update(Batch(X=np.array([[said], [1.0]], float), y=np.array([came, 1.0], float)))
