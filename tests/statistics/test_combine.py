"""Statistics made of statistics."""

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import strategies as st

from groundswell.errors import ColumnNotFoundError, DataError, TypeMismatchError
from groundswell.statistics import (
    Batch,
    ByClass,
    CategoryCounts,
    Gram,
    MinMax,
    Moments,
    Over,
    Statistic,
    Sum,
    Together,
    aggregate,
)
from groundswell.testing import StatisticConformance, labelled_batches, numeric_batches


class TestByClass(StatisticConformance):
    def statistic(self) -> Statistic[Any]:
        return ByClass(Together({"sum": Sum(), "range": MinMax()}))

    def batches(self) -> st.SearchStrategy[Batch]:
        return labelled_batches(2)


class TestByClassOfAColumn(TestByClass):
    def statistic(self) -> Statistic[Any]:
        return ByClass(Sum(), "group")

    def batches(self) -> st.SearchStrategy[Batch]:
        return labelled_batches(2).map(lambda rows: replace(rows, y=None, columns={"group": rows.labels}))


def test_groups_of_one_column_do_not_join_those_of_another() -> None:
    with pytest.raises(DataError, match="column 'a' cannot take in one with 'b'"):
        ByClass(Sum(), "a").merge(ByClass(Sum(), "b"))


class TestOver(StatisticConformance):
    def statistic(self) -> Statistic[Any]:
        return Together({"first": Over(["b", "a"], Moments()), "count": Over(["a"], Gram())})

    def batches(self) -> st.SearchStrategy[Batch]:
        return numeric_batches(2).map(lambda rows: replace(rows, names=("a", "b")))


def test_together_converts_a_block_once_for_all_parts() -> None:
    seen = []

    class Remember:
        def zero(self) -> "Remember":
            return self

        def update(self, batch: Batch) -> None:
            seen.append(batch.shifted.design)

        def merge(self, other: "Remember") -> None:
            raise NotImplementedError

        def result(self) -> None:
            return None

    Together({"one": Remember(), "two": Remember()}).update(Batch(X=np.zeros((200_000, 3), np.float32)))
    assert len(seen) > 2
    assert all(first is second for first, second in zip(seen[::2], seen[1::2], strict=True))


def test_a_part_that_drops_rows_does_not_disturb_its_neighbours() -> None:
    X = np.random.default_rng(0).standard_normal((50_000, 2)) + 5
    X[::100, 0] = np.nan
    parts = {"gram": Gram(), "moments": Moments(), "again": Gram()}
    result = aggregate([Batch(X=X)], Together(parts)).result()
    assert result["gram"].dropped == 500
    np.testing.assert_allclose(result["moments"].mean, np.nanmean(X, axis=0), rtol=1e-13)
    np.testing.assert_array_equal(result["gram"].scatter, result["again"].scatter)


def test_other_parts_are_refused_by_merge() -> None:
    with pytest.raises(DataError, match="names"):
        Together({"a": Moments()}).merge(Together({"b": Moments()}))
    with pytest.raises(DataError, match="columns"):
        Over(["a"], Moments()).merge(Over(["b"], Moments()))


def test_over_takes_named_columns_and_columns_of_x() -> None:
    batch = Batch(
        X=np.array([[1.0, 2.0, 3.0]]), names=("a", "b", "c"), columns={"d": pa.array([4]), "s": pa.array(["x"])}
    )
    assert aggregate([batch], Over(["c", "a"], Moments())).result().mean.tolist() == [3.0, 1.0]
    assert aggregate([batch], Over(["d"], Moments())).result().mean.tolist() == [4.0]
    with pytest.raises(ColumnNotFoundError, match="'e'"):
        Over(["e"], Moments()).update(batch)
    with pytest.raises(TypeMismatchError, match="'s' has the type string"):
        Over(["s"], Moments()).update(batch)


def test_classes_nest() -> None:
    batch = Batch(columns={"x": np.array([1.0, 2.0, 5.0]), "c": pa.array(["p", "q", "p"])}, y=np.array(["a", "a", "b"]))
    result = aggregate([batch], ByClass(Together({"m": Over(["x"], Moments()), "n": CategoryCounts("c")}))).result()
    assert result["a"]["m"].mean.tolist() == [1.5]
    assert result["b"]["n"].values == ["p"]
