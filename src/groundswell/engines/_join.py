"""The point-in-time join on DuckDB: match on keys and times alone, then gather what was asked for.

For each label row (keys k, time t) and each joined group: among the rows with those keys, event time ≤ t and available
≤ t, the one with the largest event time, then the largest availability, then the latest in order. Matching reads only
keys and times and yields places (file and row number); gathering reads the wanted columns once and picks the places.
That sorts 24 bytes a row in place of the whole row.

Availability makes two conditions of one, which an as-of join cannot take. But a row counts at t only if both its times
are ≤ t, that is from `known` = the later of the two on; and the answer at t is the greatest (event time, availability)
among the rows known by then: a running maximum in order of `known`. Rows that are not the maximum when they become
known never win, so they are left out, and a plain as-of join on `known` gives the answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pyarrow as pa
import sqlglot
from sqlglot import exp

from groundswell.engines._plan import AsOfJoin, JoinReport, PointInTimeJoin, Rows, Scan, provenance_columns
from groundswell.engines._sql import (
    ROW_BITS,
    bucket,
    column,
    condition,
    current,
    instant,
    place,
    row_version,
    rows,
    template,
    text_of,
)
from groundswell.errors import ColumnNotFoundError, choices
from groundswell.tables import DataFile, Snapshot, microseconds, physical_schema
from groundswell.types import TIMESTAMP

_MICROSECOND = timedelta(microseconds=1)
_BEGINNING_US = microseconds(datetime(1, 1, 1, tzinfo=UTC))
_SMALL = 100_000
"""A table of fewer rows is sorted as fast as it is thinned out."""
_FEW = 5_000
"""Below so many label rows a lookup is a matter of skipping what cannot match, above it of scanning fast."""


def join(cursor: duckdb.DuckDBPyConnection, plan: PointInTimeJoin) -> tuple[exp.Expr, pa.Schema, list[JoinReport]]:
    """Match every join and return the query that gathers the result, its schema and the reports."""
    state = _State(cursor, plan)
    state.make_left()
    for i, asof in enumerate(plan.joins):
        state.match(i, asof)
    reports = [state.report(i, asof) for i, asof in enumerate(plan.joins)] if plan.report else []
    return *state.gather(), reports


@dataclass
class _Output:
    """A column of the result: its Arrow field, and where it is gathered from."""

    field: pa.Field
    table: str
    alias: str


@dataclass
class _State:
    """One join as it goes.

    There are temporary tables `l` (the left: id, t, keys) and `m0`, `m1`, … (the matches: id, place, times). `gathers`
    says how each table's columns are fetched, `outputs` what comes out, `keys` which columns of `l` hold which keys.
    """

    cursor: duckdb.DuckDBPyConnection
    plan: PointInTimeJoin
    gathers: dict[str, exp.Select] = field(default_factory=dict)
    outputs: dict[str, _Output] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    labels: int = 0
    first_us: int | None = None
    last_us: int | None = None

    def make_left(self) -> None:
        """Make `l`, and say how the left's own columns are gathered."""
        left, plan = self.plan.left, self.plan
        wanted = [key for asof in plan.joins for key, _ in asof.on]
        names = left.table.column_names if isinstance(left, Rows) else left.snapshot.definition.schema.names
        keys = list(dict.fromkeys(key for key in wanted if key in names))
        if isinstance(left, Rows):
            select, gathered = self._rows_from_outside(left, keys)
        else:
            select, gathered = self._rows_of_group(left, keys)
        self._create("l", select)
        self.gathers["own"] = gathered
        for i, name in enumerate(keys):
            self.keys[name] = f"l.k{i}"
        self.labels, self.first_us, self.last_us = self._row(
            "SELECT count(*), epoch_us(min(t)), epoch_us(max(t)) FROM l"
        )

    def _rows_of_group(self, left: Scan, keys: list[str]) -> tuple[exp.Expr, exp.Select]:
        snapshot, definition = left.snapshot, left.snapshot.definition
        columns: dict[str, exp.Expr] = {f"k{i}": column(definition, name) for i, name in enumerate(keys)}
        columns["t"] = _null_time() if self.plan.time is None else column(definition, self.plan.time)
        where = None if left.where is None else condition(definition, left.where)
        if self.plan.bucket is not None:
            of = [(column(definition, name), definition.schema[name].type) for name in self.plan.bucket.columns]
            inside = bucket(of, self.plan.bucket)
            where = inside if where is None else exp.and_(where, inside)
        select = template(
            "SELECT r.* EXCLUDE (place), r.place AS id FROM r", r=current(snapshot, snapshot.files, columns, where)
        )
        for i, name in enumerate(self.plan.outputs):
            kind = definition.schema[name]
            self.outputs[name] = _Output(pa.field(name, kind.type, kind.nullable), "own", f"o{i}")
        gathered: dict[str, exp.Expr] = {f"o{i}": column(definition, n) for i, n in enumerate(self.plan.outputs)}
        paths = [f.path for f in snapshot.files]
        return select, rows(paths, definition, {**gathered, "id": place()})

    def _rows_from_outside(self, left: Rows, keys: list[str]) -> tuple[exp.Expr, exp.Select]:
        table = left.table
        stored = table.cast(physical_schema(table.schema))  # as the groups' columns are read
        numbered = stored.rename_columns([f"c{i}" for i in range(table.num_columns)]).append_column(
            "id", pa.array(range(table.num_rows), pa.int64())
        )
        self.cursor.register("outside", numbered)
        at = {name: exp.column(f"c{i}") for i, name in enumerate(table.column_names)}
        columns: dict[str, exp.Expr] = {f"k{i}": at[name] for i, name in enumerate(keys)}
        columns |= {"t": _null_time() if self.plan.time is None else at[self.plan.time], "id": exp.column("id")}
        select = exp.select(*(exp.alias_(tree, alias) for alias, tree in columns.items())).from_("outside")
        if self.plan.bucket is not None:
            of = [(at[name], table.schema.field(name).type) for name in self.plan.bucket.columns]
            select = select.where(bucket(of, self.plan.bucket))
        for i, name in enumerate(self.plan.outputs):
            self.outputs[name] = _Output(table.schema.field(name), "own", f"o{i}")
        gathered = [exp.alias_(at[name], f"o{i}") for i, name in enumerate(self.plan.outputs)]
        return select, exp.select(exp.column("id"), *gathered).from_("outside")

    def match(self, number: int, asof: AsOfJoin) -> None:
        """Make the table of matches of one join, and say how its columns are gathered."""
        self._make_labels(asof)
        timed = asof.scan.snapshot.definition.event_time is not None
        same = " AND ".join(f"b.k{i} = r.k{i}" for i in range(len(asof.on)))
        if timed:
            known = asof.scan.snapshot.definition.available_at is not None
            et, aa = ("r.et", "r.aa") if known else ("r.known", "NULL::TIMESTAMPTZ")
            age = f"epoch_us(b.t) - epoch_us({et})"
            limit = "" if asof.max_age is None else f"WHERE {age} <= {asof.max_age // _MICROSECOND}"
            text = f"""SELECT b.id, r.place, {et} AS et, {aa} AS aa, {age} AS age
                       FROM b ASOF JOIN r ON {same} AND b.t >= r.known {limit}"""
        else:
            text = f"SELECT b.id, r.place, NULL AS et, NULL AS aa, NULL AS age FROM b JOIN r ON {same}"
        self._create(f"m{number}", template(text, r=self._candidates(asof)))
        self._plan_gather(number, asof)

    def report(self, number: int, asof: AsOfJoin) -> JoinReport:
        """How one join went."""
        timed = asof.scan.snapshot.definition.event_time is not None
        matched, *ages = self._row(f"SELECT count(*), min(age), median(age), max(age) FROM m{number}")
        return JoinReport(
            name=asof.name,
            rows=self.labels,
            matched=matched,
            ages_s=(ages[0] / 1e6, ages[1] / 1e6, ages[2] / 1e6) if timed and matched else None,
            point_in_time=timed,
        )

    def _make_labels(self, asof: AsOfJoin) -> None:
        """Make `b`: for each row of the left its id, its time and its keys for this join."""
        columns, gathered = [], {}
        for i, (name, _) in enumerate(asof.on):
            if name in self.keys:
                columns.append(f"{self.keys[name]} AS k{i}")
                continue
            if name not in self.outputs:
                raise ColumnNotFoundError(
                    f"The join {asof.name!r} finds no column {name!r} on its left.",
                    fix=choices(name, [*self.keys, *self.outputs], "columns"),
                    column=name,
                )
            output = self.outputs[name]
            gathered[output.table] = self.gathers[output.table]
            columns.append(f"{output.table}.{output.alias} AS k{i}")
        joins = " ".join(f"LEFT JOIN {table} ON {table}.id = l.id" for table in gathered)
        self.cursor.execute("DROP TABLE IF EXISTS b")
        self._create("b", template(f"SELECT l.id, l.t, {', '.join(columns)} FROM l {joins}", **gathered))

    def _candidates(self, asof: AsOfJoin) -> exp.Select:
        """The rows that a label may match: keys, place, and `known`, from when on a row counts."""
        snapshot, definition = asof.scan.snapshot, asof.scan.snapshot.definition
        columns: dict[str, exp.Expr] = {f"k{i}": column(definition, key) for i, (_, key) in enumerate(asof.on)}
        names, within = ", ".join(columns), None
        if definition.event_time is not None:
            event_time = column(definition, definition.event_time)
            within = self._time_range(asof, event_time)
            columns["et" if definition.available_at else "known"] = event_time
        if definition.available_at is not None:
            columns["aa"] = column(definition, definition.available_at)
        where = None if asof.scan.where is None else condition(definition, asof.scan.where)
        files = self._files(asof)
        near = current(snapshot, files, columns, where, within)
        if self._few_have_labels(asof, files):
            same = " AND ".join(f"e.k{i} = b.k{i}" for i in range(len(asof.on)))
            near = template(f"SELECT e.* FROM e SEMI JOIN b ON {same}", e=near)
        if definition.available_at is None:
            return near
        return template(
            f"""
            WITH dated AS (SELECT near.*, greatest(et, aa) AS known FROM near),
            ranked AS (
                SELECT dated.*, max(et) OVER w AS newest, lead(known) OVER w AS next_known FROM dated
                WINDOW w AS (PARTITION BY {names} ORDER BY known, et, aa, place ROWS UNBOUNDED PRECEDING)
            )
            SELECT ranked.* EXCLUDE (newest, next_known) FROM ranked
            WHERE et = newest AND next_known IS DISTINCT FROM known
            """,
            near=near,
        )

    def _few_have_labels(self, asof: AsOfJoin, files: Sequence[DataFile]) -> bool:
        """Whether it pays to leave out rows whose keys no label has, before they are sorted.

        Looking each row up costs about as much as half of sorting it. So it pays if less than half of the rows remain,
        which a sample of every 997th row tells unless there are so few labels, or so many, that it is clear.
        """
        size = sum(f.rows for f in files)
        if size > 50 * self.labels or size < _SMALL:
            return size >= _SMALL
        if size < 8 * self.labels:
            return False
        definition = asof.scan.snapshot.definition
        keys: dict[str, exp.Expr] = {f"k{i}": column(definition, key) for i, (_, key) in enumerate(asof.on)}
        sampled = sqlglot.parse_one("file_row_number % 997 = 0", read="duckdb")
        same = " AND ".join(f"s.{key} = b.{key}" for key in keys)
        query = template(
            f"SELECT count(*), count(*) FILTER (EXISTS (SELECT 1 FROM b WHERE {same})) FROM s",
            s=rows([f.path for f in files], definition, keys, sampled),
        )
        seen, kept = self._row(text_of(query))
        return bool(2 * kept < seen)

    def _times(self, asof: AsOfJoin) -> tuple[int | None, int | None]:
        """The earliest and latest event times that can match a label, in microseconds; None is open."""
        if self.first_us is None or asof.max_age is None:
            return None, self.last_us
        return max(self.first_us - asof.max_age // _MICROSECOND, _BEGINNING_US), self.last_us

    def _time_range(self, asof: AsOfJoin, et: exp.Expr) -> exp.Expr | None:
        """What every matching event time fulfills, so that row groups are skipped."""
        earliest, latest = self._times(asof)
        bounds: list[exp.Expr] = []
        if earliest is not None:
            bounds.append(exp.GTE(this=et.copy(), expression=instant(earliest)))
        if latest is not None:
            bounds.append(exp.LTE(this=et.copy(), expression=instant(latest)))
        return exp.and_(*bounds) if bounds else None

    def _files(self, asof: AsOfJoin) -> list[DataFile]:
        return list(asof.scan.snapshot.overlapping(*self._times(asof)))

    def _plan_gather(self, number: int, asof: AsOfJoin) -> None:
        """Say how the columns of a join come to the labels: by place, from the files that hold a match."""
        snapshot, definition = asof.scan.snapshot, asof.scan.snapshot.definition
        table, matches = f"g{number}", f"m{number}"
        touched = [(0,)]
        if len(snapshot.files) != 1:
            query = f"SELECT DISTINCT place >> {ROW_BITS} FROM {matches} ORDER BY 1"
            touched = self.cursor.execute(query).fetchall()
        files = [snapshot.files[n] for (n,) in touched]
        columns: dict[str, exp.Expr] = {}
        for i, (name, output) in enumerate(zip(asof.scan.columns, asof.outputs, strict=True)):
            columns[f"o{i}"] = column(definition, name)
            self.outputs[output] = _Output(pa.field(output, definition.schema[name].type), table, f"o{i}")
        if self.plan.provenance:
            version, event_time, available_at = provenance_columns(asof)
            columns["version"] = row_version(files)
            self.outputs[version] = _Output(pa.field(version, pa.int64()), table, "version")
            self.outputs[event_time] = _Output(pa.field(event_time, TIMESTAMP), table, "et")
            self.outputs[available_at] = _Output(pa.field(available_at, TIMESTAMP), table, "aa")
        numbers = [n for (n,) in touched]
        spot = place(numbers) if files else place()
        picked = rows([f.path for f in files], definition, {**columns, "place": spot}, self._range_of(number, snapshot))
        self.gathers[table] = template(
            f"SELECT m.id, m.et, m.aa, f.* EXCLUDE (place) FROM f JOIN {matches} AS m ON f.place = m.place", f=picked
        )

    def _range_of(self, number: int, snapshot: Snapshot) -> exp.Expr | None:
        """For a few labels: the range of the matched event times, which lets row groups be skipped."""
        if self.labels > _FEW or snapshot.definition.event_time is None:
            return None
        low, high = self._row(f"SELECT epoch_us(min(et)), epoch_us(max(et)) FROM m{number}")
        if low is None:
            return None
        et = column(snapshot.definition, snapshot.definition.event_time)
        return exp.and_(exp.GTE(this=et, expression=instant(low)), exp.LTE(this=et.copy(), expression=instant(high)))

    def gather(self) -> tuple[exp.Expr, pa.Schema]:
        """The query that puts the columns together in the order of the left, and its schema."""
        parts = {table: tree for table, tree in self.gathers.items() if self._needed(table)}
        select = ", ".join(f"{o.table}.{o.alias} AS r{i}" for i, o in enumerate(self.outputs.values())) or "NULL AS r0"
        joins = " ".join(f"LEFT JOIN {table} ON {table}.id = l.id" for table in parts)
        query = template(f"SELECT {select} FROM l {joins} ORDER BY l.id", **parts)
        fields = [o.field.with_name(name) for name, o in self.outputs.items()] or [pa.field("rows", pa.null())]
        return query, pa.schema(fields)

    def _needed(self, table: str) -> bool:
        return any(output.table == table for output in self.outputs.values())

    def _create(self, name: str, query: exp.Expr) -> None:
        self.cursor.execute(f"CREATE TEMP TABLE {name} AS {text_of(query)}")

    def _row(self, text: str) -> tuple[Any, ...]:  # Any: values as DuckDB gives them
        (found,) = self.cursor.execute(text).fetchall()
        return tuple(found)


def _null_time() -> exp.Expr:
    return exp.cast(exp.null(), "TIMESTAMPTZ")
