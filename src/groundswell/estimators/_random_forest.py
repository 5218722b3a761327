"""Random forests whose trees grow together: one pass over the rows for each level of all trees."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets

from groundswell.errors import FitError
from groundswell.estimators._criteria import criterion_named
from groundswell.estimators._growth import Grown, grow
from groundswell.estimators._growth_rules import Growth
from groundswell.estimators._input import Input, fit_input, predict_parts
from groundswell.estimators._score import Classifier, Regressor
from groundswell.estimators._tree_model import (
    Binned,
    binned,
    bins_of,
    importances_of,
    require_at_least,
    store,
    stored_trees,
)
from groundswell.statistics import Batch, uniform
from groundswell.statistics._compiled import compiled

_POISSON = np.cumsum(np.exp(-1.0) / np.array([1, 1, 2, 6, 24, 120, 720, 5040, 40320, 362880]))
"""Chances that a row is drawn at most 0, 1, 2, … times."""


@dataclass(frozen=True)
class Bootstrap:
    """How often a row is drawn for a tree: Poisson with mean 1, by the hash of the row and the number of the tree.

    References:
        Chamandy, Muralidharan, Najmi, Naidu, Estimating uncertainty for massive data streams (2012), section 2.2.
    """

    seed: int

    def __call__(self, batch: Batch, tree: int) -> NDArray[np.uint8]:
        """The number of draws of each row, shape (rows,)."""
        lots = uniform(np.asarray(batch.column("hash")), self.seed + tree)
        times = np.zeros(len(lots), np.uint8)
        _count_below(lots, _POISSON, times)
        return times


@compiled
def _count_below(lots: NDArray[np.float64], bounds: NDArray[np.float64], times: NDArray[np.uint8]) -> None:
    """How many bounds are not above each lot."""
    for start in range(0, len(lots), 4096):  # few rows stay in the cache; all bounds at once would mean branches
        for bound in bounds:
            for i in range(start, min(start + 4096, len(lots))):
                times[i] += lots[i] >= bound


class _RandomForest(BaseEstimator):  # type: ignore[misc]  # sklearn is untyped
    """What both forests share; abstract."""

    def __init__(
        self,
        n_estimators: int,
        *,
        criterion: str,
        max_depth: int | None,
        min_samples_leaf: int,
        min_impurity_decrease: float,
        max_features: Any,  # Any: a word, a number or None
        bootstrap: bool,
        categorical_features: Any,  # Any: an array-like of names, positions or booleans
        random_state: Any,  # Any: an int, a generator of NumPy or None
    ) -> None:
        self.n_estimators, self.criterion, self.max_depth = n_estimators, criterion, max_depth
        self.min_samples_leaf, self.min_impurity_decrease = min_samples_leaf, min_impurity_decrease
        self.max_features, self.bootstrap = max_features, bootstrap
        self.categorical_features, self.random_state = categorical_features, random_state

    def _grow(self, data: Input, *, classify: bool) -> tuple[Binned, Grown]:
        """Grow all trees and store them, but for their values."""
        require_at_least(
            1, n_estimators=self.n_estimators, max_depth=self.max_depth, min_samples_leaf=self.min_samples_leaf
        )
        require_at_least(0, min_impurity_decrease=self.min_impurity_decrease)
        criterion_named(self.criterion, "class" if classify else "number")
        random, k = check_random_state(self.random_state), self._n_features(data.n_features)
        rows = binned(self, data, classify=classify, draws=self.bootstrap)
        growth = Growth(
            criterion=self.criterion, bins=rows.bins, n_classes=len(rows.classes or [0]),
            max_depth=self.max_depth, min_samples_leaf=self.min_samples_leaf,
            min_impurity_decrease=self.min_impurity_decrease, center=rows.center,
            max_features=None if k == data.n_features else k, seed=int(random.randint(2**31 - 1)),
            sampling=Bootstrap(int(random.randint(2**31 - 1))) if self.bootstrap else None,
        )  # fmt: skip
        return rows, grow(rows.batches, growth, self.n_estimators)

    def _n_features(self, n_features: int) -> int:
        given = self.max_features
        if given is None:
            return n_features
        if given == "sqrt":
            return max(1, int(np.sqrt(n_features)))
        if isinstance(given, int) and not isinstance(given, bool) and 1 <= given <= n_features:
            return given
        if isinstance(given, float) and 0 < given <= 1:
            return max(1, int(given * n_features))
        raise FitError(
            f"max_features is {given!r}.",
            why=f"It is how many of the {n_features} features a node may choose from.",
            fix=f"Give 'sqrt', a whole number from 1 to {n_features}, a share up to 1.0, or None for all.",
            max_features=given,
        )

    def _store(self, rows: Binned, grown: Grown, values: NDArray[Any]) -> None:
        store(self, rows.bins, grown.trees, values, importances_of(grown, len(rows.bins.counts)))

    def _mean(self, batch: Batch) -> NDArray[np.float64]:
        """The mean over the trees of the value of the leaf of each row."""
        trees, bins = stored_trees(self), bins_of(self, batch)
        total = np.zeros((len(bins), *self.values_.shape[1:]))
        for tree in range(len(trees.roots)):
            total += self.values_[trees.leaves(bins, tree)]
        return total / len(trees.roots)

    def __sklearn_tags__(self) -> Any:  # Any: scikit-learn's tags
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


class RandomForestClassifier(Classifier, _RandomForest):
    """Trees that each see other rows and features, and vote by their shares of the classes.

    The trees grow together: one pass over the rows sums a level of all of them. How often a row counts in a tree is
    Poisson with mean 1, drawn by a hash of the row, so the forest does not depend on how rows are partitioned; equal
    rows are drawn together.

    Args:
        n_estimators: how many trees.
        criterion: "gini" or "entropy".
        max_depth: questions on the way to a leaf; None asks until leaves are pure.
        min_samples_leaf: different rows that a leaf has at least.
        min_impurity_decrease: a split takes away at least so much impurity, as a share of all rows.
        max_features: how many features a node may choose from: "sqrt", a number, a share, or None for all.
        bootstrap: whether trees see samples of the rows.
        categorical_features: as in `DecisionTreeClassifier`.
        random_state: seed or generator of the lots.

    Attributes:
        classes_: the labels, sorted. feature_importances_: the share of each feature in the impurity taken away.
        trees_: the nodes of all trees as arrays by name. values_: the shares of the classes, shape (nodes, classes).
        bin_edges_, bin_counts_, is_categorical_: how values become bins.

    References:
        Breiman, Random forests, Machine Learning 45 (2001).

    >>> X = np.repeat(np.arange(40.0)[:, None], 2, axis=1)
    >>> RandomForestClassifier(20, random_state=0).fit(X, X[:, 0] > 19).predict([[3.0, 3.0], [30.0, 30.0]]).tolist()
    [False, True]
    """

    def __init__(
        self,
        n_estimators: int = 100,
        *,
        criterion: str = "gini",
        max_depth: int | None = 12,
        min_samples_leaf: int = 1,
        min_impurity_decrease: float = 0.0,
        max_features: Any = "sqrt",  # Any: a word, a number or None
        bootstrap: bool = True,
        categorical_features: Any = None,  # Any: an array-like of names, positions or booleans
        random_state: Any = None,  # Any: an int, a generator of NumPy or None
    ) -> None:
        super().__init__(
            n_estimators, criterion=criterion, max_depth=max_depth, min_samples_leaf=min_samples_leaf,
            min_impurity_decrease=min_impurity_decrease, max_features=max_features, bootstrap=bootstrap,
            categorical_features=categorical_features, random_state=random_state,
        )  # fmt: skip

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:  # Any: array-likes and tables
        """Grow the trees.

        Args:
            X: shape (rows, features), or a table; NaN is missing.
            y: labels of any type, shape (rows,); with a table the name of its label column.
            sample_weight: shape (rows,); with a table the name of its column of weights.

        Raises:
            FitError: there are no rows, one class only, a label is missing, or a parameter cannot be.
            ColumnNotFoundError, TypeMismatchError: a column is not there, or holds no numbers.
        """
        data = fit_input(self, X, y, sample_weight, needs_y=True, allow_nan=True)
        if y is not None and not isinstance(y, str):
            check_classification_targets(y)
        rows, grown = self._grow(data, classify=True)
        self.classes_ = np.asarray(rows.classes)
        total = grown.sums.sum(axis=1, keepdims=True)
        shares = np.full(grown.sums.shape, 1.0 / len(self.classes_))  # of a tree that drew no rows
        np.divide(grown.sums, total, out=shares, where=total > 0)
        self._store(rows, grown, shares)
        return self

    def predict_proba(self, X: Any) -> NDArray[np.float64]:  # Any: array-likes and tables
        """The mean over the trees of the shares of the classes, shape (rows, classes).

        Raises:
            sklearn.exceptions.NotFittedError: it is not fitted.
            ColumnNotFoundError: a table lacks a feature.
        """
        return predict_parts(self, X, self._mean)

    def predict(self, X: Any) -> NDArray[Any]:  # Any: labels of any type
        """The label with the largest mean share, shape (rows,); of equals the first."""
        winners = self.predict_proba(X).argmax(axis=1)
        return np.asarray(self.classes_[winners])


class RandomForestRegressor(Regressor, _RandomForest):
    """Trees that each see other rows and features, and whose means are averaged.

    It is grown as `RandomForestClassifier` is, by what splits take away of the sum of squared errors.

    Args:
        n_estimators: how many trees.
        criterion: "squared_error".
        max_depth: questions on the way to a leaf; None asks until leaves are pure.
        min_samples_leaf: different rows that a leaf has at least.
        min_impurity_decrease: a split takes away at least so much variance, as a share of all rows.
        max_features: how many features a node may choose from: "sqrt", a number, a share, or None for all.
        bootstrap: whether trees see samples of the rows.
        categorical_features: as in `DecisionTreeRegressor`.
        random_state: seed or generator of the lots.

    Attributes:
        feature_importances_: the share of each feature in the squared error taken away.
        trees_: the nodes of all trees as arrays by name. values_: the mean of each node, shape (nodes,).
        bin_edges_, bin_counts_, is_categorical_: how values become bins.

    References:
        Breiman, Random forests, Machine Learning 45 (2001).

    >>> X = np.arange(40.0)[:, None]
    >>> model = RandomForestRegressor(20, random_state=0).fit(X, X[:, 0])
    >>> bool(abs(model.predict([[20.0]])[0] - 20.0) < 2.0)
    True
    """

    def __init__(
        self,
        n_estimators: int = 100,
        *,
        criterion: str = "squared_error",
        max_depth: int | None = 12,
        min_samples_leaf: int = 1,
        min_impurity_decrease: float = 0.0,
        max_features: Any = None,  # Any: a word, a number or None
        bootstrap: bool = True,
        categorical_features: Any = None,  # Any: an array-like of names, positions or booleans
        random_state: Any = None,  # Any: an int, a generator of NumPy or None
    ) -> None:
        super().__init__(
            n_estimators, criterion=criterion, max_depth=max_depth, min_samples_leaf=min_samples_leaf,
            min_impurity_decrease=min_impurity_decrease, max_features=max_features, bootstrap=bootstrap,
            categorical_features=categorical_features, random_state=random_state,
        )  # fmt: skip

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:  # Any: array-likes and tables
        """Grow the trees.

        Args:
            X: shape (rows, features), or a table; NaN is missing.
            y: numbers, shape (rows,); with a table the name of its label column.
            sample_weight: shape (rows,); with a table the name of its column of weights.

        Raises:
            FitError: there are no rows, a target is missing, or a parameter cannot be.
            ColumnNotFoundError, TypeMismatchError: a column is not there, or holds no numbers.
        """
        data = fit_input(self, X, y, sample_weight, needs_y=True, numeric_y=True, allow_nan=True)
        rows, grown = self._grow(data, classify=False)
        means = np.zeros(len(grown.sums))  # of a tree that drew no rows: the center itself
        np.divide(grown.sums[:, 1], grown.sums[:, 0], out=means, where=grown.sums[:, 0] > 0)
        self._store(rows, grown, rows.center + means)
        return self

    def predict(self, X: Any) -> NDArray[np.float64]:  # Any: array-likes and tables
        """The mean over the trees of the means of the leaves of each row, shape (rows,).

        Raises:
            sklearn.exceptions.NotFittedError: it is not fitted.
            ColumnNotFoundError: a table lacks a feature.
        """
        return predict_parts(self, X, self._mean)
