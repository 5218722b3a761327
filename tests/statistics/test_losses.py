"""Losses: values that are known by heart; derivatives are tested with `GradientSums`."""

import math

import numpy as np
import pytest

from groundswell.errors import NotFoundError
from groundswell.statistics import LOSSES, Softmax, loss_named


@pytest.mark.parametrize(
    ("loss", "eta", "y", "value", "slope", "curvature"),
    [
        ("squared", 1.0, 3.0, 2.0, -2.0, 1.0),
        ("logistic", 0.0, 1.0, math.log(2), -0.5, 0.25),
        ("logistic", math.log(3), 1.0, math.log(4 / 3), -0.25, 3 / 16),
        ("squared_hinge", 0.5, 1.0, 0.25, -1.0, 2.0),
        ("squared_hinge", 0.5, 0.0, 2.25, 3.0, 2.0),
        ("squared_hinge", 1.5, 1.0, 0.0, 0.0, 0.0),
        ("poisson", math.log(2), 3.0, 2 - 3 * math.log(2), -1.0, 2.0),
        ("gamma", math.log(2), 3.0, math.log(2) + 1.5, -0.5, 1.5),
    ],
)
def test_values(loss: str, eta: float, y: float, value: float, slope: float, curvature: float) -> None:
    found = LOSSES[loss]
    at = (np.array([eta]), np.array([y]))
    assert found.value(*at)[0] == pytest.approx(value)
    assert found.slope(*at)[0] == pytest.approx(slope, abs=1e-15)
    assert found.curvature(*at)[0] == pytest.approx(curvature)


def test_softmax_of_two_classes_is_logistic() -> None:
    eta, y = np.array([-30.0, -1.0, 0.0, 2.0, 700.0]), np.array([0.0, 1.0, 1.0, 0.0, 1.0])
    pair = np.column_stack([np.zeros(5), eta])
    np.testing.assert_allclose(Softmax().value(pair, y), LOSSES["logistic"].value(eta, y), rtol=1e-12, atol=1e-15)
    p = LOSSES["logistic"].slope(eta, np.zeros(5))
    np.testing.assert_allclose(Softmax().probabilities(pair)[:, 1], p, rtol=1e-12)


def test_a_loss_that_is_not_there_is_refused() -> None:
    with pytest.raises(NotFoundError, match="Did you mean 'poisson'"):
        loss_named("poison")
    assert loss_named("softmax") == Softmax()
