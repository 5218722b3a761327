"""The online store of a project, and how the tables of groups come into it.

A group that is online has the newest row of each key in the store. Whoever commits to its table brings the store up to
the commit before it says that it is done; what a killed process left undone, the next commit makes up for.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

import pyarrow as pa

from groundswell.engines import DuckDB
from groundswell.errors import ConflictError, GroundswellError
from groundswell.online import Follower, OnlineStore, provisional_version
from groundswell.tables import Commit, Table
from groundswell.types import parse_instant

__all__ = ["OnlineCopies"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class OnlineCopies:
    """Brings tables into the online store of a project.

    Args:
        open_store: opens the store; called when it is first needed.
        engine: reads the tables.
        clock: gives the present moment in UTC.
    """

    def __init__(self, open_store: Callable[[], OnlineStore], engine: DuckDB, clock: Callable[[], datetime]) -> None:
        self._open_store, self._engine, self.clock = open_store, engine, clock

    def moment(self, at: str | date | datetime | None) -> int:
        """A moment in microseconds since 1970; None is now.

        Raises:
            DataError: it cannot be read as a moment.
        """
        moment: Any = self.clock() if at is None else at  # Any: what is no datetime with a zone is parsed
        try:
            us: int = (moment - _EPOCH) // _MICROSECOND
        except TypeError:
            us = (parse_instant(moment) - _EPOCH) // _MICROSECOND
        return us

    @property
    def store(self) -> OnlineStore:
        """The store."""
        return self._open_store()

    def follower(self, table: Table, store: OnlineStore | None = None) -> Follower:
        """What brings one table into the store, or into another one."""
        return Follower(table, store or self.store, self._engine, clock=self.clock)

    def follow(self, table: Table, until: int | None = None) -> int:
        """Bring the store up to a version of the table, or further, and return how far it is now; None is the newest.

        Raises:
            CorruptionError: a file of the table or the store is damaged.
            GroundswellError: the store does not answer.
        """
        while True:
            try:
                return self.follower(table).follow(until)
            except ConflictError:  # another process took over in the middle: see how far it came
                continue

    def committed(self, table: Table, commit: Commit) -> None:
        """Bring the store up to a commit that has just been made.

        Raises:
            GroundswellError: the store cannot be written; the rows are in the table.
        """
        try:
            self.follow(table, commit.version)
        except GroundswellError as error:
            name = table.definition.name
            raise GroundswellError(
                f"Version {commit.version} of group {name!r} is committed, but not in the online store. {error.what}",
                why=error.why,
                fix=f"{error.fix} Then run `groundswell online {name}`, or insert again: the next commit brings all.",
                version=commit.version,
                group=name,
            ) from error

    def shower(self, table: Table) -> Callable[[pa.RecordBatch, str, int], None]:
        """What shows rows of one stream that are logged and not committed yet: rows, stream, segment of its log."""
        follower, numbers, last = self.follower(table), count(), 0

        def show(rows: pa.RecordBatch, stream: str, segment: int) -> None:
            nonlocal numbers, last
            if segment != last:
                numbers, last = count(), segment
            follower.show(rows, provisional_version(stream, segment, next(numbers)))

        return show

    def rebuild(self, table: Table) -> int:
        """Build the rows of a table anew, whatever the store holds of it, and return the table's version."""
        return self.follower(table).rebuild()

    def forget(self, table: Table) -> None:
        """Remove all that the store holds of a table."""
        self.follower(table).forget()
