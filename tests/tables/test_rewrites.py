"""Rows deleted by key, purged and restored: which rows there are then, in which order, and what the history says."""

import os
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from groundswell.catalog import Catalog
from groundswell.engines import DuckDB, Scan
from groundswell.errors import ColumnNotFoundError, DataError, ErasedError, NotFoundError, SchemaError
from groundswell.tables import Definition, Table
from groundswell.types import Schema

HOUR = timedelta(hours=1)
START = datetime(2024, 1, 1, tzinfo=UTC)


class Group:
    """A bare table with the verbs of a group."""

    def __init__(self, folder, catalog, name="g", key=("k",), event_time="t", schema=None):
        entry = catalog.add("feature_group", name, {})
        fields = schema or {"k": pa.string(), "t": pa.timestamp("us", "UTC"), "v": pa.int64()}
        self.engine = DuckDB(threads=1)
        self.table = Table(
            table_id=entry.id,
            folder=folder / name,
            definition=Definition.of(name, list(key), event_time, None, Schema.of(fields)),
            catalog=catalog,
            engine=self.engine,
            author="me@here",
        )
        self.table.folder.mkdir()
        self.table.create()
        self.compact, self.history = self.table.compact, self.table.history

    def insert(self, data):
        return self.table.commit(self.table.stage(data))

    def snapshot(self, version=None, **kwargs):
        return self.table.snapshot(version, **kwargs)

    def read(self, as_of=None, **kwargs):
        snapshot = self.table.snapshot(as_of, **kwargs)
        return self.engine.scan(Scan(snapshot=snapshot, columns=tuple(snapshot.definition.schema.names))).read_all()


@pytest.fixture
def catalog(tmp_path):
    with Catalog.create(f"sqlite:///{tmp_path / 'catalog.db'}") as catalog:
        yield catalog


@pytest.fixture
def group(tmp_path, catalog):
    return Group(tmp_path, catalog)


@pytest.fixture
def table(group):
    group.insert(rows(("a", 0, 1), ("b", 0, 2), ("a", 1, 3)))
    group.insert(rows(("a", 0, 10), ("c", 0, 4)))
    return group.table


def rows(*triples):
    return [{"k": k, "t": START + h * HOUR, "v": v} for k, h, v in triples]


def values(data):
    return [(r["k"], (r["t"] - START) // HOUR, r["v"]) for r in data.to_pylist()]


def test_deleting_a_key_takes_all_its_rows_and_says_how_many(group, table):
    commit = table.delete_rows({"k": "a"})
    assert (commit.kind, commit.rows, commit.deleted, commit.detail["superseded"]) == ("delete", 0, 2, 1)
    assert values(group.read()) == [("b", 0, 2), ("c", 0, 4)]
    assert values(group.read(as_of=2)) == [("b", 0, 2), ("a", 1, 3), ("a", 0, 10), ("c", 0, 4)]
    assert "superseded" not in str(commit.detail.get("places"))


def test_deleting_one_row_leaves_the_others_of_its_key(group, table):
    commit = table.delete_rows({"k": ["a"], "t": [START]})
    assert (commit.deleted, commit.detail["superseded"]) == (1, 1)
    assert values(group.read()) == [("b", 0, 2), ("a", 1, 3), ("c", 0, 4)]


def test_a_delete_that_finds_nothing_is_a_commit_that_says_so(group, table):
    before = group.snapshot()
    commit = table.delete_rows([{"k": "nobody"}, {"k": "nobody"}])
    assert (commit.deleted, commit.version) == (0, before.version + 1)
    assert group.snapshot().files == before.files


def test_a_row_that_stays_keeps_its_place_so_that_a_correction_still_counts(group, table):
    table.delete_rows({"k": "b"})
    assert values(group.read()) == [("a", 1, 3), ("a", 0, 10), ("c", 0, 4)]
    first = group.snapshot().files[0]
    moved = pq.read_table(first.path, columns=["k", "v", "__gs_version", "__gs_position"]).to_pylist()
    assert [(r["v"], r["__gs_version"], r["__gs_position"]) for r in moved] == [(1, 1, 0), (3, 1, 2)]
    group.compact()
    assert values(group.read()) == [("a", 1, 3), ("a", 0, 10), ("c", 0, 4)]


@pytest.mark.parametrize(
    ("keys", "error", "match"),
    [
        ({"k": ["a"], "v": [1]}, SchemaError, "is a feature"),
        ({"t": [START]}, ColumnNotFoundError, "primary key 'k'"),
        ({"k": [None]}, DataError, "null"),
        ({"k": []}, DataError, "No key"),
        ({"k": ["a"], "x": [1]}, ColumnNotFoundError, "'x'"),
    ],
)
def test_what_is_no_key_is_refused_and_nothing_is_written(table, keys, error, match):
    version = table.version()
    with pytest.raises(error, match=match):
        table.delete_rows(keys)
    assert table.version() == version


def test_restoring_a_version_gives_its_rows_in_its_order(group, table):
    before = values(group.read(as_of=1))
    group.compact()
    table.delete_rows({"k": "a"})
    group.insert(rows(("z", 0, 9)))
    commit = table.restore(1)
    assert (commit.kind, commit.detail["restored"], commit.new, commit.deleted) == ("restore", 1, 2, 2)
    assert values(group.read()) == before == [("a", 0, 1), ("b", 0, 2), ("a", 1, 3)]
    group.insert(rows(("a", 0, 77)))
    assert values(group.read()) == [("b", 0, 2), ("a", 1, 3), ("a", 0, 77)]
    table.restore(2)
    assert values(group.read()) == [("b", 0, 2), ("a", 1, 3), ("a", 0, 10), ("c", 0, 4)]
    with pytest.raises(NotFoundError, match="'g' has no version 99"):
        table.restore(99)


def test_the_sums_of_the_history_are_the_rows_that_there_are(group):
    rng, model = random.Random(5), {}
    versions = {}
    for step in range(40):
        keys = [(f"k{rng.randrange(12)}", rng.randrange(3)) for _ in range(rng.randrange(1, 6))]
        action = rng.choice(["insert", "insert", "delete", "compact", "restore"]) if step else "insert"
        if action == "insert":
            group.insert(rows(*((k, h, step) for k, h in keys)))
            for key in keys:
                model.pop(key, None)
            model |= dict.fromkeys(dict.fromkeys(keys), step)
        elif action == "delete":
            group.table.delete_rows([{"k": k} for k, _ in keys])
            gone = {k for k, _ in keys}
            model = {key: v for key, v in model.items() if key[0] not in gone}
        elif action == "compact":
            group.compact()
        else:
            version = rng.choice(sorted(versions))
            group.table.restore(version)
            model = dict(versions[version])
        versions[group.table.version()] = dict(model)
        assert {(k, h): v for k, h, v in values(group.read())} == model
        assert sum(c.new - c.deleted for c in group.history()) == len(model)
    for version, expected in versions.items():
        assert {(k, h): v for k, h, v in values(group.read(as_of=version))} == expected


def bytes_below(folder):
    return b"".join(path.read_bytes() for path in sorted(Path(folder).rglob("*")) if path.is_file())


def decoded(folder):
    tables = [pq.ParquetFile(path).read() for path in Path(folder).rglob("*.parquet") if "_delta_log" not in str(path)]
    return str([table.to_pylist() for table in tables])


SECRET = "Zq9-secret-person"


def test_after_a_purge_no_file_holds_a_byte_of_the_rows(group):
    group.insert(rows((SECRET, 0, 123456789123), ("b", 0, 2)))
    group.insert(rows((SECRET, 0, 5), (SECRET, 1, 6), ("c", 0, 4)))
    group.insert(rows((SECRET, 2, 7)))
    group.compact()
    group.insert(rows((SECRET, 3, 8), ("d", 0, 1)))
    folder = group.table.folder
    assert SECRET.encode() in bytes_below(folder)
    commit = group.table.purge({"k": SECRET})
    assert (commit.kind, commit.deleted, commit.detail["superseded"]) == ("purge", 4, 0)
    assert commit.detail["purged"] == 1 + 2 + 1 + 3 + 1
    assert SECRET.encode() not in bytes_below(folder)
    assert SECRET not in decoded(folder)
    assert "123456789123" not in decoded(folder)
    assert values(group.read()) == [("b", 0, 2), ("c", 0, 4), ("d", 0, 1)]
    with pytest.raises(ErasedError, match=rf"Version 2 of group 'g'.*version {commit.version}"):
        group.table.snapshot(2)
    assert sum(f.rows for f in group.table.snapshot(2, remainder=True).files) == 2
    again = group.table.purge({"k": SECRET})
    assert (again.deleted, again.detail["purged"]) == (0, 0)
    second = group.table.purge({"k": "b"})
    assert second.deleted == 1
    assert sum(f.rows for f in group.table.snapshot(2, remainder=True).files) == 1
    group.table.restore(2, remainder=True)
    assert values(group.read()) == [("c", 0, 4)]


def test_a_purge_takes_rows_that_were_deleted_before(group, table):
    table.delete_rows({"k": "a"})
    commit = table.purge({"k": "a"})
    assert (commit.deleted, commit.detail["purged"]) == (0, 3)
    assert values(group.read()) == [("b", 0, 2), ("c", 0, 4)]
    assert "'a'" not in decoded(table.folder)


def test_a_table_without_times_is_deleted_from_and_restored(tmp_path, catalog):
    schema = {"x": pa.int64(), "y": pa.bool_(), "v": pa.float64()}
    group = Group(tmp_path, catalog, "p", ("x", "y"), None, schema)
    group.insert(pa.table({"x": [1, 1, 2], "y": [True, False, True], "v": [1.5, None, float("nan")]}))
    group.table.delete_rows({"x": 1, "y": False})
    assert group.read()["x"].to_pylist() == [1, 2]
    group.table.restore(1)
    assert group.read()["v"].to_pylist()[:2] == [1.5, None]


def test_a_purge_an_hour_later_takes_what_a_killed_insert_left(group, table):
    left = group.table.stage(rows((SECRET, 0, 1))).files[0].path
    assert table.purge({"k": SECRET}).detail["uncommitted"] == 1
    assert left.exists()
    os.utime(left, (0, 0))
    assert table.purge({"k": SECRET}).detail["uncommitted"] == 0
    assert not left.exists()
