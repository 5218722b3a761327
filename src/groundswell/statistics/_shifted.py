"""A block of rows as float64 around a pilot: the form in which all sums of products here are taken.

With mean/std = 10⁴, a covariance from sums of raw float64 products is off by 10⁻⁵ and one from float32 products has no
correct digit; subtracting any row of the data first leaves 10⁻¹⁵. The subtraction is fused into the conversion to
float64, and the converted block is kept with its batch, so all statistics over one block share it.

References:
    Chan, Golub, LeVeque: Algorithms for computing the sample variance, The American Statistician 37 (1983), section 3.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundswell.statistics._matrix import Floats

__all__ = ["Scratch", "Shifted", "pilot_of", "shifted"]

_SAMPLE = 64


class Scratch:
    """Memory for one converted block after another: page faults of fresh memory cost a fifth of the conversion."""

    def __init__(self) -> None:
        self._memory = np.empty((0, 0), order="F")

    def of(self, n_rows: int, width: int) -> Floats:
        """Column-major memory of that shape, with anything in it; what was handed out before is the same memory."""
        if self._memory.shape[0] < n_rows or self._memory.shape[1] != width:
            self._memory = np.empty((n_rows, width), order="F")
        return self._memory[:n_rows]


@dataclass(frozen=True, kw_only=True, eq=False)
class Shifted:
    """A block X of n rows and p columns as `design` = [1, X − pilot], in float64 and column-major.

    Attributes:
        design: shape (n, 1 + p). With the ones in front, one product `design.T @ design` has the counts, the sums and
            the products. Its memory is reused for the next block: copy what you keep.
        pilot: shape (p,), near the mean of the block.
    """

    design: Floats
    pilot: Floats

    @property
    def matrix(self) -> Floats:
        """X − pilot, shape (n, p)."""
        return self.design[:, 1:]

    @cached_property
    def missing(self) -> NDArray[np.bool_]:
        """Where X is NaN, shape (n, p), column-major. Ask only if a sum came out as NaN: this reads the whole block."""
        return np.isnan(self.matrix.T).T

    def rebase(self, center: Floats, scale: Floats) -> Floats:
        """T with `design @ T` = [1, (X − center) / scale], shape (1 + p, 1 + p).

        Sums over `design` turn into sums over features of any center and scale by products with this small matrix; so
        no statistic needs a block of its own.
        """
        transform = np.zeros((len(center) + 1, len(center) + 1))
        transform[0, 0] = 1
        transform[0, 1:] = (self.pilot - center) / scale
        transform[1:, 1:][np.diag_indices(len(center))] = 1 / scale
        return transform


def shifted(X: NDArray[Any], scratch: Scratch) -> Shifted:
    """The block X around its own pilot.

    Args:
        X: shape (n, p), numbers of any type; column-major is several times faster.
        scratch: whose memory is overwritten.
    """
    design = scratch.of(X.shape[0], X.shape[1] + 1)
    pilot = pilot_of(X)
    design[:, 0] = 1
    with np.errstate(invalid="ignore"):  # NaN in the data is not an event
        np.subtract(X.T, pilot[:, None], out=design[:, 1:].T)
    return Shifted(design=design, pilot=pilot)


def pilot_of(X: NDArray[Any]) -> Floats:
    """A point near the mean of each column: the mean of some 64 rows spread over the block, shape (p,).

    Exactly the value of a constant column, so that its variance comes out as exactly zero. However unlucky the rows
    are, as rows of the block they cost the digits of n/64 at worst: the spread of the block around the pilot is mostly
    the spread of the block itself.
    """
    sample = X[:: max(1, len(X) // _SAMPLE)].astype(np.float64)
    finite = np.isfinite(sample)
    if not finite.all():
        return np.array([_pilot_of_column(X[:, j], sample[:, j]) for j in range(X.shape[1])])
    if not len(sample):
        return np.zeros(X.shape[1])
    first = sample[0]
    return np.asarray(first + (sample - first).mean(axis=0))


def _pilot_of_column(column: NDArray[Any], sample: Floats) -> float:
    """The same over the finite values of one column, which are looked for beyond the sample only if it has none."""
    finite = sample[np.isfinite(sample)]
    if not len(finite):
        finite = column[np.isfinite(column)][:_SAMPLE].astype(np.float64)
    return float(finite[0] + (finite - finite[0]).mean()) if len(finite) else 0.0
