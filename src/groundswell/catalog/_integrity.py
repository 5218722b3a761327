"""What must be true of the catalog's file: whole pages, all tables, no dangling keys, JSON where JSON should be.

Like `_sqlite`, it is special to SQLite. Called by the catalog's `check`.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa

from groundswell.catalog._schema import metadata
from groundswell.diagnosis import Finding

__all__ = ["faults"]

_RESTORE = "Restore the file from a copy, or save what can still be read with: sqlite3 {path} .recover"
_MOST = 20
"""Faults named per question; a damaged page makes hundreds."""


def faults(connection: sa.Connection, path: Path, *, thorough: bool) -> Iterator[Finding]:
    """What is wrong with the file at `path`.

    Args:
        connection: to the file.
        path: of the file.
        thorough: whether to compare indexes with their tables too.
    """
    pragma = f"PRAGMA {'integrity_check' if thorough else 'quick_check'}({_MOST})"
    for (text,) in connection.exec_driver_sql(pragma):
        if text != "ok":
            yield _finding(path, f"The catalog's file is damaged: {' '.join(str(text).split())}.")
    for table, number, target, _ in connection.exec_driver_sql("PRAGMA foreign_key_check").fetchmany(_MOST):
        yield _finding(path, f"Row {number} of the catalog's table {table!r} points to nothing in {target!r}.")
    yield from _missing(connection, path)
    yield from _garbled(connection, path)


def _missing(connection: sa.Connection, path: Path) -> Iterator[Finding]:
    there = sa.inspect(connection)
    for table in metadata.sorted_tables:
        columns = {column["name"] for column in there.get_columns(table.name)} if there.has_table(table.name) else set()
        lost = [column.name for column in table.columns if column.name not in columns]
        if lost:
            yield _finding(path, f"The catalog's table {table.name!r} lacks {', '.join(lost)}.")


def _garbled(connection: sa.Connection, path: Path) -> Iterator[Finding]:
    """Texts that should be JSON. Those of commits are left out: they are in the tables' logs, and compared there."""
    named = {
        "entries": "kind || ' ' || name || ' version ' || version",
        "edges": "'the edge ' || relation",
        "activity": "'the activity ' || verb",
        "consumers": "'the consumer ' || name",
    }
    texts = [("entries", "body"), ("edges", "detail"), ("activity", "detail"), ("activity", "tags")]
    for table, column in (*texts, ("consumers", "settings"), ("consumers", "condition")):
        # As bytes, because SQLite's json_valid takes bytes that are no text, and its driver refuses them by position.
        query = f"SELECT {named[table]}, CAST({column} AS BLOB) FROM {table}"  # noqa: S608  # our own names
        for name, text in connection.exec_driver_sql(query):
            if not _is_json(text):
                yield _finding(path, f"What the catalog has of {name} ({table}.{column}) is no JSON any more.")


def _is_json(text: bytes) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _finding(path: Path, what: str) -> Finding:
    return Finding(severity="error", what=what, where=str(path), fix=_RESTORE.format(path=path))
