"""The consumers of events that a project has registered, and how far each has come.

What a consumer is, another room knows; here are its name, the JSON that it is made of, and its position. An event is
kept until every registered consumer is past it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from groundswell.catalog._database import Database
from groundswell.catalog._entries import check_text
from groundswell.catalog._json import plain_mapping
from groundswell.catalog._schema import consumers
from groundswell.errors import AlreadyExistsError, NotFoundError, choices

__all__ = ["ConsumerRecord", "ConsumerRegistry"]


@dataclass(frozen=True, kw_only=True)
class ConsumerRecord:
    """What is known of one consumer.

    Args:
        kind: what it is, such as "webhook"; empty if only the program that registered it can make it.
        settings: JSON of which one of its kind is made.
        condition: JSON of which its filter is made.
        position: the number of the event up to which it has all that pass its filter.
        registered_at: in UTC.
        delivered_at: when it was last given events; None if it never was.
        failures: how often in a row giving it events has failed.
        error: how it failed last; empty if it did not.
    """

    name: str
    kind: str
    settings: Mapping[str, Any]  # Any: JSON
    condition: Mapping[str, Any]  # Any: JSON
    position: int
    registered_at: datetime
    delivered_at: datetime | None
    failures: int
    error: str


class ConsumerRegistry:
    """The registered consumers by name."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        name: str,
        *,
        kind: str,
        settings: Mapping[str, Any],  # Any: JSON
        condition: Mapping[str, Any],  # Any: JSON
        position: int = 0,
    ) -> ConsumerRecord:
        """Register a consumer; the events after `position` are kept for it.

        Doing it again with the same arguments leaves it where it is.

        Raises:
            AlreadyExistsError: there is another one of that name.
        """
        described = {
            "kind": check_text(kind, "a kind of consumers"),
            "settings": plain_mapping(settings, "settings"),
            "condition": plain_mapping(condition, "condition"),
        }
        with self._database.write() as connection:
            there = _find(connection, check_text(name, "the name of a consumer"))
            if there is None:
                state = {"position": position, "registered_at": datetime.now(UTC), "failures": 0, "error": ""}
                connection.execute(sa.insert(consumers).values(name=name, **described, **state))
            elif {key: getattr(there, key) for key in described} != described:
                raise AlreadyExistsError(
                    f"There is a consumer {name!r} already, with other settings.",
                    why="Two consumers of one name would share one position.",
                    fix="Choose another name, or remove that one first.",
                    name=name,
                )
            return _get(connection, name)

    def get(self, name: str) -> ConsumerRecord:
        """The consumer of that name.

        Raises:
            NotFoundError: there is none; the message names the nearest.
        """
        with self._database.read() as connection:
            return _get(connection, name)

    def all(self) -> list[ConsumerRecord]:
        """All consumers by name."""
        with self._database.read() as connection:
            rows = connection.execute(sa.select(consumers).order_by(consumers.c.name)).mappings().all()
            return [ConsumerRecord(**row) for row in rows]

    def remove(self, name: str) -> None:
        """Remove a consumer and its position.

        Raises:
            NotFoundError: there is none; the message names the nearest.
        """
        with self._database.write() as connection:
            _get(connection, name)
            connection.execute(sa.delete(consumers).where(consumers.c.name == name))

    def move(self, name: str, position: int, *, delivered: bool) -> None:
        """Note how far a consumer is, and that nothing is wrong with it.

        Args:
            delivered: whether it was given events now.

        Raises:
            NotFoundError: it was removed.
        """
        changes: dict[str, object] = {"position": position, "failures": 0, "error": ""}
        self._change(name, changes | ({"delivered_at": datetime.now(UTC)} if delivered else {}))

    def fail(self, name: str, error: str) -> None:
        """Note that a consumer did not take events.

        Raises:
            NotFoundError: it was removed.
        """
        self._change(name, {"failures": consumers.c.failures + 1, "error": error})

    def _change(self, name: str, changes: Mapping[str, object]) -> None:
        with self._database.write() as connection:
            if connection.execute(sa.update(consumers).where(consumers.c.name == name).values(changes)).rowcount == 0:
                _get(connection, name)


def _find(connection: sa.Connection, name: str) -> ConsumerRecord | None:
    row = connection.execute(sa.select(consumers).where(consumers.c.name == name)).mappings().first()
    return None if row is None else ConsumerRecord(**row)


def _get(connection: sa.Connection, name: str) -> ConsumerRecord:
    found = _find(connection, name)
    if found is None:
        known = connection.scalars(sa.select(consumers.c.name)).all()
        raise NotFoundError(
            f"There is no consumer {name!r}.", fix=choices(str(name), known, "consumers"), name=name, known=list(known)
        )
    return found
