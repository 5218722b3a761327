"""`FrequentItems`: the most frequent values of a column with millions of them, within a known error."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from datasketches import frequent_items_error_type, frequent_strings_sketch

from groundswell.statistics._batch import Batch, repeats
from groundswell.statistics._statistic import require_equal

__all__ = ["FrequentItem", "FrequentItems", "FrequentItemsResult"]


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

    Values of any type are counted by their text. The bounds hold for certain, not with a probability.

    Missing values: nulls and NaN are counted apart. Weights must be whole numbers.

    Args:
        column: the name of the column; None for y.
        lg_max_size: 3 … 30, the base-2 logarithm of the size of the table; up to ¾ of it values are counted exactly.

    References:
        Anderson et al.: A high-performance algorithm for identifying frequent items in data streams, IMC 2017.

    >>> items = FrequentItems("dest")
    >>> items.update(Batch(columns={"dest": pa.array(["ORD", "ATL", "ORD"])}))
    >>> items.result().items[0]
    FrequentItem(value='ORD', estimate=2, low=2, high=2)
    """

    column: str | None = None
    lg_max_size: int = 10
    missing: int = field(init=False, default=0)
    sketch: frequent_strings_sketch = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.sketch = frequent_strings_sketch(self.lg_max_size)

    def zero(self) -> "FrequentItems":
        """The same column and size, no values."""
        return FrequentItems(self.column, self.lg_max_size)

    @property
    def error(self) -> float:
        """How far a count may be off at most, in rows; zero while few values occur."""
        return float(self.sketch.get_upper_bound("") - self.sketch.get_lower_bound(""))  # the same for every value

    def update(self, batch: Batch) -> None:
        """Count the values; each distinct one of a block once.

        Raises:
            ColumnNotFoundError: the batch has no such column.
            DataError: a weight is not whole.
        """
        for block in batch.blocks():
            encoded = block.codes(self.column)
            weights = None if block.weights is None else repeats(block.weights)
            counts = np.bincount(encoded.codes + 1, weights, len(encoded.values) + 1).astype(np.int64)
            seen = np.flatnonzero(counts[1:])
            self.missing += int(counts[0])
            values = encoded.values.take(pa.array(seen)).to_pylist()
            for value, count in zip(values, counts[1:][seen].tolist(), strict=True):
                self.sketch.update(str(value), count)

    def merge(self, other: "FrequentItems") -> None:
        """Add the counts.

        Raises:
            DataError: the other is about another column, or of another size.
        """
        require_equal(self, other, "column", "lg_max_size")
        self.sketch.merge(frequent_strings_sketch.deserialize(other.sketch.serialize()))
        self.missing += other.missing

    def result(self) -> FrequentItemsResult:
        """The frequent values."""
        found = self.sketch.get_frequent_items(frequent_items_error_type.NO_FALSE_NEGATIVES)
        items = [FrequentItem(value=value, estimate=n, low=low, high=high) for value, n, low, high in found]
        return FrequentItemsResult(
            items=tuple(sorted(items, key=lambda item: (-item.estimate, item.value))),
            weight=int(self.sketch.total_weight),
            missing=self.missing,
            error=self.error,
        )

    def __getstate__(self) -> dict[str, Any]:  # Any: the pickle protocol's own type
        return self.__dict__ | {"sketch": self.sketch.serialize()}

    def __setstate__(self, state: dict[str, Any]) -> None:  # Any: the pickle protocol's own type
        self.__dict__.update(state | {"sketch": frequent_strings_sketch.deserialize(state["sketch"])})
