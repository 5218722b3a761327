"""Windows against loops in Python: the same values, from one computation or commit by commit, and no leak."""

import math
import statistics
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import groundswell as gs
from groundswell.errors import ColumnNotFoundError, DataError, SchemaError, TypeMismatchError
from groundswell.features import FeatureGroup
from groundswell.features.windows import Windows

START = datetime(2013, 1, 31, 20, tzinfo=UTC)
HOUR = timedelta(hours=1)
SCHEMA = pa.schema(
    [
        pa.field("id", pa.int64(), nullable=False),
        pa.field("carrier", pa.string()),
        pa.field("at", pa.timestamp("us", "UTC"), nullable=False),
        pa.field("known", pa.timestamp("us", "UTC"), nullable=False),
        pa.field("late", pa.bool_()),
        pa.field("delay", pa.int64()),
        pa.field("distance", pa.float64()),
    ]
)
AGGREGATIONS = {
    "n": gs.count(over="3h"),
    "n_late": gs.count("late", over="2h"),
    "late_share": gs.share("late", over="3h"),
    "delay_sum": gs.sum("delay", over="2h"),
    "distance_sum": gs.sum("distance", over="3h"),
    "delay_mean": gs.mean("delay", over="3h"),
    "delay_min": gs.min("delay", over="1h"),
    "delay_max": gs.max("delay", over="3h"),
    "distance_std": gs.std("distance", over="3h"),
    "delay_last": gs.last("delay", over="3h"),
    "delays": gs.distinct("delay", over="2h"),
}
Row = dict[str, Any]

rows = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.integers(0, 3),
            "carrier": st.sampled_from(["AA", "UA", None]),
            "at": st.integers(0, 24).map(lambda quarters: START + quarters * HOUR / 4),
            "known": st.integers(0, 30),
            "late": st.sampled_from([True, False, None]),
            "delay": st.sampled_from([-5, 0, 7, 7, None]),
            "distance": st.sampled_from([0.5, 100.25, None]),
        }
    ).map(lambda row: row | {"known": row["at"] + row["known"] * HOUR / 4}),
    min_size=1,
    max_size=14,
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[gs.Project]:
    with gs.open(tmp_path_factory.mktemp("windows") / "p") as project:
        yield project


numbers = count()


def source(project: gs.Project, *, available: bool, rows: list[Row] | None = None) -> FeatureGroup:
    group = project.create_feature_group(
        f"source_{next(numbers)}", primary_key=["id"], event_time="at", available_at="known" if available else None,
        schema=SCHEMA, statistics=False,
    )  # fmt: skip
    if rows:
        insert(group, rows)
    return group


def insert(group: FeatureGroup, rows: list[Row]) -> None:
    group.insert(pa.Table.from_pylist(rows, schema=SCHEMA))


def windowed(group: FeatureGroup, every: str = "1h") -> Windows:
    return gs.windows(group, key="carrier", aggregations=AGGREGATIONS, every=every)


def expected(rows: list[Row], *, available: bool) -> dict[tuple[Any, ...], Row]:
    """What the windows hold, by loops: hours, the last row of each identity counting."""
    folded = {(r["id"], r["at"], r["known"] if available else None): r for r in rows}.values()
    versions = [dict(r, known=r["known"] if available else r["at"]) for r in folded]
    result = {}
    for carrier in ("AA", "UA"):
        for step in range(40):
            end = START + step * HOUR
            near = [r for r in versions if r["carrier"] == carrier and end - 4 * HOUR <= r["at"] < end]
            moments = {max(end, r["known"]) for r in near}
            for r in near:  # another version of it changes what is known, whatever its carrier
                same = [v for v in versions if (v["id"], v["at"]) == (r["id"], r["at"]) and v["known"] > r["known"]]
                moments |= {min(v["known"] for v in same)} if same else set()
            for known in {m for m in moments if m >= end}:
                seen = {}
                for r in sorted(versions, key=lambda r: r["known"]):
                    if r["known"] <= known:
                        seen[r["id"], r["at"]] = r
                mine = [r for r in seen.values() if r["carrier"] == carrier and r["at"] < end]
                result[carrier, end, known] = values(mine, end)
    return result


def values(rows: list[Row], end: datetime) -> Row:
    def over(hours: int, name: str) -> list[Any]:
        inside = sorted(
            (r for r in rows if end - hours * HOUR <= r["at"]), key=lambda r: (r["at"], r["known"], r["id"])
        )
        return [r[name] for r in inside if r[name] is not None]

    def of(function: Callable[[list[Any]], Any], found: list[Any], least: int = 1) -> Any:
        return function(found) if len(found) >= least else None

    return {
        "n": len(over(3, "id")),
        "n_late": len(over(2, "late")),
        "late_share": of(statistics.fmean, over(3, "late")),
        "delay_sum": of(sum, over(2, "delay")),
        "distance_sum": of(math.fsum, over(3, "distance")),
        "delay_mean": of(statistics.fmean, over(3, "delay")),
        "delay_min": of(min, over(1, "delay")),
        "delay_max": of(max, over(3, "delay")),
        "distance_std": of(statistics.stdev, over(3, "distance"), 2),
        "delay_last": of(lambda found: found[-1], over(3, "delay")),
        "delays": len(set(over(2, "delay"))),
    }


def by_identity(table: pa.Table) -> dict[tuple[Any, ...], Row]:
    found = {}
    for row in table.to_pylist():
        carrier, end = row.pop("carrier"), row.pop("window_end")
        found[carrier, end, row.pop("known_at", end)] = row
    assert len(found) == table.num_rows
    return found


def same(found: dict[tuple[Any, ...], Row], wanted: dict[tuple[Any, ...], Row]) -> None:
    assert sorted(found) == sorted(wanted)
    for identity, row in wanted.items():
        assert found[identity] == pytest.approx(row, nan_ok=True, abs=1e-9), identity


@pytest.mark.parametrize("available", [True, False])
@settings(max_examples=15, deadline=None)
@given(rows=rows)
def test_windows_are_what_loops_give(project: gs.Project, available: bool, rows: list[Row]) -> None:
    group = source(project, available=available, rows=rows)
    same(by_identity(windowed(group).read().to_arrow()), expected(rows, available=available))


@settings(max_examples=10, deadline=None)
@given(rows=rows)
def test_moments_of_knowledge_can_be_rounded_up(project: gs.Project, rows: list[Row]) -> None:
    group = source(project, available=True, rows=rows)
    windows = gs.windows(group, key="carrier", aggregations=AGGREGATIONS, every="1h", known_every="2h")
    epoch, even = datetime.fromtimestamp(0, UTC), 2 * HOUR
    rounded = [
        row | {"known": epoch - (epoch - row["known"]) // even * even}
        for row in sorted(rows, key=lambda row: row["known"])  # of two versions that become one the later counts
    ]
    same(by_identity(windows.read().to_arrow()), expected(rounded, available=True))


@pytest.mark.parametrize("available", [True, False])
@settings(max_examples=10, deadline=None)
@given(rows=rows, data=st.data())
def test_commit_by_commit_gives_what_one_computation_gives(
    project: gs.Project, available: bool, rows: list[Row], data: st.DataObject
) -> None:
    group = source(project, available=available)
    windows = windowed(group)
    target = project.create_feature_group(
        f"target_{next(numbers)}", primary_key=["carrier"], event_time="window_end",
        available_at="known_at" if available else None, statistics=False,
    )  # fmt: skip
    shuffled = data.draw(st.permutations(rows))
    cuts = sorted({0, len(rows), *data.draw(st.lists(st.integers(0, len(rows)), max_size=3))})
    for low, high in pairwise(cuts):
        insert(group, shuffled[low:high])
        if data.draw(st.booleans()):
            windows.into(target).run()
    windows.into(target).run()
    whole = by_identity(windows.read().to_arrow())
    found = by_identity(target.read().to_arrow()) if target.has_table else {}
    # A replaced row may leave moments at which nothing is new, and windows that are empty now: they say so.
    for identity in set(found) - set(whole):
        carrier, end, known = identity
        earlier = [k for k in whole if k[:2] == (carrier, end) and k[2] < known]
        nothing = values([], end)
        assert found.pop(identity) == pytest.approx(whole[max(earlier)] if earlier else nothing, abs=1e-9)
    same(found, whole)
    assert windows.into(target).run() is None


@settings(max_examples=10, deadline=None)
@given(rows=rows, hours=st.integers(0, 12))
def test_nothing_that_happened_or_was_known_later_shows(project: gs.Project, rows: list[Row], hours: int) -> None:
    now = START + hours * HOUR
    before = [row for row in rows if row["at"] < now and row["known"] <= now]

    def seen(of: list[Row]) -> dict[tuple[Any, ...], Row]:
        if not of:
            return {}
        found = by_identity(windowed(source(project, available=True, rows=of)).read().to_arrow())
        return {identity: row for identity, row in found.items() if identity[1] <= now and identity[2] <= now}

    same(seen(rows), seen(before))


def test_rows_that_are_deleted_restored_or_moved_to_another_key_change_their_windows(project: gs.Project) -> None:
    group = source(project, available=False)
    windows = windowed(group)
    target = project.create_feature_group(
        f"target_{next(numbers)}", primary_key=["carrier"], event_time="window_end", statistics=False
    )
    row = {"id": 1, "carrier": "AA", "at": START, "known": START, "late": True, "delay": 7, "distance": 0.5}
    insert(group, [row, row | {"id": 2}])
    first = windows.into(target).run()
    assert first is not None
    assert first.detail["windows"]["version"] == group.snapshot().version
    insert(group, [row | {"carrier": "UA"}])
    windows.into(target).run()
    end = START + HOUR
    found = by_identity(target.read().to_arrow())
    assert [found[carrier, end, end]["n"] for carrier in ("AA", "UA")] == [1, 1]
    group.delete_rows({"id": 2})
    windows.into(target).run()
    assert by_identity(target.read().to_arrow())["AA", end, end]["n"] == 0
    group.restore(first.detail["windows"]["version"])
    windows.into(target).run()
    found = by_identity(target.read().to_arrow())
    assert [found[carrier, end, end]["n"] for carrier in ("AA", "UA")] == [2, 0]


def test_a_correction_is_known_from_then_on_and_what_was_known_before_stays(project: gs.Project) -> None:
    group = source(project, available=True)
    windows = windowed(group)
    target = project.create_feature_group(
        f"target_{next(numbers)}", primary_key=["carrier"], event_time="window_end", available_at="known_at"
    )
    row = {"id": 1, "carrier": "AA", "at": START, "known": START, "late": True, "delay": 7, "distance": 0.5}
    insert(group, [row])
    windows.into(target).run()
    insert(group, [row | {"delay": 9, "known": START + 24 * HOUR}])
    commit = windows.into(target).run()
    assert commit is not None
    end = START + HOUR
    found = by_identity(target.read().to_arrow())
    assert found["AA", end, end]["delay_sum"] == 7
    assert found["AA", end, START + 24 * HOUR]["delay_sum"] == 9


def test_a_pipeline_reads_only_what_is_new_and_begins_anew_after_a_restore(project: gs.Project) -> None:
    group = source(project, available=False)
    target = project.create_feature_group(
        f"target_{next(numbers)}", primary_key=["carrier"], event_time="window_end", statistics=False
    )
    pipeline = windowed(group).into(target)
    assert pipeline.position is None
    assert pipeline.run() is None
    row = {"id": 1, "carrier": "AA", "at": START, "known": START, "late": True, "delay": 7, "distance": 0.5}
    insert(group, [row])
    before = pipeline.run()
    insert(group, [row | {"id": 2, "carrier": "UA"}])
    commit = pipeline.run()
    assert before is not None
    assert commit is not None
    assert set(target.read().to_pandas()["carrier"]) == {"AA", "UA"}
    assert commit.rows == before.rows
    assert pipeline.position == group.snapshot().version
    target.compact()
    assert pipeline.position == group.snapshot().version
    target.restore(before.version)
    assert pipeline.position is None
    pipeline.run()
    assert set(target.read().to_pandas()["carrier"]) == {"AA", "UA"}


@pytest.mark.parametrize("available", [True, False])
def test_what_was_purged_from_the_source_is_no_longer_counted(project: gs.Project, available: bool) -> None:
    row = {"id": 1, "carrier": "AA", "at": START, "known": START, "late": True, "delay": 7, "distance": 0.5}
    group = source(project, available=available, rows=[row, row | {"id": 2, "carrier": "UA", "at": START + 9 * HOUR}])
    target = project.create_feature_group(
        f"target_{next(numbers)}", primary_key=["carrier"], event_time="window_end",
        available_at="known_at" if available else None, statistics=False,
    )  # fmt: skip
    pipeline = windowed(group).into(target)
    pipeline.run()
    group.purge({"id": 1})
    pipeline.run()
    found = target.read().to_arrow().to_pylist()
    assert {row["n"] for row in found if row["carrier"] == "AA"} == {0}
    assert {row["delay_sum"] for row in found if row["carrier"] == "AA"} == {None}
    assert 1 in {row["n"] for row in found if row["carrier"] == "UA"}


def test_a_group_of_other_windows_or_keys_is_refused(project: gs.Project) -> None:
    row = {"id": 1, "carrier": "AA", "at": START, "known": START, "late": True, "delay": 7, "distance": 0.5}
    group = source(project, available=False, rows=[row])
    target = project.create_feature_group(f"target_{next(numbers)}", primary_key=["carrier"], event_time="window_end")
    windowed(group).into(target).run()
    with pytest.raises(SchemaError, match="holds other windows over"):
        windowed(group, every="2h").into(target).run()
    with pytest.raises(SchemaError, match=r"Create it with primary_key=\['carrier'\], event_time='window_end'"):
        windowed(group).into(group)
    with pytest.raises(SchemaError, match="available_at='known_at'"):
        windowed(source(project, available=True)).into(target)


@pytest.mark.parametrize(
    ("settings_", "error", "message"),
    [
        ({"key": "carier"}, ColumnNotFoundError, "Did you mean 'carrier'"),
        ({"aggregations": {}}, DataError, "names no aggregations"),
        ({"aggregations": {"n": "count"}}, DataError, "is no aggregation"),
        ({"aggregations": {"n": gs.mean("dely", over="1h")}}, ColumnNotFoundError, "Did you mean 'delay'"),
        ({"aggregations": {"n": gs.mean("carrier", over="1h")}}, TypeMismatchError, "which is string"),
        ({"aggregations": {"n": gs.share("delay", over="1h")}}, TypeMismatchError, "A share is of true"),
        ({"aggregations": {"carrier": gs.count(over="1h")}}, SchemaError, "'carrier' is there twice"),
        ({"aggregations": {"n": gs.count(over="30d")}, "every": "1s"}, DataError, "2,592,000 windows"),
        ({"known_every": "1d"}, DataError, "a length of the calendar"),
        ({"every": "often"}, DataError, "cannot be read as every"),
        ({"time_zone": "Mars"}, DataError, "no time zone"),
    ],
)
def test_what_is_no_window_is_refused(project: gs.Project, settings_: Row, error: Any, message: str) -> None:
    given_ = {"key": "carrier", "aggregations": {"n": gs.count(over="1h")}, "every": "1h"}
    with pytest.raises(error, match=message):
        gs.windows(SHARED.setdefault("group", source(project, available=False)), **{**given_, **settings_})


SHARED: dict[str, FeatureGroup] = {}


def test_a_group_without_times_has_no_windows(project: gs.Project) -> None:
    group = project.create_feature_group(f"planes_{next(numbers)}", primary_key=["id"], schema=SCHEMA)
    with pytest.raises(SchemaError, match="has no event time"):
        windowed(group)
    with pytest.raises(DataError, match="is no name of a column"):
        gs.sum(3, over="1h")


def test_windows_of_calendar_months_tumble(project: gs.Project) -> None:
    row = {"id": 1, "carrier": "AA", "known": START, "late": True, "delay": 7, "distance": 0.5}
    times = ["2013-01-31T23:00Z", "2013-02-01T04:59Z", "2013-02-02T00:00Z"]
    days = [datetime.fromisoformat(time) for time in times]
    group = source(project, available=False, rows=[row | {"at": day} for day in days])
    windows = gs.windows(
        group, key="carrier", aggregations={"n": gs.count(over="1mo")}, every="1mo", time_zone="America/New_York"
    )
    found = windows.read().to_arrow().to_pylist()
    assert [(r["window_end"].isoformat(), r["n"]) for r in found] == [
        ("2013-02-01T05:00:00+00:00", 2),
        ("2013-03-01T05:00:00+00:00", 1),
        ("2013-04-01T04:00:00+00:00", 0),
    ]
    assert len(windows.read()) == 3
    assert repr(windows).endswith("every 1mo in America/New_York:\n  n: count(over='1mo')")
