"""A group that grows under several hands: each sees what the others have made of it, without opening it again."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import groundswell as gs
from groundswell.errors import ColumnNotFoundError, ConflictError, NotFoundError, SchemaError
from groundswell.features import FeatureGroup, StatisticsConfig

START = datetime(2024, 1, 1, tzinfo=UTC)
SCHEMA = {"k": pa.string(), "t": pa.timestamp("us", tz="UTC"), "v": pa.int64()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with gs.open(tmp_path / "p", threads=1) as project:
        project.create_feature_group("g", primary_key=["k"], event_time="t", schema=SCHEMA, online=True)
    return tmp_path / "p"


@pytest.fixture
def hands(folder: Path) -> Iterator[tuple[FeatureGroup, FeatureGroup, FeatureGroup]]:
    """One group, got twice from one project and once from another one."""
    with gs.open(folder, threads=1) as project, gs.open(folder, threads=1) as other:
        yield project.get_feature_group("g"), project.get_feature_group("g"), other.get_feature_group("g")


def row(key: str, v: int, **features: int) -> dict[str, Any]:
    return {"k": key, "t": START, "v": v, **features}


def grow(group: FeatureGroup, feature: str) -> str:
    group.append_features({feature: pa.int64()})
    return feature


def test_two_objects_and_another_process_write_in_turn(folder, hands, fork_server):
    first, second, third = hands
    known: dict[str, int] = {}
    for number, group in enumerate([first, third, second, third, first]):
        known[grow(group, f"own{number}")] = number
        hands[(number + 1) % 3].insert([row(f"own{number}", number, **known)])
        assert fork_server.run("grow_group", folder=str(folder), writer=f"p{number}", n_rounds=1) == 0
        known[f"p{number}_0"] = 0
        for hand in hands:
            assert hand.features == ["v", *known]
    for hand in hands:
        rows = {each["k"]: each for each in hand.read().to_arrow().to_pylist()}
        assert len(rows) == 10
        for number in range(5):
            given = {name: value for name, value in known.items() if rows[f"own{number}"][name] is not None}
            assert list(given) == list(known)[: 2 * number + 1]
            assert given == {name: rows[f"own{number}"][name] for name in given}
            assert rows[f"p{number}"][f"p{number}_0"] == 0
    assert first.online_version == first.table.version()


def insert_when_the_schema_rests(group: FeatureGroup, key: str) -> None:
    """Insert a row, again if the schema has changed on the way, as the error says."""
    for _ in range(100):
        with suppress(ConflictError, ColumnNotFoundError):
            group.insert([whole_row(group) | {"k": key}])
            return
    raise AssertionError("the schema does not come to rest")


def test_writers_that_grow_a_group_at_once_lose_nothing(folder, hands, fork_server):
    pids = [fork_server.start("grow_group", folder=str(folder), writer=name, n_rounds=3) for name in ("a", "b")]
    for number in range(4):
        insert_when_the_schema_rests(hands[number % 3], f"own{number}")
    assert [fork_server.wait(pid) for pid in pids] == [0, 0]
    features = {f"{name}_{number}" for name in ("a", "b") for number in range(3)}
    for hand in hands:
        assert set(hand.features) == {"v"} | features
        assert set(hand.read(["k"]).to_arrow()["k"].to_pylist()) == {"a", "b", "own0", "own1", "own2", "own3"}
    with gs.open(folder, threads=1) as project:
        assert project.doctor(deep=True).ok


def whole_row(group: FeatureGroup) -> dict[str, Any]:
    return {"k": "a", "t": START, **dict.fromkeys(group.features, 1)}


SEEING: dict[str, Callable[[FeatureGroup, str], object]] = {
    "schema": lambda group, name: group.schema[name],
    "select": lambda group, name: group.select(name),
    "where": lambda group, name: group.where(gs.col(name).is_null()),
    "read": lambda group, name: group.read([name]).to_arrow(),
    "insert": lambda group, _: group.insert([whole_row(group)]),
    "stream": lambda group, _: group.stream().write(whole_row(group)),
    "expectations": lambda group, name: group.set_expectations([gs.expect(name).between(0, 5)]),
    "statistics": lambda group, name: group.set_statistics(StatisticsConfig(columns=(name,))),
    "tag": lambda group, name: group.set_tag("pii", True, feature=name),
    "description": lambda group, name: group.describe_feature(name, "New."),
    "widen": lambda group, name: group.widen(name, pa.int64()),
    "windows": lambda group, name: gs.windows(group, key="k", aggregations={"n": gs.sum(name, over="1h")}, every="1h"),
    "notebook": lambda group, name: name in repr(group) or pytest.fail("it is not shown"),
}


@pytest.mark.parametrize("verb", SEEING)
def test_every_verb_knows_a_feature_that_another_one_has_just_made(hands, verb):
    first, _, _ = hands
    first.insert([row("b", 1)])
    for number, hand in enumerate(hands):
        SEEING[verb](hand, grow(first, f"new{number}"))


def test_a_feature_that_is_there_twice_is_refused(hands):
    grow(hands[0], "new")
    with pytest.raises(SchemaError, match="'new' is there twice"):
        grow(hands[2], "new")


def test_columns_that_another_one_has_inserted_first_are_seen(folder):
    with gs.open(folder, threads=1) as project, gs.open(folder, threads=1) as other:
        first = project.create_feature_group("empty", primary_key=["k"])
        second = other.get_feature_group("empty")
        assert not second.has_table
        first.insert([{"k": 1, "v": 2}])
        assert second.has_table
        assert second.read().to_arrow().to_pylist() == [{"k": 1, "v": 2}]
        second.insert([{"k": 2, "v": 3}])
        assert len(first.read()) == 2
        third = other.create_feature_group("gone", primary_key=["k"])
        project.get_feature_group("gone").delete()
        with pytest.raises(NotFoundError, match=r"no feature group|no columns"):
            third.read()


def test_statistics_of_a_column_leave_out_the_commits_before_it(hands):
    first, second, _ = hands
    first.insert([row("a", 1)])
    second.set_statistics(StatisticsConfig(columns=(grow(first, "new"),)))
    second.insert([row("b", 2, new=5)])
    first.compute_statistics()
    assert first.statistics()["new"].count == 1


def test_the_next_version_of_a_group_that_is_online_is_online(hands):
    hands[0].insert([row("a", 1)])
    made = hands[0].new_version()
    assert made.online
    assert made.online_version == made.table.version()
