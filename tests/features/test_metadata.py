"""Tags and descriptions on the nouns."""

from pathlib import Path

import pandas as pd
import pytest

import groundswell as gs
from groundswell.errors import DataError

FRAME = pd.DataFrame(
    {
        "k": range(40),
        "t": pd.date_range("2020-01-01", periods=40, freq="D", tz="UTC"),
        "x": [float(i % 7) for i in range(40)],
        "late": [i % 3 == 0 for i in range(40)],
    }
)


def test_all_nouns_are_tagged_described_and_found(tmp_path: Path) -> None:
    with gs.open(tmp_path / "p") as project:
        group = project.create_feature_group("rows", primary_key=["k"], event_time="t", tags={"pii": False})
        with pytest.raises(gs.GroundswellError, match="has no feature 'x'"):
            group.set_tag("unit", "m", feature="x")
        group.insert(FRAME)
        group.describe_feature("x", "how wide")
        group.set_tag("unit", "m", feature="x")
        view = project.create_feature_view("wide", group.select("x", "late"), labels=["late"], tags={"stage": "beta"})
        train, test = view.train_test_split(test_start="2020-02-01")
        train.set_tag("note", "first")
        run = project.run(lambda data: {"n": float(len(data))}, train, name="count", tags={"stage": 1})
        for noun in (group, view, run):
            noun.set_description("wonderful")
            assert noun.description == "wonderful"
        assert dict(group.tags) == {"pii": False}
        assert group.feature_tags == {"x": {"unit": "m"}}
        assert group.describe()["feature_descriptions"] == {"x": "how wide"}
        assert dict(project.get_feature_view("wide").tags) == {"stage": "beta"}
        assert dict(test.tags) == {"note": "first"}
        assert dict(project.get_run(run.id).tags) == {"stage": 1}
        assert {hit.kind for hit in project.find("wonderful")} == {"feature_group", "feature_view", "run"}
        assert [hit.name for hit in project.find("wide", kind="feature_group")] == ["rows"]
        run.remove_tag("stage")
        assert dict(run.tags) == {}


def test_required_tags_are_asked_of_every_noun_that_takes_them(tmp_path: Path) -> None:
    with gs.open(tmp_path / "p") as project:
        project.create_tag_schema("owner", {"type": "string"})
        for kind in ("feature_group", "feature_view", "run", "model"):
            assert project.require_tag("owner", for_=kind) == []
        with pytest.raises(DataError, match="lacks the tag 'owner'"):
            project.create_feature_group("rows", primary_key=["k"], event_time="t")
        assert project.feature_groups() == []
        group = project.create_feature_group("rows", primary_key=["k"], event_time="t", tags={"owner": "a"})
        group.insert(FRAME)
        with pytest.raises(DataError, match="lacks the tag 'owner'"):
            project.create_feature_view("v", group.select("x", "late"), labels=["late"])
        view = project.create_feature_view("v", group.select("x", "late"), labels=["late"], tags={"owner": "a"})
        train, _ = view.train_test_split(test_start="2020-02-01")
        with pytest.raises(DataError, match="lacks the tag 'owner'"):
            project.run(lambda data: {"n": 1.0}, train)
        project.unrequire_tag("owner", for_="run")
        project.run(lambda data: {"n": 1.0}, train)
        assert project.doctor().ok
        project.change_tag_schema("owner", {})
        assert project.tag_schemas() == {"owner": {}}
