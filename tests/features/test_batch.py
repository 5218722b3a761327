from datetime import UTC, datetime
from pathlib import Path

import pytest

import groundswell as gs
from groundswell.errors import DataError, SchemaError
from groundswell.features import FeatureView


def at(hour: int) -> datetime:
    return datetime(2013, 1, 1, hour, tzinfo=UTC)


@pytest.fixture
def project(tmp_path: Path) -> gs.Project:
    project = gs.open(tmp_path / "project")
    flights = project.create_feature_group("flights", primary_key=["flight"], event_time="departed")
    flights.insert(
        {
            "flight": [1, 2, 3, 4],
            "departed": [at(1), at(5), at(9), at(13)],
            "origin": ["EWR", "JFK", "EWR", "EWR"],
            "late": [True, False, None, None],
        }
    )
    weather = project.create_feature_group("weather", primary_key=["origin"], event_time="seen")
    weather.insert({"origin": ["EWR", "EWR", "JFK"], "seen": [at(0), at(8), at(4)], "temp": [1.0, 8.0, 4.0]})
    return project


@pytest.fixture
def view(project: gs.Project) -> FeatureView:
    flights, weather = (project.get_feature_group(name) for name in ("flights", "weather"))
    query = flights.select("origin", "late").join(weather.select("temp"))
    return project.create_feature_view("late", query, labels=["late"])


def test_each_row_is_as_of_its_own_time_whether_it_has_a_label_or_not(view: FeatureView) -> None:
    assert view.batch().to_arrow().to_pylist() == [
        {"origin": "EWR", "temp": 1.0},
        {"origin": "JFK", "temp": 4.0},
        {"origin": "EWR", "temp": 8.0},
        {"origin": "EWR", "temp": 8.0},
    ]
    assert len(view.batch()) == 4


@pytest.mark.parametrize(
    ("start", "end", "flights"),
    [(at(5), None, [2, 3, 4]), (None, at(9), [1, 2]), (at(5), "2013-01-01T13:00Z", [2, 3]), (at(20), None, [])],
)
def test_a_span_holds_its_start_and_not_its_end(
    view: FeatureView, start: object, end: object, flights: list[int]
) -> None:
    rows = view.batch(start, end, keys=True)
    assert rows.to_arrow()["flight"].to_pylist() == flights
    assert len(rows) == len(flights)


def test_keys_and_times_come_first(view: FeatureView) -> None:
    rows = view.batch(keys=True)
    assert rows.schema.names == ["flight", "departed", "origin", "temp"]
    assert rows.to_arrow().column_names == rows.schema.names
    assert rows.to_arrow()["departed"].to_pylist() == [at(1), at(5), at(9), at(13)]


def test_it_is_pinned_when_it_is_asked_for(project: gs.Project, view: FeatureView) -> None:
    rows = view.batch()
    weather = project.get_feature_group("weather")
    weather.insert({"origin": ["EWR"], "seen": [at(12)], "temp": [12.0]})
    assert rows.to_arrow()["temp"].to_pylist() == [1.0, 4.0, 8.0, 8.0]
    assert view.batch().to_arrow()["temp"].to_pylist() == [1.0, 4.0, 8.0, 12.0]


def test_it_is_the_training_data_of_the_same_rows(view: FeatureView) -> None:
    train = view.training_data()
    assert view.batch(None, at(9)).to_arrow() == train.to_arrow().select(view.schema.names)
    assert view.batch(None, at(9)).to_features().equals(train.X)


def test_batches_can_be_read_in_random_order(view: FeatureView) -> None:
    batches = list(view.batch(keys=True).shuffled(batch_rows=1, buffer_rows=4, seed=2))
    assert sorted(batch["flight"][0].as_py() for batch in batches) == [1, 2, 3, 4]


def test_a_view_without_labels_has_batches_too(project: gs.Project) -> None:
    flights, weather = (project.get_feature_group(name) for name in ("flights", "weather"))
    view = project.create_feature_view("features", flights.select("origin").join(weather.select("temp")))
    assert view.batch(at(9)).to_arrow()["temp"].to_pylist() == [8.0, 8.0]


def test_no_span_without_event_times(project: gs.Project) -> None:
    airports = project.create_feature_group("airports", primary_key=["code"])
    airports.insert({"code": ["EWR"], "altitude": [5]})
    view = project.create_feature_view("heights", airports.select("altitude"))
    assert view.batch().to_arrow().to_pylist() == [{"altitude": 5}]
    with pytest.raises(DataError, match="'airports' has no event time"):
        view.batch(at(1))


def test_a_time_that_is_none(view: FeatureView) -> None:
    with pytest.raises(DataError, match="start"):
        view.batch("soon")


def test_a_key_that_a_joined_feature_hides(project: gs.Project) -> None:
    gates = project.create_feature_group("gates", primary_key=["origin"])
    gates.insert({"origin": ["EWR"], "flight": [7]})
    flights = project.get_feature_group("flights")
    view = project.create_feature_view("gates", flights.select("origin").join(gates.select("flight")))
    assert view.batch().to_arrow()["flight"].to_pylist() == [7, None, 7, 7]
    with pytest.raises(SchemaError, match="prefix"):
        view.batch(keys=True)
