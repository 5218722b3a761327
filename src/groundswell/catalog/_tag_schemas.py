"""Schemas of tags: which values a tag may have, and which kinds of entries must have it.

A schema is an entry of the kind "tag_schema", so it has a history and can be found. The functions take a connection of
the catalog's and work inside its transaction.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from groundswell.catalog._entries import KINDS, Entry, entry_from_row, select_entries, title
from groundswell.catalog._schema import entries, tags
from groundswell.errors import DataError, InvalidNameError, NotFoundError, choices

__all__ = [
    "KIND",
    "REQUIRABLE",
    "check_requirable",
    "check_value",
    "get_schema",
    "lacking",
    "misfits",
    "read_schemas",
    "require_all",
]

KIND = "tag_schema"

REQUIRABLE = ("feature_group", "feature_view", "run", "model")
"""The kinds of which tags may be required: those whose creation takes tags."""


def read_schemas(connection: sa.Connection) -> dict[str, Entry]:
    """The schemas by the name of their tag."""
    query = select_entries().where(entries.c.kind == KIND).order_by(entries.c.name)
    found = [entry_from_row(row) for row in connection.execute(query)]
    return {entry.name: entry for entry in found}


def get_schema(connection: sa.Connection, name: str) -> Entry:
    """The schema of a tag.

    Raises:
        NotFoundError: it has none; the message names the nearest.
    """
    known = read_schemas(connection)
    if name not in known:
        raise NotFoundError(
            f"There is no schema of a tag {name!r}.", fix=choices(str(name), known, KINDS[KIND]), name=name,
            known=sorted(known),
        )  # fmt: skip
    return known[name]


def check_requirable(kind: str) -> None:
    """Raise unless tags may be required of the kind.

    Raises:
        InvalidNameError: they may not.
    """
    if kind not in REQUIRABLE:
        raise InvalidNameError(
            f"A tag cannot be required of {kind!r}.",
            why="It can be required of what is given tags when it is created.",
            fix=choices(str(kind), REQUIRABLE, "kinds"),
            kind=kind,
        )


def check_value(connection: sa.Connection, name: str, value: Any) -> None:  # Any: JSON
    """Raise unless the value fits the schema of the tag, if it has one.

    Raises:
        DataError: it does not.
    """
    schema = read_schemas(connection).get(name)
    why = "" if schema is None else _misfit(schema.body["schema"], value)
    if why:
        raise DataError(
            f"{value!r:.100} cannot be the value of the tag {name!r}: {why}.",
            why="The tag has a schema.",
            fix=f"Look at it with project.tag_schemas()[{name!r}].",
            name=name,
            value=value,
        )


def misfits(connection: sa.Connection, name: str, schema: Any) -> list[str]:  # Any: JSON
    """The entries and features whose value of the tag does not fit a schema, in words."""
    return [
        f"{entry}{f', feature {feature!r}' if feature else ''} ({why})"
        for entry, feature, value in _tagged(connection, name)
        if (why := _misfit(schema, value))
    ]


def lacking(connection: sa.Connection, name: str, kinds: Iterable[str]) -> list[Entry]:
    """The entries of these kinds that do not have the tag, oldest first."""
    having = sa.select(tags.c.entry_id).where(tags.c.name == name, tags.c.feature == "")
    query = select_entries().where(
        entries.c.kind.in_(list(kinds)), entries.c.state.not_in(["deleting", "deleted"]), entries.c.id.not_in(having)
    )
    return [entry_from_row(row) for row in connection.execute(query.order_by(entries.c.sequence))]


def require_all(connection: sa.Connection, kind: str, name: str, given: Mapping[str, Any]) -> None:  # Any: JSON
    """Raise unless all tags that are required of the kind are given to an entry that is being made.

    Raises:
        DataError: some are not.
    """
    if kind not in REQUIRABLE:
        return
    required = [tag for tag, schema in read_schemas(connection).items() if kind in schema.body["required_for"]]
    missing = [tag for tag in required if tag not in given]
    if missing:
        raise DataError(
            f"The {title(kind)} {name!r} lacks the tag{'s' * (len(missing) > 1)} {', '.join(map(repr, missing))}.",
            why=f"Every {title(kind)} of this project must have the tags {', '.join(map(repr, required))}.",
            fix=f"Give them when you create it: tags={{{missing[0]!r}: …}}.",
            kind=kind,
            name=name,
            missing=missing,
        )


def _tagged(connection: sa.Connection, name: str) -> list[tuple[Entry, str, Any]]:  # Any: JSON
    query = (
        select_entries()
        .add_columns(tags.c.feature, tags.c.value)
        .join(tags, tags.c.entry_id == entries.c.id)
        .where(tags.c.name == name)
        .order_by(entries.c.sequence, tags.c.feature)
    )
    return [(entry_from_row(values), feature, value) for *values, feature, value in connection.execute(query)]


def _misfit(schema: Any, value: Any) -> str:  # Any: JSON
    from groundswell.catalog import (
        _json_schema,  # imports jsonschema, 0.1 s that a catalog without schemas need not wait
    )

    return _json_schema.misfit(schema, value)
