"""Statistics made of statistics: several in one pass (`Together`), over some columns (`Over`), per label (`ByClass`).

They carry settings such as a choice of columns once, so that no other statistic has to, and they nest.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar

import numpy as np

from groundswell.statistics._batch import Batch
from groundswell.statistics._matrix import Floats
from groundswell.statistics._statistic import Statistic, require_equal

__all__ = ["ByClass", "Over", "Together"]

R = TypeVar("R")


class Together:
    """Several statistics that one pass feeds: the product of monoids.

    Every block is converted once for all of them.

    Args:
        parts: the statistics by name; their states are this one's own from then on.

    >>> from groundswell.statistics import MinMax, Moments
    >>> both = Together({"moments": Moments(), "range": MinMax()})
    >>> both.update(Batch(X=np.array([[1.0], [5.0]])))
    >>> both["moments"].result().mean, both["range"].result().maximum
    (array([3.]), array([5.]))
    """

    def __init__(self, parts: Mapping[str, Statistic[Any]]) -> None:  # Any: each has its own result
        self.parts = dict(parts)

    def zero(self) -> "Together":
        """The same parts, empty."""
        return Together({name: part.zero() for name, part in self.parts.items()})

    def update(self, batch: Batch) -> None:
        """Feed each block to every part, while it is in the cache."""
        for block in batch.blocks():
            for part in self.parts.values():
                part.update(block)

    def merge(self, other: "Together") -> None:
        """Merge part by part.

        Raises:
            DataError: the other has other parts.
        """
        require_equal(self, other, "names")
        for name, part in self.parts.items():
            part.merge(other.parts[name])

    def result(self) -> dict[str, Any]:
        """The results by name."""
        return {name: part.result() for name, part in self.parts.items()}

    @property
    def names(self) -> list[str]:
        """The names of the parts."""
        return list(self.parts)

    def __getitem__(self, name: str) -> Statistic[Any]:
        return self.parts[name]


class Over(Generic[R]):
    """A statistic over some columns in place of all of X: a projection.

    Args:
        columns: names of columns of X or of named columns that hold numbers.
        statistic: what to compute; its state is this one's own from then on.

    >>> from groundswell.statistics import Moments
    >>> temperature = Over(["temp"], Moments())
    >>> temperature.update(Batch(columns={"temp": np.array([60.0, 70.0]), "origin": np.array(["EWR", "JFK"])}))
    >>> temperature.result().mean
    array([65.])
    """

    def __init__(self, columns: Sequence[str], statistic: Statistic[R]) -> None:
        self.columns, self.statistic = tuple(columns), statistic

    def zero(self) -> "Over[R]":
        """The same columns, nothing seen."""
        return Over(self.columns, self.statistic.zero())

    def update(self, batch: Batch) -> None:
        """Take in the columns.

        Raises:
            ColumnNotFoundError: one is not there.
            TypeMismatchError: one holds no numbers.
        """
        self.statistic.update(batch.select(self.columns))

    def merge(self, other: "Over[R]") -> None:
        """Merge the statistics.

        Raises:
            DataError: the other is over other columns.
        """
        require_equal(self, other, "columns")
        self.statistic.merge(other.statistic)

    def result(self) -> R:
        """The result of the statistic."""
        return self.statistic.result()


class ByClass(Generic[R]):
    """One statistic for each label in y, or for each value of a column: a grouped or class-conditional statistic.

    Labels need not be known before, and partitions may have different ones. Rows without a label are left out; their
    weight is in `dropped`.

    Args:
        statistic: the prototype of what is computed for each label.
        column: the name of the column of labels; None for y.

    >>> from groundswell.statistics import Moments
    >>> classes = ByClass(Moments())
    >>> classes.update(Batch(X=np.array([[1.0], [3.0], [8.0]]), y=np.array(["a", "a", "b"])))
    >>> {label: moments.mean.tolist() for label, moments in classes.result().items()}
    {'a': [2.0], 'b': [8.0]}
    """

    def __init__(self, statistic: Statistic[R], column: str | None = None) -> None:
        self.statistic, self.column = statistic.zero(), column
        self.parts: dict[Any, Statistic[R]] = {}  # Any: labels are of any type
        self.dropped = 0.0

    def zero(self) -> "ByClass[R]":
        """The same statistic, no labels."""
        return ByClass(self.statistic, self.column)

    def update(self, batch: Batch) -> None:
        """Sort the rows of each block by label and hand each label's rows to its statistic.

        Raises:
            DataError: the batch has no y, and no column is named.
            ColumnNotFoundError: the batch has no such column.
        """
        for block in batch.blocks():
            encoded = block.codes(self.column)
            labels, codes = encoded.values.to_pylist(), encoded.codes
            if len(labels) < 2**15:
                codes = codes.astype(np.int16)  # which numpy sorts by radix, seven times faster
            order = np.argsort(codes, kind="stable")
            bounds = np.searchsorted(codes[order], np.arange(len(labels) + 1)).tolist()
            self.dropped += _weight(block.weights, order[: bounds[0]])
            for label, rows in zip(labels, block.rows(order).pieces(bounds), strict=True):
                if len(rows):
                    self._part(label).update(rows)

    def _part(self, label: Any) -> Statistic[R]:  # Any: labels are of any type
        if label not in self.parts:
            self.parts[label] = self.statistic.zero()
        return self.parts[label]

    def merge(self, other: "ByClass[R]") -> None:
        """Merge label by label.

        Raises:
            DataError: the other has the labels of another column.
        """
        require_equal(self, other, "column")
        for label, part in list(other.parts.items()):
            self._part(label).merge(part)
        self.dropped += other.dropped

    def result(self) -> dict[Any, R]:  # Any: labels are of any type
        """The results by label, the labels in their own order."""
        return {label: self.parts[label].result() for label in sorted(self.parts)}


def _weight(weights: Floats | None, rows: Any) -> float:  # Any: an array of positions
    return float(len(rows) if weights is None else weights[rows].sum())
