"""The change feed: what each commit did to the rows, as the log files say it."""

from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from groundswell.catalog import Catalog
from groundswell.engines import DuckDB
from groundswell.errors import CorruptionError
from groundswell.tables import Definition, Table, commit_digest, read_changes
from groundswell.types import Schema


@pytest.fixture
def table(tmp_path):
    catalog = Catalog.create(f"sqlite:///{tmp_path / 'catalog.db'}")
    schema = Schema.of({"k": pa.string(), "v": pa.int64()})
    made = Table(
        table_id=catalog.add("feature_group", "g", {}).id,
        folder=tmp_path / "g",
        definition=Definition.of("g", ["k"], None, None, schema),
        catalog=catalog,
        engine=DuckDB(threads=1),
        author="me@here",
    )
    made.folder.mkdir()
    made.create()
    for value in range(2):
        insert(made, "a", value)
    yield made
    catalog.close()


def insert(table, key, value):
    return table.commit(table.stage(pa.table({"k": [key], "v": [value]})))


def changes(table, after=-1):
    return list(read_changes(table.folder, table.definition, after))


def names(files):
    return {Path(path).name for path in files}


def test_an_insert_appends_the_files_of_the_snapshot(table):
    created, first, second = changes(table)
    assert (created.version, created.added, created.removed) == (0, (), ())
    assert [change.version for change in (first, second)] == [1, 2]
    assert all(change.appends and not change.foreign for change in (created, first, second))
    assert first.added + second.added == table.snapshot().files
    assert [change.version for change in changes(table, 1)] == [2]
    assert changes(table, 2) == []


def test_maintenance_changes_nothing(table):
    table.compact()
    (change,) = changes(table, 2)
    assert (change.version, change.foreign, change.added, change.removed, change.appends) == (3, False, (), (), True)


def test_what_another_tool_writes_is_never_taken_for_an_append(table):
    hidden = pa.nulls(1, pa.int64())
    frame = pa.table({"k": ["b"], "v": [5], "__gs_version": hidden, "__gs_position": hidden})
    write_deltalake(table.folder, frame, mode="append")
    (change,) = changes(table, 2)
    assert change.foreign
    assert not change.appends
    assert [file.version for file in change.added] == [3]
    assert not any(file.distinct for file in change.added)


def test_a_delete_names_what_it_removed_and_added(table):
    before = table.snapshot().files
    DeltaTable(table.folder).delete("v = 1")
    (change,) = changes(table, 2)
    assert not change.appends
    assert names(change.removed) == names([before[1].path])
    assert all(Path(file.path).exists() for file in change.added)


def test_a_commit_of_another_tool_without_files_is_nothing_to_follow(table):
    DeltaTable(table.folder).alter.set_table_properties({"delta.appendOnly": "false"})
    (change,) = changes(table, 2)
    assert change.foreign
    assert change.appends


def test_a_digest_tells_commits_apart(table):
    digests = [commit_digest(table.folder, version) for version in range(3)]
    assert len(set(digests)) == 3
    assert commit_digest(table.folder, 3) is None
    assert commit_digest(table.folder, 1) == digests[1]


def test_a_damaged_entry_is_named_after_those_before_it(table):
    (table.folder / "_delta_log" / f"{2:020d}.json").write_text("nonsense")
    with pytest.raises(CorruptionError, match="damaged"):
        changes(table, 0)
    assert next(read_changes(table.folder, table.definition, 0)).version == 1
