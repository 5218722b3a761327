"""Tags, their schemas, and tags that must be there."""

from typing import Any

import pytest

from groundswell.catalog import Catalog, Entry
from groundswell.errors import (
    AlreadyExistsError,
    ColumnNotFoundError,
    DataError,
    InUseError,
    InvalidNameError,
    NotFoundError,
)

OWNERSHIP = {"type": "object", "required": ["team"], "properties": {"team": {"type": "string"}}}


@pytest.fixture
def weather(catalog: Catalog) -> Entry:
    return catalog.add("feature_group", "weather", {"schema": [{"name": "temp"}, {"name": "humid"}]})


@pytest.mark.parametrize("value", [None, True, 0, -1.5, 1.0, "text", "🐟", [1, [2]], {"a": {"b": None}}, 2**70])
def test_a_tag_holds_any_json_and_reads_back_as_it_was(catalog: Catalog, weather: Entry, value: Any) -> None:
    catalog.tags.set(weather, "note", value)
    assert catalog.tags.of(weather) == {"note": value}
    assert type(catalog.tags.of(weather)["note"]) is type(value)


def test_entries_and_features_have_tags_of_their_own(catalog: Catalog, weather: Entry) -> None:
    catalog.tags.set(weather, "unit", "none")
    catalog.tags.set(weather, "unit", "°F", feature="temp")
    catalog.tags.set(weather, "unit", "°C", feature="temp")
    assert catalog.tags.of(weather) == {"unit": "none"}
    assert catalog.tags.of(weather, feature="temp") == {"unit": "°C"}
    assert catalog.tags.of_features(weather) == {"temp": {"unit": "°C"}}
    catalog.tags.remove(weather, "unit", feature="temp")
    assert catalog.tags.of_features(weather) == {}
    assert catalog.tags.of(weather) == {"unit": "none"}


def test_each_change_is_an_event(catalog: Catalog, weather: Entry) -> None:
    catalog.tags.set(weather, "pii", False)
    catalog.tags.set(weather, "unit", "°F", feature="temp")
    catalog.tags.remove(weather, "pii")
    catalog.descriptions.set(weather, "Hourly.")
    told = [(event.verb, dict(event.detail)) for event in reversed(catalog.events.newest())]
    assert told == [
        ("tagged", {"name": "pii", "feature": None, "value": False}),
        ("tagged", {"name": "unit", "feature": "temp", "value": "°F"}),
        ("untagged", {"name": "pii", "feature": None, "before": False}),
        ("described", {"feature": None, "description": "Hourly."}),
    ]
    assert catalog.events.newest(1)[0].tags == ["unit"]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("", 1), InvalidNameError, "from 1 to 255"),
        (("  ", 1), InvalidNameError, "from 1 to 255"),
        (("x" * 256, 1), InvalidNameError, "from 1 to 255"),
        ((3, 1), InvalidNameError, "the name of a tag"),
        (("a", {1: 2}), DataError, "has the key 1"),
        (("a", float("nan")), DataError, "is nan"),
        (("a", object()), DataError, "keeps JSON"),
    ],
)
def test_what_is_no_tag_is_refused_and_nothing_is_written(
    catalog: Catalog, weather: Entry, arguments: tuple[Any, Any], error: Any, message: str
) -> None:
    with pytest.raises(error, match=message):
        catalog.tags.set(weather, *arguments)
    assert catalog.tags.of(weather) == {}
    assert catalog.events.newest() == []


def test_unknown_names_are_answered_with_the_nearest(catalog: Catalog, weather: Entry) -> None:
    catalog.tags.set(weather, "ownership", 1)
    with pytest.raises(ColumnNotFoundError, match=r"has no feature 'tmp'. Did you mean 'temp'"):
        catalog.tags.set(weather, "unit", 1, feature="tmp")
    with pytest.raises(NotFoundError, match=r"has no tag 'owner'.*Did you mean 'ownership'"):
        catalog.tags.remove(weather, "owner")
    with pytest.raises(NotFoundError, match="no schema of a tag"):
        catalog.tags.require("ownership", "feature_group")
    catalog.remove(weather)
    with pytest.raises(NotFoundError, match="No entry has the id"):
        catalog.tags.set(weather, "a", 1)


def test_values_must_fit_the_schema(catalog: Catalog, weather: Entry) -> None:
    catalog.tags.create_schema("ownership", OWNERSHIP, description="Who answers.")
    with pytest.raises(DataError, match=r"cannot be the value of the tag 'ownership': 'team' is a required property"):
        catalog.tags.set(weather, "ownership", {"tem": "a"})
    with pytest.raises(DataError, match=r"team: 3 is not of type 'string'"):
        catalog.tags.set(weather, "ownership", {"team": 3}, feature="temp")
    assert catalog.tags.of(weather) == {}
    catalog.tags.set(weather, "ownership", {"team": "climate"})
    catalog.tags.set(weather, "free", {"tem": 1})
    assert catalog.tags.schemas() == {"ownership": OWNERSHIP}


def test_a_schema_that_does_not_fit_what_is_there_is_refused(catalog: Catalog, weather: Entry) -> None:
    catalog.tags.set(weather, "ownership", "climate", feature="temp")
    with pytest.raises(DataError, match=r"1 values .* feature group 'weather' version 1, feature 'temp' \('climate'"):
        catalog.tags.create_schema("ownership", OWNERSHIP)
    catalog.tags.create_schema("ownership", {"type": "string"})
    with pytest.raises(DataError, match="do not fit the schema"):
        catalog.tags.change_schema("ownership", OWNERSHIP)
    assert catalog.tags.schemas() == {"ownership": {"type": "string"}}
    catalog.tags.change_schema("ownership", {})
    catalog.tags.set(weather, "ownership", 3)
    assert catalog.events.newest(2)[1].detail == {"schema": {}, "before": {"type": "string"}}


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({"type": "objekt"}, "cannot be used: type: 'objekt'"),
        ({"$ref": "https://example.com/schema.json"}, "which is not in it"),
        ({"$ref": "#/$defs/missing"}, "which is not in it"),
        ({"pattern": "("}, "is not a 'regex'"),
        ("string", "no mapping"),
        (None, "no mapping"),
        ({"const": float("inf")}, "is inf"),
    ],
)
def test_what_is_no_schema_is_refused(catalog: Catalog, schema: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        catalog.tags.create_schema("a", schema)
    assert catalog.find("tag_schema") == []


def test_a_schema_may_refer_to_itself(catalog: Catalog, weather: Entry) -> None:
    catalog.tags.create_schema("tree", {"type": "object", "additionalProperties": {"$ref": "#"}})
    catalog.tags.set(weather, "tree", {"a": {"b": {}}})
    with pytest.raises(DataError, match=r"a.b: 1 is not of type"):
        catalog.tags.set(weather, "tree", {"a": {"b": 1}})
    catalog.tags.create_schema("endless", {"$ref": "#"})
    with pytest.raises(DataError, match="refers to itself without end"):
        catalog.tags.set(weather, "endless", 1)


def test_a_schema_in_use_stays(catalog: Catalog, weather: Entry) -> None:
    catalog.tags.create_schema("a", {})
    with pytest.raises(AlreadyExistsError, match="has a schema already"):
        catalog.tags.create_schema("a", {})
    catalog.tags.set(weather, "a", 1)
    with pytest.raises(InUseError, match="it has 1 values"):
        catalog.tags.delete_schema("a")
    catalog.tags.remove(weather, "a")
    catalog.tags.require("a", "run")
    with pytest.raises(InUseError, match="every run must have it"):
        catalog.tags.delete_schema("a")
    catalog.tags.unrequire("a", "run")
    catalog.tags.delete_schema("a")
    assert catalog.tags.schemas() == {}


def test_what_lacks_a_required_tag_is_not_made_and_what_is_there_is_listed(catalog: Catalog, weather: Entry) -> None:
    catalog.tags.create_schema("ownership", OWNERSHIP)
    assert catalog.tags.require("ownership", "feature_group") == [weather]
    for tags in ({}, {"other": 1}, {"ownership": "climate"}):
        with pytest.raises(DataError, match="ownership"):
            catalog.add("feature_group", "planes", {}, tags=tags)
    assert catalog.find("feature_group", name="planes") == []
    planes = catalog.add("feature_group", "planes", {}, tags={"ownership": {"team": "a"}})
    with pytest.raises(InUseError, match="must have the tag 'ownership'"):
        catalog.tags.remove(planes, "ownership")
    catalog.add("feature_view", "free", {})
    assert [finding.what for finding in catalog.tags.check()] == [
        "The feature group 'weather' version 1 lacks the tag 'ownership', which every feature group must have."
    ]
    catalog.tags.set(weather, "ownership", {"team": "b"})
    assert list(catalog.tags.check()) == []
    assert catalog.tags.required() == {"ownership": ["feature_group"]}
    catalog.tags.unrequire("ownership", "feature_group")
    catalog.add("feature_group", "airports", {})


def test_tags_can_be_required_only_of_what_takes_them_when_it_is_made(catalog: Catalog) -> None:
    catalog.tags.create_schema("a", {})
    for kind in ("training_data", "feature_grup", 3):
        with pytest.raises(InvalidNameError, match="cannot be required"):
            catalog.tags.require("a", kind)
    with pytest.raises(NotFoundError, match="not required of 'run'"):
        catalog.tags.unrequire("a", "run")


def test_tags_go_with_their_entry(catalog: Catalog, weather: Entry) -> None:
    catalog.tags.set(weather, "a", 1)
    catalog.descriptions.set(weather, "hot or not", feature="temp")
    catalog.remove(weather)
    again = catalog.add("feature_group", "weather", {"schema": [{"name": "temp"}]})
    assert catalog.tags.of(again) == {}
    assert catalog.descriptions.of_features(again) == {}


def test_features_and_entries_are_described(catalog: Catalog, weather: Entry) -> None:
    catalog.descriptions.set(weather, "Hourly weather.")
    catalog.descriptions.set(weather, "in °F", feature="temp")
    assert catalog.descriptions.of(weather) == "Hourly weather."
    assert catalog.descriptions.of_features(weather) == {"temp": "in °F"}
    catalog.descriptions.set(weather, "", feature="temp")
    assert catalog.descriptions.of_features(weather) == {}
    with pytest.raises(InvalidNameError, match="a description"):
        catalog.descriptions.set(weather, 3)
