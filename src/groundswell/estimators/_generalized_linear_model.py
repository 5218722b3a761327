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
from groundswell.estimators._summary import CoefficientTable, GeneralizedLinearSummary, inverse_diagonal
from groundswell.statistics import CrossProductResult
from groundswell.statistics._matrix import Floats

FamilyName = Literal["gaussian", "binomial", "poisson", "gamma"]
LinkName = Literal["identity", "log", "logit", "inverse"]


class GeneralizedLinearModel(Regressor, BaseEstimator):  # type: ignore[misc]  # sklearn is untyped
    """A generalized linear model, E[y] = g⁻¹(Xw + b) with y of an exponential family, of greatest likelihood.

    It is found by Fisher scoring, also known as iteratively reweighted least squares: a first pass for the means and
    deviations, one for each step, and one for the likelihood at the end. Of dependent features it takes the solution
    of smallest norm in units of their deviations.

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

    def run(self) -> None:
        """Fit, and set what was learned."""
        model = self.model
        theta, found, n_iter = self._score(*self._start())
        k = int(self.free.sum())
        df = found.weight - k
        dispersion = 1.0
        if self.family.dispersed:
            dispersion = found.pearson / df if df > 0 else float("nan")
        model.coef_ = theta[1:] / self.scale
        model.intercept_ = float(theta[0] - model.coef_ @ self.center)
        model.standard_errors_ = np.sqrt(dispersion * self._variances(found.information))
        model.weight_, model.dispersion_ = found.weight, dispersion
        model.deviance_, model.pearson_ = found.deviance, found.pearson
        model.null_deviance_ = self._null_deviance()
        model.log_likelihood_ = found.log_likelihood
        if self.family.dispersed:  # the likelihood needs φ, and φ the fitted means
            usable = np.isfinite(dispersion) and dispersion > 0
            model.log_likelihood_ = self._sums(theta, dispersion).log_likelihood if usable else float("nan")
        model.n_iter_, model.n_passes_ = n_iter, self.passes

    def _sums(self, theta: Floats, dispersion: float = 1.0) -> ScoringResult:
        self.passes += 1
        statistic = ScoringSums(self.model.family, self.link, theta, self.center, self.scale, dispersion)
        return self.data.fold(statistic).result()

    def _start(self) -> tuple[Floats, ScoringResult]:
        """The mean for all rows; without an intercept the least squares of a constant predictor."""
        mean, theta = float(self.sums.y_mean[0]), np.zeros(len(self.free))
        inside = mean if self.link in ("identity", "inverse") else None
        with np.errstate(all="ignore"):
            eta = float(LINKS[self.link].of(np.array([mean]))[0])
        if self.model.fit_intercept:
            theta[0] = eta if np.isfinite(eta) else 0.0
        elif inside is not None:
            raw = around_origin(self.sums).xx / np.outer(self.scale, self.scale) / self.sums.weight
            theta[1:] = np.linalg.lstsq(raw, self.sums.x_mean / self.scale * eta)[0]
        found = self._sums(theta)
        if not np.isfinite(found.deviance):
            raise FitError(
                f"The {self.link} link gives means that the {self.model.family} family has not, from the start.",
                why=f"A mean of the {self.model.family} family {self.family.rule}.",
                fix="Use the family's own link (link=None), or fit an intercept.",
                link=self.link,
                family=self.model.family,
            )
        return theta, found

    def _score(self, theta: Floats, found: ScoringResult) -> tuple[Floats, ScoringResult, int]:
        for iteration in range(1, self.model.max_iter + 1):
            information = found.information[np.ix_(self.free, self.free)]
            step = np.zeros_like(theta)
            step[self.free] = np.linalg.lstsq(information, found.score[self.free], rcond=1e-13)[0]
            share = 1.0
            while True:
                tried = self._sums(theta + share * step)
                rounding = 1e-13 * (abs(found.deviance) + 1e-300)
                if tried.deviance <= found.deviance + rounding or share < 1e-6:
                    break
                share /= 2
            if not tried.deviance <= found.deviance + rounding:
                return theta, found, iteration
            change = found.deviance - tried.deviance
            theta, found = theta + share * step, tried
            if abs(change) <= self.model.tol * (abs(found.deviance) + self.model.tol):
                return theta, found, iteration
        warnings.warn(
            f"Fisher scoring did not reach tol={self.model.tol:g} in {self.model.max_iter} steps. Raise max_iter; "
            "classes that can be told apart without error have no finite optimum.",
            ConvergenceWarning,
            stacklevel=5,
        )
        return theta, found, self.model.max_iter

    def _variances(self, information: Floats) -> Floats:
        """Var(θ) / φ of the coefficients of the features as they are."""
        p = len(self.center)
        back = np.zeros((p + 1, p + 1))  # the terms as they are, from those of scaled features
        back[0, 0] = 1
        back[0, 1:] = -self.center / self.scale
        back[1:, 1:] = np.diag(1 / self.scale)
        chosen = information[np.ix_(self.free, self.free)]
        if np.isnan(inverse_diagonal(chosen)).any():
            return np.full(len(chosen), np.nan)
        back = back[np.ix_(self.free, self.free)]
        return np.asarray(np.einsum("ij,ji->i", back, np.linalg.solve(chosen, back.T)))

    def _null_deviance(self) -> float:
        """Of the mean for all rows."""
        mean = float(self.sums.y_mean[0])
        constant = np.zeros(len(self.free))
        with np.errstate(all="ignore"):
            constant[0] = LINKS[self.link].of(np.array([mean]))[0]
        return self._sums(constant).deviance if np.isfinite(constant[0]) else float("nan")
