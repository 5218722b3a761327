"""What holds of every linear estimator, whatever it minimizes."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.base import BaseEstimator, clone, is_classifier
from sklearn.exceptions import NotFittedError

from groundswell.engines import ArrowRows
from groundswell.errors import ColumnNotFoundError, FitError, SchemaError, TypeMismatchError
from groundswell.estimators import (
    ElasticNet,
    ElasticNetCV,
    GeneralizedLinearModel,
    Lasso,
    LassoCV,
    LinearRegression,
    LinearSVC,
    LogisticRegression,
    Ridge,
    RidgeCV,
)

Fits = Callable[..., Iterator[tuple[str, BaseEstimator]]]

ESTIMATORS = [
    LinearRegression(),
    Ridge(alpha=0.3),
    Lasso(alpha=0.01),
    ElasticNet(alpha=0.01, l1_ratio=0.4),
    RidgeCV(alphas=[1e-3, 0.1]),
    LassoCV(alphas=10),
    ElasticNetCV(alphas=10),
    GeneralizedLinearModel(),
    GeneralizedLinearModel("gamma"),
    LogisticRegression(),
    LogisticRegression(0.3, l1_ratio=0.5),
    LinearSVC(0.1),
]

each = pytest.mark.parametrize("estimator", ESTIMATORS, ids=str)


def _rows(estimator: BaseEstimator, n: int = 120) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    X = rng.standard_normal((n, 4)) * [1.0, 20.0, 0.1, 3.0] + [0.0, 50.0, -1.0, 2.0]
    signal = X @ [1.0, -0.05, 4.0, 0.3]
    if is_classifier(estimator):
        return X, np.where(signal + rng.logistic(size=n) > np.median(signal), "yes", "no")
    return X, np.exp(0.2 * (signal - signal.mean())) + rng.random(n)


def _close(one: BaseEstimator, other: BaseEstimator, what: str = "", tolerance: float = 1e-8) -> None:
    scale = max(1.0, float(np.abs(other.coef_).max()))
    np.testing.assert_allclose(one.coef_, other.coef_, rtol=tolerance, atol=tolerance * scale, err_msg=what)
    np.testing.assert_allclose(one.intercept_, other.intercept_, rtol=tolerance, atol=10 * tolerance * scale)


@each
def test_every_form_of_the_same_rows_gives_the_same_model(estimator: BaseEstimator, fits: Fits) -> None:
    X, y = _rows(estimator)
    models = dict(fits(estimator, X, y))
    frame = pd.DataFrame(X[:9], columns=[f"x{j}" for j in range(X.shape[1])])
    expected = models["frame"].predict(frame)
    for form, model in models.items():
        _close(model, models["array"], form)
        predicted = model.predict(frame if hasattr(model, "feature_names_in_") else frame.to_numpy())
        if is_classifier(estimator):
            np.testing.assert_array_equal(predicted, expected)
        else:
            np.testing.assert_allclose(predicted, expected, rtol=1e-7)


@each
def test_a_weight_counts_as_equal_rows_in_every_form(estimator: BaseEstimator, fits: Fits) -> None:
    X, y = _rows(estimator)
    weights = np.random.default_rng(0).integers(0, 4, len(y))
    whole = clone(estimator).fit(np.repeat(X, weights, axis=0), np.repeat(y, weights))
    for form, model in fits(estimator, X, y, weights.astype(float)):
        _close(model, whole, form)


@each
def test_float32_is_summed_in_float64(estimator: BaseEstimator) -> None:
    X, y = _rows(estimator)
    X = X.astype(np.float32)
    _close(clone(estimator).fit(X, y), clone(estimator).fit(X.astype(np.float64), y))


@each
def test_an_offset_of_a_million_deviations_moves_the_intercept_only(estimator: BaseEstimator) -> None:
    X, y = _rows(estimator)
    far = clone(estimator).fit(X + 1e6 * X.std(axis=0), y)
    np.testing.assert_allclose(far.coef_, clone(estimator).fit(X, y).coef_, rtol=2e-6, atol=1e-7)


@each
def test_a_constant_column_gets_no_coefficient(estimator: BaseEstimator) -> None:
    X, y = _rows(estimator)
    model = clone(estimator).fit(np.column_stack([X, np.full(len(y), 7.0)]), y)
    plain = clone(estimator)
    if hasattr(model, "alpha_"):  # another column means other folds, which may favor another penalty
        plain.set_params(alphas=[model.alpha_])
    plain.fit(X, y)
    np.testing.assert_allclose(model.coef_[..., -1], 0, atol=1e-9)
    np.testing.assert_allclose(model.coef_[..., :-1], plain.coef_, rtol=1e-6, atol=1e-8)


@each
def test_dependent_columns_predict_as_well_as_independent_ones(estimator: BaseEstimator) -> None:
    X, y = _rows(estimator)
    model = clone(estimator).fit(np.column_stack([X, X[:, 0] - 2 * X[:, 1]]), y)
    assert np.isfinite(model.coef_).all()
    assert np.abs(model.coef_).max() < 1e3
    assert model.score(np.column_stack([X, X[:, 0] - 2 * X[:, 1]]), y) >= clone(estimator).fit(X, y).score(X, y) - 0.01


@each
def test_more_columns_than_rows(estimator: BaseEstimator) -> None:
    _, y = _rows(estimator)
    wide = np.random.default_rng(1).standard_normal((12, 30))
    model = clone(estimator).fit(wide, y[:12])
    assert np.isfinite(model.coef_).all()
    assert np.isfinite(np.asarray(model.intercept_)).all()


@each
def test_one_row(estimator: BaseEstimator) -> None:
    _, y = _rows(estimator)
    table = pa.table({"a": [2.0], "b": [3.0], "label": y[:1]})
    if is_classifier(estimator) or hasattr(estimator, "n_folds"):
        with pytest.raises(FitError):
            clone(estimator).fit(table, "label")
    else:
        model = clone(estimator).fit(table, "label")
        assert model.predict(table)[0] == pytest.approx(y[0], rel=1e-6)


@each
def test_missing_and_infinite_values_in_a_table_are_refused(estimator: BaseEstimator) -> None:
    X, y = _rows(estimator, 30)
    for value, said in ((np.nan, "missing"), (None, "missing"), (np.inf, "infinite")):
        column = pa.array([value, *X[1:, 0]], pa.float64())
        with pytest.raises(FitError, match=said):
            clone(estimator).fit(pa.table({"a": column, "b": X[:, 1], "label": y}), "label")


@each
def test_a_missing_label_is_refused(estimator: BaseEstimator) -> None:
    X, y = _rows(estimator, 30)
    with pytest.raises(FitError, match="missing"):
        clone(estimator).fit(pa.table({"a": X[:, 0], "label": [None, *y[1:].tolist()]}), "label")


@each
def test_a_table_without_rows_is_refused(estimator: BaseEstimator) -> None:
    X, y = _rows(estimator)
    with pytest.raises(FitError, match="no rows"):
        clone(estimator).fit(pa.table({"a": X[:, 0], "label": y}).slice(0, 0), "label")


@each
def test_columns_that_are_not_there_or_hold_no_numbers(estimator: BaseEstimator) -> None:
    X, y = _rows(estimator)
    table = pa.table({"a": X[:, 0], "b": X[:, 1], "label": y})
    with pytest.raises(ColumnNotFoundError, match="Did you mean 'label'"):
        clone(estimator).fit(table, "lable")
    with pytest.raises(ColumnNotFoundError, match="weight"):
        clone(estimator).fit(table, "label", sample_weight="weight")
    with pytest.raises(SchemaError, match="y is not given"):
        clone(estimator).fit(table)
    with pytest.raises(SchemaError, match="y is an array"):
        clone(estimator).fit(table, y)
    with pytest.raises(TypeMismatchError, match="Put OneHotEncoder"):
        clone(estimator).fit(table.append_column("carrier", [["UA"] * len(y)]), "label")


@each
def test_a_model_is_used_by_the_names_of_its_fit(estimator: BaseEstimator) -> None:
    X, y = _rows(estimator)
    table = pa.table({"a": X[:, 0], "b": X[:, 1], "label": y})
    with pytest.raises(NotFittedError):
        clone(estimator).predict(table)
    model = clone(estimator).fit(table, "label")
    assert model.feature_names_in_.tolist() == ["a", "b"]
    expected = model.predict(pd.DataFrame({"a": X[:, 0], "b": X[:, 1]}))
    turned = pa.table({"other": X[:, 3], "b": X[:, 1], "a": X[:, 0]})
    np.testing.assert_array_equal(model.predict(turned), expected)
    np.testing.assert_array_equal(model.predict(ArrowRows(turned)), expected)
    with pytest.raises(ColumnNotFoundError, match="'b', on which"):
        model.predict(turned.drop_columns(["b"]))
    with pytest.raises(ValueError, match="feature names"):
        model.predict(pd.DataFrame({"a": X[:, 0], "c": X[:, 1]}))


@each
def test_fitting_again_forgets_the_first_fit(estimator: BaseEstimator) -> None:
    X, y = _rows(estimator)
    table = pa.table({"a": X[:, 0], "label": y})
    model = clone(estimator).fit(X, y)
    again: Any = model.fit(table, "label")
    _close(again, clone(estimator).fit(table, "label"))
    assert again.n_features_in_ == 1
