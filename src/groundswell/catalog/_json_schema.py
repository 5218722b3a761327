"""JSON Schemas: whether one can be used, and whether a value fits it.

Imports jsonschema, which takes longer than the catalog, so only what deals with a tag that has a schema loads this
module. Nothing is fetched: a schema stands for itself.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator, SchemaError, ValidationError, validators
from jsonschema.protocols import Validator
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from groundswell.errors import DataError

__all__ = ["check_schema", "misfit"]


def check_schema(name: str, schema: Mapping[str, Any] | bool) -> None:  # Any: JSON
    """Raise unless it is a schema that needs nothing from elsewhere.

    Raises:
        DataError: it is no JSON Schema, or refers to something that is not in it.
    """
    kind = validators.validator_for(schema, default=Draft202012Validator)
    try:
        kind.check_schema(schema, format_checker=kind.FORMAT_CHECKER)
    except SchemaError as error:
        where = error.json_path.removeprefix("$.")
        raise _refused(name, f"{where}: {error.message}" if where != "$" else error.message) from None
    resolver = Registry().resolver_with_root(DRAFT202012.create_resource(schema))
    for reference in _references(schema):
        try:
            resolver.lookup(reference)
        except Unresolvable:
            raise _refused(name, f"it refers to {reference!r}, which is not in it") from None


def misfit(schema: Mapping[str, Any] | bool, value: Any) -> str:  # Any: JSON
    """Why a value does not fit a schema, in words; empty if it fits."""
    kind = validators.validator_for(schema, default=Draft202012Validator)
    validator: Validator = kind(schema, registry=Registry(), format_checker=kind.FORMAT_CHECKER)
    try:
        errors = sorted(validator.iter_errors(value), key=lambda error: error.json_path)
    except RecursionError:
        return "the schema refers to itself without end"
    return "; ".join(map(_told, errors[:3])) + (f"; and {len(errors) - 3} more" if len(errors) > 3 else "")


def _told(error: ValidationError) -> str:
    where = error.json_path.removeprefix("$").removeprefix(".")
    return f"{where}: {error.message:.200}" if where else f"{error.message:.200}"


def _references(schema: object) -> Iterator[str]:
    if isinstance(schema, Mapping):
        for key, inner in schema.items():
            if key in {"$ref", "$dynamicRef"} and isinstance(inner, str):
                yield inner
            yield from _references(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from _references(inner)


def _refused(name: str, why: str) -> DataError:
    return DataError(
        f"The schema of the tag {name!r} cannot be used: {why}.",
        why="It must be a JSON Schema (draft 2020-12 unless it says another) that stands for itself.",
        fix='Write one such as {"type": "object", "required": ["team"]}; {} takes any value.',
        name=name,
    )
