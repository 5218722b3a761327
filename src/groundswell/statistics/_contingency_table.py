"""`ContingencyTable`: how often each pair of values of two columns occurs together."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from groundswell.statistics._batch import Batch
from groundswell.statistics._matrix import Floats
from groundswell.statistics._statistic import require_equal

__all__ = ["ContingencyTable", "ContingencyTableResult"]


@dataclass(frozen=True, kw_only=True)
class ContingencyTableResult:
    """A cross-tabulation.

    Attributes:
        rows: the values of the first column, sorted.
        columns: the values of the second, sorted.
        counts: Σ w of each pair, shape (rows, columns).
        missing: Σ w of the rows in which either value is missing.
    """

    rows: list[Any]  # Any: values are of the columns' types
    columns: list[Any]
    counts: Floats
    missing: float

    def expected(self) -> Floats:
        """The counts that independent columns with these margins would have."""
        total = self.counts.sum()
        expected: Floats = np.outer(self.counts.sum(axis=1), self.counts.sum(axis=0)) / (total if total > 0 else 1.0)
        return expected


@dataclass
class ContingencyTable:
    """Counts of pairs of values; what chi-square tests, categorical naive Bayes and target encoders stand on.

    Missing values: a row in which either value is missing is left out, and its weight counted.

    Args:
        row: the name of the first column.
        column: the name of the second; None for y.

    >>> table = ContingencyTable("student")
    >>> table.update(Batch(columns={"student": np.array(["no", "yes", "yes"])}, y=np.array(["no", "yes", "no"])))
    >>> result = table.result()
    >>> result.rows, result.columns, result.counts.tolist()
    (['no', 'yes'], ['no', 'yes'], [[1.0, 0.0], [1.0, 1.0]])
    """

    row: str
    column: str | None = None
    counts: dict[tuple[Any, Any], float] = field(init=False, default_factory=dict)  # Any: as above
    missing: float = field(init=False, default=0.0)

    def zero(self) -> "ContingencyTable":
        """The same columns, nothing counted."""
        return ContingencyTable(self.row, self.column)

    def update(self, batch: Batch) -> None:
        """Count the pairs.

        Raises:
            ColumnNotFoundError: the batch has no such column.
        """
        for block in batch.blocks():
            first, second = block.codes(self.row), block.codes(self.column)
            width = len(second.values) + 1
            pairs = (first.codes + 1) * width + (second.codes + 1)
            if width * (len(first.values) + 1) > 4 * len(block) + 4096:  # many values: count only the pairs that occur
                pairs_seen, inverse = np.unique(pairs, return_inverse=True)
                totals = np.bincount(inverse, block.weights, len(pairs_seen))
            else:
                totals = np.bincount(pairs, block.weights)
                pairs_seen = np.flatnonzero(totals)
                totals = totals[pairs_seen]
            i, j = pairs_seen // width - 1, pairs_seen % width - 1
            whole = (i >= 0) & (j >= 0)
            self.missing += float(totals[~whole].sum())
            values = zip(
                first.values.take(pa.array(i[whole])).to_pylist(),
                second.values.take(pa.array(j[whole])).to_pylist(),
                strict=True,
            )
            self._add(dict(zip(values, totals[whole].astype(np.float64).tolist(), strict=True)))

    def _add(self, counts: dict[tuple[Any, Any], float]) -> None:  # Any: as above
        for pair, count in list(counts.items()):
            self.counts[pair] = self.counts.get(pair, 0.0) + count

    def merge(self, other: "ContingencyTable") -> None:
        """Add the counts.

        Raises:
            DataError: the other is about other columns.
        """
        require_equal(self, other, "row", "column")
        self._add(other.counts)
        self.missing += other.missing

    def result(self) -> ContingencyTableResult:
        """The table."""
        rows, columns = sorted({pair[0] for pair in self.counts}), sorted({pair[1] for pair in self.counts})
        row_of, column_of = {value: i for i, value in enumerate(rows)}, {value: j for j, value in enumerate(columns)}
        counts = np.zeros((len(rows), len(columns)))
        for (one, other), count in self.counts.items():
            counts[row_of[one], column_of[other]] = count
        return ContingencyTableResult(rows=rows, columns=columns, counts=counts, missing=self.missing)
