"""Rules that users write themselves: a condition over the columns of a row, as an expression or in SQL.

A row breaks the rule if the condition is false of it. Null is neither true nor false and breaks nothing, as in a CHECK
of SQL; missing values, NaN included, are null in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from groundswell.engines import Count, Decided, Unfulfilled
from groundswell.errors import ColumnNotFoundError, DataError, SchemaError, choices
from groundswell.expressions import Expression
from groundswell.features.expectations._expectation import Bound, Expectation, Finding, Setting, Values
from groundswell.features.expectations._sql import SqlCondition

_OPERATORS = {"and": "&", "or": "|"}


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class That(Expectation):
    """A condition over columns, written with `gs.col`, is true of every row."""

    rule: ClassVar[str] = "that"
    condition: Expression

    def __post_init__(self) -> None:
        if not isinstance(self.condition, Expression):
            raise SchemaError(
                f"{self.condition!r} is no condition.",
                fix="Write one over columns: gs.expect().that(gs.col('low') <= gs.col('high')).",
                value=self.condition,
            )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, That) and self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash(self.code())

    def describe(self) -> str:
        tree = self.condition.to_dict()
        code = _code(tree).replace("gs.col(", "col(")
        return code[1:-1] if "left" in tree else code

    def call(self) -> str:
        return f"gs.expect().that({_code(self.condition.to_dict())})"

    def bind(self, setting: Setting) -> Bound:
        return _about_condition(self, self.condition, setting)

    def parameters(self) -> dict[str, Any]:  # Any: JSON
        return {"condition": self.condition.to_dict()}

    @classmethod
    def of(cls, parameters: Any) -> Self:  # Any: JSON
        return cls(condition=Expression.from_dict(parameters["condition"]), level=parameters["level"])


@dataclass(frozen=True, kw_only=True, repr=False)
class Sql(Expectation):
    """A condition in SQL is true of every row. What it may say, `SqlCondition` decides when it is made."""

    rule: ClassVar[str] = "sql"
    text: str

    def __post_init__(self) -> None:
        SqlCondition(self.text)

    def describe(self) -> str:
        return self.text

    def call(self) -> str:
        return f"gs.expect().sql({self.text!r})"

    def bind(self, setting: Setting) -> Bound:
        return _about_condition(self, SqlCondition(self.text), setting)


def _about_condition(rule: Expectation, condition: Expression | SqlCondition, setting: Setting) -> Bound:
    definition = setting.definition
    names = sorted(condition.columns())
    for name in names:
        if name not in definition.schema:
            raise ColumnNotFoundError(
                f"{rule.code()}: group {definition.name!r} has no column {name!r}.",
                fix=choices(name, definition.schema.names, "columns"),
                column=name,
                group=definition.name,
                known=definition.schema.names,
            )
    if not names:
        raise DataError(
            f"{rule.code()} reads no column.",
            why="It is the same for all rows, so it says nothing about them.",
            fix="Compare a column: gs.expect().that(gs.col('temp') > 0).",
        )
    if isinstance(condition, Expression):
        condition = condition.bind(definition.schema)  # says more than the engine where an operation does not apply
    setting.engine.check_condition(definition, condition)

    def judge(values: Values) -> Finding:
        decided, offending = values
        return Finding(success=offending == 0, rows=decided, offending=offending)

    offenders = Unfulfilled(condition)
    measures = (Count(Decided(condition)), Count(offenders))
    return Bound(measures=measures, judge=judge, offenders=offenders, columns=tuple(names))


def _code(tree: Mapping[str, Any]) -> str:  # Any: JSON
    """The Python code of a stored expression."""
    match tree["op"]:
        case "col":
            return f"gs.col({tree['name']!r})"
        case "lit":
            return repr(Expression.from_dict(tree))
        case "in":
            values = ", ".join(_code({"op": "lit", **value}) for value in tree["values"])
            return f"{_code(tree['of'])}.is_in([{values}])"
        case "not":
            return f"~({_code(tree['of'])})"
        case "is_null" | "abs" as op:
            return f"({_code(tree['of'])}).{op}()"
        case op:
            return f"({_code(tree['left'])} {_OPERATORS.get(op, op)} {_code(tree['right'])})"
