"""The next version of a group: its rows copied under another definition, whole before anybody sees them.

The copy is built in a folder of its own, as a table with a log and an index that is thrown away, since an index can be
made again from its log. Only when all rows are there does the folder get its name and the catalog its entry.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa

from groundswell.catalog import Catalog
from groundswell.engines import DuckDB
from groundswell.errors import DataError
from groundswell.features.expectations import Expectation
from groundswell.tables import Definition, Table, conform, infer_schema, read_frame
from groundswell.types import Schema

__all__ = ["NewVersion", "Transform", "convert_rows", "write_copy"]

Transform = Callable[[pa.Table], object]
"""Makes other rows of some rows: it is given an Arrow table, and returns anything tabular."""


@dataclass(frozen=True, kw_only=True)
class NewVersion:
    """What the next version of a group shall be. None keeps what this one has.

    Args:
        primary_key, event_time, available_at: the roles of columns.
        schema: the columns and their types.
        transform: is given the rows in parts, and returns those of the new version.
        expectations: those in force from the beginning.
    """

    primary_key: Sequence[str] | None = None
    event_time: str | None = None
    available_at: str | None = None
    schema: Schema | None = None
    transform: Transform | None = None
    expectations: Sequence[Expectation] | None = None

    def roles(self, old: Definition) -> tuple[tuple[str, ...], str | None, str | None]:
        """Primary key, event time and availability."""
        key = old.primary_key if self.primary_key is None else tuple(self.primary_key)
        return key, self.event_time or old.event_time, self.available_at or old.available_at


def convert_rows(
    wanted: NewVersion, old: Definition, rows: pa.RecordBatchReader
) -> tuple[Definition, pa.RecordBatchReader]:
    """The definition of the new version and its rows, as a stream.

    Args:
        wanted: the new version.
        old: the definition of this one.
        rows: its rows.

    Raises:
        SchemaError, ColumnNotFoundError, TypeMismatchError, DataError, InvalidNameError: they do not fit together.
    """
    transform = wanted.transform or _choose(wanted.schema or old.schema)
    parts = (read_frame(transform(pa.Table.from_batches([batch], rows.schema))) for batch in rows)
    first = next(parts, None) or read_frame(transform(rows.schema.empty_table()))
    roles = key, event_time, available_at = wanted.roles(old)
    schema = wanted.schema
    if schema is None:
        identity = [*key, *(column for column in (event_time, available_at) if column)]
        schema = old.schema if wanted.transform is None else infer_schema(first.schema, identity=identity)
    definition = Definition.of(old.name, *roles, schema)
    stream = _conformed(chain([first], parts), definition)
    return definition, pa.RecordBatchReader.from_batches(definition.schema.to_arrow(), stream)


def write_copy(
    folder: Path,
    definition: Definition,
    rows: pa.RecordBatchReader,
    *,
    engine: DuckDB,
    author: str,
    provenance: Mapping[str, Any],
) -> None:
    """Make a table with the rows as one commit.

    Raises:
        DataError: two rows have one key, so that one would be lost, or a row does not fit.
        CorruptionError: the disk is full or not writable.
    """
    with (
        TemporaryDirectory(prefix="groundswell-") as scratch,
        Catalog.create(f"sqlite:///{scratch}/catalog.db") as catalog,
    ):
        table = Table(
            table_id="copy", folder=folder, definition=definition, catalog=catalog, engine=engine, author=author
        )
        table.create()
        staged = table.stage(rows)
        if staged.repeated:
            raise DataError(
                f"{staged.repeated:,} rows of group {definition.name!r} have the key and times of a later one under "
                f"{', '.join(map(repr, definition.identity))}.",
                why="Copying them would lose all but the last of each.",
                fix="Add a column to the key, or leave the rows out in transform.",
                repeated=staged.repeated,
            )
        if staged.files:
            table.commit(staged, provenance)


def _choose(schema: Schema) -> Transform:
    """Takes the columns of a schema out of rows; one that is not there is null."""

    def transform(rows: pa.Table) -> pa.Table:
        columns = [rows[f.name] if f.name in rows.schema.names else pa.nulls(len(rows), f.type) for f in schema]
        return pa.table(columns, names=schema.names)

    return transform


def _conformed(parts: Iterable[pa.RecordBatchReader], definition: Definition) -> Iterator[pa.RecordBatch]:
    for part in parts:
        yield from conform(part, definition)
