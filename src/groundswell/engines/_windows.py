"""Aggregations over windows of event time, each as of every moment at which a row of the window became known.

The windows of a key end at the points of a grid. A row counts in those that hold its event time, from its availability
on until a later version of the same row is known. So the rows of the result are (key, end, known): what was known, at
that moment, of what had happened in the window. Time is in microseconds since 1970 throughout.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa
import sqlglot
from sqlglot import exp

from groundswell.engines._difference import Difference, change_rows
from groundswell.engines._sql import column, current, instant, template
from groundswell.tables import DataFile, Definition, Snapshot

__all__ = ["WindowMeasure", "Windowed", "window_bounds", "window_rows"]

GRID = "grid"
"""The name under which a query sees the ends of windows: `t`, `closing`, and `s0`, `s1`, … where they begin."""


@dataclass(frozen=True)
class WindowMeasure:
    """One value over the rows of a window.

    Args:
        kind: what is computed.
        column: of which column; None counts rows.
        length: which of the grid's lengths the window has.
    """

    kind: Literal["count", "sum", "mean", "min", "max", "std", "last", "share", "distinct"]
    column: str | None
    length: int


@dataclass(frozen=True, kw_only=True)
class Windowed:
    """What is to be computed over windows.

    Args:
        snapshot: the rows.
        before: an earlier version of the same table: only windows that differ are wanted; None wants all.
        written: what was computed before, whose moments are computed again in those windows; None has none.
        key: the columns whose values have windows of their own; rows with a null in one are left out.
        measures: what is computed, in order.
        schema: the result: keys, end of the window, when it was known if the rows say when they were, and the values.
        known_every_us: availability is rounded up to multiples of so many microseconds.
    """

    snapshot: Snapshot
    before: Snapshot | None
    written: Snapshot | None
    key: tuple[str, ...]
    measures: tuple[WindowMeasure, ...]
    schema: pa.Schema
    known_every_us: int = 1


def window_bounds(plan: Windowed) -> exp.Expr:
    """The first and the last event time whose windows are wanted; nulls if there are none."""
    parts = _touched(plan, None)
    if plan.written is None or plan.before is not None:
        return template("SELECT min(e), max(e) FROM touched", **parts)
    parts["written"] = _written(plan, plan.written, None)
    parts["every"] = template("SELECT e FROM touched UNION ALL SELECT t - 1 AS e FROM written")
    return template("SELECT min(e), max(e) FROM every", **parts)


def window_rows(plan: Windowed, first: int, end: int) -> exp.Expr:
    """The result at the points of the grid, in the order of ends and keys.

    Args:
        plan: what is wanted.
        first: the earliest event time that the grid's windows hold.
        end: the end of its last window.
    """
    definition, keys = plan.snapshot.definition, _keys(plan)
    of_point = ", ".join(f"p.{k}" for k in keys)
    values = ", ".join(_value(measure, i, definition) for i, measure in enumerate(plan.measures))
    known = ", make_timestamptz(p.known)" if definition.available_at else ""
    return template(
        f"""
        SELECT {of_point}, make_timestamptz(p.t){known}, {values}
        FROM points AS p LEFT JOIN used AS u
        ON {_same("u", "p", keys)} AND u.t = p.t AND u.known <= p.known AND (u.until IS NULL OR u.until > p.known)
        GROUP BY {of_point}, p.t, p.known ORDER BY p.t, {of_point}, p.known
        """,
        **_touched(plan, (first, end)),
        **_wanted(plan, (first, end)),
    )


def _wanted(plan: Windowed, within: tuple[int, int]) -> dict[str, exp.Expr]:
    """Common table expressions: the windows that are wanted, the rows that touch each, and the moments at which what is
    known of it may change, `points`.
    """
    keys, parts = _keys(plan), dict[str, exp.Expr]()
    names = ", ".join(keys)
    wins = f"SELECT DISTINCT {names}, g.* FROM touched JOIN {GRID} AS g ON e < g.t AND e >= g.closing"
    if plan.written is not None:
        parts["written"] = _written(plan, plan.written, within)
        if plan.before is None:  # what is there may be of rows that nobody can say any more
            wins += f" UNION SELECT {names}, g.* FROM written AS o JOIN {GRID} AS g ON o.t = g.t"
    parts["wins"] = _query(wins)
    parts["used"] = template(
        f"SELECT w.*, v.* EXCLUDE ({names}), greatest(v.a, w.t) AS known FROM wins AS w JOIN versions AS v "
        f"ON {_same('w', 'v', keys)} AND v.e < w.t AND v.e >= w.closing"
    )
    if not plan.snapshot.definition.available_at:  # a window that lost its last row is computed too: it is empty
        moments = f"SELECT {names}, t, t AS known FROM wins"
    else:
        moments = f"SELECT {names}, t, unnest([known, CASE WHEN until > t THEN until END]) AS known FROM used"
        if plan.written is not None:
            near = f"{_same('o', 'w', keys)} AND o.t = w.t"
            moments += f" UNION ALL SELECT o.* FROM written AS o SEMI JOIN wins AS w ON {near}"
    parts["moments"] = _query(moments)
    parts["points"] = template("SELECT DISTINCT * FROM moments WHERE known IS NOT NULL")
    return parts


def _touched(plan: Windowed, within: tuple[int, int] | None) -> dict[str, exp.Expr]:
    """Common table expressions: the rows with the time until which each counts, and (key, event time) of those whose
    windows are wanted.
    """
    keys, definition = _keys(plan), plan.snapshot.definition
    names = ", ".join(keys)
    given = " AND ".join(f"{key} IS NOT NULL" for key in keys)
    identity, step = [f"p{i}" for i in range(len(definition.primary_key))], plan.known_every_us
    until = f"lead(a) OVER (PARTITION BY {', '.join(identity)}, e ORDER BY b)" if definition.available_at else "NULL"
    parts: dict[str, exp.Expr] = {
        "r": _rows(plan, within),
        # Up to the next multiple, before 1970 too. Of two versions of a row it may be the same: the later one counts.
        "timed": template(f"SELECT r.*, b + ((-b) % {step} + {step}) % {step} AS a FROM r"),
        "versions": template(f"SELECT timed.*, {until}::BIGINT AS until FROM timed"),
    }
    if plan.before is None:
        parts["touched"] = template(f"SELECT DISTINCT {names}, e FROM r WHERE {given}")
        return parts
    parts["feed"] = _changed(plan, Difference(plan.before, plan.snapshot))
    bounds = "TRUE" if within is None else f"e >= {within[0]} AND e < {within[1]}"
    parts["changed"] = template(f"SELECT * FROM feed WHERE {bounds}")
    parts["related"] = template(
        f"SELECT {names}, e FROM changed UNION ALL "
        f"SELECT {names}, e FROM r SEMI JOIN changed AS c ON {_same('r', 'c', [*identity, 'e'])}"
    )
    parts["touched"] = template(f"SELECT DISTINCT {names}, e FROM related WHERE {given}")
    return parts


def _rows(plan: Windowed, within: tuple[int, int] | None) -> exp.Expr:
    snapshot, definition = plan.snapshot, plan.snapshot.definition
    assert definition.event_time is not None
    columns = _own_columns(plan, definition)
    columns["b"] = exp.func("epoch_us", column(definition, definition.available_at or definition.event_time))
    for i, measure in enumerate(plan.measures):
        if measure.column is not None:
            columns[f"v{i}"] = column(definition, measure.column)
    return _between(snapshot, columns, within)


def _overlapping(files: Sequence[DataFile], within: tuple[int, int]) -> list[DataFile]:
    """The files that may hold rows of these times: all rows of one identity, as the time is part of it."""
    low, high = within
    return [
        f
        for f in files
        if f.min_time_us is None or f.max_time_us is None or (f.min_time_us < high and f.max_time_us >= low)
    ]


def _own_columns(plan: Windowed, definition: Definition) -> dict[str, exp.Expr]:
    """Key, primary key and event time in a query over the table's columns."""
    assert definition.event_time is not None
    columns: dict[str, exp.Expr] = {k: column(definition, name) for k, name in zip(_keys(plan), plan.key, strict=True)}
    columns |= {f"p{i}": column(definition, name) for i, name in enumerate(definition.primary_key)}
    columns["e"] = exp.func("epoch_us", column(definition, definition.event_time))
    return columns


def _changed(plan: Windowed, difference: Difference) -> exp.Expr:
    """Key, primary key and event time of the rows that were added, removed or are other than before."""
    columns = _own_columns(plan, difference.definition)
    query = exp.select(*(exp.alias_(tree, alias) for alias, tree in columns.items())).from_("feed_rows")
    return query.with_("feed_rows", as_=change_rows(difference), copy=False)


def _written(plan: Windowed, snapshot: Snapshot, within: tuple[int, int] | None) -> exp.Expr:
    """The windows and moments that were computed before."""
    definition = snapshot.definition
    assert definition.event_time is not None
    columns: dict[str, exp.Expr] = {k: column(definition, name) for k, name in zip(_keys(plan), plan.key, strict=True)}
    columns["t"] = exp.func("epoch_us", column(definition, definition.event_time))
    columns["known"] = exp.func("epoch_us", column(definition, definition.available_at or definition.event_time))
    return template("SELECT n.* EXCLUDE (place) FROM n", n=_between(snapshot, columns, within))


def _between(snapshot: Snapshot, columns: Mapping[str, exp.Expr], within: tuple[int, int] | None) -> exp.Select:
    """The current rows with event times between two moments, both included; None is all."""
    definition = snapshot.definition
    if within is None:
        return current(snapshot, snapshot.files, columns)
    assert definition.event_time is not None
    low, high = within
    near = exp.Between(this=column(definition, definition.event_time), low=instant(low), high=instant(high))
    return current(snapshot, _overlapping(snapshot.files, within), columns, within=near)


def _query(text: str) -> exp.Expr:
    return sqlglot.parse_one(text, read="duckdb")


def _keys(plan: Windowed) -> list[str]:
    return [f"k{i}" for i in range(len(plan.key))]


def _same(left: str, right: str, columns: Sequence[str]) -> str:
    return " AND ".join(f"{left}.{name} = {right}.{name}" for name in columns)


def _value(measure: WindowMeasure, i: int, definition: Definition) -> str:
    """The SQL of a measure over the rows `u` of a window."""
    inside = f"u.e >= u.s{measure.length}"
    if measure.column is None:
        return f"count(u.e) FILTER (WHERE {inside})"
    value = f"u.v{i}"
    order = ", ".join(["u.e", "u.a", *(f"u.p{j}" for j in range(len(definition.primary_key)))])
    whole = pa.types.is_integer(definition.schema[measure.column].type)
    # Kahan's sums: what they give does not depend on the order of rows but in the last bit.
    computed = {
        "count": f"count({value})",
        "distinct": f"count(DISTINCT {value})",
        "sum": f"sum({value})" if whole else f"fsum({value}::DOUBLE)",
        "mean": f"favg({value}::DOUBLE)",
        "share": f"favg({value}::INT::DOUBLE)",
        "std": f"stddev_samp({value}::DOUBLE)",
        "min": f"min({value})",
        "max": f"max({value})",
        "last": f"last({value} ORDER BY {order})",
    }[measure.kind]
    given = f"{inside} AND {value} IS NOT NULL" if measure.kind == "last" else inside
    filtered = f"{computed} FILTER (WHERE {given})"
    return f"CAST({filtered} AS BIGINT)" if measure.kind == "sum" and whole else filtered
