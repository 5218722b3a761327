"""The newest rows per key, against a search of all rows that shares no code with the query."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from groundswell.catalog import Catalog
from groundswell.engines import VERSION, DuckDB, Newest, Touched
from groundswell.tables import Definition, Table, microseconds
from groundswell.types import TIMESTAMP, Schema

START = datetime(2024, 1, 1, tzinfo=UTC)
NUMBERS = count(1)


class Room:
    """Tables and an engine, without the rooms above them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.catalog = Catalog.create(f"sqlite:///{folder / 'catalog.db'}")
        self.engine = DuckDB(threads=1)

    def table(self, primary_key: Sequence[str], event_time: str | None, available_at: str | None) -> Table:
        name = f"g{next(NUMBERS)}"
        kinds = {k: pa.string() for k in primary_key} | {"v": pa.int64(), 'odd "name': pa.string()}
        kinds |= {name: TIMESTAMP for name in (event_time, available_at) if name}
        table = Table(
            table_id=self.catalog.add("feature_group", name, {}).id,
            folder=self.folder / name,
            definition=Definition.of(name, primary_key, event_time, available_at, Schema.of(kinds)),
            catalog=self.catalog,
            engine=self.engine,
            author="me@here",
        )
        table.folder.mkdir()
        table.create()
        return table

    def newest(self, table: Table, now: int, touched: Touched | None = None, after: int = -1) -> list[dict]:
        files = tuple(f for f in table.snapshot().files if f.version > after)
        plan = Newest(definition=table.definition, files=files, now_us=microseconds(at(now)), touched=touched)
        result = self.engine.newest(plan).read_all()
        assert result.schema.equals(plan.schema)
        return result.to_pylist()


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    room = Room(tmp_path_factory.mktemp("newest"))
    yield room
    room.engine.close()
    room.catalog.close()


def at(minute: int) -> datetime:
    return START + timedelta(minutes=minute)


def batch(rows: Sequence[tuple[str, int, int, int]], *, times: int) -> pa.Table:
    """Rows of (key, event minute, availability minute, value) with as many of the two times as the table has."""
    columns = {"k": [r[0] for r in rows], "v": [r[3] for r in rows], 'odd "name': [f"x{r[3]}" for r in rows]}
    for name, place in list({"t": 1, "a": 2}.items())[:times]:
        columns[name] = pa.array([at(r[place]) for r in rows], TIMESTAMP)
    return pa.table(columns)


def steps_of(commits: Sequence[Sequence[tuple[str, int, int, int]]], now: int, *, times: int) -> dict[str, list[int]]:
    """For each key the values seen from `now` on: at each minute the greatest of the rows known by then."""
    rows: dict[str, list[tuple]] = {}
    for version, commit in enumerate(commits, 1):
        for position, (key, event, available, value) in enumerate(commit):
            aa = available if times == 2 else event
            known, order = (max(event, aa), (event, aa, version, position)) if times else (0, (version, position))
            rows.setdefault(key, []).append((known, order, value))
    steps: dict[str, list[int]] = {}
    for key, of_key in rows.items():
        for minute in range(now, 50):
            visible = [(order, value) for known, order, value in of_key if known <= minute or not times]
            if visible and steps.setdefault(key, [max(visible)[1]])[-1] != max(visible)[1]:
                steps[key].append(max(visible)[1])
    return steps


COMMITS = st.lists(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 20), st.integers(0, 40)), min_size=1, max_size=6),
    min_size=1,
    max_size=3,
)


@pytest.mark.parametrize("times", [0, 1, 2])
def test_the_steps_are_those_of_a_search_of_all_rows(room, times):
    numbers = count()

    @settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(COMMITS, st.integers(0, 45))
    def check(drawn, now):
        commits = [[(*row, next(numbers)) for row in commit] for commit in drawn]
        table = room.table(["k"], "t" if times else None, "a" if times == 2 else None)
        for commit in commits:
            table.commit(table.stage(batch(commit, times=times)))
        found = {}
        rows = room.newest(table, now)
        assert [row["k"] for row in rows] == sorted(row["k"] for row in rows)
        for row in rows:
            found.setdefault(row["k"], []).append(row["v"])
            assert row['odd "name'] == f"x{row['v']}"
            assert any(key == row["k"] and value == row["v"] for key, _, _, value in commits[row[VERSION] - 1])
        assert found == steps_of(commits, now, times=times)

    check()


def test_touched_keys_come_back_with_or_without_rows(room):
    table = room.table(["k"], "t", None)
    table.commit(table.stage(batch([("a", 1, 0, 1), ("b", 1, 0, 2), ("d", 1, 0, 3)], times=1)))
    (first,) = table.snapshot().files
    table.commit(table.stage(batch([("b", 2, 0, 4), ("c", 1, 0, 5), ("b", 90, 0, 6)], times=1)))
    second = table.snapshot().files[1]
    rows = room.newest(table, 10, Touched(files=(second,)))
    assert [(row["k"], row["v"], row[VERSION]) for row in rows] == [("b", 4, 2), ("b", 6, 2), ("c", 5, 2)]
    gone = Newest(definition=table.definition, files=(second,), now_us=0, touched=Touched(files=(first,)))
    rows = room.engine.newest(gone).read_all().to_pylist()
    assert [(row["k"], row["v"], row[VERSION]) for row in rows] == [
        ("a", None, None),
        ("b", 4, 2),
        ("b", 6, 2),
        ("d", None, None),
    ]


def test_a_rewrite_touches_only_the_keys_of_the_rows_that_it_changes(room):
    table = room.table(["k"], "t", None)
    table.commit(table.stage(batch([("a", 1, 0, 1), ("b", 1, 0, 2)], times=1)))
    before = table.snapshot().files
    table.commit(table.stage(batch([("b", 2, 0, 3)], times=1)))
    table.compact()
    after = table.snapshot().files
    assert [row["k"] for row in room.newest(table, 10, Touched(removed=before, added=after))] == ["b"]
    assert room.newest(table, 10, Touched()) == []


def test_compaction_changes_nothing_of_what_is_newest(room):
    table = room.table(["k"], "t", "a")
    for number in range(4):
        rows = [("a", number % 3, number, number), ("b", 5, 30 - number, number)]
        table.commit(table.stage(batch(rows, times=2)))
    before = room.newest(table, 28)
    table.compact()
    assert room.newest(table, 28) == before
    assert [row["v"] for row in before] == [2, 2, 1, 0]


def test_an_empty_table_has_nothing_newest(room):
    assert room.newest(room.table(["k"], "t", None), 5) == []
