"""Values typed on a command line, in the types that a schema says."""

import json
from collections.abc import Iterable

import pyarrow as pa
import typer

from groundswell.errors import ColumnNotFoundError, TypeMismatchError, choices
from groundswell.types import Field, Schema, type_name

__all__ = ["parse_values"]


def parse_values(pairs: Iterable[str], schema: Schema) -> dict[str, object]:
    """The values of "key=value" texts by name.

    Args:
        pairs: the texts. Of a column that is no text, the value is JSON: 12, 0.5, true, null; times are ISO 8601.
        schema: the columns that there are.

    Raises:
        ColumnNotFoundError: there is no such column.
        TypeMismatchError: a value cannot be of its column's type.
    """
    values: dict[str, object] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals:
            raise typer.BadParameter(f"{pair!r} is no KEY=VALUE.", param_hint="KEY=VALUE…")
        if name not in schema:
            raise ColumnNotFoundError(
                f"A row brings no {name!r}.",
                fix=choices(name, schema.names, "columns"),
                column=name,
                known=schema.names,
            )
        values[name] = _parse(text, schema[name])
    return values


def _parse(text: str, field: Field) -> object:
    kind = field.type
    if pa.types.is_string(kind) or pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return text
    try:
        value = json.loads(text)
        return pa.scalar(value, kind).as_py()
    except (ValueError, TypeError, pa.ArrowException):
        raise TypeMismatchError(
            f"{text!r} is no {type_name(kind)} for {field.name!r}.",
            fix="Write a number, true, false or null, or JSON for lists and structs.",
            column=field.name,
            value=text,
        ) from None
