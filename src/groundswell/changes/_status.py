"""How a consumer is doing."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from groundswell.catalog import Catalog, ConsumerRecord
from groundswell.changes._filter import Filter

__all__ = ["ConsumerStatus", "status_of"]


@dataclass(frozen=True, kw_only=True)
class ConsumerStatus:
    """How far a consumer is, and what is wrong with it.

    Args:
        name: what it is registered as.
        kind: "json lines", "webhook", or empty if only the program that registered it can run it.
        filter: which events it wants.
        position: the number of the event up to which it has what it wants.
        behind: how many events follow, wanted or not.
        waiting: for how long the first of them has been there; zero if there is none.
        delivered_at: when it last took events; None if it never did.
        failures: how often in a row it did not take them.
        error: why not; empty if it did.
    """

    name: str
    kind: str
    filter: Filter
    position: int
    behind: int
    waiting: timedelta
    delivered_at: datetime | None
    failures: int
    error: str

    def to_dict(self) -> dict[str, Any]:  # Any: JSON
        """The status as plain values."""
        return {
            **vars(self),
            "filter": self.filter.to_dict(),
            "waiting": self.waiting.total_seconds(),
            "delivered_at": None if self.delivered_at is None else self.delivered_at.isoformat(),
        }

    def __str__(self) -> str:
        behind = f", {self.behind} behind" if self.behind else ""
        return f"{self.name}: at event {self.position}{behind}" + (f", failing: {self.error}" if self.error else "")


def status_of(record: ConsumerRecord, catalog: Catalog) -> ConsumerStatus:
    """The status of a registered consumer now.

    Raises:
        CorruptionError: its filter cannot be read.
    """
    following = catalog.events.after(record.position, 1)
    return ConsumerStatus(
        name=record.name,
        kind=record.kind,
        filter=Filter.from_dict(record.condition),
        position=record.position,
        behind=max(catalog.events.last() - record.position, 0),
        waiting=max(datetime.now(UTC) - following[0].at, timedelta()) if following else timedelta(),
        delivered_at=record.delivered_at,
        failures=record.failures,
        error=record.error,
    )
