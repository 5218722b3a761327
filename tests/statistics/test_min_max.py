"""MinMax: ranges."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

from groundswell.statistics import Batch, MinMax, Statistic
from groundswell.testing import StatisticConformance, numeric_batches


class TestMinMax(StatisticConformance):
    tolerance = 0.0

    def statistic(self) -> Statistic[Any]:
        return MinMax()

    def batches(self) -> st.SearchStrategy[Batch]:
        return numeric_batches(2)


def test_missing_values_are_left_out_and_infinite_ones_are_values() -> None:
    span = MinMax()
    span.update(Batch(X=np.array([[np.nan, -np.inf, np.nan], [2.0, 1.0, np.nan]], np.float32)))
    span.update(Batch(X=np.array([[7, 3, 1]])))
    np.testing.assert_array_equal(span.result().minimum, [2.0, -np.inf, 1.0])
    np.testing.assert_array_equal(span.result().maximum, [7.0, 3.0, 1.0])


def test_a_column_without_values_has_no_range() -> None:
    span = MinMax()
    span.update(Batch(X=np.full((3, 1), np.nan)))
    assert np.isnan(span.result().minimum[0])
    assert np.isnan(span.result().maximum[0])
