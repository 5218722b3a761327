import pytest

from groundswell.catalog import Catalog, Entry
from groundswell.errors import DataError, NotFoundError


@pytest.fixture
def entries(catalog: Catalog) -> dict[str, Entry]:
    kinds = {"weather": "feature_group", "flights": "feature_group", "split": "training_data", "run": "run"}
    return {name: catalog.add(kind, name, {"of": name}) for name, kind in kinds.items()}


def test_edges_are_walked_one_step_in_both_directions(catalog: Catalog, entries: dict[str, Entry]) -> None:
    weather, flights, split, run = entries.values()
    catalog.link(split, weather, "read", {"version": 3})
    catalog.link(split.id, flights.id, "read", {"version": 5})
    catalog.link(run, split, "used")
    assert catalog.upstream(split) == [("read", weather, {"version": 3}), ("read", flights, {"version": 5})]
    assert catalog.downstream(split) == [("used", run, {})]
    assert catalog.upstream(weather.id) == []
    assert catalog.downstream(weather.id) == [("read", split, {"version": 3})]


def test_linking_again_replaces_the_detail(catalog: Catalog, entries: dict[str, Entry]) -> None:
    for version in (3, 3, 4):
        catalog.link(entries["split"], entries["weather"], "read", {"version": version})
    assert catalog.upstream(entries["split"]) == [("read", entries["weather"], {"version": 4})]


def test_two_relations_between_the_same_entries_are_two_edges(catalog: Catalog, entries: dict[str, Entry]) -> None:
    catalog.link(entries["run"], entries["split"], "used")
    catalog.link(entries["run"], entries["split"], "evaluated_on")
    assert [relation for relation, _, _ in catalog.upstream(entries["run"])] == ["used", "evaluated_on"]


def test_neighbors_are_as_they_are_now(catalog: Catalog, entries: dict[str, Entry]) -> None:
    catalog.link(entries["run"], entries["split"], "used")
    updated = catalog.update(entries["split"], state="erased")
    assert catalog.upstream(entries["run"]) == [("used", updated, {})]


def test_removing_an_entry_removes_its_edges(catalog: Catalog, entries: dict[str, Entry]) -> None:
    catalog.link(entries["split"], entries["weather"], "read")
    catalog.link(entries["run"], entries["split"], "used")
    catalog.remove(entries["split"])
    assert catalog.downstream(entries["weather"]) == []
    assert catalog.upstream(entries["run"]) == []


def test_an_edge_needs_both_ends(catalog: Catalog, entries: dict[str, Entry]) -> None:
    for source, target in (("0" * 32, entries["run"]), (entries["run"], "0" * 32)):
        with pytest.raises(NotFoundError, match=f"No entry has the id '{'0' * 32}'"):
            catalog.link(source, target, "used")


def test_a_detail_that_is_no_json_is_refused(catalog: Catalog, entries: dict[str, Entry]) -> None:
    with pytest.raises(DataError, match=r"detail\['versions'\] is \{1\} \(set\)"):
        catalog.link(entries["split"], entries["weather"], "read", {"versions": {1}})
    assert catalog.upstream(entries["split"]) == []
