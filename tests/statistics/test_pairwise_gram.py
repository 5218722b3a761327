"""PairwiseGram: correlations of pairwise complete observations."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import strategies as st

from groundswell.errors import DataError
from groundswell.statistics import Batch, PairwiseGram, Statistic, aggregate
from groundswell.testing import StatisticConformance
from groundswell.testing._batches import numeric_batches


class TestPairwiseGram(StatisticConformance):
    tolerance = 1e-9

    def statistic(self) -> Statistic[Any]:
        return PairwiseGram()

    def batches(self) -> st.SearchStrategy[Batch]:
        return numeric_batches(3)


def gaps(seed: int = 0, n_rows: int = 500) -> np.ndarray:
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n_rows, 4)) @ rng.standard_normal((4, 4)) + [0.0, 1e6, -5.0, 3.0]
    X[rng.random(X.shape) < 0.3] = np.nan
    return X


def test_correlations_are_those_of_pandas() -> None:
    X = gaps()
    gram = aggregate([Batch(X=part) for part in np.array_split(X, 7)], PairwiseGram())
    expected = pd.DataFrame(X).corr().to_numpy()
    np.testing.assert_allclose(gram.result().correlation(), expected, rtol=1e-9)
    np.testing.assert_array_equal(np.diag(gram.result().weight), (~np.isnan(X)).sum(axis=0))
    np.testing.assert_allclose(np.diag(gram.result().mean), np.nanmean(X, axis=0))


def test_columns_that_lie_far_from_zero_keep_their_correlation() -> None:
    rng = np.random.default_rng(1)
    x = rng.standard_normal(1000)
    far = np.column_stack([x + 1e8, 2 * x + 1e8 + rng.standard_normal(1000)])
    found = aggregate([Batch(X=far[:400]), Batch(X=far[400:])], PairwiseGram()).result().correlation()
    assert found[0, 1] == pytest.approx(np.corrcoef((far - 1e8).T)[0, 1], rel=1e-7)


def test_constant_columns_and_columns_that_never_meet_have_no_correlation() -> None:
    X = np.array([[1.0, 5.0, np.nan], [2.0, 5.0, np.nan], [np.nan, 5.0, 1.0], [np.nan, 5.0, 2.0]])
    found = aggregate([Batch(X=X)], PairwiseGram()).result().correlation()
    np.testing.assert_array_equal(found, [[1.0, np.nan, np.nan], [np.nan] * 3, [np.nan, np.nan, 1.0]])


def test_an_infinite_value_spoils_its_own_column_only() -> None:
    X = np.array([[1.0, 2.0, np.inf], [2.0, 3.0, 0.0], [4.0, 1.0, np.nan]])
    found = aggregate([Batch(X=X)], PairwiseGram()).result().correlation()
    assert found[0, 1] == pytest.approx(np.corrcoef(X[:, 0], X[:, 1])[0, 1])
    assert np.isnan(found[2]).all()


def test_other_columns_in_another_order() -> None:
    X = gaps(2)
    chosen = aggregate([Batch(X=X)], PairwiseGram()).over([2, None, 0])
    more = aggregate([Batch(X=gaps(3)[:, :3])], PairwiseGram())
    chosen.merge(more)
    frame = pd.concat([pd.DataFrame({0: X[:, 2], 2: X[:, 0]}), pd.DataFrame(gaps(3)[:, :3])])
    np.testing.assert_allclose(chosen.result().correlation(), frame[[0, 1, 2]].corr(), rtol=1e-9)


def test_another_number_of_columns_is_refused() -> None:
    with pytest.raises(DataError, match="columns"):
        aggregate([Batch(X=np.zeros((2, 2))), Batch(X=np.zeros((2, 3)))], PairwiseGram())
