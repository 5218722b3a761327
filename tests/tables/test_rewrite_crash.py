"""Deletes, purges, restores and vacuums that are killed at every point, or race with each other and with inserts."""

import os
import signal
from pathlib import Path

import pytest
from deltalake import DeltaTable

import groundswell as gs
from groundswell._faults import REWRITE_POINTS
from groundswell.catalog import Catalog
from groundswell.engines import DuckDB
from groundswell.tables import Table, check_table
from groundswell.tables._table import stored_definition

SECRET = "Zq9-secret-person"


def open_table(folder: Path) -> tuple[Table, Catalog]:
    catalog = Catalog.open(f"sqlite:///{folder / 'catalog.db'}")
    (entry,) = catalog.find("feature_group", name="events")
    definition = stored_definition(folder / "events")
    engine = DuckDB(threads=1)
    table = Table(
        table_id=entry.id,
        folder=folder / "events",
        definition=definition,
        catalog=catalog,
        engine=engine,
        author="me@here",
    )
    return table, catalog


def keys(table: Table, version: int | None = None, *, remainder: bool = False) -> list[str]:
    reader = DuckDB(threads=1).folded(table.snapshot(version, remainder=remainder))
    return [row["k"] for row in reader.read_all().to_pylist()]


def holds_secret(folder: Path) -> bool:
    return any(SECRET.encode() in path.read_bytes() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("point", REWRITE_POINTS)
def test_whoever_is_killed_on_the_way_the_same_calls_finish(tmp_path, fork_server, point):
    arguments = {"folder": str(tmp_path), "acknowledged": str(tmp_path / "acknowledged")}
    status = fork_server.run("rewrite_table", environment={"GROUNDSWELL_FAULT": point}, first=0, **arguments)
    assert status == -signal.SIGKILL, "the point was not passed"
    done = len((tmp_path / "acknowledged").read_text().split())
    table, catalog = open_table(tmp_path)
    keys(table)
    assert set(keys(table, 1, remainder=True)) >= {"x", "y"}, "what is pinned can be read"
    assert {Path(uri).name for uri in DeltaTable(table.folder).file_uris()} == {
        Path(file.path).name for file in table.snapshot().files
    }
    findings = list(check_table(table, catalog))
    assert not [f for f in findings if f.severity == "error"], findings
    for finding in findings:
        if finding.repair is not None:
            finding.repair()
    catalog.close()
    assert fork_server.run("rewrite_table", first=done, **arguments) == 0
    table, catalog = open_table(tmp_path)
    assert keys(table) == ["y", "w"]
    assert keys(table, 1, remainder=True) == ["x", "y"]
    assert table.leftovers() == []
    if point in ("delete:files-synced", "delete:before-commit"):  # its staged rows may be those of a live insert
        assert [c.detail["uncommitted"] for c in table.history() if c.kind == "purge"] == [1]
        for path in table.folder.glob("*.parquet"):
            os.utime(path, (1, 1))
        table.vacuum(last=1_000)
    assert not holds_secret(table.folder)
    (pin,) = table.pins.all()
    assert list(pin.erased.values()) == [1]
    catalog.close()


def test_four_writers_that_insert_delete_compact_and_restore_lose_nothing(tmp_path, fork_server):
    fork_server.run("race_table", folder=str(tmp_path), writer=9, n_rounds=1)  # makes the table
    workers = [fork_server.start("race_table", folder=str(tmp_path), writer=w, n_rounds=5) for w in range(4)]
    assert [fork_server.wait(worker) for worker in workers] == [0, 0, 0, 0]
    table, catalog = open_table(tmp_path)
    states: dict[int, frozenset[str]] = {}
    kinds = []
    for commit in reversed(table.history()):
        now = states.get(commit.version - 1, frozenset())
        kinds.append(commit.kind)
        match commit.kind:
            case "insert":
                now |= set(commit.detail["keys"])
            case "delete":
                assert set(commit.detail["keys"]) & now == (set(commit.detail["keys"]) if commit.deleted else set())
                now -= set(commit.detail["keys"])
            case "restore":
                now = states[commit.detail["restored"]]
        states[commit.version] = now
    assert kinds.count("insert") == 21
    assert {"delete", "restore", "compaction"} <= set(kinds)
    found = keys(table)
    assert len(found) == len(set(found))
    assert set(found) == states[table.version()]
    middle = table.version() // 2
    assert set(keys(table, middle)) == states[middle]
    assert sum(commit.new - commit.deleted for commit in table.history()) == len(found)
    catalog.close()


def test_a_vacuum_beside_those_who_split_never_breaks_a_pin(tmp_path, fork_server):
    folder = str(tmp_path / "project")
    assert fork_server.run("create_group", folder=folder, with_schema=True) == 0
    assert fork_server.run("churn_group", folder=folder, n_rounds=1) == 0
    with gs.open(folder, threads=1) as project:
        project.create_feature_view("view", project.get_feature_group("events").select("k", "v"), labels=["v"])
    workers = [
        fork_server.start("churn_group", folder=folder, n_rounds=5),
        fork_server.start("split_view", folder=folder, n_splits=4),
        fork_server.start("split_view", folder=folder, n_splits=4),
    ]
    assert [fork_server.wait(worker) for worker in workers] == [0, 0, 0]
    with gs.open(folder, threads=1) as project:
        assert len(project.get_feature_group("events").table.pins.all()) == 8
        for version in range(1, 9):
            for part in project.get_training_data("view", version).values():
                assert len(part.to_arrow()) == len(part)
