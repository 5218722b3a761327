"""What differs between two versions of a table: the current rows of the one and of the other, paired by identity.

Only identities that occur in files which one version has and the other has not can differ, so only those are paired;
what both versions share is read for them alone. A row that was written again with the same values does not differ.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
from sqlglot import exp

from groundswell.engines._sql import column, current, rows, template
from groundswell.tables import DataFile, Definition, Snapshot

__all__ = ["CHANGE", "Difference", "change_rows", "count_changes", "paired_rows"]

CHANGE = "_change_type"
"""The column that says what became of a row, as Delta Lake calls it."""


@dataclass(frozen=True)
class Difference:
    """Two versions of one table; it is what became of the rows of the first."""

    before: Snapshot
    after: Snapshot

    @property
    def definition(self) -> Definition:
        """The newer version's."""
        return self.after.definition if self.after.version >= self.before.version else self.before.definition

    @property
    def differing(self) -> tuple[DataFile, ...]:
        """The files that one version has and the other has not."""
        old, new = {f.path for f in self.before.files}, {f.path for f in self.after.files}
        gone = (f for f in self.before.files if f.path not in new)
        return (*gone, *(f for f in self.after.files if f.path not in old))

    @property
    def pair_schema(self) -> pa.Schema:
        """What `paired_rows` gives: the change, the identity, and each feature before and after."""
        schema = self.definition.schema
        features = [
            pa.field(f"{name}_{side}", schema[name].type)
            for name in self.definition.features
            for side in ("before", "after")
        ]
        return pa.schema([pa.field("change", pa.string()), *_identity_fields(self.definition), *features])

    @property
    def change_schema(self) -> pa.Schema:
        """What `change_rows` gives: the table's columns, and what became of the row."""
        fields = [pa.field(f.name, f.type) for f in self.definition.schema]
        return pa.schema([*fields, pa.field(CHANGE, pa.string())])


def paired_rows(difference: Difference) -> exp.Expr:
    """One row for each identity that differs: added, removed or changed."""
    definition = difference.definition
    at = {name: i for i, name in enumerate(definition.schema.names)}
    identity = ", ".join(f"coalesce(a.c{at[name]}, b.c{at[name]})" for name in definition.identity)
    features = "".join(f", b.c{at[name]}, a.c{at[name]}" for name in definition.features)
    return _paired(
        difference,
        f"""
        SELECT CASE WHEN b.place IS NULL THEN 'added' WHEN a.place IS NULL THEN 'removed' ELSE 'changed' END,
               {identity}{features}
        FROM {_PAIRS} ORDER BY a.place NULLS LAST, b.place
        """,
    )


def change_rows(difference: Difference) -> exp.Expr:
    """The rows as the change feed of Delta Lake has them: an update is the row before it and the row after it."""
    names = [f"c{i}" for i in range(len(difference.definition.schema))]
    both = ", ".join(f"b.{n} AS b{n}, a.{n} AS a{n}" for n in names)
    return _paired(
        difference,
        f"""
        SELECT {", ".join(names)}, kind FROM (
            SELECT {", ".join(f"b{n} AS {n}" for n in names)}, place_a, place_b, 0 AS turn,
                   CASE WHEN place_a IS NULL THEN 'delete' ELSE 'update_preimage' END AS kind
            FROM pairs WHERE place_b IS NOT NULL
            UNION ALL
            SELECT {", ".join(f"a{n} AS {n}" for n in names)}, place_a, place_b, 1 AS turn,
                   CASE WHEN place_b IS NULL THEN 'insert' ELSE 'update_postimage' END AS kind
            FROM pairs WHERE place_a IS NOT NULL
        ) AS feed ORDER BY place_a NULLS LAST, place_b, turn
        """,
        pairs=f"SELECT {both}, a.place AS place_a, b.place AS place_b FROM {_PAIRS}",
    )


def count_changes(difference: Difference) -> exp.Expr:
    """How many rows were added, removed and changed."""
    return _paired(
        difference,
        f"""
        SELECT count(*) FILTER (WHERE b.place IS NULL), count(*) FILTER (WHERE a.place IS NULL),
               count(*) FILTER (WHERE a.place IS NOT NULL AND b.place IS NOT NULL)
        FROM {_PAIRS}
        """,
    )


_PAIRS = "b FULL JOIN a ON {same} WHERE a.place IS NULL OR b.place IS NULL OR {differs}"


def _paired(difference: Difference, text: str, pairs: str | None = None) -> exp.Expr:
    """A query over the rows before, `b`, and after, `a`, of the identities that may differ."""
    definition = difference.definition
    at = {name: f"c{i}" for i, name in enumerate(definition.schema.names)}
    same = " AND ".join(f"b.{at[name]} = a.{at[name]}" for name in definition.identity)
    differs = " OR ".join(f"b.{at[n]} IS DISTINCT FROM a.{at[n]}" for n in definition.features) or "FALSE"
    near = " AND ".join(f"r.{at[name]} = t.{at[name]}" for name in definition.identity)
    chosen = f"SELECT r.* FROM r SEMI JOIN touched AS t ON {near}"
    identity = {at[name]: column(definition, name) for name in definition.identity}
    parts = {
        "touched": rows([f.path for f in difference.differing], definition, identity),
        "b": template(chosen, r=_current(difference.before, definition)),
        "a": template(chosen, r=_current(difference.after, definition)),
    }
    if pairs is not None:
        parts["pairs"] = template(pairs.format(same=same, differs=differs))
    return template(text.format(same=same, differs=differs), **parts)


def _current(snapshot: Snapshot, definition: Definition) -> exp.Select:
    columns: dict[str, exp.Expr] = {f"c{i}": exp.column(f"c{i}") for i in range(len(definition.schema))}
    return current(replace(snapshot, definition=definition), snapshot.files, columns)


def _identity_fields(definition: Definition) -> Sequence[pa.Field]:
    return [pa.field(name, definition.schema[name].type) for name in definition.identity]
