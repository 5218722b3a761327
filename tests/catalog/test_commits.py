from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.catalog import Catalog, CommitRecord, FileRecord
from groundswell.errors import DataError, NotFoundError

START = datetime(2013, 1, 1, tzinfo=UTC)
TABLE, OTHER = "a" * 32, "b" * 32


def commit(version: int, at: datetime | None = None) -> CommitRecord:
    return CommitRecord(
        version=version,
        committed_at=at or START + timedelta(hours=version),
        kind="insert",
        author="ada@engine",
        rows=10,
        new=None,
        replaced=2,
        deleted=0,
        distinct=version % 2 == 0,
        detail={"run": f"r{version}"},
    )


def file(path: str, added: int, **changes: object) -> FileRecord:
    record = FileRecord(
        path=path,
        added=added,
        removed=None,
        order_version=added,
        position=0,
        rows=10,
        size_bytes=1_000,
        distinct=True,
        min_time_us=-5,
        max_time_us=None,
    )
    return replace(record, **changes)


def test_what_was_indexed_is_read_back_equal(catalog: Catalog) -> None:
    records, added = [commit(0), commit(1)], [file("a", 0), file("b", 1, distinct=False, position=1), file("c", 1)]
    catalog.commits.advance(TABLE, -1, records, added, [])
    assert catalog.commits.position(TABLE) == 1
    assert catalog.commits.history(TABLE) == records[::-1]
    assert catalog.commits.get(TABLE, 1) == records[1]
    assert catalog.commits.files(TABLE, 0) == added[:1]
    assert catalog.commits.files(TABLE, 1) == [added[0], added[2], added[1]]
    assert repr(catalog.commits.files(TABLE, 0)[0]) == repr(added[0])


def test_tables_do_not_mix(catalog: Catalog) -> None:
    catalog.commits.advance(TABLE, -1, [commit(0)], [file("a", 0)], [])
    catalog.commits.advance(OTHER, -1, [commit(0), commit(1)], [file("a", 0)], [("a", 1)])
    assert (catalog.commits.position(TABLE), catalog.commits.position(OTHER)) == (0, 1)
    assert catalog.commits.files(TABLE, 0) == [file("a", 0)]
    assert catalog.commits.files(OTHER, 1) == []
    catalog.commits.forget(OTHER)
    assert (catalog.commits.position(TABLE), catalog.commits.position(OTHER)) == (0, -1)


def test_advancing_from_another_position_does_nothing(catalog: Catalog) -> None:
    catalog.commits.advance(TABLE, -1, [commit(0), commit(1)], [file("a", 0)], [])
    for after, records in ((-1, [commit(0)]), (0, [commit(1)]), (5, [commit(6)])):
        catalog.commits.advance(TABLE, after, records, [file("x", after + 1)], [("a", after + 1)])
    assert catalog.commits.history(TABLE) == [commit(1), commit(0)]
    assert catalog.commits.files(TABLE, 1) == [file("a", 0)]


def test_an_advance_that_fails_leaves_nothing_behind(catalog: Catalog) -> None:
    bad = replace(commit(1), detail={"at": START})
    with pytest.raises(DataError, match=r"detail\['at'\]"):
        catalog.commits.advance(TABLE, -1, [commit(0), bad], [file("a", 0)], [])
    assert catalog.commits.position(TABLE) == -1


def test_versions_have_no_gaps(catalog: Catalog) -> None:
    with pytest.raises(AssertionError, match="gaps"):
        catalog.commits.advance(TABLE, -1, [commit(0), commit(2)], [], [])
    catalog.commits.advance(TABLE, -1, [commit(0)], [], [])
    with pytest.raises(AssertionError, match="gaps"):
        catalog.commits.advance(TABLE, 0, [commit(2)], [], [])


def test_a_log_may_begin_later_than_at_zero(catalog: Catalog) -> None:
    catalog.commits.advance(TABLE, -1, [commit(7), commit(8)], [], [])
    with pytest.raises(NotFoundError, match=r"no version 3. The versions are 7 to 8"):
        catalog.commits.get(TABLE, 3)


def test_history_ends_at_a_version_and_has_a_limit(catalog: Catalog) -> None:
    catalog.commits.advance(TABLE, -1, [commit(v) for v in range(6)], [], [])
    assert [c.version for c in catalog.commits.history(TABLE, until=4, limit=2)] == [4, 3]
    assert [c.version for c in catalog.commits.history(TABLE, limit=1)] == [5]
    assert len(catalog.commits.history(TABLE, until=10**30)) == 6
    assert catalog.commits.history(OTHER) == []


def test_a_moment_is_the_last_version_committed_by_then(catalog: Catalog) -> None:
    catalog.commits.advance(TABLE, -1, [commit(v) for v in range(3)], [], [])
    one = START + timedelta(hours=1)
    moments = {
        one: 1,
        one - timedelta(microseconds=1): 0,
        one.astimezone(timezone(timedelta(hours=-5))): 1,
        one.replace(tzinfo=None): 1,
        START + timedelta(days=900): 2,
    }
    assert {m: catalog.commits.version_at(TABLE, m) for m in moments} == moments
    with pytest.raises(NotFoundError, match=r"first commit was made at 2013-01-01T00:00:00\+00:00"):
        catalog.commits.version_at(TABLE, START - timedelta(microseconds=1))
    with pytest.raises(NotFoundError, match="It has no versions yet"):
        catalog.commits.version_at(OTHER, START)


def test_a_clock_that_went_back_does_not_hide_the_later_version(catalog: Catalog) -> None:
    times = [START + timedelta(minutes=m) for m in (0, 9, 5)]
    catalog.commits.advance(TABLE, -1, [commit(v, at) for v, at in enumerate(times)], [], [])
    assert catalog.commits.version_at(TABLE, times[2]) == 2
    assert catalog.commits.version_at(TABLE, times[2] - timedelta(microseconds=1)) == 0


def test_an_unknown_version_names_those_there_are(catalog: Catalog) -> None:
    catalog.commits.advance(TABLE, -1, [commit(v) for v in range(3)], [], [])
    for version in (-1, 3, 2**63 - 1, 10**30, -(10**30)):
        for ask in (catalog.commits.get, catalog.commits.files):
            with pytest.raises(NotFoundError, match=f"no version {version}. The versions are 0 to 2"):
                ask(TABLE, version)
    with pytest.raises(NotFoundError, match="It has no versions yet"):
        catalog.commits.files(OTHER, 0)


def test_a_path_can_come_back(catalog: Catalog) -> None:
    catalog.commits.advance(TABLE, -1, [commit(0), commit(1)], [file("a", 0)], [("a", 1)])
    catalog.commits.advance(TABLE, 1, [commit(2)], [file("a", 2)], [])
    catalog.commits.advance(TABLE, 2, [commit(3), commit(4)], [], [("a", 3), ("never there", 4)])
    active = {v: [(f.path, f.added, f.removed) for f in catalog.commits.files(TABLE, v)] for v in range(5)}
    assert active == {0: [("a", 0, 1)], 1: [], 2: [("a", 2, 3)], 3: [], 4: []}


def test_removing_an_entry_drops_its_index(catalog: Catalog) -> None:
    group = catalog.add("feature_group", "weather", {})
    catalog.commits.advance(group.id, -1, [commit(0)], [file("a", 0)], [])
    catalog.remove(group)
    assert catalog.commits.position(group.id) == -1


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 3)), max_size=4), min_size=1, max_size=8),
    st.lists(st.integers(1, 4), min_size=1, max_size=8),
)
def test_files_are_what_replaying_the_log_gives(
    tmp_path_factory: pytest.TempPathFactory, log: list[list[tuple[str, int]]], batches: list[int]
) -> None:
    # The oracle: a dict replayed version by version, in which an action toggles the presence of a path.
    replayed: list[dict[str, tuple[int, int]]] = []
    changes: list[tuple[dict[str, int], set[str]]] = []
    for version, actions in enumerate(log):
        now = dict(replayed[-1]) if replayed else {}
        new, gone = {p: order for p, order in actions if p not in now}, {p for p, _ in actions if p in now}
        now = {p: v for p, v in now.items() if p not in gone} | {p: (order, version) for p, order in new.items()}
        replayed.append(now)
        changes.append((new, gone))

    with Catalog.create(f"sqlite:///{tmp_path_factory.mktemp('replay') / 'catalog.db'}") as catalog:
        version = 0
        while version < len(log):
            chunk = range(version, min(version + batches[version % len(batches)], len(log)))
            added = [file(p, v, order_version=order) for v in chunk for p, order in changes[v][0].items()]
            removed = [(path, v) for v in chunk for path in changes[v][1]]
            catalog.commits.advance(TABLE, chunk[0] - 1, [commit(v) for v in chunk], added, removed)
            version = chunk[-1] + 1
        for v, expected in enumerate(replayed):
            found = catalog.commits.files(TABLE, v)
            assert {f.path: (f.order_version, f.added) for f in found} == expected
            assert [f.order_version for f in found] == sorted(f.order_version for f in found)


def test_commits_of_some_kinds_after_a_version_are_found(catalog: Catalog) -> None:
    records = [commit(0), replace(commit(1), kind="vacuum"), commit(2), replace(commit(3), kind="vacuum")]
    catalog.commits.advance(TABLE, -1, records, [], [])
    assert catalog.commits.history(TABLE, kinds=["vacuum"]) == [records[3], records[1]]
    assert catalog.commits.history(TABLE, kinds=["vacuum", "insert"], after=1) == [records[3], records[2]]
    assert catalog.commits.history(TABLE, kinds=[]) == []


def test_a_commit_prints_in_a_line() -> None:
    assert repr(commit(1)) == "Commit(version=1, kind='insert', rows=10, replaced=2, at='2013-01-01 01:00:00+00:00')"
    assert str(commit(1)) == "version 1: insert of 10 rows (2 replaced), 2013-01-01 01:00:00 UTC"
    deleted = replace(commit(2), kind="delete", rows=0, replaced=0, deleted=3)
    assert str(deleted) == "version 2: delete (3 deleted), 2013-01-01 02:00:00 UTC"
