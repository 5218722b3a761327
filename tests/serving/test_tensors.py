import base64
import math
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundswell.errors import SignatureError, TypeMismatchError
from groundswell.serving._tensors import array_of, datatype_of, metadata_of, show, tensor_of
from groundswell.types import TIMESTAMP, Field

_LIST = pa.list_(pa.field("element", pa.float64()))
_EDGES = datetime(1, 1, 2), datetime(9999, 12, 30)  # noqa: DTZ001 - Hypothesis wants naive bounds
_INSTANTS = st.datetimes(*_EDGES, timezones=st.just(UTC))
_TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
_FLOATS = st.floats(allow_nan=False, allow_infinity=False)


def _integers(bits):
    return st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


# Type, its values in Python, and how a client that shares no code with ours writes one in JSON.
_KINDS = [
    (pa.bool_(), st.booleans(), lambda v: v, "BOOL"),
    (pa.int8(), _integers(8), lambda v: v, "INT8"),
    (pa.int16(), _integers(16), lambda v: v, "INT16"),
    (pa.int32(), _integers(32), lambda v: v, "INT32"),
    (pa.int64(), _integers(64), lambda v: v, "INT64"),
    (pa.float32(), st.floats(width=32, allow_nan=False, allow_infinity=False), lambda v: v, "FP32"),
    (pa.float64(), _FLOATS, lambda v: v, "FP64"),
    (pa.string(), _TEXTS, lambda v: v, "BYTES"),
    (pa.binary(), st.binary(), lambda v: base64.b64encode(v).decode(), "BYTES"),
    (TIMESTAMP, _INSTANTS, lambda v: v.isoformat(), "BYTES"),
    (pa.date32(), st.dates(), lambda v: v.isoformat(), "BYTES"),
    (pa.decimal128(12, 3), st.decimals(-(10**8), 10**8, places=3), str, "BYTES"),
]


@st.composite
def _columns(draw):
    kind, values, write, datatype = draw(st.sampled_from(_KINDS))
    return kind, draw(st.lists(st.none() | values, max_size=6)), write, datatype


def _tensor(data, datatype, shape=None):
    return {"name": "x", "shape": [len(data)] if shape is None else shape, "datatype": datatype, "data": data}


@given(_columns())
def test_reads_what_a_client_writes(column):
    kind, values, write, datatype = column
    data = [None if value is None else write(value) for value in values]
    found = array_of(_tensor(data, datatype), Field("x", kind))
    assert found.type == kind
    assert found.to_pylist() == values


@given(_columns())
def test_reads_back_what_it_writes(column):
    kind, values, _, _ = column
    array = pa.array(values, kind)
    assert array_of(tensor_of("x", array), Field("x", kind)).equals(array)


@given(_columns(), st.integers(1, 3))
def test_nested_and_flat_data_are_the_same(column, width):
    kind, values, write, datatype = column
    data = [None if value is None else write(value) for value in values * width]
    field = Field("x", pa.list_(pa.field("element", kind)))
    shape = [len(values), width]
    nested = [data[start : start + width] for start in range(0, len(data), width)]
    flat = array_of(_tensor(data, datatype, shape), field)
    assert flat.equals(array_of(_tensor(nested, datatype, shape), field))
    assert flat.type == field.type
    assert [element for row in flat.to_pylist() for element in row] == values * width
    if values:
        assert tensor_of("x", flat)["shape"] == shape
        assert array_of(tensor_of("x", flat), field).equals(flat)


@given(st.integers(-(2**63), 2**63 - 1))
def test_int64_never_passes_through_float(value):
    for datatype in ("INT64", "UINT64") if value >= 0 else ("INT64",):
        assert array_of(_tensor([value], datatype), Field("x", pa.int64())).to_pylist() == [value]


@given(st.integers(-(2**63), 2**63 - 1))
def test_an_integer_becomes_a_float_only_if_exactly(value):
    field = Field("x", pa.float64())
    if abs(value) <= 2**53:
        assert array_of(_tensor([value], "INT64"), field).to_pylist() == [value]
    else:
        with pytest.raises(SignatureError, match=r"'x' holds .* in row 0\..*exactly.*FP64"):
            array_of(_tensor([value], "INT64"), field)


def test_javascript_writes_large_floats_without_a_point():
    assert array_of(_tensor([100000000000000000000], "FP64"), Field("x", pa.float64())).to_pylist() == [1e20]


@pytest.mark.parametrize(
    ("kind", "datatype", "value"),
    [
        (pa.int8(), "INT8", 128),
        (pa.int8(), "INT64", 128),
        (pa.int64(), "INT64", 2**63),
        (pa.int64(), "UINT64", 2**63),
        (pa.int64(), "UINT64", -1),
        (pa.int64(), "UINT64", 10**30),
        (pa.int64(), "INT64", 1.0),
        (pa.int64(), "INT64", True),
        (pa.int64(), "INT64", "1"),
        (pa.int64(), "INT64", [1]),
        (pa.float64(), "FP64", True),
        (pa.float64(), "FP64", "1.5"),
        (pa.float64(), "FP64", 10**400),
        (pa.float64(), "FP64", math.inf),
        (pa.float32(), "FP64", 1e300),
        (pa.float32(), "INT64", 2**24 + 1),
        (pa.bool_(), "BOOL", 1),
        (pa.string(), "BYTES", 1),
        (pa.string(), "BYTES", "\ud800"),
        (pa.string(), "BYTES", {}),
        (pa.binary(), "BYTES", "not base64!"),
        (pa.binary(), "BYTES", "YQ"),
        (TIMESTAMP, "BYTES", "2013-12-20T15:00"),
        (TIMESTAMP, "BYTES", "2013-12-20T15:00:00.1234567Z"),
        (TIMESTAMP, "BYTES", "2013-02-29T15:00Z"),
        (TIMESTAMP, "BYTES", "0001-01-01T00:00:00+14:00"),
        (TIMESTAMP, "BYTES", "9999-12-31T23:59:59-14:00"),
        (pa.date32(), "BYTES", "20.12.2013"),
        (pa.decimal128(5, 2), "BYTES", "1.555"),
        (pa.decimal128(5, 2), "BYTES", "1e9"),
    ],
)
def test_refuses_a_value_and_names_its_row(kind, datatype, value):
    good = {"INT": 1, "UIN": 1, "FP3": 1.0, "FP6": 1.0, "BOO": True}.get(datatype[:3])
    with pytest.raises(SignatureError, match=r"^Input 'x' holds .* in row 1\. \S.*\S$") as caught:
        array_of(_tensor([good, value, good], datatype), Field("x", kind))
    assert (caught.value.input, caught.value.row) == ("x", 1)


@pytest.mark.parametrize("shape", [None, 3, "3", [], [-1], [3.0], [True], [3, 2], [1, 3], [3, 1, 1], [10**30], {}])
def test_refuses_a_shape_that_the_data_do_not_have(shape):
    with pytest.raises(SignatureError, match="Input 'x' has"):
        array_of({"name": "x", "shape": shape, "datatype": "INT64", "data": [1, 2, 3]}, Field("x", pa.int64()))


@pytest.mark.parametrize(
    "data", [None, 3, "abc", {}, [[1], [2]], [[1], [2], [3, 4]], [[1], [2], 3], [[[1]], [[2]], [[3]]]]
)
def test_refuses_data_that_the_shape_does_not_have(data):
    with pytest.raises(SignatureError, match=r"Input 'x' (has|holds)"):
        array_of({"name": "x", "shape": [3, 1], "datatype": "INT64", "data": data}, Field("x", pa.int64()))


@pytest.mark.parametrize("shape", [[3], [3, 0], [0, 0], [10**9, 0], [1, 2]])
def test_refuses_the_shape_of_a_list(shape):
    with pytest.raises(SignatureError, match="Input 'x' has"):
        array_of(_tensor([], "FP64", shape), Field("x", _LIST))


@pytest.mark.parametrize(
    ("kind", "datatype"),
    [
        (pa.int64(), "FP64"),
        (pa.int64(), "BYTES"),
        (pa.int64(), "BOOL"),
        (pa.bool_(), "INT8"),
        (pa.float64(), "BYTES"),
        (pa.string(), "FP64"),
        (pa.string(), "STRING"),
        (pa.string(), "bytes"),
        (pa.string(), None),
        (pa.string(), ["BYTES"]),
        (TIMESTAMP, "INT64"),
    ],
)
def test_refuses_a_datatype_and_names_the_right_one(kind, datatype):
    with pytest.raises(SignatureError, match=f"datatype .* Send it as {datatype_of(kind)}"):
        array_of(_tensor([], datatype), Field("x", kind))


def test_refuses_null_where_none_may_be():
    with pytest.raises(SignatureError, match="null in row 1"):
        array_of(_tensor([1.0, None], "FP64"), Field("x", pa.float64(), nullable=False))
    with pytest.raises(SignatureError, match="null in row 1"):
        array_of(_tensor([1.0, 2.0, 3.0, None], "FP64", [2, 2]), Field("x", _LIST, nullable=False))


def test_writes_what_json_cannot_as_null():
    assert tensor_of("y", pa.array([1.5, math.nan, math.inf, -math.inf, None]))["data"] == [1.5, None, None, None, None]


def test_writes_values_as_a_reader_expects_them():
    assert tensor_of("t", pa.array([datetime(2013, 12, 20, 15, tzinfo=UTC)], TIMESTAMP))["data"] == [
        "2013-12-20T15:00:00.000000Z"
    ]
    assert tensor_of("d", pa.array([date(2013, 12, 20)]))["data"] == ["2013-12-20"]
    assert tensor_of("m", pa.array([Decimal("1.50")]))["data"] == ["1.50"]
    assert tensor_of("b", pa.array([b"\xff"]))["data"] == ["/w=="]
    assert tensor_of("p", pa.array([[0.25, 0.75]], _LIST)) == {
        "name": "p",
        "shape": [1, 2],
        "datatype": "FP64",
        "data": [0.25, 0.75],
    }


def test_describes_columns():
    assert metadata_of(Field("p", _LIST)) == {"name": "p", "datatype": "FP64", "shape": [-1, -1]}
    assert metadata_of(Field("p", pa.int8())) == {"name": "p", "datatype": "INT8", "shape": [-1]}


@pytest.mark.parametrize("kind", [pa.struct([("a", pa.int64())]), pa.list_(pa.list_(pa.int64()))])
def test_refuses_columns_that_no_tensor_can_carry(kind):
    with pytest.raises(TypeMismatchError, match="'p'"):
        metadata_of(Field("p", kind))


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text() | st.integers(), st.lists))
def test_what_a_message_shows_is_short(value):
    assert len(show(value)) <= 80
    assert show(value).isprintable()
