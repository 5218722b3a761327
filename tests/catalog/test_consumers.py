import pytest

from groundswell.catalog import Catalog
from groundswell.errors import AlreadyExistsError, NotFoundError


def add(catalog: Catalog, name: str = "audit", **changes: object) -> object:
    made = {"kind": "json lines", "settings": {"path": "a"}, "condition": {"kinds": ["model"]}}
    return catalog.consumers.add(name, **(made | changes))


def test_a_consumer_is_registered_once(catalog: Catalog) -> None:
    first = add(catalog, position=3)
    catalog.consumers.move("audit", 7, delivered=False)
    assert add(catalog).position == 7, "registering again leaves it where it is"
    with pytest.raises(AlreadyExistsError, match=r"consumer 'audit' already, with other settings"):
        add(catalog, settings={"path": "b"})
    assert (first.position, first.registered_at) == (3, catalog.consumers.get("audit").registered_at)
    assert [consumer.name for consumer in catalog.consumers.all()] == ["audit"]


def test_failures_count_until_something_is_delivered(catalog: Catalog) -> None:
    add(catalog)
    for error in ("refused", "timed out"):
        catalog.consumers.fail("audit", error)
    failing = catalog.consumers.get("audit")
    assert (failing.failures, failing.error, failing.delivered_at) == (2, "timed out", None)
    catalog.consumers.move("audit", 4, delivered=True)
    well = catalog.consumers.get("audit")
    assert (well.failures, well.error, well.position) == (0, "", 4)
    assert well.delivered_at is not None


def test_an_unknown_consumer_is_named_with_the_nearest(catalog: Catalog) -> None:
    add(catalog)
    consumers = catalog.consumers
    for call in (
        lambda: consumers.get("audot"),
        lambda: consumers.remove("audot"),
        lambda: consumers.move("audot", 1, delivered=True),
        lambda: consumers.fail("audot", "refused"),
    ):
        with pytest.raises(NotFoundError, match=r"no consumer 'audot'\. Did you mean 'audit'\?"):
            call()
