"""Gaussian naive Bayes from the moments of each class."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets

from groundswell.errors import FitError
from groundswell.estimators._input import fit_input, predict_parts
from groundswell.estimators._transform import matrix
from groundswell.statistics import Batch, ClassMoments, Moments, Together


class GaussianNB(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # sklearn is untyped
    """Naive Bayes for continuous features: within a class each is normal and independent of the others.

    One pass sums the moments of each class; labels need not be known before.

    Args:
        priors: the probability of each class, in sorted order of the labels; None takes their shares (MLE).
        var_smoothing: this share of the largest variance of all features is added to all variances.

    Attributes:
        classes_: the labels, sorted. class_prior_, class_count_: shape (classes,).
        theta_, var_: mean and variance of each feature in each class, shape (classes, features).
        epsilon_: what was added to the variances.

    References:
        Hastie, Tibshirani, Friedman, The Elements of Statistical Learning, 2nd edition, section 6.6.3.

    >>> model = GaussianNB().fit(np.array([[-1.0], [-2.0], [1.0], [2.0]]), np.array(["a", "a", "b", "b"]))
    >>> model.predict(np.array([[-0.8]])).tolist()
    ['a']
    """

    def __init__(self, *, priors: Any = None, var_smoothing: float = 1e-9) -> None:  # Any: an array-like
        self.priors, self.var_smoothing = priors, var_smoothing

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:  # Any: array-likes and tables
        """Learn the moments of each class.

        Args:
            X: shape (rows, features), or a table.
            y: labels of any type, shape (rows,); with a table the name of its label column.
            sample_weight: shape (rows,); with a table the name of its column of weights.

        Raises:
            FitError: there are no rows, a value is missing, or the priors do not fit the classes.
            ColumnNotFoundError, TypeMismatchError: a column is not there, or holds no numbers.
        """
        data = fit_input(self, X, y, sample_weight, needs_y=True)
        if y is not None and not isinstance(y, str):
            check_classification_targets(y)
        sums = data.fold(Together({"classes": ClassMoments(), "overall": Moments()})).result()
        classes, overall = sums["classes"], sums["overall"]
        if not len(classes.classes):
            raise FitError("There are no rows to learn from.", fix="Check the filter or the file.")
        if overall.missing.any():
            raise FitError("X has missing values.", fix="Put SimpleImputer before it in a pipeline.")
        self.classes_ = np.asarray(classes.classes)
        self.class_count_ = classes.weight[:, 0]
        self.class_prior_ = self._checked_priors()
        self.epsilon_ = self.var_smoothing * float(overall.variance().max())
        self.theta_, self.var_ = classes.mean, classes.covariance() + self.epsilon_
        return self

    def _checked_priors(self) -> NDArray[np.float64]:
        if self.priors is None:
            return np.asarray(self.class_count_ / self.class_count_.sum())
        priors = np.asarray(self.priors, np.float64)
        if len(priors) != len(self.classes_) or not np.isclose(priors.sum(), 1.0) or (priors < 0).any():
            raise FitError(
                f"The priors {priors.tolist()} do not fit the {len(self.classes_)} classes {self.classes_.tolist()}.",
                why="There is one for each class, none is negative, and they sum to 1.",
                fix="Give them in the order of the sorted labels, or priors=None.",
            )
        return priors

    def predict_joint_log_proba(self, X: Any) -> NDArray[np.float64]:  # Any: array-likes and tables
        """log P(class, x), shape (rows, classes).

        Raises:
            sklearn.exceptions.NotFittedError: it is not fitted.
            ColumnNotFoundError: a table lacks a feature.
        """
        return predict_parts(self, X, self._joint)

    def _joint(self, batch: Batch) -> NDArray[np.float64]:
        x, columns = matrix(batch), []
        for mean, variance, prior in zip(self.theta_, self.var_, self.class_prior_, strict=True):
            with np.errstate(divide="ignore"):
                constant = np.log(prior) - 0.5 * np.log(2 * np.pi * variance).sum()
            columns.append(constant - 0.5 * ((x - mean) ** 2 / variance).sum(axis=1))
        return np.column_stack(columns)

    def predict_log_proba(self, X: Any) -> NDArray[np.float64]:  # Any: array-likes and tables
        """log P(class | x), shape (rows, classes)."""
        joint = self.predict_joint_log_proba(X)
        return np.asarray(joint - logsumexp(joint, axis=1, keepdims=True))

    def predict_proba(self, X: Any) -> NDArray[np.float64]:  # Any: array-likes and tables
        """P(class | x), shape (rows, classes)."""
        return np.exp(self.predict_log_proba(X))

    def predict(self, X: Any) -> NDArray[Any]:  # Any: labels of any type
        """The most probable label of each row, shape (rows,)."""
        winners = self.predict_joint_log_proba(X).argmax(axis=1)
        return np.asarray(self.classes_[winners])
