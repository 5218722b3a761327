"""Statistics as bytes, without pickle."""

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from groundswell.errors import CorruptionError, TypeMismatchError, VersionError
from groundswell.statistics import (
    TSQR,
    Batch,
    ByClass,
    CalibrationBins,
    CategoryCounts,
    ClassMoments,
    ClusterSums,
    ContingencyTable,
    Count,
    CrossProduct,
    DistinctSketch,
    FrequentItems,
    GradientSums,
    Gram,
    Histogram,
    MinMax,
    MixtureResponsibilities,
    Moments,
    Over,
    PairwiseGram,
    ProbabilityLosses,
    QuantileSketch,
    RegressionErrors,
    ScoreCounts,
    SplitHistograms,
    Statistic,
    Sum,
    Together,
    ValueRange,
    aggregate,
    from_bytes,
    to_bytes,
)
from groundswell.testing._statistics import assert_same

X = np.random.default_rng(0).standard_normal((40, 2))
ROWS = Batch(
    X=X,
    y=(X[:, 0] > 0).astype(float),
    names=("a", "b"),
    columns={
        "c": pa.array(["x", None, "y", "z"] * 10),
        "d": pa.array([date(2024, 1, 1), None] * 20),
        "bin": np.arange(40, dtype=np.uint8) % 4,
        "p": np.arange(40) / 40,
        "q": 1 - np.arange(40) / 40,
    },
)
STATISTICS: dict[str, Callable[[], Statistic[Any]]] = {
    "count": Count,
    "sum": Sum,
    "moments": lambda: Moments(4),
    "range": MinMax,
    "gram": Gram,
    "pairwise": PairwiseGram,
    "extremes": lambda: ValueRange("d"),
    "cross product": CrossProduct,
    "tsqr": TSQR,
    "histogram": lambda: Histogram([-1.0, 0.0, 1.0]),
    "text": lambda: CategoryCounts("c"),
    "dates": lambda: CategoryCounts("d"),
    "contingency": lambda: ContingencyTable("c", "d"),
    "classes": lambda: ClassMoments("full"),
    "clusters": lambda: ClusterSums([[0.0, 0.0], [1.0, 1.0]]),
    "logistic": lambda: GradientSums("logistic", np.zeros(3), hessian=True),
    "softmax": lambda: GradientSums("softmax", np.zeros((3, 2)), center=np.ones(2)),
    "mixture": lambda: MixtureResponsibilities([1.0], [[0.0, 0.0]], [[1.0, 1.0]], "diagonal"),
    "splits": lambda: Over(["bin"], SplitHistograms(1, 4)),
    "items": lambda: FrequentItems("c"),
    "by class": lambda: ByClass(Moments()),
    "scores": lambda: Over(["a"], ScoreCounts(max_scores=8)),
    "calibration": lambda: Over(["p"], CalibrationBins()),
    "losses": lambda: Over(["p", "q"], ProbabilityLosses()),
    "errors": lambda: Over(["b"], RegressionErrors()),
    "together": lambda: Together({"over": Over(["b"], Moments()), "by class": ByClass(Over(["a"], MinMax()))}),
}


@pytest.mark.parametrize("name", STATISTICS)
def test_what_is_read_back_says_the_same_and_goes_on(name: str) -> None:
    statistic = STATISTICS[name]()
    seen = aggregate([ROWS], statistic)
    for original in (statistic.zero(), seen):
        restored = from_bytes(to_bytes(original))
        assert type(restored) is type(original)
        assert_same(restored.result(), original.result(), 0.0, 0.0)
    restored = from_bytes(to_bytes(seen))
    restored.merge(seen)
    restored.update(ROWS)
    assert_same(restored.result(), aggregate([ROWS, ROWS, ROWS], statistic).result(), 1e-12, 1e-12)


def test_a_distinct_sketch_answers_the_same() -> None:
    sketch = aggregate([ROWS], DistinctSketch("c"))
    assert from_bytes(to_bytes(sketch)).result() == sketch.result()


def test_a_quantile_sketch_answers_the_same() -> None:
    sketch = aggregate([ROWS], QuantileSketch())
    restored = from_bytes(to_bytes(sketch))
    np.testing.assert_array_equal(restored.result().quantile([0.1, 0.5]), sketch.result().quantile([0.1, 0.5]))


@pytest.mark.parametrize(
    "values",
    [[Decimal("1.5"), None], [True, False], [1, 2**62], [0.5, float("inf")], ["ü", ""], [b"\x00", b"a"]],
    ids=["decimal", "bool", "int", "float", "text", "bytes"],
)
def test_categories_of_any_type(values: list[Any]) -> None:
    counts = aggregate([Batch(columns={"c": pa.array(values)})], CategoryCounts("c"))
    assert from_bytes(to_bytes(counts)).result().values == counts.result().values


def test_a_moments_message_is_small_enough_for_a_commit() -> None:
    assert len(to_bytes(aggregate([ROWS], Moments()))) < 600


class Mine:
    """A statistic of a user."""

    def zero(self) -> "Mine":
        return Mine()

    def update(self, batch: Batch) -> None:
        del batch

    def merge(self, other: "Mine") -> None:
        del other

    def result(self) -> None:
        return None


def test_what_is_not_ours_is_refused() -> None:
    with pytest.raises(TypeMismatchError, match="cannot be written"):
        to_bytes(SplitHistograms(1, 4, nodes=lambda batch: np.zeros(len(batch), int)))
    with pytest.raises(TypeMismatchError, match="A Mine cannot be written"):
        to_bytes(Mine())


def damaged() -> dict[str, bytes]:
    whole = to_bytes(aggregate([ROWS], Moments()))
    line, _, body = whole.partition(b"\n")
    header = json.loads(line)
    sketch = to_bytes(aggregate([ROWS], DistinctSketch("c")))
    return {
        "nothing": b"",
        "no header": b"{}\n",
        "a list": b"[1]\n",
        "cut short": whole[:-1],
        "too long": whole + b"x",
        "unknown kind": json.dumps(header | {"state": {"Popen": {"dict": []}}}).encode() + b"\n" + body,
        "objects": line.replace(b'"<f8"', b'"|O8"') + b"\n" + body,
        "a number": json.dumps(header | {"state": 5, "sizes": []}).encode() + b"\n",
        "two keys": json.dumps(header | {"state": {"a": 1, "b": 2}}).encode() + b"\n" + body,
        "spoiled sketch": sketch[:-8] + b"\xff" * 8,
    }


@pytest.mark.parametrize("damage", damaged())
def test_damaged_bytes_are_refused(damage: str) -> None:
    with pytest.raises(CorruptionError, match="Compute the statistic again"):
        from_bytes(damaged()[damage])


def test_a_newer_format_is_refused() -> None:
    with pytest.raises(VersionError, match="format 99"):
        from_bytes(b'{"groundswell.statistic":99,"state":null,"sizes":[]}\n')
