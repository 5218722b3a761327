"""The rules of the flights example, each against a computation that shares no code with it."""

import sys
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pandas as pd
import pytest

from groundswell.errors import DataError, MissingDependencyError, NotFoundError
from groundswell.examples import flights as demo


@pytest.fixture(scope="module")
def raw():
    return demo.read_tables(demo.installed_data())


@pytest.fixture(scope="module")
def featured(raw):
    return demo.flight_features(raw["flights"], raw["airports"])


@pytest.fixture(scope="module")
def zones(raw):
    listed = raw["airports"].dropna(subset="tzone").set_index("faa")["tzone"].to_dict()
    return {**listed, **dict.fromkeys(["BQN", "PSE", "SJU", "STT"], "America/Puerto_Rico")}


# The data is what the example says it is.


def test_the_origin_is_needed_to_tell_flights_of_a_day_apart(raw):
    day = ["carrier", "flight", "year", "month", "day"]
    assert raw["flights"].duplicated(day).sum() == 24
    assert not raw["flights"].duplicated([*day, "origin"]).any()


def test_counts_that_the_example_states(raw, featured):
    assert len(raw["flights"]) == 336_776
    assert (~raw["flights"]["dest"].isin(raw["airports"].dropna(subset="tzone")["faa"])).sum() == 7_602
    assert set(raw["flights"]["dest"]) - set(raw["airports"]["faa"]) == set(demo.UNLISTED_ZONES)
    assert raw["flights"]["arr_delay"].isna().sum() == featured["late"].isna().sum() == 9_430
    assert raw["weather"]["time_hour"].max() == "2013-12-30T23:00:00Z"
    # Hours of weather are local too, and time_hour is the same hour in UTC.
    local = pd.to_datetime(raw["weather"]["time_hour"]).dt.tz_convert("America/New_York")
    assert (local.dt.hour == raw["weather"]["hour"]).all()


def test_actual_departure_is_schedule_plus_delay(raw):
    left = raw["flights"].dropna(subset="dep_time")
    clock = (left["sched_dep_time"] // 100 * 60 + left["sched_dep_time"] % 100 + left["dep_delay"]) % 1440
    assert (clock == (left["dep_time"] // 100 * 60 + left["dep_time"] % 100) % 1440).all()


# Instants.


def test_departures_are_due_in_the_hour_that_the_data_gives_in_utc(raw, featured):
    hour = pd.to_datetime(raw["flights"]["time_hour"])
    assert (featured["due_at"].dt.floor("h") == hour).all()
    assert (featured["due_at"].dt.minute == raw["flights"]["minute"]).all()


def test_landing_is_found_by_stepping_through_the_minutes(raw, featured, zones):
    for row in raw["flights"].dropna(subset="arr_delay").sample(300, random_state=0).itertuples():
        due = datetime(row.year, row.month, row.day, row.hour, row.minute, tzinfo=ZoneInfo("America/New_York"))
        moment = due.astimezone(UTC) + timedelta(minutes=row.dep_delay + row.air_time)
        there = ZoneInfo(zones[row.dest])
        hour, minute = divmod(int(row.arr_time), 100)
        while moment.astimezone(there).time() != time(hour % 24, minute):
            moment += timedelta(minutes=1)
        assert featured["landed_at"][row.Index] == moment, row


def test_landing_is_scheduled_arrival_plus_delay_but_for_one_flight(raw, featured, zones):
    flights = raw["flights"].assign(
        **featured[["due_at", "landed_at"]],
        zone=raw["flights"]["dest"].map(zones),
        date=pd.to_datetime(raw["flights"][["year", "month", "day"]]),
    )
    with duckdb.connect() as connection:
        differences = (
            connection.register("flights", flights)
            .sql("""
                WITH arrivals AS (
                    SELECT *, list_transform([-1, 0, 1, 2], lambda d: timezone(zone, date + to_days(d::INT)
                        + to_minutes(sched_arr_time // 100 * 60 + sched_arr_time % 100))) AS candidates
                    FROM flights WHERE landed_at IS NOT NULL
                )
                SELECT carrier, flight, month, day, landed_at - (
                    list_min(list_filter(candidates, lambda c: c > due_at)) + to_minutes(arr_delay::INT)) AS difference
                FROM arrivals WHERE difference <> to_minutes(0)
            """)
            .fetchall()
        )
    # It landed in the hour that Los Angeles had twice; the rule takes the later one, so that it is never early.
    assert differences == [("VX", 413, 11, 2, timedelta(hours=1))]


def test_a_clock_that_nobody_had_put_forward(raw, featured):
    flights = raw["flights"]
    found = flights.query("carrier == 'B6' and flight == 35 and month == 3 and day == 9").index
    assert flights["arr_time"][found].item() == 203  # no clock should have shown this in Florida that night
    assert featured["landed_at"][found].item() == datetime(2013, 3, 10, 7, 3, tzinfo=UTC)


def test_landing_takes_a_time_that_a_flight_can_take(raw, featured):
    flights = raw["flights"]
    flown = (featured["landed_at"] - featured["due_at"]).dt.total_seconds() / 60 - flights["dep_delay"]
    on_the_ground = (flown - flights["air_time"]).dropna()  # taxiing out and in
    assert on_the_ground.between(5, 240).all()
    assert on_the_ground[flights["dest"].isin(demo.UNLISTED_ZONES)].median() == pytest.approx(
        on_the_ground[~flights["dest"].isin(demo.UNLISTED_ZONES)].median(), abs=2
    )


def test_outcomes_are_known_when_the_flight_has_landed_or_never_will(raw, featured):
    landed = featured["landed_at"].notna()
    assert (landed == raw["flights"]["arr_delay"].notna()).all()
    assert (featured["outcome_known_at"][landed] == featured["landed_at"][landed]).all()
    assert (featured["landed_at"] - featured["due_at"]).max() < demo.OUTCOME_CERTAIN_AFTER
    assert (featured["outcome_known_at"] - featured["due_at"])[~landed].eq(demo.OUTCOME_CERTAIN_AFTER).all()
    assert (featured["outcome_known_at"] > featured["due_at"]).all()


@pytest.mark.parametrize(
    ("hhmm", "earliest", "expected"),
    [
        (2400, "2013-06-01T03:50", "2013-06-01T04:00"),  # midnight in New York is four hours after UTC's in summer
        (2400, "2013-06-01T04:00", "2013-06-01T04:00"),
        (2400, "2013-06-01T04:01", "2013-06-02T04:00"),
        (2359, "2013-06-01T04:00", "2013-06-02T03:59"),
        (110, "2013-11-03T05:50", "2013-11-03T06:10"),  # at 1:50 before the clocks went back: 1:10 comes again
        (110, "2013-11-03T05:00", "2013-11-03T06:10"),  # the second of two
        (110, "2013-11-03T06:30", "2013-11-04T06:10"),
    ],
)
def test_next_showing(hhmm, earliest, expected):
    instants = pd.to_datetime(pd.Series([earliest]), utc=True)
    found = demo.next_showing(pd.Series([hhmm]), "America/New_York", instants)
    assert found.tolist() == [pd.Timestamp(expected, tz="UTC")]


def test_a_destination_without_a_zone_is_refused(raw):
    lost = raw["flights"].head(3).assign(dest=["IAH", "XXX", "SJU"])
    with pytest.raises(DataError, match="XXX") as caught:
        demo.flight_features(lost, raw["airports"])
    assert caught.value.airports == ["XXX"]


# Features.


def test_late_is_fifteen_minutes_or_more(raw, featured):
    delay = raw["flights"]["arr_delay"]
    assert featured["late"][delay == 15].all()
    assert not featured["late"][delay == 14].any()
    assert featured["late"][delay.isna()].isna().all()


@pytest.mark.parametrize(("key", "columns"), [("carrier", ["carrier"]), ("airport", ["origin", "dest"])])
def test_rolling_lateness_by_brute_force(featured, key, columns):
    flights = featured[featured["due_at"].between("2013-03-09", "2013-03-10T18:00Z")].sample(600, random_state=1)
    rows = demo.rolling_lateness(flights, key, columns).to_pylist()
    landed = flights.dropna(subset="landed_at")
    events = [(getattr(f, c), f.due_at, f.landed_at, bool(f.late)) for f in landed.itertuples() for c in columns]
    assert {(r[key], r["due_at"], r["landed_at"]) for r in rows} == {event[:3] for event in events}
    assert len(rows) == len({event[:3] for event in events})
    for row in rows:
        for hours in (3, 24):
            since = row["landed_at"] - timedelta(hours=hours)
            late = [e[3] for e in events if e[0] == row[key] and since <= e[2] <= row["landed_at"]]
            assert row[f"late_share_{hours}h"] == pytest.approx(sum(late) / len(late), abs=1e-12)


def test_rolling_lateness_does_not_know_what_has_not_landed(featured):
    flights = featured[featured["due_at"].between("2013-07-01", "2013-07-03")]
    now = pd.Timestamp("2013-07-02T12:00Z")
    in_the_air = flights["landed_at"] > now
    assert in_the_air.any()
    otherwise = flights.assign(late=flights["late"].mask(in_the_air, ~flights["late"]))
    before = [
        [row for row in demo.rolling_lateness(f, "carrier", ["carrier"]).to_pylist() if row["landed_at"] <= now]
        for f in (flights, otherwise)
    ]
    assert before[0] == before[1]


def test_weather_is_known_an_hour_later(raw):
    weather = demo.weather_features(raw["weather"])
    assert not weather.duplicated(["origin", "observed_at"]).any()
    assert np.all(weather["known_at"] - weather["observed_at"] == timedelta(hours=1))


# Bad input.


def test_the_package_with_the_data_may_be_missing(monkeypatch):
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(MissingDependencyError, match=r"python -m pip install 'groundswell\[examples\]'"):
        demo.installed_data()


def test_a_folder_without_the_files(tmp_path):
    with pytest.raises(NotFoundError, match=r"flights\.csv\.zip") as caught:
        demo.read_tables(tmp_path)
    assert caught.value.path == str(tmp_path / "flights.csv.zip")
