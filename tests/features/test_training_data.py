"""Training data read the same for ever: after inserts, corrections and compaction, and from another process's view."""

import pandas as pd
import pyarrow as pa
import pytest

import groundswell as gs
from groundswell.errors import InUseError, NotFoundError, SchemaError


@pytest.fixture
def project(tmp_path):
    with gs.open(tmp_path / "project") as project:
        weather = project.create_feature_group("weather", primary_key=["city"], event_time="at")
        hours = pd.date_range("2024-01-01", periods=48, freq="h", tz="UTC")
        weather.insert(pd.DataFrame({"city": ["Bern", "Basel"] * 24, "at": hours, "rain": range(48)}))
        rides = project.create_feature_group("rides", primary_key=["id"], event_time="at")
        rides.insert(
            pd.DataFrame({"id": range(40), "at": hours[4:44], "city": ["Bern", "Basel"] * 20, "late": [0, 1] * 20})
        )
        query = rides.select("city", "late").join(weather.select("rain"), max_age="6h")
        project.create_feature_view("late", query, labels=["late"])
        yield project


@pytest.fixture
def view(project):
    return project.get_feature_view("late")


def as_bytes(table):
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())
    return sink.getvalue().to_pybytes()


def test_reading_again_gives_the_same_bytes_whatever_was_inserted_since(project, view):
    train, test = view.train_test_split(test_start="2024-01-02")
    before = as_bytes(train.to_arrow()), as_bytes(test.to_arrow())
    weather, rides = project.get_feature_group("weather"), project.get_feature_group("rides")
    weather.insert([{"city": "Bern", "at": "2024-01-01T04:00Z", "rain": -1}])
    rides.insert([{"id": 0, "at": "2024-01-01T04:00Z", "city": "Basel", "late": 1}])
    weather.compact()
    rides.compact()
    again = project.get_training_data("late", train.version)
    assert (as_bytes(again["train"].to_arrow()), as_bytes(again["test"].to_arrow())) == before
    assert again["train"].pins == {"rides": 1, "weather": 1}
    new, _ = view.train_test_split(test_start="2024-01-02")
    assert as_bytes(new.to_arrow()) != before[0]


def test_every_form_holds_the_same_rows(view):
    data = view.training_data()
    frame = data.to_pandas()
    assert list(frame.columns) == ["city", "rain", "late"]
    assert data.X.equals(frame[["city", "rain"]])
    assert data.y.tolist() == frame["late"].tolist()
    assert data.to_polars().to_dicts() == data.to_arrow().to_pylist()
    batches = list(data.batches(7))
    assert [batch.num_rows for batch in batches] == [7] * 5 + [5]
    assert pa.Table.from_batches(batches).equals(data.to_arrow())
    assert len(data) == 40


def test_the_report_says_how_many_rows_matched_and_how_old_the_matches_were(view):
    (report,) = view.training_data().report
    assert (report.name, report.rows, report.matched, report.point_in_time) == ("weather", 40, 40, True)
    assert report.ages_s == (0.0, 0.0, 0.0)


def test_labels_from_outside_come_back_row_by_row(project, view):
    outside = project.create_feature_view("weather_only", project.get_feature_group("weather").select("rain"))
    frame = pd.DataFrame(
        {
            "city": ["Basel", None, "Bern", "Bern", "Genf"],
            "when": pd.to_datetime(["2024-01-01T03:30Z"] * 3 + ["2023-12-31T00:00Z"] + ["2024-01-01T03:30Z"]),
            "bought": [1, 0, 1, 0, 1],
        }
    )
    data = outside.join_to(frame, event_time="when", labels=["bought"])
    rain = data.to_arrow()["rain"].to_pylist()
    assert rain == [3, None, 2, None, None]
    assert data.y.tolist() == [1, 0, 1, 0, 1]
    project.get_feature_group("weather").insert([{"city": "Basel", "at": "2024-01-01T03:00Z", "rain": 99}])
    again = project.get_training_data("weather_only", data.version)["all"]
    assert again.to_arrow().equals(data.to_arrow())


def test_a_column_from_outside_without_a_role_is_refused(project):
    outside = project.create_feature_view("weather_only", project.get_feature_group("weather").select("rain"))
    frame = pd.DataFrame({"city": ["Bern"], "at": pd.to_datetime(["2024-01-01"], utc=True), "age": [30]})
    with pytest.raises(SchemaError, match="'age' of the rows is neither"):
        outside.join_to(frame)


def test_what_others_depend_on_is_not_deleted_and_they_are_named(project, view):
    with pytest.raises(InUseError, match=r"'weather' cannot be deleted: view 'late' \(version 1\)"):
        project.get_feature_group("weather").delete()
    train = view.training_data()
    project.run(lambda data: {"rows": float(len(data))}, train, name="count")
    with pytest.raises(InUseError, match="'late' cannot be deleted: run 'count'"):
        view.delete()
    assert len(project.get_training_data("late", train.version)["all"]) == 40


def test_a_view_that_nobody_uses_goes_with_its_training_data_and_then_its_groups(project, view):
    view.training_data()
    view.delete()
    with pytest.raises(NotFoundError):
        project.get_feature_view("late")
    with pytest.raises(NotFoundError):
        project.get_training_data("late")
    folder = project.get_feature_group("weather").table.folder
    project.get_feature_group("weather").delete()
    assert not folder.exists()
    with pytest.raises(NotFoundError, match="'wether'"):
        project.get_feature_group("wether")
