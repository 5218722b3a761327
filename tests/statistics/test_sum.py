"""Sum against math.fsum, which is exact."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st

from groundswell.errors import DataError
from groundswell.statistics import Batch, Statistic, Sum, aggregate
from groundswell.testing import StatisticConformance, numeric_batches


class TestSum(StatisticConformance):
    tolerance = 1e-15

    def statistic(self) -> Statistic[Any]:
        return Sum()

    def batches(self) -> st.SearchStrategy[Batch]:
        return numeric_batches(2)


@pytest.mark.parametrize("scale", [1.0, 1e8, 1e15])
def test_it_is_as_exact_as_fsum_under_cancellation(scale: float) -> None:
    rng = np.random.default_rng(7)
    x = rng.standard_normal(40_000) * scale ** rng.random(40_000)
    x = np.concatenate([x, -x[rng.permutation(len(x))], rng.standard_normal(100) * 1e-3])
    total = aggregate((Batch(X=part.reshape(-1, 1)) for part in np.array_split(x, 7)), Sum())
    assert total.result().total[0] == pytest.approx(math.fsum(x), rel=1e-15)
    if scale > 1:
        assert x.sum() != pytest.approx(math.fsum(x), rel=1e-13), "a plain sum would have done"


def test_order_does_not_matter_to_the_last_digit() -> None:
    x = np.random.default_rng(3).lognormal(sigma=10, size=10_000)
    sums = {
        float(aggregate([Batch(X=x[np.random.default_rng(i).permutation(len(x))][:, None])], Sum()).result().total[0])
        for i in range(5)
    }
    assert sums == {math.fsum(x)}


def test_infinite_values_give_infinite_sums_of_their_column_only() -> None:
    total = Sum()
    total.update(Batch(X=np.array([[np.inf, 1.0], [1.0, 2.0]])))
    np.testing.assert_array_equal(total.result().total, [np.inf, 3.0])


def test_missing_values_are_left_out_and_all_missing_sum_to_zero() -> None:
    total = Sum()
    total.update(Batch(X=np.array([[np.nan, 1.0], [np.nan, np.nan]]), weights=np.array([2.0, 3.0])))
    np.testing.assert_array_equal(total.result().total, [0.0, 2.0])
    np.testing.assert_array_equal(total.result().weight, [0.0, 2.0])


def test_integers_and_booleans_are_numbers() -> None:
    total = Sum()
    total.update(Batch(X=np.array([[True], [True], [False]])))
    total.update(Batch(X=np.array([[2**40]])))
    assert total.result().total[0] == 2**40 + 2


def test_another_number_of_columns_is_refused() -> None:
    total = Sum()
    total.update(Batch(X=np.zeros((1, 2))))
    with pytest.raises(DataError, match="Rows with 3 columns cannot join rows with 2"):
        total.update(Batch(X=np.zeros((1, 3))))
