"""Rules about a column as a whole: whether values are there, differ from each other, and grow."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

import pyarrow as pa

from groundswell.engines import Count, Missing, OutOfOrder, Repeated
from groundswell.errors import DataError
from groundswell.features.expectations._constants import is_ordered
from groundswell.features.expectations._expectation import Bound, ColumnExpectation, Finding, Setting, Values
from groundswell.features.expectations._values import about_rows


@dataclass(frozen=True, kw_only=True, repr=False)
class Complete(ColumnExpectation):
    """At least a share of the rows has a value; missing ones are what it counts. It holds of no rows."""

    rule: ClassVar[str] = "complete"
    offense: ClassVar[str] = "lack it"
    share: float = 1.0

    def __post_init__(self) -> None:
        check_share(self.share, "complete")

    def describe(self) -> str:
        if self.share == 1:
            return f"{self.column} is complete"
        return f"{self.column} is there in at least {100 * self.share:g} % of rows"

    def call(self) -> str:
        return self.method("complete", *([] if self.share == 1 else [self.share]))

    def bind(self, setting: Setting) -> Bound:
        self.field(setting)

        def judge(values: Values) -> Finding:
            rows, missing = values
            present = rows - missing
            enough = present >= Fraction(str(self.share)) * rows  # 0.07 of 100 rows is 7, which floats make more
            return Finding(success=enough, rows=rows, offending=missing, observed=present / rows if rows else None)

        offenders = Missing(self.column)
        return Bound(
            measures=(Count(), Count(offenders)),
            judge=judge,
            offenders=offenders,
            columns=(self.column,),
            tolerant=self.share < 1,
        )


@dataclass(frozen=True, kw_only=True, repr=False)
class Unique(ColumnExpectation):
    """No value is in two rows. Missing values are not ignored: they are one value, which one row may have."""

    rule: ClassVar[str] = "unique"

    def describe(self) -> str:
        return f"{self.column} is unique"

    def call(self) -> str:
        return self.method("unique")

    def bind(self, setting: Setting) -> Bound:
        self.field(setting, fits=is_flat, kinds="single values, not lists and structs")

        def judge(values: Values) -> Finding:
            rows, offending = values
            return Finding(success=offending == 0, rows=rows, offending=offending)

        offenders = Repeated(self.column)
        return Bound(measures=(Count(), Count(offenders)), judge=judge, offenders=offenders, columns=(self.column,))


@dataclass(frozen=True, kw_only=True, repr=False)
class Increasing(ColumnExpectation):
    """No value is less than one in a row before it or, strictly, equal to one. Missing values are ignored."""

    rule: ClassVar[str] = "increasing"
    strictly: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.strictly, bool):
            raise DataError(f"strictly={self.strictly!r} is neither true nor false.", fix="Give True or False.")

    def describe(self) -> str:
        return f"{self.column} is increasing" + (" strictly" if self.strictly else "")

    def call(self) -> str:
        return self.method("increasing", **({"strictly": True} if self.strictly else {}))

    def bind(self, setting: Setting) -> Bound:
        self.field(setting, fits=is_ordered, kinds="numbers, text and times")
        return about_rows(self.column, OutOfOrder(column=self.column, strictly=self.strictly))


def is_flat(kind: Any) -> bool:  # Any: pyarrow has no types
    """Whether the type is that of single values."""
    return not pa.types.is_nested(kind)


def check_share(share: object, rule: str) -> None:
    """Raise unless it is a share of rows.

    Raises:
        DataError: it is not.
    """
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
        raise DataError(
            f"{share!r} cannot be the share in the rule {rule!r}.",
            fix="Give a number from 0 to 1: 0.95 means 95 % of the rows.",
            value=share,
        )
