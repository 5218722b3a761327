"""Linear models by gradient descent: batch, stochastic or mini-batch, with learning schedules."""

from typing import Any, Literal, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import Tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets

from groundswell.errors import FitError
from groundswell.estimators._descent import Descent
from groundswell.estimators._descent_losses import Hinge, Huber, SlopedLoss
from groundswell.estimators._descent_settings import fit_descent, loss_among, one_epoch
from groundswell.estimators._input import fit_input
from groundswell.estimators._labels import coded, with_coded_labels
from groundswell.estimators._linear_classifier import LinearClassifier
from groundswell.estimators._linear_model import linear_predictions
from groundswell.estimators._score import Regressor
from groundswell.statistics import LOSSES
from groundswell.statistics._matrix import Floats

LearningRate = Literal["constant", "invscaling", "optimal", "adaptive", "step", "exponential"]
Penalty = Literal["l2", "l1", "elasticnet"]

CLASSIFICATION: dict[str, SlopedLoss] = {
    "hinge": Hinge(),
    "log_loss": LOSSES["logistic"],
    "squared_hinge": LOSSES["squared_hinge"],
}


class SGDClassifier(LinearClassifier):
    """A linear classifier by gradient descent on Σ w ℓ / n + α ((1 − ρ) ‖w‖² / 2 + ρ ‖w‖₁).

    Three kinds of descent: `batch_size=1` is stochastic, a number takes that many rows for each step (mini-batch), and
    None all of them (batch). Rows are read in the order of their source and shuffled in blocks of `shuffle_rows`, so
    that for a seed the result is the same for arrays, tables and streams, however they are cut into parts.
    A table that is sorted by its label is to be shuffled beforehand.

    More than two classes are learned each against the others, side by side. Features should have about unit size:
    put `StandardScaler` before it.

    Args:
        loss: "hinge" (a linear support vector machine), "log_loss" (logistic regression) or "squared_hinge", whose
            slope has no bound: it needs shorter steps than those of "optimal".
        penalty: "l2", "l1", "elasticnet", or None.
        alpha: α. l1_ratio: ρ of "elasticnet".
        fit_intercept: whether to learn b, which is not penalized.
        batch_size: rows of a step: 1, more, or None for all.
        max_iter: epochs at most. tol: an epoch that lowers the loss by less brings no gain; None runs all epochs.
        n_iter_no_change: after so many epochs without gain it ends.
        shuffle: whether rows are shuffled before each epoch. shuffle_rows: those of a block, which is held in memory.
        learning_rate: η of step t in epoch e, from 0: "constant" η₀; "invscaling" η₀ / t^power_t; "optimal"
            1 / (α (t₀ + t)), by Bottou; "adaptive" η₀, divided by 5 when there is no gain, instead of ending; "step"
            η₀ · decay^⌊e / decay_epochs⌋; "exponential" η₀ · exp(−decay · e).
        eta0: η₀. power_t, decay, decay_epochs: of the schedules.
        early_stopping: whether the loss of rows held out tells when to end.
        validation_fraction: the share of rows that are.
        average: whether the result is the mean over all steps (Polyak–Ruppert); a number: from that step on.
        random_state: seed or generator of the shuffles.

    Attributes:
        classes_: the labels, sorted.
        coef_: shape (1, features) for two classes, (classes, features) for more. intercept_: shape (1,) or (classes,).
        n_iter_: epochs. t_: steps. loss_curve_: the mean loss of each epoch, without the penalty.
        n_features_in_, feature_names_in_: what it was fitted on.

    References:
        Bottou: Stochastic gradient descent tricks (2012). Polyak, Juditsky: Acceleration of stochastic approximation by
        averaging, SIAM J. Control Optim. 30 (1992).

    >>> X, y = np.array([[-2.0], [-1.0], [1.0], [2.0]]), np.array(["no", "no", "yes", "yes"])
    >>> SGDClassifier(random_state=0).fit(X, y).predict(np.array([[-3.0], [0.8]])).tolist()
    ['no', 'yes']
    """

    def __init__(  # one parameter for each of scikit-learn's names, which get_params needs
        self,
        loss: Literal["hinge", "log_loss", "squared_hinge"] = "hinge",
        *,
        penalty: Penalty | None = "l2",
        alpha: float = 1e-4,
        l1_ratio: float = 0.15,
        fit_intercept: bool = True,
        batch_size: int | None = 1,
        max_iter: int = 1000,
        tol: float | None = 1e-3,
        n_iter_no_change: int = 5,
        shuffle: bool = True,
        shuffle_rows: int = 65_536,
        learning_rate: LearningRate = "optimal",
        eta0: float = 0.01,
        power_t: float = 0.5,
        decay: float = 0.5,
        decay_epochs: int = 10,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        average: bool | int = False,
        random_state: Any = None,  # Any: an int, a generator of NumPy or None
    ) -> None:
        self.loss, self.penalty, self.alpha, self.l1_ratio = loss, penalty, alpha, l1_ratio
        self.fit_intercept, self.batch_size, self.max_iter, self.tol = fit_intercept, batch_size, max_iter, tol
        self.n_iter_no_change, self.shuffle, self.shuffle_rows = n_iter_no_change, shuffle, shuffle_rows
        self.learning_rate, self.eta0, self.power_t = learning_rate, eta0, power_t
        self.decay, self.decay_epochs, self.early_stopping = decay, decay_epochs, early_stopping
        self.validation_fraction, self.average, self.random_state = validation_fraction, average, random_state

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:  # Any: array-likes and tables
        """Descend until there is no more gain.

        Args:
            X: shape (rows, features), sparse too, or a table.
            y: labels of any type, shape (rows,); with a table the name of its label column.
            sample_weight: shape (rows,), or the name of a column: factors of the gradients of the rows.

        Raises:
            FitError: a setting is none, there are no rows, one class only, a missing value, or the descent diverges.
            ColumnNotFoundError, TypeMismatchError: a column is not there, or holds no numbers.
        """
        self._loss()
        given = fit_input(self, X, y, sample_weight, needs_y=True, accept_sparse=True)
        self.classes_, data = with_coded_labels(given)
        self._keep(fit_descent(self, data, 1 if len(self.classes_) == 2 else len(self.classes_)))
        return self

    def partial_fit(
        self,
        X: Any,  # Any: array-likes and tables
        y: Any = None,
        classes: Any = None,
        sample_weight: Any = None,
    ) -> Self:
        """One epoch over these rows, going on from where it is. Arguments as for `fit`.

        Args:
            X: shape (rows, features), sparse too, or a table.
            y: labels, all among the classes.
            classes: all labels that will ever come; needed in the first call.
            sample_weight: as for `fit`.

        Raises:
            FitError: classes are not given in the first call, or others later; and as for `fit`.
        """
        first = not hasattr(self, "_state")
        if first and classes is None:
            raise FitError(
                "classes must be passed on the first call to partial_fit.",
                why="Later rows may have labels that these do not have.",
                fix="Name all: partial_fit(X, y, classes=['no', 'yes']).",
            )
        if classes is not None and not first and not np.array_equal(np.unique(classes), self.classes_):
            raise FitError(
                f"classes={list(classes)} is not the same as on last call to partial_fit, {self.classes_.tolist()}.",
                fix="Leave classes out after the first call.",
            )
        data = fit_input(self, X, y, sample_weight, needs_y=True, accept_sparse=True, reset=first)
        if y is not None and not isinstance(y, str):
            check_classification_targets(y)
        if first:
            self.classes_ = np.unique(classes)
        n_functions = 1 if len(self.classes_) == 2 else len(self.classes_)
        self._keep(one_epoch(self, coded(data, self.classes_, one_hot=n_functions > 1), n_functions))
        return self

    def _loss(self) -> SlopedLoss:
        return loss_among(self.loss, CLASSIFICATION)

    def _keep(self, descent: Descent) -> None:
        W, b = descent.solution
        self.coef_, self.intercept_ = W.T.copy(), b.copy()
        self._state, self.t_ = descent.state(), descent.t

    @available_if(lambda estimator: estimator.loss == "log_loss")  # type: ignore[untyped-decorator]  # sklearn is untyped
    def predict_proba(self, X: Any) -> Floats:  # Any: array-likes and tables
        """P(class | x), shape (rows, classes); of more than two classes those of each against the others, normalized.

        Only with loss="log_loss".

        Raises:
            sklearn.exceptions.NotFittedError: it is not fitted.
            ColumnNotFoundError: a table lacks a feature.
        """
        p = 0.5 * (1 + np.tanh(0.5 * self.decision_function(X)))
        if p.ndim == 1:
            return np.column_stack([1 - p, p])
        total = p.sum(axis=1, keepdims=True)
        return np.asarray(np.divide(p, total, out=np.full_like(p, 1 / p.shape[1]), where=total > 0))


class SGDRegressor(Regressor, BaseEstimator):  # type: ignore[misc]  # sklearn is untyped
    """Linear regression by gradient descent on Σ w ℓ / n + α ((1 − ρ) ‖w‖² / 2 + ρ ‖w‖₁).

    The kinds of descent, the schedules and the order of the rows are those of `SGDClassifier`.

    Args:
        loss: "squared_error" (½ r²) or "huber" (quadratic up to epsilon, linear beyond).
        penalty, alpha, l1_ratio, fit_intercept, batch_size, max_iter, tol, n_iter_no_change, shuffle, shuffle_rows,
        learning_rate, eta0, power_t, decay, decay_epochs, early_stopping, validation_fraction, average, random_state:
            as for `SGDClassifier`. A step takes 32 rows if nothing else is said: squares have slopes without bound,
            and steps of single rows diverge unless features have unit size.
        epsilon: of "huber", in units of y.

    Attributes:
        coef_: shape (features,). intercept_: shape (1,).
        n_iter_: epochs. t_: steps. loss_curve_: the mean loss of each epoch, without the penalty.
        n_features_in_, feature_names_in_: what it was fitted on.

    References:
        Bottou: Stochastic gradient descent tricks (2012).

    >>> X = np.linspace(-1, 1, 100)[:, None]
    >>> model = SGDRegressor(eta0=0.5, alpha=0, tol=1e-6, random_state=0).fit(X, 3 * X[:, 0] + 1)
    >>> model.coef_.round(1).tolist(), model.intercept_.round(1).tolist()
    ([3.0], [1.0])
    """

    def __init__(  # one parameter for each of scikit-learn's names, which get_params needs
        self,
        loss: Literal["squared_error", "huber"] = "squared_error",
        *,
        penalty: Penalty | None = "l2",
        alpha: float = 1e-4,
        l1_ratio: float = 0.15,
        fit_intercept: bool = True,
        epsilon: float = 0.1,
        batch_size: int | None = 32,
        max_iter: int = 1000,
        tol: float | None = 1e-3,
        n_iter_no_change: int = 5,
        shuffle: bool = True,
        shuffle_rows: int = 65_536,
        learning_rate: LearningRate = "invscaling",
        eta0: float = 0.05,
        power_t: float = 0.25,
        decay: float = 0.5,
        decay_epochs: int = 10,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        average: bool | int = False,
        random_state: Any = None,  # Any: an int, a generator of NumPy or None
    ) -> None:
        self.loss, self.penalty, self.alpha, self.l1_ratio, self.epsilon = loss, penalty, alpha, l1_ratio, epsilon
        self.fit_intercept, self.batch_size, self.max_iter, self.tol = fit_intercept, batch_size, max_iter, tol
        self.n_iter_no_change, self.shuffle, self.shuffle_rows = n_iter_no_change, shuffle, shuffle_rows
        self.learning_rate, self.eta0, self.power_t = learning_rate, eta0, power_t
        self.decay, self.decay_epochs, self.early_stopping = decay, decay_epochs, early_stopping
        self.validation_fraction, self.average, self.random_state = validation_fraction, average, random_state

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:  # Any: array-likes and tables
        """Descend until there is no more gain.

        Args:
            X: shape (rows, features), sparse too, or a table.
            y: numbers, shape (rows,); with a table the name of its label column.
            sample_weight: shape (rows,), or the name of a column: factors of the gradients of the rows.

        Raises:
            FitError: a setting is none, there are no rows, a missing value, or the descent diverges.
            ColumnNotFoundError, TypeMismatchError: a column is not there, or holds no numbers.
        """
        self._loss()
        given = fit_input(self, X, y, sample_weight, needs_y=True, numeric_y=True, accept_sparse=True)
        self._keep(fit_descent(self, given, 1))
        return self

    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:  # Any: array-likes and tables
        """One epoch over these rows, going on from where it is. Arguments and errors as for `fit`."""
        reset = not hasattr(self, "_state")
        data = fit_input(self, X, y, sample_weight, needs_y=True, numeric_y=True, accept_sparse=True, reset=reset)
        self._keep(one_epoch(self, data, 1))
        return self

    def _loss(self) -> SlopedLoss:
        if not self.epsilon > 0:
            raise FitError(f"epsilon is {self.epsilon!r}.", fix="Use a number above zero.")
        return loss_among(self.loss, {"squared_error": LOSSES["squared"], "huber": Huber(self.epsilon)})

    def _keep(self, descent: Descent) -> None:
        W, b = descent.solution
        self.coef_, self.intercept_ = W[:, 0].copy(), b.copy()
        self._state, self.t_ = descent.state(), descent.t

    def predict(self, X: Any) -> Floats:  # Any: array-likes and tables
        """Xw + b, shape (rows,).

        Raises:
            sklearn.exceptions.NotFittedError: it is not fitted.
            ColumnNotFoundError: a table lacks a feature.
        """
        return linear_predictions(self, X, accept_sparse=True)
