"""Categorical naive Bayes from contingency tables."""

from collections.abc import Sequence
from typing import Any, Literal, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from groundswell.engines import Roles, as_scannable
from groundswell.errors import FitError
from groundswell.estimators._bayes_classifier import BayesClassifier, class_probabilities, logs, pseudo_counts
from groundswell.estimators._categories import as_categories, given_categories, positions, unknown_categories
from groundswell.estimators._columns import Columns, array_columns, feature_keys, fit_labeled_columns
from groundswell.estimators._input import batches_of, features_of, is_table
from groundswell.estimators._labels import observed_classes
from groundswell.estimators._row_errors import require_complete
from groundswell.statistics import Batch, CategoryCounts, ContingencyTable, ContingencyTableResult, Together
from groundswell.statistics._matrix import Floats


class CategoricalNB(BayesClassifier):
    """Naive Bayes for categories: texts, whole numbers, booleans, dictionary columns, as they are.

    One pass counts each category within each class, whatever parts of the table they occur in. The estimate of
    P(category | class) is the mode of its posterior under a Dirichlet(1 + alpha) prior (MAP), which is the mean under
    Dirichlet(alpha); alpha=0 is maximum likelihood (MLE).

    A missing value is not counted, and says nothing of the class when predicting.

    Args:
        alpha: pseudo-counts of each category.
        categories: "auto" takes those that occur; else one list for each feature, with categories that may not occur.
        handle_unknown: a category that the fit did not see "ignore" says nothing of the class; "error" refuses it.
        fit_prior, class_prior, class_alpha: as for `MultinomialNB`.

    Attributes:
        classes_: the labels, sorted. class_count_, class_prior_: shape (classes,).
        categories_: for each feature its categories in ascending order.
        category_count_: for each feature the counts, shape (classes, categories).
        feature_log_prob_: for each feature log P(category | class), shape (classes, categories).
        n_features_in_, feature_names_in_: what it was fitted on.

    References:
        Mitchell: Machine learning (1997), section 6.9.

    >>> weather = np.array([["sunny", "hot"], ["rain", "cool"], ["sunny", "cool"]], dtype=object)
    >>> model = CategoricalNB().fit(weather, np.array(["no", "yes", "no"]))
    >>> model.predict(np.array([["rain", None]], dtype=object)).tolist()
    ['yes']
    """

    def __init__(
        self,
        *,
        alpha: float = 1.0,
        categories: Literal["auto"] | Sequence[Any] = "auto",  # Any: array-likes of categories
        handle_unknown: Literal["ignore", "error"] = "ignore",
        fit_prior: bool = True,
        class_prior: Any = None,  # Any: an array-like
        class_alpha: float = 0.0,
    ) -> None:
        self.alpha, self.categories, self.handle_unknown = alpha, categories, handle_unknown
        self.fit_prior, self.class_prior, self.class_alpha = fit_prior, class_prior, class_alpha

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.categorical = tags.input_tags.allow_nan = True
        return tags

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:  # Any: array-likes and tables
        """Count the categories of each class.

        Args:
            X: columns of any type but lists: shape (rows, features), a data frame, or a table.
            y: labels of any type, shape (rows,); with a table the name of its label column.
            sample_weight: shape (rows,); with a table the name of its column of weights.

        Raises:
            FitError: there are no rows, a label is missing, or a setting is none.
            DataError: a value is not among the categories given, and unknown ones are errors.
            TypeMismatchError: a column has values of several types, or lists.
            ColumnNotFoundError: a named column is not in the table.
        """
        if self.handle_unknown not in ("ignore", "error"):
            raise FitError(f"handle_unknown is {self.handle_unknown!r}.", fix="Use 'ignore' or 'error'.")
        alpha = float(pseudo_counts(self.alpha, "alpha"))
        data = fit_labeled_columns(self, X, y, sample_weight)
        tables = {str(i): ContingencyTable(name) for i, name in enumerate(data.names)}
        counts = data.fold(Together({"labels": CategoryCounts(), **tables})).result()
        labels = counts["labels"]
        require_complete(float(labels.missing), "the label")
        self.classes_, self.class_count_ = observed_classes(labels.values, least=1), labels.counts
        self.class_prior_ = class_probabilities(
            labels.counts, self.classes_, self.class_prior, learned=self.fit_prior, alpha=self.class_alpha
        )
        self._count([counts[name] for name in tables], data)
        smoothed = [count + alpha for count in self.category_count_]
        self.feature_log_prob_ = [_log_shares(count) for count in smoothed]
        return self

    def _count(self, tables: Sequence[ContingencyTableResult], data: Columns) -> None:
        """Bring the counts into the order of the classes and the categories."""
        found = [as_categories(table.rows, kind) for table, kind in zip(tables, data.types, strict=True)]
        self.categories_ = found if isinstance(self.categories, str) else given_categories(self.categories, data)
        self.category_count_ = []
        known = {label: k for k, label in enumerate(self.classes_.tolist())}
        for name, table, seen, categories in zip(data.names, tables, found, self.categories_, strict=True):
            batch = Batch(columns={name: pa.array(seen, from_pandas=True)})
            places = self._places(batch, name, categories)
            counts = np.zeros((len(self.classes_), len(categories)))
            rows = np.array([known[label] for label in table.columns], np.intp)
            kept = places >= 0
            counts[np.ix_(rows, places[kept])] = table.counts[kept].T
            self.category_count_.append(counts)

    def _places(self, batch: Batch, name: str, categories: NDArray[Any]) -> NDArray[np.intp]:
        """The position of each row's category, −1 for a missing one and for an unknown one if those are ignored."""
        found = positions(batch, name, categories)
        if self.handle_unknown == "error" and ((found < 0) & (batch.codes(name).codes >= 0)).any():
            raise unknown_categories(batch, name, categories)
        return found

    def _joint(self, batch: Batch) -> Floats:
        joint = np.tile(logs(self.class_prior_), (len(batch), 1))
        for name, categories, table in zip(feature_keys(self), self.categories_, self.feature_log_prob_, strict=True):
            silent = np.column_stack([table, np.zeros(len(table))])  # the last column is for −1
            joint += silent.T[self._places(batch, name, categories)]
        return joint

    def predict_joint_log_proba(self, X: Any) -> Floats:  # Any: array-likes and tables
        """log P(class, x), shape (rows, classes).

        Raises:
            sklearn.exceptions.NotFittedError: it is not fitted.
            ColumnNotFoundError: a table lacks a feature.
            DataError: a category is unknown, and unknown ones are errors.
        """
        check_is_fitted(self)
        if not is_table(X):
            return self._joint(array_columns(self, X))
        source = as_scannable(X)
        features = features_of(self, source.schema.names)
        parts = batches_of(source, Roles(columns=features)).parts()
        found = [self._renamed(part(), features) for part in parts]
        return np.concatenate(found) if found else np.empty((0, len(self.classes_)))

    def _renamed(self, batch: Batch, features: Sequence[str]) -> Floats:
        keys = feature_keys(self)
        return self._joint(Batch(columns={key: batch.column(name) for key, name in zip(keys, features, strict=True)}))


def _log_shares(counts: Floats) -> Floats:
    """The logarithm of each category's share; equal ones where a class has no counts."""
    totals = counts.sum(axis=1, keepdims=True)
    equal = np.full_like(counts, 1 / max(counts.shape[1], 1))
    return logs(np.divide(counts, totals, out=equal, where=totals > 0))
