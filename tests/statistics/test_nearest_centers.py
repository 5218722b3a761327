"""NearestCenters against distances in float64, where float32 cannot tell."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import cdist

from groundswell.statistics._nearest_centers import NearestCenters


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("shift", "scale"), [(0, 1), (1e7, 1), (0, 1e-25), (0, 1e25), (-1e30, 1e28)])
def test_labels_are_those_of_float64(dtype: type, shift: float, scale: float) -> None:
    rng = np.random.default_rng(0)
    X = (rng.normal(size=(3000, 7)) * scale + shift).astype(dtype)
    centers = X[:9].astype(np.float64) + scale / 8
    centers[4] = centers[1]  # of two that are the same the first is meant
    distances = cdist(X, centers, "sqeuclidean")
    prepared = NearestCenters(centers)
    np.testing.assert_array_equal(prepared.labels(X), distances.argmin(axis=1))
    np.testing.assert_allclose(prepared.squares(X), distances.min(axis=1), rtol=1e-13)


def test_a_row_that_is_a_hair_nearer_to_one_center_goes_there() -> None:
    centers = np.array([[0.0], [2.0]])
    hair = np.spacing(1.0)
    X = np.array([[1 - hair], [1.0], [1 + hair]])
    assert NearestCenters(centers).labels(X).tolist() == [0, 0, 1]


def test_the_layout_of_the_memory_does_not_matter() -> None:
    rng = np.random.default_rng(1)
    wide = np.asfortranarray(rng.normal(size=(500, 12)))
    X, centers = wide[::2, ::3], rng.normal(size=(5, 4))
    prepared = NearestCenters(centers)
    expected = prepared.labels(np.ascontiguousarray(X))
    sealed = np.asfortranarray(X)
    sealed.flags.writeable = False
    for same in (X, np.asfortranarray(X), sealed, np.ascontiguousarray(X[::-1])[::-1]):
        before = same.flags.writeable
        np.testing.assert_array_equal(prepared.labels(same), expected)
        assert same.flags.writeable == before
    whole = np.round(X)
    np.testing.assert_array_equal(prepared.labels(whole.astype(np.int16)), prepared.labels(whole))


@pytest.mark.parametrize("order", ["C", "F"])
def test_missing_rows_have_no_center_and_no_distance(order: str) -> None:
    X = np.array([[0.0, 1.0], [np.nan, 1.0], [9.0, np.nan], [np.inf, 0.0]], order=order)  # type: ignore[call-overload]
    prepared = NearestCenters(np.array([[0.0, 0.0], [8.0, 0.0]]))
    assert prepared.labels(X).tolist() == [0, -1, -1, 0]
    np.testing.assert_array_equal(prepared.squares(X), [1.0, np.nan, np.nan, np.inf])


def test_no_rows_and_no_features_are_no_error() -> None:
    assert NearestCenters(np.zeros((2, 3))).labels(np.zeros((0, 3))).shape == (0,)
    assert NearestCenters(np.zeros((2, 0))).labels(np.zeros((3, 0))).tolist() == [0, 0, 0]


whole = st.integers(-(2**20), 2**20).map(float)


@given(arrays(np.float64, (20, 3), elements=whole), arrays(np.float64, (4, 3), elements=whole))
def test_whole_numbers_whose_distances_are_exact(X: np.ndarray, centers: np.ndarray) -> None:
    squares = ((X[:, None] - centers) ** 2).sum(axis=2)
    np.testing.assert_array_equal(NearestCenters(centers).labels(X), squares.argmin(axis=1))
    np.testing.assert_array_equal(NearestCenters(centers).squares(X), squares.min(axis=1))
