"""The fold: the same bits for any number of threads, progress, and an end when a part fails."""

import os
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from groundswell.engines import ArrayBatches, ArrowRows, ParquetRows, Roles, StreamRows, TableBatches, fold
from groundswell.engines._fold import BatchPart
from groundswell.errors import ColumnNotFoundError, TypeMismatchError
from groundswell.statistics import Batch, Count, CrossProduct, Gram


def _table(rows: int = 1000) -> pa.Table:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((rows, 4)) + 1e4
    return pa.table({f"x{j}": X[:, j] for j in range(4)} | {"y": X @ np.ones(4), "w": rng.integers(0, 3, rows) * 1.0})


_ROLES = Roles(X=("x0", "x1", "x2", "x3"), y="y", weights="w")


@pytest.fixture
def parquet(tmp_path: Path) -> ParquetRows:
    pq.write_table(_table(), tmp_path / "t.parquet", row_group_size=37)
    return ParquetRows(tmp_path / "t.parquet")


def test_any_number_of_threads_gives_the_same_bits(parquet: ParquetRows) -> None:
    results = [fold(TableBatches(parquet, _ROLES), CrossProduct(), threads=n).result() for n in (1, 2, 3, 8)]
    for result in results[1:]:
        for name in ("x_mean", "y_mean", "xx", "xy", "yy"):
            np.testing.assert_array_equal(getattr(result, name), getattr(results[0], name))


def test_arrays_tables_streams_and_files_agree(parquet: ParquetRows) -> None:
    table = _table()
    X = np.column_stack([table[f"x{j}"].to_numpy() for j in range(4)])
    array = ArrayBatches(Batch(X=X, y=table["y"].to_numpy(), weights=table["w"].to_numpy()))
    stream = StreamRows(table.schema, lambda: table.to_reader(max_chunksize=11))
    sources = [TableBatches(source, _ROLES) for source in (parquet, ArrowRows(table), stream)]
    expected = np.cov(X.T, fweights=table["w"].to_numpy().astype(int))
    for batches in (array, *sources):
        np.testing.assert_allclose(fold(batches, Gram()).result().covariance(), expected, rtol=1e-9)


def test_the_statistic_that_was_given_stays_empty(parquet: ParquetRows) -> None:
    given = Count()
    assert fold(TableBatches(parquet, _ROLES), given) is not given
    assert given.result() == Count().result()


def test_progress_is_told_in_order_and_ends_at_all_rows(parquet: ParquetRows) -> None:
    told: list[tuple[int, int | None]] = []
    fold(TableBatches(parquet, _ROLES), Gram(), threads=3, progress=lambda done, rows: told.append((done, rows)))
    assert [done for done, _ in told] == [min(37 * (i + 1), 1000) for i in range(28)]
    assert {rows for _, rows in told} == {1000}


def test_no_rows_are_the_statistic_of_nothing() -> None:
    result = fold(TableBatches(ArrowRows(_table().slice(0, 0)), _ROLES), Gram()).result()
    assert result.weight == 0


def test_columns_that_cannot_be_folded() -> None:
    with pytest.raises(ColumnNotFoundError, match="x9"):
        fold(TableBatches(ArrowRows(_table()), Roles(X=("x9",))), Gram())
    words = pa.table({"a": ["x", "y"]})
    with pytest.raises(TypeMismatchError):
        fold(TableBatches(ArrowRows(words), Roles(X=("a",))), Gram())


class _Failing:
    """A hundred parts, of which one raises; it counts those that began."""

    rows = None

    def __init__(self, at: int, error: BaseException) -> None:
        self.began, self._at, self._error, self._lock = 0, at, error, threading.Lock()

    def parts(self) -> Iterator[BatchPart]:
        for number in range(100):
            yield lambda number=number: self._read(number)

    def _read(self, number: int) -> Batch:
        with self._lock:
            self.began += 1
        if number == self._at:
            raise self._error
        time.sleep(0.001)
        return Batch(X=np.ones((1, 1)))


@pytest.mark.parametrize("threads", [1, 2, 4])
@pytest.mark.parametrize("error", [OSError("gone"), KeyboardInterrupt()], ids=["error", "interrupt"])
def test_an_error_or_interrupt_in_a_part_ends_the_pass(threads: int, error: BaseException) -> None:
    batches = _Failing(5, error)
    with pytest.raises(type(error)):
        fold(batches, Gram(), threads=threads)
    assert batches.began <= 5 + 1 + 3 * threads
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("groundswell-fold")]


def test_an_error_in_progress_ends_the_pass_too(parquet: ParquetRows) -> None:
    def stop(done: int, rows: int | None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fold(TableBatches(parquet, _ROLES), Gram(), threads=2, progress=stop)


_FIFTY_TIMES = """
    import resource, numpy as np, pyarrow as pa
    from groundswell.engines import Roles, TableBatches, fold
    from groundswell.statistics import Gram

    CAP, ROWS, NAMES = 16 << 20, 20_000, [f"x{j}" for j in range(10)]
    PARTS = 50 * CAP // (ROWS * 10 * 8) + 1

    class Generated:
        schema, rows = pa.schema([(name, pa.float64()) for name in NAMES]), PARTS * ROWS

        def parts(self, columns):
            for number in range(PARTS):
                yield lambda number=number: pa.table(
                    list(np.random.default_rng(number).standard_normal((10, ROWS))), schema=self.schema
                )

    def peak():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

    batches = TableBatches(Generated(), Roles(X=tuple(NAMES)))
    fold(TableBatches(type("One", (Generated,), {"parts": lambda self, c: list(Generated.parts(self, c))[:4]})(),
                      batches.roles), Gram(), threads=2)
    before = peak()
    assert fold(batches, Gram(), threads=2).result().weight == PARTS * ROWS
    print(peak() - before, CAP)
"""


def test_a_table_fifty_times_larger_than_the_cap_fits() -> None:
    """Row groups are generated as they are read; what a first few need (threads, libraries, buffers) is not counted."""
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(_FIFTY_TIMES)],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    grown, cap = map(int, done.stdout.split())
    assert grown <= cap
