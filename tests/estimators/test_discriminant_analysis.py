"""Linear and quadratic discriminants against scikit-learn's."""

import numpy as np
import pyarrow as pa
import pytest
import sklearn.discriminant_analysis as peer

from groundswell.errors import ColumnNotFoundError, FitError, TypeMismatchError
from groundswell.estimators import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    y = rng.choice(["b", "a", "c"], 400)
    shift = {"a": [0, 0, 0, 0], "b": [1, 2, 0, 0], "c": [0, 1, 3, 0]}
    X = rng.normal(size=(400, 4)) @ rng.normal(size=(4, 4)) + np.array([shift[label] for label in y])
    return X, y


@pytest.mark.parametrize("priors", [None, [0.2, 0.3, 0.5]])
@pytest.mark.parametrize("labels", ["abc", "ab"])
def test_linear_discriminants_are_those_of_scikit_learn(rows, labels, priors):
    chosen = np.isin(rows[1], list(labels))
    X, y = rows[0][chosen], rows[1][chosen]
    priors = priors if labels == "abc" or priors is None else [0.4, 0.6]
    ours, theirs = LinearDiscriminantAnalysis(priors=priors).fit(X, y), peer.LinearDiscriminantAnalysis(priors=priors)
    theirs.fit(X, y)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-9)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, rtol=1e-9)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), rtol=1e-8, atol=1e-14)
    np.testing.assert_allclose(ours.predict_log_proba(X), np.log(theirs.predict_proba(X)), rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(ours.explained_variance_ratio_, theirs.explained_variance_ratio_, rtol=1e-9)
    np.testing.assert_allclose(np.abs(ours.transform(X)), np.abs(theirs.transform(X)), rtol=1e-7, atol=1e-9)


def test_shrinkage_is_that_of_scikit_learn(rows):
    X, y = rows
    ours = LinearDiscriminantAnalysis(shrinkage=0.3).fit(X, y)
    theirs = peer.LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.3).fit(X, y)
    np.testing.assert_allclose(ours.covariance_, theirs.covariance_, rtol=1e-10)
    difference, other = (np.diff(coef, axis=0) for coef in (ours.coef_, theirs.coef_))  # the sum over classes is free
    np.testing.assert_allclose(difference, other, rtol=1e-8)


@pytest.mark.parametrize("shrinkage", [None, 0.3])
@pytest.mark.parametrize("priors", [None, [0.2, 0.3, 0.5]])
def test_quadratic_discriminants_are_those_of_scikit_learn(rows, priors, shrinkage):
    X, y = rows
    ours = QuadraticDiscriminantAnalysis(priors=priors, shrinkage=shrinkage).fit(X, y)
    for label, covariance in zip("abc", ours.covariance_, strict=True):
        expected = np.cov(X[y == label].T, ddof=0)
        if shrinkage:
            expected = 0.7 * expected + 0.3 * np.trace(expected) / 4 * np.eye(4)
        np.testing.assert_allclose(covariance, expected, rtol=1e-10, atol=1e-12)
    if shrinkage is None:
        theirs = peer.QuadraticDiscriminantAnalysis(priors=priors).fit(X, y)
        np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), rtol=1e-7, atol=1e-14)
        assert (ours.predict(X) == theirs.predict(X)).all()


@pytest.mark.parametrize("estimator", [LinearDiscriminantAnalysis(), QuadraticDiscriminantAnalysis()])
def test_every_form_of_the_data_gives_the_same_though_parts_lack_labels(rows, fits, estimator):
    X, y = rows
    order, weights = np.argsort(y, kind="stable"), np.arange(len(y)) % 3.0
    reference, table = None, pa.table({f"x{j}": X[:, j] for j in range(4)})
    for form, fitted in fits(estimator, X[order], y[order], weights[order]):
        given = table if hasattr(fitted, "feature_names_in_") else X
        reference = fitted.predict_proba(given) if reference is None else reference
        np.testing.assert_allclose(fitted.predict_proba(given), reference, rtol=1e-9, atol=1e-14, err_msg=form)


def test_far_offsets_cost_no_digits(rows):
    X, y = rows
    X = X.astype(np.float32).astype(float)
    for kind in (LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis):
        near, far = kind().fit(X, y).predict_proba(X), kind().fit(X + 2.0**20, y).predict_proba(X + 2.0**20)
        np.testing.assert_allclose(far, near, rtol=1e-6, atol=1e-9)


def test_collinear_and_constant_columns_are_reported(rows):
    X, y = rows
    wide = np.column_stack([X, X[:, 0] - X[:, 1], np.full(len(X), 7.0)])
    table = pa.table({name: wide[:, j] for j, name in enumerate("uvwxyz")} | {"label": y})
    model = LinearDiscriminantAnalysis().fit(table, "label")
    assert model.rank_ == 4
    assert len(model.collinear_) == 2
    assert "z" in model.collinear_
    np.testing.assert_allclose(model.predict_proba(table), LinearDiscriminantAnalysis().fit(X, y).predict_proba(X))
    quadratic = QuadraticDiscriminantAnalysis().fit(table, "label")
    assert [len(names) for names in quadratic.collinear_] == [2, 2, 2]
    assert QuadraticDiscriminantAnalysis(shrinkage=0.01).fit(table, "label").collinear_ == [[], [], []]


def test_rows_beside_the_plane_of_a_class_are_none_of_its_rows():
    rng = np.random.default_rng(0)
    plane = np.column_stack([x := rng.normal(size=(50, 1)), 2 * x])
    X, y = np.vstack([plane, rng.normal(size=(50, 2))]), np.repeat(["plane", "cloud"], 50)
    model = QuadraticDiscriminantAnalysis().fit(X, y)
    assert model.collinear_ == [[], ["x0"]]
    assert model.predict(np.array([[0.3, 0.6], [0.3, 0.61]])).tolist() == ["plane", "cloud"]


def test_there_may_be_more_columns_than_rows():
    X, y = np.random.default_rng(0).normal(size=(8, 30)).astype(np.float32), np.arange(8) % 2
    ours, theirs = LinearDiscriminantAnalysis().fit(X, y), peer.LinearDiscriminantAnalysis().fit(X, y)
    np.testing.assert_allclose(ours.decision_function(X), theirs.decision_function(X), rtol=1e-3)
    assert ours.rank_ == 6


def test_fewer_discriminants(rows):
    X, y = rows
    model = LinearDiscriminantAnalysis(n_components=1).fit(X, y)
    assert model.transform(X).shape == (400, 1)
    assert model.get_feature_names_out().tolist() == ["lineardiscriminantanalysis0"]
    table = pa.table({f"f{j}": X[:, j] for j in range(4)} | {"label": y})
    lazily = LinearDiscriminantAnalysis().fit(table, "label").transform(table)
    assert lazily.schema.names == ["lineardiscriminantanalysis0", "lineardiscriminantanalysis1", "label"]


@pytest.mark.parametrize(
    ("kind", "options", "drop", "error", "match"),
    [
        (LinearDiscriminantAnalysis, {"n_components": 3}, "word", FitError, "have 1 discriminants"),
        (LinearDiscriminantAnalysis, {"shrinkage": 2}, "word", FitError, "shrinkage is 2"),
        (LinearDiscriminantAnalysis, {"priors": [1.0]}, "word", FitError, "do not fit the 2 classes"),
        (LinearDiscriminantAnalysis, {}, "", TypeMismatchError, "OneHotEncoder"),
    ],
)
def test_bad_input_is_named(kind, options, drop, error, match):
    columns = {"x": [1.0, 2.0, 4.0, 9.0], "z": [0.5, 1.0, 0.0, 2.0], "word": list("uvwx"), "label": list("aaab")}
    table = pa.table({name: values for name, values in columns.items() if name != drop})
    with pytest.raises(error, match=match):
        kind(**options).fit(table, "label")


def test_one_class_no_rows_gaps_and_wrong_names_are_refused():
    table = pa.table({"x": [1.0, 2.0, None], "same": ["a", "a", "a"], "label": ["a", "b", "a"]})
    for kind in (LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis):
        with pytest.raises(FitError, match="one class"):
            kind().fit(table.select(["x", "same"]).slice(0, 2), "same")
        with pytest.raises(FitError, match="missing value"):
            kind().fit(table.select(["x", "label"]), "label")
        with pytest.raises(FitError, match="no rows"):
            kind().fit(table.select(["x", "label"]).slice(0, 0), "label")
        with pytest.raises(ColumnNotFoundError, match="'label'"):
            kind().fit(table, "labl")
    with pytest.raises(FitError, match="rank 0"):
        LinearDiscriminantAnalysis().fit(table.select(["x", "label"]).slice(0, 2), "label")
