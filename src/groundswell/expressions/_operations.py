"""Operations in expressions: comparisons, arithmetic, logic, membership."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp

from groundswell.errors import DataError, TypeMismatchError
from groundswell.expressions._kinds import common_type, is_number
from groundswell.expressions._leaves import Column, ColumnSql, Literal, Node, Resolved, cast_to, stand_beside
from groundswell.expressions._values import (
    Value,
    is_nan,
    type_of,
    value_as,
    value_beside,
    value_from_dict,
    value_to_dict,
    value_to_sql,
)
from groundswell.types import Schema, type_name

__all__ = ["Binary", "IsIn", "Unary", "node_from_dict"]

_COMPARISONS: dict[str, tuple[type[exp.Expr], Callable[[Any, Any], Any]]] = {  # Any: what operators of Arrow take
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
    "/": (exp.Div, pc.divide),
}
_LOGIC: dict[str, tuple[type[exp.Expr], Callable[[Any, Any], Any]]] = {
    "and": (exp.And, lambda a, b: a & b),
    "or": (exp.Or, lambda a, b: a | b),
}
_BINARY = _COMPARISONS | _ARITHMETIC | _LOGIC
_UNARY = ("not", "is_null", "abs")

_SIGNS = {"and": "&", "or": "|"}


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Binary(Node):
    """Two operands and an operator: a comparison, arithmetic, `and`, `or`."""

    op: str
    left: Node
    right: Node
    of_floats: bool = False

    def children(self) -> tuple[Node, ...]:
        return self.left, self.right

    def resolve(self, schema: Schema) -> Resolved:
        left, right = self.left.resolve(schema), self.right.resolve(schema)
        if self.op in _LOGIC:
            return self._resolve_logic(left, right)
        if self.op in _COMPARISONS:
            return self._resolve_comparison(left, right)
        kinds = left[1], right[1]
        if not all(is_number(kind) for kind in kinds):
            raise self._mismatch("arithmetic takes numbers", *kinds)
        integers = all(pa.types.is_integer(kind) for kind in kinds) and self.op != "/"
        kind = pa.int64() if integers else pa.float64()
        return replace(self, left=cast_to(left, kind), right=cast_to(right, kind)), kind

    def _resolve_logic(self, left: Resolved, right: Resolved) -> Resolved:
        for side, (_, kind) in zip((self.left, self.right), (left, right), strict=True):
            if not (pa.types.is_boolean(kind) or pa.types.is_null(kind)):
                raise self._mismatch(f"{side!r} is {type_name(kind)}, not bool", left[1], right[1])
        return replace(self, left=cast_to(left, pa.bool_()), right=cast_to(right, pa.bool_())), pa.bool_()

    def _resolve_comparison(self, left: Resolved, right: Resolved) -> Resolved:
        left, right = stand_beside(left, right[1]), stand_beside(right, left[1])
        kinds = left[1], right[1]
        kind = common_type(*kinds)
        if kind is None:
            raise self._mismatch("the two cannot be compared", *kinds)
        if pa.uint64() not in kinds and all(pa.types.is_integer(each) for each in kinds):
            return replace(self, left=left[0], right=right[0]), pa.bool_()  # every engine compares them exactly
        floats = pa.types.is_floating(kind)
        return replace(self, left=cast_to(left, kind), right=cast_to(right, kind), of_floats=floats), pa.bool_()

    def _mismatch(self, why: str, left: pa.DataType, right: pa.DataType) -> TypeMismatchError:
        return TypeMismatchError(
            f"{self!r} does not fit its columns: {why} ({type_name(left)} {self.op} {type_name(right)}).",
            fix="Compare values of one type; write times as datetimes or ISO 8601 text.",
        )

    def to_sql(self, column: ColumnSql) -> exp.Expr:
        left, right = (exp.paren(side.to_sql(column), copy=False) for side in (self.left, self.right))
        if self.of_floats:
            return _compare_floats(self.op, (self.left, left), (self.right, right))
        return _BINARY[self.op][0](this=exp.cast(left, "DOUBLE") if self.op == "/" else left, expression=right)

    def to_arrow(self) -> pc.Expression:
        return _BINARY[self.op][1](self.left.to_arrow(), self.right.to_arrow())

    def to_dict(self) -> dict[str, Any]:
        return {"op": self.op, "left": self.left.to_dict(), "right": self.right.to_dict()}

    def __repr__(self) -> str:
        return f"({self.left!r} {_SIGNS.get(self.op, self.op)} {self.right!r})"


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Unary(Node):
    """`not`, `is_null` or `abs` of one operand."""

    op: str
    of: Node

    def children(self) -> tuple[Node, ...]:
        return (self.of,)

    def resolve(self, schema: Schema) -> Resolved:
        operand = of, kind = self.of.resolve(schema)
        if self.op == "is_null":
            return replace(self, of=cast_to(operand, pa.bool_()) if pa.types.is_null(kind) else of), pa.bool_()
        if not (is_number(kind) if self.op == "abs" else pa.types.is_boolean(kind)):
            raise TypeMismatchError(f"{self!r} does not apply to {type_name(kind)}.", fix="Compare it first.")
        if self.op == "not" or pa.types.is_decimal(kind) or pa.types.is_unsigned_integer(kind):
            return replace(self, of=of), kind
        wide = pa.int64() if pa.types.is_integer(kind) else pa.float64()
        return replace(self, of=cast_to(operand, wide)), wide

    def to_sql(self, column: ColumnSql) -> exp.Expr:
        of = exp.paren(self.of.to_sql(column), copy=False)
        if self.op == "not":
            return exp.Not(this=of)
        return exp.Abs(this=of) if self.op == "abs" else exp.Is(this=of, expression=exp.Null())

    def to_arrow(self) -> pc.Expression:
        of = self.of.to_arrow()
        if self.op == "not":
            return ~of
        return pc.abs_checked(of) if self.op == "abs" else of.is_null()

    def to_dict(self) -> dict[str, Any]:
        return {"op": self.op, "of": self.of.to_dict()}

    def __repr__(self) -> str:
        return f"~{self.of!r}" if self.op == "not" else f"{self.of!r}.{self.op}()"


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class IsIn(Node):
    """Whether a value is one of several constants."""

    of: Node
    values: tuple[Value, ...]
    kind: pa.DataType | None = None

    def children(self) -> tuple[Node, ...]:
        return (self.of,)

    def resolve(self, schema: Schema) -> Resolved:
        operand = self.of.resolve(schema)
        kind, kinds, values = operand[1], [operand[1]], []
        for value in self.values:
            if value is None or is_nan(value):
                continue
            values.append(value_beside(value, operand[1]))
            own = type_of(values[-1])
            if own in kinds:
                continue
            kinds.append(own)
            common = common_type(*kinds)
            if common is None:
                raise TypeMismatchError(
                    f"{self!r} does not fit its columns: {value!r} cannot be compared with {type_name(operand[1])}.",
                    fix="Give values of the column's type.",
                    value=value,
                )
            kind = common
        constants = tuple(value_as(value, kind) for value in values)
        return replace(self, of=cast_to(operand, kind), values=constants, kind=kind), pa.bool_()

    def to_sql(self, column: ColumnSql) -> exp.Expr:
        of = exp.paren(self.of.to_sql(column), copy=False)
        if not self.values:
            return exp.case().when(exp.Not(this=of.is_(exp.null())), exp.false())
        return exp.In(this=of, expressions=[value_to_sql(value) for value in self.values])

    def to_arrow(self) -> pc.Expression:
        of, values = self.of.to_arrow(), list(self.values)
        if pa.types.is_floating(self.kind) and 0.0 in values:
            values += [0.0, -0.0]  # which Arrow looks up by their bits
        return pc.if_else(of.is_valid(), of.isin(pa.array(values, self.kind)), pa.scalar(None, pa.bool_()))

    def to_dict(self) -> dict[str, Any]:
        return {"op": "in", "of": self.of.to_dict(), "values": [value_to_dict(v) for v in self.values]}

    def __repr__(self) -> str:
        return f"{self.of!r}.is_in({list(self.values)!r})"


def node_from_dict(tree: Mapping[str, Any]) -> Node:  # Any: JSON
    """The node that `to_dict` described.

    Raises:
        DataError: it has an operation that there is not.
    """
    match tree["op"]:
        case "col":
            return Column(tree["name"])
        case "lit":
            return Literal(value_from_dict(tree))
        case "in":
            return IsIn(node_from_dict(tree["of"]), tuple(value_from_dict(v) for v in tree["values"]))
        case op if op in _UNARY:
            return Unary(op, node_from_dict(tree["of"]))
        case op if op in _BINARY:
            return Binary(op, node_from_dict(tree["left"]), node_from_dict(tree["right"]))
        case op:
            raise DataError(
                f"A stored condition has the operation {op!r}, which there is not.",
                why="A newer Groundswell may have written it.",
                fix="Upgrade: pip install --upgrade groundswell.",
                op=op,
            )


def _compare_floats(op: str, left: tuple[Node, exp.Expr], right: tuple[Node, exp.Expr]) -> exp.Expr:
    """A comparison in SQL in which NaN equals nothing; in DuckDB it equals itself and is greater than all others."""
    plain_comparison = _COMPARISONS[op][0](this=left[1], expression=right[1])
    greater = {"<": right, "<=": right, ">": left, ">=": left, "==": left, "!=": left}[op]
    other = right if greater is left else left
    if not _may_be_nan(greater[0]) or (op in ("==", "!=") and not _may_be_nan(other[0])):
        return plain_comparison
    nan = exp.func("isnan", greater[1].copy())
    comparison = exp.or_(plain_comparison, nan) if op == "!=" else exp.and_(plain_comparison, exp.Not(this=nan))
    if isinstance(other[0], Literal):
        return comparison
    present = exp.Not(this=exp.paren(other[1].copy()).is_(exp.null()))  # NaN against null is null
    return exp.case().when(present, comparison)


def _may_be_nan(node: Node) -> bool:
    return not isinstance(node, Literal) or is_nan(node.value)
