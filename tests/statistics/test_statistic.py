"""The protocols, and the checks that statistics share."""

import numpy as np
import pytest

from groundswell.errors import DataError
from groundswell.statistics import (
    DistinctSketch,
    FrequentItems,
    Histogram,
    Moments,
    QuantileSketch,
    Sketch,
    Statistic,
    Together,
    require_equal,
    require_same_width,
)


def test_statistics_and_sketches_are_told_apart_by_their_methods() -> None:
    assert isinstance(Moments(), Statistic)
    assert isinstance(Together({}), Statistic)
    assert not isinstance(Moments(), Sketch)
    assert not isinstance(object(), Statistic)
    assert all(isinstance(sketch, Sketch) for sketch in (QuantileSketch(), DistinctSketch(), FrequentItems()))


def test_settings_that_differ_are_refused_with_both_values() -> None:
    require_equal(Histogram([0.0, 1.0]), Histogram(np.array([0.0, 1.0])), "edges")
    with pytest.raises(DataError, match="A Moments with order 2 cannot take in one with 4") as caught:
        require_equal(Moments(2), Moments(4), "order")
    assert caught.value.setting == "order"
    with pytest.raises(DataError, match=r"\.\.\."):
        require_equal(Histogram(np.arange(100.0)), Histogram(np.arange(99.0)), "edges")


def test_widths_that_differ_are_refused() -> None:
    require_same_width(2, 2)
    with pytest.raises(DataError, match="Rows with 3 features cannot join rows with 2"):
        require_same_width(2, 3, "features")
