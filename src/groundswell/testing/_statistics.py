"""The conformance suites of statistics and sketches: the laws that make a fold independent of how the data is cut.

Each test states one law; Hypothesis looks for rows and cuts that break it. Whoever writes a statistic subclasses a
suite in its own tests and gives the statistic and a strategy of rows.
"""

import pickle
import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from groundswell.statistics import Batch, Sketch, Statistic, aggregate
from groundswell.testing._batches import targets, whole_weights

__all__ = ["SketchConformance", "StatisticConformance", "assert_same", "cut"]

_FEW = settings(  # many classes inherit one test, so examples that failed in one are not replayed in another
    deadline=None, max_examples=15, database=None, suppress_health_check=[HealthCheck.differing_executors]
)


class StatisticConformance(ABC):
    """The laws of a `Statistic`; see its module for what they say.

    Implement `statistic` and `batches`, and let pytest collect the class:

        class TestMoments(StatisticConformance):
            def statistic(self):
                return Moments()

            def batches(self):
                return numeric_batches(3)
    """

    tolerance = 1e-10
    """How far two results may differ, relative to the largest entry of an array."""

    noise = 1e-12
    """Differences up to this never count: the rounding error of terms of size 1 that cancel to zero."""

    weighted = True
    """Whether the statistic takes weights that are whole numbers."""

    @abstractmethod
    def statistic(self) -> Statistic[Any]:
        """An empty statistic, the prototype of all that the tests make."""

    @abstractmethod
    def batches(self) -> st.SearchStrategy[Batch]:
        """Rows without weights, from none to some dozens."""

    def view(self, result: Any) -> Any:
        """What of a result is determined by the rows; override if it is not all of it."""
        return result

    def same(self, one: Statistic[Any], other: Statistic[Any], tolerance: float | None = None) -> None:
        """Fail unless both say the same, to the tolerance."""
        relative, noise = (self.tolerance, self.noise) if tolerance is None else (tolerance, 0.0)
        assert_same(self.view(one.result()), self.view(other.result()), relative, noise)

    def seen(self, *batches: Batch) -> Statistic[Any]:
        """A statistic that has seen the batches."""
        return aggregate(batches, self.statistic())

    @_FEW
    @given(st.data())
    def test_zero_is_the_identity_of_merge(self, data: st.DataObject) -> None:
        rows = data.draw(self.batches())
        right, left = self.seen(rows), self.statistic().zero()
        right.merge(self.statistic().zero())
        left.merge(self.seen(rows))
        self.same(right, self.seen(rows), 0.0)
        self.same(left, self.seen(rows))

    @_FEW
    @given(st.data())
    def test_merge_is_associative(self, data: st.DataObject) -> None:
        a, b, c = cut(data, data.draw(self.batches()), 3)
        first, second, bc = self.seen(a), self.seen(a), self.seen(b)
        first.merge(self.seen(b))
        first.merge(self.seen(c))
        bc.merge(self.seen(c))
        second.merge(bc)
        self.same(first, second)

    @_FEW
    @given(st.data())
    def test_merge_is_commutative(self, data: st.DataObject) -> None:
        a, b = cut(data, data.draw(self.batches()), 2)
        ab, ba = self.seen(a), self.seen(b)
        ab.merge(self.seen(b))
        ba.merge(self.seen(a))
        self.same(ab, ba)

    @_FEW
    @given(st.data())
    def test_partitioning_does_not_matter(self, data: st.DataObject) -> None:
        rows = data.draw(self.batches())
        total = self.statistic().zero()
        for part in cut(data, rows, 3):
            total.merge(self.seen(*cut(data, part, 2)))
        self.same(total, self.seen(rows))

    @_FEW
    @given(st.data())
    def test_equal_partitions_in_equal_order_give_equal_bits(self, data: st.DataObject) -> None:
        parts = cut(data, data.draw(self.batches()), 3)
        self.same(self.seen(*parts), self.seen(*parts), 0.0)

    @_FEW
    @given(st.data())
    def test_rows_one_by_one(self, data: st.DataObject) -> None:
        rows = data.draw(self.batches())
        self.same(self.seen(*(rows.rows(slice(i, i + 1)) for i in range(len(rows)))), self.seen(rows))

    @_FEW
    @given(st.data())
    def test_an_empty_batch_changes_nothing(self, data: st.DataObject) -> None:
        rows = data.draw(self.batches())
        nothing = rows.rows(slice(0, 0))
        self.same(self.seen(nothing, rows, nothing), self.seen(rows))

    def test_nothing_seen_has_a_result(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            self.statistic().result()
            self.statistic().zero().result()

    @_FEW
    @given(st.data())
    def test_pickles_and_goes_on(self, data: st.DataObject) -> None:
        a, b = cut(data, data.draw(self.batches()), 2)
        travelled = pickle.loads(pickle.dumps(self.seen(a)))  # noqa: S301  # our own bytes
        travelled.update(b)
        self.same(travelled, self.seen(a, b))

    @_FEW
    @given(st.data())
    def test_a_whole_weight_is_a_repetition(self, data: st.DataObject) -> None:
        if self.weighted:
            rows = data.draw(self.batches())
            weights = data.draw(whole_weights(len(rows)))
            repeated = rows.rows(np.repeat(np.arange(len(rows)), weights.astype(np.int64)))
            self.same(self.seen(replace(rows, weights=weights)), self.seen(repeated))

    @_FEW
    @given(st.data())
    def test_whatever_is_in_a_row_of_weight_zero_it_is_not_there(self, data: st.DataObject) -> None:
        if self.weighted:
            rows = data.draw(self.batches())
            keep = data.draw(targets(len(rows), [0.0, 1.0])) > 0
            spoiled = replace(rows, weights=keep.astype(np.float64))
            if isinstance(rows.X, np.ndarray) and rows.X.dtype.kind == "f":
                X = rows.X.copy(order="F")
                X[~keep] = np.inf
                spoiled = replace(spoiled, X=X)
            self.same(self.seen(spoiled), self.seen(rows.rows(np.flatnonzero(keep))))

    @_FEW
    @given(st.data())
    def test_float32_is_summed_as_float64(self, data: st.DataObject) -> None:
        rows = data.draw(self.batches())
        if isinstance(rows.X, np.ndarray) and rows.X.dtype.kind == "f":
            narrow = rows.X.astype(np.float32)
            wide = replace(rows, X=narrow.astype(np.float64))
            self.same(self.seen(replace(rows, X=narrow)), self.seen(wide))

    @_FEW
    @given(st.data())
    def test_row_major_input_gives_the_same(self, data: st.DataObject) -> None:
        rows = data.draw(self.batches())
        if isinstance(rows.X, np.ndarray):
            self.same(self.seen(replace(rows, X=np.ascontiguousarray(rows.X))), self.seen(rows))

    @_FEW
    @given(st.data())
    def test_input_is_neither_changed_nor_kept(self, data: st.DataObject) -> None:
        rows = data.draw(self.batches())
        if isinstance(rows.X, np.ndarray):
            X = rows.X.copy(order="F")
            statistic = self.seen(replace(rows, X=X))
            np.testing.assert_array_equal(X, rows.X)
            X[...] = 1
            self.same(statistic, self.seen(rows), 0.0)

    @_FEW
    @given(st.data())
    def test_merge_neither_changes_nor_keeps_the_other(self, data: st.DataObject) -> None:
        a, b, c = cut(data, data.draw(self.batches()), 3)
        into_empty, into_full, other = self.statistic().zero(), self.seen(a), self.seen(b)
        into_empty.merge(other)
        into_full.merge(other)
        self.same(other, self.seen(b), 0.0)
        into_empty.update(c)
        into_full.update(c)
        self.same(other, self.seen(b), 0.0)
        other.update(c)
        self.same(into_full, self.seen(a, b, c))
        self.same(into_empty, self.seen(b, c))

    @_FEW
    @given(st.data())
    def test_merging_with_itself_is_merging_with_a_copy(self, data: st.DataObject) -> None:
        rows = data.draw(self.batches())
        twice = self.seen(rows)
        twice.merge(twice)
        self.same(twice, self.seen(rows, rows))

    @_FEW
    @given(st.data())
    def test_a_result_does_not_change_with_the_statistic(self, data: st.DataObject) -> None:
        a, b = cut(data, data.draw(self.batches()), 2)
        statistic = self.seen(a)
        before = self.view(statistic.result())
        statistic.update(b)
        assert_same(before, self.view(self.seen(a).result()), 0.0, 0.0)

    @_FEW
    @given(st.data())
    def test_zero_leaves_the_prototype_alone(self, data: st.DataObject) -> None:
        rows = data.draw(self.batches())
        prototype = self.seen(rows)
        prototype.zero().update(rows)
        self.same(prototype, self.seen(rows), 0.0)
        self.same(prototype.zero(), self.statistic(), 0.0)


class SketchConformance(StatisticConformance):
    """The laws of a `Sketch`: those of a statistic for what is exact in it, and the error bound for its answers.

    Implement `check` and `view` beside `statistic` and `batches`. Give data with several hundred rows, and a check that
    holds for certain or with overwhelming probability: three times the bound, where it holds with 99 % confidence.
    """

    @abstractmethod
    def view(self, result: Any) -> Any:
        """What of a result is exact, such as the number of values."""

    @abstractmethod
    def check(self, sketch: Sketch[Any], rows: Batch) -> None:
        """Fail if an answer of the sketch is off by more than its error for these rows."""

    @_FEW
    @given(st.data())
    def test_answers_are_within_the_error(self, data: st.DataObject) -> None:
        rows = data.draw(self.batches())
        self._check(self.seen(rows), rows)

    @_FEW
    @given(st.data())
    def test_answers_after_merging_are_within_the_error(self, data: st.DataObject) -> None:
        rows = data.draw(self.batches())
        total = self.statistic().zero()
        for part in cut(data, rows, 3):
            total.merge(pickle.loads(pickle.dumps(self.seen(*cut(data, part, 2)))))  # noqa: S301  # our own bytes
        self._check(total, rows)

    def _check(self, sketch: Statistic[Any], rows: Batch) -> None:
        assert isinstance(sketch, Sketch)
        assert sketch.error >= 0
        self.check(sketch, rows)


def cut(data: st.DataObject, rows: Batch, n_parts: int) -> list[Batch]:
    """The rows cut into so many consecutive batches, some of which may be empty."""
    ends = sorted(data.draw(st.lists(st.integers(0, len(rows)), min_size=n_parts - 1, max_size=n_parts - 1)))
    bounds = [0, *ends, len(rows)]
    return [rows.rows(slice(start, stop)) for start, stop in pairwise(bounds)]


def assert_same(one: Any, other: Any, tolerance: float, noise: float, path: str = "result") -> None:  # Any: any result
    """Fail unless two results are equal at every depth; numbers to the tolerance, relative to the largest of an array.

    Args:
        one: numbers, arrays, sequences, mappings and dataclasses of them, or anything with an equality.
        other: the same.
        tolerance: relative.
        noise: absolute; differences up to this never count.
        path: where we are, for messages.
    """
    if isinstance(one, np.ndarray | float | int) and not isinstance(one, bool):
        a, b = np.asarray(one, np.float64), np.asarray(other, np.float64)
        assert a.size == b.size == 0 or a.shape == b.shape, f"{path}: {a.shape} and {b.shape}"
        scale = max((np.abs(x[np.isfinite(x)]).max(initial=0.0) for x in (a, b)), default=0.0)
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=max(tolerance * scale, noise), err_msg=path)
        return
    assert type(one) is type(other), f"{path}: {one!r} and {other!r}"
    for name, left, right in _parts(one, other, path):
        assert_same(left, right, tolerance, noise, f"{path}.{name}")


def _parts(one: Any, other: Any, path: str) -> Iterator[tuple[str, Any, Any]]:  # Any: results of any type
    if is_dataclass(one):
        for field in fields(one):
            yield field.name, getattr(one, field.name), getattr(other, field.name)
    elif isinstance(one, Mapping):
        assert set(one) == set(other), f"{path}: keys {sorted(map(str, one))} and {sorted(map(str, other))}"
        for key, value in one.items():
            yield str(key), value, other[key]
    elif isinstance(one, Sequence) and not isinstance(one, str | bytes):
        assert len(one) == len(other), f"{path}: {one!r} and {other!r}"
        for i, (left, right) in enumerate(zip(one, other, strict=True)):
            yield str(i), left, right
    else:
        assert one == other, f"{path}: {one!r} and {other!r}"
