"""The suite of online stores accepts a store in memory, which is as simple as one can be, and refuses broken ones."""

import threading
from bisect import bisect_right
from contextlib import contextmanager

import pytest

from groundswell.testing import OnlineStoreConformance

TESTS = [name for name in dir(OnlineStoreConformance) if name.startswith("test_")]


class Memory:
    """A store in two dictionaries."""

    def __init__(self):
        self.rows, self.waiting, self.locks, self.lock = {}, {}, {}, threading.Lock()

    def get_many(self, addresses):
        with self.lock:
            return [self.rows.get(address) for address in addresses]

    def surfaced(self, address, at_us):
        waiting = self.waiting.get(address, [])
        place = bisect_right(waiting, at_us, key=lambda pair: pair[0])
        return waiting[place - 1][1] if place else None

    @contextmanager
    def writer(self, record):
        with self.lock:
            lock = self.locks.setdefault(record, threading.Lock())
        with lock:
            yield MemoryWriter(self, record)

    def scan(self, prefix):
        with self.lock:
            found = [(address, row) for address, row in self.rows.items() if address.startswith(prefix)]
        if found:
            yield found

    def close(self):
        pass


class MemoryWriter:
    def __init__(self, store, address):
        self.store, self.address = store, address
        self.record = store.rows.get(address)

    def pending(self, address):
        return [row for _, row in self.store.waiting.get(address, [])]

    def write(self, entries, record=None):
        with self.store.lock:
            for address, row, waiting in entries:
                self.store.rows[address] = row
                if row is None:
                    del self.store.rows[address]
                if waiting is not None:
                    self.store.waiting[address] = list(waiting)
            if record is not None:
                self.store.rows[self.address] = self.record = record


class TestMemory(OnlineStoreConformance):
    @pytest.fixture(autouse=True)
    def make(self):
        self.store = Memory()

    def open(self):
        return self.store


class ForgetsWaiting(Memory):
    def surfaced(self, address, at_us):
        return None


class SurfacesTheFirst(Memory):
    def surfaced(self, address, at_us):
        due = [row for known_us, row in self.waiting.get(address, []) if known_us <= at_us]
        return due[0] if due else None


class LosesOrder(Memory):
    def get_many(self, addresses):
        return super().get_many(sorted(addresses))


class MixesTables(Memory):
    def scan(self, prefix):
        yield from super().scan(prefix[:1])


class LetsAllWrite(Memory):
    @contextmanager
    def writer(self, record):
        yield MemoryWriter(self, record)


class ForgetsRecords(Memory):
    @contextmanager
    def writer(self, record):
        with super().writer(record) as writer:
            writer.record = None
            yield writer


@pytest.mark.parametrize(
    "broken", [ForgetsWaiting, SurfacesTheFirst, LosesOrder, MixesTables, LetsAllWrite, ForgetsRecords]
)
def test_a_broken_store_is_refused(broken):
    class Suite(OnlineStoreConformance):
        store = broken()

        def open(self):
            return self.store

    def fails(name):
        try:
            getattr(Suite(), name)()
        except (AssertionError, AttributeError, KeyError):
            return True
        return False

    assert any(fails(name) for name in TESTS if "histories" not in name)
