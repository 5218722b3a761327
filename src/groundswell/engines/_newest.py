"""The newest row of each key, and those that will be newest later: what an online store keeps of a table.

A row counts from `known` on, the later of its event time and its availability. In order of `known`, the rows that are
the greatest (event time, availability, order) so far are the steps that the answer takes with time. Of the steps up to
now only the last can still be seen. Steps are found on keys and times alone; then the columns are gathered by place.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
from sqlglot import exp

from groundswell.engines._sql import column, place, row_version, rows, template
from groundswell.tables import HIDDEN, DataFile, Definition

VERSION = HIDDEN[0].name
"""The column that says which commit wrote a row; null for a key that has no row any more."""


@dataclass(frozen=True, kw_only=True)
class Touched:
    """The keys whose rows may have changed in any way.

    Args:
        files: all keys in these files.
        removed, added: the keys of rows that are in one of the two and not in the other, as told by identity and
            commit: a rewrite that drops one row of a million touches one key.
    """

    files: tuple[DataFile, ...] = ()
    removed: tuple[DataFile, ...] = ()
    added: tuple[DataFile, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Newest:
    """The rows of some files that are newest for their key at a moment or will be later.

    The result has the table's columns and `VERSION`, and is in the order of keys and, of one key, of time. Rows with a
    null in key or time, which only other tools can write, count for nothing.

    Args:
        definition: the table's.
        files: where the rows are, in order.
        now_us: the moment, in microseconds since 1970.
        touched: which keys; each comes back, with nulls if it has no row. None is all that the files hold.
    """

    definition: Definition
    files: tuple[DataFile, ...]
    now_us: int
    touched: Touched | None = None

    @property
    def schema(self) -> pa.Schema:
        """What the result looks like."""
        fields = (pa.field(f.name, f.type) for f in self.definition.schema)
        return pa.schema([*fields, pa.field(VERSION, pa.int64())])

    @property
    def paths(self) -> list[str]:
        """Every file that is read."""
        touched = self.touched or Touched()
        return [file.path for part in (self.files, touched.files, touched.removed, touched.added) for file in part]


def newest(plan: Newest) -> exp.Expr:
    """The query, whose columns come in the order of the plan's schema."""
    definition = plan.definition
    columns: dict[str, exp.Expr] = {f"c{i}": exp.column(f"c{i}") for i in range(len(definition.schema))}
    columns |= {"version": row_version(plan.files), "place": place()}
    every = rows([f.path for f in plan.files], definition, columns)
    keys = _keys(definition)
    if plan.touched is None:
        names = ", ".join(f"e.c{i}" for i in range(len(definition.schema)))
        order = ", ".join(f"s.{k}" for k in keys)
        return template(
            f"SELECT {names}, e.version FROM every AS e JOIN steps AS s ON e.place = s.place ORDER BY {order}, s.known",
            every=every,
            steps=_steps(plan),
        )
    of_key = {definition.schema.names.index(name): k for k, name in zip(keys, definition.primary_key, strict=True)}
    names = ", ".join(f"t.{of_key[i]}" if i in of_key else f"g.c{i}" for i in range(len(definition.schema)))
    gathered = "SELECT e.*, s.known FROM every AS e JOIN steps AS s ON e.place = s.place"
    return template(
        f"""
        WITH g AS ({gathered})
        SELECT {names}, g.version FROM touched AS t
        LEFT JOIN g ON {" AND ".join(f"t.{k} = g.c{i}" for i, k in of_key.items())}
        ORDER BY {", ".join(f"t.{k}" for k in keys)}, g.known
        """,
        every=every,
        touched=_touched(definition, plan.touched),
        steps=_steps(plan),
    )


def _steps(plan: Newest) -> exp.Select:
    """Keys, `known` and place of the steps; `touched` is a table to select from if the plan has some."""
    definition = plan.definition
    narrow = {**_keys(definition), **_times(definition), "place": place()}
    present = _rows(plan.files, definition, narrow)
    names = ", ".join(_keys(definition))
    same = " AND ".join(f"p.{k} = t.{k}" for k in _keys(definition))
    wanted = "SELECT p.* FROM p" if plan.touched is None else f"SELECT p.* FROM p SEMI JOIN touched AS t ON {same}"
    if definition.event_time is None:
        return template(
            f"WITH near AS ({wanted}) SELECT {names}, 0 AS known, max(place) AS place FROM near GROUP BY {names}",
            p=present,
        )
    return template(
        f"""
        WITH near AS ({wanted}),
        dated AS (SELECT near.*, greatest(et, aa, {plan.now_us}) AS known FROM near),
        ranked AS (
            SELECT dated.*, max(et) OVER w AS latest, lead(known) OVER w AS next_known FROM dated
            WINDOW w AS (PARTITION BY {names} ORDER BY known, et, aa, place ROWS UNBOUNDED PRECEDING)
        )
        SELECT {names}, known, place FROM ranked WHERE et = latest AND next_known IS DISTINCT FROM known
        """,
        p=present,
    )


def _touched(definition: Definition, touched: Touched) -> exp.Select:
    keys = _keys(definition)
    names = ", ".join(keys)

    def of(files: Sequence[DataFile]) -> exp.Select:
        versioned = {**keys, **_times(definition), "version": row_version(files)}
        return _rows(files, definition, versioned)

    return template(
        f"""
        WITH gone AS (SELECT * FROM r EXCEPT SELECT * FROM a), come AS (SELECT * FROM a EXCEPT SELECT * FROM r)
        SELECT DISTINCT {names} FROM
            (SELECT {names} FROM w UNION ALL SELECT {names} FROM gone UNION ALL SELECT {names} FROM come) AS every_key
        """,
        w=_rows(touched.files, definition, keys),
        r=of(touched.removed),
        a=of(touched.added),
    )


def _rows(files: Sequence[DataFile], definition: Definition, columns: Mapping[str, exp.Expr]) -> exp.Select:
    """The rows whose identity has no null."""
    whole = [exp.Not(this=exp.Is(this=column(definition, name), expression=exp.null())) for name in definition.identity]
    return rows([f.path for f in files], definition, columns, exp.and_(*whole))


def _keys(definition: Definition) -> dict[str, exp.Expr]:
    return {f"k{i}": column(definition, name) for i, name in enumerate(definition.primary_key)}


def _times(definition: Definition) -> dict[str, exp.Expr]:
    """Event time and availability in microseconds; one that the table does not have says nothing."""
    if definition.event_time is None:
        return {}
    event = exp.func("epoch_us", column(definition, definition.event_time))
    if definition.available_at is None:
        return {"et": event, "aa": event.copy()}
    return {"et": event, "aa": exp.func("epoch_us", column(definition, definition.available_at))}
