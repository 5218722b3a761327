"""Rules about a batch as a whole: how many rows it has, and how old they are."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

from groundswell.engines import Count, Maximum
from groundswell.errors import SchemaError
from groundswell.features.expectations._expectation import (
    Bound,
    Expectation,
    Finding,
    Setting,
    Values,
    bounds_in_words,
    check_numbers,
    inside,
)

_UNITS_US = {"d": 86_400_000_000, "h": 3_600_000_000, "min": 60_000_000, "s": 1_000_000, "ms": 1_000, "us": 1}


@dataclass(frozen=True, kw_only=True, repr=False)
class RowCountBetween(Expectation):
    """The number of rows lies between two bounds; rows that a later one of the batch replaces do not count."""

    rule: ClassVar[str] = "row_count_between"
    low: float | None
    high: float | None

    def __post_init__(self) -> None:
        check_numbers(self.low, self.high, self.rule)

    def describe(self) -> str:
        return f"the number of rows {bounds_in_words(self.low, self.high)}"

    def call(self) -> str:
        return f"gs.expect().row_count_between({self.low!r}, {self.high!r})"

    def bind(self, setting: Setting) -> Bound:
        del setting

        def judge(values: Values) -> Finding:
            (rows,) = values
            return Finding(success=inside(rows, self.low, self.high), rows=rows, observed=rows)

        return Bound(measures=(Count(),), judge=judge)


@dataclass(frozen=True, kw_only=True, repr=False)
class Freshness(Expectation):
    """The newest event time is at most so old when the batch is validated. Of no rows it is broken."""

    rule: ClassVar[str] = "freshness"
    max_age: timedelta

    def describe(self) -> str:
        return f"the newest event time is at most {self._text()} old"

    def call(self) -> str:
        return f"gs.expect().freshness({self._text()!r})"

    def bind(self, setting: Setting) -> Bound:
        definition, now = setting.definition, setting.now
        if definition.event_time is None:
            raise SchemaError(
                f"{self.code()}: group {definition.name!r} has no event time, so its rows have no age.",
                fix="Leave the expectation out, or create the group with event_time=….",
                group=definition.name,
            )

        def judge(values: Values) -> Finding:
            newest: datetime | None
            rows, newest = values
            fresh = newest is not None and now - newest <= self.max_age
            return Finding(success=fresh, rows=rows, observed=None if newest is None else newest.isoformat())

        return Bound(measures=(Count(), Maximum(definition.event_time)), judge=judge, columns=(definition.event_time,))

    def parameters(self) -> dict[str, Any]:  # Any: JSON
        return {"max_age_us": self.max_age // timedelta(microseconds=1)}

    @classmethod
    def of(cls, parameters: Any) -> Self:  # Any: JSON
        return cls(max_age=timedelta(microseconds=parameters["max_age_us"]), level=parameters["level"])

    def _text(self) -> str:
        us = self.max_age // timedelta(microseconds=1)
        unit = next(unit for unit, size in _UNITS_US.items() if us % size == 0 or size == 1)
        return f"{us // _UNITS_US[unit]}{unit}"
