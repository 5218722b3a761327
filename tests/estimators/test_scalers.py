"""Scalers against scikit-learn's, on arrays and on tables."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sklearn.preprocessing as peer
from sklearn.pipeline import make_pipeline

from groundswell.errors import ColumnNotFoundError, FitError
from groundswell.estimators import LinearRegression, MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler

PEERS = [
    (StandardScaler(), peer.StandardScaler()),
    (StandardScaler(with_mean=False), peer.StandardScaler(with_mean=False)),
    (StandardScaler(with_std=False), peer.StandardScaler(with_std=False)),
    (MinMaxScaler(), peer.MinMaxScaler()),
    (MinMaxScaler((-2, 3)), peer.MinMaxScaler((-2, 3))),
    (MaxAbsScaler(), peer.MaxAbsScaler()),
    (RobustScaler(), peer.RobustScaler()),
    (
        RobustScaler(quantile_range=(5, 80), unit_variance=True),
        peer.RobustScaler(quantile_range=(5, 80), unit_variance=True),
    ),
    (RobustScaler(with_centering=False), peer.RobustScaler(with_centering=False)),
]


@pytest.fixture
def X():
    X = np.random.default_rng(0).normal(size=(301, 4)) * [1, 100, 1e-3, 1] + [0, -5, 1e6, 0]
    X[:, 3] = 7.25
    X[5, 1] = np.nan
    return X


@pytest.mark.parametrize(("ours", "theirs"), PEERS, ids=str)
def test_it_scales_as_scikit_learn_does(ours, theirs, X):
    """To 1e-9 of the scale: the columns have mean / standard deviation up to 10⁹."""
    scaled = ours.fit_transform(X)
    np.testing.assert_allclose(scaled, theirs.fit_transform(X), rtol=1e-9, atol=1e-6)
    np.testing.assert_allclose(ours.inverse_transform(scaled), X, rtol=1e-12)


@pytest.mark.parametrize("ours", [ours for ours, _ in PEERS], ids=str)
def test_every_form_of_the_data_gives_the_same(ours, X, fits):
    reference = None
    for form, fitted in fits(ours, X, np.arange(len(X)) % 3):
        names = getattr(fitted, "feature_names_in_", None)
        scaled = fitted.transform(X if names is None else pd.DataFrame(X, columns=names))
        reference = scaled if reference is None else reference
        np.testing.assert_allclose(scaled, reference, rtol=1e-9, atol=1e-9, err_msg=form)


def test_far_offsets_cost_no_digits():
    X = np.random.default_rng(1).normal(size=(10_000, 1)) + 1e8
    assert StandardScaler().fit(X).scale_[0] == pytest.approx((X - 1e8).std(), rel=1e-9)


def test_a_table_is_scaled_as_it_is_read_and_keeps_its_other_columns(tmp_path, X):
    columns = {f"x{j}": X[:, j] for j in range(4)} | {"y": np.arange(len(X), dtype=np.float64)}
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table(columns), path, row_group_size=50)
    scaler = StandardScaler().fit(str(path), "y")
    table = scaler.transform(str(path))
    assert table.schema.names == ["x0", "x1", "x2", "x3", "y"]
    read = pa.concat_tables(part() for part in table.parts(["y", "x1"]))
    assert read["y"].to_pylist() == list(range(len(X)))
    np.testing.assert_allclose(read["x1"].to_numpy(), scaler.transform(pd.DataFrame(columns).drop(columns="y"))[:, 1])


def test_a_pipeline_of_scikit_learn_fits_a_table_that_is_read_in_parts(tmp_path):
    rng = np.random.default_rng(2)
    X = rng.normal(size=(1000, 3)) * [1, 10, 100]
    y = X @ [1.0, 0.5, 0.25] + 3
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"a": X[:, 0], "b": X[:, 1], "c": X[:, 2], "y": y}), path, row_group_size=100)
    model = make_pipeline(StandardScaler(), LinearRegression()).fit(str(path), "y")
    np.testing.assert_allclose(model.predict(str(path)), y, rtol=1e-10)
    with pytest.raises(ColumnNotFoundError, match="'c'"):
        model.predict(pa.table({"a": [1.0], "b": [1.0]}))


def test_a_range_that_does_not_rise_is_refused():
    with pytest.raises(FitError, match=r"\(1, 1\) does not rise"):
        MinMaxScaler((1, 1)).fit([[1.0]])


@pytest.mark.parametrize("scaler", [StandardScaler(), MinMaxScaler(), MaxAbsScaler(), RobustScaler()], ids=str)
def test_a_table_without_rows_is_refused(scaler):
    with pytest.raises(FitError, match="no rows"):
        scaler.fit(pa.table({"a": pa.array([], pa.float64())}))


def test_quantiles_that_are_none_are_refused():
    with pytest.raises(FitError, match="quantile range"):
        RobustScaler(quantile_range=(75, 25)).fit([[1.0]])


def test_set_output_names_the_columns_of_arrays_and_leaves_tables_tables(X):
    scaler = StandardScaler().set_output(transform="pandas").fit(pd.DataFrame(X, columns=list("abcd")))
    assert scaler.transform(pd.DataFrame(X, columns=list("abcd"))).columns.tolist() == list("abcd")
    assert scaler.transform(pa.table(dict(zip("abcd", X.T, strict=True)))).schema.names == list("abcd")
