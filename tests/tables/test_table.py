"""Tables: the guards that make the log the truth, versions, compaction, and other tools on the same files."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import deltalake
import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

import groundswell as gs
from groundswell.errors import CorruptionError, NotFoundError

HOUR = timedelta(hours=1)
START = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.fixture
def project(tmp_path):
    with gs.open(tmp_path / "project") as project:
        yield project


@pytest.fixture
def group(project):
    return project.create_feature_group("g", primary_key=["k"], event_time="t")


def rows(*triples):
    return [{"k": k, "t": START + h * HOUR, "v": v} for k, h, v in triples]


def values(data):
    return [(r["k"], (r["t"] - START) // HOUR, r["v"]) for r in data.to_arrow().to_pylist()]


def log(group):
    folder = Path(group.table.folder) / "_delta_log"
    return [[json.loads(line) for line in p.read_text().splitlines()] for p in sorted(folder.glob("*.json"))]


def test_the_guards_stand_in_every_table(group):
    group.insert(rows(("a", 0, 1)))
    properties = DeltaTable(group.table.folder).metadata().configuration
    assert properties["delta.logRetentionDuration"] == "interval 36500 days"
    assert properties["delta.enableChangeDataFeed"] == "true"
    create, insert = log(group)
    assert any("txn" in action for action in create)
    assert any("txn" in action for action in insert)
    note = json.loads(next(a["commitInfo"] for a in insert if "commitInfo" in a)["groundswell"])
    assert (note["kind"], note["rows"], note["new"], note["replaced"]) == ("insert", 1, 1, 0)
    assert note["author"]
    assert note["groundswell"]


def test_keys_leave_no_trace_in_statistics(group):
    group.insert(rows(("secret", 0, 1)))
    assert "secret" not in json.dumps(log(group))
    (file,) = Path(group.table.folder).glob("*.parquet")
    columns = pq.read_metadata(file).row_group(0)
    statistics = {columns.column(i).path_in_schema: columns.column(i).statistics for i in range(columns.num_columns)}
    assert statistics["k"] is None or not statistics["k"].has_min_max
    assert statistics["v"].max == 1


def test_other_tools_open_the_table_without_us(group):
    group.insert(rows(("a", 0, 1), ("b", 1, 2)))
    folder = str(group.table.folder)
    assert pl.read_delta(folder).sort("k")["v"].to_list() == [1, 2]
    files = DeltaTable(folder).file_uris()
    assert duckdb.sql(f"SELECT sum(v) FROM read_parquet({files})").fetchall() == [(3,)]
    assert pq.read_table(files[0]).to_pandas()["v"].tolist() == [1, 2]


def test_history_says_how_many_rows_were_new_and_replaced(group):
    group.insert(rows(("a", 0, 1), ("b", 0, 1), ("a", 0, 2)))
    group.insert(rows(("a", 0, 3), ("c", 0, 1)))
    second, first, create = group.history()
    assert (first.rows, first.new, first.replaced) == (2, 2, 0)
    assert (second.rows, second.new, second.replaced) == (2, 1, 1)
    assert (create.kind, create.rows) == ("create", 0)
    assert values(group.read()) == [("b", 0, 1), ("a", 0, 3), ("c", 0, 1)]


def test_reading_as_of_a_version_and_of_a_time(group):
    first = group.insert(rows(("a", 0, 1)))
    second = group.insert(rows(("a", 0, 2)))
    assert values(group.read(as_of=first.version)) == [("a", 0, 1)]
    assert values(group.read(as_of=first.committed_at)) == [("a", 0, 1)]
    assert values(group.read(as_of=second.committed_at)) == [("a", 0, 2)]
    assert values(group.read(as_of=0)) == []
    with pytest.raises(NotFoundError, match=r"no version 9.*0 to 2"):
        group.read(as_of=9)
    with pytest.raises(NotFoundError, match="first commit"):
        group.read(as_of="2001-01-01")


def test_compaction_changes_no_row_no_order_and_no_provenance(group):
    for i in range(5):
        group.insert(rows(("a", 0, i), (f"k{i}", i, i)))
    before, version = values(group.read()), group.table.version()
    assert len(group.snapshot().files) == 5
    commit = group.compact()
    assert (commit.kind, commit.rows) == ("compaction", 6)
    assert len(group.snapshot().files) == 1
    assert group.snapshot().clean
    assert values(group.read()) == before
    assert values(group.read(as_of=version)) == before
    assert values(group.read(as_of=1)) == [("a", 0, 0), ("k0", 0, 0)]
    origin = pq.read_table(group.snapshot().files[0].path, columns=["k", "__gs_version"]).to_pylist()
    assert {r["k"]: r["__gs_version"] for r in origin} == {"a": 5, **{f"k{i}": i + 1 for i in range(5)}}
    assert group.compact() is None
    group.insert(rows(("a", 0, 99)))
    assert {k: v for k, _, v in values(group.read())}["a"] == 99


def test_rows_that_come_while_it_compacts_are_there_afterwards(group):
    group.insert(rows(*((f"k{i}", 0, i) for i in range(50))))
    with ThreadPoolExecutor(2) as pool:
        inserts = pool.submit(lambda: [group.insert(rows(("a", h, h))) for h in range(10)])
        compactions = pool.submit(lambda: [group.compact() for _ in range(5)])
        inserts.result()
        compactions.result()
    assert {v for k, _, v in values(group.read()) if k == "a"} == set(range(10))
    assert len(values(group.read())) == 60


def test_threads_may_insert_into_one_group_object(group):
    group.insert(rows(("first", 0, 0)))
    with ThreadPoolExecutor(4) as pool:
        commits = list(pool.map(lambda i: group.insert(rows((f"k{i % 5}", 0, i))), range(20)))
    assert sorted(c.version for c in commits) == list(range(2, 22))
    assert sum(c.new for c in commits) == 5
    assert sum(c.replaced for c in commits) == 15
    assert len(values(group.read())) == 6


def test_an_insert_of_no_rows_is_a_commit_with_its_provenance(project):
    group = project.create_feature_group(
        "g", primary_key=["k"], schema={"k": pa.string(), "v": pa.int64()}, description="no time"
    )
    commit = group.insert(pa.table({"k": pa.array([], pa.string()), "v": pa.array([], pa.int64())}))
    assert (commit.version, commit.rows, commit.new) == (1, 0, 0)


def test_an_older_copy_of_the_table_put_back_is_indexed_anew(group, tmp_path):
    group.insert(rows(("a", 0, 1)))
    group.insert(rows(("a", 0, 2)))
    for path in (Path(group.table.folder) / "_delta_log").glob("*2.json"):
        path.unlink()
    assert values(group.read()) == [("a", 0, 1)]
    assert len(group.history()) == 2


def test_a_table_whose_folder_is_gone_is_named(project, group):
    group.insert(rows(("a", 0, 1)))
    folder = Path(group.table.folder)
    folder.rename(folder.with_name("elsewhere"))
    with pytest.raises(CorruptionError, match="'g' has no commit log"):
        group.read()
    with pytest.raises(CorruptionError, match="'g'"):
        group.insert(rows(("a", 0, 2)))
    assert not list(folder.glob("*.parquet"))


def test_a_commit_of_another_tool_is_marked_and_never_taken_as_distinct(group):
    group.insert(rows(("a", 0, 1)))
    own = pq.read_table(DeltaTable(group.table.folder).file_uris()[0])
    deltalake.write_deltalake(group.table.folder, own.set_column(2, "v", pa.array([7])), mode="append")
    foreign = group.history()[0]
    assert (foreign.author, foreign.kind, foreign.new, foreign.replaced) == ("", "foreign write", None, None)
    assert not group.snapshot().clean
    assert values(group.read()) == [("a", 0, 7)]
