"""Categories as whole numbers, and back: known as string indexing in Spark."""

from collections.abc import Sequence
from typing import Any, Literal, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sklearn.base import OneToOneFeatureMixin
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted

from groundswell.engines import as_scannable
from groundswell.errors import DataError, FitError
from groundswell.estimators._categories import (
    Counted,
    infrequent,
    learned_categories,
    positions,
    unknown_categories,
)
from groundswell.estimators._category_encoder import CategoryEncoder
from groundswell.estimators._columns import array_columns, feature_keys, fit_columns
from groundswell.estimators._input import features_of, is_table
from groundswell.estimators._one_hot_encoder import INFREQUENT
from groundswell.estimators._transform import Transformed, matrix
from groundswell.statistics import Batch


class OrdinalEncoder(OneToOneFeatureMixin, CategoryEncoder):  # type: ignore[misc]  # sklearn is untyped
    """Each category as a number: 0, 1, … in ascending order or in that of frequency. Known as StringIndexer in Spark.

    Args:
        categories: "auto" takes those that occur; else one list for each feature, whose order counts.
        order: of the categories that occur: "ascending", or "frequency" (the most frequent is 0; of equals the
            smaller value comes first).
        handle_unknown: what a category that the fit did not see becomes: "error" or "use_encoded_value".
        unknown_value: that value, if it is used.
        encoded_missing_value: what a missing value becomes.
        min_frequency: categories with a smaller count (an integer) or share (a float) get one number, the last.
        max_categories: how many numbers a feature may have, that of the infrequent included.

    Attributes:
        categories_: for each feature its categories by their number, a missing value last.
        infrequent_categories_: for each feature the infrequent ones, or None.
        n_features_in_, feature_names_in_: what it was fitted on.

    >>> encoder = OrdinalEncoder(order="frequency")
    >>> encoder.fit_transform(np.array([["AA"], ["UA"], ["UA"]], dtype=object)).ravel().tolist()
    [1.0, 0.0, 0.0]
    >>> encoder.inverse_transform([[1.0]]).tolist()
    [['AA']]
    """

    def __init__(
        self,
        *,
        categories: Literal["auto"] | Sequence[Any] = "auto",  # Any: array-likes of categories
        order: Literal["ascending", "frequency"] = "ascending",
        handle_unknown: Literal["error", "use_encoded_value"] = "error",
        unknown_value: float | None = None,
        encoded_missing_value: float = np.nan,
        min_frequency: float | None = None,
        max_categories: int | None = None,
    ) -> None:
        self.categories, self.order = categories, order
        self.handle_unknown, self.unknown_value = handle_unknown, unknown_value
        self.encoded_missing_value = encoded_missing_value
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
        if self.order == "frequency" and isinstance(self.categories, str):
            counted = [_by_frequency(one) for one in counted]
        self._set_categories(counted, [self._infrequent(one) for one in counted])
        return self

    def _infrequent(self, counted: Counted) -> NDArray[np.bool_]:
        """Which categories share the last number; a missing value never does."""
        gap = _has_gap(counted.categories)
        rare = infrequent(counted.counts[: len(counted.counts) - gap], self.min_frequency, self.max_categories)
        return np.append(rare, np.zeros(gap, bool))

    def _check_settings(self) -> None:
        if self.handle_unknown not in ("error", "use_encoded_value") or self.order not in ("ascending", "frequency"):
            raise FitError(
                f"handle_unknown is {self.handle_unknown!r} and order is {self.order!r}.",
                fix="handle_unknown is 'error' or 'use_encoded_value'; order is 'ascending' or 'frequency'.",
            )
        if (self.unknown_value is None) == (self.handle_unknown == "use_encoded_value"):
            raise FitError(
                f"handle_unknown is {self.handle_unknown!r} and unknown_value is {self.unknown_value!r}.",
                why="An unknown category becomes that value if it is to be encoded, and only then.",
                fix="Use handle_unknown='use_encoded_value', unknown_value=-1, for example.",
            )

    def _transform_batch(self, batch: Batch) -> NDArray[np.float64]:
        found = np.empty((len(batch), len(self.categories_)), order="F")
        for i, name in enumerate(feature_keys(self)):
            at = positions(batch, name, self.categories_[i])
            if self.handle_unknown == "error" and (at < 0).any():
                raise unknown_categories(batch, name, self.categories_[i])
            unknown = np.nan if self.unknown_value is None else self.unknown_value
            found[:, i] = np.append(self._numbers(i), unknown)[at]
        return found

    def _numbers(self, i: int) -> NDArray[np.float64]:
        """The number of each category."""
        numbers = self._groups[i].astype(np.float64)
        if _has_gap(self.categories_[i]):
            numbers[-1] = self.encoded_missing_value
        return numbers

    def _transform_array(self, X: Any) -> Any:  # Any: array-likes
        check_is_fitted(self)
        return self._transform_batch(array_columns(self, X))

    def inverse_transform(self, X: Any) -> Any:  # Any: array-likes and tables
        """The categories that the numbers stand for: an array of objects, or a table that is read lazily.

        The infrequent are "infrequent_sklearn", and an unknown value is None.

        Raises:
            sklearn.exceptions.NotFittedError: it is not fitted.
            DataError: a number stands for no category.
            ColumnNotFoundError: a table lacks a feature.
        """
        check_is_fitted(self)
        if not is_table(X):
            numbers = check_array(X, ensure_all_finite="allow-nan")
            if numbers.shape[1] != len(self.categories_):
                raise DataError(
                    f"X has {numbers.shape[1]} columns, and the encoder {len(self.categories_)} features.",
                    fix="Give what transform gave.",
                )
            return np.column_stack(self._labels_of(Batch(X=numbers)))
        source, names = as_scannable(X), feature_keys(self)
        types = [pa.array(self._labels(i), from_pandas=True).type for i in range(len(names))]

        def back(batch: Batch) -> list[pa.Array]:
            return [pa.array(a, t, from_pandas=True) for a, t in zip(self._labels_of(batch), types, strict=True)]

        return Transformed(source, features_of(self, source.schema.names), names, back, types=types)

    def _labels_of(self, batch: Batch) -> list[NDArray[Any]]:
        """The categories of each feature, as objects."""
        return [self._labels_of_column(column, i) for i, column in enumerate(matrix(batch).T)]

    def _labels_of_column(self, column: NDArray[np.float64], i: int) -> NDArray[Any]:
        labels, numbers = self._labels(i), self._numbers(i)
        found = np.full(len(column), None, dtype=object)
        done = np.zeros(len(column), bool)
        for label, number in zip(labels, numbers.tolist(), strict=True):
            here = np.isnan(column) if number != number else column == number
            found[here], done[here] = label, True
        if self.unknown_value is not None:
            done |= np.isnan(column) if self.unknown_value != self.unknown_value else column == self.unknown_value
        if not done.all():
            raise DataError(
                f"{column[~done][0]:g} stands for no category of feature {feature_keys(self)[i]!r}.",
                why=f"Its {len(labels)} categories are numbered from 0.",
                fix="Give what transform gave.",
            )
        return found

    def _labels(self, i: int) -> NDArray[Any]:
        """What the number of each category stands for."""
        labels = np.empty(len(self.categories_[i]), dtype=object)
        labels[:] = self.categories_[i].tolist()
        rare = self.infrequent_categories_[i]
        if rare is not None:
            labels[np.isin(self.categories_[i], rare)] = INFREQUENT
        return labels


def _by_frequency(counted: Counted) -> Counted:
    """The most frequent first, a missing value last."""
    n = len(counted.counts) - _has_gap(counted.categories)
    order = np.append(np.argsort(-counted.counts[:n], kind="stable"), np.arange(n, len(counted.counts)))
    return Counted(categories=counted.categories[order], counts=counted.counts[order])


def _has_gap(categories: NDArray[Any]) -> int:
    """1 if the last of the categories is that of missing values, else 0."""
    last = categories.tolist()[-1:]
    return int(bool(last) and (last[0] is None or last[0] != last[0]))
