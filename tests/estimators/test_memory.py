"""Estimators whose sums grow with the square of the features refuse what the machine cannot hold; others do not."""

import numpy as np
import pytest
from scipy import sparse

from groundswell.errors import FitError
from groundswell.estimators import (
    PCA,
    ElasticNetCV,
    GeneralizedLinearModel,
    Lasso,
    LinearDiscriminantAnalysis,
    LinearRegression,
    LinearSVC,
    LogisticRegression,
    QuadraticDiscriminantAnalysis,
    Ridge,
    RidgeCV,
)
from groundswell.estimators._memory import memory_bytes, require_memory_for_pairs

WIDE = 300_000  # the square of which, in float64, is 720 GB


@pytest.mark.parametrize(
    "model",
    [LinearRegression(), Ridge(), Lasso(), RidgeCV(), ElasticNetCV(), GeneralizedLinearModel(), PCA(1)],
    ids=lambda model: type(model).__name__,
)
def test_too_many_pairs_of_features_are_refused_with_a_way_out(model) -> None:
    X = np.zeros((3, WIDE), np.float32)
    with pytest.raises(FitError, match=r"pairs of 300,000 features .* need [\d,.]+ GB") as raised:
        model.fit(X, np.arange(3.0))
    assert raised.value.available == memory_bytes()
    assert "take fewer features" in raised.value.fix


def test_discriminants_refuse_them_too() -> None:
    with pytest.raises(FitError, match="Use LogisticRegression"):
        LinearDiscriminantAnalysis().fit(np.zeros((3, WIDE), np.float32), [0, 1, 1])


@pytest.mark.parametrize("model", [LinearDiscriminantAnalysis(), QuadraticDiscriminantAnalysis()])
def test_discriminants_need_a_matrix_for_each_class(model, monkeypatch) -> None:
    monkeypatch.setattr("groundswell.estimators._memory.memory_bytes", lambda: 10**9)
    needed = []
    for n_classes in (2, 6):
        with pytest.raises(FitError, match="pairs of 20,000 features") as raised:
            model.fit(np.zeros((6, 20_000), np.float32), np.arange(6) % n_classes)
        needed.append(raised.value.needed)
    assert needed[1] == 3 * needed[0]


def wide_rows(rows: int = 60) -> tuple[sparse.csr_array, np.ndarray]:
    y = np.arange(rows) % 2
    noise = sparse.random_array((rows, WIDE - 1), density=20 / WIDE, rng=np.random.default_rng(0))
    return sparse.hstack([y[:, None] * 1.0, noise], format="csr"), y


@pytest.mark.parametrize("model", [LogisticRegression(), LinearSVC()], ids=lambda model: type(model).__name__)
def test_linear_classifiers_choose_a_method_whose_memory_grows_with_the_features(model) -> None:
    X, y = wide_rows()
    assert model.fit(X, y).score(X, y) == 1.0
    with pytest.raises(FitError, match="solver='lbfgs'"):
        model.set_params(solver="newton").fit(X, y)


def test_what_fits_is_let_through() -> None:
    require_memory_for_pairs(1_000, "Use less")
