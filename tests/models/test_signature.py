import json
from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.cluster import KMeans
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC

from groundswell.errors import DataError, SignatureError
from groundswell.models import Signature
from groundswell.types import TIMESTAMP, Field, Schema

_X = pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0], "b": [1, 0, 1, 0]})
_LATE = pa.table({"late": [True, False, True, False]})


def _signature(*fields, infinite=()):
    return Signature(
        inputs=Schema(fields),
        outputs=Schema.of({"late": pa.bool_()}),
        task="binary",
        classes=(False, True),
        infinite=frozenset(infinite),
    )


SIGNATURE = _signature(
    Field("distance", pa.float64(), nullable=False),
    Field("carrier", pa.string(), nullable=False),
    Field("seats", pa.int32()),
    Field("night", pa.bool_()),
    Field("at", TIMESTAMP),
    Field("day", pa.date32()),
)
GOOD = {
    "distance": [1400.5],
    "carrier": ["UA"],
    "seats": [149],
    "night": [True],
    "at": ["2013-12-20T16:00+01:00"],
    "day": ["2013-12-20"],
}
_AT = datetime(2013, 12, 20, 15, tzinfo=UTC)


def test_a_request_becomes_a_table_of_exactly_the_inputs_in_order():
    table = SIGNATURE.check(dict(reversed(GOOD.items())))
    assert table.schema == SIGNATURE.inputs.to_arrow()
    assert table.to_pylist() == [
        {"distance": 1400.5, "carrier": "UA", "seats": 149, "night": True, "at": _AT, "day": date(2013, 12, 20)}
    ]


def test_rows_and_columns_and_frames_say_the_same():
    expected = SIGNATURE.check(GOOD)
    row = {name: values[0] for name, values in GOOD.items()}
    frame = pd.DataFrame([row]).assign(at=pd.to_datetime([_AT]), day=[date(2013, 12, 20)])
    assert SIGNATURE.check([row]).equals(expected)
    assert SIGNATURE.check(expected).equals(expected)
    assert SIGNATURE.check(pa.Table.from_pandas(frame)).equals(expected)
    assert SIGNATURE.check({name: frame[name] for name in frame}).equals(expected)
    assert SIGNATURE.check({name: frame[name].to_numpy() for name in frame if name != "at"} | {"at": [_AT]}).equals(
        expected
    )
    polars = pl.DataFrame({**row, "at": _AT, "day": date(2013, 12, 20)})
    assert SIGNATURE.check({name: polars[name] for name in polars.columns}).equals(expected)


@pytest.mark.parametrize(
    ("change", "column", "message"),
    [
        ({"distance": ["1400"]}, "distance", r"Row 0 of input 'distance' is '1400' \(str\), not a float64\."),
        ({"distance": [True]}, "distance", r"True \(bool\), not a float64"),
        ({"distance": [np.True_]}, "distance", "not a float64"),
        ({"distance": [2**53 + 1]}, "distance", "cannot hold exactly"),
        ({"distance": [10**400]}, "distance", "cannot hold exactly"),
        ({"distance": [None]}, "distance", "null or NaN in row 0"),
        ({"distance": [float("nan")]}, "distance", "null or NaN in row 0"),
        ({"distance": [float("inf")]}, "distance", "infinite in row 0"),
        ({"distance": [{"nested": 1}]}, "distance", "not a float64"),
        ({"distance": [[1.0]]}, "distance", "not a float64"),
        ({"distance": 1400.0}, "distance", "a column was expected"),
        ({"distance": "1400"}, "distance", "a column was expected"),
        ({"distance": pa.array(["1400"])}, "distance", "has the type string"),
        ({"distance": pa.array([True])}, "distance", "has the type bool"),
        ({"distance": np.array(["1400"])}, "distance", "not a float64|has the type string"),
        ({"distance": pa.array([2**53 + 1])}, "distance", "cannot hold exactly"),
        ({"carrier": [1]}, "carrier", r"Row 0 of input 'carrier' is 1 \(int\), not a string"),
        ({"carrier": [b"UA"]}, "carrier", "not a string"),
        ({"carrier": [None]}, "carrier", "null or NaN in row 0"),
        ({"carrier": ["x\ud800"]}, "carrier", "cannot be read as string"),
        ({"seats": [149.5]}, "seats", "It is not a whole number"),
        ({"seats": ["149"]}, "seats", "not an int32"),
        ({"seats": [True]}, "seats", "not an int32"),
        ({"seats": [2**31]}, "seats", "cannot be read as int32"),
        ({"seats": [2**70]}, "seats", "cannot be read as int32"),
        ({"seats": [float("inf")]}, "seats", "It is not a whole number"),
        ({"seats": pa.array([1.5])}, "seats", "It is not a whole number"),
        ({"seats": pa.array([2**31])}, "seats", "cannot be read as int32"),
        ({"seats": pa.array([2**64 - 1], pa.uint64())}, "seats", "cannot be read as int32"),
        ({"night": [1]}, "night", "not a bool"),
        ({"night": ["true"]}, "night", "not a bool"),
        ({"night": pa.array([1])}, "night", "has the type int64"),
        ({"at": ["yesterday"]}, "at", "no time in ISO 8601"),
        ({"at": ["2013-12-20T15:00"]}, "at", "names no time zone"),
        ({"at": [datetime(2013, 12, 20)]}, "at", "names no time zone"),  # noqa: DTZ001 - naive on purpose
        ({"at": [date(2013, 12, 20)]}, "at", "not a timestamp"),
        ({"at": [1387551600]}, "at", "not a timestamp"),
        ({"at": pa.array([0], pa.timestamp("us"))}, "at", "name no time zone"),
        ({"at": pa.array(["2013-12-20"])}, "at", "names no time zone"),
        ({"day": ["20.12.2013"]}, "day", "no date in ISO 8601"),
        ({"day": [_AT]}, "day", "not a date32"),
    ],
)
def test_a_value_that_does_not_fit_is_named_with_row_and_column(change, column, message):
    with pytest.raises(SignatureError, match=message) as caught:
        SIGNATURE.check(GOOD | change)
    assert caught.value.column == column


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"distance": [1400]}, 1400.0),
        ({"distance": [2**53]}, float(2**53)),
        ({"distance": [2**60]}, float(2**60)),
        ({"distance": [np.float32(0.5)]}, 0.5),
        ({"distance": np.array([3], dtype=np.int8)}, 3.0),
        ({"distance": pa.array([2**60])}, float(2**60)),
        ({"distance": (1.5,)}, 1.5),
        ({"seats": [149.0]}, 149),
        ({"seats": [np.int8(3)]}, 3),
        ({"seats": [None]}, None),
        ({"seats": [float("nan")]}, None),
        ({"seats": pa.array([149.0])}, 149),
        ({"seats": pa.array([float("nan")])}, None),
        ({"seats": pa.nulls(1)}, None),
        ({"seats": pd.array([None], dtype="Int64")}, None),
        ({"seats": pd.Series([149], dtype="Int64")}, 149),
        ({"carrier": pd.Categorical(["UA"])}, "UA"),
        ({"carrier": pa.array(["UA"]).dictionary_encode()}, "UA"),
        ({"carrier": pa.array(["UA"], pa.large_string())}, "UA"),
        ({"carrier": pa.array(["UA"], pa.string_view())}, "UA"),
        ({"night": [None]}, None),
        ({"night": [np.False_]}, False),
        ({"at": [datetime(2013, 12, 20, 16, tzinfo=timezone(timedelta(hours=1)))]}, _AT),
        ({"at": [pd.Timestamp("2013-12-20T15:00Z")]}, _AT),
        ({"at": [pd.NaT]}, None),
        ({"at": pa.array([1387551600], pa.timestamp("s", "America/New_York"))}, _AT),
        ({"day": pa.array([date(2013, 12, 20)], pa.date64())}, date(2013, 12, 20)),
    ],
)
def test_a_value_that_fits_without_changing_is_cast(change, expected):
    (column,) = change
    assert SIGNATURE.check(GOOD | change).column(column).to_pylist() == [expected]


def test_unknown_and_missing_inputs_are_named_with_the_nearest():
    request = dict(GOOD)
    request["distence"] = request.pop("distance")
    with pytest.raises(
        SignatureError, match=r"unknown input 'distence' and lacks 'distance'.*Did you mean 'distance'"
    ) as caught:
        SIGNATURE.check(request)
    assert (caught.value.unknown, caught.value.missing) == (["distence"], ["distance"])
    del request["distence"]
    with pytest.raises(SignatureError, match=r"lacks 'distance'.*distance: float64 not null"):
        SIGNATURE.check(request)
    with pytest.raises(SignatureError, match="lacks"):
        SIGNATURE.check({})
    with pytest.raises(SignatureError, match="unknown input 0"):
        SIGNATURE.check(GOOD | {0: [1]})


def test_a_column_called_0_is_a_column():
    signature = _signature(Field("0", pa.float64(), nullable=False))
    assert signature.check({"0": [1.5]}).column_names == ["0"]


def test_columns_of_different_lengths_are_refused():
    with pytest.raises(SignatureError, match=r"different lengths.*'distance': 2"):
        SIGNATURE.check(GOOD | {"distance": [1.0, 2.0]})


def test_a_table_with_a_name_twice_is_refused():
    signature = _signature(Field("a", pa.float64()))
    with pytest.raises(SignatureError, match="'a' twice"):
        signature.check(pa.Table.from_arrays([pa.array([1.0]), pa.array([2.0])], names=["a", "a"]))


def test_rows_that_lack_what_others_have_are_refused():
    signature = _signature(Field("a", pa.float64()), Field("b", pa.float64()))
    with pytest.raises(SignatureError, match="Row 1 lacks 'b'") as caught:
        signature.check([{"a": 1, "b": 2}, {"a": 1}])
    assert caught.value.row == 1
    with pytest.raises(SignatureError, match="one mapping per row"):
        signature.check(["a"])
    assert len(signature.check({"a": [], "b": []})) == 0
    assert len(signature.check([])) == 0


def test_all_rows_with_nulls_are_named_but_not_without_end():
    signature = _signature(Field("a", pa.float64(), nullable=False))
    with pytest.raises(SignatureError, match=r"rows 1, 3 \(counted from 0\)"):
        signature.check({"a": [1.0, None, 2.0, float("nan")]})
    with pytest.raises(SignatureError, match="and 80 more"):
        signature.check({"a": [None] * 100})


def test_infinity_passes_where_training_had_it():
    table = pa.table({"a": [1.0, float("inf")], "b": [1.0, 2.0]})
    signature = Signature.infer(table, pa.table({"late": [True, False]}))
    assert signature.infinite == {"a"}
    assert signature.check({"a": [float("-inf")], "b": [0]}).column("a").to_pylist() == [float("-inf")]
    with pytest.raises(SignatureError, match="'b' is infinite"):
        signature.check({"a": [1], "b": [float("-inf")]})


def test_only_what_was_null_or_nan_in_training_may_be():
    table = pa.table({"a": [1.0, None], "b": [1.0, float("nan")], "c": [1, 2], "d": pa.array(["x", None])})
    signature = Signature.infer(table, pa.table({"late": [True, False]}))
    assert [f.name for f in signature.inputs if f.nullable] == ["a", "b", "d"]
    assert signature.check({"a": [None], "b": [float("nan")], "c": [1], "d": [None]}).to_pylist() == [
        {"a": None, "b": None, "c": 1, "d": None}
    ]


@pytest.mark.parametrize(
    ("model", "labels", "task", "classes", "outputs"),
    [
        (
            LogisticRegression(),
            _LATE,
            "binary",
            (False, True),
            "prediction: bool not null, probability: float64 not null",
        ),
        (LinearSVC(), _LATE, "binary", (False, True), "prediction: bool not null"),
        (
            make_pipeline(StandardScaler(), LogisticRegression()),
            pa.table({"kind": ["x", "y", "z", "x"]}),
            "multiclass",
            ("x", "y", "z"),
            "prediction: string not null, probabilities: list<float64> not null",
        ),
        (
            LinearRegression(),
            pa.table({"delay": [1.0, 2.0, 3.0, 4.5]}),
            "regression",
            (),
            "prediction: float64 not null",
        ),
        (
            DummyClassifier(),
            pa.table({"n": [1, 1, 1, 1]}),
            "binary",
            (1,),
            "prediction: int64 not null, probability: float64 not null",
        ),
        (KMeans(2, n_init=1), _LATE, "other", (), "prediction: bool not null"),
    ],
)
def test_the_task_is_that_of_the_model(model, labels, task, classes, outputs):
    model.fit(_X, labels.column(0).to_pandas())
    signature = Signature.infer(pa.Table.from_pandas(_X), labels, model)
    assert (signature.task, signature.classes) == (task, classes)
    assert ", ".join(map(str, signature.outputs)) == outputs


def test_several_labels_or_a_foreign_model_are_another_task():
    labels = pa.table({"late": [True, False, True, False], "far": [True, True, False, False]})
    model = MultiOutputClassifier(LogisticRegression()).fit(_X, labels.to_pandas())
    assert Signature.infer(pa.Table.from_pandas(_X), labels, model).task == "other"
    assert Signature.infer(pa.Table.from_pandas(_X), _LATE, object()).task == "other"


def test_a_model_fitted_on_some_columns_takes_those():
    table = pa.Table.from_pandas(_X)
    late = _LATE.column(0).to_pandas()
    assert Signature.infer(table, _LATE, LogisticRegression().fit(_X[["b"]], late)).inputs.names == ["b"]
    assert Signature.infer(table, _LATE, LogisticRegression().fit(_X.to_numpy(), late)).inputs.names == ["a", "b"]
    with pytest.raises(DataError, match=r"fitted on 'c'.*Pipeline"):
        Signature.infer(table, _LATE, LogisticRegression().fit(_X.assign(c=1.5), late))
    with pytest.raises(DataError, match="fitted on 3 columns"):
        Signature.infer(table, _LATE, LogisticRegression().fit(_X.assign(c=1.5).to_numpy(), late))


def test_it_survives_json():
    model = make_pipeline(OneHotEncoder(), LogisticRegression()).fit(_X, ["x", "y", "z", "x"])
    table = pa.table({"a": [1.0, None, float("inf"), 2.0], "b": pa.array([1, 2, 3, None], pa.int32())})
    signature = Signature.infer(table, pa.table({"kind": ["x", "y", "z", "x"]}), model)
    assert Signature.from_dict(json.loads(json.dumps(signature.to_dict()))) == signature
    assert signature.to_dict()["classes"] == ["x", "y", "z"]


def test_it_shows_itself():
    assert repr(_signature(Field("<a>", pa.float64()))) == "Signature((<a>: float64) -> (late: bool), binary)"
    assert "&lt;a&gt;" in _signature(Field("<a>", pa.float64()))._repr_html_()
