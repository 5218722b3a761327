"""What an online store is: entities by address, each with the rows that wait for their time, and one writer at a time.

A store knows addresses and bytes; what they mean (keys, rows, versions, time) is said once, in the modules above it.
`Lmdb` and `Redis` are stores.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

__all__ = ["Entry", "OnlineStore", "Waiting", "Writer"]


Waiting = Sequence[tuple[int, bytes]]
"""Rows that come after an entity's own: the moment from which each counts, in microseconds since 1970, and the row."""

Entry = tuple[bytes, bytes | None, Waiting | None]
"""What a store shall hold of one entity from now on: its address; its row, or None if nothing is left of it; and the
rows that wait, in order, or None to leave those that are there. A plain tuple, as a store is filled with millions."""


class Writer(Protocol):
    """The right to write one table's entities, which one holder has at a time."""

    @property
    def record(self) -> bytes | None:
        """What the last writer left at the table's record; None if nobody has written."""

    def pending(self, address: bytes) -> list[bytes]:
        """The rows that wait at an address, in order."""

    def write(self, entries: Sequence[Entry], record: bytes | None = None) -> None:
        """Change the entities, each at once, and with the last of them the record, unless it is None.

        Raises:
            ConflictError: another writer took over meanwhile. The entities may have been written in part; the record
                was not.
        """


class OnlineStore(Protocol):
    """A place that finds entities by address in microseconds. Threads may share it; readers never wait."""

    def get_many(self, addresses: Sequence[bytes]) -> list[bytes | None]:
        """The rows at the addresses, all as of one moment and in one round trip; None where there is none."""

    def surfaced(self, address: bytes, at_us: int) -> bytes | None:
        """The last row waiting at an address that counts by a moment; None if there is none."""

    def writer(self, record: bytes) -> AbstractContextManager[Writer]:
        """Wait for the right to write the table whose record has this address. It ends with the process, if killed."""

    def scan(self, prefix: bytes) -> Iterator[list[tuple[bytes, bytes]]]:
        """The addresses that begin so and their rows, in no order, in batches; some may come twice."""

    def close(self) -> None:
        """Let go of files and connections."""
