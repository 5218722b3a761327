"""ValueRange: exact extremes of any ordered type."""

from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import strategies as st

from groundswell.statistics import Batch, Statistic, ValueRange, aggregate
from groundswell.testing import StatisticConformance
from groundswell.testing._batches import categorical_batches


class TestValueRange(StatisticConformance):
    def statistic(self) -> Statistic[Any]:
        return ValueRange("c")

    def batches(self) -> st.SearchStrategy[Batch]:
        return categorical_batches("c")


@pytest.mark.parametrize(
    ("column", "low", "high"),
    [
        (pa.array([2**63 - 1, 2**63 - 2, None]), 2**63 - 2, 2**63 - 1),
        (pa.array(["b", "", "ä"]), "", "ä"),
        (pa.array(["b", None, "a"]).dictionary_encode(), "a", "b"),
        (pa.array([Decimal("0.1"), Decimal("-1234567890123456.7")]), Decimal("-1234567890123456.7"), Decimal("0.1")),
        (pa.array([date(2024, 2, 29), date(1969, 12, 31)]), date(1969, 12, 31), date(2024, 2, 29)),
        (pa.array([True, None]), True, True),
        (np.array([np.nan, np.inf, 0.5]), 0.5, np.inf),
        (pa.array([np.nan, None]), None, None),
        (pa.array([], pa.string()), None, None),
    ],
)  # fmt: skip
def test_ranges_are_exact(column: Any, low: Any, high: Any) -> None:
    found = aggregate([Batch(columns={"c": column})], ValueRange("c")).result()
    assert (found.minimum, found.maximum) == (low, high)


def test_the_target_is_the_column_if_none_is_named() -> None:
    assert aggregate([Batch(y=pa.array([3, 1, 2]))], ValueRange()).result().maximum == 3
