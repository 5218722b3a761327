"""`evaluate` against scikit-learn, in memory and in parts; curves, slices, records, and what is refused."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn import metrics as skm
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.svm import SVC, LinearSVC

import groundswell as gs
from groundswell.engines import StreamRows
from groundswell.errors import ColumnNotFoundError, DataError, SchemaError
from groundswell.models import Evaluation, evaluate
from groundswell.models import _evaluation_data as evaluation_data
from groundswell.plots import LinePlot


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of 32 rows, so that few rows are many blocks."""
    monkeypatch.setattr(evaluation_data, "_BLOCK_ROWS", 32)


def flights(n_rows: int = 150, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(size=(n_rows, 2)).round(1), columns=["a", "b"])
    frame["late"] = frame["a"] + rng.normal(size=n_rows) > 0
    frame["kind"] = np.select([frame["b"] + rng.normal(size=n_rows) > 0.7, frame["late"]], ["x", "y"], "z")
    frame["delay"] = 3 * frame["a"] - frame["b"] + rng.normal(size=n_rows)
    frame["origin"] = rng.choice(["EWR", "JFK"], n_rows)
    frame["w"] = rng.uniform(0.1, 3, n_rows)
    return frame


FLIGHTS = flights()
BINARY = LogisticRegression().fit(FLIGHTS[["a", "b"]], FLIGHTS["late"])
MANY = LogisticRegression().fit(FLIGHTS[["a", "b"]], FLIGHTS["kind"])
NUMBERS = LinearRegression().fit(FLIGHTS[["a", "b"]], FLIGHTS["delay"])


@pytest.mark.parametrize("weights", [None, "w"])
def test_a_binary_classifier_has_the_figures_of_scikit_learn(small_blocks: None, weights: str | None) -> None:
    found = evaluate(BINARY, FLIGHTS, "late", weights=weights).metrics
    truth, said = FLIGHTS["late"], BINARY.predict(FLIGHTS[["a", "b"]])
    score, w = BINARY.predict_proba(FLIGHTS[["a", "b"]])[:, 1], None if weights is None else FLIGHTS["w"]
    by_label = {m: getattr(skm, f"{m}_score")(truth, said, sample_weight=w) for m in ("precision", "recall", "f1")}
    expected = by_label | {
        "accuracy": skm.accuracy_score(truth, said, sample_weight=w),
        "balanced_accuracy": skm.balanced_accuracy_score(truth, said, sample_weight=w),
        "matthews": skm.matthews_corrcoef(truth, said, sample_weight=w),
        "roc_auc": skm.roc_auc_score(truth, score, sample_weight=w),
        "average_precision": skm.average_precision_score(truth, score, sample_weight=w),
        "log_loss": skm.log_loss(truth, score, sample_weight=w),
        "brier": skm.brier_score_loss(truth, score, sample_weight=w),
        "base_rate": np.average(truth, weights=w),
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=1e-9)
    assert set(found) == {*expected, "ece"}


@pytest.mark.parametrize("weights", [None, "w"])
def test_a_classifier_of_many_has_the_figures_of_scikit_learn(small_blocks: None, weights: str | None) -> None:
    evaluation = evaluate(MANY, FLIGHTS, "kind", weights=weights)
    truth, said = FLIGHTS["kind"], MANY.predict(FLIGHTS[["a", "b"]])
    scores, w = MANY.predict_proba(FLIGHTS[["a", "b"]]), None if weights is None else FLIGHTS["w"]
    expected = {
        "accuracy": skm.accuracy_score(truth, said, sample_weight=w),
        "balanced_accuracy": skm.balanced_accuracy_score(truth, said, sample_weight=w),
        "matthews": skm.matthews_corrcoef(truth, said, sample_weight=w),
        "precision_macro": skm.precision_score(truth, said, average="macro", sample_weight=w),
        "recall_macro": skm.recall_score(truth, said, average="macro", sample_weight=w),
        "f1_macro": skm.f1_score(truth, said, average="macro", sample_weight=w),
        "f1_weighted": skm.f1_score(truth, said, average="weighted", sample_weight=w),
        "roc_auc_ovr": skm.roc_auc_score(truth, scores, multi_class="ovr", sample_weight=w),
        "log_loss": skm.log_loss(truth, scores, sample_weight=w),
        "brier": skm.brier_score_loss(truth, scores, sample_weight=w),
    }
    found = evaluation.metrics
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=1e-9)
    assert set(found) == {*expected, "ece"}
    assert evaluation.roc("y").auc == pytest.approx(skm.roc_auc_score(truth == "y", scores[:, 1], sample_weight=w))
    matrix = skm.confusion_matrix(truth, said, sample_weight=w)
    np.testing.assert_allclose(evaluation.confusion.counts, matrix)


def test_a_regressor_has_the_figures_of_scikit_learn(small_blocks: None) -> None:
    found = evaluate(NUMBERS, FLIGHTS, "delay", weights="w").metrics
    truth, said, w = FLIGHTS["delay"], NUMBERS.predict(FLIGHTS[["a", "b"]]), FLIGHTS["w"]
    expected = {
        "rmse": skm.root_mean_squared_error(truth, said, sample_weight=w),
        "r2": skm.r2_score(truth, said, sample_weight=w),
        "median_absolute_error": skm.median_absolute_error(truth, said, sample_weight=w),
        "mape": skm.mean_absolute_percentage_error(truth, said, sample_weight=w),
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("model", "label"), [(BINARY, "late"), (MANY, "kind"), (NUMBERS, "delay")])
def test_tables_give_what_frames_give(small_blocks: None, tmp_path, model, label: str) -> None:
    path = tmp_path / "flights.parquet"
    table = pa.Table.from_pandas(FLIGHTS, preserve_index=False)
    pq.write_table(table, path, row_group_size=40)
    parts = [table.slice(0, 7), table.slice(7, 0), table.slice(7)]
    batches = [batch for part in parts for batch in part.to_batches()]
    stream = StreamRows(table.schema, lambda: pa.RecordBatchReader.from_batches(table.schema, batches))
    expected = evaluate(model, FLIGHTS, label, weights="w", by="origin")
    for data in (path, str(path), table, table.to_reader(), stream):
        found = evaluate(model, data, label, weights="w", by=["origin"])
        assert found.metrics == pytest.approx(expected.metrics, rel=1e-12)
        assert found.n_rows == 150
        assert found.by("origin")["JFK"].metrics == pytest.approx(expected.by("origin")["JFK"].metrics, rel=1e-12)


def test_arrays_are_taken_too(small_blocks: None) -> None:
    X, y = FLIGHTS[["a", "b"]].to_numpy(), FLIGHTS["late"].to_numpy()
    model = LogisticRegression().fit(X, y)
    found = gs.evaluate(model, X, y, weights=FLIGHTS["w"].tolist())
    assert found.metrics["roc_auc"] == pytest.approx(
        skm.roc_auc_score(y, model.predict_proba(X)[:, 1], sample_weight=FLIGHTS["w"])
    )
    assert gs.evaluate(model, X.tolist(), y.tolist()).n_rows == 150
    table = pa.table({"p": X[:, 0], "q": X[:, 1], "late": y, "origin": FLIGHTS["origin"]})
    assert gs.evaluate(model, table, "late", by="origin").metrics["accuracy"] == model.score(X, y)


def test_slices_are_evaluations_of_their_rows(small_blocks: None) -> None:
    by = evaluate(BINARY, FLIGHTS, "late", by="origin").by("origin")
    assert list(by) == ["EWR", "JFK"]
    for origin, part in by.items():
        alone = evaluate(BINARY, FLIGHTS[FLIGHTS["origin"] == origin], "late")
        assert part.metrics == pytest.approx(alone.metrics)
        assert part.n_rows == alone.n_rows
    with pytest.raises(DataError, match=r"not computed by 'kind'.*by=\['kind'\].*by 'origin'"):
        evaluate(BINARY, FLIGHTS, "late", by="origin").by("kind")


def test_a_slice_whose_labels_the_model_does_not_know(small_blocks: None) -> None:
    odd = FLIGHTS.assign(kind=np.where(FLIGHTS["origin"] == "JFK", "new", FLIGHTS["kind"]))
    found = evaluate(MANY, odd, "kind", by="origin")
    assert found.confusion.labels == ("x", "y", "z", "new")
    assert found.by("origin")["JFK"].metrics["accuracy"] == 0.0
    assert "not trained on" in found.by("origin")["JFK"].skipped["log_loss"]
    assert "log_loss" in found.by("origin")["EWR"].metrics
    truth, said = odd["kind"], MANY.predict(odd[["a", "b"]])
    assert found.metrics["f1_macro"] == pytest.approx(skm.f1_score(truth, said, average="macro"))


def test_labels_that_only_some_blocks_have(small_blocks: None) -> None:
    ordered = FLIGHTS.sort_values("kind", ignore_index=True)
    assert evaluate(MANY, ordered, "kind").metrics == pytest.approx(evaluate(MANY, FLIGHTS, "kind").metrics)


def test_few_scores_have_a_bound_and_all_of_them_none(small_blocks: None) -> None:
    exact, rough = evaluate(BINARY, FLIGHTS, "late"), evaluate(BINARY, FLIGHTS, "late", max_scores=8)
    assert exact.errors == {}
    for name in ("roc_auc", "average_precision"):
        assert 0 < abs(rough.metrics[name] - exact.metrics[name]) <= rough.errors[name]
    assert "roc_auc within" in rough.summary()["accuracy of figures"]
    assert "the area is within" in str(rough.plot("roc"))


@pytest.mark.parametrize(("model", "label"), [(BINARY, "late"), (MANY, "kind"), (NUMBERS, "delay")])
def test_a_record_says_the_same(model, label: str) -> None:
    evaluation = evaluate(model, FLIGHTS, label, by="origin")
    again = Evaluation.from_dict(json.loads(json.dumps(evaluation.to_dict(), allow_nan=False)))
    assert again.metrics == evaluation.metrics
    assert str(again).splitlines()[:5] == str(evaluation).splitlines()[:5]
    assert again.by("origin")["EWR"].metrics == evaluation.by("origin")["EWR"].metrics
    if label != "delay":
        positive = evaluation.confusion.labels[1]
        assert again.roc(positive).auc == pytest.approx(evaluation.roc(positive).auc, abs=again.roc(positive).error)
        assert again.per_label.equals(evaluation.per_label)
        assert again.calibration(positive).expected_error == evaluation.calibration(positive).expected_error


def test_plots_print_and_show() -> None:
    evaluation = evaluate(BINARY, FLIGHTS, "late")
    for kind in ("roc", "pr", "gain", "calibration"):
        plot = evaluation.plot(kind)
        assert isinstance(plot, LinePlot)
        assert "<svg" in plot._repr_html_()
    assert "Truth down" in str(evaluation.plot("confusion"))
    shown = evaluation._repr_html_()
    assert shown.count("<table>") == 2
    assert shown.count("<figure>") == 2
    with pytest.raises(DataError, match=r"no plot 'rok'.*'roc'"):
        evaluation.plot("rok")


def test_what_there_is_no_curve_of_is_said() -> None:
    many, numbers = evaluate(MANY, FLIGHTS, "kind"), evaluate(NUMBERS, FLIGHTS, "delay")
    with pytest.raises(DataError, match=r"one ROC curve for each label.*'x', 'y', 'z'"):
        many.roc()
    with pytest.raises(DataError, match="no gain curve of 'v'"):
        many.gain("v")
    for what in (numbers.roc, numbers.calibration, lambda: numbers.per_label, lambda: numbers.plot("confusion")):
        with pytest.raises(DataError, match="the model is no classifier"):
            what()
    scored = evaluate(LinearSVC().fit(FLIGHTS[["a", "b"]], FLIGHTS["late"]), FLIGHTS, "late")
    assert scored.roc().auc == scored.metrics["roc_auc"]
    with pytest.raises(DataError, match="There is no calibration: the model gives no probabilities"):
        scored.calibration()
    hits = evaluate(BINARY, FLIGHTS[FLIGHTS["late"]], "late")
    with pytest.raises(DataError, match="no ROC curve: the data hold no row of another label"):
        hits.roc()
    with pytest.raises(DataError, match="beta and cost are both given"):
        many.threshold(beta=1, cost=[[0, 1], [1, 0]], label="x")
    assert Evaluation.left_out("why").skipped == {"all": "why"}


class Told(ClassifierMixin, BaseEstimator):
    """A classifier that answers what it was told."""

    def __init__(self, said=None, probabilities=None):
        self.said, self.probabilities = said, probabilities
        self.classes_ = np.array([0, 1])

    def predict(self, inputs):
        return np.resize(self.said, len(inputs)) if np.ndim(self.said) < 2 else self.said

    def predict_proba(self, inputs):
        return np.array(self.probabilities)


class ToldNumbers(RegressorMixin, BaseEstimator):
    """A regressor that answers with its column."""

    def predict(self, inputs):
        return inputs["p"].to_numpy()


ROWS = pd.DataFrame({"p": [0.1, 0.9]})


@pytest.mark.parametrize(
    ("model", "data", "labels", "message"),
    [
        (Told([0, 1], [[0.5, 0.6], [0.5, 0.5]]), ROWS, [0, 1], "1 rows are no probabilities.*sum to one"),
        (Told([0, 1], [[np.nan, np.nan], [0.5, 0.5]]), ROWS, [0, 1], "1 rows are no probabilities"),
        (Told([0, 1], [[1.0], [1.0]]), ROWS, [0, 1], r"shape \(2, 1\) for 2 classes"),
        (Told(np.zeros((2, 2))), ROWS, [0, 1], r"predicted \(2, 2\) for 2 rows"),
        (ToldNumbers(), ROWS.assign(p=[0.1, np.nan]), [0, 1], "1 rows have a prediction that is nan"),
        (ToldNumbers(), ROWS, ["a", "b"], "The labels are no numbers"),
        (ToldNumbers(), ROWS, [0, 1, 2], r"labels have the shape \(3,\), and there are 2 rows"),
        (ToldNumbers(), ROWS, [0, None], "1 of 2 labels are missing"),
    ],
)
def test_bad_answers_and_labels_are_refused(model, data, labels, message: str) -> None:
    with pytest.raises(DataError, match=message):
        evaluate(model, data, labels)


def test_bad_columns_are_refused() -> None:
    table = pa.Table.from_pandas(FLIGHTS, preserve_index=False)
    for data in (FLIGHTS, table):
        with pytest.raises(ColumnNotFoundError, match=r"no column 'lat'.*'late'"):
            evaluate(BINARY, data, "lat")
        with pytest.raises(ColumnNotFoundError, match="no column 'org'"):
            evaluate(BINARY, data, "late", by="org")
        with pytest.raises(SchemaError, match="labels are not given"):
            evaluate(BINARY, data)
    with pytest.raises(DataError, match="All weights are zero"):
        evaluate(BINARY, FLIGHTS, "late", weights=np.zeros(150))
    with pytest.raises(SchemaError, match="labels are an array, and the data are read in parts"):
        evaluate(BINARY, table, FLIGHTS["late"])


def test_too_many_slices_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("groundswell.models._evaluate._MOST_SLICES", 2)
    with pytest.raises(DataError, match="'a' has more than 2 values"):
        evaluate(BINARY, FLIGHTS, "late", by="a")


def test_scores_of_pairs_of_classes_rank_none() -> None:
    model = SVC(decision_function_shape="ovo")
    four = FLIGHTS.assign(kind=FLIGHTS["kind"] + FLIGHTS["origin"].str[:1])
    found = evaluate(model.fit(four[["a", "b"]], four["kind"]), four, "kind")
    assert found.skipped["roc_auc_ovr"] == "the model gives no scores"
    shaped = evaluate(SVC().fit(four[["a", "b"]], four["kind"]), four, "kind")
    assert shaped.metrics["roc_auc_ovr"] > 0.5


def test_perfect_and_worst() -> None:
    rows, y = pd.DataFrame({"a": [-1.0, -2.0, 1.0, 2.0]}), [False, False, True, True]
    model = LogisticRegression().fit(rows, y)
    best, worst = evaluate(model, rows, y).metrics, evaluate(model, -rows, y).metrics
    assert [best[m] for m in ("accuracy", "f1", "matthews", "roc_auc", "average_precision")] == [1.0] * 5
    assert [worst[m] for m in ("accuracy", "f1", "matthews", "roc_auc")] == [0.0, 0.0, -1.0, 0.0]


def test_a_stored_confusion_matrix_has_a_limit() -> None:
    rows = pd.DataFrame({"p": np.arange(101.0)})
    model = Told(np.arange(101), np.full((101, 101), 1 / 101))
    model.classes_ = np.arange(101)
    found = evaluate(model, rows, np.arange(101))
    assert found.to_dict()["confusion"] is None
    assert Evaluation.from_dict(found.to_dict()).confusion is None
    assert replace(found, confusion=None).metrics["accuracy"] == 1.0
