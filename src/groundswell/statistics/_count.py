"""`Count`: how many rows there are."""

from dataclasses import dataclass

from groundswell.statistics._batch import Batch

__all__ = ["Count", "CountResult"]


@dataclass(frozen=True, kw_only=True)
class CountResult:
    """How many rows were seen.

    Attributes:
        rows: those of positive weight.
        weight: the sum of the weights; the number of rows where there are none.
    """

    rows: int
    weight: float


@dataclass
class Count:
    """The number of rows and their weight.

    Missing values: rows count whatever is in them.

    >>> import numpy as np
    >>> count = Count()
    >>> count.update(Batch(X=np.zeros((3, 1)), weights=np.array([1.0, 0.5, 0.0])))
    >>> count.result()
    CountResult(rows=2, weight=1.5)
    """

    rows: int = 0
    weight: float = 0.0

    def zero(self) -> "Count":
        """Nothing counted."""
        return Count()

    def update(self, batch: Batch) -> None:
        """Count the rows."""
        self.rows += len(batch) if batch.weights is None else int((batch.weights > 0).sum())
        self.weight += len(batch) if batch.weights is None else float(batch.weights.sum())

    def merge(self, other: "Count") -> None:
        """Add the counts."""
        self.rows, self.weight = self.rows + other.rows, self.weight + other.weight

    def result(self) -> CountResult:
        """The counts."""
        return CountResult(rows=self.rows, weight=self.weight)
