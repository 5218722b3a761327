"""The nodes of an expression's tree, and its leaves: columns and constants.

A node is first resolved: the types of its operands under a schema decide in which type they are compared or computed,
and casts say so. What is resolved means the same in DuckDB, in Arrow and in Python.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp

from groundswell.expressions._kinds import sql_type
from groundswell.expressions._values import Value, type_of, value_as, value_beside, value_to_dict, value_to_sql
from groundswell.types import Schema

__all__ = ["Cast", "Column", "ColumnSql", "Literal", "Node", "Resolved", "cast_to", "stand_beside"]

ColumnSql = Callable[[str], exp.Expr]
Resolved = tuple["Node", pa.DataType]


class Node(ABC):
    """A value for each row: a leaf, or an operation on other nodes."""

    __slots__ = ()

    def columns(self) -> set[str]:
        """The names of the columns that it reads."""
        return set().union(*(child.columns() for child in self.children()))

    def children(self) -> tuple["Node", ...]:
        """Its operands."""
        return ()

    @abstractmethod
    def resolve(self, schema: Schema) -> Resolved:
        """The node with casts to the types in which it is computed, and its own type.

        Raises:
            ColumnNotFoundError: it reads a column that is not in the schema.
            TypeMismatchError: an operation does not apply to the types of its operands.
            DataError: a text stands beside a time and is none.
        """

    @abstractmethod
    def to_sql(self, column: ColumnSql) -> exp.Expr:
        """The node as a sqlglot tree; `column` says what stands for a column's name."""

    @abstractmethod
    def to_arrow(self) -> pc.Expression:
        """The node for pyarrow."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:  # Any: JSON
        """The node as plain values."""


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Column(Node):
    """The value of a column."""

    name: str

    def columns(self) -> set[str]:
        return {self.name}

    def resolve(self, schema: Schema) -> Resolved:
        return self, schema[self.name].type

    def to_sql(self, column: ColumnSql) -> exp.Expr:
        return column(self.name)

    def to_arrow(self) -> pc.Expression:
        return pc.field(self.name)

    def to_dict(self) -> dict[str, Any]:
        return {"op": "col", "name": self.name}

    def __repr__(self) -> str:
        return f"col({self.name!r})"


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Literal(Node):
    """A constant."""

    value: Value

    def resolve(self, schema: Schema) -> Resolved:
        del schema
        return self, type_of(self.value)

    def to_sql(self, column: ColumnSql) -> exp.Expr:
        del column
        return value_to_sql(self.value)

    def to_arrow(self) -> pc.Expression:
        return pc.scalar(pa.scalar(self.value, type_of(self.value)))

    def to_dict(self) -> dict[str, Any]:
        return {"op": "lit", **value_to_dict(self.value)}

    def __repr__(self) -> str:
        return repr(self.value)


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Cast(Node):
    """A value in another type, as binding decided. It is not shown and not stored."""

    of: Node
    own: pa.DataType
    kind: pa.DataType

    def children(self) -> tuple[Node, ...]:
        return (self.of,)

    def resolve(self, schema: Schema) -> Resolved:
        return self, self.kind

    def to_sql(self, column: ColumnSql) -> exp.Expr:
        if isinstance(self.of, Literal) and self.of.value is None:
            return exp.null()
        return exp.cast(exp.paren(self.of.to_sql(column), copy=False), sql_type(self.kind))

    def to_arrow(self) -> pc.Expression:
        if isinstance(self.of, Literal) and self.of.value is None:
            return pc.scalar(pa.scalar(None, self.kind))
        of = self.of.to_arrow()
        if pa.types.is_decimal(self.own) and pa.types.is_floating(self.kind):
            of = of.cast(pa.string())  # which is rounded correctly; Arrow's own cast is not
        return of.cast(self.kind, safe=pa.types.is_integer(self.kind))  # what leaves 64 bits is an error, as in SQL

    def to_dict(self) -> dict[str, Any]:
        return self.of.to_dict()

    def __repr__(self) -> str:
        return repr(self.of)


def stand_beside(operand: Resolved, other: pa.DataType) -> Resolved:
    """The operand as it is meant beside one of another type."""
    node, _ = operand
    if not isinstance(node, Literal):
        return operand
    value = value_beside(node.value, other)
    return Literal(value), type_of(value)


def cast_to(operand: Resolved, kind: pa.DataType) -> Node:
    """The operand in another type."""
    node, own = operand
    if own == kind:
        return node
    if isinstance(node, Literal) and node.value is not None:
        return Literal(value_as(node.value, kind))
    return Cast(node, own, kind)
