"""Expressions over columns: `gs.col("temp") > 3`.

An expression is a small tree of values. It knows its type under a schema, compiles to SQL as a sqlglot tree (so names
and values are data, never pasted text) and to an Arrow compute expression, and can be stored as JSON. Queries filter
with it; the engines run it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp

from groundswell.errors import DataError, SchemaError, TypeMismatchError
from groundswell.types import TIMESTAMP, Schema, is_numeric, parse_instant, type_name

__all__ = ["Expression", "col", "lit"]

LiteralValue = bool | int | float | str | bytes | datetime | date | timedelta | Decimal | None

_COMPARISONS: dict[str, tuple[type[exp.Expr], Callable[[Any, Any], Any]]] = {
    "==": (exp.EQ, lambda a, b: a == b),
    "!=": (exp.NEQ, lambda a, b: a != b),
    "<": (exp.LT, lambda a, b: a < b),
    "<=": (exp.LTE, lambda a, b: a <= b),
    ">": (exp.GT, lambda a, b: a > b),
    ">=": (exp.GTE, lambda a, b: a >= b),
}
_ARITHMETIC: dict[str, tuple[type[exp.Expr], Callable[[Any, Any], Any]]] = {
    "+": (exp.Add, lambda a, b: a + b),
    "-": (exp.Sub, lambda a, b: a - b),
    "*": (exp.Mul, lambda a, b: a * b),
    "/": (exp.Div, lambda a, b: pc.divide(a.cast(pa.float64()), b.cast(pa.float64()))),
}
_LOGIC: dict[str, tuple[type[exp.Expr], Callable[[Any, Any], Any]]] = {
    "and": (exp.And, lambda a, b: a & b),
    "or": (exp.Or, lambda a, b: a | b),
}


class Expression:
    """A value for each row. Made by `col` and `lit` and by combining others; comparisons with null are null.

    Combine with `+ - * /`, `== != < <= > >=`, `& | ~`. Division gives float64, as in Python.

    >>> hot = (col("temp") > 30) & col("origin").is_in(["EWR", "JFK"])
    >>> sorted(hot.columns())
    ['origin', 'temp']
    """

    __slots__ = ()
    __hash__ = None  # type: ignore[assignment]  # == makes an expression, so equality cannot serve a dictionary

    def columns(self) -> set[str]:
        """The names of the columns that it reads."""
        return set().union(*(child.columns() for child in self._children()))

    def _children(self) -> tuple["Expression", ...]:
        return ()

    def type(self, schema: Schema) -> pa.DataType:
        """Its type over columns of this schema.

        Raises:
            ColumnNotFoundError: it reads a column that is not in the schema.
            TypeMismatchError: an operation does not apply to the types of its operands.
        """
        raise NotImplementedError

    def to_sql(self, column: Callable[[str], exp.Expr]) -> exp.Expr:
        """The expression as a sqlglot tree; `column` says what stands for a column's name."""
        raise NotImplementedError

    def to_arrow(self) -> pc.Expression:
        """The expression for pyarrow datasets and tables."""
        raise NotImplementedError

    def to_dict(self) -> dict[str, Any]:
        """The expression as plain values, for JSON; `Expression.from_dict` reads it back."""
        raise NotImplementedError

    @staticmethod
    def from_dict(tree: Mapping[str, Any]) -> "Expression":
        """The expression that `to_dict` described."""
        match tree["op"]:
            case "col":
                return Column(tree["name"])
            case "lit":
                return Literal(_value_from_dict(tree))
            case "in":
                return IsIn(Expression.from_dict(tree["of"]), tuple(_value_from_dict(v) for v in tree["values"]))
            case "not" | "is_null" | "abs" as op:
                return Unary(op, Expression.from_dict(tree["of"]))
            case op:
                return Binary(op, Expression.from_dict(tree["left"]), Expression.from_dict(tree["right"]))

    def _with(self, op: str, other: object, *, swap: bool = False) -> "Expression":
        left, right = self, _as_expression(other)
        return Binary(op, right, left) if swap else Binary(op, left, right)

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
        return Unary("not", self)

    def __bool__(self) -> bool:
        raise SchemaError(
            f"The expression {self!r} has no truth value.",
            why="It stands for a value in each row. Python's `and`, `or`, `not` and chained comparisons ask for one.",
            fix="Write (a) & (b), (a) | (b), ~(a), or col('x').between(low, high).",
        )

    def is_in(self, values: Iterable[LiteralValue]) -> "Expression":
        """Whether the value is one of these; null for a null."""
        return IsIn(self, tuple(values))

    def is_null(self) -> "Expression":
        """Whether the value is null."""
        return Unary("is_null", self)

    def between(self, low: object, high: object) -> "Expression":
        """Whether low ≤ value ≤ high."""
        return (self >= low) & (self <= high)

    def abs(self) -> "Expression":
        """The absolute value."""
        return Unary("abs", self)


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Column(Expression):
    """The value of a column."""

    name: str

    def columns(self) -> set[str]:
        return {self.name}

    def type(self, schema: Schema) -> pa.DataType:
        return schema[self.name].type

    def to_sql(self, column: Callable[[str], exp.Expr]) -> exp.Expr:
        return column(self.name)

    def to_arrow(self) -> pc.Expression:
        return pc.field(self.name)

    def to_dict(self) -> dict[str, Any]:
        return {"op": "col", "name": self.name}

    def __repr__(self) -> str:
        return f"col({self.name!r})"


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Literal(Expression):
    """A constant."""

    value: LiteralValue

    def type(self, schema: Schema) -> pa.DataType:
        del schema
        if isinstance(self.value, datetime):
            return TIMESTAMP
        return pa.scalar(self.value).type

    def to_sql(self, column: Callable[[str], exp.Expr]) -> exp.Expr:
        del column
        return _literal_to_sql(self.value)

    def to_arrow(self) -> pc.Expression:
        value = self.value
        return pc.scalar(pa.scalar(value, TIMESTAMP) if isinstance(value, datetime) else value)

    def to_dict(self) -> dict[str, Any]:
        return {"op": "lit", **_value_to_dict(self.value)}

    def __repr__(self) -> str:
        return repr(self.value)


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Binary(Expression):
    """Two operands and an operator: a comparison, arithmetic, `and`, `or`."""

    op: str
    left: Expression
    right: Expression

    def _children(self) -> tuple[Expression, ...]:
        return self.left, self.right

    def type(self, schema: Schema) -> pa.DataType:
        left, right = self.left.type(schema), self.right.type(schema)
        if self.op in _LOGIC:
            for side, kind in ((self.left, left), (self.right, right)):
                if not pa.types.is_boolean(kind):
                    raise self._mismatch(f"{side!r} is {type_name(kind)}, not bool", left, right)
            return pa.bool_()
        if self.op in _COMPARISONS:
            if not _comparable(left, right):
                raise self._mismatch("the two cannot be compared", left, right)
            return pa.bool_()
        if not (is_numeric(left) and is_numeric(right)) or pa.types.is_boolean(left) or pa.types.is_boolean(right):
            raise self._mismatch("arithmetic takes numbers", left, right)
        both_integer = pa.types.is_integer(left) and pa.types.is_integer(right)
        return pa.int64() if both_integer and self.op != "/" else pa.float64()

    def _mismatch(self, why: str, left: pa.DataType, right: pa.DataType) -> TypeMismatchError:
        return TypeMismatchError(
            f"{self!r} does not fit its columns: {why} ({type_name(left)} {self.op} {type_name(right)}).",
            fix="Compare values of one type; write times as datetimes or ISO 8601 text.",
        )

    def to_sql(self, column: Callable[[str], exp.Expr]) -> exp.Expr:
        kind = (_COMPARISONS | _ARITHMETIC | _LOGIC)[self.op][0]
        left: exp.Expr = exp.paren(self.left.to_sql(column))
        if self.op == "/":
            left = exp.cast(left, "DOUBLE")
        return kind(this=left, expression=exp.paren(self.right.to_sql(column)))

    def to_arrow(self) -> pc.Expression:
        return (_COMPARISONS | _ARITHMETIC | _LOGIC)[self.op][1](self.left.to_arrow(), self.right.to_arrow())

    def to_dict(self) -> dict[str, Any]:
        return {"op": self.op, "left": self.left.to_dict(), "right": self.right.to_dict()}

    def __repr__(self) -> str:
        return f"({self.left!r} {self.op} {self.right!r})"


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Unary(Expression):
    """`not`, `is_null` or `abs` of one operand."""

    op: str
    of: Expression

    def _children(self) -> tuple[Expression, ...]:
        return (self.of,)

    def type(self, schema: Schema) -> pa.DataType:
        kind = self.of.type(schema)
        fits = {"not": pa.types.is_boolean(kind), "abs": is_numeric(kind), "is_null": True}[self.op]
        if not fits:
            raise TypeMismatchError(f"{self!r} does not apply to {type_name(kind)}.", fix="Compare it first.")
        return kind if self.op == "abs" else pa.bool_()

    def to_sql(self, column: Callable[[str], exp.Expr]) -> exp.Expr:
        of = exp.paren(self.of.to_sql(column))
        if self.op == "not":
            return exp.Not(this=of)
        return exp.Abs(this=of) if self.op == "abs" else exp.Is(this=of, expression=exp.Null())

    def to_arrow(self) -> pc.Expression:
        of = self.of.to_arrow()
        if self.op == "not":
            return ~of
        return pc.abs(of) if self.op == "abs" else of.is_null()

    def to_dict(self) -> dict[str, Any]:
        return {"op": self.op, "of": self.of.to_dict()}

    def __repr__(self) -> str:
        return f"~{self.of!r}" if self.op == "not" else f"{self.of!r}.{self.op}()"


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class IsIn(Expression):
    """Whether a value is one of several constants."""

    of: Expression
    values: tuple[LiteralValue, ...]

    def _children(self) -> tuple[Expression, ...]:
        return (self.of,)

    def type(self, schema: Schema) -> pa.DataType:
        kind = self.of.type(schema)
        for value in self.values:
            other = Literal(value).type(schema)
            if not _comparable(kind, other):
                raise TypeMismatchError(
                    f"{self!r} does not fit its columns: {value!r} cannot be compared with {type_name(kind)}.",
                    fix="Give values of the column's type.",
                )
        return pa.bool_()

    def to_sql(self, column: Callable[[str], exp.Expr]) -> exp.Expr:
        if not self.values:
            return exp.false()
        return exp.In(this=exp.paren(self.of.to_sql(column)), expressions=[_literal_to_sql(v) for v in self.values])

    def to_arrow(self) -> pc.Expression:
        return self.of.to_arrow().isin(list(self.values))

    def to_dict(self) -> dict[str, Any]:
        return {"op": "in", "of": self.of.to_dict(), "values": [_value_to_dict(v) for v in self.values]}

    def __repr__(self) -> str:
        return f"{self.of!r}.is_in({list(self.values)!r})"


def col(name: str) -> Expression:
    """The column with that name.

    >>> col("temp") > 3
    (col('temp') > 3)
    """
    return Column(name)


def lit(value: LiteralValue) -> Expression:
    """A constant, where Python alone would not make an expression of it."""
    return _as_expression(value)


def _as_expression(value: object) -> Expression:
    if isinstance(value, Expression):
        return value
    if value is None or isinstance(value, bool | int | float | str | bytes | date | timedelta | Decimal):
        return Literal(value)
    if hasattr(value, "item"):  # a NumPy scalar
        return _as_expression(value.item())
    raise TypeMismatchError(
        f"{value!r} ({type(value).__name__}) cannot stand in an expression.",
        fix="Use a number, text, bool, datetime, date, Decimal, None or col('name').",
    )


def _comparable(left: pa.DataType, right: pa.DataType) -> bool:
    if pa.types.is_null(left) or pa.types.is_null(right) or left == right:
        return True
    if pa.types.is_boolean(left) or pa.types.is_boolean(right):
        return False
    if is_numeric(left) and is_numeric(right):
        return True
    temporal = [pa.types.is_temporal(kind) and not pa.types.is_duration(kind) for kind in (left, right)]
    text = [pa.types.is_string(kind) for kind in (left, right)]
    return all(temporal) or (any(temporal) and any(text))


def _literal_to_sql(value: LiteralValue) -> exp.Expr:
    if value is None:
        return exp.null()
    if isinstance(value, datetime):
        instant = parse_instant(value)
        return exp.cast(exp.Literal.string(instant.isoformat()), "TIMESTAMPTZ")
    if isinstance(value, date):
        return exp.cast(exp.Literal.string(value.isoformat()), "DATE")
    if isinstance(value, bytes):
        return exp.Unhex(this=exp.Literal.string(value.hex()))
    if isinstance(value, timedelta):
        raise DataError(f"A duration ({value!r}) cannot be compared with a column.", fix="Compare two times.")
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return exp.cast(exp.Literal.string(str(value)), "DOUBLE")
    if isinstance(value, float):
        return exp.cast(exp.Literal.string(repr(value)), "DOUBLE")
    if isinstance(value, Decimal):
        return exp.cast(exp.Literal.string(str(value)), "DECIMAL(38, 10)")
    return exp.convert(value)


def _value_to_dict(value: LiteralValue) -> dict[str, Any]:
    match value:
        case datetime():
            return {"datetime": parse_instant(value).isoformat()}
        case date():
            return {"date": value.isoformat()}
        case Decimal():
            return {"decimal": str(value)}
        case bytes():
            return {"bytes": value.hex()}
        case float() if value != value or value in (float("inf"), float("-inf")):
            return {"float": str(value)}
        case _:
            return {"value": value}


def _value_from_dict(tree: Mapping[str, Any]) -> LiteralValue:
    readers: dict[str, Callable[[str], LiteralValue]] = {
        "datetime": datetime.fromisoformat,
        "date": date.fromisoformat,
        "decimal": Decimal,
        "bytes": bytes.fromhex,
        "float": float,
    }
    for name, read in readers.items():
        if name in tree:
            return read(tree[name])
    value: LiteralValue = tree["value"]
    return value
