"""One-hot encoding from counts by category, which merge."""

from collections.abc import Sequence
from typing import Any, Literal, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import sparse
from sklearn.utils.validation import check_is_fitted

from groundswell.errors import DataError, FitError
from groundswell.estimators._categories import (
    infrequent,
    learned_categories,
    positions,
    unknown_categories,
)
from groundswell.estimators._category_encoder import CategoryEncoder
from groundswell.estimators._columns import array_columns, feature_keys, fit_columns, input_names
from groundswell.statistics import Batch

INFREQUENT = "infrequent_sklearn"
"""The name of the column for infrequent categories: that of scikit-learn, so that names of features agree."""


class OneHotEncoder(CategoryEncoder):
    """A column of zeros and ones for each category of each feature. Also known as dummy coding, one-of-K.

    One pass counts the categories, whatever parts of the table they occur in. A missing value is a category of its own.
    From a table the columns are made as they are read, and go on as a sparse matrix to an estimator that follows.

    Args:
        categories: "auto" takes those that occur; else one list for each feature.
        drop: leaves out one column of each feature, so that the others are not collinear with an intercept: "first",
            "last" (as Spark's dropLast), "if_binary" (the first, of features with two categories), or one category for
            each feature.
        sparse_output: whether an array becomes a sparse matrix.
        handle_unknown: what a category that the fit did not see becomes: "error", "ignore" (all zeros), or
            "infrequent_if_exist" (the infrequent one, or zeros if there is none).
        min_frequency: categories with a smaller count (an integer) or share (a float) become one, the infrequent.
        max_categories: how many columns a feature may have, the one of the infrequent included.

    Attributes:
        categories_: for each feature its categories in ascending order, a missing value last.
        drop_idx_: for each feature the position of the category without a column, or None; None if none is dropped.
        infrequent_categories_: for each feature the infrequent ones, or None.
        n_features_in_, feature_names_in_: what it was fitted on.

    >>> encoder = OneHotEncoder(drop="first", sparse_output=False)
    >>> encoder.fit_transform(np.array([["UA"], ["AA"], ["DL"]], dtype=object)).tolist()
    [[0.0, 1.0], [0.0, 0.0], [1.0, 0.0]]
    >>> encoder.get_feature_names_out(["carrier"]).tolist()
    ['carrier_DL', 'carrier_UA']
    """

    def __init__(
        self,
        *,
        categories: Literal["auto"] | Sequence[Any] = "auto",  # Any: array-likes of categories
        drop: Any = None,  # Any: a policy, or an array-like of categories
        sparse_output: bool = True,
        handle_unknown: Literal["error", "ignore", "infrequent_if_exist"] = "error",
        min_frequency: float | None = None,
        max_categories: int | None = None,
    ) -> None:
        self.categories, self.drop = categories, drop
        self.sparse_output, self.handle_unknown = sparse_output, handle_unknown
        self.min_frequency, self.max_categories = min_frequency, max_categories

    def fit(self, X: Any, y: Any = None) -> Self:  # Any: array-likes and tables
        """Learn the categories.

        Args:
            X: columns of any type but lists: shape (rows, features), a data frame, or a table.
            y: not used; with a table the name of a column that is no feature.

        Raises:
            FitError: a setting is none, or there are no rows.
            DataError: a value is not among the categories given, and unknown ones are errors.
            TypeMismatchError: a column has values of several types, or lists.
            ColumnNotFoundError: y is not in the table.
        """
        self._check_settings()
        data = fit_columns(self, X, y)
        counted = learned_categories(data, self.categories, all_known=self.handle_unknown == "error")
        rare = [infrequent(one.counts, self.min_frequency, self.max_categories) for one in counted]
        self._set_categories(counted, rare)
        self.drop_idx_ = self._dropped(data.names)
        return self

    def _check_settings(self) -> None:
        policies = ("error", "ignore", "infrequent_if_exist")
        if self.handle_unknown not in policies:
            raise FitError(
                f"handle_unknown is {self.handle_unknown!r}.", fix=f"Use one of {', '.join(map(repr, policies))}."
            )
        if isinstance(self.drop, str) and self.drop not in ("first", "last", "if_binary"):
            raise FitError(
                f"drop is {self.drop!r}.",
                fix="Use 'first', 'last', 'if_binary', None, or one category for each feature.",
            )

    def _dropped(self, names: Sequence[str]) -> NDArray[Any] | None:
        """For each feature the category whose group has no column."""
        if self.drop is None:
            return None
        if not isinstance(self.drop, str) and len(self.drop) != len(names):
            raise FitError(
                f"drop names {len(self.drop)} categories, and X has {len(names)} features.",
                fix="Name one category for each feature, in their order.",
            )
        found = [self._dropped_of(i, name) for i, name in enumerate(names)]
        array = np.empty(len(found), dtype=object)
        array[:] = found
        return array

    def _dropped_of(self, i: int, name: str) -> int | None:
        groups = self._groups[i]
        n_groups = int(groups.max()) + 1
        if isinstance(self.drop, str):
            if self.drop == "if_binary" and n_groups != 2:
                return None
            wanted = n_groups - 1 if self.drop == "last" else 0
            return int(np.flatnonzero(groups == wanted)[0])
        category = self.drop[i]
        values = pa.array([category], from_pandas=True)
        position = int(positions(Batch(columns={name: values}), name, self.categories_[i])[0])
        if position < 0:
            raise FitError(
                f"drop names {category!r} for {name!r}, which is none of its categories "
                f"{self.categories_[i].tolist()[:10]}.",
                fix="Name one of them.",
            )
        return position

    @property
    def _widths(self) -> list[int]:
        """How many columns each feature has."""
        return [int(columns.max(initial=-1)) + 1 for columns in map(self._columns_of, range(len(self.categories_)))]

    def _columns_of(self, i: int) -> NDArray[np.intp]:
        """For each category of a feature its column among those of the feature, −1 for none."""
        groups = self._groups[i]
        dropped = None if self.drop_idx_ is None else self.drop_idx_[i]
        if dropped is None:
            return groups
        gone = groups[dropped]
        return np.where(groups == gone, -1, groups - (groups > gone))

    def _transform_batch(self, batch: Batch) -> Any:  # Any: a sparse or a dense matrix
        widths = self._widths
        starts = np.cumsum([0, *widths])
        found = np.empty((len(batch), len(widths)), np.intp)
        for i, name in enumerate(feature_keys(self)):
            chosen = self._chosen(batch, name, i)
            found[:, i] = np.where(chosen >= 0, chosen + starts[i], -1)
        present = found >= 0
        ends = np.append(0, np.cumsum(present.sum(axis=1)))
        ones = np.ones(int(ends[-1]))
        return sparse.csr_matrix((ones, found[present], ends), shape=(len(batch), int(starts[-1])))

    def _chosen(self, batch: Batch, name: str, i: int) -> NDArray[np.intp]:
        """The column of each row among those of one feature, −1 for none."""
        found = positions(batch, name, self.categories_[i])
        columns = self._columns_of(i)
        if (found < 0).any() and self.handle_unknown == "error":
            raise unknown_categories(batch, name, self.categories_[i])
        rare, other = self.infrequent_categories_[i], -1
        if rare is not None and self.handle_unknown == "infrequent_if_exist":
            other = int(columns[np.flatnonzero(self._groups[i] == self._groups[i].max())[0]])
        return np.append(columns, other)[found]

    def _transform_array(self, X: Any) -> Any:  # Any: array-likes
        check_is_fitted(self)
        made = self._transform_batch(array_columns(self, X))
        return made if self.sparse_output else made.toarray()

    def inverse_transform(self, X: Any) -> NDArray[Any]:  # Any: an array or a sparse matrix
        """The categories that rows of zeros and ones stand for, shape (rows, features), as objects.

        The infrequent are "infrequent_sklearn"; a row of zeros is the dropped category, or None.

        Raises:
            sklearn.exceptions.NotFittedError: it is not fitted.
            DataError: X has another number of columns than `transform` gives.
        """
        check_is_fitted(self)
        values, widths = sparse.csr_matrix(X), self._widths
        if values.shape[1] != sum(widths):
            raise DataError(
                f"X has {values.shape[1]} columns.",
                why=f"The {len(widths)} features have {sum(widths)} columns together.",
                fix="Give what transform gave.",
            )
        starts = np.cumsum([0, *widths])
        found = np.empty((values.shape[0], len(widths)), dtype=object)
        for i, start in enumerate(starts[:-1].tolist()):
            part = values[:, start : start + widths[i]].toarray()
            names = np.append(self._labels(i), self._label_of_zeros(i))
            chosen = np.where(part.any(axis=1), part.argmax(axis=1), len(names) - 1) if widths[i] else -1
            found[:, i] = names[chosen]
        return found

    def _labels(self, i: int) -> NDArray[Any]:
        """What each column of a feature stands for."""
        columns, groups = self._columns_of(i), self._groups[i]
        labels = np.empty(int(columns.max(initial=-1)) + 1, dtype=object)
        rare = None if self.infrequent_categories_[i] is None else groups.max()
        for category, column, group in zip(self.categories_[i].tolist(), columns, groups, strict=True):
            if column >= 0:
                labels[column] = INFREQUENT if group == rare else category
        return labels

    def _label_of_zeros(self, i: int) -> NDArray[Any]:
        dropped = None if self.drop_idx_ is None else self.drop_idx_[i]
        label = np.empty(1, dtype=object)
        if dropped is not None:
            rare = self.infrequent_categories_[i] is not None and self._groups[i][dropped] == self._groups[i].max()
            label[0] = INFREQUENT if rare else self.categories_[i].tolist()[dropped]
        return label

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:  # Any: an array-like of names
        """The name of each column: the feature's, an underscore, the category.

        Raises:
            sklearn.exceptions.NotFittedError: it is not fitted.
            DataError: there are not as many names as features, or others than those of the fit.
        """
        check_is_fitted(self)
        names = input_names(self, input_features)
        return np.asarray(
            [f"{name}_{label}" for i, name in enumerate(names) for label in self._labels(i)], dtype=object
        )
