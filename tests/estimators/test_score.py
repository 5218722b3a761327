"""`score` of a table is scikit-learn's of the same rows as arrays, for pipelines too."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import accuracy_score, r2_score
from sklearn.pipeline import make_pipeline

from groundswell.errors import ColumnNotFoundError, FitError, SchemaError
from groundswell.estimators import (
    DecisionTreeClassifier,
    GaussianNB,
    LinearRegression,
    LogisticRegression,
    Ridge,
    StandardScaler,
)


@pytest.fixture
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    frame = pd.DataFrame(rng.normal(size=(500, 3)), columns=["a", "b", "c"])
    frame["y"] = frame["a"] - 2 * frame["b"] + rng.normal(size=500)
    frame["kind"] = np.where(frame["y"] > 0.3, "high", "low")
    frame["w"] = rng.integers(1, 5, 500).astype(float)
    return frame


@pytest.mark.parametrize("model", [LogisticRegression(), GaussianNB(), DecisionTreeClassifier(max_depth=3)], ids=str)
def test_accuracy_of_a_table(model, frame: pd.DataFrame, tmp_path: Path) -> None:
    table = frame.drop(columns="y")
    pq.write_table(pa.table(table), tmp_path / "rows.parquet", row_group_size=90)
    path = str(tmp_path / "rows.parquet")
    made = make_pipeline(StandardScaler(), model)
    made.fit(path, "kind", **{f"{name}__sample_weight": "w" for name, _ in made.steps})
    predicted = made.predict(path)
    weighted = accuracy_score(frame["kind"], predicted, sample_weight=frame["w"])
    assert made.score(path, "kind") == accuracy_score(frame["kind"], predicted)
    assert made.score(path, "kind", sample_weight="w") == pytest.approx(weighted, rel=1e-12)


def test_r2_of_a_table(frame: pd.DataFrame) -> None:
    table = pa.table(frame[["a", "b", "c", "y"]])
    model = Ridge().fit(table, "y")
    assert model.score(table, "y") == r2_score(frame["y"], model.predict(table))
    assert model.score(table, "y") == pytest.approx(model.score(frame[["a", "b", "c"]], frame["y"]), rel=1e-12)


def test_a_table_without_labels_or_rows_is_refused(frame: pd.DataFrame) -> None:
    table = pa.table(frame[["a", "b", "c", "y"]])
    model = LinearRegression().fit(table, "y")
    with pytest.raises(ColumnNotFoundError, match="'Y'"):
        model.score(table, "Y")
    with pytest.raises(SchemaError, match="y is not given"):
        model.score(table)
    with pytest.raises(SchemaError, match="y is an array"):
        model.score(table, frame["y"])
    with pytest.raises(FitError, match="0 rows"):
        model.score(table.slice(0, 0), "y")
    gap = table.set_column(3, "y", pa.array([None, *frame["y"][1:]]))
    with pytest.raises(FitError, match="1 of them without a value"):
        model.score(gap, "y")
