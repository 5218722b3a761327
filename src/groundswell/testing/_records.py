"""What a conformance suite hands to the engine that it tests.

The records say what is stored and what is asked, not how: an adapter writes a group's commits into its own storage,
one after the other, and asks its own engine for the join. Built by the suites and by tests on random data.
"""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pyarrow as pa

__all__ = ["Condition", "GroupData"]

_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {  # Any: a column may hold any comparable type
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True)
class Condition:
    """A comparison of one column with a constant that is not null; an adapter writes it in its engine's language.

    Args:
        column: a column of the group, chosen for the join or not.
        operator: one of ``== != < <= > >=``.
        value: the constant.

    >>> [Condition("temp", ">", 3).holds({"temp": t}) for t in (5, 3, None)]
    [True, False, False]
    """

    column: str
    operator: str
    value: Any  # Any: a constant of the column's type

    def holds(self, row: Mapping[str, Any]) -> bool:
        """Whether the row stays: as in SQL, a null compares to nothing and the row goes."""
        value = row[self.column]
        return value is not None and _OPERATORS[self.operator](value, self.value)


@dataclass(frozen=True, kw_only=True)
class GroupData:
    """One group, all that was ever written to it, and how it is joined to the labels.

    Args:
        name: the group's name. Records that share a name share all above `on`: one group under several roles.
        commits: the batches in the order of their commits, all with one schema. An empty group has one commit without
            rows.
        primary_key: the key columns.
        event_time: the column that says when a row happened; None for a group that is the same at all times.
        available_at: the column that says when a row became known, if the group has one.
        on: label column to key column, for each key column; None when the labels have columns of the same names.
        columns: the columns to bring to the labels.
        prefix: goes before each of their names in the result.
        where: which current rows may match; None for all.
        max_age: how much older than the label an event may be; None for any age.
    """

    name: str
    commits: tuple[pa.Table, ...]
    primary_key: tuple[str, ...]
    event_time: str | None
    available_at: str | None = None
    on: Mapping[str, str] | None = None
    columns: tuple[str, ...]
    prefix: str = ""
    where: Condition | None = None
    max_age: timedelta | None = None

    @property
    def schema(self) -> pa.Schema:
        """The schema of every commit."""
        return self.commits[0].schema

    @property
    def label_keys(self) -> tuple[str, ...]:
        """The label columns that hold the key, in the order of `primary_key`."""
        if self.on is None:
            return self.primary_key
        label_of = {key: label for label, key in self.on.items()}
        return tuple(label_of[key] for key in self.primary_key)
