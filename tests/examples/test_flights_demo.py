"""The whole demo, on the two weeks around the start of the test months."""

import re

import pandas as pd
import pytest

import groundswell as gs
from groundswell.errors import AlreadyExistsError
from groundswell.examples import flights as demo


@pytest.fixture(scope="module")
def raw():
    raw = demo.read_tables(demo.installed_data())
    flights = raw["flights"]
    around = (flights["month"] == 10) & (flights["day"] >= 25) | (flights["month"] == 11) & (flights["day"] <= 7)
    return {**raw, "flights": flights[around].reset_index(drop=True)}


@pytest.fixture(scope="module")
def data(raw, tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    for name, file in demo.FILES.items():
        raw[name].to_csv(folder / file, index=False)
    return folder


@pytest.fixture(scope="module")
def ran(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo") / "demo"
    return folder, demo.main(folder, seed=3, data=data)


@pytest.fixture(scope="module")
def project(ran):
    with gs.open(ran[0]) as project:
        yield project


def test_the_probability_over_http_is_that_of_the_test_data(ran, raw, project):
    _, outcome = ran
    flights = demo.flight_features(raw["flights"], raw["airports"])
    test = flights[(flights["due_at"] >= pd.Timestamp("2013-11-01", tz="UTC")) & flights["late"].notna()]
    key = ["carrier", "flight", "origin", "due_at"]
    position = (test[key] == [outcome.flight[name] for name in key]).all(axis=1).to_numpy().nonzero()[0]
    X = project.get_training_data("late_arrival")["test"].X
    assert len(X) == len(test)
    row = X.iloc[position]
    assert row[["carrier", "origin", "dest", "minute_of_day"]].to_numpy().tolist() == [
        [outcome.flight[name] for name in ("carrier", "origin", "dest", "minute_of_day")]
    ]
    offline = project.get_model("late_arrival@champion").load().predict_proba(row)[0, 1]
    assert outcome.prediction["probability"] == pytest.approx(offline, abs=1e-12)
    assert outcome.prediction["prediction"] == (offline > 0.5)


def test_the_careless_join_claims_more_than_it_is_worth(ran):
    _, outcome = ran
    assert 0.5 < outcome.auc < 0.85  # a week of training is little; the whole year gives 0.75
    assert outcome.claimed_auc > outcome.auc + 0.2
    assert outcome.claimed_auc > outcome.in_service_auc + 0.2


def test_the_model_saw_nothing_from_after_departure(ran, project):
    _, outcome = ran
    trace = project.trace(outcome.prediction["prediction_id"])
    known = [row.available_at for row in trace.rows if row.available_at is not None]
    assert len(known) == 4  # the weather, the carrier, both airports
    assert max(known) <= outcome.flight["due_at"]
    assert {commit.group: commit.rows for commit in trace.commits}["planes"] == 3_322


def test_the_careless_view_hands_a_flight_its_own_landing(ran, project):
    _, outcome = ran
    explained = project.get_feature_view("careless_late_arrival").explain(outcome.flight)
    assert explained["careless_carrier_lateness"].event_time == outcome.flight["due_at"]


def test_flights_without_outcome_are_left_out_and_counted(raw, project):
    counts = project.get_training_data("late_arrival")["train"].counts
    assert counts["without_label"] == raw["flights"]["arr_delay"].isna().sum()
    assert sum(counts.values()) == len(raw["flights"])


def test_training_flights_had_landed_before_the_test_months(raw, project):
    flights = demo.flight_features(raw["flights"], raw["airports"])
    start = pd.Timestamp("2013-11-01", tz="UTC")
    in_the_air = ((flights["due_at"] < start) & (flights["landed_at"] > start)).sum()
    assert in_the_air > 0
    train = project.get_training_data("late_arrival")["train"]
    assert len(train) == ((flights["landed_at"] <= start) & flights["late"].notna()).sum()


def test_what_it_says_is_short_and_plain_in_a_pipe(ran, capsys):
    folder, outcome = ran
    demo.tell(folder, outcome)
    said = capsys.readouterr().out
    assert "\x1b" not in said
    assert outcome.prediction["prediction_id"] in said
    assert re.search(rf"careless join claims +{outcome.claimed_auc:.3f}", said)
    assert f"  groundswell trace {outcome.prediction['prediction_id']} --project {folder}" in said.splitlines()
    assert len(said.splitlines()) < 60


# Its folder.


def test_the_folder_of_an_earlier_demo_is_replaced(tmp_path):
    folder = tmp_path / "demo"
    folder.mkdir()
    (folder / demo.MARK).write_text("")
    (folder / "catalog.db").write_text("")
    assert demo.empty_folder(folder) == folder
    assert not folder.exists()


def test_a_folder_that_no_demo_made_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(AlreadyExistsError, match="no demo made it"):
        demo.empty_folder(tmp_path)
    assert (tmp_path / "thesis.txt").exists()


def test_a_link_to_the_folder_of_a_demo_is_left_alone(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / demo.MARK).write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(AlreadyExistsError):
        demo.empty_folder(tmp_path / "link")
    assert (tmp_path / "real" / demo.MARK).exists()


def test_a_folder_that_is_not_there_or_empty_is_fine(tmp_path):
    assert demo.empty_folder(tmp_path / "new") == tmp_path / "new"
    assert demo.empty_folder(tmp_path) == tmp_path
