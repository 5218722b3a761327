"""`QuantileSketch`: quantiles and ranks of each column, within a known error, in a few kilobytes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from datasketches import kll_doubles_sketch

from groundswell.statistics._batch import Batch, repeats
from groundswell.statistics._kll_blocks import add_values
from groundswell.statistics._matrix import Floats
from groundswell.statistics._statistic import require_equal, require_same_width

__all__ = ["QuantileSketch", "QuantileSketchResult"]


@dataclass(frozen=True, kw_only=True)
class QuantileSketchResult:
    """Approximate distributions of p columns.

    Attributes:
        weight: how many values each column had, shape (p,).
        missing: how many were missing, shape (p,).
        error: the bound on the error of a rank, with 99 % confidence.
    """

    weight: Floats
    missing: Floats
    error: float
    _sketches: tuple[kll_doubles_sketch, ...] = field(repr=False)

    def quantile(self, levels: Sequence[float]) -> Floats:
        """The values below which these shares of each column lie, shape (p, levels); NaN for a column without values.

        The rank of a value that is given back is within `error` of its level. Levels 0 and 1 are exact: the smallest
        and the largest value.
        """
        return np.array([_quantiles(s, levels) for s in self._sketches], np.float64).reshape(-1, len(levels))

    def rank(self, value: float) -> Floats:
        """The share of each column that is at most `value`, within `error`, shape (p,); NaN without values."""
        return np.array([np.nan if s.is_empty() else s.get_rank(value, True) for s in self._sketches])


@dataclass
class QuantileSketch:
    """Quantiles of each column of X by the KLL sketch of Apache DataSketches.

    The error is one of ranks: with 99 % confidence the rank of an answer is off by at most `error`, whatever the data.
    The sketch draws random bits, so two runs may answer differently within that bound. Blocks are sorted and enter as
    a whole, which takes 5 ns a value in place of 30.

    Missing values: NaN are left out, column by column, and counted. Infinite values are values. Weights must be whole
    numbers, as the sketch counts rows.

    Args:
        k: 8 … 65535; the error is about 2.3 / k, the size about 24 k bytes a column.

    References:
        Karnin, Lang, Liberty: Optimal quantile approximation in streams, FOCS 2016.

    >>> sketch = QuantileSketch()
    >>> sketch.update(Batch(X=np.arange(101.0).reshape(-1, 1)))
    >>> sketch.result().quantile([0.0, 0.5, 1.0])
    array([[  0.,  50., 100.]])
    """

    k: int = 200
    missing: Floats = field(init=False, default_factory=lambda: np.zeros(0))
    sketches: list[kll_doubles_sketch] = field(init=False, default_factory=list)

    def zero(self) -> "QuantileSketch":
        """The same size, no values."""
        return QuantileSketch(self.k)

    @property
    def error(self) -> float:
        """The bound on the error of a rank, from 0 to 1, with 99 % confidence."""
        return float(kll_doubles_sketch.get_normalized_rank_error(self.k, False))

    def update(self, batch: Batch) -> None:
        """Take in the values.

        Raises:
            DataError: the batch has no X, another number of columns than those before, or weights that are not whole.
        """
        for block in batch.blocks():
            columns = block.matrix.T.astype(np.float64, order="C")
            if block.weights is not None:
                columns = np.repeat(columns, repeats(block.weights), axis=1)
            self._expect(len(columns))
            missing = np.isnan(columns)
            for sketch, column, gaps in zip(self.sketches, columns, missing, strict=True):
                add_values(sketch, column[~gaps] if gaps.any() else column)
            self.missing = self.missing + missing.sum(axis=1)

    def _expect(self, width: int) -> None:
        if not self.sketches:
            self.missing, self.sketches = np.zeros(width), [kll_doubles_sketch(self.k) for _ in range(width)]
        require_same_width(len(self.sketches), width)

    def merge(self, other: "QuantileSketch") -> None:
        """Merge column by column.

        Raises:
            DataError: the other has another size, or saw another number of columns.
        """
        require_equal(self, other, "k")
        if other.sketches:
            self._expect(len(other.sketches))
            for ours, theirs in zip(self.sketches, other.sketches, strict=True):
                ours.merge(_copy(theirs))
            self.missing = self.missing + other.missing

    def result(self) -> QuantileSketchResult:
        """The distributions as they are now."""
        return QuantileSketchResult(
            weight=np.array([float(s.n) for s in self.sketches]),
            missing=self.missing.copy(),
            error=self.error,
            _sketches=tuple(_copy(s) for s in self.sketches),
        )

    def __getstate__(self) -> dict[str, Any]:  # Any: the pickle protocol's own type
        return {"k": self.k, "missing": self.missing, "sketches": [s.serialize() for s in self.sketches]}

    def __setstate__(self, state: dict[str, Any]) -> None:  # Any: the pickle protocol's own type
        self.k, self.missing = state["k"], state["missing"]
        self.sketches = [kll_doubles_sketch.deserialize(data) for data in state["sketches"]]


def _quantiles(sketch: kll_doubles_sketch, levels: Sequence[float]) -> Floats:
    if sketch.is_empty():
        return np.full(len(levels), np.nan)
    found, asked = np.array(sketch.get_quantiles(list(levels), True)), np.array(levels, np.float64)
    found[asked == 0] = sketch.get_min_value()  # kept apart: among the values kept they may be missing
    found[asked == 1] = sketch.get_max_value()
    return found


def _copy(sketch: kll_doubles_sketch) -> kll_doubles_sketch:
    return kll_doubles_sketch.deserialize(sketch.serialize())
