"""Decision trees (CART) from histograms: one pass over the rows for each level."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.multiclass import check_classification_targets

from groundswell.estimators._criteria import criterion_named
from groundswell.estimators._growth import Grown, grow
from groundswell.estimators._growth_rules import Growth
from groundswell.estimators._input import Input, fit_input, predict_parts
from groundswell.estimators._pruning import worth_keeping
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
from groundswell.estimators._trees import pruned
from groundswell.statistics import Batch


class _DecisionTree(BaseEstimator):  # type: ignore[misc]  # sklearn is untyped
    """What both trees share; abstract."""

    def __init__(
        self,
        *,
        criterion: str,
        max_depth: int | None = 8,
        min_samples_leaf: int = 1,
        min_impurity_decrease: float = 0.0,
        ccp_alpha: float = 0.0,
        categorical_features: Any = None,  # Any: an array-like of names, positions or booleans
    ) -> None:
        self.criterion, self.max_depth, self.min_samples_leaf = criterion, max_depth, min_samples_leaf
        self.min_impurity_decrease, self.ccp_alpha = min_impurity_decrease, ccp_alpha
        self.categorical_features = categorical_features

    def _grow(self, data: Input, *, classify: bool) -> tuple[Binned, Grown]:
        """Grow and prune."""
        require_at_least(1, max_depth=self.max_depth, min_samples_leaf=self.min_samples_leaf)
        require_at_least(0, min_impurity_decrease=self.min_impurity_decrease, ccp_alpha=self.ccp_alpha)
        risk = criterion_named(self.criterion, "class" if classify else "number")
        rows = binned(self, data, classify=classify, draws=False)
        growth = Growth(
            criterion=self.criterion, bins=rows.bins, n_classes=len(rows.classes or [0]),
            max_depth=self.max_depth, min_samples_leaf=self.min_samples_leaf,
            min_impurity_decrease=self.min_impurity_decrease, center=rows.center,
        )  # fmt: skip
        grown = grow(rows.batches, growth)
        weight = float(grown.sums[0].sum() if classify else grown.sums[0, 0])
        kept = worth_keeping(grown.trees, risk(grown.sums), self.ccp_alpha * weight)
        trees, old = pruned(grown.trees, kept)
        return rows, Grown(trees=trees, sums=grown.sums[old], rows=grown.rows[old], gain=grown.gain[old])

    def _store(self, rows: Binned, grown: Grown, values: NDArray[Any]) -> None:
        store(self, rows.bins, grown.trees, values, importances_of(grown, len(rows.bins.counts)))

    def _values(self, batch: Batch) -> NDArray[np.float64]:
        """The value of the leaf of each row."""
        return np.asarray(self.values_[stored_trees(self).leaves(bins_of(self, batch))])

    def apply(self, X: Any) -> NDArray[np.int32]:  # Any: array-likes and tables
        """The number of the leaf that each row reaches, shape (rows,).

        Raises:
            sklearn.exceptions.NotFittedError: it is not fitted.
            ColumnNotFoundError: a table lacks a feature.
        """
        return predict_parts(self, X, lambda batch: stored_trees(self).leaves(bins_of(self, batch)))

    def get_depth(self) -> int:
        """How many questions lead to the deepest leaf."""
        trees, depth = stored_trees(self), np.zeros(len(self.values_), int)
        for node in np.flatnonzero(trees.feature >= 0):
            depth[[trees.left[node], trees.right[node]]] = depth[node] + 1
        return int(depth.max())

    def get_n_leaves(self) -> int:
        """How many leaves there are."""
        return int((stored_trees(self).feature < 0).sum())

    def __sklearn_tags__(self) -> Any:  # Any: scikit-learn's tags
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


class DecisionTreeClassifier(Classifier, _DecisionTree):
    """A binary tree of questions about single features whose leaves hold the shares of the classes (CART).

    Features are binned once; then each level is one pass, which sums for every node how often each class is in each
    bin. With at most 254 different values a feature has a bin for each and the tree is that of an exhaustive search.
    Missing values go to the side where they gain more.

    Args:
        criterion: "gini", or "entropy", the information gain.
        max_depth: questions on the way to a leaf; None asks until leaves are pure.
        min_samples_leaf: rows that a leaf has at least.
        min_impurity_decrease: a split takes away at least so much impurity, as a share of all rows.
        ccp_alpha: the price of a leaf for minimal cost-complexity pruning, as impurity.
        categorical_features: names, positions or booleans: which features are categories, encoded as any numbers. They
            are split into subsets. A category that was not seen goes where most rows went.

    Attributes:
        classes_: the labels, sorted. feature_importances_: the share of each feature in the impurity taken away.
        trees_: the nodes as arrays by name. values_: the shares of the classes, shape (nodes, classes).
        bin_edges_, bin_counts_, is_categorical_: how values become bins.

    References:
        Breiman, Friedman, Olshen, Stone, Classification and regression trees (1984).
        Ranka and Singh, CLOUDS: a decision tree classifier for large datasets, KDD 1998, for splits between bins.

    >>> model = DecisionTreeClassifier().fit(np.array([[1.0], [2.0], [3.0]]), np.array(["no", "yes", "yes"]))
    >>> model.predict(np.array([[1.2], [2.7]])).tolist()
    ['no', 'yes']
    """

    def __init__(
        self,
        *,
        criterion: str = "gini",
        max_depth: int | None = 8,
        min_samples_leaf: int = 1,
        min_impurity_decrease: float = 0.0,
        ccp_alpha: float = 0.0,
        categorical_features: Any = None,  # Any: an array-like of names, positions or booleans
    ) -> None:
        super().__init__(
            criterion=criterion, max_depth=max_depth, min_samples_leaf=min_samples_leaf,
            min_impurity_decrease=min_impurity_decrease, ccp_alpha=ccp_alpha, categorical_features=categorical_features,
        )  # fmt: skip

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:  # Any: array-likes and tables
        """Grow the tree.

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
        self._store(rows, grown, grown.sums / grown.sums.sum(axis=1, keepdims=True))
        return self

    def predict_proba(self, X: Any) -> NDArray[np.float64]:  # Any: array-likes and tables
        """The shares of the classes in the leaf of each row, shape (rows, classes).

        Raises:
            sklearn.exceptions.NotFittedError: it is not fitted.
            ColumnNotFoundError: a table lacks a feature.
        """
        return predict_parts(self, X, self._values)

    def predict(self, X: Any) -> NDArray[Any]:  # Any: labels of any type
        """The most frequent label in the leaf of each row, shape (rows,); of equals the first."""
        winners = self.predict_proba(X).argmax(axis=1)
        return np.asarray(self.classes_[winners])


class DecisionTreeRegressor(Regressor, _DecisionTree):
    """A binary tree of questions about single features whose leaves hold the mean of the target (CART).

    It is grown as `DecisionTreeClassifier` is, by what splits take away of the sum of squared errors.

    Args:
        criterion: "squared_error".
        max_depth: questions on the way to a leaf; None asks until leaves are pure.
        min_samples_leaf: rows that a leaf has at least.
        min_impurity_decrease: a split takes away at least so much variance, as a share of all rows.
        ccp_alpha: the price of a leaf for minimal cost-complexity pruning, as variance.
        categorical_features: names, positions or booleans: which features are categories, encoded as any numbers. They
            are split into subsets. A category that was not seen goes where most rows went.

    Attributes:
        feature_importances_: the share of each feature in the squared error taken away.
        trees_: the nodes as arrays by name. values_: the mean of each node, shape (nodes,).
        bin_edges_, bin_counts_, is_categorical_: how values become bins.

    References:
        Breiman, Friedman, Olshen, Stone, Classification and regression trees (1984), chapter 8.

    >>> model = DecisionTreeRegressor(max_depth=1).fit(np.array([[1.0], [2.0], [9.0]]), np.array([1.0, 2.0, 9.0]))
    >>> model.predict(np.array([[0.0], [8.0]])).tolist()
    [1.5, 9.0]
    """

    def __init__(
        self,
        *,
        criterion: str = "squared_error",
        max_depth: int | None = 8,
        min_samples_leaf: int = 1,
        min_impurity_decrease: float = 0.0,
        ccp_alpha: float = 0.0,
        categorical_features: Any = None,  # Any: an array-like of names, positions or booleans
    ) -> None:
        super().__init__(
            criterion=criterion, max_depth=max_depth, min_samples_leaf=min_samples_leaf,
            min_impurity_decrease=min_impurity_decrease, ccp_alpha=ccp_alpha, categorical_features=categorical_features,
        )  # fmt: skip

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:  # Any: array-likes and tables
        """Grow the tree.

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
        self._store(rows, grown, rows.center + grown.sums[:, 1] / grown.sums[:, 0])
        return self

    def predict(self, X: Any) -> NDArray[np.float64]:  # Any: array-likes and tables
        """The mean of the target in the leaf of each row, shape (rows,).

        Raises:
            sklearn.exceptions.NotFittedError: it is not fitted.
            ColumnNotFoundError: a table lacks a feature.
        """
        return predict_parts(self, X, self._values)
