import json
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundswell.errors import SignatureError
from groundswell.serving._protocol import InferRequest, decode_request, encode_reply, tensor_metadata
from groundswell.types import TIMESTAMP, Field, Schema

SCHEMA = Schema(
    (
        Field("origin", pa.string(), nullable=False),
        Field("distance", pa.float64()),
        Field("seats", pa.int64()),
        Field("seen", TIMESTAMP),
    )
)
OUTPUTS = ["prediction", "probability", "prediction_id"]


def valid():
    return {
        "id": "r1",
        "parameters": {"at": "2013-12-20T15:00Z"},
        "inputs": [
            {"name": "seats", "shape": [2, 1], "datatype": "INT64", "data": [[9007199254740993], [None]]},
            {"name": "origin", "shape": [2], "datatype": "BYTES", "data": ["EWR", "JFK"]},
            {"name": "distance", "shape": [2], "datatype": "FP32", "data": [1400, 0.5]},
            {"name": "seen", "shape": [2], "datatype": "BYTES", "data": ["2013-12-20T15:00:00.25+01:00", None]},
        ],
        "outputs": [{"name": "prediction"}],
    }


def decode(request, schema=SCHEMA, max_rows=10):
    body = request if isinstance(request, bytes) else json.dumps(request).encode()
    return decode_request(body, schema, OUTPUTS, max_rows=max_rows)


def refusal(request, **options):
    with pytest.raises(SignatureError) as caught:
        decode(request, **options)
    return str(caught.value)


def test_decodes_to_the_columns_of_the_schema_in_its_order():
    found = decode(valid())
    assert found.inputs.schema.equals(SCHEMA.to_arrow())
    assert found.inputs.to_pylist() == [
        {
            "origin": "EWR",
            "distance": 1400.0,
            "seats": 9007199254740993,
            "seen": datetime(2013, 12, 20, 14, 0, 0, 250000, tzinfo=UTC),
        },
        {"origin": "JFK", "distance": 0.5, "seats": None, "seen": None},
    ]
    assert found.at == datetime(2013, 12, 20, 15, tzinfo=UTC)
    assert (found.id, found.outputs) == ("r1", ("prediction",))


def test_what_is_optional_may_be_absent_or_null():
    bare = {"inputs": valid()["inputs"]}
    for request in (bare, {**bare, "id": None, "parameters": None, "outputs": None}, {**bare, "outputs": []}):
        found = decode(request)
        assert (found.at, found.id, found.outputs) == (None, None, ())


def test_at_may_be_an_input_with_a_moment_per_row():
    request = valid()
    del request["parameters"]
    moments = {"name": "at", "shape": [2], "datatype": "BYTES", "data": ["2013-12-20T15:00Z", "2013-12-21"]}
    request["inputs"].append(moments)
    assert decode(request).at == (
        datetime(2013, 12, 20, 15, tzinfo=UTC),
        datetime(2013, 12, 21, tzinfo=UTC),
    )
    assert "both" in refusal({**request, "parameters": {"at": "2013-12-20T15:00Z"}})
    moments["data"][1] = None
    assert "'at' is null in row 1" in refusal(request)
    moments["data"][1] = "tomorrow"
    assert "'tomorrow' cannot be read as the moment 'at'" in refusal(request)
    moments |= {"shape": [1], "data": ["2013-12-20"]}
    assert "'origin' has 2 rows and input 'at' has 1" in refusal(request)


def test_an_input_of_the_model_that_is_called_at_is_the_models():
    schema = Schema.of({"at": pa.int64()})
    found = decode({"inputs": [{"name": "at", "shape": [1], "datatype": "INT64", "data": [3]}]}, schema)
    assert (found.inputs["at"].to_pylist(), found.at) == ([3], None)


def test_a_column_may_be_called_zero():
    schema = Schema((Field("0", pa.int64()), Field("', drop", pa.int64())))
    inputs = [{"name": name, "shape": [1], "datatype": "INT64", "data": [1]} for name in schema.names]
    assert decode({"inputs": inputs}, schema).inputs.column_names == ["0", "', drop"]


def test_what_other_clients_send_along_is_let_pass():
    request = valid()
    request["parameters"] |= {"content_type": "pd", "binary_data_output": False, "headers": {}}
    request["inputs"][0]["parameters"] = {"content_type": "np"}
    assert decode(request).inputs.num_rows == 2


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "no JSON"),
        (b"{", "line 1"),
        (b"\xff\xfe", "no UTF-8"),
        (b"\xef\xbb\xbf{}", "no JSON"),
        (b"[]", "a JSON array"),
        (b"null", "The body is None"),
        (b'{"inputs": [NaN]}', "holds NaN.*Send null"),
        (b'{"inputs": [-Infinity]}', "holds -Infinity"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"x":' * 100_000, "nested too deeply"),
        (b'{"x": ' + b"1" * 5000 + b"}", "thousands of digits"),
        (b'{"x": "' + b"a" * 5000, "no JSON"),
    ],
)
def test_refuses_a_body_that_is_no_json(body, said):
    with pytest.raises(SignatureError, match=said) as caught:
        decode(body)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"id": 7}, "'id' is 7"),
        ({"parameters": []}, "'parameters' is a JSON array"),
        ({"parameters": {"at": 7}}, "7 cannot be read"),
        ({"parameters": {"at": None}}, "None cannot be read"),
        ({"parameters": {"at": "0001-01-01T00:00+14:00"}}, "cannot be read"),
        ({"parameters": {"At": "2013-12-20"}}, "'At' is unknown.*'at'"),
        ({"inputs": None}, "lacks the inputs 'origin', 'distance', 'seats', 'seen'"),
        ({"inputs": {}}, "'inputs' is no array"),
        ({"inputs": [3]}, "'inputs' is no array"),
        ({"inputs": [{}]}, "number 0 has the name None"),
        ({"inputs": [{"name": ["x"]}]}, "has the name a JSON array"),
        ({"inputs": valid()["inputs"] * 2}, "'seats' twice"),
        ({"inputs": valid()["inputs"][1:]}, "lacks the input 'seats'"),
        ({"inputs": [*valid()["inputs"], {"name": "distanc"}]}, "no input 'distanc'.*'distance'"),
        ({"outputs": [{"name": "p"}]}, "no output 'p'.*'prediction'"),
        ({"outputs": [{"name": "prediction"}] * 2}, "'prediction' twice"),
        ({"outputs": "prediction"}, "'outputs' is no array"),
    ],
)
def test_refuses_a_request_and_says_why(change, said):
    with pytest.raises(SignatureError, match=said):
        decode({**valid(), **change})


def test_refuses_more_rows_than_allowed_and_rows_that_differ():
    assert "has 2 rows" in refusal(valid(), max_rows=1)
    request = valid()
    request["inputs"][1] |= {"shape": [1], "data": ["EWR"]}
    assert "'origin' has 1 rows and input 'distance' has 2" in refusal(request)


def test_a_hostile_name_is_shown_escaped_and_short():
    request = valid()
    request["inputs"].append({"name": "\x1b[2J\ud800" + "a" * 10_000})
    message = refusal(request)
    assert message.isprintable()
    assert len(message) < 300


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["EWR", "at", "FP64"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "shape", "datatype", "data", "inputs", "at"]), inner, max_size=4)
    ),
    max_leaves=8,
)


@st.composite
def _nearly_valid(draw):
    """A valid request in which a few places hold something else."""
    request = valid()
    for _ in range(draw(st.integers(1, 3))):
        place = request
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if isinstance(place[key], (dict, list)) and place[key] and draw(st.integers(0, 3)):
                place = place[key]
                continue
            place[key] = draw(_JSON)
            break
    return request


@given(st.one_of(_JSON, _nearly_valid()))
def test_every_body_is_decoded_or_refused(request_):
    try:
        found = decode(json.dumps(request_).encode())
    except SignatureError as error:
        found = error
    if isinstance(found, SignatureError):
        assert str(found).isprintable()
        assert len(str(found)) < 500
    else:
        assert found.inputs.schema.equals(SCHEMA.to_arrow())
        found.inputs.validate(full=True)


@given(st.binary())
def test_every_string_of_bytes_is_refused(body):
    with pytest.raises(SignatureError):
        decode(body)


def _request(**changes):
    fields = {"inputs": SCHEMA.to_arrow().empty_table(), "at": None, "id": None, "outputs": ()}
    return InferRequest(**{**fields, **changes})


def test_a_reply_has_what_was_asked_for_and_the_id():
    outputs = pa.table({"prediction": [True, False], "probability": [0.75, float("nan")]})
    assert json.loads(encode_reply("late", 3, outputs, _request())) == {
        "model_name": "late",
        "model_version": "3",
        "outputs": [
            {"name": "prediction", "shape": [2], "datatype": "BOOL", "data": [True, False]},
            {"name": "probability", "shape": [2], "datatype": "FP64", "data": [0.75, None]},
        ],
    }
    chosen = json.loads(encode_reply("late", 3, outputs, _request(id="\ud800é", outputs=("probability",))))
    assert chosen["id"] == "\ud800é"
    assert [output["name"] for output in chosen["outputs"]] == ["probability"]


def test_a_reply_can_be_sent_as_a_request():
    table = decode(valid()).inputs
    reply = json.loads(encode_reply("late", 3, table, _request()))
    assert decode({"inputs": reply["outputs"]}).inputs.equals(table)


def test_metadata_lists_the_tensors():
    assert tensor_metadata(SCHEMA)[0] == {"name": "origin", "datatype": "BYTES", "shape": [-1]}
