import httpx
import pytest


@pytest.fixture
def url(service_of, binary, multiclass):
    return service_of(binary, multiclass).start()


def body(*, origin="EWR", distance=1400.0, **more):
    return {
        "inputs": [
            {"name": "origin", "shape": [1], "datatype": "BYTES", "data": [origin]},
            {"name": "distance", "shape": [1, 1], "datatype": "FP64", "data": [[distance]]},
        ],
        **more,
    }


def test_infers_over_http(url, groups):
    reply = httpx.post(
        f"{url}/v2/models/late_arrival/infer", json=body(id="r1", parameters={"at": "2013-12-20T15:00Z"})
    )
    assert reply.status_code == 200, reply.text
    found = reply.json()
    assert (found["model_name"], found["model_version"], found["id"]) == ("late_arrival", "1", "r1")
    assert [(o["name"], o["datatype"], o["shape"]) for o in found["outputs"]] == [
        ("prediction", "BOOL", [1]),
        ("probability", "FP64", [1]),
        ("prediction_id", "BYTES", [1]),
    ]
    (logged,) = groups.get_feature_group("predictions_late_arrival_v1").rows()
    assert logged["prediction_id"] == found["outputs"][2]["data"][0]
