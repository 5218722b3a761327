"""`ClassMoments`: weight, mean and variance, or covariance, of the features within each class."""

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from groundswell.statistics._batch import Batch
from groundswell.statistics._combine import ByClass
from groundswell.statistics._gram import Gram, GramResult
from groundswell.statistics._matrix import Floats
from groundswell.statistics._moments import Moments, MomentsResult
from groundswell.statistics._statistic import require_equal

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
        self.groups.update(Batch(X=batch.X, y=batch.y, weights=batch.weights))  # other columns need not be sorted

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
