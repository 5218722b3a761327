"""Linear and quadratic discriminant analysis from the moments of each class."""

from typing import Any, Self

import numpy as np
import scipy.linalg
import scipy.special
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin
from sklearn.utils import Tags
from sklearn.utils.multiclass import check_classification_targets

from groundswell.errors import FitError
from groundswell.estimators._bayes_classifier import BayesClassifier, class_probabilities, logs
from groundswell.estimators._input import fit_input
from groundswell.estimators._labels import observed_classes
from groundswell.estimators._linear_classifier import LinearClassifier
from groundswell.estimators._memory import require_memory_for_pairs
from groundswell.estimators._row_errors import require_complete, require_finite
from groundswell.estimators._transform import TableTransformer, matrix
from groundswell.statistics import Batch, ClassMoments, ClassMomentsResult, Softmax
from groundswell.statistics._matrix import Floats


class LinearDiscriminantAnalysis(ClassNamePrefixFeaturesOutMixin, LinearClassifier, TableTransformer):  # type: ignore[misc]
    """Linear discriminant analysis (LDA): classes are normal with one covariance matrix, so borders are planes.

    One pass sums the mean and the scatter of each class. `transform` gives the discriminants, the directions in which
    the means differ most by the spread within classes (Fisher), shape (rows, components).

    Features that others determine add nothing: they are named in `collinear_`, and the solution is the one of minimum
    norm in features of unit spread. So there may be more features than rows.

    Args:
        shrinkage: s in (1 − s) Σ + s (tr Σ / p) I, from 0 to 1; None is 0.
        priors: the probability of each class, in sorted order of the labels; None takes their shares.
        n_components: how many discriminants `transform` gives; None is min(classes − 1, rank).
        tol: directions with a smaller deviation, of features with unit deviation, count as none.

    Attributes:
        classes_: the labels, sorted. priors_: shape (classes,).
        coef_, intercept_: of the decision function: shapes (1, features), (1,) for two classes, (classes, features),
            (classes,) for more.
        means_: shape (classes, features). xbar_: their mean by the priors, shape (features,).
        covariance_: within classes, Σ w (x − mean)(x − mean)ᵀ / Σ w, shrunk, shape (features, features).
        scalings_: the discriminants, shape (features, components). explained_variance_ratio_: shape (components,).
        rank_: of the covariance. collinear_: names, or x0, x1, …, of features that the others determine.
        n_features_in_, feature_names_in_: what it was fitted on.

    References:
        Hastie, Tibshirani, Friedman: The elements of statistical learning, 2nd edition (2009), section 4.3.

    >>> X = np.array([[-1.0, 1.0], [-2.0, 1.5], [1.0, 2.0], [2.0, 3.5]])
    >>> LinearDiscriminantAnalysis().fit(X, np.array(["a", "a", "b", "b"])).predict(X).tolist()
    ['a', 'a', 'b', 'b']
    """

    def __init__(
        self,
        *,
        shrinkage: float | None = None,
        priors: Any = None,  # Any: an array-like
        n_components: int | None = None,
        tol: float = 1e-4,
    ) -> None:
        self.shrinkage, self.priors, self.n_components, self.tol = shrinkage, priors, n_components, tol

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = False
        return tags

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:  # Any: array-likes and tables
        """Learn the discriminants.

        Args:
            X: shape (rows, features), or a table.
            y: labels of any type, shape (rows,); with a table the name of its label column.
            sample_weight: shape (rows,); with a table the name of its column of weights.

        Raises:
            FitError: there are no rows, one class only, no spread within classes, a missing value, or a setting is
                none.
            ColumnNotFoundError, TypeMismatchError: a column is not there, or holds no numbers.
        """
        moments = _class_moments(self, X, y, sample_weight)
        self.classes_ = observed_classes(moments.classes)
        n = float(moments.weight.sum())
        self.priors_ = class_probabilities(moments.weight, self.classes_, self.priors)
        self.means_, self.xbar_ = moments.mean, self.priors_ @ moments.mean
        self.covariance_ = shrunk(moments.pooled() / n, self.shrinkage)
        white = self._whitened()
        if not self.rank_:
            raise FitError(
                f"No feature varies within a class: {len(self.classes_)} classes, rank 0.",
                why="Discriminants measure distances between classes by the spread within them.",
                fix="Give more rows of each class; or y is a target for regression, if each row has its own.",
            )
        between = np.sqrt(n * self.priors_)[:, None] * ((self.means_ - self.xbar_) @ white)
        _, sizes, axes = np.linalg.svd(between, full_matrices=False)
        kept = sizes > self.tol * max(float(sizes.max(initial=0.0)), np.finfo(float).tiny)
        squares = np.square(sizes[kept])
        self._set_functions(white @ axes[kept].T, squares / squares.sum() if kept.any() else squares)
        return self

    def _whitened(self) -> Floats:
        """Directions of unit spread within classes, shape (features, rank); sets `rank_` and `collinear_`."""
        spread = np.sqrt(np.diag(self.covariance_))
        scale = np.where(spread > 0, spread, 1.0)
        correlation = self.covariance_ / np.multiply.outer(scale, scale)
        variances, axes = np.linalg.eigh(correlation)
        kept = variances > self.tol**2
        self.rank_ = int(kept.sum())
        self.collinear_ = _dependent(self, correlation, self.rank_)
        return np.asarray(axes[:, kept] / scale[:, None] / np.sqrt(variances[kept]))

    def _set_functions(self, scalings: Floats, shares: Floats) -> None:
        most = scalings.shape[1]
        limit = min(len(self.classes_) - 1, self.n_features_in_)
        if self.n_components is not None and not 1 <= self.n_components <= limit:
            raise FitError(
                f"n_components is {self.n_components}.",
                why=f"{len(self.classes_)} classes in {self.n_features_in_} features have {limit} discriminants.",
                fix=f"Use 1 to {limit}, or None for all.",
            )
        self._n_components = most if self.n_components is None else min(self.n_components, most)
        self.scalings_, self.explained_variance_ratio_ = scalings, shares[: self._n_components]
        projected = (self.means_ - self.xbar_) @ scalings
        coef = projected @ scalings.T
        intercept = logs(self.priors_) - 0.5 * np.square(projected).sum(axis=1) - coef @ self.xbar_
        if len(self.classes_) == 2:
            coef, intercept = coef[1:] - coef[:1], intercept[1:] - intercept[:1]
        self.coef_, self.intercept_ = coef, intercept

    def predict_proba(self, X: Any) -> Floats:  # Any: array-likes and tables
        """P(class | x), shape (rows, classes).

        Raises:
            sklearn.exceptions.NotFittedError: it is not fitted.
            ColumnNotFoundError: a table lacks a feature.
        """
        scores = self.decision_function(X)
        return Softmax().probabilities(np.column_stack([np.zeros_like(scores), scores]) if scores.ndim == 1 else scores)

    def predict_log_proba(self, X: Any) -> Floats:  # Any: array-likes and tables
        """log P(class | x), shape (rows, classes)."""
        scores = self.decision_function(X)
        scores = np.column_stack([np.zeros_like(scores), scores]) if scores.ndim == 1 else scores
        return np.asarray(scipy.special.log_softmax(scores, axis=1))

    def _transform_batch(self, batch: Batch) -> Floats:
        return np.asarray((matrix(batch) - self.xbar_) @ self.scalings_[:, : self._n_components])

    @property
    def _n_features_out(self) -> int:
        return int(self._n_components)


class QuadraticDiscriminantAnalysis(BayesClassifier):
    """Quadratic discriminant analysis (QDA): each class is normal with a covariance matrix of its own.

    One pass sums the mean and the scatter of each class. Where features determine each other within a class, the class
    is a thin slice, as thin as `tol` says, and `collinear_` names them.

    Args:
        shrinkage: s in (1 − s) Σ + s (tr Σ / p) I, from 0 to 1; None is 0.
        priors: the probability of each class, in sorted order of the labels; None takes their shares.
        tol: the least deviation of a direction within a class, of features with about unit deviation.

    Attributes:
        classes_: the labels, sorted. class_prior_: shape (classes,).
        means_: shape (classes, features).
        covariance_: Σ w (x − mean)(x − mean)ᵀ / Σ w of each class, shrunk, shape (classes, features, features).
        collinear_: for each class the names, or x0, x1, …, of features that the others determine there.
        n_features_in_, feature_names_in_: what it was fitted on.

    References:
        Hastie, Tibshirani, Friedman: The elements of statistical learning, 2nd edition (2009), section 4.3.

    >>> X = np.array([[-0.1], [0.1], [-3.0], [3.0]])
    >>> model = QuadraticDiscriminantAnalysis().fit(X, np.array(["near", "near", "far", "far"]))
    >>> model.predict(np.array([[0.05], [-4.0]])).tolist()
    ['near', 'far']
    """

    def __init__(self, *, shrinkage: float | None = None, priors: Any = None, tol: float = 1e-4) -> None:
        self.shrinkage, self.priors, self.tol = shrinkage, priors, tol

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:  # Any: array-likes and tables
        """Learn the moments of each class.

        Args:
            X: shape (rows, features), or a table.
            y: labels of any type, shape (rows,); with a table the name of its label column.
            sample_weight: shape (rows,); with a table the name of its column of weights.

        Raises:
            FitError: there are no rows, one class only, a missing value, or a setting is none.
            ColumnNotFoundError, TypeMismatchError: a column is not there, or holds no numbers.
        """
        moments = _class_moments(self, X, y, sample_weight)
        self.classes_ = observed_classes(moments.classes)
        self.class_prior_ = class_probabilities(moments.weight, self.classes_, self.priors)
        self.means_ = moments.mean
        self.covariance_ = np.array([shrunk(one, self.shrinkage) for one in moments.covariance()])
        between = moments.mean - self.class_prior_ @ moments.mean
        spread = np.sqrt(np.diagonal(self.covariance_, axis1=1, axis2=2).mean(axis=0) + np.square(between).mean(axis=0))
        self.collinear_: list[list[str]] = []
        scale = np.where(spread > 0, spread, 1.0)
        self._whitening = np.array([self._whitened(one, scale) for one in self.covariance_])
        self._log_roots = np.linalg.slogdet(self._whitening)[1]
        return self

    def _whitened(self, covariance: Floats, scale: Floats) -> Floats:
        """W with Σ⁻¹ = W Wᵀ, where variances of directions are raised to tol²; adds to `collinear_`."""
        correlation = covariance / np.multiply.outer(scale, scale)
        variances, axes = np.linalg.eigh(correlation)
        rank = int((variances > self.tol**2).sum())
        self.collinear_.append(_dependent(self, correlation, rank))
        return np.asarray(axes / scale[:, None] / np.sqrt(np.maximum(variances, self.tol**2)))

    def _joint(self, batch: Batch) -> Floats:
        x, columns = matrix(batch), []
        constants = logs(self.class_prior_) + self._log_roots - 0.5 * x.shape[1] * np.log(2 * np.pi)
        for mean, white, constant in zip(self.means_, self._whitening, constants, strict=True):
            z = (x - mean) @ white
            columns.append(constant - 0.5 * np.einsum("ij,ij->i", z, z))
        return np.column_stack(columns)

    def decision_function(self, X: Any) -> Floats:  # Any: array-likes and tables
        """log P(class, x), shape (rows, classes); for two classes their log odds, shape (rows,), of the second.

        Raises:
            sklearn.exceptions.NotFittedError: it is not fitted.
            ColumnNotFoundError: a table lacks a feature.
        """
        joint = self.predict_joint_log_proba(X)
        return joint[:, 1] - joint[:, 0] if joint.shape[1] == 2 else joint


def shrunk(covariance: Floats, shrinkage: float | None) -> Floats:
    """(1 − s) Σ + s (tr Σ / p) I.

    Raises:
        FitError: s is not from 0 to 1.
    """
    if shrinkage is None:
        return covariance
    if not 0 <= shrinkage <= 1:
        raise FitError(f"shrinkage is {shrinkage!r}.", fix="Use a number from 0 to 1, or None.")
    p = len(covariance)
    return np.asarray((1 - shrinkage) * covariance + shrinkage * np.trace(covariance) / p * np.eye(p))


def _dependent(estimator: BaseEstimator, correlation: Floats, rank: int) -> list[str]:
    """The names, or x0, x1, …, of the features that are determined by others: what pivoting leaves to the end."""
    names = getattr(estimator, "feature_names_in_", [f"x{j}" for j in range(estimator.n_features_in_)])
    pivots = scipy.linalg.qr(correlation, mode="r", pivoting=True)[1]
    return [str(names[j]) for j in sorted(pivots[rank:].tolist())]


def _class_moments(
    estimator: BaseEstimator,
    X: Any,  # Any: array-likes and tables, as in fit
    y: Any,
    sample_weight: Any,
) -> ClassMomentsResult:
    data = fit_input(estimator, X, y, sample_weight, needs_y=True)
    n_classes = 2  # of a table at least; how many there are shows when it is read
    if y is not None and not isinstance(y, str):
        check_classification_targets(y)
        n_classes = len(np.unique(np.asarray(y)))
    require_memory_for_pairs(data.n_features, "Use LogisticRegression or GaussianNB", n_sums=n_classes)
    moments = data.fold(ClassMoments("full")).result()
    require_complete(moments.dropped, "X or the label")
    require_finite(moments.mean, moments.scatter)
    return moments
