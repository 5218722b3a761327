"""Logistic regression and softmax regression from gradient sums."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from groundswell.estimators._input import fit_input
from groundswell.estimators._labels import labeled
from groundswell.estimators._linear_classifier import LinearClassifier, Solver, minimize_classifier
from groundswell.statistics import Softmax


class LogisticRegression(LinearClassifier):
    """Logistic regression of two classes, and softmax (multinomial) regression of more.

    It minimizes C Σ w ℓ + (1 − ρ) ‖w‖² / 2 + ρ ‖w‖₁ with the log loss ℓ, which is scikit-learn's function. A first pass
    over the rows finds the labels and the size of the features; each step is one more. The intercept is not penalized.

    Spark minimizes the mean loss plus λ (α ‖w‖₁ + (1 − α) ‖w‖² / 2) on features divided by their deviations (ddof 1):
    on such features its regParam λ and elasticNetParam α are C = 1/(nλ) and l1_ratio = α.

    Args:
        C: inverse strength of the penalty, above zero; infinite for none.
        l1_ratio: ρ, from 0 (squares) to 1 (absolute values).
        fit_intercept: whether to learn b.
        solver: "newton" (few passes, (features × classes)² memory; a proximal Newton method where ρ > 0), "lbfgs" (more
            passes, little memory), or "auto": Newton's method up to 500 coefficients.
        max_iter: steps at most.
        tol: it ends when the mean loss with the penalty is estimated to be this close to its minimum.

    Attributes:
        classes_: the labels, sorted.
        coef_: shape (1, features) for two classes, (classes, features) for more. intercept_: shape (1,) or (classes,).
        n_iter_: steps. n_passes_: passes over the rows.
        n_features_in_, feature_names_in_: what it was fitted on.

    References:
        Hastie, Tibshirani, Friedman: The elements of statistical learning, 2nd edition (2009), section 4.4.

    >>> tumors = np.array([[330.0], [120.0], [400.0]])
    >>> model = LogisticRegression().fit(tumors, np.array(["bad", "good", "bad"]))
    >>> model.predict(np.array([[100.0], [500.0]])).tolist()
    ['good', 'bad']
    """

    def __init__(
        self,
        C: float = 1.0,
        *,
        l1_ratio: float = 0.0,
        fit_intercept: bool = True,
        solver: Solver = "auto",
        max_iter: int = 100,
        tol: float = 1e-10,
    ) -> None:
        self.C = C
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.solver = solver
        self.max_iter = max_iter
        self.tol = tol

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:  # Any: array-likes and tables
        """Learn from rows.

        Args:
            X: shape (rows, features), sparse too, or a table.
            y: labels of any type, shape (rows,); with a table the name of its label column.
            sample_weight: shape (rows,); with a table the name of its column of weights.

        Raises:
            FitError: a setting is none, there are no rows, one class only, or a missing value.
            ColumnNotFoundError, TypeMismatchError: a column is not there, or holds no numbers.
            ValueError: arrays that scikit-learn refuses.
        """
        data = fit_input(self, X, y, sample_weight, needs_y=True, accept_sparse=True)
        with data.cached() as kept:
            rows = labeled(kept)
            self.classes_ = rows.classes
            several = len(rows.classes) > 2
            loss = "softmax" if several else "logistic"
            minimize_classifier(self, rows, loss, C=self.C, l1_ratio=self.l1_ratio, symmetric=several)
        return self

    def predict_proba(self, X: Any) -> NDArray[np.float64]:  # Any: array-likes and tables
        """P(class | x), shape (rows, classes).

        Raises:
            sklearn.exceptions.NotFittedError: it is not fitted.
            ColumnNotFoundError: a table lacks a feature.
        """
        scores = self.decision_function(X)
        if scores.ndim == 1:
            scores = np.column_stack([np.zeros_like(scores), scores])
        return Softmax().probabilities(scores)

    def predict_log_proba(self, X: Any) -> NDArray[np.float64]:  # Any: array-likes and tables
        """log P(class | x), shape (rows, classes)."""
        scores = self.decision_function(X)
        if scores.ndim == 1:
            scores = np.column_stack([np.zeros_like(scores), scores])
        top = scores.max(axis=1, keepdims=True)
        return np.asarray(scores - top - np.log(np.exp(scores - top).sum(axis=1, keepdims=True)))
