"""Transactions on the catalog's file: one connection for each thread, blocks that nest.

`Database` knows connections, not tables; the modules that know tables are given its connections.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from weakref import WeakSet

from sqlalchemy import Connection

from groundswell.catalog._sqlite import IMMEDIATE, make_engine
from groundswell.errors import GroundswellError

__all__ = ["Database"]


class Database:
    """The file at `path`, opened by each thread for itself at its first use.

    Args:
        path: an existing file; an empty one is an empty database.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._engine = make_engine(path)
        self._local = threading.local()
        self._connections: WeakSet[Connection] = WeakSet()
        self._closed = False

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one state of the database throughout the block, or the transaction it is within."""
        connection = self._connection()
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
        connection = self._connection()
        if connection.in_transaction():
            with connection.begin_nested():
                yield connection
            return
        connection.execution_options(**{IMMEDIATE: True})
        with connection.begin():
            yield connection

    def close(self) -> None:
        """Close the connections of all threads, none of which may be using one. Closing again does nothing."""
        self._closed = True
        for connection in list(self._connections):
            connection.close()
        self._engine.dispose()

    def _connection(self) -> Connection:
        if self._closed:
            raise GroundswellError(
                f"The catalog {str(self.path)!r} is closed.",
                fix="Open it again with Catalog.open.",
                path=str(self.path),
            )
        connection: Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._engine.connect()
            self._connections.add(connection)
        return connection
