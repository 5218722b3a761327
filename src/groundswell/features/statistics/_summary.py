"""The summary of a commit's rows, column by column: made of statistics that merge, so it merges itself.

What a column gets depends on its type:

- numbers and decimals: range (exact, whatever the size), moments, quantiles, correlations; if whole, frequent values;
- booleans: moments (the mean is the share of true), frequent values, correlations;
- times and dates: range, moments, quantiles and correlations of their number; dates also frequent values;
- text: range and frequent values;
- binary, lists and structs: counts only.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from groundswell.features.statistics._config import StatisticsConfig
from groundswell.statistics import (
    Batch,
    DistinctSketch,
    FrequentItems,
    Moments,
    PairwiseGram,
    QuantileSketch,
    Statistic,
    ValueRange,
    numbers,
    one_blas_thread,
)
from groundswell.types import Schema, is_numeric, type_name

__all__ = ["ColumnSummary", "Summary"]

_PIECE_ROWS = 1 << 17
"""Rows converted at once. Text is tallied faster in larger pieces, numbers stay longer in the cache in smaller ones."""

_WIDEST = 64
"""Correlations of more columns than this take longer than everything else: they are kept of the first so many."""

_PARTS: Mapping[str, Mapping[str, type[Statistic[Any]]]] = {
    "number": {"range": ValueRange, "moments": Moments, "quantiles": QuantileSketch, "distinct": DistinctSketch},
    "boolean": {"moments": Moments, "frequent": FrequentItems},
    "time": {"range": ValueRange, "moments": Moments, "quantiles": QuantileSketch, "distinct": DistinctSketch},
    "text": {"range": ValueRange, "frequent": FrequentItems, "distinct": DistinctSketch},
    "other": {},
}
NUMERIC = ("number", "boolean", "time")


@dataclass
class ColumnSummary:
    """What is known of one column.

    Args:
        type: the name of its type.
        kind: "number", "boolean", "time" (dates too), "text" or "other".
        parts: the statistics by kind.
        rows, nulls, nan, infinite: how many rows there were, and how many values of each sort.
    """

    type: str
    kind: str
    parts: dict[str, Statistic[Any]]
    rows: int = 0
    nulls: int = 0
    nan: int = 0
    infinite: int = 0

    @classmethod
    def of_type(cls, kind: pa.DataType, kinds: Sequence[str]) -> "ColumnSummary":
        """The summary of a column of this type that has seen nothing."""
        sort = _sort(kind)
        parts = dict(_PARTS[sort])
        if (sort == "number" and not pa.types.is_floating(kind)) or pa.types.is_date(kind):
            parts["frequent"] = FrequentItems
        return cls(type_name(kind), sort, {name: make() for name, make in parts.items() if name in kinds})

    def update(self, column: pa.Array, values: NDArray[np.float64] | None) -> None:
        """Take in some rows.

        Args:
            column: the values.
            values: them as numbers, NaN where there is none; None for a column that is not numeric.
        """
        self.rows += len(column)
        self.nulls += column.null_count
        if pa.types.is_floating(column.type) and values is not None:
            odd = len(column) - int(np.count_nonzero(np.isfinite(values)))
            missing = int(np.count_nonzero(np.isnan(values))) if odd else 0
            self.nan, self.infinite = self.nan + missing - column.null_count, self.infinite + odd - missing
        batch = Batch(X=None if values is None else values[:, None], y=_plain(column))
        for name, part in self.parts.items():
            dated = name == "frequent" and pa.types.is_date(column.type)
            part.update(Batch(y=column.cast(pa.string())) if dated else batch)

    def merge(self, other: "ColumnSummary") -> None:
        """Take in another; what only one of both knows would be of some rows only, and is dropped."""
        same = self.kind == other.kind
        self.parts = {name: part for name, part in self.parts.items() if same and name in other.parts}
        for name, part in self.parts.items():
            part.merge(other.parts[name])
        self.type = other.type
        self.rows, self.nulls = self.rows + other.rows, self.nulls + other.nulls
        self.nan, self.infinite = self.nan + other.nan, self.infinite + other.infinite


@dataclass
class Summary:
    """What is known of some rows of a table.

    Args:
        rows: how many.
        columns: by name.
        correlated: the columns that `gram` is about.
        gram: their sums of products.
    """

    rows: int = 0
    columns: dict[str, ColumnSummary] = field(default_factory=dict)
    correlated: tuple[str, ...] = ()
    gram: PairwiseGram = field(default_factory=PairwiseGram)

    @classmethod
    def of(cls, schema: Schema, names: Sequence[str], config: StatisticsConfig) -> "Summary":
        """The summary of no rows.

        Args:
            schema: the table's.
            names: which columns.
            config: which statistics of them.
        """
        columns = {name: ColumnSummary.of_type(schema[name].type, config.kinds) for name in names}
        numeric = [name for name, column in columns.items() if column.kind in NUMERIC]
        correlated = tuple(numeric[:_WIDEST]) if "correlations" in config.kinds else ()
        return cls(columns=columns, correlated=correlated)

    def update(self, batch: pa.RecordBatch) -> None:
        """Take in rows of the table, with all columns that this is about."""
        with one_blas_thread(), np.errstate(over="ignore", invalid="ignore"):  # very large values have no variance
            for start in range(0, batch.num_rows, _PIECE_ROWS):
                self._update(batch.slice(start, _PIECE_ROWS))

    def _update(self, batch: pa.RecordBatch) -> None:
        self.rows += batch.num_rows
        numeric = [name for name, column in self.columns.items() if column.kind in NUMERIC]
        ordered = [*self.correlated, *(name for name in numeric if name not in self.correlated)]
        matrix = np.empty((batch.num_rows, len(ordered)), order="F")
        for j, name in enumerate(ordered):
            matrix[:, j] = numbers(_plain(batch.column(name)), name)
        places = {name: j for j, name in enumerate(ordered)}
        for name, column in self.columns.items():
            column.update(batch.column(name), matrix[:, places[name]] if name in places else None)
        if self.correlated:
            self.gram.update(Batch(X=matrix[:, : len(self.correlated)]))

    def merge(self, other: "Summary") -> None:
        """Take in another, which is not changed; it may have other columns, as schemas grow."""
        self.rows += other.rows
        for name, theirs in other.columns.items():
            mine = self.columns.setdefault(
                name, ColumnSummary(theirs.type, theirs.kind, {k: part.zero() for k, part in theirs.parts.items()})
            )
            mine.merge(theirs)
        if other.correlated and self.correlated != other.correlated:
            union = tuple(dict.fromkeys([*self.correlated, *other.correlated]))
            self.gram, self.correlated = self._gram_over(union), union
        if other.correlated:
            self.gram.merge(other._gram_over(self.correlated))

    def _gram_over(self, names: Sequence[str]) -> PairwiseGram:
        if tuple(names) == self.correlated:
            return self.gram
        if not len(self.gram.pilot):  # of no rows
            return PairwiseGram()
        return self.gram.over([self.correlated.index(name) if name in self.correlated else None for name in names])

    def statistics(self) -> Iterator[tuple[str, str, Statistic[Any]]]:
        """Every statistic in it, with its column and kind."""
        for name, column in self.columns.items():
            for kind, part in column.parts.items():
                yield name, kind, part


def _sort(kind: pa.DataType) -> str:
    if pa.types.is_dictionary(kind):
        return "text" if _sort(kind.value_type) == "text" else "other"
    if pa.types.is_boolean(kind):
        return "boolean"
    if is_numeric(kind):
        return "number"
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return "time"
    return "text" if pa.types.is_string(kind) else "other"


def _plain(column: pa.Array) -> pa.Array:
    """Times and dates as the whole numbers that they are stored as, which have no last year."""
    if pa.types.is_date(column.type):
        column = column.cast(pa.int32())
    return column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column
