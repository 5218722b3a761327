"""Powers and products of features."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.preprocessing import PolynomialFeatures as _Peer
from sklearn.utils.validation import check_is_fitted

from groundswell.errors import FitError
from groundswell.estimators._columns import input_names
from groundswell.estimators._input import fit_input
from groundswell.estimators._transform import TableTransformer
from groundswell.statistics import Batch
from groundswell.statistics._matrix import Floats


class PolynomialFeatures(TableTransformer):
    """All products of features up to a degree, in the order of scikit-learn. Known as expansion.

    p features of degree d become (p + d)! / (p! d!) columns: scale them before, and think before going beyond 2.

    Args:
        degree: of the products, 1 or more.
        interaction_only: whether products have each feature once at most.
        include_bias: whether a column of ones comes first.

    Attributes:
        powers_: the exponents of each feature in each column, shape (columns, features).
        n_features_in_, feature_names_in_: what it was fitted on.

    >>> PolynomialFeatures().fit_transform([[2.0, 3.0]]).tolist()
    [[1.0, 2.0, 3.0, 4.0, 6.0, 9.0]]
    """

    def __init__(self, degree: int = 2, *, interaction_only: bool = False, include_bias: bool = True) -> None:
        self.degree, self.interaction_only, self.include_bias = degree, interaction_only, include_bias

    def fit(self, X: Any, y: Any = None) -> Self:  # Any: array-likes and tables
        """Learn how many features there are, and their names; arguments as for `StandardScaler.fit`.

        Raises:
            FitError: the degree is less than one.
            ColumnNotFoundError, TypeMismatchError: a column is not there, or holds no numbers.
        """
        if self.degree < 1:
            raise FitError(f"The degree is {self.degree}.", fix="Use 2, for example.")
        n_features = fit_input(self, X, y).n_features
        self._peer = _Peer(self.degree, interaction_only=self.interaction_only, include_bias=self.include_bias)
        self._peer.fit(np.zeros((1, n_features)))
        self._factors = _factors(self.powers_)
        return self

    @property
    def powers_(self) -> NDArray[np.int64]:
        """The exponents of each feature in each column, shape (columns, features)."""
        return np.asarray(self._peer.powers_)

    def _transform_batch(self, batch: Batch) -> Floats:
        x = batch.matrix
        made = np.empty((len(x), len(self._factors)), order="F")
        for column, (other, feature) in enumerate(self._factors):
            if feature is None:
                made[:, column] = 1.0
            elif other is None:
                made[:, column] = x[:, feature]
            else:
                np.multiply(made[:, other], x[:, feature], out=made[:, column])
        return made

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:  # Any: an array-like of names
        """Products of the features' names, as scikit-learn writes them: "a^2", "a b".

        Raises:
            sklearn.exceptions.NotFittedError: it is not fitted.
            DataError: there are not as many names as features, or others than those of the fit.
        """
        check_is_fitted(self)
        return np.asarray(self._peer.get_feature_names_out(list(input_names(self, input_features))), dtype=object)


def _factors(powers: NDArray[np.int64]) -> list[tuple[int | None, int | None]]:
    """Each column as a product: of an earlier column (None: of one) and of a feature (None: one itself)."""
    rows = [tuple(row) for row in powers.tolist()]
    known = {row: column for column, row in enumerate(rows) if any(row)}
    found: list[tuple[int | None, int | None]] = []
    for row in rows:
        features = [feature for feature, power in enumerate(row) if power]
        last = features[-1] if features else None
        others = tuple(power - (feature == last) for feature, power in enumerate(row))
        found.append((known.get(others), last))
    return found
