from datetime import UTC, datetime, timedelta

import pytest

from groundswell.catalog import Catalog
from groundswell.errors import AlreadyExistsError, ConflictError, DataError, NotFoundError


def test_what_was_added_is_read_back_equal_by_another_connection(catalog: Catalog, url: str) -> None:
    body = {"primary_key": ["origin"], "nested": {"floats": [0.1, 1e300], "none": None, "yes": True}, "big": 2**70}
    added = catalog.add("feature_group", "weather", body, description="Hourly, at the origin")
    with Catalog.open(url) as other:
        assert other.get("feature_group", "weather") == added
    assert added.body == body
    assert (added.version, added.state) == (1, "ready")


def test_versions_count_within_kind_and_name(catalog: Catalog) -> None:
    first, second = catalog.add("model", "late", {}), catalog.add("model", "late", {})
    other_kind, other_name = catalog.add("run", "late", {}), catalog.add("model", "Late", {})
    assert [e.version for e in (first, second, other_kind, other_name)] == [1, 2, 1, 1]
    assert catalog.get("model", "late") == second
    assert catalog.get("model", "late", 1) == first


def test_an_explicit_version_is_kept_and_the_next_one_follows_it(catalog: Catalog) -> None:
    assert catalog.add("model", "late", {}, version=7).version == 7
    assert catalog.add("model", "late", {}).version == 8
    with pytest.raises(AlreadyExistsError, match=r"has a version 7 already.*to get version 9"):
        catalog.add("model", "late", {}, version=7)


def test_find_is_newest_first(catalog: Catalog) -> None:
    a, b, c = (
        catalog.add("run", name, {}, state=state) for name, state in [("x", "failed"), ("y", "ready"), ("x", "ready")]
    )
    assert catalog.find("run") == [c, b, a]
    assert catalog.find("run", name="x") == [c, a]
    assert catalog.find("run", state="ready", limit=1) == [c]
    assert catalog.find("model") == []


def test_update_replaces_what_is_given(catalog: Catalog) -> None:
    entry = catalog.add("run", "r", {"a": 1, "b": 2}, state="pending", description="first")
    updated = catalog.update(entry, body={"b": 3}, state="ready", expect_state="pending")
    assert (updated.body, updated.state, updated.description) == ({"b": 3}, "ready", "first")
    assert catalog.get("run", "r") == updated
    with pytest.raises(ConflictError, match="is 'ready', not 'pending'"):
        catalog.update(entry, state="failed", expect_state="pending")
    assert catalog.get("run", "r") == updated


def test_removed_is_gone(catalog: Catalog) -> None:
    entry = catalog.add("feature_view", "late_arrival", {})
    catalog.remove(entry)
    with pytest.raises(NotFoundError, match="There is no feature view 'late_arrival'"):
        catalog.get("feature_view", "late_arrival")
    for again in (lambda: catalog.remove(entry), lambda: catalog.update(entry, state="x")):
        with pytest.raises(NotFoundError, match=entry.id):
            again()


def test_the_number_of_a_removed_version_is_not_given_again(catalog: Catalog) -> None:
    catalog.add("model", "late", {})
    catalog.remove(catalog.add("model", "late", {}))
    catalog.remove(catalog.get("model", "late"))
    assert catalog.add("model", "late", {}).version == 3
    assert catalog.add("model", "late", {}, version=1).version == 1


def test_the_number_of_an_attempt_that_never_was_ready_is_given_again(catalog: Catalog) -> None:
    catalog.remove(catalog.add("feature_group", "weather", {}, state="pending"))
    assert catalog.add("feature_group", "weather", {}).version == 1


@pytest.mark.parametrize("version", [0, -1, 1.0, "1", True, 2**31])
def test_a_version_is_a_number_from_one(catalog: Catalog, version: object) -> None:
    with pytest.raises(DataError, match="Give a whole number from 1"):
        catalog.add("model", "late", {}, version=version)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="Give a whole number from 1"):
        catalog.get("model", "late", version)  # type: ignore[arg-type]


@pytest.mark.parametrize("body", [[1], "x", None, 3])
def test_a_body_is_a_mapping(catalog: Catalog, body: object) -> None:
    with pytest.raises(DataError, match=r"body is .* is no mapping"):
        catalog.add("model", "late", body)  # type: ignore[arg-type]


def test_nothing_of_a_refused_body_is_written(catalog: Catalog) -> None:
    entry = catalog.add("run", "r", {"a": 1})
    for call in (
        lambda: catalog.add("run", "r", {"x": {1}}),
        lambda: catalog.update(entry, body={"x": {1}}, state="y"),
    ):
        with pytest.raises(DataError, match=r"body\['x'\] is \{1\}"):
            call()
    assert catalog.find("run") == [entry]


def test_who_and_when(catalog: Catalog) -> None:
    entry = catalog.add("run", "r", {})
    assert entry.created_at.tzinfo is UTC
    assert timedelta() <= datetime.now(UTC) - entry.created_at < timedelta(minutes=1)
    user, _, host = entry.created_by.partition("@")
    assert user
    assert host
    assert str(entry) == "run 'r' version 1"
