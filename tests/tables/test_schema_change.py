"""Changes of the schema as commits: what any version reads, what other tools see, who loses a race."""

import signal
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path

import deltalake
import duckdb
import polars as pl
import pyarrow as pa
import pytest
from deltalake import DeltaTable

import groundswell as gs
from groundswell._faults import SCHEMA_POINTS
from groundswell.catalog import Catalog
from groundswell.engines import DuckDB
from groundswell.errors import ColumnNotFoundError, ConflictError, GroundswellError, NotFoundError, SchemaError
from groundswell.tables import Table, append_features, stored_definition, widen
from groundswell.types import DURATION, TIME, TIMESTAMP

AT = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "project"


@pytest.fixture
def project(folder):
    with gs.open(folder) as project:
        yield project


@pytest.fixture
def group(project):
    group = project.create_feature_group(
        "g", primary_key=["k"], event_time="t", schema={"k": pa.int32(), "t": TIMESTAMP, "v": pa.float32()}
    )
    group.insert(rows((1, 0.5), (2, None)))
    group.insert(rows((1, 1.5)))
    return group


def rows(*pairs, **more):
    return [{"k": k, "t": AT, "v": v, **more} for k, v in pairs]


def values(data, *names):
    return [tuple(row[name] for name in names) for row in data.to_arrow().to_pylist()]


def files(folder: Path) -> dict[str, bytes]:
    return {str(p): p.read_bytes() for p in folder.rglob("*") if p.is_file() and "catalog" not in p.name}


DEFAULTS = {
    "flag": (pa.bool_(), True), "n": (pa.uint64(), 2**64 - 1), "h": (pa.float16(), -0.5), "f": (pa.float32(), 0.5),
    "x": (pa.float64(), float("-inf")), "s": (pa.string(), "it's \"that\" \\ 🐟"), "empty": (pa.string(), ""),
    "raw": (pa.binary(), b"\x00'\\\xff"), "money": (pa.decimal128(38, 2), Decimal("-12345678901234567890123456789.12")),
    "day": (pa.date32(), date(1, 1, 1)), "at": (TIMESTAMP, AT + timedelta(microseconds=1)), "noon": (TIME, time(12)),
    "long": (DURATION, timedelta(days=-1, microseconds=1)), "none": (pa.list_(pa.int8()), None),
}  # fmt: skip


def test_every_default_is_read_where_files_lack_the_column(group):
    types = {name: kind for name, (kind, _) in DEFAULTS.items()}
    default = {name: value for name, (kind, value) in DEFAULTS.items()}
    exact = pa.table({name: pa.array([value], kind) for name, (kind, value) in DEFAULTS.items()}).to_pylist()[0]
    group.append_features(types, default=default)
    group.insert(rows((3, 2.5), **dict.fromkeys(types)))
    for _ in range(2):
        read = group.read(list(types)).to_arrow().to_pylist()
        assert read == [exact, exact, dict.fromkeys(types)]
        for name in ("n", "s", "raw", "money", "at", "noon", "long", "day", "flag"):
            assert values(group.read(["k"], where=gs.col(name) == default[name]), "k") == [(2,), (1,)], name
            assert values(group.read(["k"], where=gs.col(name).is_null()), "k") == [(3,)]
        group.compact()
    seen = pl.read_delta(str(group.table.folder)).sort("k")
    assert seen["s"].to_list() == [default["s"]] * 2 + [None]


def test_earlier_versions_keep_their_schema(group):
    before = group.read().to_arrow()
    group.append_features({"h": pa.int64()}, default={"h": 7})
    group.widen("v", pa.float64())
    group.widen("k", pa.int64())
    assert group.schema.to_arrow().types == [pa.int64(), TIMESTAMP, pa.float64(), pa.int64()]
    assert group.schema_version == 4
    assert group.read(as_of=2).to_arrow().equals(before)
    assert group.read(as_of=3).to_arrow().schema.names == ["k", "t", "v", "h"]
    assert values(group.read(), "k", "v", "h") == [(2, None, 7), (1, 1.5, 7)]
    with pytest.raises(ColumnNotFoundError, match="'h'"):
        group.read(["h"], as_of=2)
    assert [commit.kind for commit in group.table.history()][:3] == ["schema"] * 3
    assert group.restore(2).kind == "restore"
    assert values(group.read(), "k", "v", "h") == [(2, None, 7), (1, 1.5, 7)]
    assert group.schema_version == 4


def test_rows_keep_their_commit_and_order_when_a_type_is_widened(group):
    group.widen("v", pa.float64())
    raw = pl.read_delta(str(group.table.folder)).sort("k")
    assert raw.select("k", "__gs_version", "__gs_position").rows() == [(1, 2, 0), (2, 1, 1)]
    assert values(group.read(), "k") == [(2,), (1,)]
    group.insert(rows((2, 1e300)))
    assert values(group.read(), "k", "v") == [(1, 1.5), (2, 1e300)]


def test_types_that_lie_alike_rewrite_nothing(project):
    group = project.create_feature_group("u", primary_key=["k"], schema={"k": pa.uint8(), "v": pa.float16()})
    group.insert({"k": [255], "v": [0.5]})
    before = set(Path(group.table.folder).glob("*.parquet"))
    group.widen("k", pa.int16())
    group.widen("v", pa.float32())
    assert set(Path(group.table.folder).glob("*.parquet")) == before
    assert group.read().to_arrow().to_pylist() == [{"k": 255, "v": 0.5}]
    group.insert({"k": [-1], "v": [0.1]}) if False else None


def test_other_tools_open_the_table_after_every_change(group):
    def seen():
        names = DeltaTable(group.table.folder).file_uris()
        by_duckdb = duckdb.sql(f"SELECT k, v FROM read_parquet({names}, union_by_name=true)").fetchall()
        assert sorted(map(repr, by_duckdb)) == sorted(
            map(repr, pl.read_delta(str(group.table.folder))[["k", "v"]].rows())
        )
        return {f.name: str(f.type) for f in deltalake.DeltaTable(group.table.folder).schema().fields}

    group.append_features({"h": pa.uint32()}, default={"h": 1})
    assert seen()["h"] == 'PrimitiveType("long")'
    group.widen("v", pa.float64())
    assert seen()["v"] == 'PrimitiveType("double")'
    group.append_features({"must": pa.field("must", pa.int8(), nullable=False)}, default={"must": 5})
    seen()
    assert pl.read_delta(str(group.table.folder))["must"].to_list() == [5, 5]
    group.make_nullable("must")
    seen()
    group.insert(rows((4, 1.0), h=None, must=None))
    assert "must" in seen()
    deltalake.write_deltalake(group.table.folder, pl.read_delta(str(group.table.folder)).to_arrow(), mode="append")
    assert len(group.read()) == 3


def test_another_handle_reads_and_writes_by_the_new_schema(folder, group):
    with gs.open(folder) as other:
        old = other.get_feature_group("g")
        group.append_features({"h": pa.int64()}, default={"h": 7})
        assert values(old.read(), "k", "h") == [(2, 7), (1, 7)]
        with pytest.raises(ColumnNotFoundError, match="'h'"):
            old.insert(rows((3, 1.0)))
        old.insert(rows((3, 1.0), h=9))
        assert values(group.read(), "k", "h") == [(2, 7), (1, 7), (3, 9)]
        group.widen("v", pa.float64())
        old.insert(rows((4, 1e300), h=9))
        assert values(group.read(where=gs.col("k") == 4), "v") == [(1e300,)]
        assert old.schema == group.schema


def test_rows_checked_against_an_older_schema_are_not_committed(folder, group):
    with gs.open(folder) as other:
        table = other.get_feature_group("g").table
        staged = table.stage(rows((3, 1.0)))
        group.append_features({"h": pa.int64()})
        before = set(Path(table.folder).glob("*.parquet")) - set(map(Path, staged.paths))
        with pytest.raises(ConflictError, match="Run the same call again"):
            table.commit(staged)
        assert set(Path(table.folder).glob("*.parquet")) == before
        table.commit(table.stage(rows((3, 1.0), h=5)))
    assert len(group.read()) == 3


def test_of_two_changes_that_race_both_are_made(folder, group):
    with gs.open(folder) as other:
        rival = other.get_feature_group("g")

        def change(definition, tried=[]):  # noqa: B006  # remembers across calls
            if not tried:
                tried.append(rival.append_features({"a": pa.int8()}, default={"a": 1}))
            return widen(definition, "v", pa.float64())

        assert group.table.change_schema(change) is not None
        assert group.schema.names == ["k", "t", "v", "a"]
        assert values(group.read(), "v", "a") == [(None, 1), (1.5, 1)]
        raced = partial(append_features, features={"a": pa.int8()}, default={})
        with pytest.raises(SchemaError, match="'a' is there twice"):
            group.table.change_schema(raced)
    assert not list(Path(group.table.folder).rglob("*.draft"))
    with gs.open(folder) as other:
        assert [finding.what for finding in other.doctor(repair=True).findings if "says that it is" in finding.what]
        assert other.doctor(deep=True).ok


@pytest.mark.parametrize(
    "change",
    [
        lambda g: g.widen("v", pa.float16()), lambda g: g.widen("v", pa.null()), lambda g: g.widen("vv", pa.float64()),
        lambda g: g.widen("t", pa.date32()), lambda g: g.make_nullable("k"),
        lambda g: g.append_features({"v": pa.int8()}), lambda g: g.append_features({"x": pa.null()}),
        lambda g: g.append_features({"x": pa.int8()}, default={"x": 300}),
        lambda g: g.append_features({"__gs_version": pa.int64()}), lambda g: g.append_features({}),
    ],
)  # fmt: skip
def test_what_cannot_be_changed_leaves_every_file_as_it_was(group, folder, change):
    before = files(folder)
    with pytest.raises(GroundswellError) as caught:
        change(group)
    assert caught.value.fix
    assert files(folder) == before
    assert group.widen("v", pa.float32()) is None
    assert group.make_nullable("v") is None
    assert files(folder) == before


def test_a_group_without_columns_has_no_schema_to_change(project):
    empty = project.create_feature_group("empty", primary_key=["k"])
    with pytest.raises(NotFoundError, match="no columns yet"):
        empty.append_features({"x": pa.int8()})


def test_an_empty_table_changes_too(project):
    group = project.create_feature_group("e", primary_key=["k"], schema={"k": pa.int32()})
    group.append_features({"x": pa.field("x", pa.int8(), nullable=False)}, default={"x": 1})
    group.widen("k", pa.int64())
    assert group.read().to_arrow().schema.types == [pa.int64(), pa.int8()]
    group.insert({"k": [2**40], "x": [5]})
    assert group.read().to_arrow().to_pylist() == [{"k": 2**40, "x": 5}]


def test_pinned_training_data_reads_the_same_bytes(project, group):
    view = project.create_feature_view("view", group.select("k", "v"), labels=["v"])
    data = view.training_data()
    before = data.to_arrow()
    group.append_features({"h": pa.int64()}, default={"h": 7})
    group.widen("v", pa.float64())
    group.widen("k", pa.int64())
    again = project.get_training_data("view", data.version) if hasattr(project, "get_training_data") else data
    again = again["all"] if isinstance(again, dict) else again
    assert again.to_arrow().equals(before)
    assert view.training_data().to_arrow()["v"].to_pylist() == before["v"].to_pylist()


@pytest.mark.parametrize("fault", SCHEMA_POINTS)
def test_a_process_killed_in_a_change_leaves_all_of_it_or_nothing(fork_server, tmp_path, fault):
    folder = tmp_path / "bare"
    folder.mkdir()
    arguments = {"folder": str(folder)}
    assert fork_server.run("widen_table", environment={"GROUNDSWELL_FAULT": fault}, **arguments) == -signal.SIGKILL
    catalog = Catalog.open(f"sqlite:///{folder / 'catalog.db'}")
    (entry,) = catalog.find("feature_group", name="events")
    stored = stored_definition(folder / "events")
    table = Table(
        table_id=entry.id,
        folder=folder / "events",
        definition=stored,
        catalog=catalog,
        engine=DuckDB(),
        author="me@here",
    )
    snapshot = table.snapshot()
    changed = fault != "schema:files-synced"
    assert snapshot.definition == stored
    assert (snapshot.version, stored.schema_version) == ((2, 2) if changed else (1, 1))
    assert DuckDB().folded(snapshot).read_all()["v"].to_pylist() == [0] * 21
    assert table.snapshot(1).definition.schema_version == 1


def test_opening_brings_the_catalogs_copy_up_to_date(folder, group):
    group.table.change_schema(partial(append_features, features={"h": pa.int64()}, default={"h": 7}))
    with gs.open(folder) as other:
        entry = other.catalog.get("feature_group", "g") if hasattr(other, "catalog") else None
        again = other.get_feature_group("g")
        assert again.schema.names == ["k", "t", "v", "h"]
        assert again.describe()["schema"][-1]["name"] == "h"
        del entry
