"""Principal components from one pass: the eigenvectors of a covariance matrix."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassNamePrefixFeaturesOutMixin

from groundswell.errors import FitError
from groundswell.estimators._input import fit_input
from groundswell.estimators._memory import require_memory_for_pairs
from groundswell.estimators._row_errors import require_finite
from groundswell.estimators._transform import TableTransformer
from groundswell.statistics import Batch, Gram


class PCA(ClassNamePrefixFeaturesOutMixin, TableTransformer):  # type: ignore[misc]  # sklearn is untyped
    """Principal component analysis by the eigendecomposition of the covariance matrix.

    One pass sums the centered Gram matrix, p × p for p features, whatever the number of rows. Singular values below
    1e-8 of the largest are not resolved, as the covariance squares them.

    Args:
        n_components: how many components; None keeps min(rows, features).
        whiten: whether to scale the components to unit variance.

    Attributes:
        components_: the axes, shape (components, features), each with its largest entry positive.
        explained_variance_, explained_variance_ratio_, singular_values_: shape (components,).
        mean_: shape (features,).
        noise_variance_: the mean variance of what is left out.
        n_components_, n_samples_: numbers.

    References:
        Pearson, On lines and planes of closest fit, 1901. Tipping and Bishop, Probabilistic principal component
        analysis, 1999 (noise variance).

    >>> line = np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]])
    >>> PCA(n_components=1).fit(line).explained_variance_ratio_.round(12).tolist()
    [1.0]
    """

    def __init__(self, n_components: int | None = None, *, whiten: bool = False) -> None:
        self.n_components, self.whiten = n_components, whiten

    def fit(self, X: Any, y: Any = None) -> Self:  # Any: array-likes and tables
        """Learn the components.

        Args:
            X: shape (rows, features), or a table.
            y: not used; with a table the name of a column that is no feature.

        Raises:
            FitError: there are fewer than two rows, or fewer rows or features than components, or a missing value.
            ColumnNotFoundError, TypeMismatchError: a column is not there, or holds no numbers.
        """
        data = fit_input(self, X, y)
        require_memory_for_pairs(data.n_features, "Use sklearn.decomposition.TruncatedSVD on rows in memory")
        gram = data.fold(Gram()).result()
        require_finite(gram.mean)
        rows, features = int(gram.weight), data.n_features
        most = min(rows, features)
        wanted = most if self.n_components is None else self.n_components
        if rows < 2 or not 1 <= wanted <= most:
            raise FitError(
                f"{wanted} components of {features} features cannot be learned from {rows} rows (n_samples={rows}).",
                why="There are at most as many as rows and as features, and a variance needs two rows.",
                fix=f"Ask for 1 to {most} components." if rows > 1 else "Give more rows.",
            )
        variances, axes = np.linalg.eigh(gram.covariance())
        variances, axes = np.maximum(variances[::-1], 0.0), axes[:, ::-1].T
        largest = np.take_along_axis(axes, np.abs(axes).argmax(axis=1)[:, None], axis=1)
        self.components_ = (axes * np.sign(largest))[:wanted]
        self.mean_, self.n_components_, self.n_samples_ = gram.mean, wanted, rows
        self.explained_variance_ = variances[:wanted]
        total = variances.sum()
        self.explained_variance_ratio_ = self.explained_variance_ / total if total > 0 else np.zeros(wanted)
        self.singular_values_ = np.sqrt(self.explained_variance_ * (rows - 1))
        self.noise_variance_ = float(variances[wanted:most].mean()) if wanted < most else 0.0
        return self

    def _transform_batch(self, batch: Batch) -> NDArray[np.float64]:
        axes, found = self._axes.T, []
        for block in Batch(X=batch.X).blocks():  # that stay in the cache as float64
            around = block.shifted
            found.append(around.matrix @ axes + (around.pilot - self.mean_) @ axes)
        return np.concatenate(found) if found else np.empty((0, axes.shape[1]))

    def inverse_transform(self, Z: Any) -> Any:  # Any: array-likes
        """Rows from their components, shape (rows, features): the nearest points of the plane of the components."""
        scale = np.sqrt(self.explained_variance_)[:, None] if self.whiten else 1.0
        return np.asarray(Z) @ (self.components_ * scale) + self.mean_

    @property
    def _axes(self) -> Any:  # Any: an array
        if not self.whiten:
            return self.components_
        scale = np.sqrt(self.explained_variance_)
        return self.components_ / np.where(scale > 0, scale, 1.0)[:, None]

    @property
    def _n_features_out(self) -> int:
        return self.n_components_
