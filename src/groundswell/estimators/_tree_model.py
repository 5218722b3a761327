"""What estimators made of trees share: rows as bins before, trees as plain arrays after.

Trees are stored as arrays and numbers, so that a stored model holds nothing that would have to be trusted.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from groundswell.engines import Batches
from groundswell.errors import ColumnNotFoundError, FitError, choices
from groundswell.estimators._binned_batches import BinnedBatches
from groundswell.estimators._bins import SAMPLE_ROWS, SPARE, Bins, BinValues
from groundswell.estimators._growth import Grown
from groundswell.estimators._input import CACHE_BYTES, Input
from groundswell.estimators._kept_batches import KeptBatches
from groundswell.estimators._labels import observed_classes
from groundswell.estimators._row_errors import no_rows, require_finite
from groundswell.estimators._trees import Trees
from groundswell.statistics import Batch, CategoryCounts, Moments, Statistic
from groundswell.statistics._matrix import Floats


@dataclass(frozen=True, kw_only=True)
class Binned:
    """Rows ready for trees.

    Args:
        batches: the rows as bins.
        bins: theirs.
        classes: the labels, sorted; None for numbers.
        center: a number near the mean of y, on a grid so coarse that whole numbers stay whole when it is subtracted.
        shares: of the classes, or the mean of y alone.
    """

    batches: Batches
    bins: Bins
    classes: list[Any] | None
    center: float
    shares: Floats


class _OfTarget:
    """The moments of y."""

    def __init__(self) -> None:
        self.moments = Moments()

    def zero(self) -> "_OfTarget":
        """No rows."""
        return _OfTarget()

    def update(self, batch: Batch) -> None:
        """Take in y."""
        self.moments.update(Batch(X=batch.target, weights=batch.weights))

    def merge(self, other: "_OfTarget") -> None:
        """Add the other's."""
        self.moments.merge(other.moments)

    def result(self) -> Any:
        """The moments."""
        return self.moments.result()


class _FirstPass:
    """The statistic of the first pass: what bins are made of, the labels or moments of y, and how large parts are."""

    def __init__(self, values: BinValues, target: Statistic[Any]) -> None:
        self.values, self.target = values, target
        self.sizes: list[int] = []

    def zero(self) -> "_FirstPass":
        """No rows."""
        return _FirstPass(self.values.zero(), self.target.zero())

    def update(self, batch: Batch) -> None:
        """Take in a part."""
        self.sizes.append(len(batch))
        self.values.update(batch)
        self.target.update(batch)

    def merge(self, other: "_FirstPass") -> None:
        """Add what the other saw, and put its parts behind."""
        self.values.merge(other.values)
        self.target.merge(other.target)
        self.sizes.extend(other.sizes)

    def result(self) -> "_FirstPass":
        """All of it."""
        return self


def binned(estimator: BaseEstimator, data: Input, *, classify: bool, draws: bool) -> Binned:
    """Find the bins and the labels in one pass.

    Args:
        estimator: what the rows are for.
        data: the rows.
        classify: whether the target is labels.
        draws: whether rows will be drawn by their hashes.

    Raises:
        FitError: there are no rows, labels are missing, there is one class only, or a categorical feature has too many
            categories.
        ColumnNotFoundError: a categorical feature is not among the features.
    """
    target: Statistic[Any] = CategoryCounts() if classify else _OfTarget()
    share = min(1.0, SPARE * SAMPLE_ROWS / data.batches.rows) if data.batches.rows else 1.0
    seen = data.fold(_FirstPass(BinValues(share), target))
    values = seen.values
    if share < 1 and len(values.lots) < SAMPLE_ROWS:  # many rows are equal
        values = data.fold(BinValues())
    names = [str(name) for name in getattr(estimator, "feature_names_in_", range(data.n_features))]
    classes, center = None, 0.0
    labels = seen.target.result()
    missing = labels.missing if classify else float(labels.missing.sum())
    if missing:
        raise FitError(
            f"Rows of weight {missing:g} have no label.",
            why="A tree has a rule for missing features, not for missing targets.",
            fix="Filter the rows.",
            missing=missing,
        )
    if not values.values:
        raise no_rows()
    if classify:
        classes = labels.values
        observed_classes(classes)
        shares = labels.counts / labels.counts.sum()
    else:
        require_finite(labels.mean, labels.variance(), what="The label")
        shares = labels.mean
        center = _near(float(labels.mean[0]), float(labels.variance()[0]))
    bins = Bins.of(values, categorical_mask(estimator, names), names)
    binned = BinnedBatches(data.batches, bins, classes, seen.sizes, draws=draws)
    kept = KeptBatches(binned, CACHE_BYTES)
    return Binned(batches=kept, bins=bins, classes=classes, center=center, shares=shares)


def _near(mean: float, variance: float) -> float:
    if not variance > 0:
        return mean
    grid = float(2.0 ** np.floor(np.log2(np.sqrt(variance))))
    return float(np.round(mean / grid) * grid)


def categorical_mask(estimator: BaseEstimator, names: list[str]) -> NDArray[np.bool_]:
    """Which features are categories, from names, positions or booleans."""
    given, chosen = estimator.categorical_features, np.zeros(len(names), np.bool_)
    listed = [] if given is None else np.asarray(given).tolist()
    if listed and all(isinstance(item, bool) for item in listed) and len(listed) == len(names):
        return np.array(listed, np.bool_)
    for item in listed:
        known = isinstance(item, int) and not isinstance(item, bool) and 0 <= item < len(names)
        if not known and item not in names:
            raise ColumnNotFoundError(
                f"The categorical feature {item!r} is not among the {len(names)} features.",
                fix=choices(str(item), names, "features"),
                column=item,
                known=names,
            )
        chosen[item if known else names.index(item)] = True
    return chosen


def require_at_least(least: float, **given: float | None) -> None:
    """Refuse parameters that are too small; None is none.

    Raises:
        FitError: one is smaller than `least`.
    """
    for name, value in given.items():
        if value is not None and value < least:
            raise FitError(
                f"{name} is {value}.", why=f"It is at least {least:g}.", fix=f"Set {name} to {least:g} or more."
            )


def store(estimator: BaseEstimator, bins: Bins, trees: Trees, values: NDArray[Any], importances: Floats) -> None:
    """Set what prediction needs as plain attributes: `trees_`, `values_`, `bin_edges_` and their like."""
    estimator.bin_edges_, estimator.bin_counts_, estimator.is_categorical_ = bins.edges, bins.counts, bins.categorical
    estimator.trees_, estimator.values_ = trees.arrays(), values
    total = importances.sum()
    estimator.feature_importances_ = importances / total if total > 0 else importances


def importances_of(grown: Grown, n_features: int) -> Floats:
    """The gains of the splits by feature, shape (features,)."""
    inner = grown.trees.feature >= 0
    found = np.bincount(grown.trees.feature[inner], np.maximum(grown.gain[inner], 0.0), n_features)
    return found.astype(np.float64)


def stored_trees(estimator: BaseEstimator) -> Trees:
    """The trees of a fitted estimator."""
    return Trees(**estimator.trees_)


def bins_of(estimator: BaseEstimator, batch: Batch) -> NDArray[np.uint8]:
    """The rows of a batch as the bins of a fitted estimator; of features that no tree asks for, nothing."""
    bins = Bins(estimator.bin_edges_, estimator.bin_counts_, estimator.is_categorical_)
    asked = np.unique(estimator.trees_["feature"])
    return bins.bin(batch.matrix, asked[asked >= 0])
