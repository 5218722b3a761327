"""A table whose writer is killed at every place between a write and its acknowledgement."""

import signal
from collections import Counter
from pathlib import Path

import pytest
from deltalake import DeltaTable

from groundswell._faults import POINTS
from groundswell.catalog import Catalog
from groundswell.engines import DuckDB
from groundswell.tables import Table
from groundswell.tables._table import stored_definition

ROWS = 20
BATCHES = 6


def open_table(folder: Path) -> Table:
    catalog = Catalog.open(f"sqlite:///{folder / 'catalog.db'}")
    (entry,) = catalog.find("feature_group", name="events")
    return Table(
        table_id=entry.id,
        folder=folder / "events",
        definition=stored_definition(folder / "events"),
        catalog=catalog,
        engine=DuckDB(),
        author="me@here",
    )


def current_rows(folder: Path) -> list[dict]:
    return DuckDB().folded(open_table(folder).snapshot()).read_all().to_pylist()


def acknowledged(path: Path) -> set[int]:
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    return {int(line.split()[0]) for line in lines if line.endswith("\n")}


def batches_of(rows: list[dict]) -> Counter[int]:
    return Counter(int(row["k"].split("-")[1]) for row in rows if row["k"] != "shared")


def task(folder: Path, **changes: object) -> dict[str, object]:
    plain = {"folder": str(folder), "writer": "w", "first": 0, "last": BATCHES - 1, "compact_every": 2}
    return plain | {"acknowledged": str(folder / "acknowledged")} | changes


def killed_at(fork_server, folder: Path, fault: str) -> set[int]:
    """Kill a writer at the fault point and return what it had acknowledged."""
    status = fork_server.run("write_table", environment={"GROUNDSWELL_FAULT": fault}, **task(folder))
    assert status == -signal.SIGKILL, f"{fault} was not passed"
    return acknowledged(folder / "acknowledged")


def check_whole(folder: Path, done: set[int]) -> None:
    """What was acknowledged is there, and each batch in full and once or not at all."""
    rows = current_rows(folder)
    there = batches_of(rows)
    assert set(there.values()) <= {ROWS}, "a batch is there in part or twice"
    assert done <= set(there) <= done | {len(done)}, "an acknowledged batch is lost"
    assert len({row["k"] for row in rows}) == len(rows)
    assert [row["v"] for row in rows if row["k"] == "shared"] == ([max(there)] if there else [])
    check_history(folder, rows)


def check_history(folder: Path, rows: list[dict]) -> None:
    table = open_table(folder)
    history = table.history()
    inserts = [commit for commit in history if commit.kind == "insert"]
    assert [commit.version for commit in history] == list(reversed(range(len(history))))
    assert sum(commit.new for commit in inserts) == len(rows)
    assert all(commit.rows == commit.new + commit.replaced for commit in inserts)
    delta = DeltaTable(table.folder)
    assert delta.version() == table.version()
    assert {Path(uri).name for uri in delta.file_uris()} == {Path(file.path).name for file in table.snapshot().files}
    assert all((table.folder / Path(uri).name).exists() for uri in delta.file_uris())


@pytest.mark.parametrize("passing", [1, 3])
@pytest.mark.parametrize("point", [point for point in POINTS if not point.startswith("create")])
def test_a_killed_writer_leaves_a_whole_table_that_takes_the_batch_again(tmp_path, fork_server, point, passing):
    done = killed_at(fork_server, tmp_path, f"{point}:{passing}")
    check_whole(tmp_path, done)
    rest = task(tmp_path, first=len(done), compact_every=0)  # the first was cut short: it may have landed or not
    assert fork_server.run("write_table", **rest) == 0
    rows = current_rows(tmp_path)
    assert batches_of(rows) == dict.fromkeys(range(BATCHES), ROWS)
    assert [row["v"] for row in rows if row["k"] == "shared"] == [BATCHES - 1]


@pytest.mark.parametrize("point", [point for point in POINTS if point.startswith("create")])
def test_a_killed_creator_leaves_a_place_where_the_table_can_be_made(tmp_path, fork_server, point):
    assert killed_at(fork_server, tmp_path, point) == set()
    assert fork_server.run("write_table", **task(tmp_path)) == 0
    assert batches_of(current_rows(tmp_path)) == dict.fromkeys(range(BATCHES), ROWS)


@pytest.mark.parametrize("point", [point for point in POINTS if not point.startswith("create")])
def test_a_table_survives_being_killed_again_and_again(tmp_path, fork_server, point):
    for _ in range(2):
        first = len(acknowledged(tmp_path / "acknowledged"))
        environment = {"GROUNDSWELL_FAULT": f"{point}:2"}
        status = fork_server.run("write_table", environment=environment, **task(tmp_path, first=first, last=first + 5))
        assert status == -signal.SIGKILL
    rows = current_rows(tmp_path)
    done = acknowledged(tmp_path / "acknowledged")
    assert set(batches_of(rows).values()) == {ROWS}
    assert done <= set(batches_of(rows))
    check_history(tmp_path, rows)
