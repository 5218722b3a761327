"""Gaussian mixtures by expectation-maximization over sums."""

import math
import warnings
from dataclasses import dataclass, field
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp
from sklearn.base import BaseEstimator, DensityMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from groundswell.errors import DataError, FitError
from groundswell.estimators._input import Input, fit_input, predict_parts
from groundswell.estimators._kmeans import cluster
from groundswell.estimators._row_errors import no_rows
from groundswell.statistics import Batch, ClassMoments, ClassMomentsResult, MixtureResponsibilities
from groundswell.statistics._matrix import Floats
from groundswell.statistics._mixture import CovarianceKind
from groundswell.statistics._nearest_centers import NearestCenters

KINDS: dict[str, CovarianceKind] = {"full": "full", "tied": "tied", "diag": "diagonal", "spherical": "spherical"}

SEEDING_ITERATIONS = 10
"""Passes of k-means before expectation-maximization: only a start, and the rest is moved by the latter anyway."""


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """Shares, means and covariances of the components, and the mean log-likelihood of the rows before the last step."""

    weights: Floats
    means: Floats
    covariances: Floats
    log_likelihood: float = -math.inf
    n_iter: int = 0
    converged: bool = False


class GaussianMixture(DensityMixin, BaseEstimator):  # type: ignore[misc]  # sklearn is untyped
    """A mixture of Gaussians, fitted by expectation-maximization (EM); also known as soft clustering.

    Each iteration is one pass that sums rows by their responsibilities. Densities stay in logarithms, so components
    do not fall together in many dimensions. The start is k-means, seeded by k-means||, whose lots belong to the rows:
    the result does not depend on how they are partitioned.

    Args:
        n_components: how many Gaussians.
        covariance_type: "full" (a matrix each), "tied" (one for all), "diag" (a variance for each feature), or
            "spherical" (one variance each).
        tol: it ends when the mean log-likelihood of a row grows by less.
        reg_covar: added to variances, so that no component collapses onto a plane; in squared units of the features.
        max_iter: passes at most, for each start.
        n_init: starts, of which the most likely result is kept.
        means_init: shape (components, features), in place of k-means.
        random_state: seed or generator of the starts and of `sample`.

    Attributes:
        weights_: shape (components,). means_: shape (components, features).
        covariances_: (components, features, features), (features, features), (components, features), (components,).
        converged_: whether tol was reached. n_iter_: passes of the start that was kept.
        lower_bound_: the mean log-likelihood of a row before the last step.
        n_features_in_, feature_names_in_: what it was fitted on.

    References:
        Bishop: Pattern recognition and machine learning (2006), section 9.2. Bahmani et al.: Scalable k-means++ (2012).

    >>> X = np.array([[-1.1], [-0.9], [-1.0], [4.9], [5.1], [5.0]])
    >>> model = GaussianMixture(2, random_state=0).fit(X)
    >>> sorted(model.means_.ravel().round(3).tolist())
    [-1.0, 5.0]
    """

    def __init__(
        self,
        n_components: int = 1,
        *,
        covariance_type: Literal["full", "tied", "diag", "spherical"] = "full",
        tol: float = 1e-3,
        reg_covar: float = 1e-6,
        max_iter: int = 100,
        n_init: int = 1,
        means_init: Any = None,  # Any: an array-like
        random_state: Any = None,  # Any: an int, a generator of NumPy or None
    ) -> None:
        self.n_components, self.covariance_type = n_components, covariance_type
        self.tol, self.reg_covar, self.max_iter, self.n_init = tol, reg_covar, max_iter, n_init
        self.means_init, self.random_state = means_init, random_state

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:  # Any: array-likes and tables
        """Learn the components.

        Args:
            X: shape (rows, features), or a table.
            y: not used; with a table the name of a column that is no feature.
            sample_weight: shape (rows,); with a table the name of its column of weights.

        Raises:
            FitError: there are fewer rows than components, a missing value, a component that collapses, or a setting
                is none.
            ColumnNotFoundError, TypeMismatchError: a column is not there, or holds no numbers.
        """
        self._check_settings()
        given = fit_input(self, X, y, sample_weight)
        random = check_random_state(self.random_state)
        with given.cached() as data:
            best = self._maximized(data, self._start(data, int(random.randint(2**31 - 1))))
            for _ in range(1, self.n_init if self.means_init is None else 1):
                other = self._maximized(data, self._start(data, int(random.randint(2**31 - 1))))
                best = max(best, other, key=lambda found: found.log_likelihood)
        self.weights_, self.means_, self.covariances_ = best.weights, best.means, best.covariances
        self.lower_bound_, self.n_iter_, self.converged_ = best.log_likelihood, best.n_iter, best.converged
        if not best.converged:
            warnings.warn(
                f"GaussianMixture did not reach tol={self.tol:g} in {self.max_iter} passes. Raise max_iter or tol.",
                ConvergenceWarning,
                stacklevel=2,
            )
        return self

    def _check_settings(self) -> None:
        if self.covariance_type not in KINDS:
            raise FitError(
                f"covariance_type is {self.covariance_type!r}.", fix=f"Use one of {', '.join(map(repr, KINDS))}."
            )
        counts = {"n_components": self.n_components, "max_iter": self.max_iter, "n_init": self.n_init}
        for name, value in counts.items():
            if value < 1:
                raise FitError(f"{name} is {value!r}.", fix="Use 1 or more.")
        if self.reg_covar < 0:
            raise FitError(f"reg_covar is {self.reg_covar!r}.", why="It is added to variances.", fix="Use 0 or more.")

    def _start(self, data: Input, seed: int) -> Parameters:
        """The parameters that follow from giving each row to the nearest center."""
        if self.means_init is None:
            centers = cluster(data, self.n_components, SEEDING_ITERATIONS, 1e-4, 2, seed).centers
        else:
            centers = np.asarray(self.means_init, np.float64)
            if centers.shape != (self.n_components, data.n_features):
                raise FitError(
                    f"means_init has the shape {centers.shape}.",
                    fix=f"Give {self.n_components} components of {data.n_features} features, or None.",
                )
        diagonal = self.covariance_type in ("diag", "spherical")
        moments = data.fold(NearestMoments(centers, "diagonal" if diagonal else "full")).result()
        if not len(moments.weight):
            raise no_rows()
        weight = moments.weight[:, 0] if diagonal else moments.weight
        means, shares = centers.copy(), np.zeros(len(centers))
        means[moments.classes], shares[moments.classes] = moments.mean, weight / weight.sum()
        return Parameters(weights=shares, means=means, covariances=self._covariances(moments, weight))

    def _covariances(self, moments: ClassMomentsResult, weight: Floats) -> Floats:
        """Those within the clusters; a cluster without rows has the one of all."""
        pooled = moments.pooled() / weight.sum()
        if self.covariance_type == "tied":
            return self._regularized(pooled)
        found = np.tile(pooled, (self.n_components, *[1] * pooled.ndim))
        found[moments.classes] = moments.covariance()
        return self._regularized(found.mean(axis=1) if self.covariance_type == "spherical" else found)

    def _regularized(self, covariances: Floats) -> Floats:
        if self.covariance_type in ("diag", "spherical"):
            return covariances + self.reg_covar
        return np.asarray(covariances + self.reg_covar * np.eye(covariances.shape[-1]))

    def _maximized(self, data: Input, now: Parameters) -> Parameters:
        """Iterate from a start until the likelihood hardly grows."""
        for n_iter in range(1, self.max_iter + 1):
            step = data.fold(self._responsibilities(now.weights, now.means, now.covariances)).result()
            likelihood = step.log_likelihood / step.weight
            alive = step.component_weight > 0  # one without rows stays as it is, with the share 0
            covariances = self._regularized(step.covariance)
            if self.covariance_type != "tied":
                covariances[~alive] = now.covariances[~alive]
            converged = abs(likelihood - now.log_likelihood) < self.tol
            now = Parameters(
                weights=step.component_weight / step.weight,
                means=step.mean,
                covariances=covariances,
                log_likelihood=likelihood,
                n_iter=n_iter,
                converged=converged,
            )
            if converged:
                break
        return now

    def _responsibilities(self, weights: Floats, means: Floats, covariances: Floats) -> MixtureResponsibilities:
        try:
            return MixtureResponsibilities(weights, means, covariances, KINDS[self.covariance_type])
        except DataError as error:
            raise FitError(
                f"A component has collapsed: no positive definite covariance with reg_covar={self.reg_covar:g}.",
                why="Its rows lie in fewer dimensions than there are features, or too few rows are left to it.",
                fix="Raise reg_covar, scale the features, use fewer components, or covariance_type='diag'.",
            ) from error

    def score_samples(self, X: Any) -> Floats:  # Any: array-likes and tables
        """log p(x) of each row, shape (rows,).

        Raises:
            sklearn.exceptions.NotFittedError: it is not fitted.
            ColumnNotFoundError: a table lacks a feature.
        """
        return np.asarray(logsumexp(self._log_joint(X), axis=1))

    def score(self, X: Any, y: Any = None) -> float:  # Any: array-likes and tables
        """The mean log-likelihood of the rows."""
        return float(self.score_samples(X).mean())

    def predict(self, X: Any) -> NDArray[np.intp]:  # Any: array-likes and tables
        """The number of the most probable component of each row, shape (rows,).

        Raises:
            sklearn.exceptions.NotFittedError: it is not fitted.
            ColumnNotFoundError: a table lacks a feature.
        """
        return np.asarray(self._log_joint(X).argmax(axis=1))

    def predict_proba(self, X: Any) -> Floats:  # Any: array-likes and tables
        """P(component | x), the responsibilities, shape (rows, components)."""
        joint = self._log_joint(X)
        return np.asarray(np.exp(joint - logsumexp(joint, axis=1, keepdims=True)))

    def _log_joint(self, X: Any) -> Floats:  # Any: array-likes and tables
        check_is_fitted(self)
        mixture = self._responsibilities(self.weights_, self.means_, self.covariances_)

        def of(batch: Batch) -> Floats:
            found = [mixture.log_joint(block).T for block in batch.blocks()]
            return np.concatenate(found) if found else np.empty((0, self.n_components))

        return predict_parts(self, X, of)

    def bic(self, X: Any) -> float:  # Any: array-likes and tables
        """Schwarz's criterion, −2 log L + k log n: the smaller the better."""
        scores = self.score_samples(X)
        return float(-2 * scores.sum() + self._n_parameters() * np.log(len(scores)))

    def aic(self, X: Any) -> float:  # Any: array-likes and tables
        """Akaike's criterion, −2 log L + 2 k: the smaller the better."""
        return float(-2 * self.score_samples(X).sum() + 2 * self._n_parameters())

    def _n_parameters(self) -> int:
        """Numbers that were learned: shares, which sum to 1, means, and covariances, which are symmetric."""
        k, p = self.means_.shape
        triangle = p * (p + 1) // 2
        covariances = {"full": k * triangle, "tied": triangle, "diag": k * p, "spherical": k}
        return int(k - 1 + k * p + covariances[self.covariance_type])

    def sample(self, n_samples: int = 1) -> tuple[Floats, NDArray[np.intp]]:
        """Random rows of the mixture, shape (rows, features), and their components, shape (rows,), in order of these.

        Raises:
            sklearn.exceptions.NotFittedError: it is not fitted.
        """
        check_is_fitted(self)
        random = check_random_state(self.random_state)
        counts = random.multinomial(n_samples, self.weights_ / self.weights_.sum())
        labels = np.repeat(np.arange(len(counts)), counts)
        noise = random.standard_normal((n_samples, self.means_.shape[1]))
        if self.covariance_type in ("diag", "spherical"):
            roots = np.sqrt(self.covariances_.reshape(len(counts), -1))
            return self.means_[labels] + noise * roots[labels], labels
        factors = np.linalg.cholesky(np.broadcast_to(self.covariances_, (len(counts), *self.covariances_.shape[-2:])))
        parts = [noise[labels == k] @ factor.T for k, factor in enumerate(factors)]
        return self.means_[labels] + np.concatenate(parts), labels


@dataclass
class NearestMoments:
    """Moments of the rows nearest to each center; classes are the numbers of the centers that have rows.

    Args:
        centers: shape (K, p).
        covariance: as for `ClassMoments`.
    """

    centers: Floats
    covariance: Literal["diagonal", "full"]
    moments: ClassMoments = field(init=False)

    def __post_init__(self) -> None:
        self.moments = ClassMoments(self.covariance)

    @property
    def dropped(self) -> float:
        """Σ w of the rows left out because a value was missing."""
        return self.moments.result().dropped

    def zero(self) -> "NearestMoments":
        """The same centers, no rows."""
        return NearestMoments(self.centers, self.covariance)

    def update(self, batch: Batch) -> None:
        """Give each row to its nearest center."""
        prepared = NearestCenters(self.centers)
        for block in batch.blocks():
            nearest = np.maximum(prepared.labels(block.matrix), 0)  # moments count the rows that have no nearest
            self.moments.update(Batch(X=block.X, y=nearest, weights=block.weights))

    def merge(self, other: "NearestMoments") -> None:
        """Merge center by center."""
        self.moments.merge(other.moments)

    def result(self) -> ClassMomentsResult:
        """The moments of each center's rows."""
        return self.moments.result()
