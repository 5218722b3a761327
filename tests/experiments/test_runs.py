import functools
import subprocess
import sys
import threading
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from groundswell.catalog import Catalog
from groundswell.errors import (
    ColumnNotFoundError,
    CorruptionError,
    DataError,
    FitError,
    InvalidNameError,
    NotFoundError,
    UntrustedTypeError,
)
from groundswell.experiments import Runs
from groundswell.features._reads import Read, record
from groundswell.models import Registry


def fit(data, C=1.0):
    return LogisticRegression(C=C).fit(data.X, data.y)


def test_a_run_becomes_a_registered_model_that_predicts_the_same(runs, parts, catalog, tmp_path):
    train, test = parts
    run = runs.run(fit, train, evaluate=test, params={"C": 0.5})
    assert run.state == "finished"
    assert run.params == {"C": 0.5}
    expected = fit(train, C=0.5)
    assert run.metrics["roc_auc"] == pytest.approx(roc_auc_score(test.y, expected.predict_proba(test.X)[:, 1]))
    assert run.evaluations["test"].plot("roc").lines[0].y[-1] == 1.0
    elsewhere = Runs(catalog, tmp_path / "runs").get(run.id[:10])
    model = Registry(catalog, tmp_path / "models").register("late_arrival", elsewhere.candidate())
    assert model.load().predict_proba(test.X).tolist() == expected.predict_proba(test.X).tolist()
    assert model.signature.inputs.names == ["distance", "temp"]
    assert model.signature.task == "binary"
    assert model.body["parameters"] == {"C": 0.5}
    assert model.body["code"]["function"].endswith("test_runs.fit")
    assert "scikit-learn" in model.body["versions"]


def test_what_went_in_and_what_ran_is_recorded(runs, parts):
    train, test = parts
    run = runs.get(runs.run(fit, train, evaluate=test, name="first", description="try").id)
    assert (run.name, run.version, run.data.id, run.data.split, run.data.n_rows) == ("first", 1, train.id, "train", 60)
    assert run.data.pins == {"weather": 3}
    assert run.code["source"].startswith("def fit(data, C=1.0)")
    assert run.environment["packages"]["numpy"] == np.__version__
    assert run.started_at <= run.ended_at
    assert 0 <= run.duration_s <= (run.ended_at - run.started_at).total_seconds()
    assert (run.seed, run.reads, run.error) == (None, [], None)
    assert run.evaluations["test"].n_rows == 20


def test_lineage_leads_to_the_data_it_used_and_the_data_it_read(runs, parts, catalog):
    train, _ = parts
    weather = catalog.add("feature_group", "weather", {})
    planes = catalog.add("feature_group", "planes", {})

    def peek(data):
        record(Read("training_data", train.id, train.name, 1))
        record(Read("feature_group", weather.id, "weather", 3))  # pinned by the data
        record(Read("feature_group", planes.id, "planes", 7))
        record(Read("feature_group", planes.id, "planes", 7))
        thread = threading.Thread(target=record, args=(Read("feature_group", weather.id, "weather", 4),))
        thread.start()
        thread.join()
        record(Read("feature_view", "gone", "old", None))
        return {"auc": 0.5}

    run = runs.run(peek, train)
    assert [(read["name"], read["version_read"]) for read in run.reads] == [
        ("planes", 7),
        ("weather", 4),
        ("old", None),
    ]
    edges = [(relation, entry.name, detail) for relation, entry, detail in catalog.upstream(run.id)]
    assert edges == [
        ("used", "late_arrival", {"split": "train"}),
        ("read", "planes", {"version": 7}),
        ("read", "weather", {"version": 4}),
    ]
    assert "also read   feature group planes version 7" in run.describe()


def test_data_of_another_entry_to_evaluate_on_is_linked_too(runs, parts, catalog):
    train, test = parts
    other = catalog.add("training_data", "next_year", {})
    run = runs.run(fit, train, evaluate=replace(test, id=other.id, name="next_year"))
    edges = [(relation, entry.name, detail) for relation, entry, detail in catalog.upstream(run.id)]
    assert ("used", "next_year", {"split": "test", "for": "evaluation"}) in edges
    assert run.body["evaluated_on"]["test"]["name"] == "next_year"


class Trainer:
    def __init__(self, strength):
        self.strength = strength

    def fit(self, data):
        return fit(data, self.strength)

    def __call__(self, data):
        return fit(data, self.strength)


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (lambda data: fit(data), "run"),
        (functools.partial(fit, C=2), "fit"),
        (Trainer(3).fit, "fit"),
        (Trainer(3), "Trainer"),
        (lambda *everything: fit(*everything), "run"),
    ],
)
def test_functions_of_any_sort_are_run(function, name, runs, parts):
    run = runs.run(function, parts[0], evaluate=parts[1])
    assert run.name == name
    assert run.metrics["roc_auc"] > 0.8
    assert run.code["digest"]


def test_metrics_alone_and_metrics_with_a_model(runs, parts):
    train, test = parts
    alone = runs.run(lambda data: {"loss": 0.25, "steps": 3}, train, evaluate=test)
    assert alone.metrics == {"loss": 0.25, "steps": 3.0}
    assert alone.evaluations["test"].skipped == {"all": "the function returned no model"}
    with pytest.raises(NotFoundError, match="returned metrics only"):
        alone.candidate()
    both = runs.run(
        lambda data: (fit(data), {"loss": 0.25, "accuracy": 0.125, "bad": float("nan")}), train, evaluate=test
    )
    assert both.metrics["loss"] == 0.25
    assert both.metrics["accuracy"] == 0.125
    assert both.metrics["evaluated_accuracy"] == both.evaluations["test"].metrics["accuracy"]
    assert "bad is nan" in both.describe()


def test_several_data_sets_to_evaluate_on(runs, parts):
    train, test = parts
    run = runs.run(fit, train, evaluate={"seen": train, "unseen": test})
    assert {"seen_roc_auc", "unseen_roc_auc"} <= set(run.metrics)
    assert "roc_auc" not in run.metrics


def test_figures_by_the_values_of_columns(runs, parts):
    train, test = parts
    coarse = replace(test, frame=test.frame.assign(temp=test.frame["temp"].round()))
    run = runs.run(lambda data: LogisticRegression().fit(data.X, data.y), train, evaluate=coarse, by="temp")
    found = runs.get(run.id).evaluations["test"]
    assert sorted(found.by("temp")) == sorted(coarse.frame["temp"].unique())
    assert sum(each.n_rows for each in found.by("temp").values()) == found.n_rows == len(test)


def test_a_column_to_slice_by_that_is_not_there_is_told_before_the_function_runs(runs, parts):
    train, test = parts
    with pytest.raises(ColumnNotFoundError, match=r"'test' .*'tmp'.*'temp'"):
        runs.run(lambda _: pytest.fail("it ran"), train, evaluate={"test": test, "other": test}, by=["late", "tmp"])
    assert runs.find() == []


def test_a_test_set_of_one_class_is_evaluated_as_far_as_it_goes(runs, parts):
    train, test = parts
    late = replace(test, frame=test.frame[test.frame["late"]])
    run = runs.run(fit, train, evaluate=late)
    assert "accuracy" in run.metrics
    assert run.evaluations["test"].skipped == {"roc_auc": "the data hold no row of the first class"}
    assert "left out" in run.describe()


def test_what_the_function_raises_is_recorded_and_raised(runs, parts):
    def broken(data):
        raise ZeroDivisionError("by 0")

    with pytest.raises(ZeroDivisionError, match="by 0"):
        runs.run(broken, parts[0])
    (run,) = runs.find()
    assert run.state == "failed"
    assert run.error["type"] == "ZeroDivisionError"
    assert "in broken" in run.error["traceback"]
    assert run.ended_at is not None
    with pytest.raises(NotFoundError, match=r"failed and has nothing to register.*by 0"):
        run.candidate()
    assert "failed: ZeroDivisionError: by 0" in run.describe()


def test_an_interrupt_ends_a_run_as_failed(runs, parts):
    def interrupted(data):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        runs.run(interrupted, parts[0])
    assert [run.state for run in runs.find()] == ["failed"]


def test_a_model_that_cannot_be_stored_gives_a_finished_run_and_says_so_once(runs, parts):
    def custom(data):
        return make_pipeline(FunctionTransformer(lambda x: x), LogisticRegression()).fit(data.X, data.y)

    with pytest.warns(UserWarning, match="cannot be registered.*<lambda>") as caught:
        run = runs.run(custom, parts[0], evaluate=parts[1])
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert run.state == "finished"
    assert run.metrics["roc_auc"] > 0.8
    assert run.model.predict(parts[1].X) is not None
    with pytest.raises(UntrustedTypeError, match="<lambda>"):
        run.candidate()
    with pytest.raises(UntrustedTypeError, match="<lambda>"):
        runs.get(run.id).model.predict(parts[1].X)
    assert "not stored" in run.describe()


def test_a_model_fitted_on_other_columns_cannot_be_registered_but_one_fitted_on_some_can(runs, parts):
    def engineered(data):
        return LogisticRegression().fit(data.X.assign(square=data.X["temp"] ** 2), data.y)

    with pytest.warns(UserWarning, match="fitted on 'square'"):
        run = runs.run(engineered, parts[0], evaluate=parts[1])
    assert run.state == "finished"
    with pytest.raises(UntrustedTypeError, match="Pipeline"):
        run.candidate()
    some = runs.run(lambda data: LogisticRegression().fit(data.X[["temp"]], data.y), parts[0], evaluate=parts[1])
    assert some.candidate().signature.inputs.names == ["temp"]
    assert "roc_auc" in some.metrics


def test_a_model_without_metrics_of_ours_is_kept(runs, parts):
    with pytest.warns(UserWarning, match="KMeans cannot be evaluated"):
        run = runs.run(lambda data: KMeans(2, n_init=1).fit(data.X), parts[0], evaluate=parts[1])
    assert run.candidate().signature.task == "other"


def test_an_evaluation_that_raises_fails_the_run_but_keeps_the_model(runs, parts):
    train, test = parts
    holed = replace(test, frame=test.frame.assign(temp=np.nan))
    with pytest.raises(ValueError, match="NaN"):
        runs.run(fit, train, evaluate=holed)
    (run,) = runs.find()
    assert run.state == "failed"
    assert run.model_file.path.exists()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"data": pd.DataFrame({"a": [1]})}, DataError, "The data is a DataFrame"),
        ({"data": None}, DataError, "The data is a NoneType"),
        ({"evaluate": 3}, DataError, "evaluate is a int"),
        ({"evaluate": {"test": 3}}, DataError, r"evaluate\['test'\] is a int"),
        ({"params": {"D": 1}}, DataError, "has no parameter 'D'"),
        ({"function": LogisticRegression()}, DataError, "is an estimator"),
        ({"name": "a/b"}, InvalidNameError, "'a/b' cannot name a run"),
    ],
)
def test_what_cannot_be_run_is_refused_before_anything_is_recorded(arguments, error, message, runs, parts):
    given = {"function": fit, "data": parts[0]} | arguments
    with pytest.raises(error, match=message):
        runs.run(given.pop("function"), given.pop("data"), **given)
    assert runs.find() == []


def test_a_function_that_returns_nothing_fails(runs, parts):
    with pytest.raises(FitError, match="returned nothing"):
        runs.run(lambda data: None, parts[0])
    assert [run.state for run in runs.find()] == ["failed"]


def test_a_drawn_seed_is_recorded_and_repeats_the_run(runs, parts):
    def forest(data, random_state=None):
        model = HistGradientBoostingClassifier(max_iter=3, random_state=random_state, max_features=0.5)
        return model.fit(data.X, data.y)

    first = runs.run(forest, parts[0])
    again = runs.run(forest, parts[0], params={"random_state": first.seed})
    assert first.params == {"random_state": first.seed}
    assert again.model_file.digest == first.model_file.digest


def test_parameters_of_any_sort_are_recorded_as_text_and_secrets_are_not(runs, parts):
    def taking(data, model, api_key, shape=(2, 3)):
        return {"m": 1}

    run = runs.run(taking, parts[0], params={"model": LinearRegression(), "api_key": "sk-1234567"})
    assert run.params == {"model": "LinearRegression()", "api_key": "<hidden>", "shape": [2, 3]}
    assert "sk-1234567" not in str(run.body)


def test_runs_are_found_newest_first_by_name_state_and_id(runs, parts):
    first = runs.run(fit, parts[0])
    second = runs.run(fit, parts[0], name="other")
    assert [run.id for run in runs.find()] == [second.id, first.id]
    assert [run.id for run in runs.find(name="fit")] == [first.id]
    assert [run.id for run in runs.find(state="failed")] == []
    assert [run.id for run in runs.find(limit=1)] == [second.id]
    assert runs.get(second.id[:12]).id == second.id
    with pytest.raises(NotFoundError, match=f"The latest are {second.id[:8]}"):
        runs.get("zzzz")
    with pytest.raises(NotFoundError):
        runs.get("")


def test_an_id_that_is_cut_too_short_is_refused(runs, parts, catalog):
    ids = [runs.run(lambda data: {"m": 1}, parts[0]).id for _ in range(17)]
    shared = next(a[0] for a in ids for b in ids if a != b and a[0] == b[0])
    with pytest.raises(NotFoundError, match=f"begins with '{shared}'|begin with|that begins"):
        runs.get(shared)


def test_comparing_shows_differences_only(runs, parts):
    first = runs.run(fit, parts[0], evaluate=parts[1])
    second = runs.run(fit, parts[0], evaluate=parts[1], params={"C": 0.01})
    table = runs.compare([first, second.id])
    assert list(table.columns) == [first.short_id, second.short_id]
    assert table.loc[("parameter", "C")].tolist() == [1.0, 0.01]
    assert ("metric", "log_loss") in table.index
    assert not {"environment", "code", "data", "run"} & set(table.index.get_level_values(0))
    assert runs.compare([first, first]).empty
    assert runs.compare([]).empty


def test_a_run_shows_itself(runs, parts):
    run = runs.run(lambda data, note="<b>": fit(data), parts[0], evaluate=parts[1])
    assert repr(run).startswith(f"<Run {run.id[:8]} run(note='<b>') finished, roc_auc 0.")
    assert "&lt;b&gt;" in run._repr_html_()
    assert "<b>" not in run._repr_html_()


def test_a_damaged_model_of_a_run_is_not_loaded(runs, parts):
    run = runs.get(runs.run(fit, parts[0]).id)
    run.model_file.path.write_bytes(b"x")
    with pytest.raises(CorruptionError):
        runs.get(run.id).model.predict(parts[0].X)


_KILLED = """
import os, signal, sys
sys.path.insert(0, {tests!r})
from conftest import Flights
import pandas as pd
from groundswell.catalog import Catalog
from groundswell.experiments import Runs
catalog = Catalog.open({url!r})
data = Flights({id!r}, "train", pd.DataFrame({{"distance": [1.0], "temp": [1.0], "late": [True]}}))
Runs(catalog, {folder!r}).run(lambda data: os.kill(os.getpid(), signal.SIGKILL), data)
"""


def test_a_run_whose_process_was_killed_is_failed_when_somebody_looks(parts, catalog, tmp_path):
    url = f"sqlite:///{tmp_path / 'catalog.db'}"
    program = _KILLED.format(tests=str(Path(__file__).parent), url=url, id=parts[0].id, folder=str(tmp_path / "runs"))
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == -9
    assert [entry.state for entry in catalog.find("run")] == ["running"]
    (run,) = Runs(catalog, tmp_path / "runs").find()
    assert run.state == "failed"
    assert run.error["message"] == "The process ended before the function returned."


def test_a_run_in_progress_is_left_alone(runs, parts, catalog, tmp_path):
    seen = []

    def looking(data):
        seen.extend(Runs(catalog, tmp_path / "runs").find())
        return {"m": 1}

    run = runs.run(looking, parts[0])
    assert [each.state for each in seen] == ["running"]
    assert repr(seen[0]).endswith("running>")
    assert run.state == "finished"


def test_a_run_whose_entry_was_removed_raises_what_the_function_raised(runs, parts, catalog):
    def removing(data):
        catalog.remove(catalog.find("run")[0])
        raise ZeroDivisionError

    with warnings.catch_warnings(), pytest.raises(ZeroDivisionError):
        runs.run(removing, parts[0])
    assert catalog.find("run") == []


def test_another_process_opens_what_this_one_ran(runs, parts, tmp_path):
    run = runs.run(fit, parts[0])
    with Catalog.open(f"sqlite:///{tmp_path / 'catalog.db'}") as other:
        assert Runs(other, tmp_path / "runs").get(run.id).model.coef_.tolist() == run.model.coef_.tolist()
    assert [folder.name for folder in (tmp_path / "runs").iterdir()] == [run.id]
