"""SplitHistograms against a loop."""

from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st

from groundswell.errors import DataError, TypeMismatchError
from groundswell.statistics import Batch, SplitHistograms, Statistic, aggregate, impurity_decrease
from groundswell.testing import StatisticConformance, targets

NUMBERS = [float("nan"), *(i / 8 for i in range(-80, 80))]


def first_bin_as_node(batch: Batch) -> np.ndarray:
    """Nodes −1, 0 and 1 by the first feature."""
    return batch.matrix[:, 0].astype(np.int32) % 3 - 1


class TestSplitHistograms(StatisticConformance):
    tolerance = 1e-13

    def statistic(self) -> Statistic[Any]:
        return SplitHistograms(2, 8, nodes=first_bin_as_node, center=1.0)

    def view(self, result: Any) -> Any:
        return result.weight, result.sums, result.dropped  # a weight of 2 is one row, not two

    def batches(self) -> st.SearchStrategy[Batch]:
        def build(n_rows: int) -> st.SearchStrategy[Batch]:
            bins = targets(3 * n_rows, range(8)).map(lambda b: b.astype(np.uint8).reshape(3, n_rows).T)
            return st.tuples(bins, targets(n_rows, NUMBERS)).map(lambda pair: Batch(X=pair[0], y=pair[1]))

        return st.integers(0, 30).flatmap(build)


def loop(
    X: np.ndarray, nodes: np.ndarray, classes: np.ndarray, terms: np.ndarray, shape: tuple[int, ...]
) -> np.ndarray:
    """Sums by feature, node, bin and class, one row at a time."""
    sums = np.zeros(shape)
    for row, node, label, term in zip(X, nodes, classes, terms, strict=True):
        for j, b in enumerate(row):
            if node >= 0:
                sums[j, node, b, label] += term
    return sums


@pytest.mark.parametrize("target", ["number", "class", "gradient"])
def test_the_sums_are_those_of_a_loop(target: str) -> None:
    rng = np.random.default_rng(0)
    X, w = np.asfortranarray(rng.integers(0, 5, (200, 3), np.uint8)), rng.random(200)
    y = {
        "number": rng.standard_normal(200),
        "class": rng.integers(0, 2, 200),
        "gradient": rng.standard_normal((200, 2)),
    }
    nodes = first_bin_as_node(Batch(X=X))
    classes = y["class"] if target == "class" else np.zeros(200, int)
    k = 2 if target == "class" else 1
    histograms = SplitHistograms(2, 5, target, n_classes=k, nodes=first_bin_as_node, center=0.5)
    parts = (Batch(X=X[i::2], y=y[target][i::2], weights=w[i::2]) for i in range(2))
    result = aggregate(parts, histograms).result()
    terms = {
        "number": (w * (y["number"] - 0.5), w * (y["number"] - 0.5) ** 2),
        "class": (),
        "gradient": (w * y["gradient"][:, 0], w * y["gradient"][:, 1]),
    }[target]
    for found, term in zip((result.rows, result.weight, *result.sums), (np.ones(200), w, *terms), strict=True):
        expected = loop(X, nodes, classes, term, (3, 2, 5, k))
        np.testing.assert_allclose(found, expected if target == "class" else expected[..., 0], rtol=1e-12, atol=1e-12)


def test_the_impurities_of_the_lecture_from_histograms() -> None:
    """Worked example: ΔGini of buys_computer by student is .0918."""
    student = np.array([0, 0, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 1, 0], np.uint8)[:, None]
    buys = np.array([0, 0, 1, 1, 1, 0, 1, 0, 1, 1, 1, 1, 1, 0])
    result = aggregate([Batch(X=student, y=buys)], SplitHistograms(1, 2, "class", n_classes=2)).result()
    assert impurity_decrease(result.weight[0, 0]) == pytest.approx(0.0918, abs=5e-5)


def test_rows_without_a_target_or_a_node_are_left_out() -> None:
    X, y = np.array([[1], [2], [3]], np.uint8), np.array([5.0, np.nan, np.nan])
    result = aggregate([Batch(X=X, y=y)], SplitHistograms(2, 4, nodes=first_bin_as_node)).result()
    assert result.weight[0].tolist() == [[0, 1, 0, 0], [0, 0, 0, 0]]
    assert result.dropped == 1


def test_numbers_far_from_zero_keep_their_variance() -> None:
    y = np.random.default_rng(0).standard_normal(1000) + 1e8
    X = np.zeros((1000, 1), np.uint8)
    result = aggregate([Batch(X=X, y=y)], SplitHistograms(1, 1, center=1e8)).result()
    n, total, squares = result.weight[0, 0, 0], result.sums[0][0, 0, 0], result.sums[1][0, 0, 0]
    assert squares / n - (total / n) ** 2 == pytest.approx(np.var(y - 1e8), rel=1e-12)


def test_bad_bins_nodes_and_classes_are_refused() -> None:
    X, y = np.array([[1], [3]], np.uint8), np.array([0.0, 1.0])
    with pytest.raises(DataError, match="There is a bin 3"):
        SplitHistograms(1, 3).update(Batch(X=X, y=y))
    with pytest.raises(DataError, match="There is a bin -1"):
        SplitHistograms(1, 3).update(Batch(X=-np.ones((2, 1), np.int8), y=y))
    with pytest.raises(DataError, match="There is a node 2"):
        SplitHistograms(2, 4, nodes=lambda batch: np.array([0, 2])).update(Batch(X=X, y=y))
    with pytest.raises(DataError, match="2 is no class"):
        SplitHistograms(1, 4, "class", n_classes=2).update(Batch(X=X, y=np.array([0, 2])))
    with pytest.raises(DataError, match="The target has one column"):
        SplitHistograms(1, 4, "gradient").update(Batch(X=X, y=y))
    with pytest.raises(TypeMismatchError, match="bins are needed"):
        SplitHistograms(1, 4).update(Batch(X=X.astype(float), y=y))
    with pytest.raises(DataError, match="n_bins"):
        SplitHistograms(1, 4).merge(SplitHistograms(1, 5))


@pytest.mark.parametrize("weighted", [False, True])
def test_chosen_rows_count_at_the_places_of_their_nodes_for_the_features_of_each(weighted: bool) -> None:
    rng = np.random.default_rng(1)
    X, y = rng.integers(0, 5, (300, 4), np.uint8), rng.integers(0, 3, 300)
    w = rng.random(300) if weighted else None
    rows = np.flatnonzero(rng.random(300) < 0.6).astype(np.int32)
    nodes, times = rng.integers(7, 10, len(rows), np.int32), rng.integers(1, 4, len(rows), np.uint8)
    places = np.full(10, -1, np.int32)
    places[[7, 9]] = 1, 0
    features = np.array([[3, 0], [1, 2]], np.uint32)
    histograms = SplitHistograms(2, 5, "class", n_classes=3)
    for half in (slice(0, 50), slice(50, None)):
        histograms.add(
            Batch(X=X, y=y, weights=w), rows[half], nodes[half], times=times[half], places=places, features=features
        )
    result = histograms.result()
    counts, weights = np.zeros((2, 2, 5, 3)), np.zeros((2, 2, 5, 3))
    for row, node, n in zip(rows, places[nodes], times, strict=True):
        for j, feature in enumerate(features[node] if node >= 0 else []):
            counts[j, node, X[row, feature], y[row]] += 1
            weights[j, node, X[row, feature], y[row]] += n * (1 if w is None else w[row])
    np.testing.assert_array_equal(result.rows, counts)
    np.testing.assert_allclose(result.weight, weights, rtol=1e-12)


def test_counts_outgrow_half_a_number_and_go_on_beside_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """With room for 100 draws in packed counts, 400 rows and 50 with weights are counted as with room for all."""
    rng = np.random.default_rng(2)
    X, y = rng.integers(0, 3, (450, 2), np.uint8), rng.integers(0, 2, 450)
    parts = [Batch(X=X[i : i + 50], y=y[i : i + 50]) for i in range(0, 400, 50)]
    parts.append(Batch(X=X[400:], y=y[400:], weights=np.full(50, 0.5)))
    expected = aggregate(parts, SplitHistograms(1, 3, "class", n_classes=2)).result()
    assert expected.rows[0].sum() == 450
    assert expected.weight[0].sum() == 425
    monkeypatch.setattr("groundswell.statistics._split_histograms._MOST_DRAWS", 100)
    for groups in ([parts], [parts[:5], parts[5:]], [parts[8:], parts[:8]]):
        total = SplitHistograms(1, 3, "class", n_classes=2)
        for group in groups:
            total.merge(aggregate(group, total))
        np.testing.assert_array_equal(total.result().rows, expected.rows)
        np.testing.assert_array_equal(total.result().weight, expected.weight)
