"""Gaussian naive Bayes from the moments of each class."""

from typing import Any, Self

import numpy as np
from sklearn.utils.multiclass import check_classification_targets

from groundswell.errors import FitError
from groundswell.estimators._bayes_classifier import BayesClassifier, class_probabilities
from groundswell.estimators._input import fit_input
from groundswell.estimators._labels import observed_classes
from groundswell.estimators._row_errors import require_complete, require_finite
from groundswell.estimators._transform import matrix
from groundswell.statistics import Batch, ClassMoments, ClassMomentsResult
from groundswell.statistics._matrix import Floats


class GaussianNB(BayesClassifier):
    """Naive Bayes for continuous features: within a class each is normal and independent of the others.

    One pass sums the moments of each class; labels need not be known before. Without a conjugate prior means and
    variances are those of maximum likelihood (MLE); with one, those of the mode of their joint posterior (MAP).

    Args:
        priors: the probability of each class, in sorted order of the labels; None takes their shares (MLE).
        var_smoothing: this share of the largest variance of all features is added to all variances.
        conjugate_prior: (m, kappa, a, b) of a normal-inverse-gamma prior, the same in each class: the variance has an
            inverse gamma distribution of shape a and scale b, and the mean is normal around m with the variance over
            kappa. Each is a number or has the shape (features,). None is maximum likelihood.

    Attributes:
        classes_: the labels, sorted. class_prior_, class_count_: shape (classes,).
        theta_, var_: mean and variance of each feature in each class, shape (classes, features).
        epsilon_: what was added to the variances.

    References:
        Hastie, Tibshirani, Friedman, The Elements of Statistical Learning, 2nd edition, section 6.6.3.
        Murphy, Machine learning: a probabilistic perspective (2012), section 4.6.3 (the conjugate prior).

    >>> model = GaussianNB().fit(np.array([[-1.0], [-2.0], [1.0], [2.0]]), np.array(["a", "a", "b", "b"]))
    >>> model.predict(np.array([[-0.8]])).tolist()
    ['a']
    """

    def __init__(
        self, *, priors: Any = None, var_smoothing: float = 1e-9, conjugate_prior: Any = None
    ) -> None:  # Any: array-likes
        self.priors, self.var_smoothing, self.conjugate_prior = priors, var_smoothing, conjugate_prior

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
        seen = data.fold(ClassMoments())
        classes = seen.result()
        require_complete(classes.dropped, "the label")
        self.classes_ = observed_classes(classes.classes, least=1)
        require_complete(max(float(one.missing.max()) for one in seen.groups.result().values()), "X")
        self.class_count_ = classes.weight[:, 0]
        self.class_prior_ = class_probabilities(self.class_count_, self.classes_, self.priors)
        mean, variance = _of_all(classes)
        require_finite(mean, variance)
        largest = float(variance.max(initial=0.0))
        self.epsilon_ = self.var_smoothing * (largest if largest > 0 else 1.0)  # one row has no variance
        self.theta_, variances = self._estimated(classes.weight, classes.mean, classes.scatter)
        self.var_ = variances + self.epsilon_
        return self

    def _estimated(self, weight: Floats, mean: Floats, scatter: Floats) -> tuple[Floats, Floats]:
        """The mean and the variance of each class: those of the rows, or the mode of their posterior."""
        if self.conjugate_prior is None:
            return mean, scatter / weight
        m, kappa, a, b = (np.asarray(value, np.float64) for value in self.conjugate_prior)
        if not ((kappa > 0) & (a > 0) & (b > 0)).all() or any(
            v.shape not in ((), mean.shape[1:]) for v in (m, kappa, a, b)
        ):
            raise FitError(
                f"The conjugate prior is {self.conjugate_prior!r}.",
                why="It is (m, kappa, a, b): a mean, and three positive numbers; each may have one value per feature.",
                fix="For example (0.0, 1.0, 2.0, 1.0), or None for maximum likelihood.",
            )
        total = kappa + weight
        squares = 2 * b + scatter + kappa * weight / total * (mean - m) ** 2
        return (kappa * m + weight * mean) / total, squares / (2 * a + weight + 3)

    def _joint(self, batch: Batch) -> Floats:
        x, columns = matrix(batch), []
        for mean, variance, prior in zip(self.theta_, self.var_, self.class_prior_, strict=True):
            with np.errstate(divide="ignore"):
                constant = np.log(prior) - 0.5 * np.log(2 * np.pi * variance).sum()
            columns.append(constant - 0.5 * ((x - mean) ** 2 / variance).sum(axis=1))
        return np.column_stack(columns)


def _of_all(classes: ClassMomentsResult) -> tuple[Floats, Floats]:
    """The mean and the variance of the rows of all classes together."""
    shares = classes.weight / classes.weight.sum(axis=0)
    with np.errstate(invalid="ignore", over="ignore"):  # infinite values are told of afterwards
        mean = (shares * classes.mean).sum(axis=0)
        within = (classes.scatter / classes.weight.sum(axis=0)).sum(axis=0)
        return mean, within + (shares * np.square(classes.mean - mean)).sum(axis=0)
