"""Generalized linear models by Fisher scoring on sums."""

import warnings
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import Tags

from groundswell.errors import FitError, choices
from groundswell.estimators._families import FAMILIES, LINKS
from groundswell.estimators._input import Input, fit_input
from groundswell.estimators._least_squares import around_origin, normal_equations
from groundswell.estimators._linear_model import linear_predictions, term_names
from groundswell.estimators._score import Regressor
from groundswell.estimators._scoring import ScoringResult, ScoringSums
from groundswell.estimators._start_sample import start_sample
from groundswell.estimators._summary import CoefficientTable, GeneralizedLinearSummary, inverse_diagonal
from groundswell.statistics import CrossProductResult
from groundswell.statistics._matrix import Floats

FamilyName = Literal["gaussian", "binomial", "poisson", "gamma"]
LinkName = Literal["identity", "log", "logit", "inverse"]

_START_TOL = 1e-6
"""A sample is fitted until a step changes its deviance by less than this share: a start need not be nearer."""


class GeneralizedLinearModel(Regressor, BaseEstimator):  # type: ignore[misc]  # sklearn is untyped
    """A generalized linear model, E[y] = g⁻¹(Xw + b) with y of an exponential family, of greatest likelihood.

    It is found by Fisher scoring, also known as iteratively reweighted least squares: a first pass for the means and
    deviations, one for each step, and one each for the deviance of the mean and the likelihood of the model. Of many
    rows one more takes a sample, and one looks at its optimum, from where few steps are left. Of dependent features it
    takes the solution of smallest norm in units of their deviations.

    Args:
        family: "gaussian", "binomial" (y from 0 to 1), "poisson" or "gamma".
        link: "identity", "log", "logit" or "inverse"; None is the family's own: identity, logit, log, log.
        fit_intercept: whether to learn b.
        max_iter: steps at most.
        tol: it ends when a step changes the deviance by less than this share of it.

    Attributes:
        coef_: w, shape (features,). intercept_: b.
        deviance_, null_deviance_, pearson_, dispersion_, log_likelihood_: see `GeneralizedLinearSummary`.
        standard_errors_: of the intercept, if there is one, and the coefficients.
        weight_: Σ w. n_iter_: steps. n_passes_: passes over the rows.
        n_features_in_, feature_names_in_: what it was fitted on.

    References:
        McCullagh, Nelder: Generalized linear models, 2nd edition (1989), section 2.5.

    >>> X, y = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([1.0, 2.0, 4.0, 8.0])
    >>> GeneralizedLinearModel("poisson").fit(X, y).coef_.round(4)
    array([0.6931])
    """

    def __init__(
        self,
        family: FamilyName = "gaussian",
        *,
        link: LinkName | None = None,
        fit_intercept: bool = True,
        max_iter: int = 100,
        tol: float = 1e-10,
    ) -> None:
        self.family = family
        self.link = link
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.tol = tol

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:  # Any: array-likes and tables
        """Learn from rows.

        Args:
            X: shape (rows, features), or a table.
            y: shape (rows,); with a table the name of its label column.
            sample_weight: shape (rows,); with a table the name of its column of weights. A row of weight w counts as w
                rows.

        Raises:
            FitError: there are no rows, a value is missing, or no start has means of the family.
            DataError: a target is none of the family's.
            NotFoundError, ColumnNotFoundError, TypeMismatchError: a column is not there, or holds no numbers.
            ValueError: arrays that scikit-learn refuses.
        """
        link = self._checked_link()
        data = fit_input(self, X, y, sample_weight, needs_y=True, numeric_y=True)
        with data.cached() as kept:
            sums = normal_equations(kept)
            _Fit(self, kept, sums, link).run()
        return self

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.positive_only = self.family in ("poisson", "gamma")
        return tags

    def _checked_link(self) -> str:
        if self.family not in FAMILIES:
            raise FitError(f"There is no family {self.family!r}.", fix=choices(self.family, FAMILIES, "families"))
        link = self.link or FAMILIES[self.family].link
        if link not in LINKS:
            raise FitError(f"There is no link {link!r}.", fix=choices(link, LINKS, "links"))
        return link

    def predict(self, X: Any) -> NDArray[np.float64]:  # Any: array-likes and tables
        """The mean of the target, shape (rows,).

        Raises:
            sklearn.exceptions.NotFittedError: it is not fitted.
            ColumnNotFoundError: a table lacks a feature.
        """
        return LINKS[self._checked_link()].mean(linear_predictions(self, X))

    def summary(self) -> GeneralizedLinearSummary:
        """Coefficients with standard errors and tests, and the quality of the fit.

        Raises:
            sklearn.exceptions.NotFittedError: it is not fitted.
        """
        terms = term_names(self)
        estimates = np.append(self.intercept_, self.coef_) if self.fit_intercept else self.coef_
        k = len(terms)
        return GeneralizedLinearSummary(
            coefficients=CoefficientTable(
                terms=terms, estimates=estimates, standard_errors=self.standard_errors_, residual_df=None
            ),
            n_observations=self.weight_,
            residual_df=self.weight_ - k,
            dispersion=self.dispersion_,
            deviance=self.deviance_,
            null_deviance=self.null_deviance_,
            pearson=self.pearson_,
            log_likelihood=self.log_likelihood_,
            aic=-2 * self.log_likelihood_ + 2 * k,
            bic=-2 * self.log_likelihood_ + float(np.log(self.weight_)) * k,
        )


class _Fit:
    """One fit: Fisher scoring with halved steps, in features of mean 0 and deviation 1."""

    def __init__(self, model: GeneralizedLinearModel, data: Input, sums: CrossProductResult, link: str) -> None:
        self.model, self.data, self.sums, self.link = model, data, sums, link
        self.family = FAMILIES[model.family]
        p = len(sums.x_mean)
        self.center = sums.x_mean if model.fit_intercept else np.zeros(p)
        squares = np.diagonal(sums.xx if model.fit_intercept else around_origin(sums).xx)
        self.scale = np.where(squares > 0, np.sqrt(squares / sums.weight), 1.0)
        self.free = np.append(model.fit_intercept, np.ones(p, bool))
        self.passes = 1
        self.null_deviance = float("nan")

    def run(self) -> None:
        """Fit, and set what was learned."""
        model = self.model
        theta, found, n_iter, converged = self._score(self.data, *self._start(), model.tol)
        if not converged:
            advice = "Raise max_iter; classes that can be told apart without error have no finite optimum."
            if n_iter < model.max_iter:
                advice = "No step lowers the deviance: means are at the edge of the family's. Try its own link."
            warnings.warn(
                f"Fisher scoring did not reach tol={model.tol:g} in {n_iter} steps. {advice}",
                ConvergenceWarning,
                stacklevel=3,
            )
        df = found.weight - int(self.free.sum())
        dispersion = 1.0
        if self.family.dispersed:
            dispersion = found.pearson / df if df > 0 else float("nan")
        model.coef_ = theta[1:] / self.scale
        model.intercept_ = float(theta[0] - model.coef_ @ self.center)
        model.standard_errors_ = np.sqrt(dispersion * self._variances(found.information))
        model.weight_, model.dispersion_ = found.weight, dispersion
        model.deviance_, model.pearson_, model.null_deviance_ = found.deviance, found.pearson, self.null_deviance
        usable = np.isfinite(dispersion) and dispersion > 0
        last = self._sums(self.data, theta, step=False, dispersion=dispersion) if usable else None
        model.log_likelihood_ = float("nan") if last is None else last.log_likelihood
        model.n_iter_, model.n_passes_ = n_iter, self.passes

    def _sums(self, data: Input, theta: Floats, *, step: bool = True, dispersion: float | None = None) -> ScoringResult:
        self.passes += data is self.data
        statistic = ScoringSums(self.model.family, self.link, theta, self.center, self.scale, step, dispersion)
        return data.fold(statistic).result()

    def _start(self) -> tuple[Floats, ScoringResult]:
        """The optimum of a sample, if it is likelier than the mean for all rows; else that."""
        constant, theta = self._constant(), None
        few = start_sample(self.data)
        if few is not None:
            self.passes += 1
            on_few = self._sums(few, constant)
            if np.isfinite(on_few.deviance):
                theta, *_ = self._score(few, constant, on_few, _START_TOL)
        found = self._sums(self.data, constant, step=theta is None)
        mean = self._mean_alone()
        if mean is not None:
            alike = np.array_equal(mean, constant)
            self.null_deviance = (found if alike else self._sums(self.data, mean, step=False)).deviance
        if theta is not None:
            from_sample = self._sums(self.data, theta)
            if np.isfinite(from_sample.deviance) and not from_sample.deviance > found.deviance:
                return theta, from_sample
            found = self._sums(self.data, constant)
        if not np.isfinite(found.deviance):
            raise FitError(
                f"The {self.link} link gives means that the {self.model.family} family has not, from the start.",
                why=f"A mean of the {self.model.family} family {self.family.rule}.",
                fix="Use the family's own link (link=None), or fit an intercept.",
                link=self.link,
                family=self.model.family,
            )
        return constant, found

    def _constant(self) -> Floats:
        """Coefficients of the mean for all rows; without an intercept the least squares of a constant predictor."""
        theta, mean = np.zeros(len(self.free)), self._mean_alone()
        if self.model.fit_intercept:
            return theta if mean is None else mean
        if mean is not None and self.link in ("identity", "inverse"):
            raw = around_origin(self.sums).xx / np.outer(self.scale, self.scale) / self.sums.weight
            theta[1:] = np.linalg.lstsq(raw, self.sums.x_mean / self.scale * mean[0])[0]
        return theta

    def _mean_alone(self) -> Floats | None:
        """An intercept that gives the mean of y, and no slopes; None where the link has none."""
        theta = np.zeros(len(self.free))
        with np.errstate(all="ignore"):
            theta[0] = LINKS[self.link].of(np.array([float(self.sums.y_mean[0])]))[0]
        return theta if np.isfinite(theta[0]) else None

    def _score(
        self, data: Input, theta: Floats, found: ScoringResult, tol: float
    ) -> tuple[Floats, ScoringResult, int, bool]:
        """Steps from a start until one changes the deviance by less than a share of it; how many; whether one did."""
        for iteration in range(1, self.model.max_iter + 1):
            information = found.information[np.ix_(self.free, self.free)]
            if not np.isfinite(information).all():  # a mean has no variance
                return theta, found, iteration, False
            step = np.zeros_like(theta)
            step[self.free] = np.linalg.lstsq(information, found.score[self.free], rcond=1e-13)[0]
            share = 1.0
            while True:
                tried = self._sums(data, theta + share * step)
                rounding = 1e-13 * (abs(found.deviance) + 1e-300)
                better = tried.deviance <= found.deviance + rounding and np.isfinite(tried.information).all()
                if better or share < 1e-6:
                    break
                share /= 2
            if not better:
                return theta, found, iteration, False
            change = found.deviance - tried.deviance
            theta, found = theta + share * step, tried
            if abs(change) <= tol * (abs(found.deviance) + tol):
                return theta, found, iteration, True
        return theta, found, self.model.max_iter, False

    def _variances(self, information: Floats) -> Floats:
        """Var(θ) / φ of the coefficients of the features as they are."""
        p = len(self.center)
        back = np.zeros((p + 1, p + 1))  # the terms as they are, from those of scaled features
        back[0, 0] = 1
        back[0, 1:] = -self.center / self.scale
        back[1:, 1:] = np.diag(1 / self.scale)
        chosen = information[np.ix_(self.free, self.free)]
        if not np.isfinite(chosen).all() or np.isnan(inverse_diagonal(chosen)).any():
            return np.full(len(chosen), np.nan)
        back = back[np.ix_(self.free, self.free)]
        return np.asarray(np.einsum("ij,ji->i", back, np.linalg.solve(chosen, back.T)))
