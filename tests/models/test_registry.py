import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.linear_model import LogisticRegression

from groundswell.catalog import Catalog
from groundswell.errors import CorruptionError, InUseError, InvalidNameError, NotFoundError
from groundswell.models import Candidate, Registry, Signature, TrainedOn, Writer, save_model


@pytest.fixture
def catalog(tmp_path):
    with Catalog.create(f"sqlite:///{tmp_path / 'catalog.db'}") as catalog:
        yield catalog


@pytest.fixture
def candidate(catalog, tmp_path):
    inputs = pd.DataFrame({"distance": np.arange(20.0), "month": np.arange(20) % 12})
    late = pd.Series(np.arange(20) > 9, name="late")
    model = LogisticRegression().fit(inputs, late)
    run = catalog.add("run", "fit", {})
    data = catalog.add("training_data", "late_arrival", {})
    return Candidate(
        file=save_model(model, tmp_path / "runs" / run.id / "model.skops"),
        signature=Signature.infer(pa.Table.from_pandas(inputs), pa.table({"late": late}), model),
        run_id=run.id,
        data=TrainedOn(
            id=data.id, name="late_arrival", version=1, split="train", view="late_arrival", n_rows=20, pins={"w": 3}
        ),
        metrics={"roc_auc": 0.75},
        evaluated_on=("test",),
    )


@pytest.fixture
def registry(catalog, tmp_path):
    return Registry(catalog, tmp_path / "models")


def test_a_registered_model_is_found_by_name_version_and_alias_and_predicts_the_same(registry, candidate, tmp_path):
    first = registry.register("late_arrival", candidate)
    second = registry.register("late_arrival", candidate, description="again")
    first.set_alias("champion")
    assert registry.get("late_arrival").version == 2
    assert registry.get("late_arrival:1").version == registry.get("late_arrival@champion").version == 1
    assert second.load().predict(pd.DataFrame({"distance": [0.0, 19.0], "month": [0, 1]})).tolist() == [False, True]
    assert {p.name for p in second.folder.iterdir()} == {"model.skops", "signature.json", "README.md"}
    assert second.folder == tmp_path / "models" / "late_arrival" / "2"


def test_lineage_leads_from_the_model_to_its_run_and_its_training_data(registry, candidate, catalog):
    version = registry.register("late_arrival", candidate)
    edges = {(relation, entry.id) for relation, entry, _ in catalog.upstream(version.id)}
    assert edges == {("from", candidate.run_id), ("trained_on", candidate.data.id)}


def test_what_is_not_there_is_named_with_what_is(registry, candidate):
    with pytest.raises(NotFoundError, match="There are no models yet"):
        registry.get("late_arrival")
    registry.register("late_arrival", candidate).set_alias("champion")
    with pytest.raises(NotFoundError, match="Did you mean 'late_arrival'"):
        registry.get("late_arival")
    with pytest.raises(NotFoundError, match="Its versions are 1"):
        registry.get("late_arrival:7")
    with pytest.raises(NotFoundError, match="Did you mean 'champion'"):
        registry.get("late_arrival@champ1on")
    with pytest.raises(NotFoundError, match="'name:3' for version 3"):
        registry.get("late_arrival:three")


def test_a_version_that_an_alias_points_to_is_not_deleted(registry, candidate):
    version = registry.register("late_arrival", candidate)
    version.set_alias("champion")
    with pytest.raises(InUseError, match="@champion points to it"):
        version.delete()
    version.remove_alias("champion")
    version.delete()
    assert not version.folder.exists()
    assert registry.names() == []
    again = registry.register("late_arrival", candidate)
    assert again.version == 2, "the number of a deleted version is not given again"
    with pytest.raises(NotFoundError, match=r"no version 1\. It was deleted"):
        registry.get("late_arrival:1")


@pytest.mark.parametrize("name", ["", "a/b", "..", "con", "champion", "late@1", None])
def test_a_name_that_cannot_be_used_is_refused(registry, candidate, name):
    with pytest.raises(InvalidNameError):
        registry.register(name, candidate)


@pytest.mark.parametrize("alias", ["latest", "3", "a b", "../x", None, ""])
def test_an_alias_that_cannot_be_used_is_refused(registry, candidate, alias):
    registry.register("late_arrival", candidate)
    with pytest.raises(InvalidNameError):
        registry.set_alias("late_arrival", alias, 1)


def test_a_damaged_model_is_not_registered(registry, candidate, catalog):
    candidate.file.path.write_bytes(candidate.file.path.read_bytes()[:-1])
    with pytest.raises(CorruptionError, match="is not the one that was stored"):
        registry.register("late_arrival", candidate)
    assert catalog.find("model") == []


def test_a_registered_model_that_was_changed_is_not_loaded(registry, candidate):
    version = registry.register("late_arrival", candidate)
    version.file.path.write_bytes(version.file.path.read_bytes() + b"x")
    with pytest.raises(CorruptionError, match="sha256"):
        version.load()


def test_a_version_shows_itself(registry, candidate):
    version = registry.register("late_arrival", candidate, description="<b>bold</b>")
    version.set_alias("champion")
    assert repr(version) == "<ModelVersion late_arrival:1 @champion: LogisticRegression, roc_auc 0.75>"
    assert "&lt;b&gt;bold&lt;/b&gt;" in version._repr_html_()
    assert "roc_auc 0.75" in version.describe()
    assert "late_arrival version 1, train" in version.describe()


def test_a_registration_killed_at_any_step_is_finished_or_cleared_away(tmp_path):
    script = Path(__file__).with_name("_killed_registration.py")
    done = subprocess.run([sys.executable, script, tmp_path], capture_output=True, text=True, check=True)
    n_steps = int(done.stdout)
    assert n_steps >= 12, "a step before and after each flush of three files and their folders"
    outcomes = []
    for step in range(1, n_steps + 1):
        folder = tmp_path / str(step)
        with Catalog.open(f"sqlite:///{folder / 'catalog.db'}") as catalog:
            assert [entry.state for entry in catalog.find("model")] == ["pending"]
            registry = Registry(catalog, folder / "models")
            assert catalog.find("model", state="pending") == []
            outcomes.append(len(registry.names()))
            if registry.names():
                version = registry.get("late")
                assert version.load().classes_.tolist() == [False, True]
                assert [relation for relation, *_ in catalog.upstream(version.id)] == ["from"]
            else:
                assert list((folder / "models").rglob("*.skops")) == []
            assert registry.repair() == []
    assert outcomes == sorted(outcomes), "once all files are there, the version is kept"
    assert set(outcomes) == {0, 1}


def test_a_registration_in_progress_is_left_alone(registry, candidate, catalog):
    body = {**candidate.to_dict(), "writer": Writer.this().to_dict()}
    catalog.add("model", "late_arrival", body, state="pending")
    assert registry.repair() == []
    assert len(catalog.find("model", state="pending")) == 1
    with pytest.raises(NotFoundError):
        registry.get("late_arrival:1")
    assert registry.register("late_arrival", candidate).version == 2


def test_a_deletion_that_was_killed_is_finished(registry, candidate, catalog):
    version = registry.register("late_arrival", candidate)
    catalog.update(catalog.get("model", "late_arrival", 1), state="deleted")
    (done,) = registry.repair()
    assert "were still there" in done
    assert not version.folder.exists()
    assert registry.repair() == []


def test_two_registrations_at_once_get_two_versions(registry, candidate):
    with ThreadPoolExecutor(4) as pool:
        versions = list(pool.map(lambda _: registry.register("late_arrival", candidate).version, range(8)))
    assert sorted(versions) == list(range(1, 9))
    assert [v.version for v in registry.versions("late_arrival")] == list(range(8, 0, -1))


def test_moving_an_alias_is_noted_with_where_it_was(registry, candidate, catalog):
    registry.register("late_arrival", candidate).set_alias("champion")
    registry.register("late_arrival", candidate).set_alias("champion")
    assert registry.aliases("late_arrival") == {"champion": 2}
    moves = [a.detail for a in catalog.activity(name="late_arrival") if a.verb == "alias set"]
    assert moves == [{"alias": "champion", "before": 1}, {"alias": "champion", "before": None}]
    with pytest.raises(NotFoundError, match="no version 7"):
        registry.set_alias("late_arrival", "champion", 7)
    assert registry.aliases("late_arrival") == {"champion": 2}


def test_a_name_that_was_never_used_has_no_alias(registry):
    with pytest.raises(NotFoundError):
        registry.set_alias("late_arrival", "champion", 1)


def test_the_signature_beside_the_model_is_that_in_the_catalog(registry, candidate):
    version = registry.register("late_arrival", candidate)
    beside = json.loads((version.folder / "signature.json").read_text())
    assert Signature.from_dict(beside) == version.signature == candidate.signature
    assert version.card.startswith("---\nlanguage:")
    (version.folder / "README.md").unlink()
    with pytest.raises(CorruptionError, match="model card"):
        _ = version.card
