import subprocess
import sys
from datetime import UTC, datetime

import httpx
import numpy as np
import pandas as pd
import pytest

from groundswell.errors import (
    AlreadyExistsError,
    DataError,
    GroundswellError,
    InUseError,
    NotFoundError,
    SignatureError,
)
from groundswell.serving import Limits, Service

RECORDS = [{"origin": "EWR", "distance": 1400.0}, {"origin": "LGA", "distance": 200}]
AT = datetime(2013, 12, 20, 15, 20, tzinfo=UTC)


def test_predicts_records_and_logs_them(service_of, groups, binary):
    service = service_of(binary)
    one, two = service.predict(RECORDS, at="2013-12-20T15:20Z")
    frame = pd.DataFrame({"distance": [1400.0, 200.0], "wx_temp": [15.0, np.nan]})
    expected = binary.estimator.predict_proba(frame)[:, 1]
    assert [one.probability, two.probability] == expected.tolist()
    assert [one.prediction, two.prediction] == binary.estimator.predict(frame).tolist()
    assert (one.at, two.at) == (AT, AT)
    logged = groups.get_feature_group("predictions_late_arrival_v1").rows()
    assert [row["prediction_id"] for row in logged] == [one.id, two.id]
    assert [row["y_probability"] for row in logged] == expected.tolist()


def test_a_data_frame_and_moments_of_its_own(service_of, binary):
    frame = pd.DataFrame(RECORDS).assign(at=[AT, AT.replace(hour=16)])
    assert [prediction.at.hour for prediction in service_of(binary).predict(frame)] == [15, 16]
    moments = [AT, "2013-12-20T17:00Z"]
    assert [prediction.at.hour for prediction in service_of(binary).predict(RECORDS, at=moments)] == [15, 17]


def test_nothing_is_predicted_for_nothing(service_of, groups, binary):
    assert service_of(binary).predict([]) == []
    assert groups.made == {}


def test_shows_predictions_and_itself(service_of, binary, multiclass, regression):
    service = service_of(binary, multiclass, regression)
    assert repr(service) == "Service(late_arrival version 1, punctuality version 7, delay version 2)"
    (prediction,) = service.predict(RECORDS[:1], at=AT)
    assert repr(prediction) == (
        f"Prediction({prediction.prediction}, probability {prediction.probability:.4g}, "
        f"at 2013-12-20T15:20+00:00, id {prediction.id})"
    )
    (several,) = service.predict(RECORDS[:1], model="punctuality")
    assert list(several.probabilities) == ["early", "late", "on_time"]
    assert several.prediction == max(several.probabilities, key=several.probabilities.get)
    assert f"probability {max(several.probabilities.values()):.4g}" in repr(several)
    (number,) = service.predict(RECORDS[:1], model="delay", version=2)
    assert "probability" not in repr(number)


def test_the_same_prediction_over_http(service_of, binary):
    with service_of(binary) as service:
        (prediction,) = service.predict(RECORDS[:1], at=AT)
        inputs = [
            {"name": "origin", "shape": [1], "datatype": "BYTES", "data": ["EWR"]},
            {"name": "distance", "shape": [1], "datatype": "FP64", "data": [1400.0]},
        ]
        reply = httpx.post(
            f"{service.start()}/v2/models/late_arrival/infer",
            json={"inputs": inputs, "parameters": {"at": AT.isoformat()}},
        )
        assert reply.json()["outputs"][1]["data"] == [prediction.probability]


def test_the_first_version_answers_for_the_name(service_of, world, binary, regression):
    other = world.fitted([float(i) for i in range(30)], regression.estimator[-1], "late_arrival", 4)
    service = service_of(other, binary)
    assert service.predict(RECORDS[:1])[0].id.startswith("late_arrival-4-")
    assert service.predict(RECORDS[:1], version=1)[0].id.startswith("late_arrival-1-")


def test_refuses_what_cannot_be_meant(service_of, groups, binary):
    service = service_of(binary)
    with pytest.raises(NotFoundError, match="Did you mean 'late_arrival'"):
        service.predict(RECORDS, model="late_arival")
    with pytest.raises(NotFoundError, match=r"It has 1\."):
        service.predict(RECORDS, version=2)
    with pytest.raises(SignatureError, match="2 records and 1 moments"):
        service.predict(RECORDS, at=[AT])
    with pytest.raises(SignatureError, match="Keep one"):
        service.predict([{**RECORDS[0], "at": AT}], at=AT)
    with pytest.raises(SignatureError, match=r"'distnce'.*'distance'"):
        service.predict([{"origin": "EWR", "distnce": 1.0}])
    assert groups.made == {}


def test_refuses_what_cannot_be_served(service_of, groups, predictor_of, binary):
    with pytest.raises(DataError, match="needs a model"):
        Service([], groups)
    with pytest.raises(AlreadyExistsError, match="twice"):
        service_of(binary, binary)
    with pytest.raises(DataError, match="body_bytes is 0"):
        Limits(body_bytes=0)
    for token in ("", "short", "no spaces in a token", "ü" * 20):
        with pytest.raises(DataError, match=r"secrets\.token_urlsafe"):
            service_of(binary, token=token)


def test_closing_is_final_and_may_be_repeated(service_of, binary):
    with service_of(binary) as service:
        url = service.start()
        assert service.start() == service.url == url
        assert url in repr(service)
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)
    with pytest.raises(GroundswellError, match="closed"):
        service.predict(RECORDS)
    service.close()


def test_stopping_leaves_predict_and_a_new_start(service_of, binary):
    service = service_of(binary)
    service.start()
    service.stop()
    service.stop()
    assert len(service.predict(RECORDS)) == 2
    assert httpx.get(f"{service.start()}/v2/health/live").status_code == 200


def test_other_machines_are_served_with_a_token_only(service_of, binary):
    for host in ("0.0.0.0", "::", "192.0.2.1", "models.example", ""):
        with pytest.raises(DataError, match="without a token"):
            service_of(binary).start(host=host)
    service = service_of(binary, token="a-token-of-some-length")
    url = service.start(host="0.0.0.0").replace("0.0.0.0", "127.0.0.1")
    assert httpx.get(f"{url}/v2").status_code == 401


def test_a_port_that_is_taken_or_impossible(service_of, binary, multiclass):
    port = httpx.URL(service_of(binary).start()).port
    with pytest.raises(InUseError, match=f"Port {port} of 127.0.0.1 is taken"):
        service_of(multiclass).start(port=port)
    with pytest.raises(DataError, match="70000"):
        service_of(multiclass).start(port=70_000)


_WITHOUT_SERVER = """
import sys
sys.modules["{package}"] = None
from groundswell.errors import MissingDependencyError
from groundswell.serving._app import application
from groundswell.serving._server import Server
for make in (lambda: application(None, None, None), lambda: Server(None, host="127.0.0.1", port=0, guarded=False)):
    try:
        make()
    except MissingDependencyError as error:
        print(error)
    except AttributeError:  # this one has all it needs and misses the deployments
        pass
"""


@pytest.mark.parametrize("package", ["fastapi", "uvicorn"])
def test_without_the_server_packages_the_command_is_named(package):
    code = _WITHOUT_SERVER.format(package=package)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert f"The package '{package}' is not installed." in done.stdout, done.stderr
    assert "python -m pip install 'groundswell[server]'" in done.stdout
