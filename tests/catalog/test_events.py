import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

import groundswell
from groundswell.catalog import VERBS, Catalog, CommitRecord, Event
from groundswell.catalog._schema import tags
from groundswell.catalog._verbs import COMMIT_VERBS
from groundswell.errors import InvalidNameError, NotFoundError

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


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
    assert isinstance(deleted, Event)
    assert (deleted.verb, deleted.entry_id) == ("deleted", weather.id)
    with pytest.raises(NotFoundError, match=weather.id):
        catalog.log("deleted", weather.id)


def commit(version: int, kind: str = "insert", at: datetime = MOMENT) -> CommitRecord:
    return CommitRecord(
        version=version, committed_at=at, kind=kind, author="ada@here", rows=3, new=2, replaced=1, deleted=0,
        distinct=False, detail={"code": "abc"},
    )  # fmt: skip


def test_events_are_numbered_in_order_without_gaps(catalog: Catalog) -> None:
    weather = catalog.add("feature_group", "weather", {})
    for verb in ("created", "described", "deleted"):
        catalog.log(verb, weather)
    with suppress(RuntimeError), catalog.transaction():
        catalog.log("created", weather)
        raise RuntimeError
    catalog.log("tagged", weather)
    events = catalog.events.after(0)
    assert [event.sequence for event in events] == [1, 2, 3, 4]
    assert [event.verb for event in events] == ["created", "described", "deleted", "tagged"]
    assert catalog.events.after(1, limit=2) == events[1:3]
    assert catalog.events.last() == 4


def test_numbers_are_in_the_order_in_which_transactions_land(catalog: Catalog, together: Callable) -> None:
    program = """
import random, time
catalog = Catalog.open(url)
entry, seen = catalog.add("run", f"r{me}", {}), 0
for i in range(30):
    with catalog.transaction():
        catalog.log("created", entry, {"i": i})
        time.sleep(random.uniform(0, 0.002))
    events = catalog.events.after(seen)
    print([e.sequence for e in events] == list(range(seen + 1, seen + 1 + len(events))))
    seen = events[-1].sequence
"""
    assert {line for output in together(program, 4) for line in output.split()} == {"True"}
    assert [e.sequence for e in catalog.events.after(0)] == list(range(1, 121))


def test_an_unknown_verb_is_refused_with_the_nearest(catalog: Catalog) -> None:
    with pytest.raises(InvalidNameError, match=r"'insert' is no verb of events\. Did you mean 'inserted'\?"):
        catalog.log("insert", catalog.add("run", "r", {}))
    assert catalog.events.last() == 0


def test_a_commit_becomes_an_event_once_however_often_it_is_indexed(catalog: Catalog) -> None:
    weather = catalog.add("feature_group", "weather", {})
    commits = [commit(0, "create"), commit(1), commit(2, "compaction"), commit(3, "foreign write")]
    catalog.commits.advance(weather.id, -1, commits[:2], [], [])
    catalog.commits.advance(weather.id, 0, commits[1:], [], [])  # a slower follower: nothing
    catalog.commits.advance(weather.id, 1, commits[2:], [], [])
    catalog.commits.forget(weather.id)
    catalog.commits.advance(weather.id, -1, [*commits, commit(4)], [], [])
    events = catalog.events.after(0)
    assert [e.verb for e in events] == ["defined", "inserted", "compacted", "committed", "inserted"]
    assert [e.detail["commit"] for e in events] == [0, 1, 2, 3, 4]
    assert events[1].detail == {"commit": 1, "kind": "insert", "rows": 3, "new": 2, "replaced": 1, "deleted": 0}
    assert (events[1].at, events[1].by, events[1].path) == (MOMENT, "ada@here", "feature_group/weather/1")


def test_an_earlier_copy_is_told_of_and_its_new_commits_too(catalog: Catalog) -> None:
    weather = catalog.add("feature_group", "weather", {})
    catalog.commits.advance(weather.id, -1, [commit(i) for i in range(5)], [], [])
    catalog.commits.rewind(weather.id, 2)
    catalog.commits.advance(weather.id, -1, [commit(i) for i in range(4)], [], [])
    rewound, again = catalog.events.after(5)
    assert (rewound.verb, rewound.detail) == ("rewound", {"commit": 2, "before": 4})
    assert (again.verb, again.detail["commit"]) == ("inserted", 3)


def test_commits_of_a_table_without_an_entry_are_not_told_of(catalog: Catalog) -> None:
    catalog.commits.advance("f" * 32, -1, [commit(0)], [], [])
    assert catalog.events.after(0) == []


def test_an_event_carries_the_tags_of_its_entry(catalog: Catalog) -> None:
    weather = catalog.add("feature_group", "weather", {})
    with catalog._database.write() as connection:
        for feature, name in (("temp", "pii"), ("", "owner"), ("wind", "pii")):
            connection.execute(sa.insert(tags).values(entry_id=weather.id, feature=feature, name=name, value=True))
    catalog.log("validated", weather)
    assert catalog.events.after(0)[0].tags == ["owner", "pii"]


def test_events_as_plain_values(catalog: Catalog) -> None:
    catalog.log("registered", catalog.add("model", "late", {}), {"run": "r"})
    (event,) = catalog.events.after(0)
    assert event.to_dict() == {
        "sequence": 1, "at": event.at.isoformat(), "by": event.by, "verb": "registered", "path": "model/late/1",
        "kind": "model", "name": "late", "version": 1, "id": event.entry_id, "tags": [], "detail": {"run": "r"},
    }  # fmt: skip


def test_events_go_when_they_are_old_and_every_consumer_has_them(catalog: Catalog) -> None:
    weather = catalog.add("feature_group", "weather", {})
    old = [commit(i, at=MOMENT + timedelta(days=i)) for i in range(6)]
    catalog.commits.advance(weather.id, -1, old, [], [])
    catalog.consumers.add("slow", kind="", settings={}, condition={}, position=2)
    catalog.consumers.add("fast", kind="", settings={}, condition={}, position=5)
    assert catalog.events.prune(MOMENT + timedelta(days=1)) == 1
    assert catalog.events.prune(MOMENT + timedelta(days=4)) == 1, "the slow consumer lacks event 3"
    catalog.consumers.remove("slow")
    assert catalog.events.prune(datetime.now(UTC)) == 3
    catalog.consumers.remove("fast")
    assert catalog.events.prune(datetime.now(UTC)) == 1
    catalog.log("described", weather)
    assert [e.sequence for e in catalog.events.after(0)] == [7], "numbers are not used again"


def test_every_verb_that_the_rooms_use_is_on_the_list() -> None:
    sources = "\n".join(path.read_text() for path in Path(groundswell.__file__).parent.rglob("*.py"))
    used = set(re.findall(r'\.log\(\s*"([^"]+)"|\brecord\(\w+, \w+, "([^"]+)"', sources))
    assert {"created", "untagged"} < {verb for pair in used for verb in pair if verb} <= VERBS.keys()
    assert set(COMMIT_VERBS.values()) <= VERBS.keys()
