"""One version of a table: the files that make it up, in order."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from groundswell.tables._definition import Definition


@dataclass(frozen=True, kw_only=True)
class DataFile:
    """A Parquet file of a snapshot.

    Args:
        path: where it is.
        version: the version whose rows it holds, for the order of rows: that of the commit that added it, or, for a
            file that compaction wrote, the newest version that it folds.
        rows: the number of rows.
        distinct: whether no row of an earlier file has the identity of one of its rows.
        moved: whether compaction wrote it, so its rows say themselves which commit they come from.
        min_time_us, max_time_us: the range of its event times in microseconds since 1970, if known.
    """

    path: str
    version: int
    rows: int
    distinct: bool
    moved: bool
    min_time_us: int | None
    max_time_us: int | None


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """A table as of one version. Reading it gives the same rows for as long as its files are kept.

    Args:
        table_id: the group's id in the catalog.
        definition: keys, times and schema.
        version: the version of the table.
        committed_at: when that version was committed, in UTC.
        files: the files in the order of their rows: of two rows with one identity the later counts.
    """

    table_id: str
    definition: Definition
    version: int
    committed_at: datetime
    files: tuple[DataFile, ...]

    @property
    def rows(self) -> int:
        """The rows written, replaced ones included."""
        return sum(f.rows for f in self.files)

    @property
    def clean(self) -> bool:
        """Whether every identity is known to be there once, so nothing needs folding."""
        return all(f.distinct for f in self.files)

    def overlapping(self, low_us: int | None, high_us: int | None) -> tuple[DataFile, ...]:
        """The files that may hold an event time within the range; None is open."""
        return tuple(
            f
            for f in self.files
            if (high_us is None or f.min_time_us is None or f.min_time_us <= high_us)
            and (low_us is None or f.max_time_us is None or f.max_time_us >= low_us)
        )


def microseconds(moment: datetime) -> int:
    """Whole microseconds since 1970-01-01T00:00:00Z, exactly."""
    return (moment - datetime.fromtimestamp(0, tz=moment.tzinfo)) // timedelta(microseconds=1)
