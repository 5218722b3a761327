"""The statistics of one column, in the terms of its type, each with what it is worth."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundswell.features.statistics._summary import ColumnSummary
from groundswell.statistics import FrequentItem, FrequentItemsResult, MomentsResult, QuantileSketchResult

__all__ = ["ColumnHistogram", "ColumnStatistics", "moment_of"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_US = 86_400_000_000
_SHOWN = 200
"""Characters of a value that are shown."""


@dataclass(frozen=True, kw_only=True)
class ColumnHistogram:
    """How many values of a column fall between edges, from its quantile sketch.

    Attributes:
        edges: shape (bins + 1,), as numbers; of times in microseconds since 1970, of dates in days.
        counts: shape (bins,); a bin holds its right edge, the first also its left one.
        error: how far the count of values up to any edge may be off, in rows, with 99 % confidence.
    """

    edges: NDArray[np.float64]
    counts: NDArray[np.float64]
    error: float


@dataclass(frozen=True, kw_only=True)
class ColumnStatistics:
    """What is known of one column; None for what its type has not, or was not asked for.

    Attributes:
        name, type: of the column.
        kind: "number", "boolean", "time" (dates too), "text" or "other".
        rows: how many rows had the column.
        nulls, nan, infinite: how many of them had no value, NaN, an infinite value.
        minimum, maximum: exact, in the type of the column.
        mean, std: of the values that are there (std of the sample, n − 1); of times a time and a span of time.
        correlated: whether it is among the columns of the report's correlations.
    """

    name: str
    type: str
    kind: str
    rows: int
    nulls: int
    nan: int
    infinite: int
    minimum: Any = None  # Any: of the column's type
    maximum: Any = None
    mean: Any = None
    std: Any = None
    correlated: bool = False
    _quantiles: QuantileSketchResult | None = field(default=None, repr=False)
    _frequent: FrequentItemsResult | None = field(default=None, repr=False)
    _distinct: tuple[float, float, float] | None = field(default=None, repr=False)  # estimate, and its interval

    @classmethod
    def of(cls, name: str, summary: ColumnSummary, *, correlated: bool) -> "ColumnStatistics":
        """What a summary says of a column."""
        with np.errstate(over="ignore", invalid="ignore"):  # infinite and very large values
            results = {kind: part.result() for kind, part in summary.parts.items()}
            mean, std = _mean_and_std(results.get("moments"))
        span, distinct = results.get("range"), results.get("distinct")
        return cls(
            name=name,
            type=summary.type,
            kind=summary.kind,
            rows=summary.rows,
            nulls=summary.nulls,
            nan=summary.nan,
            infinite=summary.infinite,
            minimum=None if span is None else _shown(span.minimum, summary),
            maximum=None if span is None else _shown(span.maximum, summary),
            mean=_mean(mean, summary),
            std=_span(std, summary.type) if summary.kind == "time" else std,
            correlated=correlated,
            _quantiles=results.get("quantiles"),
            _frequent=results.get("frequent"),
            _distinct=None if distinct is None else (distinct.estimate, distinct.low, distinct.high),
        )

    @property
    def count(self) -> int:
        """How many rows have a value that is neither null nor NaN."""
        return self.rows - self.nulls - self.nan

    @property
    def missing_share(self) -> float:
        """The share of rows without a value; 0 of no rows."""
        return (self.nulls + self.nan) / self.rows if self.rows else 0.0

    @property
    def has_quantiles(self) -> bool:
        """Whether quantiles are known."""
        return self._quantiles is not None and self.count > 0

    @property
    def rank_error(self) -> float | None:
        """How far the rank of a quantile may be off, from 0 to 1, with 99 % confidence; None without quantiles."""
        return None if self._quantiles is None else self._quantiles.error

    def quantile(self, level: float) -> Any:  # Any: of the column's type
        """The value below which this share of the values lies; None if quantiles are not known.

        Levels 0 and 1 are exact. The rank of any other answer is within `rank_error` of its level.
        """
        if self._quantiles is None or not self.has_quantiles:
            return None
        found = float(self._quantiles.quantile([level])[0, 0])
        return moment_of(found, self.type) if self.kind == "time" else found

    @property
    def median(self) -> Any:  # Any: of the column's type
        """The quantile of level 0.5."""
        return self.quantile(0.5)

    def ranks(self, values: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
        """The share of the values that is at most each of these numbers, within `rank_error`; empty without quantiles.

        Args:
            values: numbers; of times microseconds since 1970, of dates days.
        """
        if self._quantiles is None or not self.has_quantiles:
            return np.empty(0)
        return np.array([self._quantiles.rank(float(value))[0] for value in values])

    def points(self, n_points: int) -> NDArray[np.float64]:
        """Quantiles at equal distances of level, as numbers, from the smallest value to the largest."""
        if self._quantiles is None or not self.has_quantiles:
            return np.empty(0)
        return np.asarray(self._quantiles.quantile(np.linspace(0, 1, n_points).tolist())[0])

    def histogram(self, bins: int = 20) -> ColumnHistogram | None:
        """Counts between edges at equal distances over the finite values; None if quantiles are not known."""
        points = self.points(201)
        finite = points[np.isfinite(points)]
        if not len(finite):
            return None
        low, high = float(finite[0]), float(finite[-1])
        if low == high:
            low, high = low - 0.5, high + 0.5
        shares = np.linspace(0, 1, bins + 1)
        edges = low * (1 - shares) + high * shares  # the difference of the two may overflow
        below = np.concatenate([self.ranks([math.nextafter(low, -math.inf)]), self.ranks(edges[1:])])
        error = (self.rank_error or 0.0) * self.count
        return ColumnHistogram(edges=edges, counts=np.diff(below) * self.count, error=error)

    @property
    def frequent(self) -> tuple[FrequentItem, ...]:
        """The most frequent values as text, the most frequent first; each with bounds of its count that are certain."""
        return () if self._frequent is None else self._frequent.items

    @property
    def frequent_error(self) -> float | None:
        """How far a count of `frequent` may be off, in rows; 0 is exact. None if frequent values are not known."""
        return None if self._frequent is None else self._frequent.error

    @property
    def distinct(self) -> float | None:
        """The number of distinct values, exact if all of them were counted; None if it is not known."""
        if self._frequent is not None and self._frequent.error == 0:
            return float(len(self._frequent.items))
        return None if self._distinct is None else self._distinct[0]

    @property
    def accuracy(self) -> dict[str, str]:
        """For each figure that is known, whether it is exact, and how far it may be off if not."""
        found = {"counts": "exact"}
        if self.minimum is not None:
            found["range"] = "exact"
        if self.mean is not None:
            found["moments"] = "exact to the rounding of float64"
        if self.rank_error is not None:
            found["quantiles"] = found["histogram"] = f"ranks within {self.rank_error:.2%}, with 99 % confidence"
        if self.frequent_error is not None:
            found["frequent"] = (
                "exact" if self.frequent_error == 0 else f"counts within {self.frequent_error:,.0f} rows"
            )
        if self.frequent_error == 0:
            found["distinct"] = "exact"
        elif self._distinct is not None:
            found["distinct"] = f"{self._distinct[1]:,.0f} to {self._distinct[2]:,.0f}, with 95 % confidence"
        return found

    def to_dict(self) -> dict[str, Any]:  # Any: JSON
        """All figures as plain values; times as ISO 8601 text."""
        levels = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
        figures = {
            name: _plain(getattr(self, name))
            for name in ("name", "type", "rows", "nulls", "nan", "infinite", "minimum", "maximum", "mean", "std")
        }
        return figures | {
            "distinct": self.distinct,
            "quantiles": {str(q): _plain(self.quantile(q)) for q in levels} if self.has_quantiles else None,
            "frequent": [[item.value, item.estimate] for item in self.frequent[:20]] if self._frequent else None,
            "accuracy": self.accuracy,
        }


def _mean_and_std(moments: MomentsResult | None) -> tuple[float | None, float | None]:
    if moments is None or not len(moments.weight) or moments.weight[0] == 0:
        return None, None
    mean, std = float(moments.mean[0]), float(moments.std(ddof=1)[0])
    return None if math.isnan(mean) else mean, None if math.isnan(std) else std


def _shown(value: Any, summary: ColumnSummary) -> Any:  # Any: of the column's type
    if value is not None and summary.kind == "time":
        return moment_of(value, summary.type)
    return value[:_SHOWN] + "…" if isinstance(value, str) and len(value) > _SHOWN else value


def _mean(value: float | None, summary: ColumnSummary) -> Any:  # Any: a number, or a time (of dates too)
    if value is None or summary.kind != "time":
        return value
    return moment_of(value * _DAY_US if summary.type.startswith("date") else value, "timestamp")


def moment_of(value: float, kind: str) -> Any:  # Any: a date, a datetime, or a text for one beyond the year 9999
    """A moment from the number that it is stored as: days for a date, else microseconds."""
    try:
        if kind.startswith("date"):
            return (_EPOCH + timedelta(days=round(value))).date()
        return _EPOCH + timedelta(microseconds=round(value))
    except (OverflowError, ValueError):
        return f"{value:.0f} {'days' if kind.startswith('date') else 'microseconds'} since 1970"


def _span(value: float | None, kind: str) -> timedelta | None:
    if value is None:
        return None
    try:
        return timedelta(days=value) if kind.startswith("date") else timedelta(microseconds=value)
    except OverflowError:
        return timedelta.max


def _plain(value: Any) -> Any:  # Any: JSON
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
