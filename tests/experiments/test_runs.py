import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from groundswell.experiments import Runs
from groundswell.models import Registry


def fit(data, C=1.0):
    return LogisticRegression(C=C).fit(data.X, data.y)


def test_a_run_becomes_a_registered_model_that_predicts_the_same(runs, parts, catalog, tmp_path):
    train, test = parts
    run = runs.run(fit, train, evaluate=test, params={"C": 0.5})
    assert run.state == "finished"
    assert run.params == {"C": 0.5}
    expected = fit(train, C=0.5)
    assert run.metrics["roc_auc"] == roc_auc_score(test.y, expected.predict_proba(test.X)[:, 1])
    elsewhere = Runs(catalog, tmp_path / "runs").get(run.id[:10])
    model = Registry(catalog, tmp_path / "models").register("late_arrival", elsewhere.candidate())
    assert model.load().predict_proba(test.X).tolist() == expected.predict_proba(test.X).tolist()
    assert model.signature.inputs.names == ["distance", "temp"]
    assert model.signature.task == "binary"


def test_what_the_function_raises_is_recorded_and_raised(runs, parts):
    def broken(data):
        raise ZeroDivisionError("by 0")

    with pytest.raises(ZeroDivisionError, match="by 0"):
        runs.run(broken, parts[0])
    (run,) = runs.find()
    assert run.state == "failed"
    assert run.error["type"] == "ZeroDivisionError"
    assert "in broken" in run.error["traceback"]
