"""The words that make expectations: `gs.expect("temp").between(-40, 130)`."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol, overload

from groundswell.errors import DataError, TypeMismatchError
from groundswell.expressions import Expression
from groundswell.features.expectations._batches import Freshness, RowCountBetween
from groundswell.features.expectations._conditions import Sql, That
from groundswell.features.expectations._constants import plain_bound, plain_constant
from groundswell.features.expectations._order import Complete, Increasing, Unique
from groundswell.features.expectations._references import ForeignKey
from groundswell.features.expectations._summaries import DistinctCountBetween, MeanBetween, QuantileBetween
from groundswell.features.expectations._values import Between, IsIn, Matches
from groundswell.types import parse_duration


class Named(Protocol):
    """What a foreign key needs to know of a group."""

    name: str
    version: int


@dataclass(frozen=True)
class ColumnExpectations:
    """What can be expected of a column.

    A missing value is null or NaN. Rules ignore missing values; `complete` counts them, and to `unique` they are one
    value.
    """

    column: str

    def between(self, low: object, high: object) -> Between:
        """Every value lies between `low` and `high`, which are allowed themselves; None is open.

        Raises:
            DataError: no bounds, or the lower one is the greater.
        """
        return Between(column=self.column, low=plain_bound(low, "between"), high=plain_bound(high, "between"))

    def is_in(self, values: Iterable[object]) -> IsIn:
        """Every value is one of these.

        Raises:
            DataError: there are none, or one cannot be a value.
        """
        if isinstance(values, str):
            values = [values]  # is_in("EWR") means that value, not its letters
        if not isinstance(values, Iterable):
            raise DataError(
                f"{values!r} ({type(values).__name__}) is no set of values.", fix="Give a list.", value=values
            )
        return IsIn(column=self.column, values=tuple(plain_constant(value, "is_in") for value in values))

    def matches(self, pattern: str) -> Matches:
        """Every text matches the regular expression (RE2's syntax) as a whole.

        Raises:
            DataError: it is no regular expression.
        """
        return Matches(column=self.column, pattern=pattern)

    def complete(self, share: float = 1.0) -> Complete:
        """At least this share of the rows has a value.

        Raises:
            DataError: the share is not from 0 to 1.
        """
        return Complete(column=self.column, share=share)

    def unique(self) -> Unique:
        """No value is in two rows; missing values are one value."""
        return Unique(column=self.column)

    def increasing(self, *, strictly: bool = False) -> Increasing:
        """In the order of the batch no value is less than one before it or, strictly, equal to one."""
        return Increasing(column=self.column, strictly=strictly)

    def mean_between(self, low: float | None, high: float | None) -> MeanBetween:
        """The mean lies between the bounds; of booleans it is the share of true."""
        return MeanBetween(column=self.column, low=_number(low), high=_number(high))

    def quantile_between(self, q: float, low: object, high: object) -> QuantileBetween:
        """The q-quantile lies between the bounds: the least value with at least a share q of the values up to it.

        Raises:
            DataError: q is not from 0 to 1; no bounds, or the lower one is the greater.
        """
        rule = "quantile_between"
        return QuantileBetween(column=self.column, q=q, low=plain_bound(low, rule), high=plain_bound(high, rule))

    def distinct_count_between(self, low: int | None, high: int | None) -> DistinctCountBetween:
        """The number of different values lies between the bounds."""
        return DistinctCountBetween(column=self.column, low=_number(low), high=_number(high))

    def foreign_key(self, group: str | Named, column: str | None = None, *, version: int | None = None) -> ForeignKey:
        """Every value is in another group's current rows, as they are when the batch is validated.

        Args:
            group: the other group, or its name.
            column: which of its columns; None is its key, if that is one column.
            version: the version of the group, where a name is given; None is the latest.
        """
        if column is not None and not isinstance(column, str):
            raise TypeMismatchError(f"{column!r} is no name of a column.", fix="Give its name.", value=column)
        if isinstance(group, str):
            return ForeignKey(column=self.column, group=group, key=column, version=version)
        if not isinstance(getattr(group, "name", None), str):
            raise TypeMismatchError(
                f"{group!r} ({type(group).__name__}) is no feature group.", fix="Give a group or its name.", value=group
            )
        return ForeignKey(column=self.column, group=group.name, key=column, version=group.version)

    def __repr__(self) -> str:
        return f"gs.expect({self.column!r})"


@dataclass(frozen=True)
class TableExpectations:
    """What can be expected of the rows of a batch as a whole."""

    def row_count_between(self, low: int | None, high: int | None) -> RowCountBetween:
        """The number of rows lies between the bounds; None is open."""
        return RowCountBetween(low=_number(low), high=_number(high))

    def freshness(self, max_age: str | timedelta) -> Freshness:
        """The newest event time is at most `max_age` old, such as "3h", when the batch is validated.

        Raises:
            DataError: it is no length of time.
        """
        return Freshness(max_age=parse_duration(max_age, "max_age"))

    def that(self, condition: Expression) -> That:
        """The condition, made with `gs.col`, is false of no row.

        Raises:
            SchemaError: it is no expression.
        """
        return That(condition=condition)

    def sql(self, text: str) -> Sql:
        """The condition, one expression in SQL over the group's columns, is false of no row.

        Raises:
            DataError: it is something else: a query, an aggregate, a function that reads more than its arguments.
        """
        return Sql(text=text)

    def __repr__(self) -> str:
        return "gs.expect()"


@overload
def expect(column: str) -> ColumnExpectations: ...
@overload
def expect() -> TableExpectations: ...
def expect(column: str | None = None) -> ColumnExpectations | TableExpectations:
    """Begin an expectation about a column or, without one, about the rows of a batch as a whole.

    >>> expect("temp").between(-40, 130).warning()
    gs.expect('temp').between(-40, 130).warning()
    >>> expect().freshness("3h").describe()
    'the newest event time is at most 3h old'

    Raises:
        TypeMismatchError: the column's name is no text.
    """
    if column is None:
        return TableExpectations()
    if not isinstance(column, str) or not column:
        raise TypeMismatchError(
            f"{column!r} ({type(column).__name__}) is no name of a column.",
            fix="Write gs.expect('temp').between(-40, 130), or gs.expect().that(gs.col('low') <= gs.col('high')).",
            value=column,
        )
    return ColumnExpectations(column)


def expect_table() -> TableExpectations:
    """Begin an expectation about the rows of a batch as a whole; the same as `expect()`."""
    return TableExpectations()


def _number(bound: Any) -> Any:  # Any: the rule refuses what is no number
    """The bound without a type of NumPy's; an infinite one is open."""
    number = bound.item() if hasattr(bound, "item") else bound
    return None if isinstance(number, float) and math.isinf(number) else number
