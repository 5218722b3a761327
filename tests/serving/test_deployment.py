from dataclasses import replace

import pyarrow as pa
import pytest

from groundswell.errors import SignatureError
from groundswell.serving import Predictor
from groundswell.serving._deployment import Deployment
from groundswell.serving._log import PredictionLog
from groundswell.types import Schema


@pytest.fixture
def deployment(predictor_of, groups, binary):
    predictor = predictor_of(binary)
    log = PredictionLog(groups, predictor.name, predictor.version, predictor.log_schema, capacity=1000)
    yield Deployment(predictor, log, most_rows=100)
    log.close()


def requests(*rows):
    return pa.table({"origin": [origin for origin, _ in rows], "distance": [distance for _, distance in rows]})


def test_requests_that_are_predicted_together_get_what_each_gets_alone(deployment, world):
    asked = [
        (requests(("EWR", 100.0), ("LGA", 200.0)), [world.noon, world.noon.replace(hour=3)]),
        (requests(("EWR", 300.0)), [world.noon.replace(hour=5)]),
        (requests(("LGA", 400.0), ("EWR", 500.0), ("EWR", 600.0)), [world.noon] * 3),
    ]
    together = deployment._predict_all(asked)
    for (inputs, at), found in zip(asked, together, strict=True):
        alone = deployment.predictor.predict(inputs, at)
        assert found.at == alone.at == at
        names = [name for name in alone.log_rows.column_names if name != "prediction_id"]
        assert found.log_rows.select(names).equals(alone.log_rows.select(names))
        assert found.outputs["prediction_id"].to_pylist() == found.log_rows["prediction_id"].to_pylist()
        assert found.outputs.drop_columns("prediction_id").equals(alone.outputs.drop_columns("prediction_id"))


def test_a_request_without_rows_waits_for_nothing(deployment, groups):
    predictions, recorded = deployment.predict(
        requests()[:0].cast(deployment.predictor.request.inputs.to_arrow()), None
    )
    assert recorded.result(0) is None
    assert len(predictions.outputs) == 0
    assert groups.made == {}


def test_an_error_names_the_row_of_the_own_request(world, binary, groups):
    inputs = Schema(tuple(replace(field, nullable=False) for field in binary.signature.inputs))
    strict = replace(binary, signature=replace(binary.signature, inputs=inputs))
    predictor = Predictor(strict, world.view(), clock=lambda: world.noon)
    log = PredictionLog(groups, "late", 1, predictor.log_schema, capacity=10)
    deployment = Deployment(predictor, log, most_rows=100)
    good = requests(("EWR", 1.0), ("EWR", 2.0))
    with pytest.raises(SignatureError, match="row 0"):
        deployment.predict(requests(("LGA", 3.0)), None)
    predictions, recorded = deployment.predict(good, None)
    assert recorded.result(10) is None
    assert len(predictions.outputs) == 2
    log.close()
