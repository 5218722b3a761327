"""What tables ask of the engine, and scans: on empty tables, many files, several threads, and within a memory limit."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pyarrow as pa
import pytest

from groundswell.engines import AsOfJoin, Bucket, DuckDB, PointInTimeJoin, Rows, Scan
from groundswell.errors import CorruptionError, DataError
from groundswell.expressions import col
from groundswell.tables import HIDDEN
from groundswell.types import TIMESTAMP, Schema

START = datetime(2024, 1, 1, tzinfo=UTC)
HOSTILE = ["a b", "a'b", 'a"b', "a;b--", "a\nb", "", "select", "é🐟", "\\", "%s {x} $1", "file_row_number", "c0"]


def at(minutes: int) -> datetime:
    return START + timedelta(minutes=minutes)


def scan_of(table, *columns: str, where=None) -> Scan:
    return Scan(snapshot=table.snapshot(), columns=columns or tuple(table.definition.schema.names), where=where)


def test_an_empty_table_is_read_counted_folded_and_joined(engine, make_table):
    table = make_table(schema=Schema.of({"k": pa.string(), "t": TIMESTAMP, "v": pa.list_(pa.int8())}), event_time="t")
    scan = scan_of(table)
    assert engine.scan(scan).read_all().num_rows == engine.count(scan) == 0
    assert engine.scan(scan).schema == table.definition.schema.to_arrow()
    assert engine.folded(scan.snapshot).read_all().num_rows == 0
    assert engine.repeated([], table.definition) == 0
    labels = pa.table({"k": ["a"], "at": pa.array([at(0)], TIMESTAMP)})
    asof = AsOfJoin(name="g", scan=scan_of(table, "v"), on=(("k", "k"),), outputs=("v",))
    reader, (report,) = engine.join(PointInTimeJoin(left=Rows(table=labels), time="at", outputs=("k",), joins=(asof,)))
    assert reader.read_all().to_pylist() == [{"k": "a", "v": None}]
    assert (report.rows, report.matched, report.ages_s) == (1, 0, None)
    nobody = PointInTimeJoin(left=Rows(table=labels.slice(0, 0)), time="at", outputs=("k",), joins=(asof,))
    assert engine.join(nobody)[0].read_all().num_rows == 0


def test_rows_of_many_files_come_in_the_order_of_commits(engine, make_table):
    table = make_table(*({"k": [f"{i}-{j}" for j in range(3)], "n": [i] * 3} for i in range(40)))
    scan = scan_of(table, "n")
    assert len(scan.snapshot.files) == 40
    assert engine.scan(scan).read_all()["n"].to_pylist() == [i for i in range(40) for _ in range(3)]


def test_of_one_identity_the_latest_counts_in_its_own_place(engine, make_table, rows_of):
    table = make_table({"k": ["a", "b", "c"], "v": [1, 2, 3]}, {"k": ["b"], "v": [20]}, {"k": ["a"], "v": [None]})
    assert rows_of(engine.scan(scan_of(table))) == [("c", 3), ("b", 20), ("a", None)]
    assert engine.count(scan_of(table)) == 3
    assert engine.count(scan_of(table, where=col("v") > 2)) == 2
    assert rows_of(engine.scan(scan_of(table, "k", where=col("v").is_null()))) == [("a",)]
    assert rows_of(engine.scan(scan_of(table, "k", where=col("v") == 2))) == [], "a replaced row must not come back"


def test_folded_rows_say_where_they_were_written(engine, make_table):
    table = make_table({"k": ["a", "b"], "v": [1, 2]}, {"k": ["b", "c"], "v": [20, 30]})
    folded = engine.folded(table.snapshot()).read_all()
    assert folded.to_pylist() == [
        {"k": "a", "v": 1, "__gs_version": 1, "__gs_position": 0},
        {"k": "b", "v": 20, "__gs_version": 2, "__gs_position": 0},
        {"k": "c", "v": 30, "__gs_version": 2, "__gs_position": 1},
    ]
    assert folded.schema.names[-2:] == HIDDEN.names


def test_repeated_identities_are_counted_and_the_last_row_is_kept(engine, make_table):
    table = make_table({"k": ["z"], "t": [at(9)], "v": [0]}, event_time="t")
    many = [{"k": "a", "t": at(0), "v": i} for i in range(5)] + [
        {"k": "b", "t": at(0), "v": 9},
        {"k": "a", "t": at(1), "v": 8},
    ]
    staged = table.stage(many)
    assert staged.repeated == 4
    kept = pa.Table.from_batches(engine.keep_last(staged.paths, table.definition)).to_pylist()
    assert [row["v"] for row in kept] == [4, 9, 8]
    table.discard(staged)


def test_overlap_counts_identities_that_are_there_whatever_their_time(engine, make_table):
    table = make_table({"k": ["a", "b"], "t": [at(0), at(1)], "v": [1, 2]}, event_time="t")
    staged = table.stage({"k": ["a", "a", "b", "c"], "t": [at(0), at(1), at(1), at(0)], "v": [0, 0, 0, 0]})
    existing = [f.path for f in table.snapshot().files]
    assert engine.overlap(staged.paths, existing, table.definition, None) == 2
    table.discard(staged)


KEYS = {
    pa.string(): ["1", "11"], pa.int64(): [-1, 2**60], pa.bool_(): [True, False],
    pa.date32(): [date(1, 1, 1), date(2, 2, 2)],
    TIMESTAMP: [at(0), at(1)], pa.binary(): [b"", b"\x00"], pa.decimal128(9, 2): [Decimal("1.50"), Decimal("-1.50")],
}  # fmt: skip


@pytest.mark.parametrize("kind", KEYS, ids=str)
def test_keys_of_every_type_are_folded_and_bucketed(engine, make_table, kind):
    keys = pa.array(KEYS[kind], kind)
    schema = Schema.of({"k": kind, "v": pa.int64()})
    table = make_table(pa.table({"k": keys, "v": [1, 2]}), pa.table({"k": keys.slice(1), "v": [3]}), schema=schema)
    assert engine.scan(scan_of(table, "v")).read_all()["v"].to_pylist() == [1, 3]
    halves = [Bucket(columns=("k",), seed=0, low=low, high=low + 0.5) for low in (0.0, 0.5)]
    assert sum(engine.count(scan_of(table), part) for part in halves) == 2


def test_names_and_values_that_look_like_sql_are_data(engine, make_table, rows_of):
    names = [name or "empty" for name in HOSTILE]
    frame = {"k": HOSTILE, **{f"{name}!": HOSTILE for name in names}}
    table = make_table(frame, {name: list(values) for name, values in frame.items()})
    assert engine.count(scan_of(table)) == len(HOSTILE)
    for name in names:
        for value in HOSTILE:
            assert rows_of(engine.scan(scan_of(table, "k", where=col(f"{name}!") == value))) == [(value,)]
    labels = pa.table({"k": HOSTILE})
    outputs = tuple(f"{name}?" for name in names)
    asof = AsOfJoin(name="g", scan=scan_of(table, *(f"{n}!" for n in names)), on=(("k", "k"),), outputs=outputs)
    found = engine.join(PointInTimeJoin(left=Rows(table=labels), time=None, outputs=("k",), joins=(asof,)))[
        0
    ].read_all()
    assert all(found[name].to_pylist() == HOSTILE for name in ("k", *outputs))


def test_threads_read_side_by_side(engine, make_table):
    table = make_table(*({"k": [f"{i}-{j}" for j in range(500)], "n": [i] * 500} for i in range(4)))

    def work(i: int) -> int:
        return engine.scan(scan_of(table, "n", where=col("n") == i % 4)).read_all().num_rows

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(work, range(24))) == {500}


def test_a_stream_that_is_not_read_to_its_end_leaves_nothing_open(engine, make_table):
    table = make_table({"k": [str(i) for i in range(200_000)], "v": [0] * 200_000})
    next(iter(engine.scan(scan_of(table))))
    engine.scan(scan_of(table))
    engine.close()
    assert engine.count(scan_of(table)) == 200_000


def test_a_missing_file_is_named(engine, make_table):
    table = make_table({"k": ["a"], "v": [1]})
    scan = scan_of(table)
    name = scan.snapshot.files[0].path
    (table.folder / name).unlink()
    with pytest.raises(CorruptionError, match="cannot be read") as caught:
        engine.scan(scan).read_all()
    assert name in str(caught.value)
    assert "doctor" in caught.value.fix


def test_a_condition_that_overflows_is_an_error_of_the_data(engine, make_table):
    table = make_table({"k": ["a"], "n": [2**62]})
    with pytest.raises(DataError, match="cannot be computed"):
        engine.scan(scan_of(table, where=col("n") * col("n") > 0)).read_all()


PROGRAM = """
import json, os, sys
from pathlib import Path
import numpy as np, pyarrow as pa
from groundswell.catalog import Catalog
from groundswell.engines import DuckDB
from groundswell.tables import Definition, Table
from groundswell.types import TIMESTAMP, Schema

def peak_mb():
    return next(int(line.split()[1]) / 1024 for line in open("/proc/self/status") if line.startswith("VmHWM"))

folder = Path(sys.argv[1])
schema = Schema.of({"k": pa.int64(), "t": TIMESTAMP, **{f"v{i}": pa.float64() for i in range(4)}})
engine = DuckDB(memory_limit="400MB", threads=2, temp_folder=str(folder / "spill"))
table = Table(table_id="g", folder=folder / "g", definition=Definition.of("g", ["k"], "t", None, schema),
              catalog=Catalog.create(f"sqlite:///{folder}/catalog.db"), engine=engine, author="me@here")
table.create()
numbers = np.random.default_rng(0)
def batch():
    times = pa.array(numbers.integers(0, 10**15, 65536)).cast(TIMESTAMP)
    columns = {"k": numbers.integers(0, 10**9, 65536), "t": times, **{f"v{i}": numbers.random(65536) for i in range(4)}}
    return pa.record_batch(columns)
before, one = peak_mb(), batch()
for _ in range(2):
    table.commit(table.stage(pa.RecordBatchReader.from_batches(one.schema, (batch() for _ in range(28)))))
rows = sum(b.num_rows for b in engine.folded(table.snapshot()))
print(json.dumps({"rows": rows, "taken_mb": peak_mb() - before, "spilled": (folder / "spill").is_dir()}))
engine.close()
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads the peak from /proc")
def test_sorting_more_than_fits_stays_within_the_limit_and_spills(tmp_path):
    done = subprocess.run([sys.executable, "-c", PROGRAM, str(tmp_path)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["rows"] == 56 * 65_536
    assert told["spilled"]
    assert told["taken_mb"] <= 400e6 / 2**20
    assert not list((tmp_path / "spill").glob("*")), "what was spilled stays when the engine is closed"


@pytest.mark.parametrize("settings", [{"memory_limit": "lots"}, {"threads": 0}])
def test_settings_that_cannot_be_meant_are_refused_at_once(settings):
    with pytest.raises(DataError):
        DuckDB(**settings)
