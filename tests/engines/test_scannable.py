"""Sources of rows in parts: the same rows in the same order each time, and clear errors for files that are none."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from groundswell.engines import ArrowRows, ParquetRows, Scannable, StreamRows
from groundswell.engines._scannable import PART_ROWS
from groundswell.errors import ColumnNotFoundError, CorruptionError

_TABLE = pa.table({"a": np.arange(100.0), "b": np.arange(100)})


def _read(source: Scannable, columns: list[str]) -> pa.Table:
    parts = [part() for part in source.parts(columns)]
    return pa.concat_tables([part if isinstance(part, pa.Table) else pa.Table.from_batches([part]) for part in parts])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(2):
        pq.write_table(_TABLE.slice(50 * number, 50), tmp_path / f"{number}.parquet", row_group_size=20)
    return tmp_path


@pytest.fixture(params=["folder", "files", "arrow", "stream"])
def source(request: pytest.FixtureRequest, folder: Path) -> Scannable:
    return {
        "folder": lambda: ParquetRows(folder),
        "files": lambda: ParquetRows([folder / "0.parquet", str(folder / "1.parquet")]),
        "arrow": lambda: ArrowRows(_TABLE),
        "stream": lambda: StreamRows(_TABLE.schema, lambda: _TABLE.to_reader(max_chunksize=30), rows=100),
    }[request.param]()


def test_all_rows_come_in_order_and_again(source: Scannable) -> None:
    assert isinstance(source, Scannable)
    assert source.schema.names == ["a", "b"]
    assert source.rows == 100
    for _ in range(2):
        assert _read(source, ["b", "a"]).equals(_TABLE.select(["b", "a"]))


def test_an_unknown_column_is_refused_before_reading(source: Scannable) -> None:
    with pytest.raises(ColumnNotFoundError, match="'c'") as caught:
        list(source.parts(["a", "c"]))
    assert caught.value.known == ["a", "b"]


def test_parts_are_row_groups_and_slices(folder: Path) -> None:
    assert [len(part()) for part in ParquetRows(folder).parts(["a"])] == [20, 20, 10, 20, 20, 10]
    long = pa.table({"a": np.zeros(PART_ROWS + 1)})
    assert [len(part()) for part in ArrowRows(long).parts(["a"])] == [PART_ROWS, 1]


def test_a_stream_need_not_know_its_length() -> None:
    assert StreamRows(_TABLE.schema, _TABLE.to_reader).rows is None


def test_paths_without_parquet(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.parquet"):
        with pytest.raises(CorruptionError, match="There is no Parquet file"):
            ParquetRows(path)
    (tmp_path / "text.parquet").write_text("no Parquet")
    with pytest.raises(CorruptionError, match="cannot be read as Parquet"):
        ParquetRows(tmp_path)


def test_files_of_different_tables_are_refused(folder: Path) -> None:
    pq.write_table(_TABLE.rename_columns(["a", "c"]), folder / "2.parquet")
    with pytest.raises(CorruptionError, match="other columns"):
        ParquetRows(folder)


def test_a_damaged_row_group_is_named(folder: Path) -> None:
    source, path = ParquetRows(folder / "0.parquet"), folder / "0.parquet"
    content = bytearray(path.read_bytes())
    content[4:200] = bytes(196)
    path.write_bytes(content)
    with pytest.raises(CorruptionError, match="Row group 0 of"):
        next(source.parts(["a", "b"]))()
