"""A prediction from a row that is in a stream's log and in no commit yet: traced to the commit that takes it in."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sklearn.linear_model import LogisticRegression

import groundswell as gs
from groundswell.features.streaming import StreamLimits

START = datetime(2024, 1, 1, tzinfo=UTC)
NEVER = StreamLimits(commit_every_s=3_600)


def fit(data):
    return LogisticRegression().fit(data.X, data.y)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[gs.Project]:
    hours = [START + timedelta(hours=i) for i in range(40)]
    with gs.open(tmp_path_factory.mktemp("project")) as project:
        readings = project.create_feature_group("readings", primary_key=["k"], event_time="t", online=True)
        readings.insert({"k": [i % 4 for i in range(40)], "t": hours, "v": [float(i % 7) for i in range(40)]})
        facts = project.create_feature_group("facts", primary_key=["n"], event_time="at")
        facts.insert({"n": range(40), "at": hours, "k": [i % 4 for i in range(40)], "late": [i % 3 for i in range(40)]})
        view = project.create_feature_view("late", facts.select("late").join(readings.select("v")), labels=["late"])
        project.register("late", project.run(fit, view.training_data()))
        yield project


def logged_sources(project: gs.Project, prediction_id: str) -> dict[str, dict[str, object]]:
    log = project.get_feature_group("predictions_late_v1").read(where=gs.col("prediction_id") == prediction_id)
    return json.loads(log.to_arrow()["sources"][0].as_py())


def test_a_row_that_is_not_committed_is_traced_to_its_commit(project: gs.Project) -> None:
    readings, view = project.get_feature_group("readings"), project.get_feature_view("late")
    with project.deploy("late") as service, readings.stream(limits=NEVER) as stream:
        stream.write({"k": 1, "t": START + timedelta(days=9), "v": 5.5})
        while view.vector({"k": 1})["v"] != 5.5:
            time.sleep(0.002)
        source = view.vector({"k": 1}).sources["readings"]
        assert (source.commit, source.event_time) == (None, START + timedelta(days=9))
        assert view.vectors([{"k": 1}]).sources[0]["readings"] == source
        (prediction,) = service.predict([{"k": 1}])
        assert logged_sources(project, prediction.id)["readings"]["commit"] is None
        stream.flush()
        stream.write({"k": 1, "t": START + timedelta(days=9), "v": 7.5})  # a correction, in a later commit
        (row,) = project.trace(prediction.id).rows
        assert row.values == {"k": 1, "t": START + timedelta(days=9), "v": 5.5}
        first = readings.commit_of(source.shown_as)
        assert (row.commit.version, row.commit.kind) == (first, "insert")
        assert readings.table.version() == first + 1
        (committed,) = service.predict([{"k": 1}])
    assert logged_sources(project, committed.id)["readings"]["commit"] == first + 1


def test_a_row_that_was_set_aside_is_traced_to_that(project: gs.Project) -> None:
    readings, view = project.get_feature_group("readings"), project.get_feature_view("late")
    readings.set_expectations([gs.expect("v").mean_between(0, 10)])
    with project.deploy("late") as service, readings.stream(limits=NEVER) as stream:
        stream.write({"k": 2, "t": START + timedelta(days=9), "v": 99.0})
        while view.vector({"k": 2})["v"] != 99.0:
            time.sleep(0.002)
        (prediction,) = service.predict([{"k": 2}])
    trace = project.trace(prediction.id)
    (row,) = trace.rows
    assert (row.commit, row.values, row.event_time) == (None, {}, START + timedelta(days=9))
    assert "set aside" in str(trace)
