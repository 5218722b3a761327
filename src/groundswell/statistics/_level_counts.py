"""`LevelCounts`: sums by value, value by value while they are few and at a falling resolution once they are many.

A float64 read as an unsigned whole number keeps its order, so leaving out its last bits puts neighbours into one bin.
The level, which is how many bits are left out, is the least at which the bins are no more than allowed. That follows
from the set of values alone, so bins do not depend on the order or the partitioning of the rows. Called by
`ScoreCounts` and `RegressionErrors`.

References:
    Epicoco, Melle, Cafaro, Pulimeno, Morleo: UDDSketch: accurate tracking of quantiles in data streams, IEEE Access 8
    (2020): bins of relative width that are joined in pairs, all at once, whenever there are too many.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from groundswell.statistics._matrix import Floats

__all__ = ["LevelCounts"]

_SIGN = np.uint64(1 << 63)


@dataclass
class LevelCounts:
    """Sums of several weights by value.

    Args:
        n_sums: how many weights each row brings.
        max_bins: how many bins are kept; None keeps every value apart.

    Attributes:
        level: how many bits of the values are left out; 0 while every value has a bin of its own.
        keys: of the bins, rising, shape (bins,).
        sums: shape (n_sums, bins).
    """

    n_sums: int
    max_bins: int | None
    level: int = field(init=False, default=0)
    keys: NDArray[np.uint64] = field(init=False, default_factory=lambda: np.zeros(0, np.uint64))
    sums: Floats = field(init=False)

    def __post_init__(self) -> None:
        self.sums = np.zeros((self.n_sums, 0))

    def add(self, values: Floats, weights: Floats) -> None:
        """Add rows: values of shape (rows,) without NaN, weights of shape (n_sums, rows)."""
        self._add(_keys(values) >> np.uint64(self.level), weights)

    def merge(self, other: "LevelCounts") -> None:
        """Add the sums of another one of the same size."""
        level = max(self.level, other.level)
        keys, sums = other.keys >> np.uint64(level - other.level), other.sums
        self._raise_to(level)
        self._add(keys, sums)

    def _add(self, keys: NDArray[np.uint64], sums: Floats) -> None:
        self.keys, self.sums = _joined(np.concatenate([self.keys, keys]), np.concatenate([self.sums, sums], axis=1))
        if self.max_bins is not None and len(self.keys) > self.max_bins:
            level = self.level + 1
            while _n_different(self.keys >> np.uint64(level - self.level)) > self.max_bins:
                level += 1
            self._raise_to(level)

    def _raise_to(self, level: int) -> None:
        self.keys, self.sums = _joined(self.keys >> np.uint64(level - self.level), self.sums)
        self.level = level

    def lowest(self) -> Floats:
        """The smallest value that each bin could hold, rising; its only value at level 0."""
        return _values(self.keys << np.uint64(self.level))

    def highest(self) -> Floats:
        """The largest value that each bin could hold."""
        ends = _values((self.keys << np.uint64(self.level)) | np.uint64((1 << self.level) - 1))
        return np.where((ends == 0) & np.signbit(ends), np.nextafter(0.0, -1.0), ends)  # −0 lies with 0

    def median(self) -> tuple[float, float]:
        """The median by the first weight, and how far it may be off; NaN without values.

        Where the weights fall into two halves between two values, it is the mean of both, as usual.
        """
        if not len(self.keys):
            return float("nan"), float("nan")
        below = np.cumsum(self.sums[0])
        half = below[-1] / 2
        ends = (np.searchsorted(below, half, "left"), min(int(np.searchsorted(below, half, "right")), len(below) - 1))
        low, high = self.lowest()[list(ends)].mean(), self.highest()[list(ends)].mean()
        return float((low + high) / 2), float((high - low) / 2)


def _keys(values: Floats) -> NDArray[np.uint64]:
    """Numbers as unsigned whole numbers of the same order."""
    bits = (values + 0.0).view(np.uint64)  # + 0.0 makes −0 the same as 0
    return np.where(bits & _SIGN, ~bits, bits | _SIGN)


def _values(keys: NDArray[np.uint64]) -> Floats:
    bounded = np.clip(keys, *_keys(np.array([-np.inf, np.inf])))  # beyond them there are only NaN
    return np.where(bounded & _SIGN, bounded ^ _SIGN, ~bounded).view(np.float64)


def _n_different(rising: NDArray[np.uint64]) -> int:
    return 1 + int(np.count_nonzero(rising[1:] != rising[:-1]))


def _joined(keys: NDArray[np.uint64], sums: Floats) -> tuple[NDArray[np.uint64], Floats]:
    """The different keys, rising, with the sums of each."""
    if not len(keys):
        return keys, sums
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    starts = np.flatnonzero(np.append(True, keys[1:] != keys[:-1]))
    return keys[starts], np.add.reduceat(sums[:, order], starts, axis=1)
