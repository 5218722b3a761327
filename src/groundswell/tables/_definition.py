"""What makes a row of a table itself: its keys, its event time, its availability, its columns."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import pyarrow as pa

from groundswell.errors import ColumnNotFoundError, InvalidNameError, SchemaError, TypeMismatchError, choices
from groundswell.tables._physical import physical_schema
from groundswell.types import HIDDEN_PREFIX, TIMESTAMP, Field, Schema, type_name

HIDDEN = pa.schema([pa.field("__gs_version", pa.int64()), pa.field("__gs_position", pa.int64())])
"""Where a row was first committed, and its place there. Null in a fresh file; filled in when compaction moves a row."""


@dataclass(frozen=True, kw_only=True)
class Definition:
    """The definition of a feature group's table, kept in the table's own properties.

    A row's identity is its key, with its event time and availability if the table has them.

    Args:
        name: the group's name.
        primary_key: the names of the key columns, in order.
        event_time: the column that says when a row's facts happened, or None.
        available_at: the column that says when a row became known, or None.
        schema: all columns; keys and times are not null.
        schema_version: 1 at first, and one more with each change.
        defaults: for appended columns, what they are in files that lack them, as text; others are null there.
    """

    name: str
    primary_key: tuple[str, ...]
    event_time: str | None
    available_at: str | None
    schema: Schema
    schema_version: int = 1
    defaults: tuple[tuple[str, str], ...] = ()

    @property
    def identity(self) -> tuple[str, ...]:
        """The columns that tell one row from another."""
        return self.primary_key + tuple(c for c in (self.event_time, self.available_at) if c)

    @property
    def features(self) -> list[str]:
        """The columns that are neither keys nor times."""
        return [name for name in self.schema.names if name not in self.identity]

    @property
    def file_schema(self) -> pa.Schema:
        """The columns as they lie in files, the hidden ones last."""
        return pa.schema([*physical_schema(self.schema.to_arrow()), *HIDDEN])

    @classmethod
    def of(
        cls, name: str, primary_key: Sequence[str], event_time: str | None, available_at: str | None, schema: Schema
    ) -> Self:
        """Check the parts against each other and make keys and times not null.

        Raises:
            SchemaError: no key, a column with two roles, an availability without an event time.
            ColumnNotFoundError: a key or time column is not in the schema.
            TypeMismatchError: a key that cannot be compared exactly, a time that is no timestamp.
            InvalidNameError: a column name that is ours or empty.
        """
        identity = check_roles(name, primary_key, event_time, available_at)
        for role, column in identity.items():
            if column not in schema:
                raise ColumnNotFoundError(
                    f"Group {name!r} has no column {column!r} for its {role}.",
                    fix=choices(column, schema.names, "columns"),
                    column=column,
                    known=schema.names,
                )
        for column in schema.names:
            if not column or column.startswith(HIDDEN_PREFIX):
                raise InvalidNameError(
                    f"{column!r} cannot name a column of group {name!r}.",
                    why=f"Names that begin with {HIDDEN_PREFIX!r} are kept for the system." if column else "",
                    fix="Rename it.",
                    name=column,
                )
        fields = tuple(
            Field(f.name, _identity_type(name, f, event_time, available_at), nullable=False)
            if f.name in identity.values()
            else f
            for f in schema
        )
        return cls(
            name=name,
            primary_key=tuple(primary_key),
            event_time=event_time,
            available_at=available_at,
            schema=Schema(fields),
        )

    def to_json(self) -> str:
        """The definition as JSON text, for the table's properties."""
        return json.dumps(self.to_dict())

    def to_dict(self) -> dict[str, Any]:
        """The definition as plain values."""
        return {
            "name": self.name,
            "primary_key": list(self.primary_key),
            "event_time": self.event_time,
            "available_at": self.available_at,
            "schema": self.schema.to_dict(),
            "schema_version": self.schema_version,
            "defaults": dict(self.defaults),
        }

    @classmethod
    def from_dict(cls, tree: Mapping[str, Any]) -> Self:
        """Read back what `to_dict` gave."""
        return cls(
            name=tree["name"],
            primary_key=tuple(tree["primary_key"]),
            event_time=tree["event_time"],
            available_at=tree["available_at"],
            schema=Schema.from_dict(tree["schema"]),
            schema_version=tree["schema_version"],
            defaults=tuple(tree["defaults"].items()),
        )


def check_roles(
    name: str, primary_key: Sequence[str], event_time: str | None, available_at: str | None
) -> dict[str, str]:
    """The identity's columns by role, once it is sure that each has one role.

    Raises:
        SchemaError: no key, a column with two roles, an availability without an event time.
    """
    if isinstance(primary_key, str) or not primary_key or not all(isinstance(k, str) for k in primary_key):
        raise SchemaError(
            f"Group {name!r} has the primary key {primary_key!r}.",
            why="A primary key is one or more column names: rows are found and joined by it.",
            fix="Give a list of names, such as primary_key=['origin'].",
            primary_key=primary_key,
        )
    if available_at and not event_time:
        raise SchemaError(
            f"Group {name!r} has an availability column {available_at!r} but no event time.",
            why="Availability says when a fact that happened at its event time became known.",
            fix="Give event_time too.",
        )
    roles = {f"primary key ({i + 1})": key for i, key in enumerate(primary_key)}
    roles |= {role: c for role, c in (("event time", event_time), ("availability", available_at)) if c}
    columns = list(roles.values())
    for column in columns:
        if columns.count(column) > 1:
            raise SchemaError(
                f"Column {column!r} has two roles in group {name!r}: "
                + " and ".join(role for role, c in roles.items() if c == column)
                + ".",
                fix="Give each role its own column; copy the column if the values are the same.",
                column=column,
            )
    return roles


def _identity_type(name: str, field: Field, event_time: str | None, available_at: str | None) -> pa.DataType:
    kind = field.type
    if field.name in (event_time, available_at):
        if kind != TIMESTAMP and not pa.types.is_date(kind) and not pa.types.is_string(kind):
            raise TypeMismatchError(
                f"Column {field.name!r} of group {name!r} has the type {type_name(kind)}, which is no time.",
                why="Point-in-time joins compare moments, and a number does not say which moment it stands for.",
                fix="Convert it first, with pandas.to_datetime(column, unit='s', utc=True) for seconds since 1970.",
                column=field.name,
                type=type_name(kind),
            )
        return TIMESTAMP
    if pa.types.is_floating(kind) or pa.types.is_nested(kind):
        raise TypeMismatchError(
            f"Column {field.name!r} of group {name!r} is a key and has the type {type_name(kind)}.",
            why="Keys are compared for equality, which floats and nested values do not give exactly.",
            fix="Use an integer, text, date, timestamp, decimal or bool; pandas makes floats of integers with gaps, so "
            "drop the rows without a key and cast.",
            column=field.name,
            type=type_name(kind),
        )
    return kind
