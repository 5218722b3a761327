import numpy as np
import pytest

from groundswell.errors import FitError
from groundswell.experiments._outcome import Outcome


def test_a_model_metrics_and_both_are_told_apart():
    model = object()
    assert Outcome.of(model) == Outcome(model)
    assert Outcome.of({"auc": 0.5}) == Outcome(None, {"auc": 0.5})
    assert Outcome.of((model, {"auc": 0.5})) == Outcome(model, {"auc": 0.5})
    assert Outcome.of((1, 2)).model == (1, 2)


@pytest.mark.parametrize("value", [1, 0.5, True, np.float32(0.5), np.array(0.5), np.int8(3)])
def test_numbers_of_any_kind_are_metrics(value):
    assert Outcome.of({"m": value}).metrics == {"m": float(value)}


def test_what_is_not_finite_is_kept_apart():
    outcome = Outcome.of({"loss": float("nan"), "bound": float("inf"), "auc": 0.5})
    assert outcome.metrics == {"auc": 0.5}
    assert outcome.not_finite == {"loss": "nan", "bound": "inf"}


@pytest.mark.parametrize("returned", [None, {"auc": "high"}, {1: 0.5}, {"m": np.zeros(3)}, (object(), {"m": None})])
def test_nothing_and_metrics_that_are_no_numbers_are_refused(returned):
    with pytest.raises(FitError):
        Outcome.of(returned)
