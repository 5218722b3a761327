"""Rows from outside any group: frames of entities to join features to, and requests for a prediction."""

from collections.abc import Sequence

import pyarrow as pa

from groundswell.errors import ColumnNotFoundError, SchemaError, TypeMismatchError, choices
from groundswell.tables import cast_column, read_frame
from groundswell.types import TIMESTAMP, Field, Schema, canonical_type, type_name


def read_entities(
    data: object, needed: Schema, event_time: str, labels: Sequence[str], time_zone: str | None
) -> tuple[pa.Table, Schema]:
    """The frame's rows in their order and in the groups' types, and the schema of its labels.

    Args:
        data: anything tabular.
        needed: the columns that it must have: keys, and features that no group can give.
        event_time: the column that says as of when each row looks.
        labels: its label columns.
        time_zone: the IANA zone of naive times; None refuses them.

    Raises:
        ColumnNotFoundError: a column is missing.
        SchemaError: there is a column that has no role, or two that cannot go together.
        TypeMismatchError, DataError: a value cannot be taken as the group's type.
    """
    _check_roles(needed, event_time, labels)
    table = read_frame(data).read_all()
    Schema(tuple(Field(name, pa.null()) for name in table.column_names))  # refuses duplicate names
    roles = {**{f.name: "key or feature of the view" for f in needed}, event_time: "event time"}
    roles |= dict.fromkeys(labels, "label")
    for name, role in roles.items():
        if name not in table.column_names:
            raise ColumnNotFoundError(
                f"The rows have no column {name!r} ({role}).",
                fix=choices(name, table.column_names, "columns"),
                column=name,
                known=table.column_names,
            )
    for name in table.column_names:
        if name not in roles:
            raise SchemaError(
                f"Column {name!r} of the rows is neither key, feature of the view, event time nor label.",
                why="A model would not know where to get it from when it is served.",
                fix=f"Name it in labels=[…], drop it, or insert it into a group. The view takes {list(roles)}.",
                column=name,
            )
    label_schema = Schema(tuple(Field(name, canonical_type(table.schema.field(name).type, name)) for name in labels))
    fields = [Field(f.name, f.type) for f in needed if f.name != event_time]
    fields += [Field(event_time, TIMESTAMP), *label_schema]
    columns = [_column(table[f.name], f, time_zone) for f in fields]
    return pa.table(columns, schema=pa.schema([pa.field(f.name, f.type) for f in fields])), label_schema


def _check_roles(needed: Schema, event_time: str, labels: Sequence[str]) -> None:
    """Raise if one column has two roles that exclude each other; the event time may be a feature besides."""
    for name in labels:
        if name in needed or name == event_time or list(labels).count(name) > 1:
            role = "key or feature" if name in needed else "event time" if name == event_time else "label already"
            raise SchemaError(
                f"Column {name!r} is named as label, and is {role}.",
                why="What is to be predicted cannot be known before.",
                fix="Leave it out of labels=[…], or bring a copy under another name.",
                column=name,
            )
    if event_time in needed and needed[event_time].type != TIMESTAMP:
        raise TypeMismatchError(
            f"Column {event_time!r} is named as event time, and the view takes it as a feature that is "
            f"{type_name(needed[event_time].type)}.",
            fix="Bring the event time in a column of its own, and name it: event_time='…'.",
            column=event_time,
        )


def _column(column: pa.ChunkedArray, field: Field, time_zone: str | None) -> pa.ChunkedArray:
    chunks, offset = [], 0
    for chunk in column.chunks:
        chunks.append(cast_column(chunk, field, time_zone=time_zone, offset=offset))
        offset += len(chunk)
    return pa.chunked_array(chunks, field.type)
