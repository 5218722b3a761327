"""Transactions on the catalog's file: one connection for each thread, blocks that nest.

`Database` knows connections, not tables; the modules that know tables are given its connections.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from weakref import WeakSet

from sqlalchemy import Connection

from groundswell.catalog._sqlite import IMMEDIATE, make_engine
from groundswell.errors import GroundswellError

__all__ = ["Database"]


@dataclass
class _Session:
    """What one thread has of a database: a connection from its first use on, and how many blocks are using it."""

    thread: threading.Thread = field(default_factory=threading.current_thread)
    connection: Connection | None = None
    depth: int = 0

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None


class Database:
    """The file at `path`, connected to by each thread for itself at its first use.

    Args:
        path: an existing file; an empty one is an empty database.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._engine = make_engine(path)
        self._local = threading.local()
        self._sessions: list[_Session] = []
        self._inherited: list[_Session] = []
        self._closed = False
        with _LOCK:
            _OPEN.add(self)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one state of the database throughout the block, or the transaction it is within."""
        with self._borrow() as connection:
            if connection.in_transaction():
                yield connection
                return
            connection.execution_options(**{IMMEDIATE: False})
            with connection.begin():
                yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A connection that alone may write; the block lands when it ends, or leaves nothing behind if it raises.

        A block inside another one lands with the outer one; if it raises, only what it did itself is undone.
        """
        with self._borrow() as connection:
            if connection.in_transaction():
                with connection.begin_nested():
                    yield connection
                return
            connection.execution_options(**{IMMEDIATE: True})
            with connection.begin():
                yield connection

    def close(self) -> None:
        """Close the connections of all threads, none of which may be in a block. Closing again does nothing."""
        with _LOCK:
            self._closed = True
            _OPEN.discard(self)
            for session in self._sessions:
                session.close()
            self._sessions.clear()

    @contextmanager
    def _borrow(self) -> Iterator[Connection]:
        with _LOCK:
            session = self._session()
            session.depth += 1
        try:
            if session.connection is None:
                session.connection = self._engine.connect()
            yield session.connection
        finally:
            session.depth -= 1

    def _session(self) -> _Session:
        if self._closed:
            raise GroundswellError(
                f"The catalog {str(self.path)!r} is closed.",
                fix="Open it again with Catalog.open.",
                path=str(self.path),
            )
        session: _Session | None = getattr(self._local, "session", None)
        if session is None:
            ended = [s for s in self._sessions if not s.thread.is_alive()]
            for other in ended:
                other.close()
                self._sessions.remove(other)
            session = self._local.session = _Session()
            self._sessions.append(session)
        return session

    def _close_idle(self) -> None:
        for session in self._sessions:
            if session.depth == 0:
                session.close()

    def _leave_to_parent(self) -> None:
        self._inherited += [session for session in self._sessions if session.connection is not None]
        self._sessions = []
        self._local = threading.local()


# SQLite counts its locks on a file per process, so a child made by fork that inherits an open connection believes in
# locks that only its parent holds, and the parent may then remove a log that the child is writing. So every idle
# connection is closed before a fork, and opened again at its next use. One that is in use stays the parent's: the child
# keeps it unused and unclosed, because closing it would release what the parent relies on.
_LOCK = threading.RLock()
_OPEN: WeakSet[Database] = WeakSet()


def _before_fork() -> None:
    _LOCK.acquire()
    for database in _OPEN:
        database._close_idle()


def _after_fork_in_child() -> None:
    for database in _OPEN:
        database._leave_to_parent()
    _LOCK.release()


os.register_at_fork(before=_before_fork, after_in_parent=_LOCK.release, after_in_child=_after_fork_in_child)
