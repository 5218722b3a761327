"""How mixed counts of classes are: the impurities that decision trees reduce, and chi-square for their splits.

Plain functions over the last axis of an array of counts or sums of weights, so one call rates all splits of a tree.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from groundswell.statistics._matrix import Floats

__all__ = ["chi_square", "entropy", "gini", "impurity_decrease", "misclassification"]


def gini(counts: ArrayLike) -> Floats:
    """1 − Σ p²: how often two draws differ. Zero where there are no counts.

    References:
        Breiman, Friedman, Olshen, Stone: Classification and regression trees (1984), section 4.3. A factor ½ that some
        texts have is a convention that changes no tree.

    >>> float(gini([9, 5]).round(3))
    0.459
    """
    p = _shares(counts)
    impurity: Floats = _nonempty(counts) * (1 - (p * p).sum(axis=-1))
    return impurity


def entropy(counts: ArrayLike) -> Floats:
    """−Σ p log₂ p, in bits. Zero where there are no counts.

    References:
        Quinlan: Induction of decision trees, Machine Learning 1 (1986), section 4.

    >>> float(entropy([9, 5]).round(3))
    0.94
    """
    p = _shares(counts)
    bits: Floats = -(p * np.log2(np.where(p > 0, p, 1.0))).sum(axis=-1)
    return bits + 0.0  # no negative zero


def misclassification(counts: ArrayLike) -> Floats:
    """1 − max p: how often the majority class is wrong. Zero where there are no counts.

    >>> float(misclassification([9, 5]).round(3))
    0.357
    """
    impurity: Floats = _nonempty(counts) * (1 - _shares(counts).max(axis=-1))
    return impurity


def chi_square(table: ArrayLike) -> Floats:
    """Pearson's Σ (observed − expected)² / expected over the last two axes. Empty rows and columns add nothing.

    References:
        Kass: An exploratory technique for investigating large quantities of categorical data, Applied Statistics 29
        (1980): the CHAID tree.

    >>> float(chi_square([[6, 1], [3, 4]]).round(3))
    2.8
    """
    observed = np.asarray(table, np.float64)
    total = observed.sum(axis=(-2, -1), keepdims=True)
    margins = observed.sum(axis=-1, keepdims=True) * observed.sum(axis=-2, keepdims=True)
    expected = margins / np.where(total > 0, total, 1.0)
    terms = np.zeros(observed.shape)
    np.divide((observed - expected) ** 2, expected, out=terms, where=expected > 0)
    chi: Floats = terms.sum(axis=(-2, -1))
    return chi


def impurity_decrease(parts: ArrayLike, impurity: Callable[[ArrayLike], Floats] = gini) -> Floats:
    """The impurity of the whole less the weighted impurity of its parts; with the entropy, the information gain.

    Args:
        parts: counts of each part by class, shape (…, parts, classes).
        impurity: `gini`, `entropy`, `misclassification`, or a function like them.

    >>> float(impurity_decrease([[3, 4], [6, 1]], entropy).round(3))
    0.152
    """
    parts = np.asarray(parts, np.float64)
    weight = parts.sum(axis=-1)
    total = weight.sum(axis=-1, keepdims=True)
    within = (impurity(parts) * weight / np.where(total > 0, total, 1.0)).sum(axis=-1)
    decrease: Floats = impurity(parts.sum(axis=-2)) - within
    return decrease


def _shares(counts: ArrayLike) -> Floats:
    counts = np.asarray(counts, np.float64)
    total = counts.sum(axis=-1, keepdims=True)
    shares: Floats = counts / np.where(total > 0, total, 1.0)
    return shares


def _nonempty(counts: ArrayLike) -> Floats:
    present: Floats = (np.asarray(counts, np.float64).sum(axis=-1) > 0).astype(np.float64)
    return present
