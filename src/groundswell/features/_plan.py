"""From a query and pinned versions to an engine's plan.

The left side is either the base group's own rows, or rows from outside. If those stand for the base group's (they bring
its features and keys), the joined groups are looked up at their time; if they bring only keys, the base group is looked
up like the others.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from groundswell.engines import AsOfJoin, Bucket, JoinReport, PointInTimeJoin, Rows, Scan
from groundswell.errors import JoinError
from groundswell.expressions import Expression
from groundswell.features._reads import Read, record
from groundswell.features._selection import Join, Selection, Shape
from groundswell.tables import Snapshot
from groundswell.types import HIDDEN_PREFIX

BASE_KEY = f"{HIDDEN_PREFIX}base."
"""Columns of the base group that later joins need and the result does not show."""


@dataclass(frozen=True)
class Pins:
    """The version of each group's table, by the group's id."""

    snapshots: Mapping[str, Snapshot]

    @staticmethod
    def now(query: Shape) -> "Pins":
        """The newest version of each group."""
        return Pins({group.id: group.snapshot() for group in query.groups()})

    @staticmethod
    def at(query: Shape, versions: Mapping[str, int], *, remainder: bool = False) -> "Pins":
        """These versions, by group id.

        Args:
            query: what is read.
            versions: of which versions.
            remainder: whether rows of them that were purged may be missing.

        Raises:
            NotFoundError: a group has no such version.
            ErasedError: rows of one were purged, and the remainder is not asked for.
        """
        found = {group.id: group.snapshot(versions[group.id], remainder=remainder) for group in query.groups()}
        return Pins(found)

    @property
    def versions(self) -> dict[str, int]:
        """The versions by group id."""
        return {group_id: snapshot.version for group_id, snapshot in self.snapshots.items()}

    def scan(self, selection: Selection, columns: Sequence[str] | None = None) -> Scan:
        """The pinned rows of a selection."""
        return Scan(
            snapshot=self.snapshots[selection.group.id],
            columns=tuple(selection.columns if columns is None else columns),
            where=selection.where,
        )


def plan_rows(
    query: Shape,
    pins: Pins,
    *,
    where: Expression | None = None,
    bucket: Bucket | None = None,
    extra: Sequence[str] = (),
    provenance: bool = False,
    report: bool = True,
) -> PointInTimeJoin:
    """The plan whose left side is the base group's rows.

    Args:
        query: what to read.
        pins: which versions.
        where: a further condition on the base group's rows.
        bucket: which part of them, by hash.
        extra: columns of the base group that come out although the query does not select them.
        provenance: whether to say which row of each joined group matched.
        report: whether to count matches and measure their ages.

    Raises:
        JoinError: a joined group has event times and the base group has none.
    """
    base = query.base
    timeless = [join for join in query.joins if join.right.group.event_time is not None]
    if base.group.event_time is None and timeless:
        raise JoinError(
            f"Group {base.group.name!r} has no event time, so {timeless[0].name!r} cannot be joined to its rows.",
            why="A point-in-time join needs the moment at which each row looks.",
            fix="Give the group an event time, or join from rows that have one with view.join_to(frame).",
        )
    return PointInTimeJoin(
        left=scan_base(query, pins, where),
        time=base.group.event_time,
        outputs=(*base.columns, *extra),
        joins=tuple(_asof(join, pins) for join in query.joins),
        bucket=bucket,
        provenance=provenance,
        report=report,
    )


def scan_base(query: Shape, pins: Pins, where: Expression | None = None) -> Scan:
    """The base group's rows, under the query's condition and a further one."""
    scan = pins.scan(query.base)
    if where is None:
        return scan
    return replace(scan, where=where if scan.where is None else scan.where & where)


def plan_requests(
    query: Shape, pins: Pins, rows: pa.Table, time: str, outputs: Sequence[str], *, provenance: bool = False
) -> PointInTimeJoin:
    """The plan whose left side stands for rows of the base group: only the joined groups are looked up."""
    return PointInTimeJoin(
        left=Rows(table=rows),
        time=time,
        outputs=tuple(outputs),
        joins=tuple(_asof(join, pins) for join in query.joins),
        provenance=provenance,
    )


def plan_entities(
    query: Shape, pins: Pins, rows: pa.Table, time: str, outputs: Sequence[str], *, provenance: bool = False
) -> PointInTimeJoin:
    """The plan whose left side brings keys only: the base group is looked up by its key, then the others."""
    base, own = query.base, query.base_join
    needed = [left for join in query.joins for left, _ in join.on if left in base.group.schema]
    hidden = [name for name in dict.fromkeys(needed) if name not in rows.column_names and name not in base.columns]
    looked_up = AsOfJoin(
        name=own.name,
        scan=pins.scan(base, (*base.columns, *hidden)),
        on=own.on,
        outputs=(*base.columns, *(BASE_KEY + name for name in hidden)),
    )
    renamed = {name: BASE_KEY + name for name in hidden}
    return PointInTimeJoin(
        left=Rows(table=rows),
        time=time,
        outputs=tuple(outputs),
        joins=(looked_up, *(_asof(join, pins, renamed) for join in query.joins)),
        provenance=provenance,
    )


def read_plan(
    query: Shape, plan: PointInTimeJoin, columns: Iterable[str] | None = None
) -> tuple[pa.RecordBatchReader, list[JoinReport]]:
    """Run a plan of the query and keep some of the columns (None: all that the query puts out)."""
    names_of = {group.id: group.name for group in query.groups()}
    for scan in (plan.left, *(asof.scan for asof in plan.joins)):
        if isinstance(scan, Scan):
            snapshot = scan.snapshot
            record(Read("feature_group", snapshot.table_id, names_of[snapshot.table_id], snapshot.version))
    reader, reports = query.base.group.engine.join(plan)
    names = [*(query.schema.names if columns is None else columns)]
    if reader.schema.names == names:
        return reader, reports
    schema = pa.schema([reader.schema.field(name) for name in names])
    return pa.RecordBatchReader.from_batches(schema, (batch.select(names) for batch in reader)), reports


def _asof(join: Join, pins: Pins, renamed: Mapping[str, str] | None = None) -> AsOfJoin:
    names = renamed or {}
    return AsOfJoin(
        name=join.name,
        scan=pins.scan(join.right),
        on=tuple((names.get(left, left), key) for left, key in join.on),
        outputs=join.outputs,
        max_age=join.max_age,
    )
