"""`DistinctSketch`: how many distinct values a column has, within a known error, in about a kilobyte."""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from datasketches import cpc_sketch, cpc_union

from groundswell.statistics._batch import Batch
from groundswell.statistics._statistic import require_equal

__all__ = ["DistinctSketch", "DistinctSketchResult"]


@dataclass(frozen=True, kw_only=True)
class DistinctSketchResult:
    """An approximate number of distinct values.

    Attributes:
        estimate: how many there are.
        low: the lower end of the interval that holds the true number with 95 % confidence.
        high: its upper end.
        missing: Σ w of the rows without a value.
    """

    estimate: float
    low: float
    high: float
    missing: float


@dataclass
class DistinctSketch:
    """The number of distinct values of a column by the compressed probabilistic counting (CPC) of Apache DataSketches.

    Values may be of any type; those of one type are equal if they print alike. 1 and 1.0 and "1" are three values, so
    all files must have the column in one type. There is no randomness: equal sets give equal estimates.

    Missing values: nulls and NaN are counted apart. Weights matter only in that rows of weight zero are not there.

    Args:
        column: the name of the column; None for y.
        lg_k: 4 … 26, the base-2 logarithm of the number of bins. The standard error is 0.69 / √2^lg_k: 1.1 % for 12.

    References:
        Lang: Back to the future: an even more nearly optimal cardinality estimation algorithm (2017), arXiv:1708.06839.

    >>> sketch = DistinctSketch("carrier")
    >>> sketch.update(Batch(columns={"carrier": pa.array(["UA", "AA", None, "UA"])}))
    >>> round(sketch.result().estimate)
    2
    """

    column: str | None = None
    lg_k: int = 12
    missing: float = field(init=False, default=0.0)
    sketch: cpc_sketch = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.sketch = cpc_sketch(self.lg_k)

    def zero(self) -> "DistinctSketch":
        """The same column and size, no values."""
        return DistinctSketch(self.column, self.lg_k)

    @property
    def error(self) -> float:
        """The bound on the relative error of the estimate, with 99 % confidence."""
        return 2.576 * math.log(2) / math.sqrt(2**self.lg_k)

    def update(self, batch: Batch) -> None:
        """Take in the values; each distinct one of a block once.

        Raises:
            ColumnNotFoundError: the batch has no such column.
        """
        for block in batch.blocks():
            encoded = block.codes(self.column)
            counts = np.bincount(encoded.codes + 1, block.weights, len(encoded.values) + 1)
            self.missing += float(counts[0])
            for item in _hashable(encoded.values.take(pa.array(np.flatnonzero(counts[1:])))):
                self.sketch.update(item)

    def merge(self, other: "DistinctSketch") -> None:
        """Unite the sets.

        Raises:
            DataError: the other is about another column, or of another size.
        """
        require_equal(self, other, "column", "lg_k")
        union = cpc_union(self.lg_k)
        union.update(self.sketch)
        union.update(other.sketch)
        self.sketch, self.missing = union.get_result(), self.missing + other.missing

    def result(self) -> DistinctSketchResult:
        """The estimate."""
        return DistinctSketchResult(
            estimate=self.sketch.get_estimate(),
            low=self.sketch.get_lower_bound(2),
            high=self.sketch.get_upper_bound(2),
            missing=self.missing,
        )

    def __getstate__(self) -> dict[str, Any]:  # Any: the pickle protocol's own type
        return self.__dict__ | {"sketch": self.sketch.serialize()}

    def __setstate__(self, state: dict[str, Any]) -> None:  # Any: the pickle protocol's own type
        self.__dict__.update(state | {"sketch": cpc_sketch.deserialize(state["sketch"])})


def _hashable(values: pa.Array) -> list[int] | list[float] | list[str]:
    """The values as numbers or text, which are what the sketch can hash."""
    kind = values.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return [value + 0 for value in values.to_pylist()]  # −0.0 becomes 0.0
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return values.to_pylist()  # type: ignore[no-any-return]  # a list of str
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind) or pa.types.is_duration(kind):
        return pc.cast(values, pa.int32() if pa.types.is_date32(kind) else pa.int64()).to_pylist()  # type: ignore[no-any-return]
    return [str(value) for value in values.to_pylist()]
