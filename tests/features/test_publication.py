import json
import threading
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import groundswell as gs
from groundswell.errors import CorruptionError
from groundswell.features import FeatureGroup


@pytest.fixture
def project(tmp_path: Path) -> gs.Project:
    return gs.open(tmp_path / "project")


def make(project: gs.Project, name: str = "counts") -> FeatureGroup:
    return project.create_feature_group(name, primary_key=["k"], schema=None)


def published(group: FeatureGroup) -> list[dict[str, object]]:
    return sorted(pq.read_table(group.publish()).to_pylist(), key=lambda row: row["k"])


def current(group: FeatureGroup) -> list[dict[str, object]]:
    return sorted(group.read().to_arrow().to_pylist(), key=lambda row: row["k"])


def inodes(folder: Path) -> set[int]:
    return {path.stat().st_ino for path in folder.glob("*.parquet")}


@settings(max_examples=15, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.dictionaries(st.integers(0, 6), st.integers(0, 99), min_size=1, max_size=4),
            st.sampled_from(["publish", "compact"]),
        ),
        max_size=8,
    )
)
def test_it_is_what_a_read_gives(tmp_path_factory: pytest.TempPathFactory, steps: list[object]) -> None:
    with gs.open(tmp_path_factory.mktemp("project")) as project:
        group = make(project)
        group.insert({"k": [0], "v": [0]})
        for step in steps:
            if step == "publish":
                assert published(group) == current(group)
            elif step == "compact":
                group.compact()
            else:
                group.insert({"k": list(step), "v": list(step.values())})
        assert published(group) == current(group)
        assert group.published_version == group.history()[0].version


def test_what_only_appends_links_what_is_there(project: gs.Project) -> None:
    group = make(project)
    group.insert({"k": [1], "v": [1]})
    first = inodes(group.publish())
    group.insert({"k": [2], "v": [2]})
    second = inodes(group.publish())
    assert first < second
    group.insert({"k": [1], "v": [10]})
    assert not inodes(group.publish()) & second
    assert published(group) == [{"k": 1, "v": 10}, {"k": 2, "v": 2}]


def test_publishing_again_changes_nothing(project: gs.Project) -> None:
    group = make(project)
    group.insert({"k": [1], "v": [1]})
    before = group.publish().resolve()
    assert group.publish().resolve() == before


def test_no_rows_still_have_columns(project: gs.Project) -> None:
    group = project.create_feature_group("empty", primary_key=["k"], schema={"k": pa.int64()})
    assert pq.read_table(group.publish()).column_names == ["k"]


def test_the_version_before_stays_for_those_who_read_it(project: gs.Project) -> None:
    group = make(project)
    folders = []
    for i in range(4):
        group.insert({"k": [i], "v": [i]})
        folders.append(group.publish().resolve())
    assert [folder.exists() for folder in folders] == [False, False, True, True]


def test_readers_see_one_version_or_the_next(project: gs.Project) -> None:
    group = make(project)
    group.insert({"k": list(range(10)), "v": [0] * 10})
    place, stop, seen = group.publish(), threading.Event(), set()

    def read() -> None:
        while not stop.is_set():
            folder = place.resolve()
            values = pq.read_table(folder)["v"].to_pylist()
            assert len(values) == 10
            seen.add(frozenset(values))

    reader = threading.Thread(target=read)
    reader.start()
    for i in range(1, 6):
        group.insert({"k": list(range(10)), "v": [i] * 10})
        group.publish()
    stop.set()
    reader.join()
    assert all(len(values) == 1 for values in seen)


def test_a_damaged_marker_means_publishing_anew(project: gs.Project) -> None:
    group = make(project)
    group.insert({"k": [1], "v": [1]})
    marker = group.publish() / "_published.json"
    marker.write_text("{")
    assert group.published_version is None
    assert published(group) == [{"k": 1, "v": 1}]
    assert json.loads(marker.read_text())["version"] == group.history()[0].version


def test_a_deleted_group_is_not_published_any_more(project: gs.Project) -> None:
    group = make(project)
    group.insert({"k": [1], "v": [1]})
    place = group.publish()
    group.delete()
    assert not place.parent.exists()


def test_a_disk_that_fails_leaves_what_was_published(project: gs.Project, monkeypatch: pytest.MonkeyPatch) -> None:
    group = make(project)
    group.insert({"k": [1], "v": [1]})
    place = group.publish()
    group.insert({"k": [2], "v": [2]})

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr("groundswell.features._publication.write_folder", fail)
        with pytest.raises(CorruptionError, match="No space left"):
            group.publish()
    assert pq.read_table(place)["k"].to_pylist() == [1]
    assert len(list(place.parent.glob("version-*"))) == 1
    assert published(group) == [{"k": 1, "v": 1}, {"k": 2, "v": 2}]
