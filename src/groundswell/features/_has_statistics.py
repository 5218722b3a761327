"""What a feature group offers of its statistics: which are kept, and reports of commits, history and the present."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Literal

from groundswell.errors import DataError
from groundswell.features._has_commits import AsOf
from groundswell.features.statistics import Scope, StatisticsConfig, StatisticsRecords, StatisticsReport
from groundswell.tables import Definition, Snapshot, Table

__all__ = ["HasStatistics"]


class HasStatistics(ABC):
    """A noun whose rows are summarized with each commit."""

    _statistics: StatisticsRecords

    @property
    @abstractmethod
    def table(self) -> Table:
        """Its table."""

    @property
    @abstractmethod
    def has_table(self) -> bool:
        """Whether it has columns yet."""

    @property
    @abstractmethod
    def definition(self) -> Definition:
        """Keys, times and schema, as they are now."""

    @abstractmethod
    def snapshot(self, as_of: AsOf | None = None, *, remainder: bool = False) -> Snapshot:
        """The table pinned at a version or time; None is now."""

    def set_statistics(self, statistics: bool | Sequence[str] | StatisticsConfig) -> None:
        """Choose which statistics are computed of every commit from now on.

        Args:
            statistics: True is all but numbers of distinct values; False is nothing; or some kinds, such as
                `["range", "distinct"]`, or a `StatisticsConfig`, which names columns too.

        Raises:
            DataError: it is none of these.
            ColumnNotFoundError: a column is not there.
        """
        self._statistics.set(statistics, self.definition if self.has_table else None)

    def statistics(
        self, as_of: AsOf | None = None, *, commit: int | None = None, rows: Literal["written", "current"] = "written"
    ) -> StatisticsReport:
        """The statistics of the rows written so far, of one commit, or of the current rows.

        Those of commits are computed when they are written, and merged; those of current rows at compaction. What is
        not there, because statistics were off or a file was lost, is computed now.

        Args:
            as_of: a version or time, as for `read`; None is now.
            commit: the version of one commit, whose rows alone are described.
            rows: "written" counts every row that was ever inserted; "current" those that `read` gives.

        Raises:
            NotFoundError: no such version, or the commit wrote no rows.
            DataError: `rows` is neither "written" nor "current".
        """
        if rows not in ("written", "current"):
            raise DataError(f"There are no {rows!r} rows.", fix="Use rows='written' or rows='current'.", rows=rows)
        at = self.table.version() if as_of is None else self.snapshot(as_of, remainder=True).version
        scope: Scope = "current rows" if rows == "current" else "rows written"
        return self._statistics.report(self.table, *((at, scope) if commit is None else (commit, "commit")))

    def compute_statistics(self) -> StatisticsReport:
        """Compute the statistics of all commits anew as they are chosen now, from the rows, and keep them."""
        self._statistics.recompute(self.table, self.table.version())
        return self.statistics()
