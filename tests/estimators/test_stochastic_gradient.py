"""Gradient descent against scikit-learn's, step by step and by its objective, and against itself."""

import math
import warnings

import numpy as np
import pyarrow as pa
import pytest
import sklearn.linear_model as peer
from scipy import sparse
from scipy.optimize import approx_fprime
from sklearn.exceptions import ConvergenceWarning

from groundswell.errors import ColumnNotFoundError, FitError, TypeMismatchError
from groundswell.estimators import SGDClassifier, SGDRegressor
from groundswell.estimators._descent import Schedule
from groundswell.estimators._descent_losses import Hinge, Huber


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 4))
    return X, X @ np.array([1.0, -2.0, 0.0, 0.5]) + 0.3 + rng.normal(size=200)


def epochs(kind, n, **options):
    """An estimator that runs exactly n epochs."""
    return kind(max_iter=n, tol=None, **options)


def fitted(estimator, *rows):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return estimator.fit(*rows)


STEADY = [(loss, rate) for loss in ("hinge", "log_loss", "huber") for rate in ("constant", "invscaling", "optimal")]
STEADY += [(loss, rate) for loss in ("squared_hinge", "squared_error") for rate in ("constant", "invscaling")]
"""Losses and rates with which descent does not diverge: slopes without a bound want shorter steps than "optimal"."""


@pytest.mark.parametrize("average", [False, True, 50])
@pytest.mark.parametrize(("loss", "rate"), STEADY)
def test_stochastic_steps_are_those_of_scikit_learn(rows, loss, average, rate):
    X, y = rows
    shared = {"loss": loss, "learning_rate": rate, "eta0": 0.02, "power_t": 0.4, "alpha": 0.01, "average": average}
    name = "SGDRegressor" if loss in ("squared_error", "huber") else "SGDClassifier"
    y = y if name == "SGDRegressor" else np.where(y > 0, "yes", "no")
    ours = {"SGDRegressor": SGDRegressor, "SGDClassifier": SGDClassifier}[name]
    weights = np.random.default_rng(1).uniform(0.5, 2, len(y))
    mine = fitted(epochs(ours, 3, batch_size=1, shuffle=False, **shared), X, y, weights)
    theirs = getattr(peer, name)(max_iter=3, tol=None, shuffle=False, **shared)
    theirs.fit(X, y, sample_weight=weights)
    np.testing.assert_allclose(mine.coef_, theirs.coef_, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(mine.intercept_, theirs.intercept_, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("batch_size", [1, 16, None])
@pytest.mark.parametrize("penalty", ["l2", "l1", "elasticnet", None])
def test_the_objective_comes_as_low_as_that_of_scikit_learn(rows, penalty, batch_size):
    X, y = rows[0], (rows[1] > 0).astype(int)

    def objective(model):
        share = {"l2": 0.0, "l1": 1.0, "elasticnet": 0.15, None: 0.0}[penalty]
        margins = (2 * y - 1) * model.decision_function(X)
        absolute, square = np.abs(model.coef_).sum(), 0.5 * np.square(model.coef_).sum()
        alpha = 0.01 if penalty else 0.0
        return np.log1p(np.exp(-margins)).mean() + alpha * (share * absolute + (1 - share) * square)

    options = {"loss": "log_loss", "penalty": penalty, "alpha": 0.01, "random_state": 0}
    limit = 150 if penalty else 300
    steps = {"learning_rate": "constant", "eta0": 2.0} if batch_size is None else {"average": 100}
    ours = fitted(SGDClassifier(batch_size=batch_size, tol=1e-6, max_iter=limit, **steps, **options), X, y)
    theirs = peer.SGDClassifier(max_iter=3000, tol=1e-6, average=100, **options).fit(X, y)
    assert objective(ours) <= objective(theirs) + 5e-3


def test_batch_descent_ends_at_the_minimum(rows):
    X, y = rows
    model = SGDRegressor(batch_size=None, learning_rate="constant", eta0=0.5, alpha=0.1, tol=1e-14).fit(X, y)
    ridge = peer.Ridge(alpha=0.1 * len(y)).fit(X, y)
    np.testing.assert_allclose(model.coef_, ridge.coef_, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(model.intercept_, ridge.intercept_, rtol=1e-5)
    assert model.t_ == model.n_iter_
    assert (np.diff(model.loss_curve_[:5]) < 0).all()


@pytest.mark.parametrize("batch_size", [1, 7, None])
def test_every_form_of_the_data_gives_the_same_bits(rows, fits, batch_size):
    X, y = rows
    labels, weights = np.digitize(y, [-1, 1]), np.arange(len(y)) % 3.0
    options = {"batch_size": batch_size, "shuffle_rows": 60, "random_state": 3, "average": True}
    for estimator, target in ((epochs(SGDClassifier, 2, **options), labels), (epochs(SGDRegressor, 2, **options), y)):
        reference = None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            for form, model in fits(estimator, X, target, weights):
                reference = reference or model
                np.testing.assert_array_equal(model.coef_, reference.coef_, err_msg=form)
                np.testing.assert_array_equal(model.intercept_, reference.intercept_, err_msg=form)


@pytest.mark.parametrize("batch_size", [1, 16, None])
def test_sparse_rows_give_the_same_as_dense_ones(rows, batch_size):
    X, y = rows[0] * (np.abs(rows[0]) > 0.7), rows[1] > 0
    dense, thin = (
        fitted(epochs(SGDClassifier, 3, batch_size=batch_size, random_state=0), given, y)
        for given in (X, sparse.csr_array(X))
    )
    np.testing.assert_allclose(thin.coef_, dense.coef_, rtol=1e-10)
    assert (thin.predict(sparse.csr_array(X)) == dense.predict(X)).all()


def test_epochs_by_partial_fit_are_those_of_fit(rows):
    X, y = rows
    for estimator, target in ((SGDRegressor, y), (SGDClassifier, np.digitize(y, [-1, 1]))):
        options = {"random_state": 5, "average": 3, "learning_rate": "exponential", "decay": 0.1}
        whole, stepwise = fitted(epochs(estimator, 3, **options), X, target), estimator(**options)
        extra = {"classes": [0, 1, 2]} if estimator is SGDClassifier else {}
        for _ in range(3):
            stepwise.partial_fit(X, target, **extra)
        np.testing.assert_array_equal(stepwise.coef_, whole.coef_)
        assert stepwise.t_ == whole.t_
        assert stepwise.loss_curve_ == whole.loss_curve_


def test_partial_fit_learns_from_tables_whose_parts_lack_labels(rows):
    X, y = rows
    table = pa.table({f"x{j}": X[:, j] for j in range(4)} | {"label": np.where(y > 0, "yes", "no")})
    model = SGDClassifier(random_state=0)
    for part in (table.filter(pa.array(y > 0)), table):
        model.partial_fit(part, "label", classes=["yes", "no"])
    assert model.score(X, np.where(y > 0, "yes", "no")) > 0.8
    other = table.set_column(4, "label", pa.array(["maybe"] * len(y)))
    with pytest.raises(FitError, match="none of the classes: \\['maybe'\\]"):
        model.partial_fit(other, "label")
    with pytest.raises(FitError, match="not the same"):
        model.partial_fit(table, "label", classes=["yes", "never"])
    with pytest.raises(FitError, match="first call"):
        SGDClassifier().partial_fit(table, "label")


def test_shuffles_stay_in_their_blocks_and_follow_the_seed(rows):
    X, y = rows
    models = [
        fitted(epochs(SGDRegressor, 1, random_state=seed, shuffle_rows=rows_), X, y)
        for seed, rows_ in ((0, 64), (0, 64), (1, 64), (0, 128))
    ]
    np.testing.assert_array_equal(models[0].coef_, models[1].coef_)
    for other in models[2:]:
        assert (models[0].coef_ != other.coef_).any()


def test_rates_follow_their_schedules():
    def rates(kind, points, factor=1.0):
        schedule = Schedule(kind=kind, eta0=0.8, power_t=0.5, alpha=0.0001, decay=0.5, decay_epochs=2)
        return [float(schedule.rates(range(t, t + 1), epoch, factor)[0]) for t, epoch in points]

    points = [(1, 0), (4, 1), (9, 2), (16, 5)]
    assert rates("constant", points) == [0.8] * 4
    assert rates("adaptive", points, 0.2) == pytest.approx([0.16] * 4)
    assert rates("invscaling", points) == pytest.approx([0.8, 0.4, 0.8 / 3, 0.2])
    assert rates("step", points) == pytest.approx([0.8, 0.8, 0.4, 0.2])
    assert rates("exponential", points) == pytest.approx([0.8 * math.exp(-0.5 * epoch) for _, epoch in points])
    assert rates("optimal", points) == pytest.approx([1 / (1e-4 * (1000 + t - 1)) for t, _ in points])


def test_adaptive_rates_come_closer_than_constant_ones(rows):
    X, y = rows
    best = np.square(y - peer.LinearRegression().fit(X, y).predict(X)).mean()
    shared = {"eta0": 0.3, "alpha": 0.0, "random_state": 0, "tol": 1e-5, "batch_size": 4}
    near = SGDRegressor(learning_rate="adaptive", **shared).fit(X, y)
    far = SGDRegressor(learning_rate="constant", **shared).fit(X, y)
    losses = [np.square(y - model.predict(X)).mean() for model in (near, far)]
    assert losses[0] - best < 0.01 * (losses[1] - best)


def test_rows_held_out_tell_when_to_stop(rows):
    X, y = rows
    model = SGDRegressor(early_stopping=True, validation_fraction=0.3, random_state=0).fit(X, y)
    assert model.n_iter_ < 100
    assert model.score(X, y) > 0.7
    rng = np.random.default_rng([int(np.random.RandomState(0).randint(2**31 - 1)), 0])
    out = rng.random(len(y)) < 0.3  # the rows of the only block
    np.testing.assert_allclose(model.loss_curve_[-1], 0.5 * np.square(y - model.predict(X))[out].mean(), rtol=1e-12)
    with pytest.raises(FitError, match="No row is held out"):
        SGDRegressor(early_stopping=True, validation_fraction=1e-9).fit(X, y)


@pytest.mark.parametrize(("loss", "targets"), [(Hinge(), [0.0, 1.0]), (Huber(0.7), [0.2, -1.0])])
def test_slopes_are_derivatives(loss, targets):
    for y in targets:
        for eta in (-2.0, -0.5, 0.3, 1.9):
            slope = approx_fprime(np.array([eta]), lambda e, y=y: float(loss.value(e, np.array([y]))[0]), 1e-7)
            np.testing.assert_allclose(loss.slope(np.array([eta]), np.array([y])), slope, atol=1e-5)


def test_probabilities_of_several_classes_sum_to_one(rows):
    X, y = rows[0], np.digitize(rows[1], [-1, 1])
    model = SGDClassifier("log_loss", random_state=0).fit(X, y)
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1.0)
    assert (model.predict_proba(X).argmax(axis=1) == model.predict(X)).all()
    assert not hasattr(SGDClassifier("hinge"), "predict_proba")


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"loss": "hing"}, "'hinge'"),
        ({"learning_rate": "optimum"}, "'optimal'"),
        ({"penalty": "l3"}, "'l1'"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"alpha": 0.0}, "alpha is 0.0"),
        ({"alpha": -1.0, "learning_rate": "constant"}, "alpha is -1"),
        ({"early_stopping": True, "validation_fraction": 1.0}, "validation_fraction is 1"),
        ({"l1_ratio": 2.0}, "l1_ratio is 2"),
        ({"eta0": 0.0}, "eta0 is 0"),
    ],
)
def test_settings_that_are_none_are_refused(rows, options, match):
    with pytest.raises(FitError, match=match):
        SGDClassifier(**options).fit(rows[0], rows[1] > 0)


def test_a_descent_that_diverges_gaps_and_no_rows_are_told(rows):
    X, y = rows
    with pytest.raises(FitError, match="StandardScaler"):
        SGDRegressor(learning_rate="constant", eta0=1.0).fit(X * 1e6, y)
    with pytest.warns(ConvergenceWarning, match="diverges"):
        epochs(SGDClassifier, 3, loss="squared_hinge", shuffle=False, batch_size=32).fit(X, y > 0)
    with pytest.raises(FitError, match="epsilon"):
        SGDRegressor("huber", epsilon=0.0).fit(X, y)
    table = pa.table({"x": [1.0, None, 2.0], "word": ["a", "b", "c"], "y": [1.0, 2.0, 3.0], "same": [1, 1, 1]})
    with pytest.raises(FitError, match="missing"):
        SGDRegressor().fit(table.select(["x", "y"]), "y")
    with pytest.raises(FitError, match="no rows"):
        SGDRegressor().fit(table.select(["x", "y"]).slice(0, 0), "y")
    with pytest.raises(FitError, match="one class"):
        SGDClassifier().fit(table.select(["y", "same"]), "same")
    with pytest.raises(TypeMismatchError, match="OneHotEncoder"):
        SGDRegressor().fit(table, "y")
    with pytest.raises(ColumnNotFoundError, match="'y'"):
        SGDRegressor().fit(table, "Y")
