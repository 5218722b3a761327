"""Principal components against scikit-learn's."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import sklearn.decomposition as peer

from groundswell.errors import FitError
from groundswell.estimators import PCA


@pytest.fixture
def X():
    rng = np.random.default_rng(0)
    return rng.normal(size=(400, 6)) @ rng.normal(size=(6, 6)) + 1e4


@pytest.mark.parametrize("whiten", [False, True])
def test_components_and_variances_are_those_of_scikit_learn(X, whiten):
    """Up to the sign of an axis, to 1e-9: the variances differ by a factor of 10³ at most."""
    ours, theirs = PCA(4, whiten=whiten).fit(X), peer.PCA(4, whiten=whiten, svd_solver="full").fit(X)
    signs = np.sign((ours.components_ * theirs.components_).sum(axis=1))
    np.testing.assert_allclose(ours.components_, theirs.components_ * signs[:, None], atol=1e-9)
    np.testing.assert_allclose(ours.transform(X), theirs.transform(X) * signs, rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(ours.inverse_transform(ours.transform(X)), theirs.inverse_transform(theirs.transform(X)))
    for name in ("explained_variance_", "explained_variance_ratio_", "singular_values_", "noise_variance_", "mean_"):
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=1e-9, err_msg=name)


def test_every_form_of_the_data_gives_the_same(X, fits):
    reference = PCA(3).fit(X).components_
    for form, fitted in fits(PCA(3), X, np.zeros(len(X))):
        np.testing.assert_allclose(fitted.components_, reference, atol=1e-10, err_msg=form)


def test_more_columns_than_rows_keep_as_many_components_as_rows():
    X = np.random.default_rng(1).normal(size=(3, 8))
    model = PCA().fit(X)
    assert model.components_.shape == (3, 8)
    np.testing.assert_allclose(model.inverse_transform(model.transform(X)), X, atol=1e-7)


def test_a_table_is_transformed_as_it_is_read(X):
    frame = pd.DataFrame(X, columns=list("abcdef"))
    model = PCA(2).fit(frame)
    table = model.transform(pa.Table.from_pandas(frame))
    assert table.schema.names == ["pca0", "pca1"]


@pytest.mark.parametrize("wanted", [0, 7])
def test_a_number_of_components_that_cannot_be_is_refused(X, wanted):
    with pytest.raises(FitError, match=rf"{wanted} components of 6 features.*Ask for 1 to 6"):
        PCA(wanted).fit(X)
