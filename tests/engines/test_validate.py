"""Measures of batches: one query whatever their number, over several files, and errors that name their measure."""

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import groundswell as gs
from groundswell.engines import (
    Count,
    CountDistinct,
    DuckDB,
    Maximum,
    Mean,
    Missing,
    OutOfOrder,
    Outside,
    Ranked,
    Repeated,
    Uncomputable,
    Unfulfilled,
    Unmatched,
)
from groundswell.engines._validate import measure
from groundswell.errors import CorruptionError
from groundswell.tables import Definition
from groundswell.types import Schema

ROWS, FILES = 200_000, 5
SCHEMA = pa.schema([("k", pa.int64()), ("v", pa.float64()), ("s", pa.string())])
DEFINITION = Definition.of("batch", ["k"], None, None, Schema.from_arrow(SCHEMA))


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Rising numbers over several files of many row groups, with one step back at the end of the third file."""
    folder = tmp_path_factory.mktemp("batch")
    values = [float(i) for i in range(ROWS)]
    values[ROWS // FILES * 3 - 1] = -1.0
    table = pa.table({"k": range(ROWS), "v": values, "s": [f"N{i % 7}" for i in range(ROWS)]}, SCHEMA)
    files = []
    for number in range(FILES):
        files.append(str(folder / f"{number}.parquet"))
        pq.write_table(table.slice(number * ROWS // FILES, ROWS // FILES), files[-1], row_group_size=5_000)
    return files


@pytest.fixture
def engine() -> DuckDB:
    return DuckDB(threads=4)


def test_order_is_that_of_files_and_rows_on_several_threads(engine: DuckDB, paths: list[str]) -> None:
    order = OutOfOrder(column="v", strictly=False)
    assert engine.measure(paths, DEFINITION, [Count(order)]) == [1]
    assert engine.measure(paths[::-1], DEFINITION, [Count(order)])[0] > ROWS / 2
    found = engine.examples(paths, DEFINITION, order, ["k", "v"], 3)
    assert found.to_pylist() == [{"k": ROWS // FILES * 3 - 1, "v": -1.0}]


def test_any_number_of_measures_is_one_query(paths: list[str]) -> None:
    """DuckDB itself tells how many statements it has run."""
    with duckdb.connect() as database:
        database.execute("CALL enable_logging('QueryLog')")
        asked = [Count(Outside(column="v", low=pa.scalar(float(i)), high=None)) for i in range(200)]
        asked += [Count(), CountDistinct("s"), Mean("k"), Maximum("v"), Ranked("v", 3), Count(Repeated("s"))]
        asked += [Count(OutOfOrder(column="v", strictly=True)), Count(Unmatched("s", "N[0-5]"))]
        values = measure(database, paths, DEFINITION, asked)
        (statements,) = database.execute(
            "SELECT count(*) FROM duckdb_logs WHERE type = 'QueryLog' AND message LIKE '%READ_PARQUET%'"
        ).fetchone()
    assert statements == 1
    assert values[:3] == [1, 2, 3]
    assert values[200:] == [ROWS, 7, (ROWS - 1) / 2, ROWS - 1.0, 1.0, ROWS - 7, 1, len(range(6, ROWS, 7))]


def test_one_measure_asked_twice_is_answered_twice(engine: DuckDB, paths: list[str]) -> None:
    assert engine.measure(paths, DEFINITION, [Count(), Mean("k"), Count(), Count(Missing("v"))]) == [
        ROWS, (ROWS - 1) / 2, ROWS, 0,
    ]  # fmt: skip


def test_only_the_condition_that_fails_is_uncomputable(engine: DuckDB, paths: list[str]) -> None:
    power = gs.col("k") * gs.col("k") * gs.col("k") * gs.col("k")
    asked = [Count(), Count(Unfulfilled(power > 0)), Count(Unfulfilled(gs.col("v") >= 0))]
    values = engine.measure(paths, DEFINITION, asked)
    assert (values[0], values[2]) == (ROWS, 1)
    assert isinstance(values[1], Uncomputable)
    assert "Overflow" in values[1].reason


def test_a_damaged_file_is_no_broken_rule(engine: DuckDB, tmp_path: Path) -> None:
    path = tmp_path / "damaged.parquet"
    path.write_bytes(b"PAR1 no more")
    with pytest.raises(CorruptionError, match=r"damaged\.parquet"):
        engine.measure([str(path)], DEFINITION, [Count()])


def test_nothing_is_measured_of_no_files(engine: DuckDB) -> None:
    asked = [
        Count(),
        Count(Missing("v")),
        Count(Repeated("v")),
        CountDistinct("v"),
        Mean("v"),
        Maximum("v"),
        Ranked("v", 1),
    ]
    assert engine.measure([], DEFINITION, asked) == [0, 0, 0, 0, None, None, None]
    assert engine.examples([], DEFINITION, Missing("v"), ["k"], 3).num_rows == 0
