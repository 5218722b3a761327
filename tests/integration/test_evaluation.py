"""Evaluation in a project: streamed through the model with its transformations, kept with the run, said on the card."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as skm
from sklearn.linear_model import LogisticRegression

import groundswell as gs
from groundswell.models import Evaluation, bias_variance, learning_curve


def fit(data):
    return LogisticRegression().fit(data.X, data.y)


@pytest.mark.parametrize("transformations", [[], [gs.one_hot("city"), gs.standardize("km")]])
def test_a_run_keeps_what_streaming_over_its_test_data_gives(tmp_path: Path, transformations: list) -> None:
    rng = np.random.default_rng(0)
    at = pd.date_range("2024-01-01", periods=300, freq="h", tz="UTC")
    rides = pd.DataFrame({"id": range(300), "at": at, "km": rng.gamma(2, 3, 300)})
    rides["city"] = rng.choice(["Bern", "Oslo"], 300) if transformations else rng.normal(size=300)
    rides["late"] = rides["km"] + rng.normal(0, 4, 300) > 7
    with gs.open(tmp_path / "p") as project:
        group = project.create_feature_group("rides", primary_key=["id"], event_time="at")
        group.insert(rides)
        view = project.create_feature_view(
            "late", group.select("km", "city", "late"), labels=["late"], transformations=transformations
        )
        train, test = view.train_test_split(test_start="2024-01-09")
        run = project.run(fit, train, evaluate={"seen": train, "unseen": test})
        assert test._table is None  # it was read in batches
        assert train._table is not None  # what it learned from is in memory
        found = project.get_run(run.id).evaluations["unseen"]
        assert isinstance(found, Evaluation)
        model = fit(train)
        score, said = model.predict_proba(test.X)[:, 1], model.predict(test.X)
        assert found.metrics["roc_auc"] == pytest.approx(skm.roc_auc_score(test.y, score))
        assert found.confusion.counts.tolist() == skm.confusion_matrix(test.y, said).tolist()
        version = project.register("late", run)
        assert "## Curves" in version.card
        assert "| unseen | best F1 | " in version.card
        for evaluated in (run.model, version):
            assert gs.evaluate(evaluated, test).metrics == pytest.approx(found.metrics)
        assert gs.evaluate(model, test).metrics == pytest.approx(found.metrics)  # takes what is transformed already
        curve = learning_curve(LogisticRegression(), train, test, metric="log_loss", shares=(0.5, 1.0))
        assert curve.to_pandas()["rows"].iloc[-1] == len(train)
        assert bias_variance(LogisticRegression(), train, test, n_samples=3).n_rows == len(test)
