"""What is computed of the rows in a window: one small frozen value for each aggregation."""

from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

from groundswell.errors import ColumnNotFoundError, DataError, TypeMismatchError, choices
from groundswell.features.windows._spans import Span, parse_span
from groundswell.types import Schema, is_numeric, type_name

__all__ = ["Aggregation", "count", "distinct", "last", "max", "mean", "min", "share", "std", "sum"]

Kind = Literal["count", "sum", "mean", "min", "max", "std", "last", "share", "distinct"]


@dataclass(frozen=True)
class Aggregation:
    """One value over the rows of a window; made by `gs.count`, `gs.mean` and the like.

    Args:
        kind: what is computed.
        column: of which column; None counts rows.
        over: how far back the window reaches.
    """

    kind: Kind
    column: str | None
    over: Span

    def result(self, schema: Schema, name: str) -> pa.DataType:
        """The type of the value.

        Raises:
            ColumnNotFoundError: the column is not there.
            TypeMismatchError: it has a type of which this cannot be computed.
        """
        if self.column is None:
            return pa.int64()
        if self.column not in schema:
            raise ColumnNotFoundError(
                f"There is no column {self.column!r} for {name!r}.",
                fix=choices(self.column, schema.names, "columns"),
                column=self.column,
                known=schema.names,
            )
        kind = schema[self.column].type
        if self.kind in ("count", "distinct"):
            return pa.int64()
        if self.kind == "last" or (self.kind in ("min", "max") and not pa.types.is_nested(kind)):
            return kind
        wanted = pa.types.is_boolean(kind) if self.kind == "share" else is_numeric(kind)
        if not wanted:
            raise TypeMismatchError(
                f"{name!r} is the {self.kind} of column {self.column!r}, which is {type_name(kind)}.",
                why="A share is of true among true and false; sums, means and deviations are of numbers.",
                fix="Name another column, or insert one that says it.",
                column=self.column,
                type=type_name(kind),
            )
        return pa.int64() if self.kind == "sum" and pa.types.is_integer(kind) else pa.float64()

    def __str__(self) -> str:
        column = "" if self.column is None else f"{self.column!r}, "
        return f"{self.kind}({column}over='{self.over}')"


def _of(kind: Kind, column: object, over: object) -> Aggregation:
    if column is not None and not isinstance(column, str):
        raise DataError(f"{column!r} is no name of a column.", fix="Give it as text.", value=column)
    return Aggregation(kind, column, parse_span(over, "the length of a window"))


def count(column: str | None = None, *, over: str) -> Aggregation:
    """How many rows there are, or how many have a value in a column; 0 if there are none.

    Args:
        column: whose values are counted; None counts rows.
        over: how far back the window reaches, such as "24h", "7d" or "1mo".
    """
    return _of("count", column, over)


def sum(column: str, *, over: str) -> Aggregation:  # noqa: A001  # gs.sum reads as SQL does
    """The sum of a column of numbers; null if no row has one. Of integers it is an integer."""
    return _of("sum", column, over)


def mean(column: str, *, over: str) -> Aggregation:
    """The mean of a column of numbers; null if no row has one."""
    return _of("mean", column, over)


def min(column: str, *, over: str) -> Aggregation:  # noqa: A001  # gs.min reads as SQL does
    """The least value of a column; null if no row has one."""
    return _of("min", column, over)


def max(column: str, *, over: str) -> Aggregation:  # noqa: A001  # gs.max reads as SQL does
    """The greatest value of a column; null if no row has one."""
    return _of("max", column, over)


def std(column: str, *, over: str) -> Aggregation:
    """The sample standard deviation of a column of numbers (divided by n − 1); null if fewer than two rows have one."""
    return _of("std", column, over)


def last(column: str, *, over: str) -> Aggregation:
    """The value of the row with the greatest event time that has one; of equal times that with the greatest key."""
    return _of("last", column, over)


def share(column: str, *, over: str) -> Aggregation:
    """The share of true among the values of a column of true and false; null if no row has one."""
    return _of("share", column, over)


def distinct(column: str, *, over: str) -> Aggregation:
    """How many different values a column has, exactly; 0 if none."""
    return _of("distinct", column, over)
