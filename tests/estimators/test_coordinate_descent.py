"""The conditions of the optimum, whatever the problem."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.estimators._coordinate_descent import coordinate_descent


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10_000), st.integers(1, 12), st.integers(1, 20), st.floats(0, 1))
def test_the_slopes_are_those_of_an_optimum(seed: int, p: int, rows: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    design = rng.standard_normal((rows, p))
    quadratic, linear = design.T @ design, design.T @ rng.standard_normal(rows)
    penalty = share * np.abs(linear).max() * rng.integers(0, 2, p)
    found = coordinate_descent(quadratic, linear, penalty, rng.standard_normal(p), max_iter=5000)
    slope, theta = linear - quadratic @ found.solution, found.solution
    if found.converged:
        allowed = 1e-9 * np.abs(linear).max()
        np.testing.assert_allclose(slope[theta != 0], (penalty * np.sign(theta))[theta != 0], atol=allowed)
        assert (np.abs(slope[theta == 0]) <= penalty[theta == 0] + allowed).all()
    if rows >= p + 3:
        assert found.converged


def test_a_coordinate_without_curvature_stays_zero() -> None:
    found = coordinate_descent(np.diag([1.0, 0.0]), np.array([1.0, 0.0]), np.zeros(2), np.ones(2))
    np.testing.assert_array_equal(found.solution, [1.0, 0.0])
