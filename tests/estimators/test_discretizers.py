"""Bins against scikit-learn's and pandas' own."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import sklearn.preprocessing as peer
from scipy import sparse

from groundswell.errors import DataError, FitError, TypeMismatchError
from groundswell.estimators import Bucketizer, KBinsDiscretizer

X = np.random.default_rng(0).normal(size=(501, 3)) * [1, 100, 1e-3] + [0, 0, 5]


@pytest.mark.parametrize("encode", ["onehot", "onehot-dense", "ordinal"])
@pytest.mark.parametrize(
    "options",
    [{}, {"n_bins": [2, 3, 7]}, {"strategy": "uniform"}, {"quantile_method": "linear", "n_bins": 10}],
    ids=str,
)
def test_it_bins_as_scikit_learn_does(options, encode):
    """Edges to the last bit, and so all bins."""
    ours, theirs = KBinsDiscretizer(encode=encode, **options), peer.KBinsDiscretizer(encode=encode, **options)
    made, expected = ours.fit_transform(X), theirs.fit_transform(X)
    for mine, other in zip(ours.bin_edges_, theirs.bin_edges_, strict=True):
        np.testing.assert_array_equal(mine, other)
    dense = [m.toarray() if sparse.issparse(m) else m for m in (made, expected)]
    np.testing.assert_array_equal(*dense)
    np.testing.assert_allclose(ours.inverse_transform(made), theirs.inverse_transform(expected))
    assert ours.get_feature_names_out().tolist() == theirs.get_feature_names_out().tolist()


def test_every_form_of_the_data_gives_the_same_edges(fits):
    reference = None
    for form, fitted in fits(KBinsDiscretizer(), X, np.arange(len(X)) % 2):
        edges = np.array(list(fitted.bin_edges_))
        reference = edges if reference is None else reference
        np.testing.assert_array_equal(edges, reference, err_msg=form)


def test_a_missing_value_is_in_no_bin():
    gaps = np.array([[1.0], [2.0], [np.nan], [3.0]])
    ordinal = KBinsDiscretizer(2, encode="ordinal").fit(gaps)
    assert np.isnan(ordinal.transform(gaps)).ravel().tolist() == [False, False, True, False]
    assert np.isnan(ordinal.inverse_transform(ordinal.transform(gaps))[2, 0])
    hot = KBinsDiscretizer(2, encode="onehot-dense").fit(pa.table({"a": pa.array([1.0, 2.0, None, 3.0])}))
    assert hot.transform(pd.DataFrame(gaps, columns=["a"]))[2].tolist() == [0, 0]


def test_a_constant_feature_has_one_bin_and_says_so():
    with pytest.warns(UserWarning, match="Feature 0 is constant"):
        made = KBinsDiscretizer(encode="ordinal").fit_transform(np.full((5, 1), 3.0))
    assert made.ravel().tolist() == [0] * 5
    with pytest.warns(UserWarning, match="1 of 5 remain"):
        KBinsDiscretizer().fit(np.array([[0.0]] * 50 + [[1.0]] * 3 + [[2.0]] * 40))


def test_given_edges_bin_as_pandas_cuts():
    edges = [-np.inf, -1, 0.5, 2, np.inf]
    made = Bucketizer(edges).fit_transform(X[:, :1]).ravel()
    np.testing.assert_array_equal(made, pd.cut(X[:, 0], edges, right=False, labels=False))
    table = pa.table({"age": [17, 18, None, 65], "y": [0, 1, 0, 1]})
    binned = Bucketizer([0, 18, 65], encode="onehot").fit(table, "y").transform(table)
    assert binned.schema.names == ["age_0.0", "age_1.0", "y"]
    read = pa.concat_tables(part() for part in binned.parts(["age_1.0", "y"]))
    assert read.to_pydict() == {"age_1.0": [0, 1, 0, 1], "y": [0, 1, 0, 1]}


def test_each_feature_may_have_edges_of_its_own():
    made = Bucketizer([[0, 1, 2], [0, 10, 20, 30]]).fit_transform([[1.5, 25.0]])
    assert made.tolist() == [[1, 2]]


def test_a_value_outside_of_the_splits_is_refused():
    with pytest.raises(DataError, match=r"-1 of feature 'x0' is outside .*-inf"):
        Bucketizer([0, 1]).fit([[0.5]]).transform([[-1.0]])


@pytest.mark.parametrize(
    ("discretizer", "message"),
    [
        (KBinsDiscretizer(1), "n_bins is 1"),
        (KBinsDiscretizer([2, 2]), "n_bins"),
        (KBinsDiscretizer(strategy="kmeans"), "'uniform'"),
        (KBinsDiscretizer(encode="dense"), "'onehot-dense'"),
        (Bucketizer([1, 1]), "ascend"),
        (Bucketizer([[0, 1], [0, 1]]), "for 1 features"),
    ],
)
def test_settings_that_are_none_are_refused(discretizer, message):
    with pytest.raises(FitError, match=message):
        discretizer.fit([[1.0]])


def test_bad_tables_are_refused():
    with pytest.raises(TypeMismatchError, match="OrdinalEncoder"):
        KBinsDiscretizer().fit(pa.table({"a": ["x"]}))
    for strategy in ("uniform", "quantile"):
        with pytest.raises(FitError, match="no rows"):
            KBinsDiscretizer(strategy=strategy).fit(pa.table({"a": pa.array([], pa.float64())}))
    with pytest.raises(DataError, match="3 columns in place of 1"):
        Bucketizer().fit([[1.0]]).inverse_transform(np.ones((1, 3)))
