"""The change stream: watches a project and brings every consumer its events, each in a thread of its own.

A consumer that fails is tried again after a while that doubles with each failure, and holds up nobody else. Any number
of processes may run the same consumers; they take turns.

References:
    Marc Brooker, Exponential Backoff And Jitter, AWS Architecture Blog, 2015: "full jitter".
"""

import random
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from groundswell.catalog import Catalog, Entry
from groundswell.changes._consumer import Consumer
from groundswell.changes._delivery import Delivery
from groundswell.changes._stored_kinds import make, register
from groundswell.changes._watch import Watch
from groundswell.errors import GroundswellError, NotFoundError
from groundswell.tables import Table

__all__ = ["ChangeStream"]

POLL_S = 0.1
"""How often to look whether anything happened."""

_REGISTRY_S = 1.0
_FIRST_S, _MOST_S = 0.5, 60.0


class ChangeStream:
    """Everything that happens in a project, in one order, and its way to the consumers.

    Made by `project.change_stream`. As a context manager it runs inside the block.

    Args:
        catalog: keeps events, consumers and positions.
        open_table: gives the table of a feature group that is ready.
        folder: where the consumers' locks are.
        consumers: such as only this program can run, besides those that the catalog keeps.

    Raises:
        AlreadyExistsError: another consumer has the name of one of them.
    """

    def __init__(
        self,
        catalog: Catalog,
        open_table: Callable[[Entry], Table],
        folder: Path,
        consumers: Sequence[Consumer] = (),
    ) -> None:
        self._catalog, self._folder = catalog, folder
        self._watch = Watch(catalog, open_table)
        self._own = {consumer.name: consumer for consumer in consumers}
        for consumer in consumers:
            register(catalog, consumer)
        self._news = threading.Condition()
        self._last = 0
        self._stopping = threading.Event()
        self._threads: dict[str, threading.Thread] = {}
        self._watcher: threading.Thread | None = None

    def start(self) -> None:
        """Deliver in other threads until `stop`."""
        if self._watcher is None:
            self._stopping.clear()
            self._watcher = threading.Thread(target=self._tail, name="groundswell changes", daemon=True)
            self._watcher.start()

    def stop(self) -> None:
        """Stop once what is being delivered is delivered. Stopping again does nothing."""
        self._stopping.set()
        with self._news:
            self._news.notify_all()
        if self._watcher is not None:
            self._watcher.join()
            self._watcher = None
        for thread in self._threads.values():
            thread.join()
        self._threads.clear()

    def catch_up(self) -> int:
        """Deliver all that has happened so far, and return the number of the last event.

        Raises:
            Exception: what the first failing consumer raised, once the others have everything.
        """
        last = self._watch.look()
        errors: list[Exception] = []
        for delivery in self._deliveries():
            try:
                while delivery.step():
                    pass
            except Exception as error:  # noqa: BLE001 - a process boundary: consumers are anybody's code
                self._note(delivery, error)
                errors.append(error)
        if errors:
            raise errors[0]
        return last

    def rebuild(self, name: str) -> int:
        """Build what a consumer has made of the events anew, and return the number of the last one.

        Raises:
            NotFoundError: there is no such consumer.
            DataError: it cannot be rebuilt, or only the program that registered it can run it.
            Exception: what the consumer raises.
        """
        delivery = next((each for each in self._deliveries() if each.consumer.name == name), None)
        if delivery is None:
            self._catalog.consumers.get(name)
            raise NotFoundError(
                f"The consumer {name!r} cannot be run here.",
                why="Only the program that registered it can make it.",
                fix="Rebuild it there: project.change_stream(consumer).rebuild(name).",
                name=name,
            )
        last = self._watch.look()
        delivery.start_over()
        while delivery.step():
            pass
        return last

    def _deliveries(self) -> list[Delivery]:
        found: list[Delivery] = []
        for record in self._catalog.consumers.all():
            consumer = self._own.get(record.name) or make(record)
            if consumer is not None:
                found.append(Delivery(self._catalog, consumer, self._folder))
        return found

    def _tail(self) -> None:
        """What the watching thread does."""
        listed_at = float("-inf")
        while not self._stopping.is_set():
            try:
                if time.monotonic() - listed_at >= _REGISTRY_S:
                    self._start_threads()
                    listed_at = time.monotonic()
                last = self._watch.look()
            except Exception:  # noqa: BLE001 - a process boundary: those who use the catalog are told, this looks again
                self._stopping.wait(_REGISTRY_S)
                continue
            if last != self._last:
                with self._news:
                    self._last = last
                    self._news.notify_all()
            self._stopping.wait(POLL_S)

    def _start_threads(self) -> None:
        for delivery in self._deliveries():
            name = delivery.consumer.name
            if name not in self._threads or not self._threads[name].is_alive():
                self._threads[name] = threading.Thread(target=self._serve, args=(delivery,), name=name, daemon=True)
                self._threads[name].start()

    def _serve(self, delivery: Delivery) -> None:
        """What the thread of one consumer does, until it is told to stop or the consumer is removed."""
        failures, seen = 0, -1
        while not self._stopping.is_set():
            try:
                seen = self._wait_for_news(seen)
                while not self._stopping.is_set() and delivery.step():
                    failures = 0
            except Exception as error:  # noqa: BLE001 - a process boundary: consumers are anybody's code
                if not self._note(delivery, error):
                    return
                failures, seen = failures + 1, -1
                self._stopping.wait(random.uniform(0.5, 1) * min(_FIRST_S * 2**failures, _MOST_S))  # noqa: S311

    def _wait_for_news(self, seen: int) -> int:
        with self._news:
            self._news.wait_for(lambda: self._last != seen or self._stopping.is_set(), _REGISTRY_S)
            return self._last

    def _note(self, delivery: Delivery, error: Exception) -> bool:
        """Keep why a delivery failed, and say whether the consumer is still registered."""
        try:
            self._catalog.consumers.fail(delivery.consumer.name, str(error) or type(error).__name__)
        except NotFoundError:
            return False
        except GroundswellError:  # the catalog itself fails, which is what the error says
            return True
        return True

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
