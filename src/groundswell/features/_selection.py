"""What a query is made of: selections of groups, and joins between them.

These are values that say what is wanted. `_query` builds and checks them, `_plan` turns them into an engine's plan.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

from groundswell.engines import DuckDB
from groundswell.expressions import Expression
from groundswell.tables import Definition, Snapshot, Table
from groundswell.types import Field, Schema


class Source(Protocol):
    """What a query needs of a feature group."""

    name: str
    version: int
    primary_key: tuple[str, ...]
    event_time: str | None

    @property
    def id(self) -> str:
        """Its entry in the catalog."""

    @property
    def definition(self) -> Definition:
        """Keys, times and schema."""

    @property
    def schema(self) -> Schema:
        """Its columns."""

    @property
    def features(self) -> list[str]:
        """The columns that are neither keys nor times."""

    @property
    def online(self) -> bool:
        """Whether the newest row of each key is kept in the online store."""

    @property
    def engine(self) -> DuckDB:
        """Where its rows are read."""

    @property
    def table(self) -> Table:
        """Its table."""

    def snapshot(self, as_of: int | str | date | datetime | None = None, *, remainder: bool = False) -> Snapshot:
        """Its table pinned at a version or time."""


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Columns and rows of one group."""

    group: Source
    columns: tuple[str, ...]
    where: Expression | None = None


@dataclass(frozen=True, kw_only=True)
class Join:
    """One group joined to the rows on its left.

    Args:
        name: what it is called in reports and explanations: the group's name, with the prefix where the group comes
            more than once.
        right: the group, its columns and its condition.
        on: for each key of the group, the column on the left that holds it.
        prefix: what the output names of its columns begin with.
        max_age: how old a row may be at most.
    """

    name: str
    right: Selection
    on: tuple[tuple[str, str], ...]
    prefix: str
    max_age: timedelta | None

    @property
    def outputs(self) -> tuple[str, ...]:
        """The output names of its columns."""
        return tuple(self.prefix + column for column in self.right.columns)


@dataclass(frozen=True, kw_only=True)
class Shape:
    """A base selection and the joins to its rows, in order."""

    base: Selection
    joins: tuple[Join, ...] = ()

    def groups(self) -> Iterator[Source]:
        """The groups it reads, the base first; one that is joined twice comes twice."""
        yield self.base.group
        for join in self.joins:
            yield join.right.group

    @property
    def schema(self) -> Schema:
        """The columns that come out, with their types."""
        known = self.base.group.schema
        fields = [known[name] for name in self.base.columns]
        for join in self.joins:
            known = join.right.group.schema
            fields += [Field(o, known[c].type) for c, o in zip(join.right.columns, join.outputs, strict=True)]
        return Schema(tuple(fields))

    @property
    def base_join(self) -> Join:
        """The base selection as a join to rows that bring its group's key."""
        group = self.base.group
        on = tuple((key, key) for key in group.primary_key)
        return Join(name=group.name, right=self.base, on=on, prefix="", max_age=None)
