"""Generalized linear models and summaries against statsmodels; a row of weight w counts as w rows in both."""

import warnings
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import statsmodels.api as sm
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError

from groundswell.errors import DataError, FitError
from groundswell.estimators import GeneralizedLinearModel, LinearRegression

pytestmark = pytest.mark.filterwarnings(  # of statsmodels: that an identity or inverse link allows means below zero
    "ignore::statsmodels.tools.sm_exceptions.DomainWarning"
)

_FAMILIES = {
    "gaussian": sm.families.Gaussian,
    "binomial": sm.families.Binomial,
    "poisson": sm.families.Poisson,
    "gamma": sm.families.Gamma,
}
_LINKS = {
    "identity": sm.families.links.Identity,
    "log": sm.families.links.Log,
    "logit": sm.families.links.Logit,
    "inverse": sm.families.links.InversePower,
}


def _data(family: str, link: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(4)
    X = rng.random((250, 3)) * [1.0, 10.0, 0.1] + [0.0, 5.0, 0.0]
    eta = 1.0 + X @ [0.5, 0.03, 2.0]
    if family == "binomial":
        eta = eta - 2.5 if link == "log" else eta - 1.5
    if link in ("identity", "inverse") and family == "binomial":
        eta = eta / 5
    mean = {"identity": eta, "log": np.exp(eta), "logit": 1 / (1 + np.exp(-eta)), "inverse": 1 / eta}[link]
    y = {
        "gaussian": lambda: mean + 0.3 * rng.standard_normal(250),
        "binomial": lambda: (rng.random(250) < np.clip(mean, 0, 1)).astype(float),
        "poisson": lambda: rng.poisson(mean).astype(float),
        "gamma": lambda: rng.gamma(3.0, mean / 3.0),
    }[family]()
    return X, y, rng.integers(0, 3, 250).astype(float)


@pytest.mark.parametrize(
    ("family", "link"),
    [
        ("gaussian", "identity"), ("gaussian", "log"), ("gaussian", "inverse"), ("binomial", "logit"),
        ("poisson", "log"), ("poisson", "identity"), ("gamma", "log"), ("gamma", "inverse"), ("gamma", "identity"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("weighted", [False, True])
def test_generalized_linear_models_are_statsmodels(family: Any, link: Any, weighted: bool) -> None:
    X, y, w = _data(family, link)
    ours = GeneralizedLinearModel(family, link=link, tol=1e-14).fit(X, y, w if weighted else None)
    theirs = sm.GLM(
        np.repeat(y, w.astype(int)) if weighted else y,
        sm.add_constant(np.repeat(X, w.astype(int), axis=0) if weighted else X),
        family=_FAMILIES[family](link=_LINKS[link]()),
    ).fit(tol=1e-13, maxiter=200)
    summary = ours.summary()
    table = summary.coefficients
    assert table.terms == ("intercept", "x0", "x1", "x2")
    np.testing.assert_allclose(table.estimates, theirs.params, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(table.standard_errors, theirs.bse, rtol=1e-5)
    np.testing.assert_allclose(table.statistics, theirs.tvalues, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(table.p_values, theirs.pvalues, rtol=1e-3, atol=1e-12)
    np.testing.assert_allclose(table.confidence_intervals(0.9), theirs.conf_int(0.1), rtol=1e-4, atol=1e-5)
    assert summary.deviance == pytest.approx(theirs.deviance, rel=1e-8)
    assert summary.null_deviance == pytest.approx(theirs.null_deviance, rel=1e-8)
    assert summary.pearson == pytest.approx(theirs.pearson_chi2, rel=1e-5)
    assert summary.dispersion == pytest.approx(theirs.scale, rel=1e-5)
    assert summary.residual_df == theirs.df_resid
    np.testing.assert_allclose(ours.predict(X), theirs.predict(sm.add_constant(X)), rtol=1e-5)
    if (
        family != "gaussian"
    ):  # where statsmodels takes the variance of greatest likelihood, and we Pearson's as elsewhere
        assert summary.log_likelihood == pytest.approx(theirs.llf, rel=1e-8)
        assert summary.aic == pytest.approx(theirs.aic, rel=1e-8)
        assert summary.bic == pytest.approx(theirs.bic_llf, rel=1e-8)


@pytest.mark.parametrize(
    ("family", "link"), [("gaussian", "log"), ("binomial", "logit"), ("poisson", "log"), ("gamma", "inverse")]
)
@pytest.mark.parametrize("fit_intercept", [False, True])
def test_a_start_on_a_sample_ends_where_that_at_the_mean_does(
    monkeypatch: pytest.MonkeyPatch, family: Any, link: Any, fit_intercept: bool
) -> None:
    X, y, w = _data(family, link)
    X = X if fit_intercept else np.column_stack([X, np.ones(len(X))])
    model = GeneralizedLinearModel(family, link=link, fit_intercept=fit_intercept, tol=1e-14)
    expected = clone(model).fit(X, y, w)
    monkeypatch.setattr("groundswell.estimators._start_sample.SAMPLE_ROWS", 60)
    found = clone(model).fit(X, y, w)
    assert (found.n_iter_, found.n_passes_) != (expected.n_iter_, expected.n_passes_)
    for name in ("coef_", "standard_errors_", "deviance_", "null_deviance_", "log_likelihood_", "pearson_"):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), rtol=1e-6)


@pytest.mark.parametrize("sample_rows", [100, 10**9])
def test_a_start_out_of_range_for_rows_outside_the_sample_is_refused(
    monkeypatch: pytest.MonkeyPatch, sample_rows: int
) -> None:
    monkeypatch.setattr("groundswell.estimators._start_sample.SAMPLE_ROWS", sample_rows)
    x = np.abs(np.random.default_rng(1).normal(size=400)) + 1
    y = 0.1 * x
    x[1] = -5.0  # every fourth row is in the sample
    with pytest.raises(FitError, match="from the start"):
        GeneralizedLinearModel("poisson", link="identity", fit_intercept=False).fit(x[:, None], y)


@pytest.mark.parametrize("sample_rows", [100, 10**9])
def test_rows_of_high_leverage_leave_digits_to_the_others(monkeypatch: pytest.MonkeyPatch, sample_rows: int) -> None:
    """Of some rows the mean of the optimum rounds to one, and its variance to zero."""
    monkeypatch.setattr("groundswell.estimators._start_sample.SAMPLE_ROWS", sample_rows)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2000, 2))
    X[:5, 0] = [60, 80, -70, 100, 50]
    y = (rng.random(2000) < 1 / (1 + np.exp(-X[:, 0]))).astype(float)
    ours = GeneralizedLinearModel("binomial").fit(X, y)
    theirs = sm.GLM(y, sm.add_constant(X), family=sm.families.Binomial()).fit(tol=1e-13)
    np.testing.assert_allclose(ours.coef_, theirs.params[1:], rtol=1e-6)
    np.testing.assert_allclose(ours.standard_errors_, theirs.bse, rtol=1e-6)
    assert ours.deviance_ == pytest.approx(theirs.deviance, rel=1e-10)


def test_steps_that_end_at_the_edge_of_the_means_are_told() -> None:
    X, y = np.random.default_rng(0).normal(size=(20, 1)), np.ones(20)  # and the variance of one is zero
    with pytest.warns(ConvergenceWarning, match="at the edge"):
        model = GeneralizedLinearModel("binomial", link="identity").fit(X, y)
    np.testing.assert_allclose(model.predict(X), 1.0)
    assert np.isnan(model.standard_errors_).all()


@pytest.mark.parametrize("link", ["log", "inverse", "identity"])
def test_means_of_one_and_zero_do_not_break_a_fit(link: Any) -> None:
    """At these the variance of the binomial family is zero, and Fisher's information has no bound."""
    for seed in range(20):
        rng = np.random.default_rng(seed)
        X, y = rng.normal(size=(12, 2)), (rng.random(12) < 0.7).astype(float)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model = GeneralizedLinearModel("binomial", link=link).fit(X, y)
        assert model.deviance_ <= model.null_deviance_ * (1 + 1e-9)
        assert np.isfinite(model.coef_).all()


def test_steps_onto_the_edge_of_the_means_are_shortened() -> None:
    """The least deviance with means from 0 to 1 is that of scipy's trust-constr; two of the means are 1."""
    rng = np.random.default_rng(196)
    X, y = rng.normal(size=(12, 2)), (rng.random(12) < 0.7).astype(float)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = GeneralizedLinearModel("binomial", link="identity").fit(X, y)
    assert model.deviance_ == pytest.approx(9.105354574, rel=2e-5)


def test_a_sample_that_leads_astray_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every fourth row is of another slope, and by itself the start of a worse model than the mean alone."""
    rng = np.random.default_rng(0)
    x = rng.random(400) * 4
    y = rng.poisson(np.exp(np.where(np.arange(400) % 4 == 0, 2 - 2 * x, x / 1.5))).astype(float)
    expected = GeneralizedLinearModel("poisson").fit(x[:, None], y)
    monkeypatch.setattr("groundswell.estimators._start_sample.SAMPLE_ROWS", 100)
    found = GeneralizedLinearModel("poisson").fit(x[:, None], y)
    assert found.n_iter_ == expected.n_iter_
    assert found.n_passes_ == expected.n_passes_ + 3  # for the sample, at its optimum, and again at the mean
    np.testing.assert_allclose(found.coef_, expected.coef_, rtol=1e-9)


@pytest.mark.parametrize(("family", "link"), [("poisson", "log"), ("gamma", "inverse"), ("gaussian", "identity")])
def test_models_without_an_intercept(family: Any, link: Any) -> None:
    X, y, _ = _data(family, link)
    ours = GeneralizedLinearModel(family, link=link, fit_intercept=False).fit(X, y)
    theirs = sm.GLM(y, X, family=_FAMILIES[family](link=_LINKS[link]())).fit(tol=1e-13, maxiter=200)
    np.testing.assert_allclose(ours.coef_, theirs.params, rtol=1e-5)
    np.testing.assert_allclose(ours.standard_errors_, theirs.bse, rtol=1e-5)
    assert ours.intercept_ == 0
    assert ours.summary().coefficients.terms == ("x0", "x1", "x2")


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [False, True])
def test_linear_regression_is_statsmodels(fit_intercept: bool, weighted: bool) -> None:
    X, y, w = _data("gaussian", "identity")
    ours = LinearRegression(fit_intercept=fit_intercept).fit(X, y, w if weighted else None).summary()
    repeats = w.astype(int) if weighted else np.ones(len(y), int)
    design = np.repeat(sm.add_constant(X) if fit_intercept else X, repeats, axis=0)
    theirs = sm.OLS(np.repeat(y, repeats), design).fit()
    table = ours.coefficients
    np.testing.assert_allclose(table.estimates, theirs.params, rtol=1e-9)
    np.testing.assert_allclose(table.standard_errors, theirs.bse, rtol=1e-9)
    np.testing.assert_allclose(table.statistics, theirs.tvalues, rtol=1e-8)
    np.testing.assert_allclose(table.p_values, theirs.pvalues, rtol=1e-6, atol=1e-14)
    np.testing.assert_allclose(table.confidence_intervals(), theirs.conf_int(), rtol=1e-8)
    names = {
        "n_observations": "nobs", "residual_df": "df_resid", "r2": "rsquared", "adjusted_r2": "rsquared_adj",
        "residual_variance": "mse_resid", "f_statistic": "fvalue", "f_p_value": "f_pvalue",
        "log_likelihood": "llf", "aic": "aic", "bic": "bic",
    }  # fmt: skip
    for mine, other in names.items():
        assert getattr(ours, mine) == pytest.approx(getattr(theirs, other), rel=1e-8), mine


def test_a_target_of_several_has_a_summary_of_its_own() -> None:
    X, y, _ = _data("gaussian", "identity")
    both = LinearRegression().fit(X, np.column_stack([y, y**2]))
    alone = LinearRegression().fit(X, y**2).summary()
    np.testing.assert_allclose(both.summary(1).coefficients.p_values, alone.coefficients.p_values, rtol=1e-8)


def test_a_large_offset_costs_no_digits_of_the_errors() -> None:
    X, y, _ = _data("gaussian", "identity")
    near, far = LinearRegression().fit(X, y).summary(), LinearRegression().fit(X + 1e5, y).summary()
    np.testing.assert_allclose(far.coefficients.standard_errors[1:], near.coefficients.standard_errors[1:], rtol=1e-6)
    assert far.r2 == pytest.approx(near.r2, rel=1e-8)


def test_dependent_features_have_no_standard_errors() -> None:
    X, y, _ = _data("poisson", "log")
    twins = np.column_stack([X, X[:, 0]])
    for model in (LinearRegression(), GeneralizedLinearModel("poisson")):
        summary = model.fit(twins, y).summary()
        assert np.isnan(summary.coefficients.standard_errors).all()
        assert np.isfinite(summary.coefficients.estimates).all()


def test_a_summary_prints_its_terms_by_name() -> None:
    X, y, _ = _data("poisson", "log")
    table = pa.table({"rooms": X[:, 0], "area": X[:, 1], "label": y})
    for model in (LinearRegression(), GeneralizedLinearModel("poisson")):
        text = str(model.fit(table, "label").summary())
        assert "intercept" in text
        assert "rooms" in text
        assert "AIC" in text
    with pytest.raises(NotFittedError):
        GeneralizedLinearModel().summary()
    with pytest.raises(NotFittedError):
        LinearRegression().summary()


@pytest.mark.parametrize(
    ("family", "target", "rule"),
    [("poisson", -1.0, "zero or more"), ("gamma", 0.0, "positive"), ("binomial", 2.0, "between 0 and 1")],
)
def test_targets_that_are_none_of_the_familys(family: Any, target: float, rule: str) -> None:
    X, y, _ = _data("gamma", "log")
    y = np.minimum(y, 1.0) if family == "binomial" else y
    y[3] = target
    with pytest.raises(DataError, match=rule) as caught:
        GeneralizedLinearModel(family).fit(X, y)
    assert caught.value.value == target


def test_settings_that_cannot_be() -> None:
    X, y, _ = _data("poisson", "log")
    with pytest.raises(FitError, match="Did you mean 'poisson'"):
        GeneralizedLinearModel("poison").fit(X, y)  # type: ignore[arg-type]
    with pytest.raises(FitError, match="Did you mean 'log'"):
        GeneralizedLinearModel("poisson", link="logg").fit(X, y)  # type: ignore[arg-type]
    with pytest.raises(FitError, match="gives means that the poisson family has not"):
        GeneralizedLinearModel("poisson", link="identity", fit_intercept=False).fit(
            np.column_stack([X[:, 0] - 0.5, X[:, 2] - 0.05]), y
        )


def test_classes_that_never_overlap_have_no_optimum() -> None:
    X = np.arange(10.0)[:, None]
    with pytest.warns(ConvergenceWarning, match="told apart without error"):
        GeneralizedLinearModel("binomial", max_iter=8).fit(X, (X[:, 0] > 4).astype(float))
