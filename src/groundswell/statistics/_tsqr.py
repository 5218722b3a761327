"""`TSQR`: the triangular factor of [X y], for least squares on ill-conditioned data."""

from dataclasses import dataclass, field

import numpy as np

from groundswell.statistics._batch import Batch
from groundswell.statistics._matrix import Floats
from groundswell.statistics._shifted import pilot_of
from groundswell.statistics._statistic import require_same_width

__all__ = ["TSQR", "TSQRResult"]


@dataclass(frozen=True, kw_only=True)
class TSQRResult:
    """The QR decomposition of centered data, without Q: QR = √w (X − x_mean).

    Attributes:
        weight: Σ w of the rows.
        dropped: Σ w of the rows left out because a value was missing in X or y.
        x_mean: shape (p,).
        y_mean: shape (k,).
        R: upper triangular with a diagonal that is not negative, shape (p, p).
        projection: Qᵀ √w (y − y_mean), shape (p, k).
        residual: Σ w of the squared residuals of each target, shape (k,).
    """

    weight: float
    dropped: float
    x_mean: Floats
    y_mean: Floats
    R: Floats
    projection: Floats
    residual: Floats

    @property
    def condition(self) -> float:
        """The condition number of the centered features, each scaled to length 1; infinite if they are dependent."""
        if not self.R.size:
            return 1.0
        lengths = np.linalg.norm(self.R, axis=0)
        values = np.linalg.svd(self.R / np.where(lengths > 0, lengths, 1.0), compute_uv=False)
        return float(values[0] / values[-1]) if values[-1] > 0 else float("inf")

    def solve(self) -> tuple[Floats, Floats]:
        """Least squares: coefficients, shape (p, k), and intercepts, shape (k,).

        Of dependent features (a condition number beyond 1/ε) the solution of smallest norm is taken.
        """
        independent = self.condition < 1 / np.finfo(np.float64).eps
        coefficients = np.asarray(
            np.linalg.solve(self.R, self.projection) if independent else np.linalg.lstsq(self.R, self.projection)[0],
            np.float64,
        )
        return coefficients, self.y_mean - self.x_mean @ coefficients


@dataclass
class TSQR:
    """A tall-and-skinny QR decomposition of [1, X, y] that keeps R only.

    Least squares by R loses digits with the condition number of X, by normal equations (`CrossProduct`) with its
    square: at 10⁸ those have no correct digit. It takes several times as long, so choose it by an estimate of the
    condition.

    Missing values: a row with NaN in X or y is left out, and its weight counted.

    References:
        Demmel, Grigori, Hoemmen, Langou: Communication-optimal parallel and sequential QR and LU factorizations, SIAM
        J. Sci. Comput. 34 (2012), section 4.

    >>> tsqr = TSQR()
    >>> tsqr.update(Batch(X=np.array([[1.0], [2.0], [3.0]]), y=np.array([3.0, 5.0, 7.0])))
    >>> [part.round(9).tolist() for part in tsqr.result().solve()]
    [[[2.0]], [1.0]]
    """

    n_features: int = field(init=False, default=0)
    weight: float = field(init=False, default=0.0)
    pilot: Floats = field(init=False, default_factory=lambda: np.zeros(0))
    factor: Floats = field(init=False, default_factory=lambda: np.zeros((0, 0)))
    dropped: float = field(init=False, default=0.0)

    def zero(self) -> "TSQR":
        """The decomposition of nothing."""
        return TSQR()

    def update(self, batch: Batch) -> None:
        """Take in the rows.

        Raises:
            DataError: the batch has no X or no y, or another number of columns than those before.
            TypeMismatchError: y holds no numbers.
        """
        for block in batch.blocks():
            if np.isnan(block.shifted.matrix.sum() + block.target.sum()):
                block, left_out = Batch(X=block.X, y=block.y, weights=block.weights).complete()
                self.dropped += left_out
            y_pilot = pilot_of(block.target)
            rows = np.hstack([block.shifted.design, block.target - y_pilot])
            if block.weights is not None:
                rows *= np.sqrt(block.weights)[:, None]
            weight = float(len(block) if block.weights is None else block.weights.sum())
            self._stack(block.n_features, weight, np.append(block.shifted.pilot, y_pilot), _triangle(rows))

    def merge(self, other: "TSQR") -> None:
        """Decompose both factors, one above the other.

        Raises:
            DataError: the other saw another number of features or targets.
        """
        if len(other.pilot):
            self._stack(other.n_features, other.weight, other.pilot, other.factor)
        self.dropped += other.dropped

    def _stack(self, n_features: int, weight: float, pilot: Floats, factor: Floats) -> None:
        """Take in a factor of [1, z − pilot]; one of [1, z − ours] has its first row times the difference added."""
        if not len(self.pilot):
            self.n_features, self.factor = n_features, np.zeros((len(pilot) + 1, len(pilot) + 1))
        require_same_width(self.n_features, n_features, "features")
        require_same_width(len(self.factor) - 1, len(pilot))
        if self.weight == 0:
            self.pilot = pilot.copy()
        moved = factor.copy()
        moved[:, 1:] += np.outer(factor[:, 0], pilot - self.pilot)
        self.factor, self.weight = _triangle(np.vstack([self.factor, moved])), self.weight + weight

    def result(self) -> TSQRResult:
        """The factor of the centered data; of length zero if no columns were seen."""
        p, inner, mean = self.n_features, self.factor[1:, 1:], np.full(len(self.pilot), np.nan)
        if self.weight > 0:
            mean = self.pilot + self.factor[0, 1:] / self.factor[0, 0]
        return TSQRResult(
            weight=self.weight,
            dropped=self.dropped,
            x_mean=mean[:p],
            y_mean=mean[p:],
            R=inner[:p, :p].copy(),
            projection=inner[:p, p:].copy(),
            residual=np.square(inner[p:, p:]).sum(axis=0),
        )


def _triangle(rows: Floats) -> Floats:
    """The factor R of the rows with a diagonal that is not negative, which makes it unique for independent columns."""
    factor = np.asarray(np.linalg.qr(rows, mode="r"), np.float64)
    signs: Floats = np.where(np.diagonal(factor) < 0, -1.0, 1.0)
    return signs[:, None] * factor
