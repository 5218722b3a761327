"""Rules about each value of a column: where it lies, what it is one of, what it looks like.

Missing values are ignored: `complete` speaks of them.
"""

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import pyarrow as pa
import pyarrow.compute as pc

from groundswell.engines import Count, Missing, NotAmong, Outside, Predicate, Unmatched
from groundswell.errors import DataError
from groundswell.features.expectations._constants import bounds, exact, is_ordered, is_scalar
from groundswell.features.expectations._expectation import (
    Bound,
    ColumnExpectation,
    Finding,
    Plain,
    Setting,
    Values,
    bounds_in_words,
    check_bounds,
)


def about_rows(column: str, offenders: Predicate, **detail: Plain) -> Bound:
    """A rule that holds if no row with a value breaks it."""

    def judge(values: Values) -> Finding:
        rows, missing, offending = values
        return Finding(success=offending == 0, rows=rows - missing, offending=offending)

    measures = (Count(), Count(Missing(column)), Count(offenders))
    return Bound(measures=measures, judge=judge, offenders=offenders, columns=(column,), detail=detail)


@dataclass(frozen=True, kw_only=True, repr=False)
class Between(ColumnExpectation):
    """Every value lies between two bounds, which are allowed themselves."""

    rule: ClassVar[str] = "between"
    low: Plain
    high: Plain

    def __post_init__(self) -> None:
        check_bounds(self.low, self.high, self.rule)

    def describe(self) -> str:
        return f"{self.column} {bounds_in_words(self.low, self.high)}"

    def call(self) -> str:
        return self.method("between", self.low, self.high)

    def bind(self, setting: Setting) -> Bound:
        field = self.field(setting, fits=is_ordered, kinds="numbers, text and times")
        low, high = bounds(self, self.low, self.high, field)
        return about_rows(self.column, Outside(column=self.column, low=low, high=high))


@dataclass(frozen=True, kw_only=True, repr=False)
class IsIn(ColumnExpectation):
    """Every value is one of a set."""

    rule: ClassVar[str] = "is_in"
    values: tuple[Plain, ...]

    def __post_init__(self) -> None:
        if not self.values:
            raise DataError(
                f"{self.call()} allows no value at all.",
                fix="Name the values, such as is_in(['EWR', 'JFK']).",
                column=self.column,
            )

    def describe(self) -> str:
        shown = ", ".join(map(repr, self.values[:10]))
        return f"{self.column} is one of {shown}" + (f" and {len(self.values) - 10} more" if self.values[10:] else "")

    def call(self) -> str:
        return self.method("is_in", list(self.values))

    def bind(self, setting: Setting) -> Bound:
        field = self.field(setting, fits=is_scalar, kinds="numbers, text, times and booleans")
        constants = tuple(exact(self, value, field) for value in self.values)
        return about_rows(self.column, NotAmong(self.column, constants))

    def parameters(self) -> dict[str, Any]:  # Any: JSON
        return {"column": self.column, "values": list(self.values)}

    @classmethod
    def of(cls, parameters: Any) -> Self:  # Any: JSON
        return cls(**{**parameters, "values": tuple(parameters["values"])})


@dataclass(frozen=True, kw_only=True, repr=False)
class Matches(ColumnExpectation):
    """Every text matches a regular expression as a whole.

    References:
        RE2's syntax: Perl's without look-around and back-references, in time linear in the text.
    """

    rule: ClassVar[str] = "matches"
    pattern: str

    def __post_init__(self) -> None:
        try:
            pc.match_substring_regex(pa.array([""]), self.pattern)  # Arrow has the same RE2 as DuckDB
        except (pa.ArrowInvalid, TypeError) as error:
            raise DataError(
                f"{self.call()}: the pattern is no regular expression.",
                why=str(error).splitlines()[0].rstrip(".") + ".",
                fix="Write it in RE2's syntax, which has no look-around and no back-references.",
                pattern=self.pattern,
            ) from None

    def describe(self) -> str:
        return f"{self.column} matches {self.pattern}"

    def call(self) -> str:
        return self.method("matches", self.pattern)

    def bind(self, setting: Setting) -> Bound:
        self.field(setting, fits=pa.types.is_string, kinds="text")
        return about_rows(self.column, Unmatched(self.column, self.pattern))
