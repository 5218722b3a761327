"""Bad input of every kind: a clear error that names the value and the way out, with nothing written."""

import hashlib
import json
import math
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

import groundswell as gs
from groundswell.errors import (
    AlreadyExistsError,
    ColumnNotFoundError,
    CorruptionError,
    DataError,
    GroundswellError,
    InvalidNameError,
    JoinError,
    NotFoundError,
    SchemaError,
    SignatureError,
    SplitError,
    TypeMismatchError,
    VersionError,
)
from groundswell.features import FeatureGroup, FeatureView, TrainingData
from groundswell.serving import Service
from groundswell.types import Schema

START = datetime(2013, 11, 1, tzinfo=UTC)
JSON = {"Content-Type": "application/json"}
REQUEST = {"origin": "EWR", "distance": 700.0}


@dataclass(frozen=True)
class Place:
    """A project with two groups, a view, a model and a service, and the folder that holds it."""

    folder: Path
    project: gs.Project
    view: FeatureView
    service: Service
    client: httpx.Client

    @property
    def flights(self) -> FeatureGroup:
        return self.project.get_feature_group("flights")

    @property
    def weather(self) -> FeatureGroup:
        return self.project.get_feature_group("weather")


def flights(n_rows: int = 60) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "flight": [f"UA{i}" for i in range(n_rows)],
            "origin": ["EWR", "JFK", "LGA"] * (n_rows // 3),
            "departs_at": [START + timedelta(hours=i) for i in range(n_rows)],
            "distance": [100.0 * (i % 9 + 1) for i in range(n_rows)],
            "late": [i % 9 > 4 for i in range(n_rows)],
        }
    )


def weather(n_rows: int = 60) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "origin": ["EWR", "JFK", "LGA"] * (n_rows // 3),
            "observed_at": [START + timedelta(hours=i - 5) for i in range(n_rows)],
            "temp": [float(i % 20) for i in range(n_rows)],
        }
    )


def fit(data: TrainingData) -> LogisticRegression:
    return make_pipeline(SimpleImputer(), LogisticRegression()).fit(data.X, data.y)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("bad_input") / "flights"
    project = gs.open(folder)
    legs = project.create_feature_group("flights", primary_key=["flight"], event_time="departs_at")
    legs.insert(flights())
    skies = project.create_feature_group("weather", primary_key=["origin"], event_time="observed_at")
    skies.insert(weather())
    counts = project.create_feature_group("counts", primary_key=["k"])
    counts.insert({"k": ["a"], "n": [1]})
    project.create_feature_group("radar", primary_key=["origin"], event_time="observed_at")
    query = legs.select("distance", "late").join(skies.select("temp"))
    view = project.create_feature_view("late_arrival", query, labels=["late"])
    train, test = view.train_test_split(test_start="2013-11-02")
    run = project.run(fit, train, evaluate=test)
    project.register("late_arrival", run).set_alias("champion")
    with project.deploy("late_arrival@champion") as service, httpx.Client(base_url=service.start()) as client:
        yield Place(folder, project, view, service, client)


def contents(folder: Path) -> dict[str, str]:
    """Every file by its hash; the catalog by its rows, as SQLite may move bytes between its files at any time."""
    files = {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith("catalog.db")
    }
    with closing(sqlite3.connect(f"file:{folder / 'catalog.db'}?mode=ro", uri=True)) as catalog:
        return files | {"catalog": "\n".join(catalog.iterdump())}


@dataclass(frozen=True)
class Case:
    """What is done, the error that it must raise, and what its message must say."""

    act: Callable[[Place], object]
    error: type[GroundswellError]
    names: tuple[str, ...]
    fix: str


CASES: dict[str, Case] = {}


def refused(error: type[GroundswellError], *, names: str | tuple[str, ...], fix: str):
    """Register a bad input under the function's name.

    Args:
        error: the class that must be raised.
        names: what the message must contain: the offending names and values.
        fix: what the message's way out must contain.
    """

    def register(act: Callable[[Place], object]) -> Callable[[Place], object]:
        CASES[act.__name__] = Case(act, error, (names,) if isinstance(names, str) else names, fix)
        return act

    return register


@refused(ColumnNotFoundError, names=("'origin'", "'weather'"), fix="Add")
def missing_primary_key(place):
    place.weather.insert(weather().drop(columns="origin"))


@refused(DataError, names=("'origin'", "row 3"), fix="dropna")
def null_primary_key(place):
    frame = weather()
    frame.loc[3, "origin"] = None
    place.weather.insert(frame)


@refused(ColumnNotFoundError, names=("'observed_at'", "'weather'"), fix="Add")
def missing_event_time(place):
    place.weather.insert(weather().drop(columns="observed_at"))


@refused(DataError, names=("'observed_at'", "row 7"), fix="dropna")
def null_event_time(place):
    frame = weather()
    frame.loc[7, "observed_at"] = pd.NaT
    place.weather.insert(frame)


@refused(DataError, names=("'observed_at'", "'yesterday'", "row 1"), fix="ISO 8601")
def unparseable_event_time(place):
    texts = ["2013-11-01T00:00Z", "yesterday", "2013-11-01T02:00Z"]
    place.weather.insert(weather(3).assign(observed_at=texts))


@refused(TypeMismatchError, names=("'observed_at'", "int64"), fix="to_datetime")
def event_time_that_is_a_number(place):
    place.weather.insert(weather(3).assign(observed_at=[1383264000, 1383267600, 1383271200]))


@refused(TypeMismatchError, names=("'observed_at'", "'radar'"), fix="to_datetime")
def first_event_time_of_a_group_that_is_a_number(place):
    place.project.get_feature_group("radar").insert(weather(3).assign(observed_at=[1.5, 2.5, 3.5]))


@refused(DataError, names=("'observed_at'", "time zone"), fix="time_zone=")
def event_time_without_a_time_zone(place):
    place.weather.insert(weather().assign(observed_at=weather()["observed_at"].dt.tz_localize(None)))


@refused(ColumnNotFoundError, names=("'tmep'", "'weather'"), fix="'temp'")
def column_not_in_the_schema(place):
    place.weather.insert(weather().assign(tmep=1.0))


@refused(TypeMismatchError, names=("'temp'", "float64"), fix="Convert")
def wrong_type(place):
    place.weather.insert(weather(3).assign(temp=["warm", "cold", "mild"]))


@refused(TypeMismatchError, names=("'n'", "2.5", "row 1"), fix="Round")
def value_that_would_change(place):
    group = place.project.get_feature_group("counts")
    group.insert({"k": ["a", "b"], "n": [1.0, 2.5]})


@refused(SchemaError, names="'temp'", fix="Rename")
def duplicate_column_names(place):
    frame = weather()
    frame.insert(0, "TEMP", 1.0)
    place.weather.insert(frame.rename(columns={"TEMP": "temp"}))


@refused(SchemaError, names=("'temp'", "'TEMP'"), fix="Rename")
def column_names_that_differ_in_case_only(place):
    place.weather.insert(weather().assign(TEMP=1.0))


@refused(AlreadyExistsError, names="'weather'", fix="get_feature_group")
def group_name_that_is_taken(place):
    place.project.create_feature_group("weather", primary_key=["other"])


@refused(InvalidNameError, names="'../weather'", fix="'weather'")
def name_with_path_separators(place):
    place.project.create_feature_group("../weather", primary_key=["origin"])


@refused(InvalidNameError, names="'late/arrival'", fix="'late_arrival'")
def view_name_with_path_separators(place):
    place.project.create_feature_view("late/arrival", place.view.query, labels=["late"])


@refused(InvalidNameError, names="'latest'", fix="'latest_")
def reserved_name(place):
    place.project.create_feature_group("latest", primary_key=["origin"])


@refused(InvalidNameError, names="'__gs_temp'", fix="Rename")
def reserved_column_name(place):
    place.project.create_feature_group(
        "radar", primary_key=["origin"], schema=Schema.of({"origin": pa.string(), "__gs_temp": pa.float64()})
    )


@refused(NotFoundError, names="'wether'", fix="'weather'")
def unknown_group(place):
    place.project.get_feature_group("wether")


@refused(NotFoundError, names=("'weather'", "7"), fix="1")
def unknown_group_version(place):
    place.project.get_feature_group("weather", version=7)


@refused(NotFoundError, names="99", fix="1")
def unknown_table_version(place):
    place.weather.read(as_of=99).to_arrow()


@refused(NotFoundError, names="'late_arivals'", fix="'late_arrival'")
def unknown_view(place):
    place.project.get_feature_view("late_arivals")


@refused(NotFoundError, names=("'late_arrival'", "5"), fix="1")
def unknown_view_version(place):
    place.project.get_feature_view("late_arrival", version=5)


@refused(NotFoundError, names="'late_arival'", fix="'late_arrival'")
def unknown_model(place):
    place.project.deploy("late_arival@champion")


@refused(NotFoundError, names=("'late_arrival'", "9"), fix="1")
def unknown_model_version(place):
    place.project.get_model("late_arrival:9")


@refused(NotFoundError, names="'challenger'", fix="'champion'")
def unknown_alias(place):
    place.project.deploy("late_arrival@challenger")


@refused(NotFoundError, names="'nonsense'", fix="prediction_id")
def unknown_prediction(place):
    place.project.trace("nonsense")


@refused(ColumnNotFoundError, names="'distanse'", fix="'distance'")
def unknown_column_in_a_query(place):
    place.flights.select("distanse")


@refused(JoinError, names=("'flights'", "'counts'", "'k'"), fix="on=")
def join_without_a_common_key(place):
    place.flights.select("late").join(place.project.get_feature_group("counts"))


@refused(JoinError, names="'code'", fix="'origin'")
def join_on_a_key_that_is_not_there(place):
    place.flights.select("late").join(place.weather, on={"origin": "code"})


@refused(SchemaError, names=("'temp'", "'weather'"), fix="prefix=")
def join_that_gives_two_columns_one_name(place):
    place.flights.select("late").join(place.weather).join(place.weather)


@refused(ColumnNotFoundError, names="'latte'", fix="'late'")
def label_that_is_not_in_the_query(place):
    place.project.create_feature_view("other", place.view.query, labels=["latte"])


@refused(ColumnNotFoundError, names="'late'", fix="column")
def label_missing_in_the_data(place):
    place.view.join_to(flights().drop(columns=["late", "flight"]), event_time="departs_at")


@refused(ColumnNotFoundError, names="'origin'", fix="column")
def key_missing_in_the_data(place):
    place.view.join_to(flights().drop(columns=["origin", "flight"]), event_time="departs_at")


@refused(SplitError, names=("'test'", "2013-11-01"), fix="boundaries")
def split_that_leaves_an_empty_test(place):
    place.view.train_test_split(test_start="2031-01-01")


@refused(SplitError, names="'train'", fix="boundaries")
def split_that_leaves_an_empty_training_part(place):
    place.view.train_test_split(test_start="2001-01-01")


@refused(SplitError, names="1.5", fix="between 0 and 1")
def split_with_an_impossible_share(place):
    place.view.train_test_split(test_size=1.5)


@refused(DataError, names="'tomorrow'", fix="2013-11-01")
def split_at_no_time(place):
    place.view.train_test_split(test_start="tomorrow")


@refused(SignatureError, names="'distence'", fix="'distance'")
def request_with_an_unknown_input(place):
    place.service.predict([REQUEST | {"distence": 1.0}])


@refused(SignatureError, names="'distance'", fix="distance: float64")
def request_with_a_missing_input(place):
    place.service.predict([{"origin": "EWR"}])


@refused(SignatureError, names=("'distance'", "'far'", "float64"), fix="number")
def request_with_a_wrong_type(place):
    place.service.predict([REQUEST | {"distance": "far"}])


@refused(SignatureError, names=("'distance'", "NaN"), fix="Send a value")
def request_with_nan(place):
    place.service.predict([REQUEST | {"distance": math.nan}])


@refused(CorruptionError, names="model.skops", fix="backup")
def missing_model_file(place):
    (file,) = (place.folder / "models" / "late_arrival").rglob("model.skops")
    away = file.rename(place.folder.parent / "away")
    try:
        place.project.get_model("late_arrival:1").load()
    finally:
        away.rename(file)


@refused(CorruptionError, names="model.skops", fix="backup")
def corrupted_model_file(place):
    (file,) = (place.folder / "models" / "late_arrival").rglob("model.skops")
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2] + b"\0" * 100)
    try:
        place.project.get_model("late_arrival:1").load()
    finally:
        file.write_bytes(whole)


@refused(VersionError, names="999", fix="pip install")
def project_made_by_a_newer_version(place):
    file = place.folder / "groundswell.json"
    text = file.read_text()
    file.write_text(json.dumps(json.loads(text) | {"format": 999}))
    try:
        gs.open(place.folder)
    finally:
        file.write_text(text)


@pytest.mark.parametrize("name", CASES)
def test_bad_input_is_refused_by_name_and_nothing_is_written(place: Place, name: str):
    case, before = CASES[name], contents(place.folder)
    with pytest.raises(case.error) as caught:
        case.act(place)
    error = caught.value
    assert type(error) is case.error
    for value in case.names:
        assert value in error.what + " " + error.why, str(error)
    assert case.fix
    assert case.fix in error.fix, str(error)
    assert contents(place.folder) == before


def infer_body(**changes: dict) -> dict:
    tensors = {
        "origin": {"name": "origin", "datatype": "BYTES", "shape": [1], "data": ["EWR"]},
        "distance": {"name": "distance", "datatype": "FP64", "shape": [1], "data": [700.0]},
    }
    for name, change in changes.items():
        tensors[name] = {"name": name, "datatype": "FP64", "shape": [1], "data": [1.0]} | tensors.get(name, {}) | change
    return {"inputs": [tensor for tensor in tensors.values() if tensor["data"]]}


BODIES: dict[str, tuple[int, bytes, str]] = {
    "no_json": (400, b"{", "JSON"),
    "unknown_input": (400, json.dumps(infer_body(distence={})).encode(), "distance"),
    "missing_input": (400, json.dumps(infer_body(distance={"data": []})).encode(), "distance"),
    "wrong_type": (400, json.dumps(infer_body(distance={"data": ["far"]})).encode(), "distance"),
    "wrong_datatype": (400, json.dumps(infer_body(distance={"datatype": "BYTES", "data": ["far"]})).encode(), "FP64"),
    "nan": (400, json.dumps(infer_body(distance={"data": [math.nan]})).encode(), "NaN"),
    "oversized": (413, b'{"inputs": [' + b" " * (64 << 20) + b"]}", "bytes"),
}


@pytest.mark.parametrize("name", BODIES)
def test_bad_request_is_refused_by_name_and_nothing_is_written(place: Place, name: str):
    status, body, says = BODIES[name]
    before = contents(place.folder)
    reply = place.client.post("/v2/models/late_arrival/infer", content=body, headers=JSON)
    assert reply.status_code == status
    assert set(reply.json()) == {"error"}
    assert says in reply.json()["error"]
    assert contents(place.folder) == before


@pytest.mark.parametrize("path", ["late_arival", "late_arrival/versions/9"])
def test_unknown_model_is_refused_over_http(place: Place, path: str):
    reply = place.client.post(f"/v2/models/{path}/infer", json=infer_body())
    assert reply.status_code == 404
    assert "late_arrival" in reply.json()["error"]


def test_good_input_is_taken(place: Place):
    """The cases differ from this in one thing each, so it is that thing that is refused."""
    assert place.weather.insert(weather()).rows == 60
    (prediction,) = place.service.predict([REQUEST], at="2013-11-02T00:00Z")
    assert prediction.prediction in (True, False)
    reply = place.client.post("/v2/models/late_arrival/infer", json=infer_body())
    assert reply.status_code == 200, reply.text


@pytest.mark.parametrize("text", ["2024-10-27 02:30", "2024-03-31 02:30"])
def test_text_that_a_zone_shows_twice_or_never_is_refused(tmp_path, text):
    """Clocks in Zurich go back at 3 on 27 October and forward at 2 on 31 March."""
    group = gs.open(tmp_path / "project").create_feature_group("g", primary_key=["k"], event_time="t")
    with pytest.raises(DataError, match=f"twice or not at all: '{text}'"):
        group.insert([{"k": "a", "t": text}], time_zone="Europe/Zurich")
    assert len(group.history()) == 0
