"""Streams that can be read once are there for every further pass."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from groundswell.engines import ReadOnceRows, Roles, TableBatches, fold
from groundswell.engines import _read_once as module
from groundswell.errors import ColumnNotFoundError, CorruptionError
from groundswell.statistics import Count

TABLE = pa.table({"a": np.arange(100.0), "b": [str(i) for i in range(100)]})


def read(rows, columns):
    return pa.concat_tables([pa.Table.from_batches([part()]) for part in rows.parts(columns)])


@pytest.mark.parametrize("memory_bytes", [1 << 20, 300, 0])
def test_every_pass_reads_the_same_wherever_it_is_kept(memory_bytes):
    rows = ReadOnceRows(TABLE.to_reader(max_chunksize=9), memory_bytes)
    begun = next(rows.parts(["a"]))  # a pass that ends early takes nothing from later ones
    assert len(begun()) == 9
    for columns in (["a", "b"], ["b"], ["b", "a"]):
        assert read(rows, columns).equals(TABLE.select(columns))
    assert rows.schema == TABLE.schema
    assert rows.rows is None


def test_statistics_are_folded_over_it_again_and_again():
    rows = ReadOnceRows(TABLE.to_reader(max_chunksize=9), 0)
    batches = TableBatches(rows, Roles(X=("a",)))
    assert [fold(batches, Count()).result().rows for _ in range(2)] == [100, 100]


def test_its_files_go_when_it_goes(tmp_path, monkeypatch):
    monkeypatch.setattr(module.tempfile, "tempdir", str(tmp_path))
    rows = ReadOnceRows(TABLE.to_reader(max_chunksize=50), 0)
    assert len(read(rows, ["a"])) == 100
    (folder,) = Path(tmp_path).iterdir()
    assert len(list(folder.iterdir())) == 2
    del rows
    assert not folder.exists()


def test_a_batch_that_cannot_be_written_is_not_lost(tmp_path, monkeypatch):
    monkeypatch.setattr(module.tempfile, "tempdir", str(tmp_path))
    rows = ReadOnceRows(TABLE.to_reader(max_chunksize=40), 0)
    begun = rows.parts(["a"])
    next(begun)
    (folder,) = tmp_path.iterdir()
    blocker = folder / "1.arrow"
    blocker.mkdir()  # a folder where the file should be
    with pytest.raises(CorruptionError, match=r"1\.arrow cannot be written"):
        next(begun)
    blocker.rmdir()
    assert read(rows, ["a", "b"]).equals(TABLE)


def test_a_column_that_is_not_there_is_named():
    with pytest.raises(ColumnNotFoundError, match="'c'"):
        next(ReadOnceRows(TABLE.to_reader()).parts(["c"]))
