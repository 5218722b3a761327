import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.linear_model import LogisticRegression

from groundswell.catalog import Catalog
from groundswell.errors import CorruptionError, InUseError, InvalidNameError, NotFoundError
from groundswell.models import Candidate, Registry, Signature, TrainedOn, save_model


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
