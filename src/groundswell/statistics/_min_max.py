"""`MinMax`: the smallest and the largest value of each column."""

from dataclasses import dataclass, field

import numpy as np

from groundswell.statistics._batch import Batch
from groundswell.statistics._matrix import Floats
from groundswell.statistics._statistic import require_same_width

__all__ = ["MinMax", "MinMaxResult"]


@dataclass(frozen=True, kw_only=True)
class MinMaxResult:
    """Ranges of p columns; NaN for a column without values.

    Attributes:
        minimum: shape (p,).
        maximum: shape (p,).
    """

    minimum: Floats
    maximum: Floats


@dataclass
class MinMax:
    """The range of each column of X. Weights matter only in that rows of weight zero are not there.

    Missing values: NaN are left out, column by column. Infinite values are values.

    >>> span = MinMax()
    >>> span.update(Batch(X=np.array([[3.0], [np.nan], [-1.0]])))
    >>> span.result()
    MinMaxResult(minimum=array([-1.]), maximum=array([3.]))
    """

    minimum: Floats = field(init=False, default_factory=lambda: np.zeros(0))
    maximum: Floats = field(init=False, default_factory=lambda: np.zeros(0))

    def zero(self) -> "MinMax":
        """The range of nothing."""
        return MinMax()

    def update(self, batch: Batch) -> None:
        """Widen the ranges.

        Raises:
            DataError: the batch has no X, or another number of columns than those before.
        """
        for block in batch.blocks():
            columns = block.matrix.T
            low, high = columns.min(axis=1), columns.max(axis=1)
            if np.isnan(low).any():  # the reduction that skips NaN is slower, so it runs only where there are some
                low, high = np.fmin.reduce(columns, axis=1), np.fmax.reduce(columns, axis=1)
            self._widen(low.astype(np.float64), high.astype(np.float64))

    def merge(self, other: "MinMax") -> None:
        """Widen the ranges by those of the other.

        Raises:
            DataError: the other saw another number of columns.
        """
        if len(other.minimum):
            self._widen(other.minimum, other.maximum)

    def _widen(self, low: Floats, high: Floats) -> None:
        if not len(self.minimum):
            self.minimum, self.maximum = np.full(len(low), np.nan), np.full(len(low), np.nan)
        require_same_width(len(self.minimum), len(low))
        self.minimum, self.maximum = np.fmin(self.minimum, low), np.fmax(self.maximum, high)

    def result(self) -> MinMaxResult:
        """The ranges."""
        return MinMaxResult(minimum=self.minimum.copy(), maximum=self.maximum.copy())
