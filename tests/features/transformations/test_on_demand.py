"""On-demand features: plain typed functions, the same bits for a row and a million, never run from a file."""

import datetime as dt
import json
import math
import subprocess
import sys
import textwrap

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import groundswell as gs
from groundswell.errors import ColumnNotFoundError, DataError, NotFoundError, SchemaError, SplitError, TypeMismatchError
from groundswell.features.transformations import OnDemand, complete_row

HOME = 47.0


def _haversine(a: float, b: float) -> float:
    return math.sin((a - b) / 2) ** 2


@gs.on_demand
def away(lat: float, home_lat: float) -> float:
    """How far a ride starts from home."""
    return _haversine(lat, home_lat) + HOME


@gs.on_demand
def far(away: float, threshold: float | None) -> bool:
    return away > (0.5 if threshold is None else threshold) + HOME


@gs.on_demand
def label_of(late: int) -> int:
    return late


@gs.on_demand
def typed(lat: str) -> str:
    return lat


@gs.on_demand
def misspelled(latt: float) -> float:
    return latt


@gs.on_demand
def one(two: float) -> float:
    return two


@gs.on_demand
def two(one: float) -> float:
    return one


@gs.on_demand
def lat(home_lat: float) -> float:
    return home_lat


@gs.on_demand
def wrong(home_lat: float) -> int:
    return home_lat  # type: ignore[return-value]


@gs.on_demand
def raising(home_lat: float) -> float:
    return 1 / (home_lat - home_lat)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    with gs.open(tmp_path_factory.mktemp("here") / "project") as project:
        at = pd.date_range("2024-01-01", periods=40, freq="h", tz="UTC")
        weather = project.create_feature_group("weather", primary_key=["city"], event_time="at")
        weather.insert(pd.DataFrame({"city": ["Bern"] * 40, "at": at, "temp": range(40)}))
        rides = project.create_feature_group("rides", primary_key=["id"], event_time="at")
        homes = [None if i == 3 else i / 7 for i in range(40)]
        rides.insert(
            pd.DataFrame(
                {"id": range(40), "at": at, "city": ["Bern"] * 40, "lat": np.linspace(0, 3, 40), "home_lat": homes,
                 "threshold": [None, 0.25] * 20, "late": [0, 1] * 20}
            )
        )  # fmt: skip
        yield project


def rides(project, *columns):
    weather = project.get_feature_group("weather").select("temp")
    return project.get_feature_group("rides").select("city", *columns, "late").join(weather)


@pytest.fixture(scope="module")
def view(project):
    return project.create_feature_view(
        "late", rides(project, "lat"), labels=["late"], on_demand=[far, away], transformations=[gs.standardize("away")]
    )


def test_the_schemas_say_what_is_computed_and_what_a_request_brings(view):
    assert view.schema.names == ["city", "lat", "temp", "far", "away"]
    assert view.schema["far"].type == pa.bool_()
    assert view.request_schema.names == ["city", "lat", "threshold", "home_lat"]


def test_training_data_has_what_the_functions_give_in_the_order_of_the_graph(view):
    raw = view.training_data().raw_rows.to_arrow().to_pylist()
    assert len(raw) == 40
    expected = away(raw[1]["lat"], 1 / 7)
    assert raw[1]["away"] == expected
    assert raw[1]["far"] is (expected > 0.25 + HOME)
    assert (raw[3]["away"], raw[3]["far"]) == (None, None)  # without a home no distance, and without it no "far"


def test_online_gives_the_bits_of_training(project, view):
    data = view.training_data()
    trained = data.raw_rows.to_arrow()
    kept = project.get_feature_group("rides").read().to_arrow().sort_by("id")
    requests = kept.select(view.request_schema.names).to_pylist()
    at = kept["at"].to_pylist()
    online = view.vectors(requests, at=at).features
    assert online.equals(trained.select(view.schema.names))
    alone = [dict(view.vector(request, at=moment)) for request, moment in zip(requests, at, strict=True)]
    assert alone == online.to_pylist()
    assert data.transformations.transform(online).equals(data.X)


def test_a_service_computes_them_and_the_log_keeps_them(project, view):
    from sklearn.tree import DecisionTreeClassifier

    def fit(data):
        return DecisionTreeClassifier(max_depth=3, random_state=0).fit(data.X[["away", "temp", "lat"]], data.y)

    project.register("late", project.run(fit, view.training_data()))
    with project.deploy("late") as service:
        row = {"city": "Bern", "lat": 1.0, "home_lat": 0.5, "threshold": None}
        (answer,) = service.predict([row], at="2024-01-01T12:30Z")
        trace = project.trace(answer.id)
    assert trace.inputs["away"] == away(1.0, 0.5)
    assert trace.keys["home_lat"] == 0.5
    assert "far, away" in repr(trace)


def test_a_batch_computes_them_too(project, view):
    rows = view.batch("2024-01-01T05:00Z", "2024-01-01T09:00Z", keys=True).to_arrow()
    trained = view.training_data().raw_rows.to_arrow().slice(5, 4)
    assert rows.column_names == ["id", "at", *view.schema.names]
    assert rows.select(view.schema.names).equals(trained.select(view.schema.names))
    assert view.batch().to_arrow().column_names == view.schema.names


def test_a_row_and_a_table_run_the_same_function(view):
    row = complete_row(view, {"city": "Bern", "lat": 1, "temp": 3, "home_lat": 0.25, "threshold": None})
    assert row["away"] == away(1.0, 0.25)
    assert row["far"] is False


def test_values_that_only_rows_from_outside_have_become_request_values(project):
    bare = project.create_feature_view("bare", project.get_feature_group("weather").select("temp"), on_demand=[away])
    assert bare.request_schema.names == ["city", "lat", "home_lat"]
    rows = pd.DataFrame(
        {"city": ["Bern"], "lat": [1.0], "home_lat": [0.5], "at": pd.to_datetime(["2024-01-01T05:30Z"]), "y": [1]}
    )
    data = bare.join_to(rows, labels=["y"])
    assert data.raw["away"].tolist() == [away(1.0, 0.5)]
    assert dict(bare.vector({"city": "Bern", "lat": 1.0, "home_lat": 0.5}, at="2024-01-01T05:30Z")) == {
        "temp": 5, "away": away(1.0, 0.5)}  # fmt: skip
    with pytest.raises(SplitError):
        bare.training_data()
    with pytest.raises(DataError, match=r"need 'lat', which no group has.*view.join_to"):
        bare.batch()


@pytest.mark.parametrize(
    ("functions", "error", "message"),
    [
        ([misspelled], ColumnNotFoundError, r"takes 'latt', which nothing gives.*Did you mean 'lat'"),
        ([typed], TypeMismatchError, "takes 'lat' as string, and the column is float64"),
        ([label_of], SchemaError, "takes the label 'late'"),
        ([one, two], SchemaError, "go round in a circle: '(one|two)' needs '(one|two)' needs"),
        ([lat], SchemaError, "There is a column 'lat' already"),
        ([away, away], SchemaError, "There is a column 'away' already"),
        ([far], ColumnNotFoundError, "takes 'away'"),
        ([len], TypeMismatchError, "is no on-demand feature"),
    ],
    ids=str,
)
def test_what_cannot_be_computed_is_refused_when_the_view_is_made(project, functions, error, message):
    with pytest.raises(error, match=message):
        project.create_feature_view("bad", rides(project, "lat"), labels=["late"], on_demand=functions)
    with pytest.raises(NotFoundError):
        project.get_feature_view("bad")


def untyped_function(a, b: float) -> float:
    return b


def starred_function(*a: float) -> float:
    return a[0]


def default_function(a: float = 1.0) -> float:
    return a


def list_function(a: list[float]) -> float:
    return a[0]


def no_result_function(a: float):
    return a


def unknown_function(a: "Nowhere") -> float:  # noqa: F821
    return a


def _capturing():
    captured = 3.0

    def inner(a: float) -> float:
        return a + captured

    return inner


@pytest.mark.parametrize(
    ("function", "error"),
    [
        *((f, TypeMismatchError) for f in (untyped_function, list_function, no_result_function, unknown_function)),
        *((f, SchemaError) for f in (starred_function, default_function, _capturing(), lambda a: a, len, math)),
    ],
)
def test_what_is_no_plain_typed_function_is_refused(function, error):
    with pytest.raises(error):
        gs.on_demand(function)


def test_what_a_function_gives_is_checked(project):
    for function, message in (
        (wrong, r"gave 0\.\d+ \(float\)|gave 0.0 \(float\)"),
        (raising, "raised ZeroDivisionError"),
    ):
        view = project.create_feature_view(function.name, rides(project, "lat"), labels=["late"], on_demand=[function])
        with pytest.raises(DataError, match=rf"{function.name}\(home_lat=.*{message}"):
            _ = view.training_data().X


def test_every_type_goes_in_and_out():
    @gs.on_demand
    def next_day(day: dt.date, moment: dt.datetime, name: str | None, n: int, is_open: bool) -> dt.datetime | None:
        return moment + dt.timedelta(days=n) if is_open and day.year > 1999 and name is None else None

    noon = dt.datetime(2024, 1, 1, 12, tzinfo=dt.UTC)
    columns = [pa.array([dt.date(2024, 1, 1)]), pa.array([noon]), pa.array([None], pa.string()), pa.array([2]),
               pa.array([True])]  # fmt: skip
    made = next_day.compute(columns)
    assert made.to_pylist() == [noon + dt.timedelta(days=2)]
    assert made.type == pa.timestamp("us", "UTC")
    assert next_day.compute([*columns[:4], pa.array([False])]).to_pylist() == [None]


def test_the_record_holds_no_code_and_comments_make_no_difference(view):
    record = next(each for each in view.describe()["on_demand"] if each["name"] == "away")
    assert "sin" not in json.dumps(record)
    assert OnDemand.from_dict(record).digest == away.digest
    assert OnDemand.from_dict(record).found().function is away.function
    assert away.digest != far.digest


def test_a_changed_function_is_refused(project, view, monkeypatch):
    @gs.on_demand
    def away(lat: float, home_lat: float) -> float:
        return lat - home_lat

    with pytest.raises(DataError, match="not the one that the view was made with"):
        project.get_feature_view("late", on_demand=[away])
    record = OnDemand.from_dict(view.describe()["on_demand"][1])
    monkeypatch.setattr(sys.modules[__name__], "away", away)
    with pytest.raises(DataError, match="not the one that the view was made with"):
        record.found()


def test_helpers_and_constants_count_as_code(monkeypatch):
    before = away.digest
    monkeypatch.setattr(sys.modules[__name__], "HOME", 48.0)
    assert gs.on_demand(away.function).digest != before


def test_another_process_opens_the_view_and_must_be_given_the_function(project, view):
    """Nothing is imported because a catalog names it."""
    view.training_data()
    script = textwrap.dedent(
        f"""
        import groundswell as gs
        from groundswell.errors import NotFoundError
        with gs.open({str(project.folder)!r}) as project:
            view = project.get_feature_view("late")
            print(view.schema.names)
            try:
                project.get_training_data("late")["all"].X
            except NotFoundError as error:
                print(error)
            assert "test_on_demand" not in __import__("sys").modules
        """
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "['city', 'lat', 'temp', 'far', 'away']" in done.stdout
    assert "which is not loaded" in done.stdout


def test_a_function_of_a_notebook_is_handed_in(project):
    cell = "import groundswell as gs\n@gs.on_demand\ndef doubled(lat: float) -> float:\n    return lat * 2\n"
    namespace: dict[str, object] = {"__name__": "__main__"}
    exec(cell, namespace)
    made = project.create_feature_view("note", rides(project, "lat"), labels=["late"], on_demand=[namespace["doubled"]])
    assert made.training_data().raw["doubled"].iloc[1] == made.training_data().raw["lat"].iloc[1] * 2
    with gs.open(project.folder) as other:
        view = other.get_feature_view("note")
        with pytest.raises(NotFoundError, match=r"Hand the function in: project.get_feature_view\(…, on_demand="):
            view.check_on_demand()
        with pytest.raises(NotFoundError, match="has no on-demand feature 'away'"):
            other.get_feature_view("note", on_demand=[away])
        other.get_feature_view("note", on_demand=[namespace["doubled"]]).check_on_demand()
        other.get_feature_view("note").check_on_demand()
