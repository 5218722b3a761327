"""What a feature group offers for rows that come one by one."""

from abc import ABC, abstractmethod
from functools import partial

import pyarrow as pa

from groundswell.catalog import Catalog
from groundswell.features._group_table import GroupTable
from groundswell.features._insertion import Insertion
from groundswell.features._online_copies import OnlineCopies
from groundswell.features.expectations import Validations
from groundswell.features.streaming import Flusher, OpenStreams, Quarantine, RowRules, RowStream, StreamLimits, quiet
from groundswell.online import settles
from groundswell.tables import BESIDE, Commit, Table

__all__ = ["HasStream"]


class HasStream(ABC):
    """A noun into whose table rows may be streamed."""

    name: str
    _catalog: Catalog
    _place: GroupTable
    _insertion: Insertion
    _online: OnlineCopies
    _validations: Validations
    _open_streams: OpenStreams

    @property
    @abstractmethod
    def online(self) -> bool:
        """Whether the newest row of each key is kept in the online store."""

    @abstractmethod
    def _committed(self, commit: Commit, *, wait: bool = True) -> Commit:
        """What every verb that commits to the table does last."""

    @property
    def table(self) -> Table:
        """Its table, with every row in it that a stream has acknowledged.

        Raises:
            NotFoundError: no schema was given and nothing was inserted yet, so there is none.
            ConflictError: the process of a stream does not answer; the same call may be made again.
            CorruptionError: a stream's rows cannot be committed: the disk is full, not writable, or damaged.
        """
        self._drain()
        return self._place.table

    @property
    def committed_table(self) -> Table:
        """Its table as it is: rows that streams have acknowledged and not committed are not in it.

        Raises:
            NotFoundError: as `table`.
        """
        return self._place.table

    @property
    def quarantine(self) -> Quarantine:
        """Rows of streams that broke a rule about batches after they were acknowledged."""
        tell = partial(self._catalog.log, "rows discarded", self._place.entry)
        return Quarantine(self._place.folder / BESIDE / "quarantine", self.name, tell)

    def stream(self, *, time_zone: str | None = None, limits: StreamLimits | None = None) -> RowStream:
        """Open a stream for rows that come one by one: `with group.stream() as stream: stream.write(row)`.

        A row is acknowledged once it is on the disk, in a log beside the table, and is committed with others soon
        after. Whoever reads the group sees every acknowledged row, and the online store shows it at once. Expectations
        about single rows are checked before a row is acknowledged; rows that break one about batches go to
        `quarantine`.

        Args:
            time_zone: the IANA zone of naive times; None refuses them.
            limits: how much the stream may hold, and how often it commits.

        Raises:
            NotFoundError: the group has no columns yet; give it a schema.
            DataError: the time zone is none.
            ColumnNotFoundError, TypeMismatchError: an expectation does not fit the group.
            CorruptionError: the disk is full or not writable.
        """
        table = self.table
        if self.online:
            self._online.follow(table)  # a store that was never built could not show what comes
        stream = RowStream(
            table,
            self._flusher,
            rules=lambda: RowRules.of(self.name, self._validations.ready(table.definition)),
            show=self._online.shower(table) if self.online else None,
            time_zone=time_zone,
            limits=limits or StreamLimits(),
        )
        self._open_streams.add(stream)
        return stream

    def commit_of(self, shown_as: int) -> int | None:
        """The commit that took in a row which the online store showed before; None if it is in quarantine, or gone.

        Args:
            shown_as: the provisional version of the row, as `Source.shown_as` says it.
        """
        for commit in reversed(self.table.history()):
            taken = commit.detail.get("stream")
            if taken is not None and settles(taken["id"], taken["segment"], shown_as):
                return commit.version
        return None

    def _drain(self) -> None:
        """Take in what streams have acknowledged."""
        if not quiet(self._place):
            self._flusher.drain()

    def _erase_beside(self, keys: pa.Table) -> int:
        return self.quarantine.erase(keys, self._place.table.definition)

    @property
    def _flusher(self) -> Flusher:
        return Flusher(
            place=self._place,
            insertion=self._insertion,
            quarantine=self.quarantine,
            committed=self._committed,
            recompute=self._recompute_online,
        )

    def _recompute_online(self) -> None:
        """Bring the online store back to what the table says, after rows that it showed were set aside."""
        if self.online:
            self._online.rebuild(self._place.table)
