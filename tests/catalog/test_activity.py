from datetime import UTC, datetime

import pytest

from groundswell.catalog import Activity, Catalog
from groundswell.errors import NotFoundError


def test_activity_is_newest_first_and_says_who_what_and_when(catalog: Catalog) -> None:
    before = datetime.now(UTC)
    weather, flights = catalog.add("feature_group", "weather", {}), catalog.add("feature_group", "flights", {})
    catalog.log("created", weather)
    catalog.log("inserted", flights.id, {"rows": 3})
    newest, oldest = catalog.activity()
    assert (newest.verb, newest.name, newest.detail) == ("inserted", "flights", {"rows": 3})
    assert (oldest.verb, oldest.kind, oldest.name, oldest.version) == ("created", "feature_group", "weather", 1)
    assert before <= oldest.at <= newest.at <= datetime.now(UTC)
    assert newest.by == weather.created_by
    assert str(oldest).endswith("created feature group 'weather' version 1")


def test_activity_is_limited_and_of_a_name(catalog: Catalog) -> None:
    weather, flights = catalog.add("feature_group", "weather", {}), catalog.add("feature_group", "flights", {})
    for i in range(5):
        catalog.log("inserted", weather, {"i": i})
        catalog.log("inserted", flights, {"i": i})
    assert [a.detail["i"] for a in catalog.activity(name="weather", limit=2)] == [4, 3]
    assert len(catalog.activity(limit=7)) == 7
    assert catalog.activity(name="planes") == []


def test_activity_stays_when_the_entry_is_removed(catalog: Catalog) -> None:
    weather = catalog.add("feature_group", "weather", {})
    catalog.remove(weather)
    catalog.log("deleted", weather)
    (deleted,) = catalog.activity()
    assert isinstance(deleted, Activity)
    assert (deleted.verb, deleted.entry_id) == ("deleted", weather.id)
    with pytest.raises(NotFoundError, match=weather.id):
        catalog.log("deleted", weather.id)
