"""What is to be computed, said without saying how: plans over pinned tables that any engine can run.

A plan names snapshots, columns and times. It is made of frozen values, so the same plan gives the same rows for as long
as its snapshots are kept.
"""

from dataclasses import dataclass
from datetime import timedelta

import pyarrow as pa

from groundswell.expressions import Expression
from groundswell.tables import Snapshot


@dataclass(frozen=True, kw_only=True)
class Scan:
    """The current rows of a snapshot, in their order.

    Args:
        snapshot: the pinned table.
        columns: which columns, by name.
        where: which rows, once folded; None is all.
    """

    snapshot: Snapshot
    columns: tuple[str, ...]
    where: Expression | None = None


@dataclass(frozen=True, kw_only=True)
class Bucket:
    """The rows whose identity hashes into [low, high), out of [0, 1).

    The hash is that of the text forms of the columns' values under a seed, so it depends neither on the order of rows
    nor on how they are partitioned, and any engine that has MD5 gives the same.
    """

    columns: tuple[str, ...]
    seed: int
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class AsOfJoin:
    """One group joined to the rows on its left, as of their times.

    Args:
        name: what the join is called in reports.
        scan: the group and the columns wanted; `where` applies after folding and before matching.
        on: for each key of the group, the column on the left that holds it: (left column, key).
        outputs: the names of the columns wanted in the result, in the order of `scan.columns`.
        max_age: how old a row may be at most; None is no limit.
    """

    name: str
    scan: Scan
    on: tuple[tuple[str, str], ...]
    outputs: tuple[str, ...]
    max_age: timedelta | None = None


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Rows that live outside any group: an Arrow table in memory."""

    table: pa.Table


@dataclass(frozen=True, kw_only=True)
class PointInTimeJoin:
    """Rows on the left, each extended by what every joined group knew at its time.

    Every row comes back once and in its order; nulls stand where nothing matched.

    Args:
        left: the rows: a scan of a group, or rows from outside.
        time: the column of the left that holds the time; None for a left without times, which may only join groups
            without event time.
        outputs: the columns of the left wanted in the result, by name.
        joins: the groups joined, in order; a join may use columns that earlier ones put out.
        bucket: which part of the left, by hash; None is all.
        provenance: whether to put out, for each join, the commit, event time and availability of the row that matched,
            as columns named by `provenance_columns`.
        report: whether to count matches and measure their ages.
    """

    left: Scan | Rows
    time: str | None
    outputs: tuple[str, ...]
    joins: tuple[AsOfJoin, ...]
    bucket: Bucket | None = None
    provenance: bool = False
    report: bool = True


@dataclass(frozen=True, kw_only=True)
class JoinReport:
    """How one join went.

    Args:
        name: the join.
        rows: rows on the left.
        matched: how many of them found a row.
        ages_s: the least, the median and the greatest age of the matched rows in seconds; None without event times.
        point_in_time: false for a group without event time, which is taken as of its pinned version.
    """

    name: str
    rows: int
    matched: int
    ages_s: tuple[float, float, float] | None
    point_in_time: bool


def provenance_columns(join: AsOfJoin) -> tuple[str, str, str]:
    """The names under which a join's commit version, event time and availability come out."""
    return f"__gs_{join.name}.version", f"__gs_{join.name}.event_time", f"__gs_{join.name}.available_at"
