"""`CategoryCounts`: how often each value of a column occurs."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from groundswell.errors import TypeMismatchError
from groundswell.statistics._batch import Batch
from groundswell.statistics._matrix import Floats
from groundswell.statistics._statistic import require_equal

__all__ = ["CategoryCounts", "CategoryCountsResult"]


@dataclass(frozen=True, kw_only=True)
class CategoryCountsResult:
    """Counts by value.

    Attributes:
        values: sorted, none of them null.
        counts: Σ w of each, shape (values,).
        missing: Σ w of the rows without a value.
    """

    values: list[Any]  # Any: values are of the column's type
    counts: Floats
    missing: float

    def most_common(self, n: int) -> list[tuple[Any, float]]:  # Any: as above
        """The n most frequent values with their counts; of equals the smaller value first."""
        order = np.argsort(-self.counts, kind="stable")[:n]
        return [(self.values[i], float(self.counts[i])) for i in order]


@dataclass
class CategoryCounts:
    """Counts of the values of one column, which may be of any type: strings, whole numbers, booleans, dates.

    Each batch may come with a dictionary of its own, as the row groups of a Parquet file do. The state grows with the
    number of distinct values; for columns with millions of them there are `DistinctSketch` and `FrequentItems`.

    Missing values: nulls and NaN are counted apart.

    Args:
        column: the name of the column; None for y.

    >>> counts = CategoryCounts("carrier")
    >>> counts.update(Batch(columns={"carrier": pa.array(["UA", "AA", None, "UA"]).dictionary_encode()}))
    >>> counts.result()
    CategoryCountsResult(values=['AA', 'UA'], counts=array([1., 2.]), missing=1.0)
    """

    column: str | None = None
    counts: dict[Any, float] = field(init=False, default_factory=dict)  # Any: as above
    missing: float = field(init=False, default=0.0)

    def zero(self) -> "CategoryCounts":
        """The same column, nothing counted."""
        return CategoryCounts(self.column)

    def update(self, batch: Batch) -> None:
        """Count the values.

        Raises:
            ColumnNotFoundError: the batch has no such column.
        """
        for block in batch.blocks():
            encoded = block.codes(self.column)
            totals = np.bincount(encoded.codes + 1, block.weights, len(encoded.values) + 1).astype(np.float64)
            seen = np.flatnonzero(totals[1:])
            self.missing += float(totals[0])
            self._add(encoded.values.take(pa.array(seen)).to_pylist(), totals[1:][seen].tolist())

    def _add(self, values: list[Any], counts: list[float]) -> None:  # Any: as above
        for value, count in zip(values, counts, strict=True):
            self.counts[value] = self.counts.get(value, 0.0) + count

    def merge(self, other: "CategoryCounts") -> None:
        """Add the counts.

        Raises:
            DataError: the other is about another column.
        """
        require_equal(self, other, "column")
        self._add(list(other.counts), list(other.counts.values()))
        self.missing += other.missing

    def result(self) -> CategoryCountsResult:
        """The counts by value.

        Raises:
            TypeMismatchError: partitions had values of types that have no common order.
        """
        try:
            values = sorted(self.counts)
        except TypeError:
            kinds = sorted({type(value).__name__ for value in self.counts})
            raise TypeMismatchError(
                f"Column {self.column!r} has values of the types {', '.join(kinds)}.",
                why="One column has one type; its values could not be put in order.",
                fix="Cast the column to one type in all files.",
                column=self.column,
            ) from None
        return CategoryCountsResult(
            values=values, counts=np.array([self.counts[value] for value in values], np.float64), missing=self.missing
        )
