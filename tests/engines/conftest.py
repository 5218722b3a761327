"""Tables to run engines on."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from groundswell.catalog import Catalog
from groundswell.engines import DuckDB
from groundswell.tables import Definition, Table, infer_schema, read_frame


@pytest.fixture
def engine() -> Iterator[DuckDB]:
    with_threads = DuckDB(threads=2)
    yield with_threads
    with_threads.close()


@pytest.fixture
def make_table(tmp_path: Path, engine: DuckDB) -> Iterator[Callable[..., Table]]:
    """Makes a table and inserts the frames given, one commit each."""
    catalog = Catalog.create(f"sqlite:///{tmp_path / 'catalog.db'}")

    def make(*frames: object, name: str = "g", key=("k",), event_time=None, available_at=None, schema=None) -> Table:
        if schema is None:
            identity = [*key, *(c for c in (event_time, available_at) if c)]
            schema = infer_schema(read_frame(frames[0]).schema, identity=identity)
        table = Table(
            table_id=name,
            folder=tmp_path / name,
            definition=Definition.of(name, key, event_time, available_at, schema),
            catalog=catalog,
            engine=engine,
            author="me@here",
        )
        table.create()
        for frame in frames:
            table.commit(table.stage(frame, "UTC"))
        return table

    yield make
    catalog.close()


@pytest.fixture
def rows_of() -> Callable[[pa.RecordBatchReader], list[tuple]]:
    """The rows of a stream as tuples."""
    return lambda reader: [tuple(row.values()) for row in reader.read_all().to_pylist()]
