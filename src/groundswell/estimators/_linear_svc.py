"""The linear support vector machine with the squared hinge loss, from gradient sums."""

from typing import Any, Self

from groundswell.estimators._input import fit_input
from groundswell.estimators._labels import labeled
from groundswell.estimators._linear_classifier import LinearClassifier, Solver, minimize_classifier


class LinearSVC(LinearClassifier):
    """A linear support vector machine: min ½ ‖w‖² + C Σ w max(0, 1 − s (xᵀw + b))², s = ±1 the class.

    Of more than two classes each is told from the rest, all of them in the same passes. The intercept is not penalized;
    scikit-learn's LinearSVC penalizes it, less so the larger its intercept_scaling.

    Args:
        C: inverse strength of the penalty, above zero.
        fit_intercept: whether to learn b.
        solver: "newton" (few passes, (features × classes)² memory), "lbfgs" (more passes, little memory), or "auto":
            Newton's method up to 500 coefficients.
        max_iter: steps at most.
        tol: it ends when the mean loss with the penalty is estimated to be this close to its minimum.

    Attributes:
        classes_: the labels, sorted.
        coef_: shape (1, features) for two classes, (classes, features) for more. intercept_: shape (1,) or (classes,).
        n_iter_: steps. n_passes_: passes over the rows.
        n_features_in_, feature_names_in_: what it was fitted on.

    References:
        Keerthi, DeCoste: A modified finite Newton method for fast solution of large scale linear SVMs, Journal of
        Machine Learning Research 6 (2005).

    >>> model = LinearSVC().fit([[-1.0], [1.0]], [0, 1])
    >>> model.coef_.round(3)
    array([[0.8]])
    """

    def __init__(
        self,
        C: float = 1.0,
        *,
        fit_intercept: bool = True,
        solver: Solver = "auto",
        max_iter: int = 100,
        tol: float = 1e-10,
    ) -> None:
        self.C = C
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
            rows = labeled(kept, one_hot=True)
            self.classes_ = rows.classes
            minimize_classifier(self, rows, "squared_hinge", C=self.C, l1_ratio=0.0, symmetric=False)
        return self
