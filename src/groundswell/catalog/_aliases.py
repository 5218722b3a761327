"""Aliases: names such as "champion" that point to one version of a name and can be moved to another.

The functions take a connection of the catalog's and work inside its transaction.
"""

import sqlalchemy as sa

from groundswell.catalog._entries import latest_or_version, title
from groundswell.catalog._schema import aliases
from groundswell.errors import NotFoundError, choices

__all__ = ["point", "pointers", "unpoint"]


def point(connection: sa.Connection, kind: str, name: str, alias: str, version: int) -> None:
    """Let the alias point to that version, wherever it pointed before.

    Raises:
        NotFoundError: there is no such version.
    """
    latest_or_version(connection, kind, name, version)
    moved = connection.execute(sa.update(aliases).where(*_is(kind, name, alias)).values(version=version))
    if moved.rowcount == 0:
        connection.execute(sa.insert(aliases).values(kind=kind, name=name, alias=alias, version=version))


def unpoint(connection: sa.Connection, kind: str, name: str, alias: str) -> None:
    """Remove the alias.

    Raises:
        NotFoundError: there is none; the message names the nearest ones.
    """
    if connection.execute(sa.delete(aliases).where(*_is(kind, name, alias))).rowcount == 0:
        known = pointers(connection, kind, name)
        raise NotFoundError(
            f"The {title(kind)} {name!r} has no alias {alias!r}.",
            fix=choices(alias, known, "aliases"),
            kind=kind,
            name=name,
            alias=alias,
            known=sorted(known),
        )


def pointers(connection: sa.Connection, kind: str, name: str) -> dict[str, int]:
    """The aliases of a name in their order, with the version that each points to."""
    query = sa.select(aliases.c.alias, aliases.c.version).where(aliases.c.kind == kind, aliases.c.name == name)
    return dict(connection.execute(query.order_by(aliases.c.alias)).all())


def _is(kind: str, name: str, alias: str) -> tuple[sa.ColumnElement[bool], ...]:
    return aliases.c.kind == kind, aliases.c.name == name, aliases.c.alias == alias
