"""Summaries of fitted models as statisticians expect them: coefficients with their errors, and the quality of the fit.

A row of weight w counts as w rows, so the number of observations is the sum of the weights.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats
from scipy.stats.distributions import rv_frozen

from groundswell.statistics._matrix import Floats


@dataclass(frozen=True, kw_only=True)
class CoefficientTable:
    """Coefficients and how sure they are.

    Attributes:
        terms: names, "intercept" first if there is one; shape (terms,).
        estimates: shape (terms,).
        standard_errors: shape (terms,); NaN where the features are dependent or no degrees of freedom are left.
        residual_df: degrees of freedom of Student's t; None for the normal distribution.
    """

    terms: tuple[str, ...]
    estimates: Floats
    standard_errors: Floats
    residual_df: float | None

    @property
    def statistics(self) -> Floats:
        """t or z: estimates over their standard errors."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(self.estimates / self.standard_errors)

    @property
    def p_values(self) -> Floats:
        """Two-sided: how probable such an estimate would be if the coefficient were zero."""
        return np.asarray(2 * self._distribution.sf(np.abs(self.statistics)))

    def confidence_intervals(self, level: float = 0.95) -> Floats:
        """Lower and upper bounds, shape (terms, 2)."""
        width = self._distribution.ppf(0.5 + level / 2) * self.standard_errors
        return np.column_stack([self.estimates - width, self.estimates + width])

    @property
    def _distribution(self) -> rv_frozen:
        return stats.norm() if self.residual_df is None else stats.t(self.residual_df)

    def to_pandas(self, level: float = 0.95) -> pd.DataFrame:
        """One row per term: estimate, standard error, statistic, p-value and confidence interval."""
        lower, upper = self.confidence_intervals(level).T
        columns = {
            "estimate": self.estimates,
            "standard_error": self.standard_errors,
            "z" if self.residual_df is None else "t": self.statistics,
            "p_value": self.p_values,
            "lower": lower,
            "upper": upper,
        }
        return pd.DataFrame(columns, index=pd.Index(self.terms, name="term"))


@dataclass(frozen=True, kw_only=True)
class LinearSummary:
    """What a linear regression says of one target.

    Attributes:
        coefficients: the table of coefficients.
        n_observations: Σ w.
        residual_df: observations less parameters.
        r2, adjusted_r2: share of the variance explained; around zero if there is no intercept.
        residual_variance: of the errors, unbiased.
        f_statistic, f_p_value: of all slopes together.
        log_likelihood: of normal errors of the most likely variance.
        aic, bic: −2 log-likelihood plus 2, or log n, for each coefficient.
    """

    coefficients: CoefficientTable
    n_observations: float
    residual_df: float
    r2: float
    adjusted_r2: float
    residual_variance: float
    f_statistic: float
    f_p_value: float
    log_likelihood: float
    aic: float
    bic: float

    def __str__(self) -> str:
        return (
            f"{self.coefficients.to_pandas()}\n\n"
            f"{self.n_observations:g} observations, {self.residual_df:g} degrees of freedom; "
            f"R² {self.r2:.4f}, adjusted {self.adjusted_r2:.4f}; F {self.f_statistic:.4g} (p {self.f_p_value:.3g}); "
            f"AIC {self.aic:.6g}, BIC {self.bic:.6g}"
        )


@dataclass(frozen=True, kw_only=True)
class GeneralizedLinearSummary:
    """What a generalized linear model says.

    Attributes:
        coefficients: the table of coefficients, with z.
        n_observations: Σ w.
        residual_df: observations less parameters.
        dispersion: φ: Pearson's χ² over the degrees of freedom; 1 for binomial and Poisson.
        deviance, null_deviance: of the model, and of one with an intercept only.
        pearson: Pearson's χ².
        log_likelihood: at φ.
        aic, bic: −2 log-likelihood plus 2, or log n, for each coefficient.
    """

    coefficients: CoefficientTable
    n_observations: float
    residual_df: float
    dispersion: float
    deviance: float
    null_deviance: float
    pearson: float
    log_likelihood: float
    aic: float
    bic: float

    def __str__(self) -> str:
        return (
            f"{self.coefficients.to_pandas()}\n\n"
            f"{self.n_observations:g} observations, {self.residual_df:g} degrees of freedom; dispersion "
            f"{self.dispersion:.4g}; deviance {self.deviance:.6g}, of the mean {self.null_deviance:.6g}; "
            f"AIC {self.aic:.6g}, BIC {self.bic:.6g}"
        )


def linear_summary(
    *,
    terms: tuple[str, ...],
    estimates: Floats,
    errors_per_variance: Floats,
    weight: float,
    residual: float,
    total: float,
) -> LinearSummary:
    """The summary from sums of squares.

    Args:
        terms: names, "intercept" first if there is one.
        estimates: shape (terms,).
        errors_per_variance: standard errors for a residual variance of 1, shape (terms,).
        weight: Σ w.
        residual: Σ w of the squared residuals.
        total: Σ w of the squared target, around its mean if there is an intercept.
    """
    k, intercept = len(terms), int("intercept" in terms[:1])
    df, slopes = weight - k, k - intercept
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.float64(residual) / df if df > 0 else np.float64(np.nan)
        r2 = 1 - np.float64(residual) / total
        f = np.float64(total - residual) / slopes / variance
        log_likelihood = -0.5 * weight * (np.log(2 * np.pi * np.float64(residual) / weight) + 1)
    table = CoefficientTable(
        terms=terms, estimates=estimates, standard_errors=errors_per_variance * np.sqrt(variance), residual_df=float(df)
    )
    return LinearSummary(
        coefficients=table,
        n_observations=weight,
        residual_df=float(df),
        r2=float(r2),
        adjusted_r2=float(1 - (weight - intercept) * variance / total) if total > 0 else float("nan"),
        residual_variance=float(variance),
        f_statistic=float(f),
        f_p_value=float(stats.f.sf(f, slopes, df)),
        log_likelihood=float(log_likelihood),
        aic=float(-2 * log_likelihood + 2 * k),
        bic=float(-2 * log_likelihood + np.log(weight) * k),
    )


def inverse_diagonal(information: Floats) -> Floats:
    """The diagonal of the inverse, shape (terms,); NaN if the matrix is singular to rounding."""
    lengths = np.sqrt(np.diagonal(information))
    if not (lengths > 0).all():
        return np.full(len(lengths), np.nan)
    values, vectors = np.linalg.eigh(information / np.outer(lengths, lengths))
    if values[0] <= values[-1] * len(values) * np.finfo(np.float64).eps:
        return np.full(len(lengths), np.nan)
    return np.asarray((vectors**2 / values).sum(axis=1) / lengths**2)
