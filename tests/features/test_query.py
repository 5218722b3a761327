"""Queries: a name means one column, in training and in service alike."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

import groundswell as gs
from groundswell.errors import JoinError, SchemaError, TypeMismatchError
from groundswell.types import TIMESTAMP

START = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.fixture
def project(tmp_path):
    with gs.open(tmp_path / "project", threads=1) as opened:
        yield opened


@pytest.fixture
def trips(project):
    schema = {"id": pa.int64(), "t": TIMESTAMP, "city": pa.string(), "near": pa.string(), "late": pa.bool_()}
    group = project.create_feature_group("trips", primary_key=["id"], event_time="t", schema=schema)
    rows = [{"id": i, "t": START + timedelta(hours=i), "city": "A", "near": "n1", "late": bool(i % 2)} for i in (1, 2)]
    group.insert(rows)
    return group


@pytest.fixture
def weather(project):
    schema = {"city": pa.string(), "t": TIMESTAMP, "near": pa.string(), "id": pa.float64()}
    group = project.create_feature_group("weather", primary_key=["city"], event_time="t", schema=schema)
    group.insert([{"city": "A", "t": START, "near": "n2", "id": 0.5}])
    return group


@pytest.fixture
def stations(project):
    group = project.create_feature_group(
        "stations", primary_key=["name"], schema={"name": pa.string(), "lat": pa.float64()}
    )
    group.insert([{"name": "n1", "lat": 1.0}, {"name": "n2", "lat": 2.0}])
    return group


def test_a_key_that_two_columns_could_hold_is_refused(trips, weather, stations):
    own = trips.select("city", "late")
    with pytest.raises(JoinError, match=r"'near' of group 'trips' or of group 'weather'\. .*prefix='weather_'"):
        own.join(weather.select("near")).join(stations, on={"near": "name"})
    with pytest.raises(JoinError, match=r"'near' of group 'trips' or of group 'weather'"):
        own.join(stations, on={"near": "name"}).join(weather.select("near"))


@pytest.mark.parametrize(("on", "lat"), [("near", 1.0), ("wx_near", 2.0)])
def test_a_prefix_says_which_is_meant_everywhere(project, trips, weather, stations, on, lat):
    query = trips.select("city", "late").join(weather.select("near"), prefix="wx_").join(stations, on={on: "name"})
    view = project.create_feature_view("v", query, labels=["late"])
    assert view.training_data().X["lat"].tolist() == [lat, lat]
    request = {"city": "A", "near": "n1"} if on == "near" else {"city": "A"}
    for group in (weather, stations):
        assert view.vector(request)["lat"] == lat  # from the tables
        group.enable_online()
    assert view.vector(request)["lat"] == lat


def test_a_label_by_which_a_group_is_joined_would_tell_the_answer(project, trips, stations):
    query = trips.select("city", "near").join(stations, on={"near": "name"})
    with pytest.raises(SchemaError, match=r"label 'near' is the key by which 'stations' is joined"):
        project.create_feature_view("v", query, labels=["near"])


@gs.on_demand
def doubled(id: float) -> float:  # noqa: A002  # the column's name
    """Of a joined column that has the name of one that is not selected, of another type."""
    return id * 2


@gs.on_demand
def named(id: str) -> str:  # noqa: A002
    """Of a type that neither has."""
    return id


def test_an_on_demand_feature_takes_the_selected_of_two_columns(project, trips, weather):
    query = trips.select("city", "late").join(weather.select("id"))
    view = project.create_feature_view("v", query, labels=["late"], on_demand=[doubled])
    assert view.training_data().X["doubled"].tolist() == [1.0, 1.0]
    assert view.vector({"city": "A"})["doubled"] == 1.0
    with pytest.raises(TypeMismatchError, match="the column is float64"):
        project.create_feature_view("w", query, labels=["late"], on_demand=[named])
