from datetime import UTC, datetime

import pyarrow as pa
import pytest

from groundswell.errors import ColumnNotFoundError, DataError, SchemaError, TypeMismatchError
from groundswell.tables import Definition, infer_schema, read_frame
from groundswell.tables._incoming import conform
from groundswell.types import TIMESTAMP, Field, Schema

T = datetime(2024, 1, 1, tzinfo=UTC)
SCHEMA = Schema(
    (Field("k", pa.string()), Field("t", TIMESTAMP), Field("v", pa.float64()), Field("w", pa.int8(), nullable=False))
)
DEFINITION = Definition.of("g", ["k"], "t", None, SCHEMA)
GOOD = {"k": ["a", "b"], "t": [T, T], "v": [1.0, None], "w": [1, 2]}


def conformed(data, time_zone=None) -> list[dict]:
    reader = data if isinstance(data, pa.RecordBatchReader) else read_frame(data)
    return pa.Table.from_batches(list(conform(reader, DEFINITION, time_zone)), DEFINITION.schema.to_arrow()).to_pylist()


def test_columns_come_in_the_order_and_types_of_the_table():
    shuffled = {
        "w": pa.array([1, 2], pa.uint8()),
        "v": [1, None],
        "k": pa.array(["a", "b"]).dictionary_encode(),
        "t": [T, T],
    }
    assert conformed(shuffled) == read_frame(GOOD).read_all().to_pylist()


def test_no_rows_fit_whatever_their_batches():
    assert conformed({name: pa.array([], SCHEMA[name].type) for name in GOOD}) == []


@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"k": None}, ColumnNotFoundError, "primary key 'k' of group 'g'"),
        ({"v": None}, ColumnNotFoundError, "column 'v' of group 'g'"),
        ({"vv": [1, 2]}, ColumnNotFoundError, "Did you mean 'v'"),
        ({"K": ["a", "b"]}, SchemaError, "there twice"),
        ({"k": ["a", None]}, DataError, "primary key 'k' of group 'g' is null in row 1"),
        ({"t": [None, T]}, DataError, "event time 't' of group 'g' is null in row 0"),
        ({"w": [1, None]}, DataError, "column 'w' of group 'g' is null in row 1"),
        ({"w": [1, 300]}, TypeMismatchError, "row 1: 300"),
    ],
)
def test_what_does_not_fit_is_named(changes, error, says):
    data = {name: values for name, values in (GOOD | changes).items() if values is not None}
    with pytest.raises(error) as caught:
        conformed(data)
    assert says in str(caught.value)
    assert caught.value.fix


def test_rows_are_counted_over_all_batches():
    batches = pa.table(GOOD).to_batches() * 2 + pa.table(GOOD | {"k": ["a", None]}).to_batches()
    with pytest.raises(DataError, match="row 5"):
        conformed(pa.RecordBatchReader.from_batches(batches[0].schema, batches))


def test_texts_of_two_batches_may_not_mix_zones_either():
    texts = [pa.table(GOOD | {"t": [text] * 2}) for text in ("2024-01-01T00:00Z", "2024-01-01T00:00+01:00")]
    with pytest.raises(DataError, match="mixes the time zones"):
        conformed(pa.concat_tables(texts).to_reader())


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc", 5, "America"])
def test_what_is_no_time_zone_is_refused(zone):
    with pytest.raises(DataError, match="no time zone"):
        conformed(GOOD, time_zone=zone)


def test_a_schema_is_inferred_with_keys_and_times_first():
    given = pa.schema([("v", pa.uint8()), ("t", pa.string()), pa.field("k", pa.large_string(), nullable=False)])
    assert infer_schema(given, identity=["k", "t"]) == Schema.of({"t": pa.string(), "k": pa.string(), "v": pa.uint8()})
    with pytest.raises(TypeMismatchError, match="'v'"):
        infer_schema(pa.schema([("v", pa.null())]), identity=[])
