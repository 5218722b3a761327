"""`ClassSums`: sums of each feature within each class, of sparse matrices without making them dense."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import sparse

from groundswell.statistics import Batch, require_same_width
from groundswell.statistics._matrix import Floats


@dataclass(frozen=True, kw_only=True)
class ClassSumsResult:
    """Sums of p features within K classes.

    Attributes:
        classes: the labels, sorted.
        weight: Σ w of each class, shape (K,).
        total: Σ w x, shape (K, p); NaN where a value is missing.
        minimum, maximum: of all values; infinite without rows.
        unlabeled: Σ w of the rows without a label.
    """

    classes: list[Any]  # Any: labels are of any type
    weight: Floats
    total: Floats
    minimum: float
    maximum: float
    unlabeled: float


@dataclass
class ClassSums:
    """Σ w x of X by the label in y: the counts of multinomial and Bernoulli naive Bayes.

    Labels need not be known before; partitions may have different ones.

    Args:
        threshold: values above it count 1, others 0; None sums the values themselves.
    """

    threshold: float | None = None
    weight: dict[Any, float] = field(init=False, default_factory=dict)  # Any: labels are of any type
    total: dict[Any, Floats] = field(init=False, default_factory=dict)
    width: int = field(init=False, default=0)
    minimum: float = field(init=False, default=np.inf)
    maximum: float = field(init=False, default=-np.inf)
    unlabeled: float = field(init=False, default=0.0)

    def zero(self) -> "ClassSums":
        """The same threshold, no rows."""
        return ClassSums(self.threshold)

    def update(self, batch: Batch) -> None:
        """Add the rows: one product with a matrix that has a row for each label."""
        self._take_width(batch.n_features)
        blocks = batch.blocks() if isinstance(batch.X, np.ndarray) else iter([batch] if len(batch) else [])
        for block in blocks:
            encoded = block.codes()
            weights = np.ones(len(block)) if block.weights is None else block.weights
            labeled = encoded.codes >= 0
            self.unlabeled += float(weights[~labeled].sum())
            values = above(block.X, self.threshold)
            if values.shape[1]:
                self.minimum = min(self.minimum, float(values.min()))
                self.maximum = max(self.maximum, float(values.max()))
            position = (weights[labeled], (encoded.codes[labeled], np.flatnonzero(labeled)))
            members = sparse.csr_array(position, shape=(len(encoded.values), len(block)))
            dense = isinstance(values, np.ndarray)
            with np.errstate(invalid="ignore"):  # of infinite values, which the extremes show
                totals = members.toarray() @ values.astype(np.float64) if dense else (members @ values).toarray()
            weight = np.asarray(members.sum(axis=1)).ravel()
            for label, one, total in zip(encoded.values.to_pylist(), weight.tolist(), totals, strict=True):
                if one:
                    self._add(label, one, total)

    def _take_width(self, width: int) -> None:
        if self.width:
            require_same_width(self.width, width)
        self.width = width

    def _add(self, label: Any, weight: float, total: Floats) -> None:  # Any: as above
        self.weight[label] = self.weight.get(label, 0.0) + weight
        self.total[label] = self.total[label] + total if label in self.total else total

    def merge(self, other: "ClassSums") -> None:
        """Add the sums, class by class."""
        if other.width:
            self._take_width(other.width)
        for label, weight in list(other.weight.items()):
            self._add(label, weight, other.total[label])
        self.minimum, self.maximum = min(self.minimum, other.minimum), max(self.maximum, other.maximum)
        self.unlabeled += other.unlabeled

    def result(self) -> ClassSumsResult:
        """The sums."""
        classes = sorted(self.weight)
        return ClassSumsResult(
            classes=classes,
            weight=np.array([self.weight[label] for label in classes]),
            total=np.array([self.total[label] for label in classes]).reshape(len(classes), self.width),
            minimum=self.minimum,
            maximum=self.maximum,
            unlabeled=self.unlabeled,
        )


def above(X: Any, threshold: float | None) -> Any:  # Any: an array or a sparse matrix
    """1 where a value is above the threshold, else 0; missing values stay. X itself without a threshold."""
    if threshold is None:
        return X
    if not isinstance(X, np.ndarray):
        if threshold < 0:  # zeros would become ones
            return above(X.toarray(), threshold)
        made = X.astype(np.float64)
        made.data = np.where(np.isnan(made.data), np.nan, made.data > threshold)
        return made
    return np.where(np.isnan(X), np.nan, threshold < X)
