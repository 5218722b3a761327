"""ClassMoments: mean and (co)variance within classes."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import strategies as st

from groundswell.errors import DataError
from groundswell.statistics import Batch, ByClass, ClassMoments, Moments, Statistic, aggregate
from groundswell.testing import StatisticConformance, labelled_batches


class TestClassVariances(StatisticConformance):
    def statistic(self) -> Statistic[Any]:
        return ClassMoments()

    def batches(self) -> st.SearchStrategy[Batch]:
        return labelled_batches(2)


class TestClassCovariances(StatisticConformance):
    def statistic(self) -> Statistic[Any]:
        return ClassMoments("full")

    def batches(self) -> st.SearchStrategy[Batch]:
        return labelled_batches(2)


def test_classes_that_only_some_partitions_have() -> None:
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((300, 2)), np.repeat(["a", "b", "c"], 100)
    parts = [Batch(X=X[:150], y=y[:150]), Batch(X=X[150:], y=y[150:])]
    for kind in ("diagonal", "full"):
        total = ClassMoments(kind)
        for part in parts:
            total.merge(aggregate([part], ClassMoments(kind)))
        result = total.result()
        assert result.classes == ["a", "b", "c"]
        for k, label in enumerate(result.classes):
            rows = X[y == label]
            expected = rows.var(axis=0) if kind == "diagonal" else np.cov(rows, rowvar=False, ddof=0)
            np.testing.assert_allclose(result.mean[k], rows.mean(axis=0), rtol=1e-12)
            np.testing.assert_allclose(result.covariance()[k], expected, rtol=1e-11)


def test_classes_far_from_each_other_lose_no_digits() -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 1000)
    X = (rng.integers(-8, 9, 1000) / 8 + np.array([0.0, 1e8])[y])[:, None]
    result = aggregate([Batch(X=X, y=y)], ClassMoments()).result()
    for k in (0, 1):
        near = X[y == k, 0] - np.array([0.0, 1e8])[k]
        assert result.covariance()[k, 0] == pytest.approx(near.var(), rel=1e-13)


def test_pooled_is_the_scatter_within_classes() -> None:
    X, y = np.array([[1.0], [3.0], [10.0], [14.0]]), np.array([False, False, True, True])
    result = aggregate([Batch(X=X, y=y)], ClassMoments("full")).result()
    assert result.pooled()[0, 0] == pytest.approx(10.0)
    assert result.classes == [False, True]


def test_rows_without_a_label_are_left_out() -> None:
    X = np.array([[1.0], [2.0], [np.nan]])
    for kind, dropped in (("diagonal", 1.0), ("full", 2.0)):
        result = aggregate([Batch(X=X, y=pa.array(["a", None, "a"]))], ClassMoments(kind)).result()
        assert (result.classes, result.mean.tolist(), result.dropped) == (["a"], [[1.0]], dropped)


def test_many_classes() -> None:
    y = np.arange(40_000) // 1
    result = aggregate([Batch(X=y[:, None] * 1.0, y=y % 33_000)], ClassMoments()).result()
    assert len(result.classes) == 33_000
    assert result.mean[1, 0] == (1 + 33_001) / 2


@pytest.mark.parametrize("weighted", [False, True])
def test_variances_are_those_of_moments_by_class(weighted: bool) -> None:
    rng = np.random.default_rng(1)
    X, names, w = rng.normal(size=(500, 3)) + 1e6, rng.choice(["a", "b", "c"], 500), rng.random(500)
    X[rng.random((500, 3)) < 0.2] = np.nan
    X[names == "c", 1], X[7, 2] = np.nan, np.inf
    y = pa.array([None if i % 50 == 0 else name for i, name in enumerate(names.tolist())])
    parts = [Batch(X=X[i : i + 250], y=y[i : i + 250], weights=w[i : i + 250] if weighted else None) for i in (0, 250)]
    found, expected = (aggregate(parts, s).result() for s in (ClassMoments(), ByClass(Moments())))
    assert found.classes == list(expected)
    for k, of_class in enumerate(expected.values()):
        np.testing.assert_allclose(found.weight[k], of_class.weight, rtol=1e-12)
        np.testing.assert_allclose(found.mean[k], of_class.mean, rtol=1e-12)
        np.testing.assert_allclose(found.scatter[k], of_class.central[0], rtol=1e-9)


def test_a_class_that_comes_with_other_columns_is_refused() -> None:
    moments = ClassMoments()
    moments.update(Batch(X=np.ones((2, 2)), y=np.array([0, 0])))
    with pytest.raises(DataError, match="columns"):
        moments.update(Batch(X=np.ones((2, 3)), y=np.array([1, 1])))


@pytest.mark.parametrize("kind", [">f8", ">f4", "<f2", "g", ">i4", "?"])
def test_numbers_of_any_type_count(kind: str) -> None:
    y = np.array(["a", "b"] * 3)
    X = np.array([[1, 0], [0, 1], [3, 1], [2, 0], [5, 1], [9, 0]])
    moments = aggregate([Batch(X=X.astype(float), y=y), Batch(X=X.astype(kind), y=y)], ClassMoments()).result()
    expected = X.astype(kind).astype(float)
    both = np.concatenate([X.astype(float), expected])
    for k, label in enumerate("ab"):
        rows = both[np.tile(y, 2) == label]
        np.testing.assert_allclose(moments.mean[k], rows.mean(axis=0), rtol=1e-12)
        np.testing.assert_allclose(moments.covariance()[k], rows.var(axis=0), rtol=1e-12, atol=1e-15)


def test_differences_that_overflow_are_not_missing() -> None:
    result = aggregate([Batch(X=np.array([[1.7e308], [-1.7e308], [1e308], [2.0]]), y=np.zeros(4))], ClassMoments())
    assert result.result().weight.tolist() == [[4.0]]


def test_values_of_a_dictionary_that_no_row_has_are_no_classes() -> None:
    labels = pa.array([7, None, 7, 3], pa.int32())
    y = pa.DictionaryArray.from_arrays(labels, pa.array([f"v{i}" for i in range(1000)]))
    result = aggregate([Batch(X=np.array([[1.0], [5.0], [3.0], [8.0]]), y=y)], ClassMoments()).result()
    assert result.classes == ["v3", "v7"]
    assert result.mean.tolist() == [[8.0], [2.0]]
    assert result.dropped == 1
