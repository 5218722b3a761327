"""Groups that are online: what comes into the store when, what a view answers from it, and what the doctor finds."""

import os
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

import groundswell as gs
from groundswell.errors import ColumnNotFoundError, DataError, GroundswellError, SchemaError, TypeMismatchError
from groundswell.features import FeatureGroup, FeatureView, Source
from groundswell.online import Lmdb, Redis
from groundswell.types import TIMESTAMP, Schema

NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def opened(tmp_path):
    with gs.open(tmp_path / "p", threads=1) as project:
        project.clock = lambda: NOON
        yield project


@pytest.fixture
def weather(opened) -> FeatureGroup:
    group = opened.create_feature_group("weather", primary_key=["origin"], event_time="at", online=True)
    group.insert({"origin": ["EWR", "JFK"], "at": ["2024-01-01T10:00Z", "2024-01-01T11:00Z"], "temp": [1.5, 2.5]})
    return group


@pytest.fixture
def view(opened, weather) -> FeatureView:
    schema = {"id": pa.int64(), "due": TIMESTAMP, "origin": pa.string(), "miles": pa.float64(), "seats": pa.int16()}
    flights = opened.create_feature_group(
        "flights", primary_key=["id"], event_time="due", schema=Schema.of(schema | {"late": pa.bool_()})
    )
    query = flights.select("origin", "miles", "seats", "late").join(weather, prefix="wx_")
    return opened.create_feature_view("late", query, labels=["late"])


def asked_tables(view: FeatureView, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of requests that the tables are asked to answer from now on."""
    asked: list[int] = []
    answer = view._tables.vectors
    monkeypatch.setattr(
        view._tables, "vectors", lambda requests, at: asked.append(len(requests)) or answer(requests, at)
    )
    return asked


REQUEST = {"origin": "EWR", "miles": 200.0, "seats": 100}


def test_a_vector_is_a_mapping_in_the_order_of_the_schema(view):
    vector = view.vector({"origin": "EWR"}, {"miles": 200.0, "seats": 100})
    assert dict(vector) == REQUEST | {"wx_temp": 1.5}
    assert list(vector) == view.schema.names
    assert vector["wx_temp"] == 1.5
    assert vector.at == NOON
    assert vector.sources == {"weather": Source(1, NOON.replace(hour=10), None)}
    assert repr(vector).startswith("Vector({'origin': 'EWR', ")
    with pytest.raises(KeyError):
        vector["temperature"]


def test_a_vector_makes_an_array(opened, weather):
    view = opened.create_feature_view("bare", weather.select("temp"))
    assert np.asarray(view.vector({"origin": "EWR"})).tolist() == [1.5]
    missing = np.asarray(view.vector({"origin": "X"}))
    assert missing.dtype == np.float64
    assert np.isnan(missing).all()
    assert np.asarray(view.vector({"origin": "EWR"}), np.float32).dtype == np.float32


def test_texts_make_an_array_of_objects(view):
    assert np.asarray(view.vector(REQUEST)).tolist() == ["EWR", 200.0, 100, 1.5]


def test_many_requests_are_one_table_with_their_sources(view):
    vectors = view.vectors([REQUEST, REQUEST | {"origin": "X"}, REQUEST | {"origin": None}])
    assert vectors.features["wx_temp"].to_pylist() == [1.5, None, None]
    assert vectors.features.schema.equals(view.schema.to_arrow(), check_metadata=False)
    assert vectors.sources == [
        {"weather": Source(1, NOON.replace(hour=10), None)},
        {"weather": None},
        {"weather": None},
    ]
    assert len(view.vectors([])) == 0


def test_keys_and_requests_may_come_apart(view):
    own = {"miles": [200.0, 300.0], "seats": [100, 50]}
    together = view.vectors({"origin": ["EWR", "JFK"]} | own)
    assert view.vectors([{"origin": "EWR"}, {"origin": "JFK"}], own).features.equals(together.features)
    with pytest.raises(DataError, match="There are 1 keys and 2 requests"):
        view.vectors([{"origin": "EWR"}], own)
    with pytest.raises(SchemaError, match="'origin' is in keys and in requests"):
        view.vectors([{"origin": "EWR"}], [REQUEST])


def test_each_request_may_have_its_moment(view, monkeypatch):
    asked = asked_tables(view, monkeypatch)
    vectors = view.vectors([REQUEST] * 3, at=["2024-01-01T09:00Z", NOON, "2024-01-01T10:00Z"])
    assert vectors.features["wx_temp"].to_pylist() == [None, 1.5, 1.5]
    assert asked == [1], "what the store can answer, it answers"
    with pytest.raises(DataError, match="2 requests and 1 moments"):
        view.vectors([REQUEST] * 2, at=[NOON])


def test_an_earlier_moment_is_answered_from_the_table(view, weather, monkeypatch):
    weather.insert({"origin": ["EWR"], "at": ["2024-01-01T11:30Z"], "temp": [9.0]})
    asked = asked_tables(view, monkeypatch)
    assert view.vector(REQUEST)["wx_temp"] == 9.0
    assert asked == []
    assert view.vector(REQUEST, at="2024-01-01T11:00Z")["wx_temp"] == 1.5
    assert view.vector(REQUEST, at="2024-01-01T11:00Z").sources == {"weather": Source(1, NOON.replace(hour=10), None)}
    assert asked == [1, 1]


def test_values_are_converted_as_an_insert_would(view):
    assert view.vector(REQUEST | {"miles": 200})["miles"] == 200.0
    assert type(view.vector(REQUEST | {"miles": 200})["miles"]) is float
    assert view.vector(REQUEST | {"miles": None})["miles"] is None


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        ({"origin": "EWR", "miles": 1.0}, ColumnNotFoundError),
        (REQUEST | {"gate": 3}, SchemaError),
        (REQUEST | {"origin": 3}, TypeMismatchError),
        (REQUEST | {"miles": "far"}, TypeMismatchError),
        (REQUEST | {"seats": 40_000}, GroundswellError),
    ],
)
def test_what_does_not_fit_is_refused_one_by_one_and_together(view, request_, error):
    with pytest.raises(error):
        view.vector(request_)
    with pytest.raises(error):
        view.vectors([request_])


def test_a_view_without_joins_needs_no_store(opened, tmp_path):
    flights = opened.create_feature_group(
        "f", primary_key=["id"], schema={"id": pa.int64(), "x": pa.float64(), "y": pa.int64()}
    )
    view = opened.create_feature_view("own", flights.select("x", "y"), labels=["y"])
    assert dict(view.vector({"x": 2.5})) == {"x": 2.5}
    assert view.vectors([{"x": 2.5}, {"x": None}]).features.to_pylist() == [{"x": 2.5}, {"x": None}]
    assert not (tmp_path / "p" / "online").exists()


def test_a_column_that_was_widened_meanwhile_loses_nothing(opened):
    group = opened.create_feature_group("g", primary_key=["k"], schema={"k": pa.int64(), "v": pa.int16()}, online=True)
    group.insert({"k": [1], "v": [2]})
    view = opened.create_feature_view("v", group.select("v"))
    assert view.vectors([{"k": 1}]).features.schema.field("v").type == pa.int16()
    group.widen("v", pa.int64())
    group.insert({"k": [2], "v": [2**40]})
    assert [view.vector({"k": k})["v"] for k in (1, 2)] == [2, 2**40]
    assert view.vectors([{"k": 1}, {"k": 2}]).features["v"].to_pylist() == [2, 2**40]
    by_time = opened.create_feature_group("h", primary_key=["k"], event_time="t",
        schema={"k": pa.int64(), "t": TIMESTAMP, "v": pa.int16()}, online=True)  # fmt: skip
    by_time.insert([{"k": 1, "t": NOON, "v": 2}])
    partly = opened.create_feature_view("h", by_time.select("v"))
    assert partly.vector({"k": 1})["v"] == 2
    by_time.widen("v", pa.int64())
    earlier = NOON - timedelta(1)  # which the tables answer
    assert partly.vectors([{"k": 1}, {"k": 1}], at=[NOON, earlier]).features["v"].to_pylist() == [2, None]
    again = opened.get_feature_view("v")
    assert again.vectors([{"k": 1}]).features.schema.field("v").type == pa.int64()
    assert again.vectors([{"k": 1}, {"k": 2}]).features["v"].to_pylist() == [2, 2**40]


def test_vectors_are_frames_and_streams(view):
    vectors = view.vectors([REQUEST, {**REQUEST, "origin": None, "seats": None}])
    assert pa.table(vectors).equals(vectors.features)
    frame = vectors.to_features()
    assert frame.columns.tolist() == view.schema.names
    assert [str(kind) for kind in frame.dtypes] == ["str", "float64", "float64", "float64"]
    assert repr(vectors).startswith("Vectors of 2 requests\n  origin  miles  seats  wx_temp\n0    EWR")
    assert "<th>wx_temp</th>" in vectors._repr_html_()


def test_what_was_inserted_without_waiting_comes_later(view, weather):
    weather.insert({"origin": ["EWR"], "at": ["2024-01-01T11:30Z"], "temp": [9.0]}, wait=False)
    assert view.vector(REQUEST)["wx_temp"] == 1.5
    assert (weather.online_version, weather.follow_online(), weather.online_version) == (1, 2, 2)
    assert view.vector(REQUEST)["wx_temp"] == 9.0


def test_a_group_can_come_and_go(view, weather, monkeypatch):
    asked = asked_tables(view, monkeypatch)
    assert weather.online
    weather.disable_online()
    assert not weather.online
    assert weather.online_version is None
    with pytest.raises(DataError, match="is not online"):
        weather.follow_online()
    assert view.vector(REQUEST)["wx_temp"] == 1.5
    assert asked == [1]
    weather.enable_online()
    assert view.vector(REQUEST)["wx_temp"] == 1.5
    assert asked == [1]


def test_a_deleted_group_leaves_nothing_online(opened, weather):
    table_id = weather.id
    weather.delete()
    assert not any(opened.online.scan(b"e" + bytes.fromhex(table_id)))


def test_if_the_store_fails_the_error_says_that_the_rows_are_committed(tmp_path):
    with gs.open(tmp_path / "p", online=Redis("redis://127.0.0.1:1/0")) as project:
        group = project.create_feature_group("g", primary_key=["k"], online=True)
        with pytest.raises(
            GroundswellError, match="Version 1 of group 'g' is committed, but not in the online store"
        ) as e:
            group.insert({"k": [1], "v": [2.0]})
        assert e.value.version == 1
        assert group.read().to_arrow().num_rows == 1


def test_the_environment_names_the_store(tmp_path, monkeypatch):
    monkeypatch.setenv("GROUNDSWELL_ONLINE", "redis://127.0.0.1:1/0")
    with gs.open(tmp_path / "p") as project:
        assert repr(project.online) == "Redis('redis://127.0.0.1:1/0')"


def test_a_forked_child_reads_and_the_parent_goes_on(view):
    assert view.vector(REQUEST)["wx_temp"] == 1.5
    child = os.fork()
    if child == 0:
        os._exit(0 if view.vector(REQUEST)["wx_temp"] == 1.5 else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert view.vector(REQUEST)["wx_temp"] == 1.5


def test_after_closing_a_project_its_views_say_so(tmp_path):
    with gs.open(tmp_path / "p") as project:
        group = project.create_feature_group("g", primary_key=["k"], online=True)
        group.insert({"k": [1], "v": [2.0]})
        view = project.create_feature_view("v", group.select("v"))
        assert view.vector({"k": 1})["v"] == 2.0
    with pytest.raises(GroundswellError, match="is closed"):
        view.vector({"k": 1})


def test_the_doctor_sees_a_store_that_lags_or_lies(opened, weather):
    assert opened.doctor(deep=True).ok
    weather.insert({"origin": ["EWR"], "at": ["2024-01-01T11:30Z"], "temp": [9.0]}, wait=False)
    (lags,) = opened.doctor().findings
    assert "what the online store holds of it is at version 1" in lags.what
    assert opened.doctor(repair=True).ok
    assert weather.online_version == 2
    (address, _), *_ = next(opened.online.scan(b"e" + bytes.fromhex(weather.id)))
    record = b"r" + bytes.fromhex(weather.id)
    with opened.online.writer(record) as writer:
        writer.write([(address, None, ())])
    assert opened.doctor().ok, "nobody looked at the rows"
    (lies,) = opened.doctor(deep=True).findings
    assert "For 1 keys" in lies.what
    assert opened.doctor(deep=True, repair=True).ok
    assert opened.doctor(deep=True).ok


def test_a_store_that_was_lost_is_built_by_the_next_insert(opened, view, weather):
    opened.online.close()
    for file in (opened.folder / "online").iterdir():
        file.unlink()
    del opened.__dict__["online"]
    assert isinstance(opened.online, Lmdb)
    weather.insert({"origin": ["LGA"], "at": ["2024-01-01T11:30Z"], "temp": [9.0]})
    again = opened.get_feature_view("late")
    assert [again.vector(REQUEST | {"origin": origin})["wx_temp"] for origin in ("EWR", "JFK", "LGA")] == [
        1.5,
        2.5,
        9.0,
    ]
