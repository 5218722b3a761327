"""Commands that predict import what they are told to, and nothing that a project names."""

import sys
from pathlib import Path

import pytest

import groundswell as gs

MODULE = """
import groundswell as gs

@gs.on_demand
def doubled(km: float) -> float:
    return 2 * km
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project whose model needs a function of a module in the current folder, which is not imported any more."""
    import pandas as pd
    from sklearn.tree import DecisionTreeClassifier

    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    Path("ride_features.py").write_text(MODULE)
    import ride_features

    with gs.open("here") as project:
        rides = project.create_feature_group("rides", primary_key=["ride"], event_time="at")
        at = pd.date_range("2024-01-01", periods=20, tz="UTC")
        rides.insert(pd.DataFrame({"ride": range(20), "at": at, "km": [0.5] * 20, "late": [0, 1] * 10}))
        view = project.create_feature_view(
            "late", rides.select("km", "late"), labels=["late"], on_demand=[ride_features.doubled]
        )
        run = project.run(lambda data: DecisionTreeClassifier().fit(data.X, data.y), view.training_data())
        project.register("late", run)
    del sys.modules["ride_features"]
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path != str(tmp_path)])
    return "here"


def test_the_module_is_imported_only_if_the_command_names_it(run, project):
    asked = ["predict", "late", '{"km": 3.0}', "--project", project]
    assert "--import ride_features" in run(*asked, code=1).output
    run(*asked, "--import", "ride_features")
    refused = run(*asked, "--import", "ride_featurs", code=1)
    assert "The module 'ride_featurs' cannot be imported" in refused.output
