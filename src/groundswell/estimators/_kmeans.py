"""k-means by Lloyd's algorithm over sums, seeded in a few passes."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import sklearn.cluster
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from sklearn.base import ClassNamePrefixFeaturesOutMixin, ClusterMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import threadpool_limits

from groundswell.errors import FitError
from groundswell.estimators._input import Input, fit_input, is_table, predict_parts
from groundswell.estimators._row_errors import no_rows, require_complete, require_finite
from groundswell.estimators._row_sample import RowSample
from groundswell.estimators._transform import TableTransformer, matrix
from groundswell.statistics import Batch, ClusterSums, Count, Moments, Together
from groundswell.statistics._nearest_centers import NearestCenters

AT_REST = 1e-24
"""Centers that move by less of the variance (squared) have kept their rows: what is left is rounding, about 1e-30. One
row of a hundred thousand million that changes its center moves it by more."""


@dataclass(frozen=True, kw_only=True)
class Clusters:
    """Centers, shape (clusters, features), and the passes that moving them took."""

    centers: NDArray[np.float64]
    n_iter: int


def cluster(data: Input, n_clusters: int, max_iter: int, tol: float, n_rounds: int, seed: int) -> Clusters:
    """Seed by k-means||, then move the centers. The arguments are those of `KMeans`.

    Raises:
        FitError: there are fewer rows than clusters, or a missing value.
    """
    first = data.fold(Together({"moments": Moments(), "sample": RowSample(2 * n_clusters, seed)})).result()
    moments = first["moments"]
    if not moments.weight.any():
        raise no_rows()
    require_complete(float(moments.missing.max()), "X")
    require_finite(moments.mean, moments.variance())
    centers = _seeds(data, n_clusters, n_rounds, seed, moments.mean, first["sample"])
    tolerance, n_iter = max(tol, AT_REST) * float(moments.variance().mean()), 0
    while n_iter < max_iter:
        n_iter += 1
        step = data.fold(ClusterSums(centers)).result()
        moved, centers = float(np.square(step.mean - centers).sum()), step.mean
        if moved <= tolerance:
            break
    return Clusters(centers=centers, n_iter=n_iter)


def _seeds(
    data: Input,
    n_clusters: int,
    n_rounds: int,
    seed: int,
    mean: NDArray[np.float64],
    candidates: NDArray[np.float64],
) -> NDArray[np.float64]:
    for i in range(1, n_rounds):
        sample = data.fold(RowSample(2 * n_clusters, seed + i, candidates)).result()
        if not sample.size:
            break
        candidates = np.unique(np.vstack([candidates, sample]), axis=0)
    rows = n_clusters if len(candidates) >= n_clusters else data.fold(Count()).result().rows
    if rows < n_clusters:
        raise FitError(
            f"{n_clusters} clusters cannot be made of {rows} rows (n_samples={rows}).",
            why="Each center needs a row.",
            fix=f"Set n_clusters to {rows} or fewer.",
        )
    if len(candidates) <= n_clusters:  # there may be fewer different rows than clusters: centers coincide
        return np.resize(candidates, (n_clusters, candidates.shape[1]))
    weight = data.fold(ClusterSums(candidates)).result().weight
    few = sklearn.cluster.KMeans(n_clusters, n_init=5, random_state=seed % 2**31)
    with threadpool_limits(limits=1, user_api="openmp"):  # for so few rows threads wait longer than they work
        few.fit(candidates - mean, sample_weight=weight)
    return np.asarray(few.cluster_centers_ + mean)


class KMeans(ClassNamePrefixFeaturesOutMixin, ClusterMixin, TableTransformer):  # type: ignore[misc]
    """k-means clustering: centers that minimize the sum of squared distances (the inertia) of rows to the nearest.

    Seeds come from k-means||: the first pass samples rows, a few more sample in proportion to the squared distance from
    the seeds so far, and the candidates, weighted by the rows nearest to them, are clustered in memory. Then each
    iteration is one pass. Samples are drawn by a hash of the rows, so the result does not depend on how the rows are
    partitioned. `transform` gives the distances to the centers, shape (rows, clusters).

    Args:
        n_clusters: how many centers.
        max_iter: at most so many passes after seeding.
        tol: stop when centers move less than this share of the mean variance of the features (squared).
        n_rounds: passes that sample seeds, twice as many as clusters each.
        random_state: seed or generator of the lots.

    Attributes:
        cluster_centers_: shape (clusters, features). inertia_: at these centers. n_iter_: passes after seeding.
        labels_: the nearest center of each row, shape (rows,); not for tables, for which `predict` gives them.

    References:
        Lloyd, Least squares quantization in PCM, 1982. Bahmani et al., Scalable k-means++, VLDB 2012.

    >>> model = KMeans(2, random_state=0).fit(np.array([[0.0], [1.0], [10.0], [11.0]]))
    >>> sorted(model.cluster_centers_.ravel().tolist())
    [0.5, 10.5]
    """

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        max_iter: int = 300,
        tol: float = 1e-4,
        n_rounds: int = 2,
        random_state: Any = None,  # Any: an int, a generator of NumPy or None
    ) -> None:
        self.n_clusters, self.max_iter, self.tol = n_clusters, max_iter, tol
        self.n_rounds, self.random_state = n_rounds, random_state

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:  # Any: array-likes and tables
        """Learn the centers.

        Args:
            X: shape (rows, features), or a table.
            y: not used; with a table the name of a column that is no feature.
            sample_weight: shape (rows,); with a table the name of its column of weights.

        Raises:
            FitError: there are fewer rows than clusters, or a missing value.
            ColumnNotFoundError, TypeMismatchError: a column is not there, or holds no numbers.
        """
        given = fit_input(self, X, y, sample_weight)
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        with given.cached(row_major=True) as data:
            found = cluster(data, self.n_clusters, self.max_iter, self.tol, self.n_rounds, seed)
            self.inertia_ = data.fold(ClusterSums(found.centers)).result().inertia
        self.cluster_centers_, self.n_iter_ = found.centers, found.n_iter
        if not is_table(X):
            self.labels_ = self.predict(X)
        return self

    def predict(self, X: Any) -> NDArray[np.int32]:  # Any: array-likes and tables
        """The number of the nearest center of each row, shape (rows,).

        Raises:
            sklearn.exceptions.NotFittedError: it is not fitted.
            ColumnNotFoundError: a table lacks a feature.
        """
        check_is_fitted(self)
        centers = NearestCenters(self.cluster_centers_)
        return predict_parts(self, X, lambda batch: centers.labels(batch.matrix))

    def _transform_batch(self, batch: Batch) -> NDArray[np.float64]:
        return np.asarray(cdist(matrix(batch), self.cluster_centers_))

    def score(self, X: Any, y: Any = None) -> float:  # Any: array-likes and tables
        """The negative inertia of these rows."""
        check_is_fitted(self)
        centers = NearestCenters(self.cluster_centers_)
        return -float(predict_parts(self, X, lambda batch: centers.squares(batch.matrix)).sum())

    @property
    def _n_features_out(self) -> int:
        return len(self.cluster_centers_)
