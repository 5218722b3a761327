"""CategoryCounts: values of any type, dictionaries that differ."""

from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import strategies as st

from groundswell.errors import ColumnNotFoundError, TypeMismatchError
from groundswell.statistics import Batch, CategoryCounts, CategoryCountsResult, Statistic, aggregate
from groundswell.testing import StatisticConformance, categorical_batches


class TestCategoryCounts(StatisticConformance):
    tolerance = 0.0

    def statistic(self) -> Statistic[Any]:
        return CategoryCounts("one")

    def batches(self) -> st.SearchStrategy[Batch]:
        return categorical_batches("one")


def counts_of(*columns: Any) -> CategoryCountsResult:
    return aggregate((Batch(columns={"c": column}) for column in columns), CategoryCounts("c")).result()


def test_dictionaries_that_differ_between_batches() -> None:
    first = pa.DictionaryArray.from_arrays([0, 1, None, 0], ["x", "y"])
    second = pa.DictionaryArray.from_arrays([0, 1, 2], ["z", "y", "never"]).slice(0, 2)
    result = counts_of(first, second, pa.array(["x"]))
    assert result.values == ["x", "y", "z"]
    assert result.counts.tolist() == [3, 2, 1]
    assert result.missing == 1


def test_a_dictionary_may_hold_nulls_and_repetitions() -> None:
    column = pa.DictionaryArray.from_arrays(pa.array([0, 1, 2, 3, None]), pa.array(["x", None, "x", "y"]))
    result = counts_of(column)
    assert (result.values, result.counts.tolist(), result.missing) == (["x", "y"], [2, 1], 2)


@pytest.mark.parametrize(
    ("column", "values"),
    [
        (pa.array([3, 1, None, 3]), [1, 3]),
        (np.array([3.0, 1.0, np.nan, 3.0]), [1.0, 3.0]),
        (pa.array([True, False, None, True]), [False, True]),
        (pa.array([date(2024, 1, 2), date(2024, 1, 1), None, date(2024, 1, 2)]), [date(2024, 1, 1), date(2024, 1, 2)]),
        (pa.array([Decimal("1.5"), Decimal("0.5"), None, Decimal("1.5")]), [Decimal("0.5"), Decimal("1.5")]),
        (np.array(["b", "a", None, "b"], object), ["a", "b"]),
        (pa.chunked_array([["b", "a"], [None, "b"]]), ["a", "b"]),
    ],
    ids=["int", "float", "bool", "date", "decimal", "object", "chunked"],
)
def test_values_of_any_type(column: Any, values: list[Any]) -> None:
    result = counts_of(column)
    assert result.values == values
    assert result.counts.tolist() == [1, 2]
    assert result.missing == 1


def test_values_that_have_no_order_together_are_refused() -> None:
    with pytest.raises(TypeMismatchError, match="int, str"):
        counts_of(pa.array([1]), pa.array(["a"]))


def test_a_column_that_is_not_there_is_refused_with_the_nearest() -> None:
    with pytest.raises(ColumnNotFoundError, match="Did you mean 'carrier'"):
        CategoryCounts("carier").update(Batch(columns={"carrier": pa.array(["UA"])}))


def test_the_coin_of_the_lecture() -> None:
    """Worked example: of h, t, t, t, h, t the maximum likelihood of heads is 2/6, where θ²(1−θ)⁴ is greatest."""
    result = aggregate([Batch(y=pa.array(list("htttht")))], CategoryCounts()).result()
    assert result.most_common(1) == [("t", 4.0)]
    share = result.counts[0] / result.counts.sum()
    theta = np.linspace(0.01, 0.99, 99)
    likelihood = theta ** result.counts[0] * (1 - theta) ** result.counts[1]
    cross_entropy = -(result.counts[0] * np.log(theta) + result.counts[1] * np.log(1 - theta)) / 6
    assert theta[likelihood.argmax()] == theta[cross_entropy.argmin()] == pytest.approx(share, abs=0.005)


def test_the_posterior_coin_of_the_lecture() -> None:
    """Worked example: 10 heads, 2 tails: 10/12; with the prior Beta(101, 101) the mode is 110/212."""
    heads, tails = aggregate([Batch(y=pa.array(["h"] * 10 + ["t"] * 2))], CategoryCounts()).result().counts
    assert heads / (heads + tails) == 10 / 12
    assert (101 - 1 + heads) / ((101 - 1 + tails) + (101 - 1 + heads)) == 110 / 212
