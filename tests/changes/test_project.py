"""The stream of a whole project: what every noun tells, and what comes into the online store."""

import threading
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable

import groundswell as gs
from groundswell.catalog import VERBS
from groundswell.changes import Filter, JsonLines
from groundswell.errors import InvalidNameError


def told(project: gs.Project, **wanted: Any) -> list[tuple[str, str]]:
    return [(event.verb, event.path) for event in project.changes(**wanted)]


def test_every_noun_tells_what_happens_to_it(project: gs.Project) -> None:
    weather, model = "feature_group/weather/1", "model/late_arrival/1"
    assert told(project, paths=[weather])[:5] == [
        ("created", weather),
        ("defined", weather),
        ("inserted", weather),
        ("inserted", weather),
        ("inserted", weather),
    ]
    assert told(project, kinds=["model"]) == [("registered", model), ("alias set", model), ("deployed", model)]
    assert [verb for verb, _ in told(project, kinds=["run"])] == ["created", "finished"]
    assert {verb for verb, _ in told(project, kinds=["feature_view"])} >= {"created", "read for training"}
    pinned = list(project.changes(verbs=["pinned"], paths=[weather]))
    assert pinned[0].detail == {"commit": 3, "by": "late_arrival", "version": 1}
    assert {event.verb for event in project.changes()} <= VERBS.keys()
    with pytest.raises(InvalidNameError, match="Did you mean 'inserted'"):
        project.changes(verbs=["insert"])


def test_who_follows_a_tag_is_told_of_all_that_happens_to_what_has_it(project: gs.Project) -> None:
    before = project.catalog.events.last()
    airports = project.get_feature_group("airports")
    airports.insert({"faa": ["LGA"], "name": ["La Guardia"], "lat": [40.77]})
    airports.set_tag("owner", "ops")
    airports.insert({"faa": ["TEB"], "name": ["Teterboro"], "lat": [40.85]})
    airports.remove_tag("owner")
    airports.insert({"faa": ["SWF"], "name": ["Stewart"], "lat": [41.5]})
    assert [verb for verb, _ in told(project, after=before, tags=["owner"])] == ["tagged", "inserted", "untagged"]


def test_each_setting_of_a_group_is_told_once(project: gs.Project) -> None:
    airports, before = project.get_feature_group("airports"), project.catalog.events.last()
    airports.set_statistics(False)
    airports.enable_online()
    airports.disable_online()
    airports.set_expectations([])
    told_of = [(event.verb, dict(event.detail)) for event in project.changes(after=before)]
    assert told_of[:3] == [
        ("configured", {"statistics": None}),
        ("configured", {"online": True}),
        ("configured", {"online": False}),
    ]
    assert [verb for verb, _ in told_of[3:]] == ["expectations set"]


def test_deleting_a_group_is_the_last_thing_told_of_it(project: gs.Project) -> None:
    project.get_feature_group("airports").delete()
    assert told(project, paths=["feature_group/airports/*"])[-1] == ("deleted", "feature_group/airports/1")


def test_commits_of_other_tools_come_into_the_online_store_and_to_consumers(tmp_path: Path) -> None:
    with gs.open(tmp_path / "shop", threads=1) as project:
        stock = project.create_feature_group("stock", primary_key=["item"], online=True)
        stock.insert([{"item": "lamp", "count": 4}, {"item": "sofa", "count": 1}])
        follower = project.groups.followers()[stock.id]
        path = tmp_path / "events.jsonl"
        project.add_consumer(JsonLines(path=path, name="audit", filter=Filter(verbs=["committed"])))
        with project.change_stream():
            DeltaTable(stock.table.folder).delete("item = 'sofa'")
            while follower.position() < 2 or not path.exists() or not path.read_text().endswith("\n"):
                threading.Event().wait(0.005)
        assert [(status.name, status.behind) for status in project.consumers()] == [("audit", 0), ("online", 0)]
        project.remove_consumer("audit")
        assert [status.name for status in project.consumers()] == ["online"]
