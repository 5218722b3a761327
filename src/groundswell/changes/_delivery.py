"""Giving one consumer its events, batch after batch, from wherever it stands, one process at a time.

The position moves after a batch was taken, so what is cut short in between is given again. The right to deliver is a
lock on a file that goes with the process.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from groundswell.catalog import Catalog
from groundswell.changes._consumer import Consumer, Rebuildable
from groundswell.errors import CorruptionError, DataError

__all__ = ["Delivery"]

BATCH = 500
"""Events that are looked at before the position moves."""


class Delivery:
    """Brings a registered consumer its events.

    Args:
        catalog: keeps the events and the consumer's position.
        consumer: takes them.
        folder: where locks are; made if it is not there.
    """

    def __init__(self, catalog: Catalog, consumer: Consumer, folder: Path) -> None:
        self.consumer = consumer
        self._catalog, self._folder = catalog, folder

    def step(self) -> bool:
        """Bring the next batch, and say whether there was one.

        Raises:
            NotFoundError: the consumer was removed.
            Exception: whatever the consumer raises; it will be given the same events again.
        """
        name, registry = self.consumer.name, self._catalog.consumers
        if registry.get(name).position >= self._catalog.events.last():
            return False
        with self._alone():
            events = self._catalog.events.after(registry.get(name).position, BATCH)
            wanted = [event for event in events if self.consumer.filter.passes(event)]
            if wanted:
                self.consumer.deliver(wanted)
            if events:
                registry.move(name, events[-1].sequence, delivered=bool(wanted))
        return bool(events)

    def start_over(self) -> None:
        """Put the consumer back to the beginning of the stream.

        Raises:
            DataError: it cannot be.
        """
        if not isinstance(self.consumer, Rebuildable):
            raise DataError(
                f"The consumer {self.consumer.name!r} cannot be rebuilt.",
                why="It has no method start_over.",
                fix="Add it again under another name, which begins with the first event.",
                name=self.consumer.name,
            )
        with self._alone():
            # In this order: a consumer that has what comes again leaves it out, one that lacks it would never get it.
            self._catalog.consumers.move(self.consumer.name, 0, delivered=False)
            self.consumer.start_over()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        path = self._folder / f"{self.consumer.name.encode().hex()}.lock"
        try:
            self._folder.mkdir(exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise CorruptionError(
                f"The lock of the consumer {self.consumer.name!r} cannot be made: {error}",
                fix="Give this user the right to write to the project's folder, and make room on the disk.",
                path=str(path),
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            fcntl.flock(descriptor, fcntl.LOCK_UN)  # closing would leave the lock to a child forked meanwhile
            os.close(descriptor)
