"""From a stream of batches to batches that fit a table: every value unchanged, or refused by name.

Delta Lake writers cast silently; this is where we do not.
"""

from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pyarrow as pa
import pyarrow.compute as pc

from groundswell.errors import ColumnNotFoundError, DataError, choices
from groundswell.tables._casts import cast_column
from groundswell.tables._definition import Definition
from groundswell.tables._times import TimeZones
from groundswell.types import Field, Schema

__all__ = ["check_columns", "conform", "infer_schema"]


def infer_schema(data: pa.Schema, *, identity: Sequence[str]) -> Schema:
    """The schema of a table made for this data: key and time columns first, as they are most read.

    Raises:
        SchemaError: a column name is there twice.
        TypeMismatchError: a column has only nulls, or a type that cannot be stored.
    """
    schema = Schema.from_arrow(data)
    return Schema(tuple(Field(f.name, f.type) for f in sorted(schema, key=lambda f: f.name not in identity)))


def check_columns(given: pa.Schema, definition: Definition) -> None:
    """Raise unless the columns given are exactly those of the table, in any order.

    Raises:
        SchemaError: a column is there twice.
        ColumnNotFoundError: a column is missing, or is not in the schema.
    """
    Schema(tuple(Field(name, pa.null()) for name in given.names))  # refuses duplicate names
    known, name = definition.schema.names, definition.name
    for column in known:
        if column not in given.names:
            role = "primary key" if column in definition.primary_key else "column"
            raise ColumnNotFoundError(
                f"The {role} {column!r} of group {name!r} is missing from the data.",
                why=f"The data has {', '.join(map(repr, given.names)) or 'no columns'}.",
                fix="Add the column; give nulls where it has no value."
                if column not in definition.identity
                else "Add the column: rows are found by it.",
                column=column,
                group=name,
            )
    for column in given.names:
        if column not in known:
            raise ColumnNotFoundError(
                f"The data has a column {column!r} that group {name!r} does not have.",
                fix=choices(column, known, "columns")
                + " Drop the column, or append it to the group first: group.append_features({name: type}).",
                column=column,
                group=name,
                known=known,
            )


def conform(
    batches: pa.RecordBatchReader, definition: Definition, time_zone: str | None = None
) -> Iterator[pa.RecordBatch]:
    """The batches with the table's columns in the table's order and types, checked row by row.

    Args:
        batches: the data.
        definition: what the rows must be.
        time_zone: the IANA zone that naive times are in, such as "America/New_York"; None refuses naive times.

    Raises:
        ColumnNotFoundError, SchemaError: as `check_columns`.
        TypeMismatchError: a value cannot be stored unchanged.
        DataError: a null key or time, a naive time without a zone, text that is no time.
    """
    check_columns(batches.schema, definition)
    if time_zone is not None:
        _check_zone(time_zone)
    arrow, offset = definition.schema.to_arrow(), 0
    zones = {name: TimeZones(name, time_zone) for name in definition.schema.names}
    for batch in batches:
        columns = []
        for field in definition.schema:
            given, of_column = batch.column(field.name), zones[field.name]
            column = cast_column(given, field, time_zone=time_zone, offset=offset, zones=of_column)
            if not field.nullable and column.null_count:
                raise _null(definition, field, offset + pc.index(column.is_null(), True).as_py())
            columns.append(column)
        yield pa.RecordBatch.from_arrays(columns, schema=arrow)
        offset += batch.num_rows


def _null(definition: Definition, field: Field, row: int) -> DataError:
    roles = {definition.event_time: "event time", definition.available_at: "availability"}
    role = roles.get(field.name, "primary key" if field.name in definition.primary_key else "column")
    return DataError(
        f"The {role} {field.name!r} of group {definition.name!r} is null in row {row}.",
        why="A row is found by its key and time; without them it could never be read."
        if field.name in definition.identity
        else "The schema says that it is never null.",
        fix=f"Drop such rows, with pandas: frame.dropna(subset=[{field.name!r}]).",
        column=field.name,
        row=row,
        group=definition.name,
    )


def _check_zone(time_zone: str) -> None:
    try:
        ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):  # a path, a folder, no text at all
        raise DataError(
            f"{time_zone!r} is no time zone.",
            fix="Use an IANA name such as 'UTC' or 'Europe/Stockholm'.",
            time_zone=time_zone,
        ) from None
