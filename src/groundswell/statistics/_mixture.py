"""`MixtureResponsibilities`: the expectation step of a Gaussian mixture, with the sums that its maximization needs."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from scipy.linalg.blas import dtrmm

from groundswell.errors import DataError
from groundswell.statistics._batch import Batch
from groundswell.statistics._compiled import compiled
from groundswell.statistics._matrix import Floats
from groundswell.statistics._statistic import require_equal, require_same_width

__all__ = ["CovarianceKind", "MixtureResponsibilities", "MixtureResult"]

CovarianceKind = Literal["full", "tied", "diagonal", "spherical"]

PIECE_VALUES = 1 << 16
"""Values of a piece of a block: it, its whitened form and its weighted form are in the cache together."""


@dataclass(frozen=True, kw_only=True)
class MixtureResult:
    """What the rows say of K components in p dimensions.

    Attributes:
        log_likelihood: Σ w log p(x) at the parameters that were given.
        weight: Σ w of the rows.
        component_weight: Σ w r of each component, with r its responsibilities, shape (K,).
        mean: the next means, shape (K, p); the old one where a component has no weight.
        covariance: the next covariances around the next means, of the shape of those that were given; zero where a
            component has no weight. Nothing is added to the diagonals.
        dropped: Σ w of the rows left out because a value was missing.
    """

    log_likelihood: float
    weight: float
    component_weight: Floats
    mean: Floats
    covariance: Floats
    dropped: float


@dataclass
class MixtureResponsibilities:
    """One step of expectation-maximization for a Gaussian mixture at given parameters.

    Densities stay in logarithms throughout: in fifty dimensions they underflow, and components whose densities are all
    zero would come out identical. Sums are taken around the given means, so far offsets cost no digits.

    Missing values: a row with NaN is left out, and its weight counted.

    Args:
        weights: the shares of the components, shape (K,), summing to 1.
        means: shape (K, p).
        covariances: "full": (K, p, p); "tied": (p, p); "diagonal": (K, p); "spherical": (K,).
        kind: which of the four.

    Raises:
        DataError: the shapes do not fit, or a covariance is not positive definite.

    References:
        Dempster, Laird, Rubin: Maximum likelihood from incomplete data via the EM algorithm, JRSS B 39 (1977).
        Bishop: Pattern recognition and machine learning (2006), section 9.2.2.

    >>> step = MixtureResponsibilities([0.5, 0.5], [[-1.0], [1.0]], [[[1.0]], [[1.0]]])
    >>> step.update(Batch(X=np.array([[-2.0], [0.0], [2.0]])))
    >>> step.result().component_weight
    array([1.5, 1.5])
    """

    weights: Floats
    means: Floats
    covariances: Floats
    kind: CovarianceKind = "full"
    log_likelihood: float = field(init=False, default=0.0)
    component_weight: Floats = field(init=False)
    sums: Floats = field(init=False)
    products: Floats = field(init=False)
    dropped: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self.weights = np.array(self.weights, np.float64)
        self.means = np.array(self.means, np.float64)
        self.covariances = np.array(self.covariances, np.float64)
        k, p = len(self.weights), self.means.shape[-1]
        shapes = {"full": (k, p, p), "tied": (p, p), "diagonal": (k, p), "spherical": (k,)}
        if self.means.shape != (k, p) or self.covariances.shape != shapes[self.kind]:
            raise DataError(
                f"Means {self.means.shape} and {self.kind} covariances {self.covariances.shape} do not fit {k} shares.",
                why=f"With {k} components in {p} dimensions they have the shapes {(k, p)} and {shapes[self.kind]}.",
                fix="Reshape the parameters, or choose another kind of covariance.",
            )
        self._whitening = _whitening(self.covariances, self.kind, p)
        self._origin = self.means.mean(axis=0)
        self.component_weight, self.sums = np.zeros(k), np.zeros((k, p))
        self.products = np.zeros((k, p, p) if self.kind in ("full", "tied") else (k, p))

    def zero(self) -> "MixtureResponsibilities":
        """The same parameters, no rows."""
        return MixtureResponsibilities(self.weights, self.means, self.covariances, self.kind)

    def update(self, batch: Batch) -> None:
        """Add the responsibilities of the rows.

        Raises:
            DataError: the batch has no X, or another number of columns than the means.
        """
        for block in batch.blocks():
            require_same_width(self.means.shape[1], block.n_features)
            for place, d in self._pieces(block):
                weights = None if block.weights is None else block.weights[place]
                log_joint = self._log_joint(d)
                if np.isnan(log_joint.sum()):
                    complete = ~np.isnan(d).any(axis=0)
                    self.dropped += float((~complete).sum() if weights is None else weights[~complete].sum())
                    weights = None if weights is None else weights[complete]
                    d, log_joint = np.ascontiguousarray(d[:, complete]), log_joint[:, complete]
                self._add(d, weights, log_joint)

    def log_joint(self, block: Batch) -> Floats:
        """log πₖ + log N(x; μₖ, Σₖ) of each component and row of a block, shape (K, rows)."""
        found = np.empty((len(self.means), len(block)))
        for place, d in self._pieces(block):
            found[:, place] = self._log_joint(d)
        return found

    def _pieces(self, block: Batch) -> Iterator[tuple[slice, Floats]]:
        """The rows in pieces, each with its place: x less a point amid the means, shape (p, rows), in one memory."""
        X, width = block.matrix, self.means.shape[1]
        size = max(PIECE_VALUES // max(width, 1), 64)
        memory = np.empty(min(size, len(X)) * width)
        for start in range(0, len(X), size):
            part = X[start : start + size].T
            with np.errstate(invalid="ignore"):  # NaN in the data is not an event
                d = np.subtract(part, self._origin[:, None], out=memory[: part.size].reshape(part.shape))
            yield slice(start, start + part.shape[1]), d

    def _log_joint(self, d: Floats) -> Floats:
        log_joint = np.empty((len(self.means), d.shape[1]))
        with np.errstate(divide="ignore"):  # a component of weight zero has the logarithm −∞, and no responsibility
            constant = np.log(self.weights) - 0.5 * len(d) * np.log(2 * np.pi)
        z, ones = d, np.ones(len(d))
        for k, mean in enumerate(self.means - self._origin):
            factor = self._whitening[min(k, len(self._whitening) - 1)]
            if factor.ndim == 2:
                if k < len(self._whitening):
                    z = dtrmm(1.0, factor, d.T, side=1).T
                _squares(z, mean @ factor, ones, log_joint[k])
                half_log_determinant = np.log(np.diagonal(factor)).sum()
            else:
                _squares(d, mean, factor, log_joint[k])
                half_log_determinant = np.log(factor).sum()
            log_joint[k] *= -0.5
            log_joint[k] += constant[k] + half_log_determinant
        return log_joint

    def _add(self, d: Floats, weights: Floats | None, log_joint: Floats) -> None:
        top = log_joint.max(axis=0, initial=-np.inf)
        responsibilities = np.exp(log_joint - top)
        total = responsibilities.sum(axis=0)
        log_p = top + np.log(total)
        self.log_likelihood += float(log_p.sum() if weights is None else weights @ log_p)
        responsibilities /= total if weights is None else total / weights
        self.component_weight = self.component_weight + responsibilities.sum(axis=1)
        roots, e = np.sqrt(responsibilities), np.empty_like(d)
        for k, mean in enumerate(self.means - self._origin):
            _weighted(d, mean, roots[k], e)
            self.sums[k] += e @ roots[k]
            self.products[k] += e @ e.T if self.products.ndim == 3 else np.einsum("ij,ij->i", e, e)

    def merge(self, other: "MixtureResponsibilities") -> None:
        """Add the sums.

        Raises:
            DataError: the other has other parameters.
        """
        require_equal(self, other, "kind", "weights", "means", "covariances")
        self.log_likelihood += other.log_likelihood
        self.component_weight = self.component_weight + other.component_weight
        self.sums, self.products = self.sums + other.sums, self.products + other.products
        self.dropped += other.dropped

    def result(self) -> MixtureResult:
        """The likelihood, and the parameters that maximize its lower bound."""
        n = self.component_weight
        step = np.divide(self.sums, n[:, None], out=np.zeros_like(self.sums), where=n[:, None] > 0)
        between = step[:, :, None] * self.sums[:, None, :] if self.products.ndim == 3 else step * self.sums
        return MixtureResult(
            log_likelihood=self.log_likelihood,
            weight=float(n.sum()),
            component_weight=n.copy(),
            mean=self.means + step,
            covariance=self._covariance(self.products - between, n),
            dropped=self.dropped,
        )

    def _covariance(self, scatter: Floats, n: Floats) -> Floats:
        if self.kind == "tied":
            scatter, n = scatter.sum(axis=0), n.sum(keepdims=True)
        elif self.kind == "spherical":
            scatter = scatter.mean(axis=1)
        n = n.reshape(n.shape + (1,) * (scatter.ndim - n.ndim))
        return np.divide(scatter, n, out=np.zeros_like(scatter), where=n > 0)


def _whitening(covariances: Floats, kind: CovarianceKind, n_features: int) -> list[Floats]:
    """For each component, or once if tied, W with Σ⁻¹ = W Wᵀ: an upper triangle, or its diagonal alone."""
    try:
        if kind in ("diagonal", "spherical"):
            if not (covariances > 0).all():
                raise np.linalg.LinAlgError
            roots = 1 / np.sqrt(covariances)
            return list(roots if kind == "diagonal" else np.tile(roots[:, None], n_features))
        matrices = covariances if kind == "full" else covariances[None]
        return [np.linalg.inv(np.linalg.cholesky(matrix)).T for matrix in matrices]
    except np.linalg.LinAlgError:
        raise DataError(
            "A covariance of the mixture is not positive definite.",
            why="Its component has collapsed onto fewer dimensions than the data has, and has no density there.",
            fix="Add a small number to the diagonals of the covariances, or use fewer components.",
        ) from None


@compiled
def _squares(z: Floats, center: Floats, scale: Floats, squares: Floats) -> None:
    """Σ ((z − center) scale)² over the features of each row; z has the shape (p, rows)."""
    squares[:] = 0
    for j in range(z.shape[0]):
        values, shift, factor = z[j], center[j], scale[j]
        for i in range(z.shape[1]):
            difference = (values[i] - shift) * factor
            squares[i] += difference * difference


@compiled
def _weighted(d: Floats, mean: Floats, roots: Floats, e: Floats) -> None:
    """(d − mean) √r, so that its products with itself and with √r are the weighted ones; d has the shape (p, rows)."""
    for j in range(d.shape[0]):
        values, out, shift = d[j], e[j], mean[j]
        for i in range(d.shape[1]):
            out[i] = (values[i] - shift) * roots[i]
