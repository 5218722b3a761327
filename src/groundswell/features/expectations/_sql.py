"""A condition in SQL, held to what a condition on one row can be.

The text is parsed to a tree, and every node of the tree must be on the list below; what is not on it is refused by its
name, whatever the database knows it as. So there are no queries, no aggregates, no functions that read files, the
environment or the clock, and no second statement. What runs is written anew from the tree, never the text itself.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from groundswell.errors import DataError

LONGEST, DEEPEST = 4_000, 100
"""Characters and levels of nesting: what is longer or deeper is a program, not a condition."""

_LOGIC: tuple[type[exp.Expr], ...] = (
    exp.And, exp.Or, exp.Not, exp.Paren, exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.Between, exp.In, exp.Is,
    exp.NullSafeEQ, exp.NullSafeNEQ, exp.Like, exp.ILike, exp.Escape, exp.Case, exp.If, exp.Coalesce, exp.Nullif,
)  # fmt: skip
_VALUES: tuple[type[exp.Expr], ...] = (
    exp.Column, exp.Identifier, exp.Literal, exp.Boolean, exp.Null, exp.Cast, exp.TryCast, exp.DataType,
    exp.DataTypeParam, exp.Interval, exp.Var,
)  # fmt: skip
_NUMBERS: tuple[type[exp.Expr], ...] = (
    exp.Add, exp.Sub, exp.Mul, exp.Div, exp.IntDiv, exp.Mod, exp.Neg, exp.Abs, exp.Round, exp.Floor, exp.Ceil, exp.Sqrt,
    exp.Ln, exp.Exp, exp.Pow, exp.Greatest, exp.Least, exp.Sign, exp.IsNan,
    exp.IsInf,
)  # fmt: skip
_TEXT: tuple[type[exp.Expr], ...] = (
    exp.DPipe, exp.Lower, exp.Upper, exp.Trim, exp.Length, exp.Substring, exp.Left, exp.Right, exp.StartsWith,
    exp.EndsWith, exp.Contains, exp.Replace, exp.Concat, exp.RegexpLike, exp.RegexpFullMatch,
)  # fmt: skip
_TIMES: tuple[type[exp.Expr], ...] = (
    exp.Extract, exp.Year, exp.Month, exp.Day, exp.Quarter, exp.DayOfWeek, exp.DayOfYear, exp.Hour, exp.Minute,
    exp.DateDiff, exp.TimestampTrunc,
)  # fmt: skip
_ALLOWED = frozenset((*_LOGIC, *_VALUES, *_NUMBERS, *_TEXT, *_TIMES))
_TYPES = {
    exp.DType.BOOLEAN, exp.DType.TINYINT, exp.DType.SMALLINT, exp.DType.INT, exp.DType.BIGINT, exp.DType.INT128,
    exp.DType.FLOAT, exp.DType.DOUBLE, exp.DType.DECIMAL, exp.DType.VARCHAR, exp.DType.TEXT, exp.DType.DATE,
    exp.DType.TIMESTAMP, exp.DType.TIMESTAMPTZ, exp.DType.INTERVAL,
}  # fmt: skip


@dataclass(frozen=True)
class SqlCondition:
    """One condition over the columns of a row, in DuckDB's SQL.

    It may have comparisons, `AND`, `OR`, `NOT`, `BETWEEN`, `IN` with a list, `IS NULL`, `LIKE`, `CASE`, arithmetic,
    casts to simple types, and plain functions of numbers, text and times. Columns are named as they are spelled, quoted
    where a name needs it.

    Raises:
        DataError: the text is no single condition, or holds something else than these.

    >>> sorted(SqlCondition("temp > dew_point AND wind >= 0").columns())
    ['dew_point', 'temp', 'wind']
    """

    text: str
    tree: exp.Expr = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.text, str) or len(self.text) > LONGEST:
            raise DataError(
                f"{self.text!s:.60} ({type(self.text).__name__}) is no condition in SQL.",
                fix=f"Give text of at most {LONGEST:,} characters.",
            )
        object.__setattr__(self, "tree", _parsed(self.text))

    def columns(self) -> set[str]:
        """The names of the columns that it reads."""
        return {node.name for node in self.tree.find_all(exp.Column)}

    def to_sql(self, column: Callable[[str], exp.Expr]) -> exp.Expr:
        """The condition as a tree; `column` says what stands for a column's name."""
        return self.tree.copy().transform(lambda n: column(n.name) if isinstance(n, exp.Column) else n)

    def __repr__(self) -> str:
        return self.text


def _parsed(text: str) -> exp.Expr:
    try:
        trees = sqlglot.parse(text, read="duckdb")
        tree = trees[0] if len(trees) == 1 else None
        if tree is None:
            raise _refused(text, "it is not one expression")
        for node in list(tree.walk()):
            _check(text, node)
            if node.depth > DEEPEST:
                raise RecursionError
            node.pop_comments()
    except SqlglotError as error:
        raise _refused(text, f"it cannot be parsed ({str(error).splitlines()[0]})") from None
    except RecursionError:
        raise _refused(text, "it is nested too deeply") from None
    return tree


def _check(text: str, node: exp.Expr) -> None:
    if type(node) not in _ALLOWED:
        name = node.name if isinstance(node, exp.Anonymous) else type(node).__name__
        raise _refused(text, f"{name} has no place in it")
    if isinstance(node, exp.Column) and node.parts[:-1]:
        raise _refused(text, f"{node.sql('duckdb')} names more than a column of the group")
    if isinstance(node, exp.DataType) and (node.this not in _TYPES or node.args.get("nested")):
        raise _refused(text, f"{node.sql('duckdb')} is no simple type")
    if isinstance(node, exp.In) and (node.args.get("query") or node.args.get("unnest") or node.args.get("field")):
        raise _refused(text, "IN takes a list of values")
    if isinstance(node, exp.Column) and not isinstance(node.this, exp.Identifier):
        raise _refused(text, f"{node.sql('duckdb')} is no column")


def _refused(text: str, why: str) -> DataError:
    return DataError(
        f"{text!r:.200} is no condition on one row: {why}.",
        why="A rule in SQL has comparisons, logic, arithmetic, casts and plain functions over the group's columns; no "
        "queries, aggregates, files, variables or clocks.",
        fix="Write it over columns, such as 'temp > dew_point AND wind >= 0'.",
        text=text,
    )
