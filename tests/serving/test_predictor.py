import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.multioutput import MultiOutputRegressor
from sklearn.svm import LinearSVC

from groundswell.errors import GroundswellError, InvalidNameError, SignatureError, TypeMismatchError
from groundswell.models import Signature
from groundswell.serving import Predictor
from groundswell.types import TIMESTAMP, Field, Schema

NOON = datetime(2013, 12, 20, 12, tzinfo=UTC)
REQUESTS = pa.table({"origin": ["EWR", "LGA", "EWR"], "distance": [1400.0, 200.0, 733.5]})
FRAME = pd.DataFrame({"distance": [1400.0, 200.0, 733.5], "wx_temp": [12.0, np.nan, 12.0]})


def test_a_binary_classifier_gives_a_label_and_a_probability(predictor_of, binary):
    predictor = predictor_of(binary)
    assert predictor.classes == (False, True)
    assert (
        str(predictor.output_schema) == "Schema(prediction: bool, probability: float64, prediction_id: string not null)"
    )
    outputs = predictor.predict(REQUESTS).outputs
    assert outputs["prediction"].to_pylist() == binary.estimator.predict(FRAME).tolist()
    np.testing.assert_array_equal(outputs["probability"], binary.estimator.predict_proba(FRAME)[:, 1])


def test_a_multiclass_classifier_gives_all_probabilities(predictor_of, multiclass):
    predictor = predictor_of(multiclass)
    assert predictor.classes == ("early", "late", "on_time")
    outputs = predictor.predict(REQUESTS).outputs
    assert outputs["prediction"].to_pylist() == multiclass.estimator.predict(FRAME).tolist()
    np.testing.assert_array_equal(outputs["probabilities"].to_pylist(), multiclass.estimator.predict_proba(FRAME))


def test_a_regressor_gives_numbers(predictor_of, regression):
    predictor = predictor_of(regression)
    assert predictor.output_schema.names == ["prediction", "prediction_id"]
    np.testing.assert_array_equal(
        predictor.predict(REQUESTS).outputs["prediction"], regression.estimator.predict(FRAME)
    )


def test_the_label_is_the_classifiers_own_and_not_the_likeliest_class(world):
    model = world.fitted(
        [i % 2 == 0 for i in range(40)], FixedThresholdClassifier(LogisticRegression(), threshold=0.99)
    )
    outputs = Predictor(model, world.view(), clock=lambda: NOON).predict(REQUESTS).outputs
    assert outputs["prediction"].to_pylist() == [False] * 3
    assert max(outputs["probability"].to_pylist()) > 0.5


def test_a_classifier_without_probabilities_gives_labels_only(world):
    model = world.fitted([i % 2 for i in range(40)], LinearSVC())
    predictor = Predictor(model, world.view(), clock=lambda: NOON)
    assert str(predictor.output_schema["prediction"]) == "prediction: int64"
    assert predictor.predict(REQUESTS).outputs.column_names == ["prediction", "prediction_id"]


def test_a_classifier_that_met_one_class_gives_the_other_no_chance(world):
    model = world.fitted(["yes"] * 40, DummyClassifier(strategy="prior"))
    outputs = Predictor(model, world.view(), clock=lambda: NOON).predict(REQUESTS).outputs
    assert outputs["prediction"].to_pylist() == ["yes"] * 3
    assert outputs["probability"].to_pylist() == [0.0] * 3


def test_no_rows_give_no_predictions_of_the_same_types(predictor_of, multiclass):
    predictor = predictor_of(multiclass)
    predictions = predictor.predict(REQUESTS[:0])
    assert predictions.outputs.schema.equals(predictor.output_schema.to_arrow())
    assert (len(predictions.outputs), len(predictions.log_rows)) == (0, 0)


def test_the_moment_is_now_unless_given(predictor_of, binary):
    predictor = predictor_of(binary)
    later = [NOON + timedelta(hours=hours) for hours in range(3)]
    assert predictor.predict(REQUESTS).at == [NOON] * 3
    assert predictor.predict(REQUESTS, NOON + timedelta(days=1)).at == [NOON + timedelta(days=1)] * 3
    predictions = predictor.predict(REQUESTS, later)
    assert predictions.log_rows["at"].to_pylist() == later
    assert predictions.log_rows["predicted_at"].to_pylist() == [NOON] * 3
    assert predictions.log_rows["x_wx_temp"].to_pylist() == [12.0, None, 14.0]


def test_log_rows_hold_inputs_keys_outputs_and_sources(predictor_of, binary):
    predictor = predictor_of(binary)
    predictions = predictor.predict(REQUESTS, NOON + timedelta(minutes=20))
    assert predictor.log_schema.names == [
        "prediction_id", "at", "predicted_at", "model_version", "x_distance", "x_wx_temp", "k_origin", "y_prediction",
        "y_probability", "sources",
    ]  # fmt: skip
    assert predictor.log_schema["at"].type == TIMESTAMP
    assert predictions.log_rows.schema.equals(predictor.log_schema.to_arrow())
    first, second, _ = predictions.log_rows.to_pylist()
    assert first["prediction_id"] == predictions.outputs["prediction_id"][0].as_py()
    assert (first["model_version"], first["x_distance"], first["k_origin"]) == (1, 1400.0, "EWR")
    assert first["y_probability"] == predictions.outputs["probability"][0].as_py()
    assert json.loads(first["sources"]) == {
        "weather": {
            "commit": 3,
            "event_time": "2013-12-20T12:00:00+00:00",
            "available_at": "2013-12-20T12:01:00+00:00",
        }
    }
    assert json.loads(second["sources"]) == {"weather": None}


def test_a_request_may_be_null_where_view_and_model_allow_it(predictor_of, binary):
    assert list(predictor_of(binary).request.inputs) == [
        Field("origin", pa.string()),
        Field("distance", pa.float64(), nullable=False),
    ]


def test_a_feature_that_was_not_found_is_refused_if_the_model_takes_no_null(world, binary):
    inputs = Schema(tuple(replace(field, nullable=False) for field in binary.signature.inputs))
    strict = replace(binary, signature=replace(binary.signature, inputs=inputs))
    predictor = Predictor(strict, world.view(), clock=lambda: NOON)
    with pytest.raises(SignatureError, match=r"'wx_temp' is null for row 1.*Nothing was known .* in 'weather'"):
        predictor.predict(REQUESTS)


def test_values_that_the_estimator_refuses_are_the_requests_fault(world, binary):
    refuses_nan = LogisticRegression().fit(FRAME.fillna(0.0), [True, False, True])
    predictor = Predictor(replace(binary, estimator=refuses_nan), world.view(), clock=lambda: NOON)
    with pytest.raises(SignatureError, match=r"Model 'late_arrival' version 1 refuses these values: .*NaN"):
        predictor.predict(REQUESTS)


def test_a_view_of_other_columns_is_refused(world, binary):
    inputs = Schema.of({"wx_temp": pa.float64(), "wx_snow": pa.float64()})
    other = replace(binary, signature=replace(binary.signature, inputs=inputs))
    with pytest.raises(GroundswellError, match=r"takes .* its view gives"):
        Predictor(other, world.view(), clock=lambda: NOON).predict(REQUESTS)


def test_a_model_fitted_on_some_columns_gets_those_in_its_order(world, binary):
    some = Schema(tuple(field for field in reversed(tuple(binary.signature.inputs)) if field.name != "wx_temp"))
    frame = FRAME[some.names].fillna(0.0)
    estimator = LogisticRegression().fit(frame, [True, False, True])
    chosen = replace(binary, estimator=estimator, signature=replace(binary.signature, inputs=some))
    predictions = Predictor(chosen, world.view(), clock=lambda: NOON).predict(REQUESTS)
    assert len(predictions.outputs) == len(REQUESTS)


def test_what_cannot_be_served_is_refused_at_once(world, binary):
    def deployed(model, view=None):
        return Predictor(model, view or world.view(), clock=lambda: NOON)

    with pytest.raises(InvalidNameError):
        deployed(replace(binary, name="a" * 128))
    with pytest.raises(TypeMismatchError, match="asks nothing"):
        deployed(binary, world.view(Schema(())))
    with pytest.raises(TypeMismatchError, match=r"'origin'.*no tensor"):
        deployed(binary, world.view(Schema.of({"origin": pa.struct([("a", pa.int64())])})))
    several = MultiOutputRegressor(LinearRegression())
    labels = pa.table({"late": [1.0], "delay": [2.0]})
    signature = Signature.infer(pa.table({"distance": [1.0], "wx_temp": [1.0]}), labels, several)
    with pytest.raises(TypeMismatchError, match="2 labels at once: late, delay"):
        deployed(replace(binary, signature=signature))
