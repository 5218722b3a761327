"""Nodes split by their rows get the splits that their histograms would give."""

import numpy as np
import pytest

from groundswell.estimators import DecisionTreeClassifier, DecisionTreeRegressor, GradientBoostingClassifier
from groundswell.estimators._few_rows import NodeRows, splits_of_rows
from groundswell.estimators._splits import best_splits
from groundswell.statistics import Batch, SplitHistograms

NODES, SLOTS, BINS = 7, 3, 12


@pytest.mark.parametrize("criterion", ["gini", "entropy", "squared_error", "newton"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("min_samples_leaf", [1, 5])
def test_splits_are_those_of_histograms(criterion: str, weighted: bool, min_samples_leaf: int) -> None:
    rng = np.random.default_rng(4)
    n = 400
    target = {"squared_error": "number", "newton": "gradient"}.get(criterion, "class")
    bins = rng.integers(0, BINS, (n, 5)).astype(np.uint8)
    bins[:, 1] = rng.integers(0, 2, n) * 4  # few different bins
    bins[:, 2][bins[:, 2] == BINS - 1] = 0  # nothing missing
    places = rng.integers(0, NODES, n).astype(np.int32)
    bins[places == 3, :] = 6  # nothing to split
    noise = rng.normal(size=n)
    y = {"class": (bins[:, 0] > 5) + rng.integers(0, 2, n), "number": bins[:, 0] + noise}.get(target)
    y = np.stack([noise + bins[:, 0], rng.random(n) + 0.1], axis=1) if y is None else y[:, None].astype(float)
    weights = rng.integers(1, 4, n).astype(float) if weighted else None
    features = np.sort(rng.random((NODES, 5)).argpartition(SLOTS, axis=1)[:, :SLOTS], axis=1).astype(np.uint32)
    batch, rows = Batch(X=bins, y=y, weights=weights), np.arange(n, dtype=np.int32)

    sums = SplitHistograms(NODES, BINS, target, 3 if target == "class" else 1)
    sums.add(batch, rows, places, features=features)
    expected = best_splits(
        sums.histograms(), np.zeros((NODES, SLOTS), bool), criterion=criterion, min_samples_leaf=min_samples_leaf
    )
    parts = [
        NodeRows.of(batch, some, places[some], None, features, target=target, center=0.0)
        for some in np.array_split(rows, 3)
    ]
    found = splits_of_rows(
        parts, NODES, criterion=criterion, n_classes=sums.n_classes, n_bins=BINS, min_samples_leaf=min_samples_leaf
    )
    np.testing.assert_array_equal(found.slot, expected.slot)
    assert found.slot[3] == -1
    some = found.slot >= 0
    for name in ("cut", "missing_left", "left_rows"):
        np.testing.assert_array_equal(getattr(found, name)[some], getattr(expected, name)[some], err_msg=name)
    np.testing.assert_allclose(found.gain[some], expected.gain[some], rtol=1e-9)
    np.testing.assert_allclose(found.left[some], expected.left[some], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    "model",
    [
        DecisionTreeClassifier(max_depth=None),
        DecisionTreeClassifier(criterion="entropy", max_depth=None, min_samples_leaf=3),
        DecisionTreeRegressor(max_depth=None, ccp_alpha=0.01),
        GradientBoostingClassifier(n_estimators=3, max_depth=7),
    ],
    ids=lambda model: type(model).__name__,
)
def test_deep_trees_are_those_of_histograms_alone(model, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1_500, 4)).round(2)
    X[rng.random(X.shape) < 0.05] = np.nan
    y = np.nan_to_num(X[:, 0] + X[:, 1] * X[:, 2]) + rng.normal(size=1_500)
    y = y if isinstance(model, DecisionTreeRegressor) else np.digitize(y, [-1.0, 1.0])
    predict = "predict_proba" if hasattr(model, "predict_proba") else "predict"
    mixed = getattr(model.fit(X, y), predict)(X)
    monkeypatch.setattr("groundswell.estimators._few_rows.ROWS_PER_CLASS", 0)
    np.testing.assert_allclose(mixed, getattr(model.fit(X, y), predict)(X), rtol=1e-9, atol=1e-12)
