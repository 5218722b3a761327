"""`MixtureResponsibilities`: the expectation step of a Gaussian mixture, with the sums that its maximization needs."""

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from groundswell.errors import DataError
from groundswell.statistics._batch import Batch
from groundswell.statistics._matrix import Floats
from groundswell.statistics._mixture_steps import Components, Sums, add_rows, log_densities
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

    Missing values: a row with NaN is left out, and its weight counted. An infinite value makes the likelihood and the
    weights NaN.

    A row is left out of the sums of a component to which it adds less than rounding takes from them: there it costs its
    density alone.

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
    rows: int = field(init=False, default=0)  # those with missing values too
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
        self._components = _prepared(self.weights, self.means, self.covariances, self.kind)
        self.component_weight, self.sums = np.zeros(k), np.zeros((k, p))
        self.products = np.zeros((k, p, p) if self.kind in ("full", "tied") else (k, p))

    def __getstate__(self) -> dict[str, Any]:  # Any: parameters and sums; the components are made again
        return {name: value for name, value in vars(self).items() if name != "_components"}

    def __setstate__(self, state: dict[str, Any]) -> None:  # Any: parameters and sums
        vars(self).update(state)
        self._components = _prepared(self.weights, self.means, self.covariances, self.kind)

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
            sums = Sums(component_weight=self.component_weight, sums=self.sums, products=self.products)
            found = add_rows(block.matrix, block.weights, self._components, sums, self.rows)
            self.rows += len(block)
            self.log_likelihood += found[0]
            self.dropped += found[1]

    def log_joint(self, block: Batch) -> Floats:
        """log πₖ + log N(x; μₖ, Σₖ) of each component and row of a block, shape (K, rows)."""
        return log_densities(block.matrix, self._components)

    def merge(self, other: "MixtureResponsibilities") -> None:
        """Add the sums.

        Raises:
            DataError: the other has other parameters.
        """
        require_equal(self, other, "kind", "weights", "means", "covariances")
        self.log_likelihood += other.log_likelihood
        self.component_weight = self.component_weight + other.component_weight
        self.sums, self.products = self.sums + other.sums, self.products + other.products
        self.rows += other.rows
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


def _prepared(weights: Floats, means: Floats, covariances: Floats, kind: CovarianceKind) -> Components:
    k, p = means.shape
    origin = means.mean(axis=0)
    centers = means - origin
    factors, scales = np.empty((0, p, p)), np.ones((k, p))
    try:
        if kind in ("diagonal", "spherical"):
            if not (covariances > 0).all():
                raise np.linalg.LinAlgError
            scales /= np.sqrt(covariances if kind == "diagonal" else covariances[:, None])
            shifts, densities = centers, np.log(scales).sum(axis=1)
        else:
            matrices = covariances if kind == "full" else covariances[None]
            factors = np.stack([np.tril(np.linalg.inv(np.linalg.cholesky(matrix))) for matrix in matrices])
            shifts = np.stack([factors[min(i, len(factors) - 1)] @ center for i, center in enumerate(centers)])
            densities = np.log(np.diagonal(factors, axis1=1, axis2=2)).sum(axis=1)
    except np.linalg.LinAlgError:
        raise DataError(
            "A covariance of the mixture is not positive definite.",
            why="Its component has collapsed onto fewer dimensions than the data has, and has no density there.",
            fix="Add a small number to the diagonals of the covariances, or use fewer components.",
        ) from None
    with np.errstate(divide="ignore"):  # a component of weight zero has the logarithm −∞, and no responsibility
        constants = np.log(weights) - 0.5 * p * np.log(2 * np.pi) + densities
    heads = np.ascontiguousarray(factors[:, : p // 2, : p // 2])
    return Components(
        origin=origin, centers=centers, constants=constants, shifts=shifts, scales=scales, factors=factors, heads=heads
    )
