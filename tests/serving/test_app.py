import json
import logging
import re
import socket
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from groundswell.errors import ConflictError
from groundswell.serving import Limits, Predictor, Service

LOG = "predictions_late_arrival_v1"
INFER = "/v2/models/late_arrival/infer"


def body(*, origin="EWR", distance=1400.0, **more):
    return {
        "inputs": [
            {"name": "origin", "shape": [1], "datatype": "BYTES", "data": [origin]},
            {"name": "distance", "shape": [1, 1], "datatype": "FP64", "data": [[distance]]},
        ],
        **more,
    }


@pytest.fixture
def client_of():
    """A client of a service, over a real socket."""
    clients = []

    def make(service, **options):
        clients.append(httpx.Client(base_url=service.start(), timeout=20, **options))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture(scope="module")
def shared(world, binary, multiclass):
    """One running service for the tests that leave nothing behind but log rows: its client and its log's groups."""
    groups = world.groups()
    predictors = [Predictor(model, world.view(), clock=lambda: world.noon) for model in (binary, multiclass)]
    with Service(predictors, groups) as service, httpx.Client(base_url=service.start(), timeout=20) as client:
        yield client, groups


@pytest.fixture
def client(shared):
    return shared[0]


@pytest.fixture
def logged(shared):
    """The ids that are in the log of the binary model."""
    return lambda: [row["prediction_id"] for row in shared[1].made[LOG].rows()] if LOG in shared[1].made else []


@pytest.fixture
def held(groups, predictor_of, binary):
    """The log's group of the binary model, where every write waits."""
    group = groups.create_feature_group(LOG, schema=predictor_of(binary).log_schema)
    group.gate.clear()
    yield group
    group.gate.set()


def error_of(reply, status):
    assert reply.status_code == status, reply.text
    assert reply.headers["content-type"] == "application/json"
    found = reply.json()
    assert set(found) == {"error"}
    assert found["error"]
    return found["error"]


# What the protocol asks for.


def test_server_and_health(client):
    assert set(client.get("/v2").json()) == {"name", "version", "extensions"}
    assert client.get("/v2/health/live").json() == {"live": True}
    assert client.get("/v2/health/ready").json() == {"ready": True}
    assert client.head("/v2/health/ready").status_code == 200


def test_model_metadata(client):
    found = client.get("/v2/models/punctuality/versions/7").json()
    assert found == client.get("/v2/models/punctuality").json()
    assert found["versions"] == ["7"]
    assert found["inputs"] == [
        {"name": "origin", "datatype": "BYTES", "shape": [-1]},
        {"name": "distance", "datatype": "FP64", "shape": [-1]},
    ]
    assert found["outputs"] == [
        {"name": "prediction", "datatype": "BYTES", "shape": [-1]},
        {
            "name": "probabilities",
            "datatype": "FP64",
            "shape": [-1, -1],
            "parameters": {"classes": ["early", "late", "on_time"]},
        },
        {"name": "prediction_id", "datatype": "BYTES", "shape": [-1]},
    ]
    assert client.get("/v2/models/punctuality/ready").json() == {"name": "punctuality", "ready": True}


@pytest.mark.parametrize("address", [INFER, "/v2/models/late_arrival/versions/1/infer"])
def test_infers(client, shared, address):
    reply = client.post(address, json=body(id="r1", parameters={"at": "2013-12-20T15:00Z"}))
    assert reply.status_code == 200, reply.text
    found = reply.json()
    assert (found["model_name"], found["model_version"], found["id"]) == ("late_arrival", "1", "r1")
    assert [(output["name"], output["datatype"], output["shape"]) for output in found["outputs"]] == [
        ("prediction", "BOOL", [1]),
        ("probability", "FP64", [1]),
        ("prediction_id", "BYTES", [1]),
    ]
    last = shared[1].made[LOG].rows()[-1]
    assert last["prediction_id"] == found["outputs"][2]["data"][0]
    assert last["x_wx_temp"] == 15.0


def test_multiclass_probabilities_are_a_matrix(client):
    reply = client.post("/v2/models/punctuality/infer", json=body(outputs=[{"name": "probabilities"}])).json()
    (output,) = reply["outputs"]
    assert output["shape"] == [1, 3]
    assert sum(output["data"]) == pytest.approx(1)


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/json; charset=UTF-8", "text/json", "application/vnd.oip+json"]
)
def test_takes_any_json_content_type(client, content_type):
    reply = client.post(INFER, content=json.dumps(body()), headers={"content-type": content_type})
    assert reply.status_code == 200


def test_a_reply_waits_until_its_row_is_durable(client_of, service_of, binary, held):
    client = client_of(service_of(binary))
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(client.post, INFER, json=body())
        assert held.entered.wait(10)
        rest = [pool.submit(client.post, INFER, json=body()) for _ in range(3)]
        assert client.get("/v2/health/live").status_code == 200  # the loop is free meanwhile
        assert not any(reply.done() for reply in (first, *rest))
        held.gate.set()
        replies = [reply.result(10).json() for reply in (first, *rest)]
    ids = {reply["outputs"][2]["data"][0] for reply in replies}
    assert ids == {row["prediction_id"] for row in held.rows()}
    assert len(held.commits) <= 4


# What goes wrong.


@pytest.mark.parametrize(
    ("method", "address", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/v2/", 404),
        ("GET", "/docs", 404),
        ("GET", "/openapi.json", 404),
        ("GET", "/v2/models/nothing", 404),
        ("GET", "/v2/models/late_arrival/versions/2", 404),
        ("GET", "/v2/models/late_arrival/versions/01/ready", 404),
        ("GET", "/v2/models/late_arrival/versions/\u0661", 404),
        ("POST", "/v2/models/nothing/infer", 404),
        ("POST", "/v2/models/late_arrival/versions/9/infer", 404),
        ("GET", "/v2/models/..%2f..%2fetc%2fpasswd", 404),
        ("GET", "/v2/models/%252e%252e", 404),
        ("GET", "/v2/models/..\\..\\x", 404),
        ("GET", "/v2/models/file:%2f%2f%2fetc", 404),
        ("GET", INFER, 405),
        ("DELETE", "/v2/models/late_arrival", 405),
        ("OPTIONS", INFER, 405),
        ("POST", "/v2", 405),
    ],
)
def test_errors_are_json_whatever_was_asked(client, method, address, status):
    reply = client.request(method, address)
    error_of(reply, status)
    if status == 405:
        assert reply.headers["allow"]
    assert "access-control-allow-origin" not in reply.headers


def test_unknown_names_are_answered_with_known_ones(client):
    assert "Did you mean 'late_arrival'?" in error_of(client.get("/v2/models/late_arival"), 404)
    assert "It has 1." in error_of(client.get("/v2/models/late_arrival/versions/2"), 404)


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
    ],
)
def test_a_body_that_is_not_said_to_be_json_is_refused(client, logged, content_type):
    before = logged()
    headers = {} if content_type is None else {"content-type": content_type}
    assert "Content-Type: application/json" in error_of(
        client.post(INFER, content=json.dumps(body()), headers=headers), 415
    )
    assert logged() == before


def test_a_compressed_body_is_refused(client):
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    assert "compressed" in error_of(client.post(INFER, content=b"\x1f\x8b", headers=headers), 415)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b'{"inputs": NaN}', b"[" * 100_000])
def test_bad_json_is_refused(client, content):
    error_of(client.post(INFER, content=content, headers={"content-type": "application/json"}), 400)


def test_what_does_not_fit_names_the_input(client, logged):
    before = logged()
    assert "'distance' holds 'far' in row 0" in error_of(client.post(INFER, json=body(distance="far")), 400)
    assert "'distance' is null in row 0" in error_of(client.post(INFER, json=body(distance=None)), 400)
    assert logged() == before


def test_an_oversized_body_is_refused_with_and_without_its_length(client_of, service_of, binary):
    client = client_of(service_of(binary, limits=Limits(body_bytes=1000)))
    headers = {"content-type": "application/json"}
    assert "1000 bytes" in error_of(client.post(INFER, content=b" " * 1001, headers=headers), 413)

    def chunks():
        for _ in range(20):
            yield b" " * 100

    assert "1000 bytes" in error_of(client.post(INFER, content=chunks(), headers=headers), 413)
    padded = json.dumps(body()).encode().ljust(1000)
    assert client.post(INFER, content=padded, headers=headers).status_code == 200


def test_a_body_that_does_not_arrive_is_given_up(client_of, service_of, binary):
    address = httpx.URL(service_of(binary, limits=Limits(body_s=0.05)).start())
    with socket.create_connection((address.host, address.port), timeout=20) as connection:
        head = (
            f"POST {INFER} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n"
        )
        connection.sendall(head.encode())
        assert connection.recv(1000).startswith(b"HTTP/1.1 408")


def test_too_many_rows_are_refused(client_of, service_of, binary):
    client = client_of(service_of(binary, limits=Limits(rows=1)))
    two = body()
    for tensor in two["inputs"]:
        tensor |= {"shape": [2], "data": [tensor["data"][0]] * 2}
    two["inputs"][1]["data"] = [1.0, 2.0]
    assert "has 2 rows" in error_of(client.post(INFER, json=two), 400)


def test_a_full_queue_asks_to_come_back(client_of, service_of, binary, held):
    client = client_of(service_of(binary, limits=Limits(waiting_rows=1)))
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(client.post, INFER, json=body())
        assert held.entered.wait(10)
        rest = [pool.submit(client.post, INFER, json=body()) for _ in range(2)]
        (turned_away,), waiting = wait(rest, 10, FIRST_COMPLETED)
        reply = turned_away.result()
        assert "wait to be recorded" in error_of(reply, 503)
        assert reply.headers["retry-after"]
        held.gate.set()
        assert [reply.result(10).status_code for reply in (first, *waiting)] == [200, 200]


def test_a_lost_race_for_the_log_asks_to_come_back(client_of, service_of, binary, held):
    held.gate.set()
    held.failures = [ConflictError("Another writer was first.")]
    reply = client_of(service_of(binary)).post(INFER, json=body())
    assert error_of(reply, 503) == "Another writer was first."
    assert reply.headers["retry-after"]


def test_an_unexpected_failure_leaks_nothing_but_the_id_of_a_log_entry(client_of, service_of, binary, held, caplog):
    held.gate.set()
    held.failures = [OSError("No space left on /secret/disk")]
    client = client_of(service_of(binary))
    with caplog.at_level(logging.ERROR, "groundswell.serving"):
        text = error_of(client.post(INFER, json=body()), 500)
    assert "secret" not in text
    incident = re.search("[0-9a-f]{16}", text)[0]
    assert incident in caplog.text
    assert "/secret/disk" in caplog.text
    assert client.post(INFER, json=body()).status_code == 200


def test_a_closed_service_is_live_and_not_ready(client_of, service_of, binary):
    service = service_of(binary)
    client = client_of(service)
    service._deployments.close()
    assert client.get("/v2/health/live").status_code == 200
    assert client.get("/v2/health/ready").status_code == 503
    assert client.get("/v2/models/late_arrival/ready").json() == {"name": "late_arrival", "ready": False}


# Who may ask.


TOKEN = "a-token-of-some-length"


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "localhost.evil.example", "127.0.0.1.evil.example", "", "0.0.0.0"]
)
def test_without_a_token_only_this_machine_is_served(client, host):
    for method, address in [
        ("GET", "/"),
        ("GET", "/v2"),
        ("POST", INFER),
        ("DELETE", "/v2"),
        ("GET", "/v2/health/live"),
    ]:
        error_of(client.request(method, address, headers={"host": host}), 421)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8080", "127.0.0.1:1", "[::1]", "[::1]:8080"])
def test_this_machine_has_several_names(client, host):
    assert client.get("/v2", headers={"host": host}).status_code == 200


def test_every_route_but_health_wants_the_token(client_of, service_of, binary):
    service = service_of(binary, token=TOKEN)
    client = client_of(service)
    seen = set()
    for route in service.app.routes:
        address = route.path.format(model="late_arrival", version="1")
        for method in route.methods:
            seen.add(address)
            if address in ("/v2/health/live", "/v2/health/ready"):
                assert client.request(method, address).status_code == 200
                continue
            for headers in (
                {},
                {"authorization": f"Bearer {TOKEN}x"},
                {"authorization": TOKEN},
                {"authorization": "Bearer"},
            ):
                reply = client.request(method, address, headers=headers)
                assert reply.status_code == 401, (method, address, headers)
                assert reply.headers["www-authenticate"] == "Bearer"
    assert {"/", "/v2", INFER, "/v2/models/late_arrival/versions/1/infer", "/v2/models/late_arrival/ready"} <= seen
    error_of(client.get("/nothing"), 401)


def test_with_the_token_every_name_is_served(client_of, service_of, binary):
    client = client_of(service_of(binary, token=TOKEN), headers={"authorization": f"bearer {TOKEN}"})
    assert client.post(INFER, json=body(), headers={"host": "models.example"}).status_code == 200
    assert client.get("/", headers={"host": "models.example"}).status_code == 200


def test_every_reply_has_the_security_headers(client):
    for reply in (
        client.get("/"),
        client.get("/v2"),
        client.get("/x"),
        client.get("/", headers={"host": "evil.example"}),
    ):
        assert reply.headers["content-security-policy"].startswith("default-src 'none'")
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert reply.headers["referrer-policy"] == "no-referrer"
        assert "server" not in reply.headers


# Whatever is sent, the server does not fail.


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)


@st.composite
def _requests(draw):
    request = body()
    for tensor in request["inputs"]:
        for key in draw(st.sets(st.sampled_from(["name", "shape", "datatype", "data"]), max_size=1)):
            tensor[key] = draw(_VALUES)
        if draw(st.booleans()):
            tensor["data"] = draw(st.lists(st.floats() | st.text(max_size=3) | st.integers(), min_size=1, max_size=1))
    for key in draw(st.sets(st.sampled_from(["id", "parameters", "inputs", "outputs", "at"]), max_size=1)):
        request[key] = draw(_VALUES)
    return json.dumps(request).encode()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(content=_requests() | st.binary(max_size=20))
def test_no_body_makes_the_server_fail(client, content):
    reply = client.post(INFER, content=content, headers={"content-type": "application/json"})
    assert reply.status_code in (200, 400), (content, reply.text)
    assert reply.status_code == 200 or reply.json()["error"].isprintable()
