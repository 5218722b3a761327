from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from groundswell.errors import SignatureError
from groundswell.models import Signature
from groundswell.serving._records import moments_of, table_of
from groundswell.types import TIMESTAMP, Field, Schema

REQUEST = Signature(
    inputs=Schema((Field("origin", pa.string()), Field("seats", pa.int64()), Field("seen", TIMESTAMP))),
    outputs=Schema.of({"late": pa.bool_()}),
    task="other",
)
SEEN = datetime(2013, 12, 20, 15, tzinfo=UTC)
ROWS = [{"origin": "EWR", "seats": 2**53 + 1, "seen": SEEN}, {"origin": None, "seats": None, "seen": None}]


def forms():
    arrow = pa.Table.from_pylist(ROWS, schema=REQUEST.inputs.to_arrow())
    return {
        "mappings": ROWS,
        "a generator": (row for row in ROWS),
        "arrow": arrow,
        "pandas": arrow.to_pandas(types_mapper=pd.ArrowDtype),
        "pandas with an index": arrow.to_pandas(types_mapper=pd.ArrowDtype).set_axis(["a", "b"]),
        "polars": pl.from_arrow(arrow),
        "NumPy scalars": [{**ROWS[0], "seats": np.int64(2**53 + 1)}, {**ROWS[1], "seats": pd.NA, "seen": pd.NaT}],
        "text instants": [{**ROWS[0], "seen": "2013-12-20T16:00+01:00"}, ROWS[1]],
    }


@pytest.mark.parametrize("form", forms())
def test_takes_the_same_rows_in_every_form(form):
    table, at = table_of(forms()[form], REQUEST)
    assert table.schema.equals(REQUEST.inputs.to_arrow())
    assert (table.to_pylist(), at) == (ROWS, None)


def test_takes_no_rows():
    for nothing in ([], pd.DataFrame(), pd.DataFrame({"origin": []})):
        table, _ = table_of(nothing, REQUEST)
        assert table.equals(REQUEST.inputs.to_arrow().empty_table())


def test_the_moment_may_ride_along():
    moments = ["2013-12-20T15:00Z", date(2013, 12, 21)]
    expected = [SEEN, datetime(2013, 12, 21, tzinfo=UTC)]
    with_at = [{**row, "at": moment} for row, moment in zip(ROWS, moments, strict=True)]
    assert table_of(with_at, REQUEST)[1] == expected
    assert table_of(pd.DataFrame(ROWS).assign(at=pd.to_datetime(expected)).iloc[1:], REQUEST)[1] == expected[1:]
    with pytest.raises(SignatureError, match="Record 1 lacks 'at'"):
        table_of([with_at[0], ROWS[1]], REQUEST)
    with pytest.raises(SignatureError, match="'soon' cannot be read as the moment 'at'"):
        table_of([{**ROWS[0], "at": "soon"}], REQUEST)


def test_a_column_of_the_model_that_is_called_at_is_the_models():
    request = Signature(inputs=Schema.of({"at": pa.int64()}), outputs=REQUEST.outputs, task="other")
    table, at = table_of([{"at": 3}], request)
    assert (table["at"].to_pylist(), at) == ([3], None)


@pytest.mark.parametrize("records", [ROWS[0], "EWR", b"EWR", [ROWS[0], 3], [["EWR", 1]]])
def test_refuses_what_is_no_list_of_records(records):
    with pytest.raises(SignatureError, match="no list of records"):
        table_of(records, REQUEST)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"orgin": "EWR"}, "'orgin'"),
        ({"seats": "3"}, "'seats'"),
        ({"seats": 1.5}, "'seats'"),
        ({"seats": True}, "'seats'"),
        ({"seats": 2**63}, "'seats'"),
        ({"origin": 3}, "'origin'"),
        ({"seen": datetime(2013, 12, 20)}, "'seen'"),  # noqa: DTZ001 - naive on purpose
    ],
)
def test_refuses_what_does_not_fit_and_names_it(change, said):
    with pytest.raises(SignatureError, match=said):
        table_of([{**ROWS[0], **change}], REQUEST)
    with pytest.raises(SignatureError, match="'seats'"):
        table_of([{"origin": "EWR", "seen": None}], REQUEST)


def test_moments_are_one_or_one_per_row():
    assert moments_of("2013-12-20T15:00Z") == SEEN
    assert moments_of([SEEN, "2013-12-20T15:00"]) == [SEEN, SEEN]
    assert moments_of(pd.Series([SEEN])) == [SEEN]
    for wrong in (7, "soon", ["soon"], [None]):
        with pytest.raises(SignatureError, match="moment 'at'"):
            moments_of(wrong)
