"""CalibrationBins against scikit-learn's calibration curve."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve

from groundswell.errors import DataError
from groundswell.statistics import Batch, CalibrationBins, Statistic, aggregate
from groundswell.testing import StatisticConformance, numeric_batches


class TestCalibrationBins(StatisticConformance):
    tolerance = 1e-12

    def statistic(self) -> Statistic[Any]:
        return CalibrationBins(n_bins=4)

    def batches(self) -> st.SearchStrategy[Batch]:
        rows = numeric_batches(1, target=(0.0, 1.0), missing=False, far=False)
        return rows.map(lambda batch: replace(batch, X=(batch.matrix + 16) / 32))


def test_the_curve_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    said = np.concatenate([rng.uniform(size=500), [0.0, 0.1, 0.5, 1.0]])
    came = (rng.uniform(size=504) < said).astype(float)
    result = aggregate([Batch(X=said[:, None], y=came)], CalibrationBins()).result()
    observed, predicted = calibration_curve(came, said, n_bins=10)
    np.testing.assert_allclose(result.observed, observed, rtol=1e-12)
    np.testing.assert_allclose(result.predicted, predicted, rtol=1e-12)
    gaps = [abs(p - o) for p, o in zip(predicted, observed, strict=True)]
    bins = np.digitize(said, np.linspace(0, 1, 11)[1:-1], right=True)
    assert result.expected_error == pytest.approx(np.mean([gaps[b] for b in bins]))
    assert result.maximum_error == pytest.approx(max(gaps))


def test_an_empty_bin_has_no_share() -> None:
    result = aggregate([Batch(X=np.array([[0.9]]), y=np.array([0]))], CalibrationBins(n_bins=2)).result()
    assert np.isnan(result.observed[0])
    assert result.expected_error == pytest.approx(0.9)
    assert np.isnan(CalibrationBins().result().expected_error)
    assert np.isnan(CalibrationBins().result().maximum_error)


@pytest.mark.parametrize("bad", [-0.1, 1.1, np.nan])
def test_what_is_no_probability_is_refused(bad: float) -> None:
    with pytest.raises(DataError, match="is no probability"):
        CalibrationBins().update(Batch(X=np.array([[0.5], [bad]]), y=np.zeros(2)))


def test_settings_that_mean_nothing_are_refused() -> None:
    with pytest.raises(DataError, match="0 bins"):
        CalibrationBins(n_bins=0)
    with pytest.raises(DataError, match="columns of probabilities"):
        CalibrationBins().update(Batch(X=np.zeros((1, 2)), y=np.zeros(1)))
