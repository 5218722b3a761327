"""Count: rows and weights."""

from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import strategies as st

from groundswell.statistics import Batch, Count, CountResult, Statistic
from groundswell.testing import StatisticConformance, numeric_batches


class TestCount(StatisticConformance):
    def statistic(self) -> Statistic[Any]:
        return Count()

    def batches(self) -> st.SearchStrategy[Batch]:
        return numeric_batches(2)

    def view(self, result: Any) -> Any:
        return result.weight  # a weight of 2 is one row, not two


def test_rows_of_weight_zero_are_no_rows() -> None:
    count = Count()
    count.update(Batch(y=np.zeros(4), weights=np.array([1.0, 0.0, 2.5, 0.0])))
    count.update(Batch(columns={"a": pa.array([None, "x"])}))
    assert count.result() == CountResult(rows=4, weight=5.5)
