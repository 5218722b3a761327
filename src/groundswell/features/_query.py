"""Queries over feature groups: which columns, of which rows, joined how.

A query is a value: each verb returns a new one. It knows its output schema and refuses what cannot be meant while it is
being built; it reads nothing until it is asked to.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Protocol

import pyarrow as pa

from groundswell.errors import ColumnNotFoundError, JoinError, SchemaError, choices
from groundswell.expressions import Expression
from groundswell.features._data import Data
from groundswell.features._display import show_query
from groundswell.features._plan import Pins, plan_rows, read_plan
from groundswell.features._selection import Join, Selection, Shape, Source
from groundswell.types import Schema, parse_duration, type_name

OnColumns = str | Sequence[str] | Mapping[str, str] | None


class Joinable(Source, Protocol):
    """A group that can be joined as it is, with all its features."""

    def select(self, *columns: str) -> "Query":
        """A query for some of its columns."""


def check_where(where: object, schema: Schema) -> None:
    """Raise unless it is a condition over columns of the schema.

    Raises:
        SchemaError: it is no expression.
        ColumnNotFoundError, TypeMismatchError: it does not fit the columns.
    """
    if not isinstance(where, Expression):
        raise SchemaError(
            f"{where!r} is no condition.", fix="Write one over columns, such as gs.col('temp') > 30.", value=where
        )
    if not pa.types.is_boolean(where.type(schema)):
        raise SchemaError(f"{where!r} is {type_name(where.type(schema))}, not true or false.", fix="Compare it.")


@dataclass(frozen=True, kw_only=True, repr=False)
class Query(Shape):
    """Columns of a group's rows, with what other groups knew at the time of each.

    Start with `group.select(…)`, go on with `where` and `join`, read with `read()`, or make a feature view of it.
    """

    @staticmethod
    def of(group: Source, columns: Sequence[str]) -> "Query":
        """The query for some columns of a group.

        Raises:
            ColumnNotFoundError: a column is not there.
            SchemaError: a column is named twice, or something is no name.
        """
        for column in columns:
            if not isinstance(column, str):
                raise SchemaError(
                    f"{column!r:.80} is no name of a column.",
                    fix=f"Give names one by one, as in select({', '.join(map(repr, group.schema.names[:2]))}).",
                    column=column,
                )
            if column not in group.schema:
                raise ColumnNotFoundError(
                    f"Group {group.name!r} has no column {column!r}.",
                    fix=choices(column, group.schema.names, "columns"),
                    column=column,
                    group=group.name,
                    known=group.schema.names,
                )
            if list(columns).count(column) > 1:
                raise SchemaError(f"Column {column!r} is selected twice.", fix="Name it once.", column=column)
        return Query(base=Selection(group=group, columns=tuple(columns)))

    def where(self, condition: Expression) -> "Query":
        """Only the rows of the query's own group that fulfill the condition (and those given before).

        It applies to current rows, before anything is matched: a correction that no longer fulfills it takes the row
        away, and no older version of the row comes back in its place.

        Args:
            condition: over any columns of the group, selected or not.

        Raises:
            ColumnNotFoundError, TypeMismatchError, SchemaError: it does not fit the group's columns.
        """
        check_where(condition, self.base.group.schema)
        both = condition if self.base.where is None else self.base.where & condition
        return replace(self, base=replace(self.base, where=both))

    def join(
        self,
        other: "Query | Joinable",
        on: OnColumns = None,
        *,
        prefix: str = "",
        max_age: str | timedelta | None = None,
    ) -> "Query":
        """Add columns of another group: for each row, those of the row with its keys that was the newest known then.

        Args:
            other: the group, or a selection of it.
            on: which columns hold the other group's key: None takes those with the same names; a name or a list of
                names, if they are shared; or a mapping from the column here to the key there.
            prefix: what the names of the added columns begin with.
            max_age: how old a row may be, such as "3h"; an older one counts as none.

        Raises:
            JoinError: the key is not named in full or could be one of two columns, columns have other types, or the
                join cannot be meant.
            SchemaError: two columns would have one name.
        """
        query = other if isinstance(other, Query) else other.select()
        if query.joins:
            raise JoinError(
                "A query that has joins itself cannot be joined.",
                why="Each join finds rows as of the time of the rows on the left.",
                fix="Join its groups one after the other to this query.",
            )
        right = query.base
        if max_age is not None and right.group.event_time is None:
            raise JoinError(
                f"Group {right.group.name!r} has no event time, so max_age={max_age!r} means nothing.",
                fix="Leave max_age out.",
            )
        join = Join(
            name=self._join_name(right.group.name, prefix),
            right=right,
            on=_resolve_keys(self, right.group, on),
            prefix=prefix,
            max_age=None if max_age is None else parse_duration(max_age, "max_age"),
        )
        self._check_names(join)
        joined = replace(self, joins=(*self.joins, join))
        joined._check_one_meaning()
        return joined

    def read(self) -> Data:
        """The rows of the base group, each with what the joined groups knew at its event time.

        The versions of all groups are pinned now, so the result is the same whenever it is read.

        Raises:
            JoinError: a joined group has event times and the base group has none.
        """
        pins = Pins.now(self)
        plan = plan_rows(self, pins, report=False)
        return Data(
            self.schema, lambda: read_plan(self, plan)[0], lambda: self.base.group.engine.count(pins.scan(self.base))
        )

    def to_dict(self) -> dict[str, Any]:
        """The query as plain values, groups by name and version; `from_dict` reads it back."""
        joins = [
            _selection_to_dict(join.right)
            | {
                "on": [list(pair) for pair in join.on],
                "prefix": join.prefix,
                "name": join.name,
                "max_age_s": None if join.max_age is None else join.max_age.total_seconds(),
            }
            for join in self.joins
        ]
        return {"base": _selection_to_dict(self.base), "joins": joins}

    @staticmethod
    def from_dict(tree: Mapping[str, Any], find: Callable[[str, int], Source]) -> "Query":
        """Read back what `to_dict` gave; `find` gives the group with a name and version."""
        joins = tuple(
            Join(
                name=join["name"],
                right=_selection_from_dict(join, find),
                on=tuple((left, right) for left, right in join["on"]),
                prefix=join["prefix"],
                max_age=None if join["max_age_s"] is None else timedelta(seconds=join["max_age_s"]),
            )
            for join in tree["joins"]
        )
        return Query(base=_selection_from_dict(tree["base"], find), joins=joins)

    def _join_name(self, group: str, prefix: str) -> str:
        taken = {join.name for join in self.joins} | {self.base.group.name}
        if group not in taken:
            return group
        candidates = [f"{prefix.rstrip('_')}:{group}"] if prefix else []
        candidates += [f"{group}#{n}" for n in range(2, len(taken) + 3)]
        return next(name for name in candidates if name not in taken)

    def _check_names(self, join: Join) -> None:
        taken = {name.casefold(): name for name in self.schema.names}
        for output in join.outputs:
            if output.casefold() in taken:
                group = join.right.group.name
                raise SchemaError(
                    f"Two columns would be called {output!r}: one there already, and one of group {group!r}.",
                    fix=f"Give the join a prefix, such as prefix='{group}_', or select other columns.",
                    column=output,
                )

    def _check_one_meaning(self) -> None:
        """A key may be an unselected column of the base group, and so may not have the name of a joined one too."""
        unselected = set(self.base.group.schema.names) - set(self.base.columns)
        givers = {output: join for join in self.joins for output in join.outputs if output in unselected}
        for join in self.joins:
            for left, key in join.on:
                if left in givers:
                    group, giver = self.base.group.name, givers[left].right.group.name
                    raise JoinError(
                        f"The key {key!r} of group {join.right.group.name!r} could be {left!r} of group {group!r} or "
                        f"of group {giver!r}.",
                        why=f"A column of {giver!r} comes out as {left!r}, and group {group!r} has one of that name "
                        "that is not selected.",
                        fix=f"Give the join of {giver!r} a prefix, such as prefix='{giver}_', and name the column that "
                        f"is meant: on={{'{giver}_{left}': {key!r}}} or on={{{left!r}: {key!r}}}.",
                        column=left,
                        groups=[group, giver],
                    )

    def __repr__(self) -> str:
        lines = [f"Query of {self.base.group.name!r}: {', '.join(self.base.columns)}"]
        if self.base.where is not None:
            lines.append(f"  where {self.base.where!r}")
        for join in self.joins:
            keys = ", ".join(left if left == right else f"{left} = {right}" for left, right in join.on)
            age = "" if join.max_age is None else f", at most {join.max_age} old"
            where = "" if join.right.where is None else f" where {join.right.where!r}"
            lines.append(f"  join {join.name!r} on {keys}{age}: {', '.join(join.outputs)}{where}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return show_query(self)


def _selection_to_dict(selection: Selection) -> dict[str, Any]:
    return {
        "group": selection.group.name,
        "group_version": selection.group.version,
        "columns": list(selection.columns),
        "where": None if selection.where is None else selection.where.to_dict(),
    }


def _selection_from_dict(tree: Mapping[str, Any], find: Callable[[str, int], Source]) -> Selection:
    where = tree["where"]
    return Selection(
        group=find(tree["group"], tree["group_version"]),
        columns=tuple(tree["columns"]),
        where=None if where is None else Expression.from_dict(where),
    )


def _resolve_keys(query: Query, right: Source, on: OnColumns) -> tuple[tuple[str, str], ...]:
    """For each key of the right group, the column on the left that holds it."""
    left = {**{f.name: f for f in query.base.group.schema}, **{f.name: f for f in query.schema}}
    keys = right.primary_key
    if on is None:
        pairs = {key: key for key in keys}
        if not any(key in left for key in keys):
            raise JoinError(
                f"Group {right.name!r} has no key in common with {query.base.group.name!r}.",
                why=f"Its key is {_list(keys)}; on the left there are {_list(left)}.",
                fix=f"Name the columns that hold it: on={{'<column here>': {keys[0]!r}}}.",
                keys=list(keys),
            )
    elif isinstance(on, Mapping):
        pairs = {key: column for column, key in on.items()}
        if len(pairs) < len(on):
            raise JoinError(f"on={dict(on)!r} names a key twice.", fix=f"The key is {_list(keys)}.")
    else:
        pairs = {key: key for key in ([on] if isinstance(on, str) else on)}
    unknown = [key for key in pairs if key not in keys]
    if unknown or set(pairs) != set(keys):
        wrong = (
            f"{unknown[0]!r} is no part of it" if unknown else f"{_list(k for k in keys if k not in pairs)} is missing"
        )
        raise JoinError(
            f"The join names {_list(pairs)} as the key of group {right.name!r}: {wrong}.",
            why="A join names the full primary key, or a row on the left could match several.",
            fix=f"The key is {_list(keys)}. Write on={{'<column here>': '<key>'}} if names differ.",
            keys=list(keys),
        )
    for key in keys:
        if pairs[key] not in left:
            raise JoinError(
                f"There is no column {pairs[key]!r} on the left to hold the key {key!r} of group {right.name!r}.",
                fix=choices(pairs[key], left, "columns"),
                column=pairs[key],
            )
        kinds = left[pairs[key]].type, right.schema[key].type
        if kinds[0] != kinds[1] and not all(pa.types.is_integer(kind) for kind in kinds):
            raise JoinError(
                f"Column {pairs[key]!r} is {type_name(kinds[0])} and the key {key!r} of group {right.name!r} is "
                f"{type_name(kinds[1])}.",
                why="Values of different types are never equal, or equal by accident.",
                fix="Insert one of them with the other's type.",
                column=pairs[key],
            )
    return tuple((pairs[key], key) for key in keys)


def _list(names: Any) -> str:  # Any: an iterable of names
    return ", ".join(map(repr, names))
