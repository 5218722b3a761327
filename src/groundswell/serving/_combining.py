"""Combining: callers who come while others are at work are served together by the next of them.

Work on a batch often costs little more than work on one: looking features up is one query, predicting is one call. So a
caller leaves its request in a list and waits for a turn; who gets one serves all that have gathered meanwhile. Without
company a request is served at once, and there is no thread to start or stop.

References:
    Hendler, Incze, Shavit and Tzafrir, "Flat Combining and the Synchronization-Parallelism Tradeoff", SPAA 2010.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

__all__ = ["Combining"]

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


class _Ticket(Generic[Asked, Answer]):
    """A request that waits, and its answer."""

    def __init__(self, asked: Asked, size: int) -> None:
        self.asked, self.size = asked, size
        self.taken = False
        self.answer: Future[Answer] = Future()


class Combining(Generic[Asked, Answer]):
    """A function of many requests, called by threads that have one each.

    Args:
        work: gives the answers to requests, in their order. If it raises for several, each is tried alone, so that
            nobody gets the error of another.
        n_at_once: how many callers may be at work at the same time.
        most: the largest sum of sizes that is served together; a larger request is served alone.
    """

    def __init__(self, work: Callable[[list[Asked]], list[Answer]], *, n_at_once: int, most: int) -> None:
        self._work, self._most = work, most
        self._turns = threading.Semaphore(n_at_once)
        self._lock = threading.Lock()
        self._waiting: list[_Ticket[Asked, Answer]] = []

    def __call__(self, asked: Asked, size: int) -> Answer:
        """The answer to one request.

        Args:
            asked: the request.
            size: how large it is, such as its number of rows.
        """
        ticket = _Ticket[Asked, Answer](asked, size)
        with self._lock:
            self._waiting.append(ticket)
        while not ticket.taken:
            with self._turns:
                self._serve(self._take())
        return ticket.answer.result()

    def _take(self) -> list[_Ticket[Asked, Answer]]:
        """The requests that waited longest, as many as are served together."""
        with self._lock:
            n, total = 0, 0
            while n < len(self._waiting) and (n == 0 or total + self._waiting[n].size <= self._most):
                total += self._waiting[n].size
                n += 1
            taken, self._waiting = self._waiting[:n], self._waiting[n:]
            for ticket in taken:
                ticket.taken = True
            return taken

    def _serve(self, tickets: list[_Ticket[Asked, Answer]]) -> None:
        if not tickets:
            return
        try:
            answers = self._work([ticket.asked for ticket in tickets])
        except Exception as error:  # noqa: BLE001 - it belongs to the callers that it concerns, whatever it is
            if len(tickets) == 1:
                tickets[0].answer.set_exception(error)
            else:
                for ticket in tickets:
                    self._serve([ticket])
        else:
            for ticket, answer in zip(tickets, answers, strict=True):
                ticket.answer.set_result(answer)
