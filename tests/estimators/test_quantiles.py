"""Exact quantiles against numpy's, whatever the values and the cuts."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator

from groundswell.engines import StreamRows
from groundswell.estimators._input import fit_input
from groundswell.estimators._quantiles import quantiles

LEVELS = [0, 0.1, 0.25, 0.5, 0.75, 0.99, 1]
METHODS = ["linear", "averaged_inverted_cdf"]


def both(X, method="linear"):
    table = pa.table({f"x{j}": column for j, column in enumerate(X.T)})
    in_memory, in_parts = (fit_input(BaseEstimator(), given, allow_nan=True) for given in (X, table))
    found = quantiles(in_parts, LEVELS, method)
    np.testing.assert_array_equal(quantiles(in_memory, LEVELS, method), found)
    return found, np.nanquantile(X, LEVELS, axis=0, method=method).T


@pytest.mark.parametrize("method", METHODS)
def test_they_are_those_of_numpy_to_the_last_bit(method):
    rng = np.random.default_rng(0)
    X = np.column_stack([
        rng.normal(size=30_000), rng.integers(-3, 3, 30_000), np.exp(rng.normal(size=30_000) * 15),
        np.where(rng.random(30_000) < 0.4, np.nan, rng.normal(size=30_000)), np.full(30_000, 7.0),
        1e6 + rng.integers(0, 9000, 30_000) * 2.0**-40,
    ])  # fmt: skip
    np.testing.assert_array_equal(*both(X, method))
    np.testing.assert_array_equal(*both(X.astype(np.float32).astype(np.float64), method))


def test_a_column_without_values_has_none():
    data = fit_input(BaseEstimator(), np.array([[np.nan, 1.0], [np.nan, 2.0]]), allow_nan=True)
    assert quantiles(data, [0.5]).tolist()[1] == [1.5]
    assert np.isnan(quantiles(data, [0.5])[0, 0])


@settings(deadline=None, max_examples=60)
@given(
    values=st.lists(st.floats(width=64, allow_nan=False, allow_infinity=False), min_size=1, max_size=50),
    rows=st.integers(1, 20),
    method=st.sampled_from(METHODS),
)
def test_no_cut_of_the_rows_changes_them(values, rows, method):
    table = pa.table({"a": values})
    stream = StreamRows(table.schema, lambda: table.to_reader(max_chunksize=rows))
    found = quantiles(fit_input(BaseEstimator(), stream), LEVELS, method)
    with np.errstate(over="ignore", invalid="ignore"):
        expected = np.quantile(np.array(values) + 0.0, LEVELS, method=method)
    if np.isfinite(expected).all():  # numpy overflows between the largest doubles
        np.testing.assert_array_equal(found[0], expected)
