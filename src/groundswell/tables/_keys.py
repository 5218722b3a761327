"""Keys by which rows are deleted: whatever a user names them with, as a table in the types of the group."""

from collections.abc import Mapping
from dataclasses import replace

import pyarrow as pa

from groundswell.errors import DataError, SchemaError
from groundswell.tables._definition import Definition
from groundswell.tables._frames import read_frame
from groundswell.tables._incoming import conform
from groundswell.types import Schema

__all__ = ["read_keys"]


def read_keys(data: object, definition: Definition, time_zone: str | None = None) -> pa.Table:
    """The keys as a table.

    Args:
        data: anything tabular, or one key as a mapping; with the columns of the primary key, and those of the event
            time and the availability if only rows of these times are meant.
        definition: the table's.
        time_zone: the IANA zone of naive times; None refuses them.

    Raises:
        SchemaError: there is a column that is neither key nor time.
        ColumnNotFoundError: a key column is missing.
        TypeMismatchError, DataError: a value cannot be of the column's type, is null, or there is no key at all.
    """
    reader = read_frame([data] if isinstance(data, Mapping) and not any(map(_is_column, data.values())) else data)
    given = reader.schema.names
    for name in given:
        if name in definition.features:
            raise SchemaError(
                f"Column {name!r} of the keys is a feature of group {definition.name!r}.",
                why="Rows are deleted by what they are found by, whatever their features are.",
                fix=f"Give {', '.join(map(repr, definition.primary_key))}, and of "
                f"{', '.join(map(repr, definition.identity))} those that tell the rows apart that shall go.",
                column=name,
            )
    named = [name for name in definition.schema.names if name in given or name in definition.primary_key]
    keyed = replace(
        definition,
        event_time=definition.event_time if definition.event_time in given else None,
        available_at=definition.available_at if definition.available_at in given else None,
        schema=Schema(tuple(definition.schema[name] for name in named)),
    )
    keys = pa.Table.from_batches(conform(reader, keyed, time_zone), keyed.schema.to_arrow())
    if not keys.num_rows:
        raise DataError(
            f"No key of group {definition.name!r} is given.", fix="Give one row for each key whose rows shall go."
        )
    return keys.group_by(keys.column_names).aggregate([])


def _is_column(value: object) -> bool:
    return hasattr(value, "__len__") and not isinstance(value, str | bytes)
