"""The oracle is arithmetic by hand: ranks, counts and sums, no code of scikit-learn's metrics."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.cluster import KMeans
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.svm import LinearSVC

from groundswell.errors import DataError
from groundswell.models import evaluate


class Told(ClassifierMixin, BaseEstimator):
    """A classifier that answers with the probabilities in its input."""

    def __init__(self, classes):
        self.classes = classes

    def fit(self):
        self.classes_ = np.asarray(self.classes)
        return self

    def predict_proba(self, inputs):
        return inputs.to_numpy()

    def predict(self, inputs):
        return self.classes_[inputs.to_numpy().argmax(axis=1)]


class ToldValue(RegressorMixin, BaseEstimator):
    """A regressor that answers with its input."""

    def predict(self, inputs):
        return inputs["p"].to_numpy()


def _binary(scores, truth, classes=(False, True)):
    inputs = pd.DataFrame({"no": 1 - np.asarray(scores), "yes": scores})
    return evaluate(Told(list(classes)).fit(), inputs, pd.Series(truth))


def _auc(scores, truth):
    pairs = [
        (s, t) for s, y in zip(scores, truth, strict=True) if y for t, z in zip(scores, truth, strict=True) if not z
    ]
    return sum(1.0 if s > t else 0.5 if s == t else 0.0 for s, t in pairs) / len(pairs)


def _average_precision(scores, truth):
    total = 0.0
    for threshold in sorted(set(scores), reverse=True):
        flagged = [y for s, y in zip(scores, truth, strict=True) if s >= threshold]
        gained = [y for s, y in zip(scores, truth, strict=True) if s == threshold]
        total += sum(gained) / sum(truth) * sum(flagged) / len(flagged)
    return total


@given(st.lists(st.tuples(st.sampled_from([0.1, 0.2, 0.4, 0.6, 0.7, 0.95]), st.booleans()), min_size=2, max_size=12))
def test_binary_metrics_are_those_of_the_definition(rows):
    scores, truth = [s for s, _ in rows], [y for _, y in rows]
    found = _binary(scores, truth)
    said = [s > 0.5 for s in scores]
    hits = sum(p and y for p, y in zip(said, truth, strict=True))
    expected = {
        "base_rate": sum(truth) / len(truth),
        "accuracy": sum(p == y for p, y in zip(said, truth, strict=True)) / len(truth),
        "log_loss": -sum(math.log(s if y else 1 - s) for s, y in rows) / len(rows),
        "brier": sum((s - y) ** 2 for s, y in rows) / len(rows),
    }
    if any(truth):
        expected |= {"recall": hits / sum(truth), "average_precision": _average_precision(scores, truth)}
        if not all(truth):
            expected["roc_auc"] = _auc(scores, truth)
    if any(said):
        expected["precision"] = hits / sum(said)
    if any(said) or any(truth):
        expected["f1"] = 2 * hits / (sum(said) + sum(truth))
    more = {"balanced_accuracy", "matthews", "ece"}  # below, against scikit-learn
    assert {k: v for k, v in found.metrics.items() if k not in more} == pytest.approx(expected, abs=1e-12)
    assert set(found.metrics) == {*expected, *more}
    assert len(found.metrics) + len(found.skipped) == 12
    assert found.n_rows == len(rows)


def test_the_confusion_matrix_of_a_textbook():
    """TP=3 TN=5 FP=1 FN=2: precision 3/4, recall 3/5."""
    truth = [True] * 5 + [False] * 6
    scores = [0.9] * 3 + [0.1] * 2 + [0.9] + [0.1] * 5
    metrics = _binary(scores, truth).metrics
    assert (metrics["precision"], metrics["recall"], metrics["accuracy"]) == pytest.approx((3 / 4, 3 / 5, 8 / 11))


def test_a_test_set_of_one_class_gives_what_exists_and_says_why_the_rest_does_not():
    found = _binary([0.2, 0.3], [False, False])
    assert set(found.metrics) == {
        "accuracy", "balanced_accuracy", "base_rate", "brier", "ece", "log_loss", "matthews"
    }  # fmt: skip
    assert found.skipped["roc_auc"] == "the data hold no row of the second class"
    assert "no predicted samples" in found.skipped["precision"]
    only = _binary([0.8, 0.9], [True, True])
    assert only.skipped == {"roc_auc": "the data hold no row of the first class"}


def test_a_class_that_training_never_saw_counts_as_wrong():
    found = _binary([0.9, 0.1, 0.9], pd.Series(["late", "early", "lost"]), classes=("early", "late"))
    assert found.metrics["accuracy"] == pytest.approx(2 / 3)
    assert "not trained on" in found.skipped["log_loss"]
    assert "not trained on" in found.skipped["roc_auc"]


def test_labels_of_every_type_are_matched():
    for no, yes in ((False, True), (0, 1), ("no", "yes"), (1.5, 2.5)):
        assert _binary([0.2, 0.9], [no, yes], classes=(no, yes)).metrics["accuracy"] == 1.0


def test_a_classifier_without_probabilities_is_ranked_by_its_scores():
    inputs = pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0]})
    found = evaluate(LinearSVC().fit(inputs, [0, 0, 1, 1]), inputs, pd.Series([0, 0, 1, 1]))
    assert found.metrics["roc_auc"] == 1.0
    assert found.skipped == {
        "log_loss": "the model gives no probabilities",
        "brier": "the model gives no probabilities",
        "ece": "the model gives no probabilities",
    }


def test_a_model_of_one_class_is_measured_as_far_as_it_goes():
    inputs = pd.DataFrame({"a": [1.0, 2.0]})
    found = evaluate(DummyClassifier().fit(inputs, [1, 1]), inputs, pd.Series([1, 1]))
    assert found.metrics["accuracy"] == 1.0
    assert found.skipped["log_loss"] == "the model was trained on one class only"


def test_many_classes():
    probabilities = pd.DataFrame([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4], [0.2, 0.5, 0.3]])
    found = evaluate(Told(["a", "b", "c"]).fit(), probabilities, pd.Series(["a", "b", "c", "c"]))
    assert found.task == "multiclass"
    expected = pytest.approx(
        {
            "accuracy": 3 / 4,
            "f1_macro": (1 + 2 / 3 + 2 / 3) / 3,
            "log_loss": -(math.log(0.7) + math.log(0.8) + math.log(0.4) + math.log(0.3)) / 4,
        }
    )
    assert {name: found.metrics[name] for name in ("accuracy", "f1_macro", "log_loss")} == expected


@given(st.lists(st.tuples(st.integers(-50, 50), st.integers(-50, 50)), min_size=1, max_size=10))
def test_regression(rows):
    truth, said = np.array(rows, dtype=float).T
    found = evaluate(ToldValue(), pd.DataFrame({"p": said}), pd.Series(truth))
    errors = truth - said
    expected = {"rmse": math.sqrt((errors**2).mean()), "mae": abs(errors).mean(), "mean_error": -errors.mean()}
    expected |= {"max_error": abs(errors).max(), "median_absolute_error": np.median(abs(errors))}
    expected["mape"] = (abs(errors) / np.maximum(abs(truth), np.finfo(float).eps)).mean()
    if len(set(truth)) > 1:
        expected["r2"] = 1 - (errors**2).sum() / ((truth - truth.mean()) ** 2).sum()
        expected["explained_variance"] = 1 - errors.var() / truth.var()
    else:
        assert "do not vary" in found.skipped["r2"]
    assert found.metrics == pytest.approx(expected, rel=1e-12, abs=1e-12)


def test_a_model_fitted_on_some_columns_is_given_those():
    inputs = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [0.0, 1.0, 0.0]})
    model = LinearRegression().fit(inputs[["a"]], [2.0, 4.0, 6.0])
    assert evaluate(model, inputs, pd.Series([2.0, 4.0, 6.0])).metrics["mae"] == pytest.approx(0, abs=1e-12)
    with pytest.raises(DataError, match="fitted on 'c'"):
        evaluate(LinearRegression().fit(inputs.assign(c=1.0), [1, 2, 3]), inputs, pd.Series([1, 2, 3]))


def test_what_cannot_be_evaluated_is_refused():
    inputs = pd.DataFrame({"a": [1.0, 2.0]})
    labels = pd.Series([0, 1])
    model = LogisticRegression().fit(inputs, labels)
    with pytest.raises(DataError, match="KMeans cannot be evaluated"):
        evaluate(KMeans(2, n_init=1).fit(inputs), inputs, labels)
    with pytest.raises(DataError, match="no rows"):
        evaluate(model, inputs[:0], labels[:0])
    with pytest.raises(DataError, match="1 of 2 labels are missing"):
        evaluate(model, inputs, pd.Series([None, True]))
