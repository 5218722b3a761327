"""Commits as events: each commit of a table is told once, in the transaction that indexes it.

Which commits were told is kept apart from the index, because the index may be dropped and built again. The functions
take a connection of the catalog's and work inside its transaction.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from groundswell.catalog._entries import entry_from_row, select_entries
from groundswell.catalog._events import Happening, record, record_all
from groundswell.catalog._schema import announced, entries
from groundswell.catalog._verbs import COMMIT_VERBS

__all__ = ["announce", "forget", "rewind"]

_NUMBERS = ("rows", "new", "replaced", "deleted")


def announce(connection: sa.Connection, table_id: str, commits: Sequence[Mapping[str, Any]]) -> None:
    """Tell of the commits that were not told of; of a table that has no entry, and so no name, nothing is told.

    Args:
        table_id: the id of the group's entry.
        commits: rows of the index, in the order of versions.
    """
    row = connection.execute(select_entries().where(entries.c.id == table_id)).first()
    told = connection.scalar(sa.select(announced.c.version).where(announced.c.table_id == table_id))
    fresh = [commit for commit in commits if told is None or commit["version"] > told]
    if row is None or not fresh:
        return
    record_all(connection, entry_from_row(row), [_happening(commit) for commit in fresh])
    _told(connection, table_id, fresh[-1]["version"])


def rewind(connection: sa.Connection, table_id: str, version: int) -> None:
    """Tell that an earlier copy of a table was put in its place, whose newest version is this one.

    The commits that follow it are others than those that were told of before.
    """
    told = connection.scalar(sa.select(announced.c.version).where(announced.c.table_id == table_id))
    if told is None or told <= version:
        return
    _told(connection, table_id, version)
    row = connection.execute(select_entries().where(entries.c.id == table_id)).one()
    record(connection, entry_from_row(row), "rewound", "", {"commit": version, "before": told})


def forget(connection: sa.Connection, table_id: str) -> None:
    """Drop what is known of a table that was deleted."""
    connection.execute(sa.delete(announced).where(announced.c.table_id == table_id))


def _happening(commit: Mapping[str, Any]) -> Happening:  # Any: the values of a row
    detail = {"commit": commit["version"], "kind": commit["kind"], **{name: commit[name] for name in _NUMBERS}}
    verb = COMMIT_VERBS.get(commit["kind"], "committed")
    return Happening(verb, commit["author"], detail, commit["committed_at"])


def _told(connection: sa.Connection, table_id: str, version: int) -> None:
    moved = connection.execute(sa.update(announced).where(announced.c.table_id == table_id).values(version=version))
    if moved.rowcount == 0:
        connection.execute(sa.insert(announced).values(table_id=table_id, version=version))
