"""Multinomial and Bernoulli naive Bayes from sums within classes."""

from typing import Any, Self

import numpy as np
from sklearn.utils import Tags
from sklearn.utils.multiclass import check_classification_targets

from groundswell.errors import FitError
from groundswell.estimators._bayes_classifier import (
    BayesClassifier,
    class_probabilities,
    log_products,
    logs,
    pseudo_counts,
)
from groundswell.estimators._class_sums import ClassSums, ClassSumsResult, above
from groundswell.estimators._input import fit_input
from groundswell.estimators._labels import observed_classes
from groundswell.estimators._row_errors import require_complete, require_finite
from groundswell.statistics import Batch
from groundswell.statistics._matrix import Floats


class MultinomialNB(BayesClassifier):
    """Naive Bayes for counts, such as those of words: a row of a class is drawn from a multinomial distribution.

    One pass sums the features of each class. The estimate of P(word | class) is the mode of its posterior under a
    Dirichlet(1 + alpha) prior (MAP), which is the mean under Dirichlet(alpha); alpha=0 is maximum likelihood (MLE).

    Args:
        alpha: pseudo-counts of each feature: a number, or shape (features,).
        fit_prior: whether the probabilities of the classes are learned; otherwise they are equal.
        class_prior: the probability of each class, in sorted order of the labels, if they are known.
        class_alpha: pseudo-counts of each class: a Dirichlet(1 + class_alpha) prior of the classes.

    Attributes:
        classes_: the labels, sorted. class_count_, class_prior_: shape (classes,).
        feature_count_: Σ w x, shape (classes, features).
        feature_log_prob_: log P(feature | class), shape (classes, features).
        n_features_in_, feature_names_in_: what it was fitted on.

    References:
        Manning, Raghavan, Schütze: Introduction to information retrieval (2008), section 13.2.

    >>> words = np.array([[2, 1, 0], [0, 1, 3]])
    >>> model = MultinomialNB().fit(words, np.array(["sport", "music"]))
    >>> model.predict(np.array([[1, 0, 0]])).tolist()
    ['sport']
    """

    _accepts_sparse = True

    def __init__(
        self, *, alpha: Any = 1.0, fit_prior: bool = True, class_prior: Any = None, class_alpha: float = 0.0
    ) -> None:  # Any: a number or array-likes
        self.alpha, self.fit_prior, self.class_prior, self.class_alpha = alpha, fit_prior, class_prior, class_alpha

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = tags.input_tags.positive_only = True
        tags.classifier_tags.poor_score = True  # the sizes of measurements, on which it is checked, are no counts
        return tags

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:  # Any: array-likes and tables
        """Sum the counts of each class.

        Args:
            X: counts, shape (rows, features), sparse too, or a table.
            y: labels of any type, shape (rows,); with a table the name of its label column.
            sample_weight: shape (rows,); with a table the name of its column of weights.

        Raises:
            FitError: there are no rows, a value is missing or negative, or a setting is none.
            ColumnNotFoundError, TypeMismatchError: a column is not there, or holds no numbers.
        """
        sums = _class_sums(self, X, y, sample_weight, ClassSums(), positive=True)
        if sums.minimum < 0:
            raise FitError(
                f"X has negative values, {sums.minimum:g} for one.",
                why="MultinomialNB draws words from an urn; there are no negative counts.",
                fix="Use GaussianNB for measurements, or put MinMaxScaler or KBinsDiscretizer before it.",
                minimum=sums.minimum,
            )
        alpha = pseudo_counts(self.alpha, "alpha", sums.total.shape[1])
        self.feature_count_ = sums.total
        smoothed = sums.total + alpha
        totals = smoothed.sum(axis=1, keepdims=True)
        uniform = np.full_like(smoothed, 1 / smoothed.shape[1])  # a class without any word tells nothing of words
        self._probabilities = np.divide(smoothed, totals, out=uniform, where=totals > 0)
        self.feature_log_prob_ = logs(self._probabilities)
        return self

    def _joint(self, batch: Batch) -> Floats:
        return log_products(batch.X, self._probabilities) + logs(self.class_prior_)


class BernoulliNB(BayesClassifier):
    """Naive Bayes for features that are there or not: within a class each is an independent Bernoulli variable.

    One pass counts. The estimate of P(feature | class) is the mode of its posterior under a Beta(1 + alpha, 1 + beta)
    prior (MAP), which is the mean under Beta(alpha, beta); alpha=0 is maximum likelihood (MLE).

    Args:
        alpha: pseudo-counts of rows with each feature: a number, or shape (features,).
        beta: pseudo-counts of rows without it; None takes alpha.
        binarize: values above it count as there. None takes X as it is, from 0 to 1.
        fit_prior, class_prior, class_alpha: as for `MultinomialNB`.

    Attributes:
        classes_: the labels, sorted. class_count_, class_prior_: shape (classes,).
        feature_count_: Σ w of the rows that have the feature, shape (classes, features).
        feature_log_prob_: log P(feature | class), shape (classes, features).
        n_features_in_, feature_names_in_: what it was fitted on.

    References:
        Manning, Raghavan, Schütze: Introduction to information retrieval (2008), section 13.3.

    >>> tosses = np.array([[1.0]] * 10 + [[0.0]] * 2)
    >>> coin = BernoulliNB(alpha=100).fit(tosses, np.full(12, "coin"))
    >>> np.exp(coin.feature_log_prob_).round(4).tolist() == [[round(110 / 212, 4)]]
    True
    """

    _accepts_sparse = True

    def __init__(
        self,
        *,
        alpha: Any = 1.0,  # Any: a number or an array-like
        beta: Any = None,
        binarize: float | None = 0.0,
        fit_prior: bool = True,
        class_prior: Any = None,
        class_alpha: float = 0.0,
    ) -> None:
        self.alpha, self.beta, self.binarize = alpha, beta, binarize
        self.fit_prior, self.class_prior, self.class_alpha = fit_prior, class_prior, class_alpha

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.classifier_tags.poor_score = True  # of measurements it sees only which are above the threshold
        return tags

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:  # Any: array-likes and tables
        """Count the rows of each class that have each feature.

        Args:
            X: shape (rows, features), sparse too, or a table.
            y: labels of any type, shape (rows,); with a table the name of its label column.
            sample_weight: shape (rows,); with a table the name of its column of weights.

        Raises:
            FitError: there are no rows, a value is missing or, with binarize=None, not from 0 to 1, or a setting is
                none.
            ColumnNotFoundError, TypeMismatchError: a column is not there, or holds no numbers.
        """
        sums = _class_sums(self, X, y, sample_weight, ClassSums(self.binarize))
        present, rows = sums.total, sums.weight[:, None]
        if sums.minimum < 0 or sums.maximum > 1:
            raise FitError(
                f"X has values from {sums.minimum:g} to {sums.maximum:g}.",
                why="With binarize=None a value says how much the feature is there, from 0 to 1.",
                fix="Set binarize to the value above which a feature counts as there.",
            )
        alpha = pseudo_counts(self.alpha, "alpha", present.shape[1])
        beta = alpha if self.beta is None else pseudo_counts(self.beta, "beta", present.shape[1])
        self.feature_count_ = present
        self._present = np.minimum((present + alpha) / (rows + alpha + beta), 1.0)
        self._absent = np.maximum(rows - present + beta, 0.0) / (rows + alpha + beta)
        self.feature_log_prob_ = logs(self._present)
        return self

    def _joint(self, batch: Batch) -> Floats:
        there = above(batch.X, self.binarize)
        if (self._absent > 0).all():
            absent = np.log(self._absent).sum(axis=1) - log_products(there, self._absent)
        else:  # where P(absent) is 0 the difference of logarithms is not defined
            values = there if isinstance(there, np.ndarray) else there.toarray()
            absent = log_products(1.0 - values, self._absent)
        return np.asarray(log_products(there, self._present) + absent + logs(self.class_prior_))


def _class_sums(
    estimator: Any, X: Any, y: Any, sample_weight: Any, statistic: ClassSums, *, positive: bool = False
) -> ClassSumsResult:  # Any: array-likes and tables, as in fit
    """The sums within classes; sets `classes_`, `class_count_` and `class_prior_`."""
    data = fit_input(estimator, X, y, sample_weight, needs_y=True, accept_sparse=True, positive=positive)
    if y is not None and not isinstance(y, str):
        check_classification_targets(y)
    sums = data.fold(statistic).result()
    require_complete(sums.unlabeled, "the label")
    require_finite(np.array([min(sums.minimum, 0.0), max(sums.maximum, 0.0)]))
    if np.isnan(sums.total).any():
        raise FitError("X has missing values.", fix="Put SimpleImputer before it in a pipeline.")
    estimator.classes_, estimator.class_count_ = observed_classes(sums.classes, least=1), sums.weight
    estimator.class_prior_ = class_probabilities(
        sums.weight,
        estimator.classes_,
        estimator.class_prior,
        learned=estimator.fit_prior,
        alpha=estimator.class_alpha,
    )
    return sums
