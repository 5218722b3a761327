"""Gradient boosting: trees that each correct the ones before, grown from histograms of gradients."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets

from groundswell.errors import FitError, choices
from groundswell.estimators._boosting import BoostingLoss, boost, growth_of
from groundswell.estimators._boosting_losses import AbsoluteError, Huber, LogLoss, SquaredError
from groundswell.estimators._input import fit_input, predict_parts
from groundswell.estimators._score import Classifier, Regressor
from groundswell.estimators._tree_model import Binned, binned, bins_of, require_at_least, store, stored_trees
from groundswell.statistics import Batch

_LOSSES: Mapping[str, BoostingLoss] = MappingProxyType(
    {"squared_error": SquaredError(), "absolute_error": AbsoluteError(), "huber": Huber()}
)


class _GradientBoosting(BaseEstimator):  # type: ignore[misc]  # sklearn is untyped
    """What both share; abstract."""

    def __init__(
        self,
        *,
        n_estimators: int,
        learning_rate: float,
        subsample: float,
        max_depth: int | None,
        min_samples_leaf: int,
        categorical_features: Any,  # Any: an array-like of names, positions or booleans
        random_state: Any,  # Any: an int, a generator of NumPy or None
    ) -> None:
        self.n_estimators, self.learning_rate, self.subsample = n_estimators, learning_rate, subsample
        self.max_depth, self.min_samples_leaf = max_depth, min_samples_leaf
        self.categorical_features, self.random_state = categorical_features, random_state

    def _check(self) -> None:
        require_at_least(
            1, n_estimators=self.n_estimators, max_depth=self.max_depth, min_samples_leaf=self.min_samples_leaf
        )
        if not 0 < self.subsample <= 1 or not self.learning_rate > 0:
            raise FitError(
                f"subsample is {self.subsample} and learning_rate {self.learning_rate}.",
                why="One is a share of the rows, the other of a step, and neither is zero.",
                fix="Set subsample above 0 and up to 1, and learning_rate above 0.",
            )

    def _boost(self, rows: Binned, loss: BoostingLoss) -> None:
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        growth = growth_of(bins=rows.bins, max_depth=self.max_depth, min_samples_leaf=self.min_samples_leaf, seed=seed)
        boosted = boost(
            rows.batches, loss, rows.shares, growth, n_rounds=self.n_estimators, learning_rate=self.learning_rate,
            subsample=self.subsample,
        )  # fmt: skip
        store(self, rows.bins, boosted.trees, boosted.values, boosted.importances)
        self.start_ = boosted.start

    def _scores(self, batch: Batch) -> NDArray[np.float64]:
        """The first scores and what all trees add, shape (rows, outputs)."""
        trees, bins = stored_trees(self), bins_of(self, batch)
        scores = np.tile(self.start_, (len(bins), 1))
        for tree in range(len(trees.roots)):
            scores[:, tree % len(self.start_)] += self.values_[trees.leaves(bins, tree)]
        return scores

    def __sklearn_tags__(self) -> Any:  # Any: scikit-learn's tags
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


class GradientBoostingClassifier(Classifier, _GradientBoosting):
    """Trees added one after the other, each a Newton step on the log loss of those before.

    Two classes take a tree in each round, more take one for each class. Scores of all rows are kept in memory, eight
    bytes for each row and tree of a round; a round passes over the rows once for each level.

    Args:
        n_estimators: how many rounds.
        learning_rate: how much of each step is taken (shrinkage).
        subsample: the share of the rows that a round sees, drawn by their hashes.
        max_depth: questions on the way to a leaf.
        min_samples_leaf: rows that a leaf has at least.
        categorical_features: as in `DecisionTreeClassifier`.
        random_state: seed or generator of the lots.

    Attributes:
        classes_: the labels, sorted. feature_importances_: the share of each feature in what splits gained.
        start_: the scores before the first tree. trees_: the nodes of all trees as arrays by name.
        values_: what each node adds. bin_edges_, bin_counts_, is_categorical_: how values become bins.

    References:
        Friedman, Greedy function approximation: a gradient boosting machine, Annals of Statistics 29 (2001).
        Chen and Guestrin, XGBoost: a scalable tree boosting system, KDD 2016, for the gain of a Newton step.

    >>> X = np.arange(20.0)[:, None]
    >>> GradientBoostingClassifier(n_estimators=10).fit(X, X[:, 0] > 9).predict([[2.0], [15.0]]).tolist()
    [False, True]
    """

    def __init__(
        self,
        *,
        n_estimators: int = 100,
        learning_rate: float = 0.1,
        subsample: float = 1.0,
        max_depth: int | None = 3,
        min_samples_leaf: int = 1,
        categorical_features: Any = None,  # Any: an array-like of names, positions or booleans
        random_state: Any = None,  # Any: an int, a generator of NumPy or None
    ) -> None:
        super().__init__(
            n_estimators=n_estimators, learning_rate=learning_rate, subsample=subsample, max_depth=max_depth,
            min_samples_leaf=min_samples_leaf, categorical_features=categorical_features, random_state=random_state,
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
        self._check()
        rows = binned(self, data, classify=True, draws=self.subsample < 1)
        self.classes_ = np.asarray(rows.classes)
        self._boost(rows, LogLoss(1 if len(self.classes_) == 2 else len(self.classes_)))
        return self

    def decision_function(self, X: Any) -> NDArray[np.float64]:  # Any: array-likes and tables
        """The scores: of the second of two classes, shape (rows,), or of each, shape (rows, classes).

        Raises:
            sklearn.exceptions.NotFittedError: it is not fitted.
            ColumnNotFoundError: a table lacks a feature.
        """
        scores = predict_parts(self, X, self._scores)
        return scores[:, 0] if scores.shape[1] == 1 else scores

    def predict_proba(self, X: Any) -> NDArray[np.float64]:  # Any: array-likes and tables
        """The probabilities of the classes, shape (rows, classes)."""
        scores = predict_parts(self, X, self._scores)
        return LogLoss(scores.shape[1]).probabilities(scores)

    def predict(self, X: Any) -> NDArray[Any]:  # Any: labels of any type
        """The most probable label, shape (rows,); of equals the first."""
        winners = self.predict_proba(X).argmax(axis=1)
        return np.asarray(self.classes_[winners])


class GradientBoostingRegressor(Regressor, _GradientBoosting):
    """Trees added one after the other, each on the gradient of a loss at those before.

    It is grown as `GradientBoostingClassifier` is. For the absolute and the Huber loss the leaves are set from the
    residuals, by one more pass in each round.

    Args:
        loss: "squared_error", "absolute_error" or "huber", whose δ is in each round the 0.9 quantile of the residuals.
        n_estimators: how many rounds.
        learning_rate: how much of each step is taken (shrinkage).
        subsample: the share of the rows that a round sees, drawn by their hashes.
        max_depth: questions on the way to a leaf.
        min_samples_leaf: rows that a leaf has at least.
        categorical_features: as in `DecisionTreeRegressor`.
        random_state: seed or generator of the lots.

    Attributes:
        feature_importances_: the share of each feature in what splits gained.
        start_: the prediction before the first tree. trees_: the nodes of all trees as arrays by name.
        values_: what each node adds. bin_edges_, bin_counts_, is_categorical_: how values become bins.

    References:
        Friedman, Greedy function approximation: a gradient boosting machine, Annals of Statistics 29 (2001).

    >>> X = np.arange(20.0)[:, None]
    >>> GradientBoostingRegressor().fit(X, X[:, 0] > 9).predict([[2.0], [15.0]]).round(2).tolist()
    [0.0, 1.0]
    """

    def __init__(
        self,
        *,
        loss: str = "squared_error",
        n_estimators: int = 100,
        learning_rate: float = 0.1,
        subsample: float = 1.0,
        max_depth: int | None = 3,
        min_samples_leaf: int = 1,
        categorical_features: Any = None,  # Any: an array-like of names, positions or booleans
        random_state: Any = None,  # Any: an int, a generator of NumPy or None
    ) -> None:
        super().__init__(
            n_estimators=n_estimators, learning_rate=learning_rate, subsample=subsample, max_depth=max_depth,
            min_samples_leaf=min_samples_leaf, categorical_features=categorical_features, random_state=random_state,
        )  # fmt: skip
        self.loss = loss

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
        self._check()
        if self.loss not in _LOSSES:
            raise FitError(f"There is no loss {self.loss!r}.", fix=choices(str(self.loss), _LOSSES, "losses"))
        self._boost(binned(self, data, classify=False, draws=self.subsample < 1), _LOSSES[self.loss])
        return self

    def predict(self, X: Any) -> NDArray[np.float64]:  # Any: array-likes and tables
        """The predictions, shape (rows,).

        Raises:
            sklearn.exceptions.NotFittedError: it is not fitted.
            ColumnNotFoundError: a table lacks a feature.
        """
        return predict_parts(self, X, self._scores)[:, 0]
