"""Columns hashed into a fixed number of features: nothing to learn, whatever the categories."""

from typing import Any, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import sparse
from sklearn.utils import Tags, murmurhash3_32
from sklearn.utils.validation import check_is_fitted

from groundswell.errors import FitError
from groundswell.estimators._columns import array_columns, arrow_column, feature_keys, fit_columns
from groundswell.estimators._transform import TableTransformer
from groundswell.statistics import Batch, numbers
from groundswell.types import is_numeric


class FeatureHasher(TableTransformer):
    """Each column at the position that a hash gives: a number with its value at that of the column's name, any other
    value as 1 at that of "name=value". Known as the hashing trick.

    The hash is MurmurHash3 (32 bits, seed 0) of the text in UTF-8: the position is its absolute value modulo
    `n_features`, its sign that of the hash; as in scikit-learn, whose FeatureHasher takes dictionaries, and on any
    machine. Texts may share a position. A missing value has none. Booleans are categories.

    Args:
        n_features: how many positions there are.
        alternate_sign: whether half of the texts count negatively, so that those that share a position cancel.

    Attributes:
        n_features_in_, feature_names_in_: what it was fitted on.

    References:
        Weinberger, Dasgupta, Langford, Smola, Attenberg: Feature hashing for large scale multitask learning, ICML 2009.

    >>> flights = pa.table({"carrier": ["UA", "AA"], "delay": [3.0, 4.0]})
    >>> hashed = FeatureHasher(n_features=8).fit_transform(flights)
    >>> len(hashed.schema), hashed.rows
    (8, 2)
    """

    _any_type = True

    def __init__(self, n_features: int = 2**10, *, alternate_sign: bool = True) -> None:
        self.n_features, self.alternate_sign = n_features, alternate_sign

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.categorical = True
        tags.input_tags.allow_nan = True
        return tags

    def fit(self, X: Any, y: Any = None) -> Self:  # Any: array-likes and tables
        """Learn the names of the columns, and nothing else.

        Args:
            X: columns of any type but lists: shape (rows, features), a data frame, or a table.
            y: not used; with a table the name of a column that is no feature.

        Raises:
            FitError: `n_features` is less than one.
            TypeMismatchError: a column has values of several types, or lists.
            ColumnNotFoundError: y is not in the table.
        """
        if self.n_features < 1:
            raise FitError(f"n_features is {self.n_features}.", fix="Use a power of two such as 1024.")
        fit_columns(self, X, y)
        return self

    def _transform_batch(self, batch: Batch) -> Any:  # Any: a sparse matrix
        rows, places, values = [], [], []
        for name in feature_keys(self):
            some, where, what = self._hashed(batch, name)
            rows.append(some)
            places.append(where)
            values.append(what)
        triple = (np.concatenate(values), (np.concatenate(rows), np.concatenate(places)))
        return sparse.coo_matrix(triple, shape=(len(batch), self.n_features)).tocsr()

    def _hashed(self, batch: Batch, name: str) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.float64]]:
        """Rows, positions and values of one column; missing values and zeros are none."""
        column = arrow_column(batch, name)
        if is_numeric(column.type) and not pa.types.is_boolean(column.type):
            place, sign = self._place(name)
            values = sign * numbers(column).astype(np.float64)
            rows = np.flatnonzero(~np.isnan(values) & (values != 0))
            return rows, np.full(len(rows), place), values[rows]
        encoded = batch.codes(name)
        rows = np.flatnonzero(encoded.codes >= 0)
        found = [self._place(f"{name}={value}") for value in encoded.values.to_pylist()]
        table = np.array(found, np.int64).reshape(-1, 2)[encoded.codes[rows]]
        return rows, table[:, 0], table[:, 1].astype(np.float64)

    def _place(self, text: str) -> tuple[int, int]:
        """The position and the sign of a text."""
        code = murmurhash3_32(text.encode(), seed=0)
        return abs(code) % self.n_features, 1 if code >= 0 or not self.alternate_sign else -1

    def _transform_array(self, X: Any) -> Any:  # Any: array-likes
        check_is_fitted(self)
        return self._transform_batch(array_columns(self, X))

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:  # Any: not used
        """The positions after the name of the class."""
        return np.asarray([f"featurehasher{i}" for i in range(self.n_features)], dtype=object)
