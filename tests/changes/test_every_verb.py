"""Every verb tells of what it did: once, of the right object with its version, and to whoever follows the project."""

import inspect
import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import groundswell as gs
from groundswell.changes import ChangeStream, JsonLines
from groundswell.experiments import Run, Runs
from groundswell.features import FeatureGroup, FeatureGroups, FeatureView, FeatureViews, TrainingData
from groundswell.features.streaming import Quarantine, QuarantinedRows, RowStream
from groundswell.features.windows import WindowPipeline
from groundswell.models import ModelVersion, Registry
from groundswell.serving import Service

AIRPORTS, FLIGHTS, WEATHER = (f"feature_group/{name}/1" for name in ("airports", "flights", "weather"))
VIEW, MODEL = "feature_view/late_arrival/1", "model/late_arrival/1"
ROW = {"faa": "LGA", "name": "La Guardia", "lat": 40.77}
SUMMARY = ("statistics computed", AIRPORTS)


@dataclass(frozen=True)
class Verb:
    """What a call does, and the events that it leaves, of which the order does not matter.

    Args:
        act: makes the call.
        tells: verbs and paths.
        first: what must have happened before, of which nothing is asked.
    """

    act: Callable[[gs.Project], object]
    tells: tuple[tuple[str, str], ...] = ()
    first: Callable[[gs.Project], object] = lambda _: None


def airports(project: gs.Project) -> FeatureGroup:
    return project.get_feature_group("airports")


def view(project: gs.Project) -> FeatureView:
    return project.get_feature_view("late_arrival")


def part(project: gs.Project) -> TrainingData:
    return project.get_training_data("late_arrival", 1)["train"]


def a_run(project: gs.Project) -> Run:
    return project.get_run(project.catalog.find("run")[0].id)


def model(project: gs.Project) -> ModelVersion:
    return project.get_model("late_arrival:1")


def second_model(project: gs.Project) -> ModelVersion:
    return project.register("late_arrival", a_run(project))


def a_schema(project: gs.Project) -> None:
    project.create_tag_schema("owner", {"type": "string"})


def a_required_tag(project: gs.Project) -> None:
    a_schema(project)
    project.require_tag("owner", for_="feature_group")


def tagged(noun: Callable[[gs.Project], Any]) -> Callable[[gs.Project], None]:
    return lambda project: noun(project).set_tag("team", "ops")


def run_of(verbs: str) -> tuple[tuple[str, str], ...]:
    """The events of a new run of the name "share"."""
    return tuple((verb, "run/share/1") for verb in verbs.split(", "))


def training(n: int, *verbs: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    """The events of training data of the view, which reads two groups."""
    made = ("created", f"training_data/late_arrival/{n}")
    return (made, ("pinned", FLIGHTS), ("pinned", WEATHER), ("read for training", VIEW), *verbs)


def share(data: TrainingData) -> dict[str, float]:
    return {"share": float(data.y.mean())}


def broken(data: TrainingData) -> None:
    raise ArithmeticError


def fails(act: Callable[[gs.Project], object], error: type[Exception]) -> Callable[[gs.Project], None]:
    def acting(project: gs.Project) -> None:
        with pytest.raises(error):
            act(project)

    return acting


def entities() -> pa.Table:
    at = [datetime(2013, 1, 1, 20, tzinfo=UTC)]
    return pa.table({"origin": ["EWR"], "distance": [100.0], "at": at, "late": [True]})


def write_rows(project: gs.Project, write: Callable[[RowStream], object]) -> None:
    with airports(project).stream() as stream:
        write(stream)


def quarantined(project: gs.Project) -> None:
    airports(project).set_expectations([gs.expect("lat").mean_between(-1, 1)])
    write_rows(project, lambda stream: stream.write(ROW))


def predict(project: gs.Project) -> None:
    with project.deploy("late_arrival:1") as service:
        service.predict([{"origin": "EWR", "distance": 120.0}], at="2013-01-01T20:30Z")


def windows(project: gs.Project) -> WindowPipeline:
    source = project.get_feature_group("flights")
    target = project.create_feature_group("sums", primary_key=["origin"], event_time="window_end")
    return gs.windows(source, key="origin", every="1h", aggregations={"flights": gs.count(over="1h")}).into(target)


def strict(project: gs.Project) -> None:
    airports(project).set_expectations([gs.expect("lat").between(0, 50)])


PREDICTIONS = "feature_group/predictions_late_arrival_v1/1"

VERBS: dict[str, Verb] = {
    "Project.create_feature_group": Verb(
        lambda p: p.create_feature_group("new", primary_key=["k"], schema={"k": pa.int64()}, tags={"team": "ops"}),
        tuple((verb, "feature_group/new/1") for verb in ("created", "tagged", "defined")),
    ),
    "Project.create_feature_group, with settings": Verb(
        lambda p: p.create_feature_group(
            "new", primary_key=["k"], statistics=False, expectations=[gs.expect("k").complete()], retention="1d"
        ),
        tuple((verb, "feature_group/new/1") for verb in ("created", "configured", "expectations set")),
    ),
    "Project.create_feature_view": Verb(
        lambda p: p.create_feature_view("new", airports(p).select("lat")), (("created", "feature_view/new/1"),)
    ),
    "Project.run": Verb(lambda p: p.run(share, part(p)), run_of("created, finished")),
    "Project.run, failing": Verb(
        fails(lambda p: p.run(broken, part(p), name="share"), ArithmeticError), run_of("created, failed")
    ),
    "Project.register": Verb(second_model, (("registered", "model/late_arrival/2"),)),
    "Project.deploy": Verb(lambda p: p.deploy("late_arrival:1").close(), (("deployed", MODEL),)),
    "Project.create_tag_schema": Verb(a_schema, (("created", "tag_schema/owner/1"),)),
    "Project.change_tag_schema": Verb(
        lambda p: p.change_tag_schema("owner", {}), (("schema changed", "tag_schema/owner/1"),), a_schema
    ),
    "Project.delete_tag_schema": Verb(
        lambda p: p.delete_tag_schema("owner"), (("deleted", "tag_schema/owner/1"),), a_schema
    ),
    "Project.require_tag": Verb(
        lambda p: p.require_tag("owner", for_="model"), (("required", "tag_schema/owner/1"),), a_schema
    ),
    "Project.unrequire_tag": Verb(
        lambda p: p.unrequire_tag("owner", for_="feature_group"),
        (("unrequired", "tag_schema/owner/1"),),
        a_required_tag,
    ),
    "FeatureGroup.insert": Verb(lambda p: airports(p).insert([ROW]), (("inserted", AIRPORTS),)),
    "FeatureGroup.insert, the first": Verb(
        lambda p: p.get_feature_group("empty").insert([{"k": 1, "v": 2}]),
        (("defined", "feature_group/empty/1"), ("inserted", "feature_group/empty/1")),
    ),
    "FeatureGroup.insert, validated": Verb(
        lambda p: airports(p).insert([ROW]), (("validated", AIRPORTS), ("inserted", AIRPORTS)), strict
    ),
    "FeatureGroup.insert, refused": Verb(
        fails(lambda p: airports(p).insert([ROW | {"lat": 70.0}]), gs.GroundswellError),
        (("validated", AIRPORTS),),
        strict,
    ),
    "FeatureGroup.delete_rows": Verb(
        lambda p: airports(p).delete_rows({"faa": "EWR"}), (("deleted rows", AIRPORTS),)
    ),
    "FeatureGroup.purge": Verb(lambda p: airports(p).purge({"faa": "EWR"}), (("purged", AIRPORTS), SUMMARY)),
    "FeatureGroup.purge, of what is published": Verb(
        lambda p: airports(p).purge({"faa": "EWR"}),
        (("purged", AIRPORTS), SUMMARY, ("published", AIRPORTS)),
        lambda p: airports(p).publish(),
    ),
    "FeatureGroup.purge, of what training data was given": Verb(
        lambda p: p.get_feature_group("weather").purge({"origin": "JFK"}),
        (("purged", WEATHER), ("purged", "training_data/late_arrival/2"), ("statistics computed", WEATHER)),
    ),
    "FeatureGroup.restore": Verb(
        lambda p: airports(p).restore(1), (("restored", AIRPORTS),), lambda p: airports(p).insert([ROW])
    ),
    "FeatureGroup.compact": Verb(
        lambda p: airports(p).compact(), (("compacted", AIRPORTS), SUMMARY), lambda p: airports(p).insert([ROW])
    ),
    "FeatureGroup.vacuum": Verb(
        lambda p: airports(p).vacuum(keep_versions=1),
        (("vacuumed", AIRPORTS),),
        lambda p: (airports(p).insert([ROW]), airports(p).compact()),
    ),
    "FeatureGroup.append_features": Verb(
        lambda p: airports(p).append_features({"tz": pa.string()}), (("evolved", AIRPORTS),)
    ),
    "FeatureGroup.widen": Verb(
        lambda p: p.get_feature_group("empty").widen("k", pa.int64()),
        (("evolved", "feature_group/empty/1"),),
        lambda p: p.get_feature_group("empty").insert(pa.table({"k": pa.array([1], pa.int32())})),
    ),
    "FeatureGroup.make_nullable": Verb(
        lambda p: p.get_feature_group("new").make_nullable("v"),
        (("evolved", "feature_group/new/1"),),
        lambda p: p.create_feature_group(
            "new", primary_key=["k"], schema=pa.schema([("k", pa.int64()), pa.field("v", pa.int64(), nullable=False)])
        ),
    ),
    "FeatureGroup.new_version": Verb(
        lambda p: airports(p).new_version(),
        tuple((verb, "feature_group/airports/2") for verb in ("created", "defined", "inserted")),
    ),
    "FeatureGroup.set_expectations": Verb(strict, (("expectations set", AIRPORTS),)),
    "FeatureGroup.forget_validated_values": Verb(
        lambda p: airports(p).forget_validated_values(),
        (("values forgotten", AIRPORTS),),
        lambda p: (strict(p), fails(lambda p: airports(p).insert([ROW | {"lat": 70.0}]), gs.GroundswellError)(p)),
    ),
    "FeatureGroup.set_statistics": Verb(lambda p: airports(p).set_statistics(False), (("configured", AIRPORTS),)),
    "FeatureGroup.compute_statistics": Verb(
        lambda p: airports(p).compute_statistics(), (SUMMARY, SUMMARY), lambda p: airports(p).insert([ROW])
    ),
    "FeatureGroup.statistics, of current rows": Verb(lambda p: airports(p).statistics(rows="current"), (SUMMARY,)),
    "FeatureGroup.set_retention": Verb(lambda p: airports(p).set_retention("1d"), (("configured", AIRPORTS),)),
    "FeatureGroup.enable_online": Verb(lambda p: airports(p).enable_online(), (("configured", AIRPORTS),)),
    "FeatureGroup.disable_online": Verb(
        lambda p: airports(p).disable_online(), (("configured", AIRPORTS),), lambda p: airports(p).enable_online()
    ),
    "FeatureGroup.publish": Verb(
        lambda p: (airports(p).publish(), airports(p).publish()), (("published", AIRPORTS),)
    ),
    "FeatureGroup.set_description": Verb(lambda p: airports(p).set_description("Places."), (("described", AIRPORTS),)),
    "FeatureGroup.describe_feature": Verb(
        lambda p: airports(p).describe_feature("lat", "North."), (("described", AIRPORTS),)
    ),
    "FeatureGroup.set_tag": Verb(tagged(airports), (("tagged", AIRPORTS),)),
    "FeatureGroup.remove_tag": Verb(
        lambda p: airports(p).remove_tag("team"), (("untagged", AIRPORTS),), tagged(airports)
    ),
    "FeatureGroup.delete": Verb(lambda p: airports(p).delete(), (("deleted", AIRPORTS),)),
    "FeatureView.training_data": Verb(lambda p: view(p).training_data(), training(3)),
    "FeatureView.train_test_split": Verb(lambda p: view(p).train_test_split(test_size=0.5), training(3)),
    "FeatureView.train_validation_test_split": Verb(
        lambda p: view(p).train_validation_test_split(validation_size=0.3, test_size=0.3), training(3)
    ),
    "FeatureView.join_to": Verb(lambda p: view(p).join_to(entities(), event_time="at"), training(3)),
    "FeatureView.set_description": Verb(lambda p: view(p).set_description("Late."), (("described", VIEW),)),
    "FeatureView.set_tag": Verb(tagged(view), (("tagged", VIEW),)),
    "FeatureView.remove_tag": Verb(lambda p: view(p).remove_tag("team"), (("untagged", VIEW),), tagged(view)),
    "FeatureView.delete": Verb(
        lambda p: p.get_feature_view("new").delete(),
        (("deleted", "feature_view/new/1"), ("deleted", "training_data/new/1")),
        lambda p: p.create_feature_view("new", airports(p).select("name", "lat"), labels=["lat"]).training_data(),
    ),
    "TrainingData.set_description": Verb(
        lambda p: part(p).set_description("One day."), (("described", "training_data/late_arrival/1"),)
    ),
    "TrainingData.set_tag": Verb(tagged(part), (("tagged", "training_data/late_arrival/1"),)),
    "TrainingData.remove_tag": Verb(
        lambda p: part(p).remove_tag("team"), (("untagged", "training_data/late_arrival/1"),), tagged(part)
    ),
    "Run.set_description": Verb(lambda p: a_run(p).set_description("The first."), (("described", "run/fit/1"),)),
    "Run.set_tag": Verb(tagged(a_run), (("tagged", "run/fit/1"),)),
    "Run.remove_tag": Verb(lambda p: a_run(p).remove_tag("team"), (("untagged", "run/fit/1"),), tagged(a_run)),
    "ModelVersion.set_alias": Verb(lambda p: model(p).set_alias("challenger"), (("alias set", MODEL),)),
    "ModelVersion.remove_alias": Verb(lambda p: model(p).remove_alias("champion"), (("alias removed", MODEL),)),
    "ModelVersion.set_description": Verb(lambda p: model(p).set_description("Logistic."), (("described", MODEL),)),
    "ModelVersion.set_tag": Verb(tagged(model), (("tagged", MODEL),)),
    "ModelVersion.remove_tag": Verb(lambda p: model(p).remove_tag("team"), (("untagged", MODEL),), tagged(model)),
    "ModelVersion.delete": Verb(
        lambda p: p.get_model("late_arrival:2").delete(), (("deleted", "model/late_arrival/2"),), second_model
    ),
    "Service.predict": Verb(predict, (("deployed", MODEL), ("inserted", PREDICTIONS))),
    "RowStream.write": Verb(lambda p: write_rows(p, lambda s: s.write(ROW)), (("inserted", AIRPORTS),)),
    "RowStream.write_all": Verb(lambda p: write_rows(p, lambda s: s.write_all([ROW])), (("inserted", AIRPORTS),)),
    "RowStream.write_from": Verb(lambda p: write_rows(p, lambda s: s.write_from([ROW])), (("inserted", AIRPORTS),)),
    "RowStream.submit": Verb(lambda p: write_rows(p, lambda s: s.submit(ROW)), (("inserted", AIRPORTS),)),
    "RowStream.flush": Verb(
        lambda p: write_rows(p, lambda s: (s.write(ROW), s.flush(), s.flush(), s.write(ROW | {"lat": 41.0}))),
        (("inserted", AIRPORTS), ("inserted", AIRPORTS)),
    ),
    "RowStream.close": Verb(lambda p: write_rows(p, lambda s: (s.write(ROW), s.close())), (("inserted", AIRPORTS),)),
    "QuarantinedRows.discard": Verb(
        lambda p: [rows.discard() for rows in airports(p).quarantine],
        (("rows discarded", AIRPORTS),),
        first=quarantined,
    ),
    "WindowPipeline.run": Verb(
        lambda p: windows(p).run(),
        tuple((verb, "feature_group/sums/1") for verb in ("created", "defined", "inserted")),
    ),
}  # fmt: skip
"""Every verb that changes something, by the noun that has it; after a comma, in which case."""

QUIET: dict[type, str] = {
    gs.Project: "exists open close feature_groups feature_views find get_feature_group get_feature_view get_model "
    "get_run get_training_data tag_schemas trace changes consumers doctor "
    # What follows the project is no part of it: of its coming, going and positions `consumers()` tells.
    "add_consumer remove_consumer change_stream prune_changes",
    FeatureGroup: "read select where history diff changes check snapshot describe to_duckdb validations commit_of "
    "follow_online stream statistics recover",
    FeatureView: "batch check_on_demand describe explain open_training_data vector vectors",
    TrainingData: "batches pipeline shuffled statistics to_arrow to_pandas to_polars",
    Run: "candidate describe of",
    ModelVersion: "describe load",
    Service: "run start stop close",
    ChangeStream: "start stop catch_up rebuild",
    WindowPipeline: "",
    RowStream: "",
    # What stands behind the verbs of the nouns.
    Quarantine: "erase set_aside",
    QuarantinedRows: "read release",
    FeatureGroups: "all close create folder_of followers get new_version open",
    FeatureViews: "all create get hand_in training_data",
    Runs: "compare find get give_up is_lost open repair run",
    Registry: "aliases aliases_of delete finish folder_of get is_half_done lost_papers names open register "
    "remove_alias repair restore_papers set_alias versions",
}
"""What reads, moves what was told already, or is called by the verbs above; by noun."""


def told(events: Iterable[Any]) -> Counter[tuple[str, str]]:
    return Counter((event.verb, event.path) for event in events)


@pytest.mark.parametrize("name", VERBS)
def test_a_verb_tells_of_what_it_did_once(name: str, project: gs.Project, project_folder: Path, tmp_path: Path) -> None:
    verb, log = VERBS[name], tmp_path / "events.jsonl"
    verb.first(project)
    before = max((event.sequence for event in project.changes()), default=0)
    project.add_consumer(JsonLines(path=log, name="audit"), after=before)
    verb.act(project)
    events = list(project.changes(after=before))
    assert told(events) == Counter(verb.tells)
    assert told(project.catalog.activity(limit=len(events))) == Counter(verb.tells)
    project.change_stream().catch_up()
    with gs.open(project_folder, threads=1) as again:  # whoever comes later hears nothing more
        assert list(again.changes(after=before)) == events
        again.change_stream().catch_up()
    delivered = [json.loads(line) for line in log.read_text().splitlines()]
    assert [(each["sequence"], each["verb"], each["path"]) for each in delivered] == [
        (event.sequence, event.verb, event.path) for event in events
    ]


@pytest.mark.parametrize("noun", QUIET, ids=lambda noun: noun.__name__)
def test_no_verb_is_forgotten(noun: type) -> None:
    methods = {n for n, _ in inspect.getmembers(noun, callable) if not n.startswith("_")}
    telling = {name.partition(",")[0].partition(".")[2] for name in VERBS if name.startswith(f"{noun.__name__}.")}
    quiet = set(QUIET[noun].split())
    assert methods == telling | quiet, "every method tells something, or is listed as one that does not"
    assert telling & quiet <= {"statistics"}


def test_every_noun_that_a_project_gives_is_looked_at() -> None:
    given = {noun.__name__ for noun in QUIET}
    assert {name for name in gs.__all__ if inspect.isclass(getattr(gs, name))} - given == {
        "GroundswellError",
        "Schema",
    }
