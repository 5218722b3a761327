"""`Scatter`: weight, mean and centered products of vectors; what Gram matrices and covariances are made of.

It is the state of `Gram`, `CrossProduct` and their kin, and not a statistic itself: it takes sums, not batches.
"""

from dataclasses import dataclass, field

import numpy as np

from groundswell.statistics._matrix import Floats
from groundswell.statistics._statistic import require_same_width

__all__ = ["Scatter"]


@dataclass
class Scatter:
    """Σ w, the mean, and Σ w (z − mean)(z − mean)ᵀ of vectors z of one length q.

    Attributes:
        weight: Σ w.
        pilot: some point near the mean, shape (q,); of length zero as long as q is not known.
        shift: the mean less the pilot, shape (q,). Apart they keep the digits that their sum would round away: at
            mean/std = 10⁸ the difference of two rounded means has eight correct digits left.
        products: shape (q, q), symmetric.

    References:
        Chan, Golub, LeVeque: Algorithms for computing the sample variance, The American Statistician 37 (1983),
        equation 2.1, for vectors.
    """

    weight: float = 0.0
    pilot: Floats = field(default_factory=lambda: np.zeros(0))
    shift: Floats = field(default_factory=lambda: np.zeros(0))
    products: Floats = field(default_factory=lambda: np.zeros((0, 0)))

    @classmethod
    def of_design(cls, products: Floats, pilot: Floats) -> "Scatter":
        """From the weighted products of [1, z − pilot] with itself, shape (1 + q, 1 + q)."""
        weight = float(products[0, 0])
        if weight == 0:
            return cls(0.0, pilot, np.zeros(len(pilot)), np.zeros((len(pilot), len(pilot))))
        with np.errstate(invalid="ignore", over="ignore"):  # infinite and very large values
            shift = products[0, 1:] / weight
            centered = products[1:, 1:] - np.outer(products[0, 1:], shift)
            diagonal = np.diag_indices(len(pilot))
            centered[diagonal] = np.maximum(centered[diagonal], 0.0)
            return cls(weight, pilot, shift, centered)

    @property
    def mean(self) -> Floats:
        """The mean; NaN if there are no rows."""
        return self.pilot + self.shift if self.weight > 0 else np.full(len(self.pilot), np.nan)

    def add(self, other: "Scatter") -> None:
        """Take in another, which is not changed.

        Raises:
            DataError: its vectors have another length.
        """
        if len(self.pilot) and len(other.pilot):
            require_same_width(len(self.pilot), len(other.pilot))
        if self.weight == 0 and len(other.pilot):
            copy = other.copy()
            self.weight, self.pilot, self.shift, self.products = copy.weight, copy.pilot, copy.shift, copy.products
        elif other.weight > 0:
            total = self.weight + other.weight
            share = other.weight / total
            with np.errstate(invalid="ignore", over="ignore"):  # infinite and very large values
                delta = (other.pilot - self.pilot) + (other.shift - self.shift)
                between = np.outer(delta, delta) * (self.weight * share)
                self.products = self.products + other.products + between
                self.weight, self.shift = total, self.shift + delta * share

    def covariance(self, ddof: float) -> Floats:
        """The products divided by Σ w − ddof; NaN if that is not positive."""
        degrees = self.weight - ddof
        return self.products / degrees if degrees > 0 else np.full(self.products.shape, np.nan)

    def correlation(self) -> Floats:
        """Pearson's correlations; NaN for a constant column, which has none."""
        std = np.sqrt(np.diagonal(self.products))
        scale = np.outer(std, std)
        correlation = np.full(scale.shape, np.nan)
        np.divide(self.products, scale, out=correlation, where=scale > 0)
        correlation[np.diag_indices(len(std))] = np.where(std > 0, 1.0, np.nan)
        np.clip(correlation, -1.0, 1.0, out=correlation)
        return correlation

    def raw(self) -> Floats:
        """The products of [1, z] around zero, shape (1 + q, 1 + q): [[Σw, Σwzᵀ], [Σwz, Σwzzᵀ]]."""
        mean = np.where(self.weight > 0, self.mean, 0.0)
        around_zero = np.empty((len(mean) + 1, len(mean) + 1))
        around_zero[0, 0] = self.weight
        around_zero[0, 1:] = around_zero[1:, 0] = self.weight * mean
        around_zero[1:, 1:] = self.products + self.weight * np.outer(mean, mean)
        return around_zero

    def copy(self) -> "Scatter":
        """The same in memory of its own."""
        return Scatter(self.weight, self.pilot.copy(), self.shift.copy(), self.products.copy())
