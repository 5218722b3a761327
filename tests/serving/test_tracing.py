"""The whole way with a real project: groups, view, run, model, service, log, trace."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import httpx
import numpy as np
import pandas as pd
import pytest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import groundswell as gs
from groundswell.errors import NotFoundError, SignatureError

START = datetime(2013, 1, 1, tzinfo=UTC)
AT = START + timedelta(days=2, minutes=20)
REQUEST = {"distance": 1400.0, "origin": "EWR", "dest": "JFK", "tailnum": "N3"}


def fit(data, strength=1.0):
    """Fit a logistic regression that fills gaps with the mean."""
    steps = SimpleImputer(), StandardScaler(), LogisticRegression(C=strength)
    return make_pipeline(*steps).fit(data.X, data.y)


def weather(hours, temp, known_after="10min"):
    at = pd.Timestamp(START) + pd.to_timedelta(hours, unit="h")
    return pd.DataFrame({"origin": "EWR", "observed_at": at, "known_at": at + pd.Timedelta(known_after), "temp": temp})


def airports():
    return pd.DataFrame({"faa": ["EWR", "JFK", "LGA"], "alt": [18, 13, 22]})


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    rng = np.random.default_rng(0)
    n = 120
    with gs.open(tmp_path_factory.mktemp("flights")) as project:
        readings = project.create_feature_group(
            "weather", primary_key=["origin"], event_time="observed_at", available_at="known_at"
        )
        readings.insert(weather(range(72), [float(hour) for hour in range(72)]))
        fields = project.create_feature_group("airports", primary_key=["faa"])
        fields.insert(airports())
        planes = project.create_feature_group("planes", primary_key=["tailnum"])
        planes.insert(pd.DataFrame({"tailnum": [f"N{i}" for i in range(9)], "seats": range(100, 109)}))
        flights = project.create_feature_group("flights", primary_key=["flight"], event_time="scheduled_at")
        flights.insert(
            pd.DataFrame(
                {
                    "flight": range(n),
                    "scheduled_at": pd.date_range(START + timedelta(hours=1), periods=n, freq="30min"),
                    "origin": rng.choice(["EWR", "JFK"], n),
                    "dest": rng.choice(["LGA", "JFK"], n),
                    "tailnum": [f"N{i % 10}" for i in range(n)],
                    "distance": rng.uniform(100, 2000, n),
                    "late": [i % 3 == 0 for i in range(n)],
                }
            )
        )
        query = (
            flights.select("distance", "late")
            .join(readings.select("temp"), prefix="wx_", max_age="3h")
            .join(fields.select("alt"), on={"origin": "faa"}, prefix="from_")
            .join(fields.select("alt"), on={"dest": "faa"}, prefix="to_")
            .join(planes.select("seats"))
        )
        view = project.create_feature_view("late_arrival", query, labels=["late"])
        train, test = view.train_test_split(test_start=START + timedelta(days=2))
        run = project.run(fit, train, evaluate=test, params={"strength": 0.5})
        project.register("late_arrival", run)
        yield project


@pytest.fixture(scope="module")
def service(project):
    with project.deploy("late_arrival") as service:
        yield service


def used(trace):
    return {row.join: row for row in trace.rows}


def test_a_trace_names_everything_from_the_prediction_to_the_rows(project, service):
    (prediction,) = service.predict([REQUEST], at=AT)
    trace = project.trace(prediction.id)
    assert (trace.prediction_id, trace.model, trace.version) == (prediction.id, "late_arrival", 1)
    assert (trace.at, trace.outputs["probability"]) == (AT, prediction.probability)
    assert trace.predicted_at.tzinfo is UTC or trace.predicted_at.utcoffset() == timedelta(0)
    # At 00:20 of the third day the reading of midnight is known since 00:10.
    assert trace.inputs == {"distance": 1400.0, "wx_temp": 48.0, "from_alt": 18, "to_alt": 13, "seats": 103}
    assert trace.keys == {"origin": "EWR", "dest": "JFK", "tailnum": "N3"}
    assert trace.model_facts["type"] == "sklearn.pipeline.Pipeline"
    assert trace.run["params"] == {"strength": 0.5}
    assert trace.run["code"]["qualname"] == "fit"
    assert trace.run["code"]["file"] == __file__
    assert "scikit-learn" in trace.run["environment"]["packages"]
    assert (trace.training_data["split"], trace.training_data["view"]) == ("train", "late_arrival")
    assert {(commit.group, commit.version, commit.rows) for commit in trace.commits} == {
        ("flights", 1, 120),
        ("weather", 1, 72),
        ("airports", 1, 3),
        ("planes", 1, 9),
    }
    rows = used(trace)
    reading = rows["weather"]
    assert reading.key == {"origin": "EWR"}
    assert reading.event_time == START + timedelta(days=2)
    assert reading.available_at == reading.event_time + timedelta(minutes=10)
    assert reading.values["temp"] == 48.0
    history = project.get_feature_group("weather").history()
    first = next(commit for commit in history if commit.version == 1)
    assert (reading.commit.version, reading.commit.kind, reading.commit.rows) == (1, "insert", 72)
    assert (reading.commit.committed_at, reading.commit.author) == (first.committed_at, first.author)
    by_key = {row.key["faa"]: row.values["alt"] for row in trace.rows if "faa" in row.key}
    assert by_key == {"EWR": 18, "JFK": 13}
    assert rows["planes"].values == {"tailnum": "N3", "seats": 103}
    assert rows["planes"].event_time is None


def test_what_was_not_known_is_named(project, service):
    (prediction,) = service.predict([{**REQUEST, "origin": "LGA", "tailnum": None}], at=AT)
    trace = project.trace(prediction.id)
    rows = used(trace)
    assert trace.inputs["wx_temp"] is None
    assert (rows["weather"].commit, rows["weather"].key) == (None, {"origin": "LGA"})
    assert (rows["planes"].commit, rows["planes"].key) == (None, {"tailnum": None})
    assert "weather (origin='LGA'): nothing was known" in str(trace)


def test_an_old_trace_shows_the_row_as_it_was_whatever_came_later(project, service):
    moment = START + timedelta(days=1, hours=5, minutes=30)
    (before,) = service.predict([REQUEST], at=moment)
    readings = project.get_feature_group("weather")
    corrected = readings.insert(weather([29], [-99.0]))
    (after,) = service.predict([REQUEST], at=moment)
    old, new = (used(project.trace(prediction.id))["weather"] for prediction in (before, after))
    assert (old.commit.version, old.values["temp"]) == (1, 29.0)
    assert (new.commit.version, new.values["temp"]) == (corrected.version, -99.0)
    shown = project.trace(before.id).to_dict()
    readings.compact()
    project.get_feature_group("predictions_late_arrival_v1").compact()
    assert project.trace(before.id).to_dict() == shown


def test_over_http_the_same_log_and_trace(project, service):
    inputs = [
        {"name": name, "shape": [1], "datatype": "FP64" if name == "distance" else "BYTES", "data": [value]}
        for name, value in REQUEST.items()
    ]
    with project.deploy(project.get_model("late_arrival:1")) as other:
        reply = httpx.post(
            f"{other.start()}/v2/models/late_arrival/infer",
            json={"inputs": inputs, "parameters": {"at": AT.isoformat()}},
        )
    outputs = {output["name"]: output["data"] for output in reply.json()["outputs"]}
    assert project.trace(outputs["prediction_id"][0]).outputs["probability"] == outputs["probability"][0]
    (direct,) = service.predict([REQUEST], at=AT)
    assert direct.probability == outputs["probability"][0]


def test_a_log_is_a_feature_group(project, service):
    before = {prediction.id for prediction in service.predict([REQUEST, REQUEST], at=AT)}
    log = project.get_feature_group("predictions_late_arrival_v1")
    assert log.primary_key == ("prediction_id",)
    assert log.event_time == "at"
    rows = log.read(where=gs.col("x_seats") == 103).to_pandas()
    assert before <= set(rows["prediction_id"])


def test_a_trace_is_shown_as_text_html_and_plain_values(project, service):
    hostile = "<script>\x1b[2J"
    (prediction,) = service.predict([{**REQUEST, "tailnum": hostile}], at=AT)
    trace = project.trace(prediction.id)
    text = str(trace)
    order = [
        "prediction late",
        "model late",
        "run ",
        "code ",
        "environment ",
        "training data ",
        "weather, ",
        "rows used",
    ]
    places = [text.index(words) for words in order]
    assert places == sorted(places)
    assert all(line.isprintable() for line in text.splitlines())
    html = trace._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert html.count("<ul>") == html.count("</ul>")
    plain = json.loads(json.dumps(trace.to_dict()))
    assert plain["keys"]["tailnum"] == hostile
    assert plain["at"] == AT.isoformat()
    assert repr(trace) == text


@pytest.mark.parametrize("wrong", ["", "late_arrival", "late_arrival-1", "1234"])
def test_what_is_no_id_says_what_one_looks_like(project, wrong):
    with pytest.raises(NotFoundError, match="An id looks like"):
        project.trace(wrong)


def test_an_id_that_was_never_given_is_unknown(project, service):
    (prediction,) = service.predict([REQUEST], at=AT)
    for unknown in (prediction.id[:-1] + ("0" if prediction.id[-1] != "0" else "1"), "other_model-1-" + "0" * 32):
        with pytest.raises(NotFoundError, match="There is no prediction"):
            project.trace(unknown)


def test_a_deleted_model_version_can_be_traced(project):
    run = project.get_model("late_arrival").run_id
    version = project.register("retired", project.get_run(run))
    with project.deploy("retired") as service:
        (prediction,) = service.predict([REQUEST], at=AT)
    version.delete()
    trace = project.trace(prediction.id)
    assert "model retired version 1 (deleted)" in str(trace)
    assert used(trace)["weather"].values["temp"] == 48.0


def test_a_model_of_labels_from_outside_looks_its_base_group_up(project):
    readings = project.get_feature_group("weather")
    view = project.create_feature_view("by_weather", readings.select("temp"))
    hours = range(40)
    outside = pd.DataFrame(
        {
            "origin": "EWR",
            "asked_at": [START + timedelta(hours=hour, minutes=30) for hour in hours],
            "late": [hour % 3 == 0 for hour in hours],
        }
    )
    data = view.join_to(outside, event_time="asked_at", labels=["late"])
    project.register("by_weather", project.run(fit, data))
    with project.deploy("by_weather") as service:
        (prediction,) = service.predict([{"origin": "EWR"}], at=AT)
    trace = project.trace(prediction.id)
    assert trace.inputs == {"temp": 48.0}
    row = used(trace)["weather"]
    assert (row.key, row.values["temp"]) == ({"origin": "EWR"}, 48.0)


def test_a_request_that_does_not_fit_is_refused_before_anything_is_written(project, service):
    log = project.get_feature_group("predictions_late_arrival_v1")
    before = len(log.read())
    with pytest.raises(SignatureError, match="'distance'"):
        service.predict([{**REQUEST, "distance": float("nan")}], at=AT)
    with pytest.raises(SignatureError, match="'dest'"):
        service.predict([{name: value for name, value in REQUEST.items() if name != "dest"}], at=AT)
    assert len(log.read()) == before


def test_an_interrupt_ends_a_service_in_the_foreground(project):
    code = f"""
import threading, os, signal, time
import httpx
import groundswell as gs

def ask():
    with httpx.Client(transport=httpx.HTTPTransport(retries=50), timeout=50) as client:
        print(client.get(service.url + "/v2/health/ready").json(), flush=True)
    os.kill(os.getpid(), signal.SIGINT)

service = gs.open({str(project.folder)!r}).deploy("late_arrival")
threading.Thread(target=ask).start()
service.run(port=0)
print("ended")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines() == ["{'ready': True}", "ended"]


def test_a_service_that_nobody_closes_ends_with_its_program(project):
    code = f"""
import groundswell as gs
service = gs.open({str(project.folder)!r}).deploy("late_arrival")
service.start()
print(service.predict([{REQUEST!r}], at={AT.isoformat()!r})[0].id)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr == ""
    assert project.trace(done.stdout.strip()).at == AT
