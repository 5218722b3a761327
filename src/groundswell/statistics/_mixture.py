"""`MixtureResponsibilities`: the expectation step of a Gaussian mixture, with the sums that its maximization needs."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from groundswell.errors import DataError
from groundswell.statistics._batch import Batch
from groundswell.statistics._gram import weighted_products
from groundswell.statistics._matrix import Floats
from groundswell.statistics._statistic import require_equal, require_same_width

__all__ = ["CovarianceKind", "MixtureResponsibilities", "MixtureResult"]

CovarianceKind = Literal["full", "tied", "diagonal", "spherical"]


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
            log_joint = self.log_joint(block)
            if np.isnan(log_joint).any() and block.shifted.missing.any():
                block, left_out = Batch(X=block.X, weights=block.weights).complete()
                log_joint = self.log_joint(block)
                self.dropped += left_out
            if len(block):
                self._add(block, log_joint)

    def log_joint(self, block: Batch) -> Floats:
        """log πₖ + log N(x; μₖ, Σₖ) of each component and row of a block, shape (K, rows)."""
        design, means = block.shifted.design.T, self.means - block.shifted.pilot
        log_joint = np.empty((len(means), len(block)))
        with np.errstate(divide="ignore"):  # a component of weight zero has the logarithm −∞, and no responsibility
            constant = np.log(self.weights) - 0.5 * means.shape[1] * np.log(2 * np.pi)
        for k, mean in enumerate(means):
            factor = self._whitening[min(k, len(self._whitening) - 1)]
            if factor.ndim == 2:
                z = np.vstack([-(mean @ factor), factor]).T @ design
                half_log_determinant = np.log(np.diagonal(factor)).sum()
            else:
                z = (design[1:] - mean[:, None]) * factor[:, None]
                half_log_determinant = np.log(factor).sum()
            log_joint[k] = constant[k] + half_log_determinant - 0.5 * np.einsum("ij,ij->j", z, z)
        return log_joint

    def _add(self, block: Batch, log_joint: Floats) -> None:
        log_p = _log_sum_exp(log_joint)
        self.log_likelihood += float(log_p.sum() if block.weights is None else block.weights @ log_p)
        responsibilities = np.exp(log_joint - log_p)
        if block.weights is not None:
            responsibilities *= block.weights
        self.component_weight = self.component_weight + responsibilities.sum(axis=1)
        d, means = block.shifted.matrix.T, self.means - block.shifted.pilot
        for k, r in enumerate(responsibilities):
            e = d - means[k][:, None]
            self.sums[k] += e @ r
            self.products[k] += weighted_products(e.T, r) if self.products.ndim == 3 else np.square(e, out=e) @ r

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


def _log_sum_exp(logs: Floats) -> Floats:
    """log Σ e^x over the first axis."""
    top = logs.max(axis=0)
    total: Floats = top + np.log(np.exp(logs - top).sum(axis=0))
    return total
