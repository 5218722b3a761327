"""What users write conditions with: `col`, `lit` and the operators between them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp

from groundswell.errors import DataError, SchemaError, TypeMismatchError
from groundswell.expressions._leaves import Column, ColumnSql, Literal, Node
from groundswell.expressions._operations import Binary, IsIn, Unary, node_from_dict
from groundswell.expressions._values import plain
from groundswell.types import Schema

__all__ = ["Expression", "col", "lit"]


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Expression:
    """A value for each row. Made by `col` and `lit` and by combining others.

    Combine with `+ - * /`, `== != < <= > >=`, `& | ~`. Comparisons with null are null; NaN equals nothing and is
    neither less nor greater. Integers stay integers but under division, which gives float64 as in Python, and one that
    overflows is an error; decimals become float64 in arithmetic. Times compare with datetimes, dates and ISO 8601 text;
    those without a zone are in UTC.

    >>> hot = (col("temp") > 30) & col("origin").is_in(["EWR", "JFK"])
    >>> sorted(hot.columns())
    ['origin', 'temp']
    """

    node: Node

    __hash__ = None  # type: ignore[assignment]  # == makes an expression, so equality cannot serve a dictionary

    def columns(self) -> set[str]:
        """The names of the columns that it reads."""
        return self.node.columns()

    def type(self, schema: Schema) -> pa.DataType:
        """Its type over columns of this schema.

        Raises:
            ColumnNotFoundError: it reads a column that is not in the schema.
            TypeMismatchError: an operation does not apply to the types of its operands.
            DataError: a text stands beside a time and is none.
        """
        return self.node.resolve(schema)[1]

    def bind(self, schema: Schema) -> "Expression":
        """The same with casts to the types in which it is computed over columns of this schema.

        Without them engines would differ: in how integers overflow, in what a date is beside a time, in NaN.

        Raises:
            ColumnNotFoundError, TypeMismatchError, DataError: as `type`.
        """
        return Expression(self.node.resolve(schema)[0])

    def to_sql(self, column: ColumnSql) -> exp.Expr:
        """The expression as a sqlglot tree; `column` says what stands for a column's name. Bind it first."""
        return self.node.to_sql(column)

    def to_arrow(self) -> pc.Expression:
        """The expression for pyarrow datasets and tables. Bind it first."""
        return self.node.to_arrow()

    def to_dict(self) -> dict[str, Any]:  # Any: JSON
        """The expression as plain values, for JSON; `Expression.from_dict` reads it back."""
        return self.node.to_dict()

    @staticmethod
    def from_dict(tree: Mapping[str, Any]) -> "Expression":  # Any: JSON
        """The expression that `to_dict` described.

        Raises:
            DataError: it has an operation that there is not.
        """
        return Expression(node_from_dict(tree))

    def _with(self, op: str, other: object, *, swap: bool = False) -> "Expression":
        left, right = self.node, _node(other)
        return Expression(Binary(op, right, left) if swap else Binary(op, left, right))

    def __eq__(self, other: object) -> "Expression":  # type: ignore[override]
        return self._with("==", other)

    def __ne__(self, other: object) -> "Expression":  # type: ignore[override]
        return self._with("!=", other)

    def __lt__(self, other: object) -> "Expression":
        return self._with("<", other)

    def __le__(self, other: object) -> "Expression":
        return self._with("<=", other)

    def __gt__(self, other: object) -> "Expression":
        return self._with(">", other)

    def __ge__(self, other: object) -> "Expression":
        return self._with(">=", other)

    def __add__(self, other: object) -> "Expression":
        return self._with("+", other)

    def __radd__(self, other: object) -> "Expression":
        return self._with("+", other, swap=True)

    def __sub__(self, other: object) -> "Expression":
        return self._with("-", other)

    def __rsub__(self, other: object) -> "Expression":
        return self._with("-", other, swap=True)

    def __mul__(self, other: object) -> "Expression":
        return self._with("*", other)

    def __rmul__(self, other: object) -> "Expression":
        return self._with("*", other, swap=True)

    def __truediv__(self, other: object) -> "Expression":
        return self._with("/", other)

    def __rtruediv__(self, other: object) -> "Expression":
        return self._with("/", other, swap=True)

    def __and__(self, other: object) -> "Expression":
        return self._with("and", other)

    def __or__(self, other: object) -> "Expression":
        return self._with("or", other)

    def __invert__(self) -> "Expression":
        return Expression(Unary("not", self.node))

    def __bool__(self) -> bool:
        raise SchemaError(
            f"The expression {self!r} has no truth value.",
            why="It stands for a value in each row. Python's `and`, `or`, `not` and chained comparisons ask for one.",
            fix="Write (a) & (b), (a) | (b), ~(a), or col('x').between(low, high).",
        )

    def is_in(self, values: Iterable[object]) -> "Expression":
        """Whether the value is one of these; null for a null. Nulls and NaN among them equal nothing.

        Raises:
            DataError: the values are a single text.
        """
        if isinstance(values, str | bytes):
            raise DataError(f"is_in({values!r}) is given one text.", fix=f"Give a list: is_in([{values!r}]).")
        return Expression(IsIn(self.node, tuple(plain(value) for value in values)))

    def is_null(self) -> "Expression":
        """Whether the value is null."""
        return Expression(Unary("is_null", self.node))

    def between(self, low: object, high: object) -> "Expression":
        """Whether low ≤ value ≤ high."""
        return (self >= low) & (self <= high)

    def abs(self) -> "Expression":
        """The absolute value."""
        return Expression(Unary("abs", self.node))

    def __repr__(self) -> str:
        return repr(self.node)


def col(name: str) -> Expression:
    """The column with that name.

    Raises:
        TypeMismatchError: the name is no text.

    >>> col("temp") > 3
    (col('temp') > 3)
    """
    if not isinstance(name, str):
        raise TypeMismatchError(f"{name!r} names no column.", fix="Write col('temp').", name=name)
    return Expression(Column(name))


def lit(value: object) -> Expression:
    """A constant, where Python alone would not make an expression of it.

    Raises:
        TypeMismatchError: it is no constant.
        DataError: no column can hold it.
    """
    return Expression(_node(value))


def _node(value: object) -> Node:
    return value.node if isinstance(value, Expression) else Literal(plain(value))
