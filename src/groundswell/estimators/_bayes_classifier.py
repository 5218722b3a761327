"""What naive Bayes and quadratic discriminants share: probabilities of classes, and Bayes' rule in logarithms."""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp
from sklearn.base import BaseEstimator

from groundswell.errors import FitError
from groundswell.estimators._input import predict_parts
from groundswell.estimators._score import Classifier
from groundswell.statistics import Batch
from groundswell.statistics._matrix import Floats


class BayesClassifier(Classifier, BaseEstimator, ABC):  # type: ignore[misc]  # sklearn is untyped
    """A classifier by the joint probability of class and features: a generative one."""

    classes_: NDArray[Any]
    class_prior_: Floats
    _accepts_sparse = False

    @abstractmethod
    def _joint(self, batch: Batch) -> Floats:
        """log P(class, x), shape (rows, classes); −∞ for what cannot be."""

    def predict_joint_log_proba(self, X: Any) -> Floats:  # Any: array-likes and tables
        """log P(class, x), shape (rows, classes).

        Raises:
            sklearn.exceptions.NotFittedError: it is not fitted.
            ColumnNotFoundError: a table lacks a feature.
        """
        return predict_parts(self, X, self._joint, accept_sparse=self._accepts_sparse)

    def predict_log_proba(self, X: Any) -> Floats:  # Any: array-likes and tables
        """log P(class | x), shape (rows, classes). A row that no class can have gets the probabilities of the classes.

        Raises:
            sklearn.exceptions.NotFittedError: it is not fitted.
            ColumnNotFoundError: a table lacks a feature.
        """
        joint = self.predict_joint_log_proba(X)
        nowhere = np.isneginf(joint).all(axis=1)
        joint[nowhere] = logs(self.class_prior_)
        return np.asarray(joint - logsumexp(joint, axis=1, keepdims=True))

    def predict_proba(self, X: Any) -> Floats:  # Any: array-likes and tables
        """P(class | x), shape (rows, classes); see `predict_log_proba`."""
        return np.exp(self.predict_log_proba(X))

    def predict(self, X: Any) -> NDArray[Any]:  # Any: array-likes and tables; labels of any type
        """The most probable label of each row, shape (rows,).

        Raises:
            sklearn.exceptions.NotFittedError: it is not fitted.
            ColumnNotFoundError: a table lacks a feature.
        """
        winners = self.predict_log_proba(X).argmax(axis=1)
        return np.asarray(self.classes_[winners])


def logs(probabilities: Floats) -> Floats:
    """Their logarithms; that of 0 is −∞."""
    with np.errstate(divide="ignore"):
        return np.log(probabilities)


def log_products(values: Any, probabilities: Floats) -> Floats:  # Any: an array or a sparse matrix
    """Σ_j x_j log p_kj, shape (rows, classes), where 0 log 0 is 0.

    Args:
        values: x, not negative, shape (rows, features).
        probabilities: p, shape (classes, features).
    """
    impossible = probabilities == 0
    found = np.asarray(values @ np.log(np.where(impossible, 1.0, probabilities)).T)
    if impossible.any():
        found[np.asarray(values @ impossible.T.astype(np.float64)) > 0] = -np.inf
    return found


def class_probabilities(
    counts: Floats, classes: NDArray[Any], given: Any, *, learned: bool = True, alpha: float = 0.0
) -> Floats:  # Any: an array-like
    """The probability of each class.

    Args:
        counts: Σ w of each class.
        classes: the labels.
        given: the probabilities if they are known, else None.
        learned: whether they follow the counts; otherwise classes are equally probable.
        alpha: pseudo-counts added to each count.

    Raises:
        FitError: the given probabilities do not fit the classes, or alpha is negative.
    """
    if given is None:
        shares = counts + pseudo_counts(alpha, "class_alpha") if learned else np.ones(len(counts))
        return np.asarray(shares / shares.sum())
    priors = np.asarray(given, np.float64)
    if len(priors) != len(classes) or not np.isclose(priors.sum(), 1.0) or (priors < 0).any():
        raise FitError(
            f"The priors {priors.tolist()} do not fit the {len(classes)} classes {classes.tolist()}.",
            why="There is one for each class, none is negative, and they sum to 1.",
            fix="Give them in the order of the sorted labels, or None.",
        )
    return priors


def pseudo_counts(alpha: Any, name: str, n_features: int | None = None) -> Floats:  # Any: a number or an array-like
    """Pseudo-counts as an array: one number, or one for each feature where that is possible.

    Raises:
        FitError: they are negative, not finite, or do not fit the features.
    """
    found = np.asarray(alpha, np.float64)
    fits = found.ndim == 0 or (n_features is not None and found.shape == (n_features,))
    if not fits or not (np.isfinite(found) & (found >= 0)).all():
        each = "" if n_features is None else f", or an array of {n_features} of them, one for each feature"
        raise FitError(
            f"{name} is {found.tolist()!r}.",
            why="It is added to counts: 0 gives the maximum of the likelihood, and 1 is Laplace's rule.",
            fix=f"Use a number that is not negative{each}.",
        )
    return found
