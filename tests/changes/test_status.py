from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from groundswell.catalog import Catalog, CommitRecord, Event
from groundswell.changes import Filter, JsonLines, check_consumer, register, status_of
from groundswell.errors import CorruptionError

Happen = Callable[..., list[Event]]


def test_a_status_says_how_far_and_for_how_long(catalog: Catalog, happen: Happen, tmp_path: Path) -> None:
    sink = JsonLines(path=tmp_path / "a", name="audit", filter=Filter(kinds=["model"]))
    record = register(catalog, sink)
    assert status_of(record, catalog).behind == 0
    happen(3)
    status = status_of(record, catalog)
    assert (status.behind, status.filter, status.delivered_at) == (3, sink.filter, None)
    assert timedelta() < status.waiting < timedelta(minutes=1)
    assert status.to_dict() | {"waiting": 0} == {
        "name": "audit", "kind": "json lines", "filter": {"kinds": ["model"]}, "position": 0, "behind": 3,
        "waiting": 0, "delivered_at": None, "failures": 0, "error": "",
    }  # fmt: skip
    catalog.consumers.move("audit", 3, delivered=True)
    done = status_of(catalog.consumers.get("audit"), catalog)
    assert (done.behind, done.waiting, str(done)) == (0, timedelta(), "audit: at event 3")
    assert done.to_dict()["delivered_at"] == done.delivered_at.isoformat()


def test_the_doctor_names_consumers_that_nobody_runs(catalog: Catalog) -> None:
    group = catalog.add("feature_group", "weather", {})
    old = CommitRecord(
        version=0, committed_at=datetime.now(UTC) - timedelta(days=2), kind="insert", author="", rows=0, new=0,
        replaced=0, deleted=0, distinct=True, detail={},
    )  # fmt: skip
    catalog.commits.advance(group.id, -1, [old], [], [])
    record = catalog.consumers.add("audit", kind="", settings={}, condition={})
    (finding,) = check_consumer(record, catalog)
    assert finding.what.startswith("The consumer 'audit' has not taken 1 events, the first 2 days")
    assert "groundswell follow" in finding.fix


@pytest.mark.parametrize(
    ("kind", "settings", "condition"),
    [
        ("carrier pigeon", {}, {}),
        ("json lines", {"paths": "a"}, {}),
        ("webhook", {"url": "http://example.com", "secret_variable": "S"}, {}),
        ("json lines", {"path": "a"}, {"kinds": ["shape"]}),
    ],
)
def test_a_consumer_that_cannot_be_made_is_damage(catalog: Catalog, kind: str, settings: dict, condition: dict) -> None:
    record = catalog.consumers.add("audit", kind=kind, settings=settings, condition=condition)
    with pytest.raises(CorruptionError, match=r"cannot be made|is no filter of events"):
        list(check_consumer(record, catalog))
