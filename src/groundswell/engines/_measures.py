"""What is to be measured of a batch of rows, said without saying how.

A predicate picks rows, a measure makes one value of many rows; both are frozen values over columns by name. A missing
value is null or NaN. Predicates are neither true nor false of a missing value, so they never pick it, unless they say
otherwise.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa
from sqlglot import exp

from groundswell.tables import Snapshot


class Condition(Protocol):
    """Something that is true, false or null of each row."""

    def columns(self) -> set[str]:
        """The names of the columns that it reads."""

    def to_sql(self, column: Callable[[str], exp.Expr]) -> exp.Expr:
        """The condition as a sqlglot tree; `column` says what stands for a column's name."""


@dataclass(frozen=True)
class Missing:
    """The column's value is missing."""

    column: str


@dataclass(frozen=True, kw_only=True)
class Outside:
    """The value is less than `low` or greater than `high`; None is open. Both have the column's type."""

    column: str
    low: pa.Scalar | None
    high: pa.Scalar | None


@dataclass(frozen=True)
class NotAmong:
    """The value is none of these, which have the column's type."""

    column: str
    values: tuple[pa.Scalar, ...]


@dataclass(frozen=True)
class Unmatched:
    """The text as a whole does not match a regular expression in the syntax of RE2."""

    column: str
    pattern: str


@dataclass(frozen=True, kw_only=True)
class OutOfOrder:
    """The value is less than the greatest one in the rows before, or, if values increase strictly, not greater."""

    column: str
    strictly: bool


@dataclass(frozen=True)
class Repeated:
    """The value is in another row too. Missing values are one value. Of the rows of a value all but one are counted."""

    column: str


@dataclass(frozen=True, kw_only=True)
class Unreferenced:
    """The value is in no current row of a column of another table."""

    column: str
    snapshot: Snapshot
    key: str


@dataclass(frozen=True)
class Decided:
    """The condition is true or false, not null."""

    condition: Condition


@dataclass(frozen=True)
class Unfulfilled:
    """The condition is false."""

    condition: Condition


Predicate = Missing | Outside | NotAmong | Unmatched | OutOfOrder | Repeated | Unreferenced | Decided | Unfulfilled


@dataclass(frozen=True)
class Count:
    """How many rows the predicate picks; None is all."""

    of: Predicate | None = None


@dataclass(frozen=True)
class CountDistinct:
    """How many different values the column has."""

    column: str


@dataclass(frozen=True)
class Mean:
    """The arithmetic mean of the column's values as float64; true counts 1. None of no values."""

    column: str


@dataclass(frozen=True)
class Maximum:
    """The greatest value of the column. None of no values."""

    column: str


@dataclass(frozen=True)
class Ranked:
    """The value at a place among the column's values in ascending order, from 1. None if there are fewer."""

    column: str
    rank: int


Measure = Count | CountDistinct | Mean | Maximum | Ranked


@dataclass(frozen=True)
class Uncomputable:
    """Why a measure has no value for these rows, such as an overflow in its condition."""

    reason: str
