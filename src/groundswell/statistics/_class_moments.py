"""`ClassMoments`: weight, mean and variance, or covariance, of the features within each class."""

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from groundswell.statistics._batch import Batch
from groundswell.statistics._combine import ByClass
from groundswell.statistics._compiled import compiled
from groundswell.statistics._gram import Gram, GramResult
from groundswell.statistics._matrix import Floats, kernel_weights, sealed
from groundswell.statistics._moments import Moments, MomentsResult
from groundswell.statistics._statistic import require_equal, require_same_width

__all__ = ["ClassMoments", "ClassMomentsResult"]


@dataclass(frozen=True, kw_only=True)
class ClassMomentsResult:
    """Moments of p features within K classes.

    Attributes:
        classes: the labels, sorted.
        weight: Σ w of each class: shape (K, p) for "diagonal", as values may be missing in one column; (K,) for "full".
        mean: shape (K, p).
        scatter: Σ w (x − mean)² around the class's mean, shape (K, p); for "full" Σ w (x − mean)(x − mean)ᵀ, shape
            (K, p, p).
        dropped: Σ w of the rows without a label and, for "full", of those with a missing value.
    """

    classes: list[Any]  # Any: labels are of any type
    weight: Floats
    mean: Floats
    scatter: Floats
    dropped: float

    def covariance(self, ddof: float = 0.0) -> Floats:
        """Each class's scatter / (weight − ddof): variances or covariance matrices; NaN where that is not positive."""
        degrees = np.maximum(self.weight - ddof, 0.0)
        degrees = degrees.reshape(degrees.shape + (1,) * (self.scatter.ndim - degrees.ndim))
        covariance = np.full(self.scatter.shape, np.nan)
        np.divide(self.scatter, degrees, out=covariance, where=degrees > 0)
        return covariance

    def pooled(self) -> Floats:
        """The scatter within classes, summed over them: what a linear discriminant takes as common to all."""
        within: Floats = self.scatter.sum(axis=0)
        return within


@dataclass
class ClassMoments:
    """Class-conditional moments of X given y: naive Bayes wants "diagonal", discriminants want "full".

    Labels may be of any type and need not be known before; partitions may have different ones.

    Missing values: rows without a label are left out. NaN in X are left out column by column for "diagonal"; for "full"
    the row is. `dropped` has the weight of rows left out.

    Args:
        covariance: "diagonal" for a variance per feature, "full" for covariances between them.

    >>> moments = ClassMoments()
    >>> moments.update(Batch(X=np.array([[1.0], [3.0], [8.0]]), y=np.array(["no", "no", "yes"])))
    >>> result = moments.result()
    >>> result.classes, result.mean.tolist(), result.covariance().tolist()
    (['no', 'yes'], [[2.0], [8.0]], [[1.0], [0.0]])
    """

    covariance: Literal["diagonal", "full"] = "diagonal"
    groups: ByClass[Any] = field(init=False)  # Any: of moments or of Gram matrices

    def __post_init__(self) -> None:
        self.groups = ByClass(Moments() if self.covariance == "diagonal" else Gram())

    def zero(self) -> "ClassMoments":
        """No classes."""
        return ClassMoments(self.covariance)

    def update(self, batch: Batch) -> None:
        """Take in the rows.

        Raises:
            DataError: the batch has no X or no y, or another number of columns than those before.
        """
        rows = Batch(X=batch.X, y=batch.y, weights=batch.weights)  # other columns need not be sorted
        if self.covariance == "full" or not isinstance(batch.X, np.ndarray):
            self.groups.update(rows)
            return
        for block in rows.blocks():
            self._add_variances(block)

    def _add_variances(self, block: Batch) -> None:
        """As `ByClass` does, without bringing the rows of each class together."""
        parts: dict[Any, Any] = self.groups.parts  # Any: labels, and their moments
        for part in parts.values():
            require_same_width(len(part.pilot), block.n_features)
        encoded, X = block.codes().used(), sealed(block.matrix)
        labels, shape = encoded.values.to_pylist(), (X.shape[1], len(encoded.values))
        pilot, missing, sums, squares = (np.zeros(shape) for _ in range(4))
        weight = np.zeros(len(labels) + 1)  # the last: of rows without a label
        _sum_by_class(X, sealed(encoded.codes), kernel_weights(block.weights), pilot, weight, missing, sums, squares)
        self.groups.dropped += float(weight[-1])
        for k in np.flatnonzero(weight[:-1]):
            part = parts.setdefault(labels[k], Moments())
            part.add_sums(pilot[:, k], missing[:, k], weight[k] - missing[:, k], [sums[:, k], squares[:, k]])

    def merge(self, other: "ClassMoments") -> None:
        """Merge class by class.

        Raises:
            DataError: the other has another kind of covariance, or saw another number of columns.
        """
        require_equal(self, other, "covariance")
        self.groups.merge(other.groups)

    def result(self) -> ClassMomentsResult:
        """The moments of each class."""
        by_label = self.groups.result()
        parts: list[MomentsResult | GramResult] = list(by_label.values())
        scatters = [part.central[0] if isinstance(part, MomentsResult) else part.scatter for part in parts]
        lost = [part.dropped for part in parts if isinstance(part, GramResult)]
        return ClassMomentsResult(
            classes=list(by_label),
            weight=np.array([part.weight for part in parts]),
            mean=np.array([part.mean for part in parts]),
            scatter=np.array(scatters),
            dropped=self.groups.dropped + sum(lost),
        )


@compiled
def _sum_by_class(
    X: NDArray[Any],
    codes: NDArray[np.int64],
    weights: Floats,
    pilot: Floats,
    weight: Floats,
    missing: Floats,
    sums: Floats,
    squares: Floats,
) -> None:
    """Choose pilots, and sum weights, weights of missing values, and differences from the pilots and their squares.

    A class's pilot is the mean of its values in the first rows, 32 times as many as there are classes, or its first
    value if it has none there; `pilot_of` would need the rows of each class together. As values of the block, however
    unlucky, they cost the digits of its length at worst. Sums have eight strands, as one addition waits for the last to
    the same sum. Kernels take plain arrays, as they know no dataclasses.

    Args:
        X: shape (rows, p).
        codes: the class of each row, or −1.
        weights: of the rows; empty if each is one.
        pilot, missing, sums, squares: zeros, shape (p, K).
        weight: zeros, shape (K + 1,); the last is of the rows of no class.
    """
    n_rows, n_classes = len(codes), pilot.shape[1]
    for i in range(n_rows):
        weight[codes[i]] += weights[i] if len(weights) else 1.0
    present = (weight[:n_classes] > 0).sum()
    strands, counts = np.empty((8, n_classes, 2)), np.empty(n_classes, np.int64)
    for j in range(X.shape[1]):
        column, center = X[:, j], pilot[j]
        counts[:] = 0
        found = 0
        for i in range(n_rows):
            if i >= 32 * present and found == present:
                break
            k, value = codes[i], np.float64(column[i])
            if k >= 0 and np.isfinite(value) and (counts[k] == 0 or i < 32 * present):
                found += counts[k] == 0
                counts[k] += 1
                center[k] += (value - center[k]) / counts[k]
        for k in range(n_classes):
            if not np.isfinite(center[k]):
                center[k] = 0.0  # the difference of two values overflowed
        strands[:] = 0.0
        for i in range(n_rows):
            k = codes[i]
            if k >= 0:
                difference, strand = np.float64(column[i]) - center[k], strands[i % 8, k]
                w = weights[i] if len(weights) else 1.0
                if difference == difference:
                    strand[0] += w * difference
                    strand[1] += w * difference * difference
                else:
                    missing[j, k] += w
        for strand in range(8):
            for k in range(n_classes):
                sums[j, k] += strands[strand, k, 0]
                squares[j, k] += strands[strand, k, 1]
