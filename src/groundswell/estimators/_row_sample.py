"""A random sample of rows that does not depend on how they are partitioned.

Each row draws its lot from a hash of its own values and a seed, so the same rows give the same sample, whichever part
they lie in and whatever thread sees them. Equal rows draw equal lots and count once, as do rows of any weight but zero:
so a row of weight three is the same as three rows.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from groundswell.estimators._row_hash import row_hashes
from groundswell.statistics import Batch, uniform
from groundswell.statistics._nearest_centers import NearestCenters


@dataclass
class RowSample:
    """A sample of different rows without replacement, with probabilities that follow squared distances from centers.

    Args:
        size: how many rows.
        seed: another seed draws other lots.
        centers: shape (K, p); a row's chance grows with its squared distance from the nearest. None gives all rows the
            same chance.

    References:
        Efraimidis and Spirakis, Weighted random sampling with a reservoir, Information Processing Letters 97 (2006).
    """

    size: int
    seed: int
    centers: NDArray[np.float64] | None = None
    rows: NDArray[np.float64] = field(init=False, default_factory=lambda: np.zeros((0, 0)))
    keys: NDArray[np.float64] = field(init=False, default_factory=lambda: np.zeros(0))

    def zero(self) -> "RowSample":
        """The same settings, no rows."""
        return RowSample(self.size, self.seed, self.centers)

    def update(self, batch: Batch) -> None:
        """Let the rows draw their lots."""
        prepared = None if self.centers is None else NearestCenters(self.centers)
        for block in batch.blocks():
            x = block.matrix
            chance = np.ones(len(x)) if prepared is None else prepared.squares(x)
            with np.errstate(divide="ignore"):
                keys = np.where(chance > 0, -np.log(uniform(row_hashes(x), self.seed)) / chance, np.inf)
            self._take(x, keys)

    def merge(self, other: "RowSample") -> None:
        """Keep the best lots of both."""
        self._take(other.rows, other.keys)

    def result(self) -> NDArray[np.float64]:
        """The sampled rows in the order of their lots, shape (at most size, p)."""
        return self.rows.copy()

    def _take(self, rows: NDArray[np.float64], keys: NDArray[np.float64]) -> None:
        worst = self.keys[-1] if len(self.keys) == self.size else np.finfo(np.float64).max
        best = np.flatnonzero(keys <= worst)
        if len(best) > 4 * self.size:  # most are sorted out before they are sorted
            few = best[keys[best] <= np.partition(keys[best], 2 * self.size)[2 * self.size]]
            best = few if len(np.unique(keys[few])) >= self.size else best
        if len(best) > self.size:  # equal rows have equal keys: a limit by key keeps enough different ones
            different = np.unique(keys[best])
            best = best[keys[best] <= different[min(self.size, len(different)) - 1]]
        if not len(best):
            return
        known = self.rows if self.rows.size else np.zeros((0, rows.shape[1]))
        all_rows, all_keys = np.vstack([known, rows[best]]), np.concatenate([self.keys, keys[best]])
        # Ties are broken by the rows themselves, not by where they came from.
        order = np.lexsort((*all_rows.T[::-1], all_keys))
        rows, keys = all_rows[order], all_keys[order]
        new = np.append(True, (rows[1:] != rows[:-1]).any(axis=1))
        self.rows, self.keys = rows[new][: self.size], keys[new][: self.size]
