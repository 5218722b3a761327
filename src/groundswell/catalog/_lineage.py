"""Lineage: which entry came from which, as edges from what was made to what it was made of.

The functions take a connection of the catalog's and work inside its transaction.
"""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from groundswell.catalog._entries import Entry, entry_from_id, entry_from_row, select_entries
from groundswell.catalog._schema import edges, entries

__all__ = ["connect", "sources_of", "targets_of"]


def connect(
    connection: sa.Connection, source: str, target: str, relation: str, detail: Mapping[str, Any]
) -> None:  # Any: JSON
    """Make the edge from `source` to `target`, or give the one that is there this detail.

    Raises:
        NotFoundError: one of the two ids belongs to no entry.
    """
    for entry_id in (source, target):
        entry_from_id(connection, entry_id)
    same = (edges.c.source == source, edges.c.target == target, edges.c.relation == relation)
    if connection.execute(sa.update(edges).where(*same).values(detail=detail)).rowcount == 0:
        values = {"source": source, "target": target, "relation": relation, "detail": detail}
        connection.execute(sa.insert(edges).values(values))


def targets_of(connection: sa.Connection, entry_id: str) -> list[tuple[str, Entry, dict[str, Any]]]:
    """Relation, entry and detail of each edge that begins at `entry_id`, oldest first."""
    return _neighbors(connection, edges.c.source == entry_id, edges.c.target)


def sources_of(connection: sa.Connection, entry_id: str) -> list[tuple[str, Entry, dict[str, Any]]]:
    """Relation, entry and detail of each edge that ends at `entry_id`, oldest first."""
    return _neighbors(connection, edges.c.target == entry_id, edges.c.source)


def _neighbors(
    connection: sa.Connection, here: sa.ColumnElement[bool], there: sa.ColumnElement[str]
) -> list[tuple[str, Entry, dict[str, Any]]]:  # Any: JSON
    query = (
        select_entries()
        .add_columns(edges.c.relation, edges.c.detail)
        .join(edges, there == entries.c.id)
        .where(here)
        .order_by(edges.c.sequence)
    )
    return [(relation, entry_from_row(values), detail) for *values, relation, detail in connection.execute(query)]
