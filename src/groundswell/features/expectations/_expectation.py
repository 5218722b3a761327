"""What an expectation is: a rule about the rows of a batch, with a level, that can be described, stored and bound.

The families of rules stand in files of their own. A rule is a frozen value; bound to a group it says what an engine
must measure, and judges the numbers that come back. In all rules a missing value is null or NaN: a frame shows both
alike.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any, ClassVar, Literal, Self

from groundswell.engines import DuckDB, Measure, OutOfOrder, Predicate, Repeated, Unreferenced
from groundswell.errors import ColumnNotFoundError, DataError, TypeMismatchError, choices
from groundswell.features._selection import Source
from groundswell.tables import Definition
from groundswell.types import Field, type_name

Level = Literal["error", "warning"]
"""How bad it is if the rule does not hold; the policy decides what follows."""

Values = Sequence[Any]  # Any: each measure has its own type
Plain = bool | int | float | str | None
"""A value that JSON can hold."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Where an expectation is bound: a group, the moment, and the other groups.

    Args:
        definition: the group's name, keys, times and schema.
        engine: where conditions are tried.
        now: the present moment in UTC.
        find: gives the group with a name and a version; None is the latest.
    """

    definition: Definition
    engine: DuckDB
    now: datetime
    find: Callable[[str, int | None], Source]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a rule says of one batch.

    Args:
        success: whether it holds.
        rows: the rows that it looked at: those with a value, in most rules.
        offending: the rows that break it; None for a rule about a summary.
        observed: the summary that it judged; None for a rule about rows, and where there is none.
    """

    success: bool
    rows: int
    offending: int | None = None
    observed: Plain = None


@dataclass(frozen=True, kw_only=True)
class Bound:
    """An expectation bound to a group.

    Args:
        measures: what must be measured of a batch.
        judge: the finding, from the measures' values in their order.
        offenders: which rows break the rule, if it is about rows.
        columns: the columns that it reads, shown with offending rows beside keys and times.
        tolerant: whether some rows may break it.
        explain: what to measure once the rule is broken, from the same values; the result is what was observed.
        detail: what the report shall say beside, as plain values.
    """

    measures: tuple[Measure, ...]
    judge: Callable[[Values], Finding]
    offenders: Predicate | None = None
    columns: tuple[str, ...] = ()
    tolerant: bool = False
    explain: Callable[[Values], Measure] | None = None
    detail: Mapping[str, Plain] = field(default_factory=dict)

    @property
    def about_each_row(self) -> bool:
        """Whether it is a rule about each row for itself, so that one row alone can be told to break it."""
        needs_others = isinstance(self.offenders, OutOfOrder | Repeated | Unreferenced)
        return self.offenders is not None and not needs_others and not self.tolerant


@dataclass(frozen=True, kw_only=True, repr=False)
class Expectation(ABC):
    """A rule about the rows of a batch. Made by `gs.expect`."""

    level: Level = "error"
    rule: ClassVar[str]
    offense: ClassVar[str] = "offend"

    def error(self) -> Self:
        """The same, at level error (as it is unless said otherwise)."""
        return replace(self, level="error")

    def warning(self) -> Self:
        """The same, at level warning: the policy "warning" writes the rows even if it is broken."""
        return replace(self, level="warning")

    @abstractmethod
    def describe(self) -> str:
        """What it says, in words."""

    @abstractmethod
    def bind(self, setting: Setting) -> Bound:
        """What it means for a group.

        Raises:
            ColumnNotFoundError: it is about a column that is not there.
            TypeMismatchError: it does not apply to the column's type.
        """

    @abstractmethod
    def call(self) -> str:
        """The call that makes it, without its level."""

    @property
    def subject(self) -> str:
        """The column that it is about; empty if it is about rows as a whole."""
        return ""

    def code(self) -> str:
        """The Python expression that makes it again."""
        return self.call() + (".warning()" if self.level == "warning" else "")

    __repr__ = code

    def to_dict(self) -> dict[str, Any]:  # Any: JSON
        """The expectation as plain values, for JSON; `from_dict` reads it back."""
        return {"rule": self.rule, **self.parameters(), "level": self.level}

    def parameters(self) -> dict[str, Any]:  # Any: JSON
        """What distinguishes it from others of its rule, as plain values."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name != "level"}

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> Self:  # Any: JSON
        """Read back what `parameters` gave, with the level."""
        return cls(**parameters)

    def mismatch(self, what: str, why: str, fix: str) -> TypeMismatchError:
        """The error for a rule that does not fit its column."""
        return TypeMismatchError(f"{self.code()}: {what}", why=why, fix=fix, expectation=self.to_dict())


@dataclass(frozen=True, kw_only=True, repr=False)
class ColumnExpectation(Expectation):
    """A rule about one column."""

    column: str

    @property
    def subject(self) -> str:
        return self.column

    def field(self, setting: Setting, *, fits: Callable[[Any], bool] | None = None, kinds: str = "") -> Field:
        """The column, of one of the types that the rule applies to.

        Args:
            setting: where it is bound.
            fits: whether the rule applies to an Arrow type; None is any.
            kinds: those types in words.

        Raises:
            ColumnNotFoundError: there is no such column.
            TypeMismatchError: the rule does not apply to its type.
        """
        definition = setting.definition
        if self.column not in definition.schema:
            raise ColumnNotFoundError(
                f"{self.code()}: group {definition.name!r} has no column {self.column!r}.",
                fix=choices(self.column, definition.schema.names, "columns"),
                column=self.column,
                group=definition.name,
                known=definition.schema.names,
            )
        found = definition.schema[self.column]
        if fits is not None and not fits(found.type):
            raise self.mismatch(
                f"column {self.column!r} of group {definition.name!r} is {type_name(found.type)}.",
                f"The rule {self.rule!r} is about {kinds}.",
                "Choose another rule or column.",
            )
        return found

    def method(self, name: str, *arguments: object, **named: object) -> str:
        """The call of a method of `gs.expect(column)`."""
        texts = [repr(a) for a in arguments] + [f"{key}={value!r}" for key, value in named.items()]
        return f"gs.expect({self.column!r}).{name}({', '.join(texts)})"


def inside(value: float | None, low: float | None, high: float | None) -> bool:
    """Whether there is a value and it lies between the bounds; None is open, and NaN lies nowhere."""
    return value is not None and value == value and (low is None or value >= low) and (high is None or value <= high)


def check_bounds(low: object, high: object, rule: str) -> None:
    """Raise unless the two are bounds that something can lie between, as far as can be told without a column.

    Raises:
        DataError: both are left out, or the lower one is the greater.
    """
    if low is None and high is None:
        raise DataError(
            f"The rule {rule!r} has neither a lower nor an upper bound.",
            fix="Give one or both, such as between(0, 100) or between(0, None).",
        )
    if isinstance(low, int | float) and isinstance(high, int | float) and low > high:
        raise reversed_bounds(low, high, rule)


def reversed_bounds(low: object, high: object, rule: str) -> DataError:
    """The error for a lower bound that is the greater one."""
    return DataError(
        f"The rule {rule!r} has the bounds {low!r} and {high!r}: nothing lies between them.",
        fix="Give the lower bound first, and None where there is none.",
        low=low,
        high=high,
    )


def check_numbers(low: object, high: object, rule: str) -> None:
    """The same for bounds that must be numbers.

    Raises:
        DataError: one is not, or as `check_bounds`.
    """
    for bound in (low, high):
        if bound is not None and (isinstance(bound, bool) or not isinstance(bound, int | float) or bound != bound):
            raise DataError(f"The rule {rule!r} has the bound {bound!r}.", fix="Give a number, or None.", value=bound)
    check_bounds(low, high, rule)


def bounds_in_words(low: object, high: object) -> str:
    """The bounds as the end of a sentence.

    >>> bounds_in_words(0, None)
    'is at least 0'
    """
    if low is None:
        return f"is at most {high!r}"
    if high is None:
        return f"is at least {low!r}"
    return f"is {low!r}" if low == high else f"lies between {low!r} and {high!r}"
