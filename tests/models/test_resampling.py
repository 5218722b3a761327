"""Learning curves and bias–variance: samples that neither order nor partitions change, and figures by hand."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from groundswell.engines import ArrowRows, StreamRows
from groundswell.errors import ColumnNotFoundError, DataError, FitError, SchemaError
from groundswell.estimators import LinearRegression
from groundswell.models import bias_variance, learning_curve
from groundswell.models._resampling import Sample, Sampled


def rows(n_rows: int, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"id": np.arange(n_rows), "a": rng.normal(size=n_rows)})
    return frame.assign(y=2 * frame["a"] + rng.normal(size=n_rows), late=frame["a"] + rng.normal(size=n_rows) > 0)


FRAME = rows(400)


def test_larger_parts_hold_smaller_ones_and_order_does_not_matter() -> None:
    small, large = (Sample(seed=1, share=share).times(FRAME) for share in (0.2, 0.6))
    assert (small <= large).all()
    assert abs(small.mean() - 0.2) < 0.06
    assert abs(large.mean() - 0.6) < 0.08
    back = FRAME.iloc[::-1]
    assert Sample(seed=1, share=0.2).times(back).tolist() == small[::-1].tolist()
    assert Sample(seed=2, share=0.2).times(FRAME).tolist() != small.tolist()
    assert Sample(seed=1, share=1.0).times(FRAME).all()


def test_a_bootstrap_takes_rows_as_often_as_poisson_says() -> None:
    times = Sample(seed=0, share=None, identity=("id",)).times(rows(20_000))
    shares = np.bincount(times, minlength=5)[:5] / len(times)
    assert shares.tolist() == pytest.approx([0.3679, 0.3679, 0.1839, 0.0613, 0.0153], abs=0.01)
    same = Sample(seed=0, share=None, identity=("id",)).times(rows(20_000, seed=1))
    assert same.tolist() == times.tolist()


def test_a_table_gives_the_sample_of_the_frame() -> None:
    table = pa.Table.from_pandas(FRAME, preserve_index=False)
    sample = Sample(seed=3, share=None)
    expected = FRAME.iloc[np.repeat(np.arange(400), sample.times(FRAME))]
    cuts = [table.slice(0, 13), table.slice(13, 0), table.slice(13)]
    batches = [batch for part in cuts for batch in part.to_batches()]
    cut = StreamRows(table.schema, lambda: pa.RecordBatchReader.from_batches(table.schema, batches))
    for source in (ArrowRows(table), cut):
        taken = pa.concat_tables(part() for part in Sampled(source, sample).parts(["y", "a"]))
        assert taken.column_names == ["y", "a"]
        assert taken["y"].to_pylist() == expected["y"].tolist()


def test_a_learning_curve_of_a_frame_and_of_a_table() -> None:
    test, table = rows(200, seed=1), pa.Table.from_pandas(FRAME, preserve_index=False)
    curves = [learning_curve(LinearRegression(), data, test, "y", metric="rmse") for data in (FRAME, table)]
    tables = [curve.to_pandas() for curve in curves]
    pd.testing.assert_frame_equal(*tables, rtol=1e-9)
    assert tables[0]["rows"].is_monotonic_increasing
    assert tables[0]["rows"].iloc[-1] == 400
    assert abs(tables[0]["test"].iloc[-1] - 1) < 0.15
    assert "Learning curve, rmse" in str(curves[0].plot())


def test_bias_and_variance_of_a_mean_are_those_of_the_formula() -> None:
    """The mean of n values has the variance σ²/n, whatever the row; the loss is the sum of the parts."""
    train, test = rows(300), rows(50, seed=1)
    found = bias_variance(DummyRegressor(), train[["a", "y"]], test[["a", "y"]], "y", n_samples=200)
    assert found.loss == pytest.approx(found.bias + found.variance)
    assert found.variance == pytest.approx(train["y"].var() / 300, rel=0.3)
    assert found.bias == pytest.approx(np.square(test["y"] - train["y"].mean()).mean(), rel=0.02)
    assert (found.n_samples, found.n_rows) == (200, 50)


def test_a_deep_tree_varies_more_than_a_line() -> None:
    columns = ["a", "late"]
    line, tree = (
        bias_variance(model, FRAME[columns], rows(200, seed=1)[columns], "late", n_samples=8)
        for model in (LogisticRegression(), DecisionTreeClassifier(random_state=0))
    )
    assert tree.variance > 2 * line.variance
    assert line.loss < tree.loss
    assert str(line).startswith("loss 0.")


def test_a_classifier_that_always_agrees_has_no_variance() -> None:
    train = pd.DataFrame({"a": [0.0, 1.0] * 20, "late": ["no", "yes"] * 20, "id": range(40)})
    test = pd.DataFrame({"a": [0.0, 1.0, 1.0], "late": ["no", "yes", "no"], "id": range(3)})
    found = bias_variance(DecisionTreeClassifier(random_state=0), train, test, "late", n_samples=3, identity=["id"])
    assert (found.variance, found.n_rows) == (0.0, 3)
    assert found.loss == found.bias == pytest.approx(1 / 3)


def test_what_cannot_be_sampled_is_refused() -> None:
    model = LogisticRegression()
    with pytest.raises(SchemaError, match="The data are a ndarray"):
        learning_curve(model, np.zeros((3, 2)), FRAME, "late", metric="accuracy")
    with pytest.raises(SchemaError, match="labels are not given"):
        learning_curve(model, FRAME, FRAME, metric="accuracy")
    with pytest.raises(ColumnNotFoundError, match="no column 'lat'"):
        bias_variance(model, FRAME, FRAME, "lat")
    with pytest.raises(ColumnNotFoundError, match="no column 'key'"):
        bias_variance(model, FRAME, FRAME, "late", identity=["key"])
    with pytest.raises(DataError, match="1 samples have no variance"):
        bias_variance(model, FRAME, FRAME, "late", n_samples=1)
    with pytest.raises(DataError, match="0 is no share"):
        learning_curve(model, FRAME, FRAME, "late", metric="accuracy", shares=(0,))
    with pytest.raises(FitError, match="holds no rows"):
        learning_curve(model, FRAME[:3], FRAME, "late", metric="accuracy", shares=(1e-9,))
    with pytest.raises(DataError, match=r"no metric 'rmsee'.*'accuracy'"):
        learning_curve(model, FRAME[["a", "late"]], FRAME, "late", metric="rmsee", shares=(1.0,))
    with pytest.raises(DataError, match="no rows to evaluate"):
        bias_variance(model, FRAME[["a", "late"]], FRAME[:0], "late", n_samples=2)
