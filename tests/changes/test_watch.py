import shutil
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from groundswell.catalog import Catalog
from groundswell.changes import Filter, read_events
from groundswell.changes._watch import Watch
from groundswell.tables import Table
from groundswell.tables._log import log_path
from groundswell.types import TIMESTAMP

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def rows(value: int) -> pa.Table:
    return pa.table({"k": ["a"], "t": pa.array([NOON], TIMESTAMP), "v": [value]})


def append_from_outside(table: Table, value: int) -> None:
    write_deltalake(table.folder, rows(value), mode="append", schema_mode="merge")


@pytest.fixture
def watch(catalog: Catalog, table: Table, monkeypatch: pytest.MonkeyPatch) -> Watch:
    monkeypatch.setattr("groundswell.changes._watch._GROUPS_S", 0.0)
    return Watch(catalog, lambda _: table)


def told(catalog: Catalog) -> list[tuple[str, int]]:
    return [(event.verb, event.detail["commit"]) for event in catalog.events.after(0)]


def test_commits_of_other_tools_become_events(catalog: Catalog, table: Table, watch: Watch) -> None:
    assert watch.look() == 1
    table.commit(table.stage(rows(1)))
    append_from_outside(table, 2)
    DeltaTable(table.folder).delete("v = 1")
    assert watch.look() == 4
    assert told(catalog) == [("defined", 0), ("inserted", 1), ("committed", 2), ("committed", 3)]
    foreign = catalog.events.after(2)
    assert [(event.by, event.detail["kind"]) for event in foreign] == [("", "foreign write"), ("", "foreign delete")]
    assert foreign[1].detail["deleted"] == 1
    assert watch.look() == 4


def test_a_commit_whose_writer_was_killed_becomes_an_event(catalog: Catalog, table: Table, watch: Watch) -> None:
    watch.look()
    table.commit(table.stage(rows(1)))
    path = log_path(table.folder, 1)
    path.with_name("saved").write_bytes(path.read_bytes())
    shutil.copy(path, log_path(table.folder, 2))  # as if it were in the log, and nobody had indexed it
    assert watch.look() == 3
    assert told(catalog)[-1] == ("inserted", 2)


def test_a_table_put_back_is_told_of(catalog: Catalog, table: Table, watch: Watch, tmp_path: Path) -> None:
    table.commit(table.stage(rows(1)))
    shutil.copytree(table.folder, tmp_path / "copy")
    table.commit(table.stage(rows(2)))
    watch.look()
    shutil.rmtree(table.folder)
    shutil.copytree(tmp_path / "copy", table.folder)
    watch.look()
    append_from_outside(table, 3)
    watch.look()
    assert told(catalog) == [("defined", 0), ("inserted", 1), ("inserted", 2), ("rewound", 1), ("committed", 2)]


def test_a_damaged_log_holds_up_nobody_else(catalog: Catalog, table: Table, watch: Watch) -> None:
    watch.look()
    log_path(table.folder, 1).write_text("no JSON")
    catalog.log("created", catalog.add("run", "r", {}))
    assert watch.look() == 2
    assert watch.look() == 2


def test_groups_that_are_gone_are_forgotten(catalog: Catalog, table: Table, watch: Watch) -> None:
    watch.look()
    catalog.remove(catalog.get("feature_group", "events"))
    append_from_outside(table, 2)
    assert watch.look() == 1


def test_events_are_read_from_any_position_in_pages(
    catalog: Catalog, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("groundswell.changes._reading._PAGE", 2)
    for value in range(4):
        append_from_outside(table, value)

    def read(after: int = 0, wanted: Filter | None = None) -> list[int]:
        return [e.sequence for e in read_events(catalog, lambda _: table, after=after, wanted=wanted)]

    assert read() == [1, 2, 3, 4, 5]
    assert read(after=3) == [4, 5]
    assert read(after=9) == []
    assert read(wanted=Filter(verbs=["defined"])) == [1]
