"""The rule that a column's values are there in another group."""

from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa

from groundswell.engines import Unreferenced
from groundswell.errors import NotFoundError, SchemaError
from groundswell.features._selection import Source
from groundswell.features.expectations._expectation import Bound, ColumnExpectation, Setting
from groundswell.features.expectations._order import is_flat
from groundswell.features.expectations._values import about_rows
from groundswell.types import type_name


@dataclass(frozen=True, kw_only=True, repr=False)
class ForeignKey(ColumnExpectation):
    """Every value is in a column of another group's current rows, at its newest version when the rule is bound.

    Missing values are ignored. The report names the version.

    Args:
        group: the other group's name.
        key: its column; None is its primary key, if that is one column.
        version: the version of the group's definition; None is the latest.
    """

    rule: ClassVar[str] = "foreign_key"
    group: str
    key: str | None = None
    version: int | None = None

    def describe(self) -> str:
        return f"{self.column} is in {'the key' if self.key is None else self.key} of group {self.group}"

    def call(self) -> str:
        column = {} if self.key is None else {"column": self.key}
        return self.method("foreign_key", self.group, **column, **({"version": self.version} if self.version else {}))

    def bind(self, setting: Setting) -> Bound:
        field = self.field(setting, fits=is_flat, kinds="single values, not lists and structs")
        other = self._find(setting)
        key = self._key(other)
        kinds = field.type, other.schema[key].type
        if kinds[0] != kinds[1] and not all(pa.types.is_integer(kind) for kind in kinds):
            raise self.mismatch(
                f"column {self.column!r} is {type_name(kinds[0])} and {key!r} of group {other.name!r} is "
                f"{type_name(kinds[1])}.",
                "Values of different types are never equal, or equal by accident.",
                "Insert one of them with the other's type.",
            )
        snapshot = other.snapshot()
        offenders = Unreferenced(column=self.column, snapshot=snapshot, key=key)
        return about_rows(self.column, offenders, group=other.name, version=snapshot.version, key=key)

    def _find(self, setting: Setting) -> Source:
        if self.group == setting.definition.name:
            raise SchemaError(
                f"{self.code()}: group {self.group!r} refers to itself.",
                why="Rows are checked against what another group has already.",
                fix="Name another group.",
                group=self.group,
            )
        try:
            return setting.find(self.group, self.version)
        except NotFoundError as error:
            raise NotFoundError(
                f"{self.code()}: {error.what}",
                why="A foreign key is checked against the rows of the group that it names.",
                fix=f"{error.fix} Or leave the expectation out: group.set_expectations([…]).",
                group=self.group,
            ) from None

    def _key(self, other: Source) -> str:
        if self.key is None and len(other.primary_key) > 1:
            raise SchemaError(
                f"{self.code()}: the key of group {other.name!r} is {', '.join(map(repr, other.primary_key))}.",
                why="One column cannot be compared with several.",
                fix=f"Name one: foreign_key({other.name!r}, column={other.primary_key[0]!r}).",
                keys=list(other.primary_key),
            )
        key = other.primary_key[0] if self.key is None else self.key
        if not is_flat(other.schema[key].type):
            raise self.mismatch(
                f"column {key!r} of group {other.name!r} is {type_name(other.schema[key].type)}.",
                "Only single values are compared.",
                "Name another column.",
            )
        return key
