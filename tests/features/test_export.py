from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import groundswell as gs
from groundswell.errors import AlreadyExistsError, CorruptionError, DataError
from groundswell.features import FeatureGroup
from groundswell.features._export import export

SCHEMA = pa.schema([("n", pa.int64()), ("text", pa.string())])


def stream(n_rows: int) -> pa.RecordBatchReader:
    return pa.table({"n": range(n_rows), "text": [f"row {i}" for i in range(n_rows)]}, schema=SCHEMA).to_reader(7)


@pytest.fixture
def group(tmp_path: Path) -> FeatureGroup:
    group = gs.open(tmp_path / "project").create_feature_group("weather", primary_key=["origin"])
    group.insert({"origin": ["EWR", "JFK"], "temp": [1.5, None]})
    group.insert({"origin": ["EWR"], "temp": [2.5]})
    return group


@pytest.mark.parametrize("name", ["rows.parquet", "rows.arrow", "rows.csv", "folder"])
@pytest.mark.parametrize("n_rows", [0, 1, 100])
def test_what_is_written_is_what_was_read(tmp_path: Path, name: str, n_rows: int) -> None:
    path = export(stream(n_rows), tmp_path / name, overwrite=False)
    assert path == tmp_path / name
    if name.endswith(".arrow"):
        found = pa.ipc.open_file(path).read_all()
    elif name.endswith(".csv"):
        found = pa.Table.from_pandas(pd.read_csv(path, dtype={"n": "int64", "text": "str"}), SCHEMA)
    else:
        found = pq.read_table(path)
    assert found == stream(n_rows).read_all()


def test_a_folder_holds_files_of_bounded_size_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("groundswell.features._export.FILE_ROWS", 40)
    monkeypatch.setattr("groundswell.features._export.ROW_GROUP_ROWS", 20)
    folder = export(stream(100), tmp_path / "rows", overwrite=False)
    files = [pq.read_table(folder / f"part-{i}.parquet") for i in range(3)]
    assert [len(file) for file in files] == [40, 40, 20]
    assert pa.concat_tables(files) == stream(100).read_all()


@pytest.mark.parametrize("name", ["rows.parquet", "folder"])
def test_what_is_there_is_kept_unless_it_may_go(tmp_path: Path, name: str) -> None:
    export(stream(3), tmp_path / name, overwrite=False)
    with pytest.raises(AlreadyExistsError, match="overwrite=True"):
        export(stream(5), tmp_path / name, overwrite=False)
    assert len(pq.read_table(tmp_path / name)) == 3
    export(stream(5), tmp_path / name, overwrite=True)
    assert len(pq.read_table(tmp_path / name)) == 5


@pytest.mark.parametrize("name", ["rows.parquet", "rows.arrow", "rows.csv", "folder"])
def test_a_stream_that_breaks_leaves_nothing(tmp_path: Path, name: str) -> None:
    def batches():
        yield from stream(20)
        raise DataError("It broke.", fix="Mend it.")

    with pytest.raises(DataError, match="It broke"):
        export(pa.RecordBatchReader.from_batches(SCHEMA, batches()), tmp_path / name, overwrite=False)
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_says_no_format(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="names no format"):
        export(stream(1), tmp_path / "rows.xlsx", overwrite=False)


def test_csv_holds_no_lists(tmp_path: Path) -> None:
    nested = pa.table({"vector": [[1.0, 2.0]]})
    with pytest.raises(DataError, match=r"'vector'.*CSV cannot hold"):
        export(nested.to_reader(), tmp_path / "rows.csv", overwrite=False)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CorruptionError, match="cannot be written"):
        export(stream(1), tmp_path / "file" / "rows.parquet", overwrite=False)


def test_a_group_writes_its_current_rows(group: FeatureGroup, tmp_path: Path) -> None:
    path = group.read(["origin", "temp"]).export(tmp_path / "weather.parquet")
    assert sorted(pq.read_table(path).to_pylist(), key=lambda row: row["origin"]) == [
        {"origin": "EWR", "temp": 2.5},
        {"origin": "JFK", "temp": None},
    ]
    earlier = group.read(as_of=group.history()[1].version).export(tmp_path / "earlier.csv")
    assert pd.read_csv(earlier)["temp"].tolist()[0] == 1.5


def test_a_group_is_a_relation_of_duckdb(group: FeatureGroup) -> None:
    relation = group.to_duckdb()
    assert relation.columns == ["origin", "temp"]
    assert sorted(relation.fetchall()) == [("EWR", 2.5), ("JFK", None)]
    assert relation.filter("temp > 2").fetchall() == [("EWR", 2.5)]
    first = group.history()[1].version
    assert sorted(group.to_duckdb(as_of=first).fetchall()) == [("EWR", 1.5), ("JFK", None)]


def test_a_relation_joins_with_what_the_connection_has(group: FeatureGroup) -> None:
    connection = duckdb.connect()
    connection.execute("CREATE TABLE airports AS SELECT 'EWR' AS origin, 'Newark' AS name")
    weather = group.to_duckdb(connection)  # noqa: F841  # the query names it
    found = connection.sql("SELECT name, temp FROM weather JOIN airports USING (origin)").fetchall()
    assert found == [("Newark", 2.5)]


def test_names_of_columns_never_become_sql(tmp_path: Path) -> None:
    group = gs.open(tmp_path / "project").create_feature_group("odd", primary_key=['k"; DROP TABLE x'])
    group.insert({'k"; DROP TABLE x': [1], "select": ["a"]})
    group.insert({'k"; DROP TABLE x': [1], "select": ["b"]})
    relation = group.to_duckdb()
    assert relation.columns == ['k"; DROP TABLE x', "select"]
    assert relation.fetchall() == [(1, "b")]
