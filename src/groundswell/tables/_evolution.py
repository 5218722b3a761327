"""How a definition may become another while its rows stay: columns are appended, types are widened, nulls are let in.

Whatever else changes a schema would change what rows say or what finds them, so it is refused with the way out: a new
version of the group.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import NoReturn

import pyarrow as pa

from groundswell.errors import ColumnNotFoundError, DataError, SchemaError, TypeMismatchError, choices
from groundswell.tables._casts import cast_column
from groundswell.tables._definition import Definition
from groundswell.tables._physical import physical_type
from groundswell.types import Field, Schema, canonical_type, type_name

__all__ = ["append_features", "make_nullable", "widen"]


def append_features(
    definition: Definition, features: Mapping[str, pa.DataType | pa.Field], default: Mapping[str, object]
) -> Definition:
    """The definition with more columns at its end.

    Args:
        definition: the one before.
        features: names to types, or to fields that say whether nulls are allowed.
        default: for some of them, what they are in rows that were committed before; the others are null there.

    Raises:
        SchemaError: a column of that name is there, or one that must not be null has no default.
        ColumnNotFoundError: a default is that of no new column.
        TypeMismatchError: a type cannot be stored, or a default is not of its column's type.
    """
    if not isinstance(features, Mapping) or not features:
        raise SchemaError(
            f"{features!r} names no features.", fix="Give a mapping, such as {'humid': pyarrow.float64()}."
        )
    fields = tuple(_field(name, given) for name, given in features.items())
    for name in default:
        if name not in features:
            raise ColumnNotFoundError(
                f"There is a default for {name!r}, which is not appended.",
                fix=choices(name, features, "new features"),
                column=name,
                known=list(features),
            )
    schema = Schema((*definition.schema, *fields))
    texts = {field.name: _text(default[field.name], field) for field in fields if default.get(field.name) is not None}
    for field in fields:
        if not field.nullable and field.name not in texts:
            raise SchemaError(
                f"Feature {field.name!r} must not be null and has no default.",
                why="Rows that were committed before would be null there.",
                fix="Give it a default, or let it be null.",
                column=field.name,
            )
    return _changed(definition, schema, (*definition.defaults, *texts.items()))


def widen(definition: Definition, column: str, kind: pa.DataType) -> Definition:
    """The definition with a column in a type that holds every value of the one before.

    Raises:
        ColumnNotFoundError: there is no such column.
        SchemaError: the type does not hold every value.
    """
    old = definition.schema[column]
    new = Field(column, canonical_type(kind, column), old.nullable)
    if new.type != old.type and not _holds(new.type, old.type):
        _refuse(definition, f"changed from {type_name(old.type)} to {type_name(new.type)}", column, _wider(old.type))
    fields = (new if field.name == column else field for field in definition.schema)
    return _changed(definition, Schema(tuple(fields)), definition.defaults)


def make_nullable(definition: Definition, column: str) -> Definition:
    """The definition with a column that may be null from now on.

    Raises:
        ColumnNotFoundError: there is no such column.
        SchemaError: rows are found by it.
    """
    old = definition.schema[column]
    if column in definition.identity:
        _refuse(definition, "made nullable", column, "Rows are found by it.")
    fields = (replace(old, nullable=True) if field.name == column else field for field in definition.schema)
    return _changed(definition, Schema(tuple(fields)), definition.defaults)


def _changed(definition: Definition, schema: Schema, defaults: tuple[tuple[str, str], ...]) -> Definition:
    if schema == definition.schema:
        return definition
    roles = definition.primary_key, definition.event_time, definition.available_at
    checked = Definition.of(definition.name, *roles, schema)
    return replace(checked, schema_version=definition.schema_version + 1, defaults=defaults)


def _field(name: object, given: object) -> Field:
    if not isinstance(name, str):
        raise SchemaError(f"{name!r} names no feature.", fix="Names are text.", column=name)
    if isinstance(given, pa.Field):
        return Field(name, canonical_type(given.type, name), given.nullable)
    if isinstance(given, pa.DataType):
        return Field(name, canonical_type(given, name))
    raise TypeMismatchError(
        f"Feature {name!r} has {given!r} for a type.",
        fix="Give a type of pyarrow, such as pyarrow.int64().",
        type=given,
    )


def _text(value: object, field: Field) -> str:
    """A default as text, from which any engine reads the value as it lies in files.

    Raises:
        TypeMismatchError: it is not of the field's type, or its type has parts.
    """
    if pa.types.is_nested(field.type):
        raise TypeMismatchError(
            f"Feature {field.name!r} is {type_name(field.type)} and cannot have a default.",
            why="A default is a single value.",
            fix="Leave it null in rows that were committed before.",
            column=field.name,
        )
    try:
        given = pa.array([value], pa.uint64() if isinstance(value, int) and value >= 2**63 else None)
    except (pa.ArrowException, OverflowError, TypeError, ValueError) as error:
        raise DataError(
            f"{value!r} cannot be the default of {field.name!r}: {error}.", fix="Give one value.", value=value
        ) from None
    stored = cast_column(given, field).cast(physical_type(field.type))[0].as_py()
    if isinstance(stored, bytes):
        return stored.hex()
    if pa.types.is_decimal(field.type):
        return f"{stored:f}"
    return stored.isoformat() if pa.types.is_temporal(physical_type(field.type)) else str(stored)


def _holds(wide: pa.DataType, narrow: pa.DataType) -> bool:
    """Whether the wide type has every value of the narrow one, in the same kind of number."""
    of = pa.types
    if of.is_integer(wide) and of.is_integer(narrow):
        if of.is_signed_integer(narrow):
            return bool(of.is_signed_integer(wide) and wide.bit_width >= narrow.bit_width)
        return bool(wide.bit_width - of.is_signed_integer(wide) >= narrow.bit_width)
    if of.is_floating(wide) and of.is_floating(narrow):
        return bool(wide.bit_width >= narrow.bit_width)
    if of.is_decimal(wide) and of.is_decimal(narrow):
        return bool(wide.scale >= narrow.scale and wide.precision - wide.scale >= narrow.precision - narrow.scale)
    return False


def _wider(kind: pa.DataType) -> str:
    numbers = [pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64(),
               pa.float16(), pa.float32(), pa.float64()]  # fmt: skip
    wider = [type_name(other) for other in numbers if other != kind and _holds(other, kind)]
    if pa.types.is_decimal(kind):
        wider = ["decimals with as many digits before the point and after it, or more"]
    return f"Only {', '.join(wider)} hold all its values." if wider else "No other type holds all its values."


def _refuse(definition: Definition, change: str, column: str, why: str) -> NoReturn:
    raise SchemaError(
        f"Column {column!r} of group {definition.name!r} cannot be {change}.",
        why=f"{why} What reads the group relies on the rest.",
        fix="Make a new version of the group, which copies the rows: group.new_version(transform=…).",
        column=column,
        group=definition.name,
    )
