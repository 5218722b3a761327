"""The protocols of this room: `Statistic`, which merges exactly, and `Sketch`, which merges within a known error.

A statistic is a mutable accumulator. `update` and `merge` change it in place, because a pure value would copy its state
for every block of rows: for histograms of a tree that is megabytes where the work on the block is microseconds. What
makes values pleasant is kept in another way: `zero` gives a fresh accumulator, so a statistic that is handed over as a
prototype is never changed (`aggregate` starts from `zero`), `merge` copies what it takes, and `result` is a new frozen
value each time.

Laws, for statistics a, b, c over batches of rows (`groundswell.testing.STATISTIC_LAWS` tests them):

- identity: merging `zero()` changes nothing, and into `zero()` gives an equal statistic;
- associativity and commutativity of `merge`, to the rounding of float64;
- independence of partitioning: however the rows are cut into batches and the batches into accumulators, the result is
  the same to the rounding of float64; the same cuts folded in the same order give the same bits;
- a row of whole weight w counts as w equal rows, and a row of weight zero as none;
- whatever the precision of the input, sums are float64;
- what was handed over is never changed, and never kept.

A `Sketch` obeys the first two and the last, and instead of equal results it promises that every answer is within
`error` of the exact one.
"""

from typing import Any, Protocol, Self, TypeVar, runtime_checkable

import numpy as np

from groundswell.errors import DataError
from groundswell.statistics._batch import Batch

__all__ = ["Sketch", "Statistic", "require_equal", "require_same_width"]

R_co = TypeVar("R_co", covariant=True)


@runtime_checkable
class Statistic(Protocol[R_co]):
    """A summary of rows that can be made in parts: also known as an aggregate, a monoid, a mergeable summary.

    Anything with these four methods is one. It has to pickle if it is to travel to other processes.

    >>> from collections import Counter
    >>> class WordCount:
    ...     def __init__(self): self.counts = Counter()
    ...     def zero(self): return WordCount()
    ...     def update(self, batch): self.counts.update(" ".join(batch.column("line").to_pylist()).split())
    ...     def merge(self, other): self.counts.update(other.counts)
    ...     def result(self): return dict(self.counts)
    >>> isinstance(WordCount(), Statistic)
    True
    """

    def zero(self) -> Self:
        """A statistic of the same settings that has seen nothing: the identity of `merge`."""

    def update(self, batch: Batch) -> None:
        """Take in some rows. They are not changed and not kept."""

    def merge(self, other: Self) -> None:
        """Take in all that another has seen. `other` is not changed and shares no memory with this one afterwards.

        Raises:
            DataError: the other has other settings, or has seen another number of columns.
        """

    def result(self) -> R_co:
        """What the rows so far say, as a value that later updates do not change."""


@runtime_checkable
class Sketch(Statistic[R_co], Protocol[R_co]):
    """A statistic of bounded size whose answers are approximate."""

    @property
    def error(self) -> float:
        """The bound on the error of an answer, in the unit and with the confidence that the class states."""


def require_equal(ours: object, theirs: object, *settings: str) -> None:
    """Refuse to merge two statistics whose settings differ.

    Raises:
        DataError: one of the named attributes differs.
    """
    for name in settings:
        one, other = getattr(ours, name), getattr(theirs, name)
        if not _equal(one, other):
            raise DataError(
                f"A {type(ours).__name__} with {name} {_shown(one)} cannot take in one with {_shown(other)}.",
                why="Only statistics of the same settings summarize the same thing.",
                fix="Make both from one prototype with zero().",
                setting=name,
            )


def _equal(one: Any, other: Any) -> bool:  # Any: settings are of any type
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        return np.array_equal(one, other)
    return bool(one == other)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def require_same_width(ours: int, theirs: int, noun: str = "columns") -> None:
    """Refuse to combine what was seen of different numbers of columns.

    Raises:
        DataError: the numbers differ.
    """
    if ours != theirs:
        raise DataError(
            f"Rows with {theirs} {noun} cannot join rows with {ours}.",
            why="A statistic summarizes one set of columns, in one order.",
            fix="Select the same columns of every batch.",
            expected=ours,
            got=theirs,
        )
