"""Rows from outside: each of their columns has one role."""

from datetime import UTC, date, datetime

import pyarrow as pa
import pytest

import groundswell as gs
from groundswell.errors import SchemaError, TypeMismatchError
from groundswell.types import TIMESTAMP

NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def project(tmp_path):
    with gs.open(tmp_path / "project", threads=1) as opened:
        yield opened


@pytest.fixture
def trips(project):
    schema = {"id": pa.int64(), "t": TIMESTAMP, "day": pa.date32(), "km": pa.float64(), "late": pa.bool_()}
    group = project.create_feature_group("trips", primary_key=["id"], event_time="t", schema=schema)
    group.insert([{"id": 1, "t": NOON, "day": NOON.date(), "km": 7.0, "late": True}])
    return group


def test_the_event_time_may_be_a_feature_besides(project, trips):
    view = project.create_feature_view("v", trips.select("t", "km", "late"), labels=["late"])
    data = view.join_to([{"t": NOON, "km": 7.0, "late": True}])
    assert data.raw_rows.to_arrow().to_pylist() == view.training_data().raw_rows.to_arrow().to_pylist()
    assert dict(view.vector({"t": NOON, "km": 7.0})) == data.raw_rows.to_arrow().drop_columns("late").to_pylist()[0]


def test_but_not_one_that_is_no_time(project, trips):
    view = project.create_feature_view("v", trips.select("day", "km", "late"), labels=["late"])
    with pytest.raises(TypeMismatchError, match="the view takes it as a feature that is date"):
        view.join_to([{"day": date(2024, 1, 1), "km": 7.0, "late": True}], event_time="day")


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ("tip", "labels='tip' is one text"),
        (["tip", "tip"], "'tip' is named as label, and is label already"),
        (["id"], "'id' is named as label, and is key or feature"),
        (["t"], "'t' is named as label, and is event time"),
        (["km"], "label 'km' has the name of a feature of view 'v'"),
    ],
)
def test_a_label_is_nothing_else(project, trips, labels, said):
    view = project.create_feature_view("v", trips.select("km", "day"))
    with pytest.raises(SchemaError, match=said):
        view.join_to([{"id": 1, "t": NOON, "tip": 1.0}], labels=labels)
