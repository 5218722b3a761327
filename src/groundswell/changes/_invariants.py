"""What must be true of consumers: they can be made, they take what they are given, and somebody gives it to them."""

from collections.abc import Iterator
from datetime import timedelta

from groundswell.catalog import Catalog, ConsumerRecord
from groundswell.changes._status import status_of
from groundswell.changes._stored_kinds import make
from groundswell.diagnosis import Finding

__all__ = ["check_consumer"]

LONG = timedelta(days=1)
"""After this time an event should have been taken."""


def check_consumer(record: ConsumerRecord, catalog: Catalog) -> Iterator[Finding]:
    """What is wrong with a registered consumer.

    Raises:
        CorruptionError: it cannot be made of what the catalog has.
    """
    make(record)
    status = status_of(record, catalog)
    if status.error:
        times = "once" if status.failures == 1 else f"{status.failures} times in a row"
        yield Finding(
            severity="warning",
            what=f"The consumer {record.name!r} failed {times}: {status.error}",
            where=str(record.settings.get("path") or record.settings.get("url") or record.name),
            fix="Repair what it delivers to; the events are kept and given again.",
        )
    elif status.waiting > LONG:
        yield Finding(
            severity="warning",
            what=f"The consumer {record.name!r} has not taken {status.behind} events, the first {status.waiting} old.",
            where=record.name,
            fix=f"Run the consumers: groundswell follow. Or remove it: project.remove_consumer({record.name!r}).",
        )
