"""Events: everything that happens to entries, in one order, kept after the entries are gone.

An event is added in the transaction of the change that it tells of, so neither is ever there without the other. Its
number comes from a counter, whose row stays locked until that transaction ends: numbers have no gaps and are in the
order in which transactions land, so whoever has read up to one will never miss a lower one. A database's own sequence
would not do, as it hands out numbers before the transactions land.

References:
    Chris Richardson, Microservices Patterns, 2018, section 3.3.7: transactional outbox.
    Mahmoud Ismail et al., ePipe: Near Real-Time Polyglot Persistence of HopsFS Metadata, CCGrid 2019.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from groundswell.catalog._database import Database
from groundswell.catalog._entries import Entry, title
from groundswell.catalog._schema import activity, consumers, stream, tags

__all__ = ["Event", "EventLog", "Happening", "record", "record_all"]


@dataclass(frozen=True, kw_only=True)
class Event:
    """One thing that was done to an entry.

    Args:
        sequence: its number: 1, 2, 3, … without gaps, in the order in which things came to be known.
        at: when, in UTC; for a commit what its log says, so that the time of another tool's may lie before earlier
            events.
        by: "user@host"; empty for another tool's commit.
        verb: one of the verbs of the reference, such as "created", "inserted", "deleted".
        entry_id: the id of the entry, which may have been removed since.
        kind, name, version: of the entry.
        tags: the names of the tags that the entry and its features had.
        detail: JSON; whatever else its readers need.
    """

    sequence: int
    at: datetime
    by: str
    verb: str
    entry_id: str
    kind: str
    name: str
    version: int
    tags: Sequence[str]
    detail: Mapping[str, Any]  # Any: JSON

    @property
    def path(self) -> str:
        """Kind, name and version of the entry, such as "feature_group/weather/1"."""
        return f"{self.kind}/{self.name}/{self.version}"

    def to_dict(self) -> dict[str, Any]:  # Any: JSON
        """The event as plain values, the time as ISO 8601 text."""
        return {
            "sequence": self.sequence,
            "at": self.at.isoformat(),
            "by": self.by,
            "verb": self.verb,
            "path": self.path,
            "kind": self.kind,
            "name": self.name,
            "version": self.version,
            "id": self.entry_id,
            "tags": list(self.tags),
            "detail": dict(self.detail),
        }

    def __str__(self) -> str:
        who = self.by or "another tool"
        return f"{self.at:%Y-%m-%d %H:%M:%S} {who} {self.verb} {title(self.kind)} {self.name!r} version {self.version}"


class Happening(NamedTuple):
    """What an event tells, before it has a number."""

    verb: str
    by: str
    detail: Mapping[str, Any]  # Any: JSON
    at: datetime


def record(connection: sa.Connection, entry: Entry, verb: str, by: str, detail: Mapping[str, Any]) -> None:
    """Add the event that something happened to an entry now; arguments as for `record_all`."""
    record_all(connection, entry, [Happening(verb, by, detail, datetime.now(UTC))])


def record_all(connection: sa.Connection, entry: Entry, happened: Sequence[Happening]) -> None:
    """Add events, inside the transaction of the changes that they tell of.

    Args:
        entry: what it happened to.
        happened: what, in order; the verbs are of `VERBS`.
    """
    last = connection.scalar(sa.update(stream).values(last=stream.c.last + len(happened)).returning(stream.c.last))
    named = sa.select(tags.c.name).where(tags.c.entry_id == entry.id).distinct().order_by(tags.c.name)
    subject = {"entry_id": entry.id, "kind": entry.kind, "name": entry.name, "version": entry.version}
    subject["tags"] = list(connection.scalars(named))
    numbered = enumerate(happened, int(last or 0) - len(happened) + 1)
    rows = [{"sequence": number, **each._asdict(), **subject} for number, each in numbered]
    connection.execute(sa.insert(activity), rows)


class EventLog:
    """The events of a project, in their order."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def last(self) -> int:
        """The number of the last event, 0 if nothing ever happened."""
        with self._database.read() as connection:
            return int(connection.scalar(sa.select(stream.c.last)) or 0)

    def after(self, sequence: int, limit: int | None = None) -> list[Event]:
        """The events that follow the one with this number, oldest first, at most `limit` of them."""
        query = sa.select(activity).where(activity.c.sequence > sequence).order_by(activity.c.sequence).limit(limit)
        with self._database.read() as connection:
            return _events(connection, query)

    def newest(self, limit: int | None = None, *, name: str | None = None) -> list[Event]:
        """The last events, newest first, at most `limit` of them; to entries of that name only, if given."""
        query = sa.select(activity).order_by(activity.c.sequence.desc()).limit(limit)
        if name is not None:
            query = query.where(activity.c.name == name)
        with self._database.read() as connection:
            return _events(connection, query)

    def prune(self, before: datetime) -> int:
        """Remove the events older than a time that every consumer has, and return how many they were.

        They go in order, so that what is left has no gaps: an event stays while one before it must.
        """
        kept = sa.select(sa.func.min(activity.c.sequence)).where(activity.c.at >= before)
        wanted = sa.select(sa.func.min(consumers.c.position))
        with self._database.write() as connection:
            first, slowest = connection.scalar(kept), connection.scalar(wanted)
            last = connection.scalar(sa.select(stream.c.last)) or 0
            until = min(last if first is None else first - 1, last if slowest is None else slowest)
            return connection.execute(sa.delete(activity).where(activity.c.sequence <= until)).rowcount


def _events(connection: sa.Connection, query: sa.Select[Any]) -> list[Event]:  # Any: a row of many columns
    rows: Sequence[sa.RowMapping] = connection.execute(query).mappings().all()
    return [Event(**row) for row in rows]
