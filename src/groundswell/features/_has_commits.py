"""What a feature group offers of its commits: rows deleted and erased, versions compared, restored and given up."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa

from groundswell.engines import DuckDB
from groundswell.errors import DataError
from groundswell.features._data import Data
from groundswell.features._group_table import GroupTable
from groundswell.features._version_diff import VersionDiff, compare, row_changes
from groundswell.tables import Commit, Snapshot, Table, Vacuumed, read_keys
from groundswell.types import format_duration, parse_duration

__all__ = ["AsOf", "HasCommits"]

AsOf = int | str | date | datetime
"""A version, or a time: ISO 8601 text, a date or a datetime; without a zone it is UTC."""


class HasCommits(ABC):
    """A noun whose rows are in a table with commits."""

    name: str
    engine: DuckDB
    _place: GroupTable
    _provenance: Callable[[], Mapping[str, Any]]
    _clock: Callable[[], datetime]

    @property
    @abstractmethod
    def table(self) -> Table:
        """Its table."""

    @abstractmethod
    def snapshot(self, as_of: AsOf | None = None, *, remainder: bool = False) -> Snapshot:
        """The table pinned at a version or time; None is now."""

    @abstractmethod
    def _committed(self, commit: Commit, *, wait: bool = True) -> Commit:
        """What every verb that commits to the table does last."""

    @abstractmethod
    def _erase_beside(self, keys: pa.Table) -> int:
        """Erase rows with certain keys that are kept beside the table, and count them."""

    @abstractmethod
    def _forget_values(self, keys: pa.Table, commit: Commit) -> None:
        """Remove what is kept of rows outside the table, now that a commit has purged those with these keys."""

    def delete_rows(self, keys: object, *, time_zone: str | None = None, wait: bool = True) -> Commit:
        """Delete the rows with certain keys, as one commit that says how many. Earlier versions keep them.

        All rows of a key go, those that were replaced before among them. If there are none, the commit says that.

        Args:
            keys: anything tabular with the key columns, such as `[{"origin": "EWR"}]`, or one key as a mapping; with
                the columns of the times too, only rows of these times go.
            time_zone: the IANA zone of times without one; None refuses them.
            wait: as for `insert`.

        Raises:
            SchemaError, ColumnNotFoundError, TypeMismatchError, DataError: these are no keys of the group.
            CorruptionError: the disk is full or not writable; nothing was deleted.
        """
        commit = self.table.delete_rows(keys, time_zone=time_zone, provenance=self._provenance())
        return self._committed(commit, wait=wait)

    def purge(self, keys: object, *, time_zone: str | None = None) -> Commit:
        """Erase the rows with certain keys from every version: no file of the group holds a byte of them any more.

        Versions that held such rows, and training data pinned to them, raise `ErasedError` from then on unless what is
        left is asked for with `remainder=True`. Reports of validations lose their examples; statistics and published
        files are made anew. If the process dies on the way, the same call finishes. The commit's `detail` counts the
        rows that were stored ("purged"), those in quarantine ("quarantined"), and files that hold such rows and that no
        insert has committed yet ("uncommitted"): if there are any, call it again an hour later.

        Args:
            keys: as for `delete_rows`.
            time_zone: the IANA zone of times without one; None refuses them.

        Raises:
            SchemaError, ColumnNotFoundError, TypeMismatchError, DataError: these are no keys of the group.
            CorruptionError: the disk is full or not writable; the same call finishes what is left to do.
        """
        table = self.table
        wanted = read_keys(keys, table.definition, time_zone)
        provenance = {**self._provenance(), "quarantined": self._erase_beside(wanted)}
        commit = table.purge(wanted, provenance=provenance)
        self._forget_values(wanted, commit)
        return self._committed(commit)

    def restore(self, as_of: AsOf, *, remainder: bool = False) -> Commit:
        """Make the group what it was at a version or time, as one commit: the same rows in the same order.

        Args:
            as_of: as for `read`.
            remainder: whether rows of it that were purged may be missing.

        Raises:
            NotFoundError: there is no such version, or a vacuum removed files of it.
            ErasedError: rows of it were purged, and the remainder is not asked for.
            CorruptionError: a file of it is missing, or the disk is full or not writable.
        """
        version = self.snapshot(as_of, remainder=True).version
        return self._committed(self.table.restore(version, remainder=remainder, provenance=self._provenance()))

    def diff(self, before: AsOf, after: AsOf | None = None) -> VersionDiff:
        """How the rows of one version or time differ from those of another: which were added, removed and changed.

        Args:
            before: as for `read`.
            after: likewise; None is now.

        Raises:
            NotFoundError: there is no such version, or a vacuum removed files of it.
            ErasedError: rows of it were purged.
        """
        return compare(self.engine, self.snapshot(before), self.snapshot(after))

    def changes(self, after: AsOf, until: AsOf | None = None) -> Data:
        """What became of rows in the commits after a version or time: its columns, and what Delta's change feed adds.

        `_change_type` is "insert", "delete", or for an update "update_preimage" (the row before) and
        "update_postimage" (the row after); `_commit_version` and `_commit_timestamp` say which commit did it.

        Args:
            after: as for `read`; its own commit is not among them.
            until: the last commit; None is the newest.

        Raises:
            NotFoundError: there is no such version, or a vacuum removed files of one between them.
            ErasedError: rows of one of them were purged.
        """
        first, last = self.snapshot(after).version, self.snapshot(until).version
        return row_changes(self.engine, self.table, first, last)

    @property
    def retention(self) -> timedelta:
        """How far back every version stays readable when `vacuum` is not told otherwise; at first 30 days."""
        return self._place.retention

    def set_retention(self, retention: str | timedelta) -> None:
        """Choose how far back every version stays readable when `vacuum` is not told otherwise. It removes nothing.

        Args:
            retention: a length of time, such as "90d" or "1d 12h", or a timedelta.

        Raises:
            DataError: it is no length of time, or negative.
        """
        self._place.configure("retention", format_duration(parse_duration(retention, "retention")))

    def vacuum(
        self, keep: str | timedelta | None = None, *, keep_versions: int | None = None, dry_run: bool = False
    ) -> Vacuumed:
        """Remove data files that no version needs which is kept, and those that killed inserts left.

        The newest version is kept in any case, and so is every version that training data is pinned to.

        Args:
            keep: how far back every version stays readable, such as "30d"; None is the group's `retention`.
            keep_versions: how many of the newest versions stay readable, in place of that.
            dry_run: whether to say only what would go.

        Raises:
            DataError: both are given, or one cannot be used.
            CorruptionError: a pin cannot be read, or the disk is full or not writable.
        """
        if keep_versions is None:
            since = self._before(self.retention if keep is None else parse_duration(keep, "keep"))
            return self.table.vacuum(since=since, provenance=self._provenance(), dry_run=dry_run)
        if keep is not None or isinstance(keep_versions, bool) or keep_versions < 1:
            raise DataError(
                f"keep={keep!r} and keep_versions={keep_versions!r} do not say which versions to keep.",
                fix="Give one of them: keep='30d', or keep_versions=10.",
                keep=keep,
                keep_versions=keep_versions,
            )
        return self.table.vacuum(last=keep_versions, provenance=self._provenance(), dry_run=dry_run)

    def _before(self, span: timedelta) -> datetime:
        try:
            return self._clock() - span
        except OverflowError:  # before the first of all years
            return datetime.min.replace(tzinfo=UTC)
