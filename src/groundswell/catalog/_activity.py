"""Activity: who did what to which entry and when, kept after the entry is gone.

The functions take a connection of the catalog's and work inside its transaction.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from groundswell.catalog._entries import Entry, title
from groundswell.catalog._schema import activity

__all__ = ["Activity", "recent", "record"]


@dataclass(frozen=True, kw_only=True)
class Activity:
    """One thing that was done to an entry.

    Args:
        at: in UTC.
        by: "user@host".
        verb: what was done, in the past: "created", "inserted", "deleted".
        entry_id: the id of the entry, which may have been removed since.
        detail: JSON; whatever else its readers need.
    """

    at: datetime
    by: str
    verb: str
    entry_id: str
    kind: str
    name: str
    version: int
    detail: Mapping[str, Any]  # Any: JSON

    def __str__(self) -> str:
        return (
            f"{self.at:%Y-%m-%d %H:%M:%S} {self.by} {self.verb} {title(self.kind)} {self.name!r} version {self.version}"
        )


def record(connection: sa.Connection, verb: str, by: str, entry: Entry, detail: Mapping[str, Any]) -> None:  # Any: JSON
    """Add what was done now."""
    connection.execute(
        sa.insert(activity).values(
            at=datetime.now(UTC),
            by=by,
            verb=verb,
            entry_id=entry.id,
            kind=entry.kind,
            name=entry.name,
            version=entry.version,
            detail=detail,
        )
    )


def recent(connection: sa.Connection, limit: int, name: str | None) -> list[Activity]:
    """The last things that were done, newest first; to entries of that name only, if given."""
    query = sa.select(*(column for column in activity.c if column is not activity.c.sequence))
    if name is not None:
        query = query.where(activity.c.name == name)
    rows = connection.execute(query.order_by(activity.c.sequence.desc()).limit(limit))
    return [Activity(**row) for row in rows.mappings()]
