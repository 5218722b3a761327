"""Rules about one number that sums a column up: its mean, a quantile, how many different values it has.

Missing values are ignored. A mean or quantile of no values does not lie anywhere, so the rule is broken; no values are
zero different ones.
"""

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

from groundswell.engines import Count, CountDistinct, Mean, Missing, Outside, Ranked
from groundswell.features.expectations._constants import bounds, is_ordered
from groundswell.features.expectations._expectation import (
    Bound,
    ColumnExpectation,
    Finding,
    Plain,
    Setting,
    Values,
    bounds_in_words,
    check_bounds,
    check_numbers,
    inside,
)
from groundswell.features.expectations._order import check_share, is_flat
from groundswell.types import is_numeric


@dataclass(frozen=True, kw_only=True, repr=False)
class MeanBetween(ColumnExpectation):
    """The mean lies between two bounds; of booleans it is the share of true."""

    rule: ClassVar[str] = "mean_between"
    low: float | None
    high: float | None

    def __post_init__(self) -> None:
        check_numbers(self.low, self.high, self.rule)

    def describe(self) -> str:
        return f"the mean of {self.column} {bounds_in_words(self.low, self.high)}"

    def call(self) -> str:
        return self.method("mean_between", self.low, self.high)

    def bind(self, setting: Setting) -> Bound:
        self.field(setting, fits=is_numeric, kinds="numbers and booleans")

        def judge(values: Values) -> Finding:
            rows, missing, mean = values
            return Finding(success=inside(mean, self.low, self.high), rows=rows - missing, observed=mean)

        return Bound(
            measures=(Count(), Count(Missing(self.column)), Mean(self.column)), judge=judge, columns=(self.column,)
        )


@dataclass(frozen=True, kw_only=True, repr=False)
class QuantileBetween(ColumnExpectation):
    """The q-quantile lies between two bounds: the least value with at least a share q of all values up to it.

    It is judged without sorting, by counting the values below and above the bounds, so it costs no memory; which value
    it is, is found out only if the rule is broken.

    References:
        Hyndman and Fan (1996), "Sample Quantiles in Statistical Packages", definition 1 (the inverse of the empirical
        distribution function; NumPy's method "inverted_cdf").
    """

    rule: ClassVar[str] = "quantile_between"
    q: float
    low: Plain
    high: Plain

    def __post_init__(self) -> None:
        check_share(self.q, self.rule)
        check_bounds(self.low, self.high, self.rule)

    def describe(self) -> str:
        return f"the {self.q}-quantile of {self.column} {bounds_in_words(self.low, self.high)}"

    def call(self) -> str:
        return self.method("quantile_between", self.q, self.low, self.high)

    def bind(self, setting: Setting) -> Bound:
        field = self.field(setting, fits=is_ordered, kinds="numbers, text and times")
        low, high = bounds(self, self.low, self.high, field)

        def rank(values: Values) -> int:
            rows, missing, _, _ = values
            count: int = rows - missing
            return max(math.ceil(Fraction(str(self.q)) * count), 1)

        def judge(values: Values) -> Finding:
            rows, missing, below, above = values
            count = rows - missing
            holds = count > 0 and below < rank(values) <= count - above
            return Finding(success=holds, rows=count)

        measures = (
            Count(),
            Count(Missing(self.column)),
            Count(Outside(column=self.column, low=low, high=None)),
            Count(Outside(column=self.column, low=None, high=high)),
        )
        return Bound(
            measures=measures,
            judge=judge,
            columns=(self.column,),
            explain=lambda values: Ranked(self.column, rank(values)),
        )


@dataclass(frozen=True, kw_only=True, repr=False)
class DistinctCountBetween(ColumnExpectation):
    """The number of different values lies between two bounds; it is counted exactly."""

    rule: ClassVar[str] = "distinct_count_between"
    low: float | None
    high: float | None

    def __post_init__(self) -> None:
        check_numbers(self.low, self.high, self.rule)

    def describe(self) -> str:
        return f"the number of different values of {self.column} {bounds_in_words(self.low, self.high)}"

    def call(self) -> str:
        return self.method("distinct_count_between", self.low, self.high)

    def bind(self, setting: Setting) -> Bound:
        self.field(setting, fits=is_flat, kinds="single values, not lists and structs")

        def judge(values: Values) -> Finding:
            rows, missing, distinct = values
            return Finding(success=inside(distinct, self.low, self.high), rows=rows - missing, observed=distinct)

        return Bound(
            measures=(Count(), Count(Missing(self.column)), CountDistinct(self.column)),
            judge=judge,
            columns=(self.column,),
        )
