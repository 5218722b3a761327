"""`ClusterSums`: the step of k-means: assign each row to its nearest center, and sum what each center was given."""

from dataclasses import dataclass, field

import numpy as np

from groundswell.errors import DataError
from groundswell.statistics._batch import Batch
from groundswell.statistics._matrix import Floats
from groundswell.statistics._nearest_centers import NearestCenters, Totals
from groundswell.statistics._statistic import require_equal, require_same_width

__all__ = ["ClusterSums", "ClusterSumsResult"]


@dataclass(frozen=True, kw_only=True)
class ClusterSumsResult:
    """What K centers in p dimensions were given.

    Attributes:
        weight: Σ w of each center's rows, shape (K,).
        mean: of each center's rows, shape (K, p); the old center where it has none.
        inertia: Σ w ‖x − c‖², the distances to the centers that were given.
        dropped: Σ w of the rows left out because a value was missing.
    """

    weight: Floats
    mean: Floats
    inertia: float
    dropped: float


@dataclass
class ClusterSums:
    """One step of Lloyd's algorithm for given centers, Euclidean distances.

    Assignments are those of float64, and a tie goes to the first center, however the rows are cut. Sums are taken
    around the centers, so far offsets cost no digits.

    Missing values: a row with NaN is left out, and its weight counted.

    Args:
        centers: shape (K, p).

    Raises:
        DataError: there are no centers, or they are no matrix.

    References:
        Lloyd: Least squares quantization in PCM, IEEE Transactions on Information Theory 28 (1982).

    >>> sums = ClusterSums([[0.0], [10.0]])
    >>> sums.update(Batch(X=np.array([[1.0], [2.0], [9.0]])))
    >>> result = sums.result()
    >>> result.mean.tolist(), result.inertia
    ([[1.5], [9.0]], 6.0)
    """

    centers: Floats
    weight: Floats = field(init=False)
    sums: Floats = field(init=False)
    inertia: float = field(init=False, default=0.0)
    dropped: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self.centers = np.array(self.centers, np.float64)
        if self.centers.ndim != 2 or not len(self.centers):
            raise DataError(
                f"Centers of the shape {self.centers.shape} are none.",
                why="Each row is assigned to the nearest of at least one center.",
                fix="Give an array of the shape (clusters, features).",
            )
        self.weight, self.sums = np.zeros(len(self.centers)), np.zeros_like(self.centers)

    def zero(self) -> "ClusterSums":
        """The same centers, no rows."""
        return ClusterSums(self.centers)

    def update(self, batch: Batch) -> None:
        """Assign the rows.

        Raises:
            DataError: the batch has no X, or another number of columns than the centers.
        """
        prepared = NearestCenters(self.centers)
        plain = isinstance(batch.X, np.ndarray) and batch.weights is None  # the pieces below are blocks enough
        for block in (batch,) if plain else batch.blocks():
            require_same_width(self.centers.shape[1], block.n_features)
            totals = Totals.of(self.centers)
            prepared.add(block.matrix, block.weights, totals)
            self.weight, self.sums = self.weight + totals.weight, self.sums + totals.sums
            self.inertia += float(totals.squares.sum())
            self.dropped += float(totals.dropped[0])

    def merge(self, other: "ClusterSums") -> None:
        """Add the sums.

        Raises:
            DataError: the other has other centers.
        """
        require_equal(self, other, "centers")
        self.weight, self.sums = self.weight + other.weight, self.sums + other.sums
        self.inertia, self.dropped = self.inertia + other.inertia, self.dropped + other.dropped

    def result(self) -> ClusterSumsResult:
        """The sums, as means."""
        weight = self.weight[:, None]
        step = np.divide(self.sums, weight, out=np.zeros_like(self.sums), where=weight > 0)
        return ClusterSumsResult(
            weight=self.weight.copy(), mean=self.centers + step, inertia=self.inertia, dropped=self.dropped
        )
