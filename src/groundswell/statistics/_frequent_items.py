"""`FrequentItems`: the most frequent values of a column with millions of them, within a known error."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from datasketches import frequent_items_error_type, frequent_strings_sketch
from numpy.typing import NDArray

from groundswell.statistics._batch import Batch, repeats
from groundswell.statistics._codes import encode
from groundswell.statistics._matrix import Column, whole
from groundswell.statistics._statistic import require_equal

__all__ = ["FrequentItem", "FrequentItems", "FrequentItemsResult"]

_BLOCK_ROWS = 1 << 18
"""Text is tallied in a third of the time of blocks of a quarter of this size."""


@dataclass(frozen=True, kw_only=True)
class FrequentItem:
    """A value and how often it occurs.

    Attributes:
        value: as text.
        estimate: how often it occurs.
        low: it occurs at least that often, for certain.
        high: and at most that often.
    """

    value: str
    estimate: int
    low: int
    high: int


@dataclass(frozen=True, kw_only=True)
class FrequentItemsResult:
    """The frequent values of a column.

    Attributes:
        items: all values that may occur more often than `error`, the most frequent first.
        weight: the number of values.
        missing: the number of rows without a value.
        error: how far an estimate may be off at most.
    """

    items: tuple[FrequentItem, ...]
    weight: int
    missing: int
    error: float


@dataclass
class FrequentItems:
    """Heavy hitters of a column by the frequent items sketch of Apache DataSketches; exact while few values occur.

    Values of any type are counted by their text. The bounds hold for certain, not with a probability. Of a block with
    more distinct values than the table holds, only the most frequent enter it, each with its count less that of the
    most frequent one left out: no value loses more than that, and the bounds say so. It is how sketches of this kind
    merge (Agarwal et al.), and spares a million updates for values that occur once.

    Missing values: nulls and NaN are counted apart. Weights must be whole numbers.

    Args:
        column: the name of the column; None for y.
        lg_max_size: 3 … 30, the base-2 logarithm of the size of the table; up to ¾ of it values are counted exactly.

    References:
        Anderson et al.: A high-performance algorithm for identifying frequent items in data streams, IMC 2017.
        Agarwal et al.: Mergeable summaries, PODS 2012, section 2.

    >>> items = FrequentItems("dest")
    >>> items.update(Batch(columns={"dest": pa.array(["ORD", "ATL", "ORD"])}))
    >>> items.result().items[0]
    FrequentItem(value='ORD', estimate=2, low=2, high=2)
    """

    column: str | None = None
    lg_max_size: int = 10
    missing: int = field(init=False, default=0)
    weight: int = field(init=False, default=0)
    lost: int = field(init=False, default=0)  # no value has lost more before it came into the table
    sketch: frequent_strings_sketch = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.sketch = frequent_strings_sketch(self.lg_max_size)

    def zero(self) -> "FrequentItems":
        """The same column and size, no values."""
        return FrequentItems(self.column, self.lg_max_size)

    @property
    def error(self) -> float:
        """How far a count may be off at most, in rows; zero while few values occur."""
        of_table = self.sketch.get_upper_bound("") - self.sketch.get_lower_bound("")  # the same for every value
        return float(of_table + self.lost)

    def update(self, batch: Batch) -> None:
        """Count the values; each distinct one of a block once.

        Raises:
            ColumnNotFoundError: the batch has no such column.
            DataError: a weight is not whole.
        """
        weights = None if batch.weights is None else repeats(batch.weights)
        column = batch.column(self.column) if self.column is not None else batch.labels
        for start in range(0, len(batch), _BLOCK_ROWS):
            rows = slice(start, start + _BLOCK_ROWS)
            values, counts, missing = _tally(column[rows], None if weights is None else weights[rows])
            self.missing += missing
            self.weight += int(counts.sum())
            self._add(values, counts)

    def _add(self, values: pa.Array, counts: NDArray[np.int64]) -> None:
        room = (3 << self.lg_max_size) // 4
        if len(counts) > room:
            least = np.partition(counts, len(counts) - room - 1)[len(counts) - room - 1]
            kept = np.flatnonzero(counts > least)
            values, counts = values.take(pa.array(kept)), counts[kept] - least
            self.lost += int(least)
        for value, count in zip(values.to_pylist(), counts.tolist(), strict=True):
            self.sketch.update(str(value), count)

    def merge(self, other: "FrequentItems") -> None:
        """Add the counts.

        Raises:
            DataError: the other is about another column, or of another size.
        """
        require_equal(self, other, "column", "lg_max_size")
        self.sketch.merge(frequent_strings_sketch.deserialize(other.sketch.serialize()))
        self.missing, self.weight, self.lost = (
            self.missing + other.missing,
            self.weight + other.weight,
            self.lost + other.lost,
        )

    def result(self) -> FrequentItemsResult:
        """The frequent values."""
        found = self.sketch.get_frequent_items(frequent_items_error_type.NO_FALSE_NEGATIVES)
        items = [
            FrequentItem(value=value, estimate=n + self.lost, low=low, high=high + self.lost)
            for value, n, low, high in found
        ]
        return FrequentItemsResult(
            items=tuple(sorted(items, key=lambda item: (-item.estimate, item.value))),
            weight=self.weight,
            missing=self.missing,
            error=self.error,
        )

    def __getstate__(self) -> dict[str, Any]:  # Any: the pickle protocol's own type
        return self.__dict__ | {"sketch": self.sketch.serialize()}

    def __setstate__(self, state: dict[str, Any]) -> None:  # Any: the pickle protocol's own type
        self.__dict__.update(state | {"sketch": frequent_strings_sketch.deserialize(state["sketch"])})


def _tally(column: Column, weights: NDArray[np.int64] | None) -> tuple[pa.Array, NDArray[np.int64], int]:
    """The distinct values of a column, how often each occurs, and how many rows have none."""
    if weights is not None or pa.types.is_dictionary(getattr(column, "type", pa.null())):
        encoded = encode(column)
        counts = np.bincount(encoded.codes + 1, weights, len(encoded.values) + 1).astype(np.int64)
        seen = np.flatnonzero(counts[1:])
        return encoded.values.take(pa.array(seen)), counts[1:][seen], int(counts[0])
    array = pa.array(column, from_pandas=True) if isinstance(column, np.ndarray) else whole(column)
    if pa.types.is_floating(array.type):
        array = pc.if_else(pc.is_nan(array), None, array)
    missing, array = array.null_count, array.drop_null()
    if pa.types.is_integer(array.type):  # sorted, as hashing takes longer the more distinct numbers there are
        numbers, counts = np.unique(array.to_numpy(), return_counts=True)
        return pa.array(numbers), counts.astype(np.int64), missing
    found = pc.value_counts(array)
    return found.field(0), found.field(1).to_numpy(), missing
