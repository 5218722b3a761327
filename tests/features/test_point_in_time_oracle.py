"""The point-in-time join on random data, through the front door, against oracles that share no code with it."""

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from uuid import uuid4

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import groundswell as gs
from groundswell.testing import Condition, GroupData, join_groups, reference_join, write_groups
from groundswell.types import TIMESTAMP

START_US = 1_704_067_200_000_000  # 2024-01-01T00:00Z
STEP_US = 60_000_000
TEXTS = ["1", "11", "a", "A", ""]
NUMBERS = [0, 1, 2**53, 2**53 + 1]

thorough = settings(
    max_examples=60,
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[gs.Project]:
    """One project for all examples: making one takes longer than an example."""
    with gs.open(tmp_path_factory.mktemp("oracle") / "project") as project:
        yield project


def join(project: gs.Project, groups: list[GroupData], labels: pa.Table) -> pa.Table:
    return join_groups(project, write_groups(project, groups), groups, labels, "at")


def time_column(us: list[int | None]) -> pa.Array:
    return pa.array(us, pa.int64()).cast(TIMESTAMP)


# Few moments, some of them a microsecond apart, so that times tie and ages fall on the limit.
moments = st.builds(
    lambda step, us: START_US + step * STEP_US + us, st.integers(0, 8), st.sampled_from([0, 0, 0, -1, 1])
)
ages = st.none() | st.sampled_from([timedelta(0), timedelta(minutes=1), timedelta(minutes=3, microseconds=1)])
conditions = st.none() | st.builds(
    Condition, st.just("v"), st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), st.integers(-2, 2)
)
key_kinds = st.sampled_from([("text",), ("number",), ("text", "number"), ("text", "other_text")])


def values_of(key: str) -> st.SearchStrategy:
    return st.sampled_from(NUMBERS if key == "number" else TEXTS)


def type_of(key: str) -> pa.DataType:
    return pa.int64() if key == "number" else pa.string()


@st.composite
def batches(draw: st.DrawFn, keys: tuple[str, ...], *, timed: bool, known: bool) -> pa.Table:
    n_rows = draw(st.integers(0, 8))
    column = lambda strategy: draw(st.lists(strategy, min_size=n_rows, max_size=n_rows))  # noqa: E731
    table = {key: pa.array(column(values_of(key)), type_of(key)) for key in keys}
    if timed:
        table["t"] = time_column(column(moments))
    if known:
        table["a"] = time_column(column(moments))
    table["v"] = pa.array(column(st.none() | st.integers(-2, 2)), pa.int64())
    table["w"] = pa.array(column(st.none() | st.sampled_from(["x", "y", ""])), pa.string())
    return pa.table(table)


@st.composite
def group_sets(draw: st.DrawFn) -> list[GroupData]:
    """One to three joins; two of them may be one group under two roles."""
    groups = []
    for number in range(draw(st.integers(1, 2))):
        keys = draw(key_kinds)
        timed = draw(st.integers(0, 4)) > 0
        known = timed and draw(st.booleans())
        commits = draw(st.lists(batches(keys, timed=timed, known=known), min_size=1, max_size=4))
        base = GroupData(
            name=f"g{number}",
            commits=tuple(commits),
            primary_key=keys,
            event_time="t" if timed else None,
            available_at="a" if known else None,
            columns=("v", "w"),
        )
        for role in range(draw(st.integers(1, 2))):
            other = role == 1 and "text" in keys and "other_text" not in keys
            groups.append(
                replace(
                    base,
                    on={("other_text" if other and key == "text" else key): key for key in keys},
                    prefix=f"{number}{role}_",
                    where=draw(conditions),
                    max_age=draw(ages) if timed else None,
                )
            )
    return groups


@st.composite
def label_tables(draw: st.DrawFn) -> pa.Table:
    n_rows = draw(st.integers(0, 30))
    column = lambda strategy: draw(st.lists(strategy, min_size=n_rows, max_size=n_rows))  # noqa: E731
    columns = {
        key: pa.array(column(st.none() | values_of(key) | values_of(key)), type_of(key))
        for key in ("text", "number", "other_text")
    }
    time = time_column(column(st.none() | moments | moments | moments))
    return pa.table(columns | {"at": time, "label": pa.array(range(n_rows), pa.int64())})


def same(result: pa.Table, expected: pa.Table) -> None:
    assert result.column_names == expected.column_names
    assert result.to_pydict() == expected.to_pydict()


@thorough
@given(groups=group_sets(), labels=label_tables())
def test_random_groups_match_the_loops(project: gs.Project, groups: list[GroupData], labels: pa.Table) -> None:
    same(join(project, groups, labels), reference_join(groups, labels, "at"))


@settings(thorough, max_examples=10)
@given(data=st.data(), groups=group_sets(), labels=label_tables())
def test_another_partition_into_batches_gives_the_same(
    project: gs.Project, data: st.DataObject, groups: list[GroupData], labels: pa.Table
) -> None:
    partitions: dict[str, tuple[pa.Table, ...]] = {}
    for group in groups:
        if group.name not in partitions:
            rows = pa.concat_tables(group.commits)
            cuts = data.draw(st.lists(st.integers(0, len(rows)), max_size=5).map(sorted))
            edges = [0, *cuts, len(rows)]
            partitions[group.name] = tuple(rows.slice(a, b - a) for a, b in pairwise(edges))
    parted = [replace(group, commits=partitions[group.name]) for group in groups]
    same(join(project, parted, labels), reference_join(groups, labels, "at"))


@settings(thorough, max_examples=10)
@given(groups=group_sets(), labels=label_tables())
def test_compaction_changes_nothing(project: gs.Project, groups: list[GroupData], labels: pa.Table) -> None:
    written = write_groups(project, groups)
    before = join_groups(project, written, groups, labels, "at")
    for group in written.values():
        group.compact()
    same(join_groups(project, written, groups, labels, "at"), before)
    same(before, reference_join(groups, labels, "at"))


@settings(thorough, max_examples=10)
@given(groups=group_sets(), labels=label_tables())
def test_pinned_training_data_does_not_see_later_inserts(
    project: gs.Project, groups: list[GroupData], labels: pa.Table
) -> None:
    labels = labels.filter(pc.is_valid(labels["at"]))
    assume(len(labels))
    base = project.create_feature_group(f"base_{uuid4().hex}", primary_key=["label"], event_time="at")
    base.insert(labels)
    written = write_groups(project, groups)
    query = base.select("text", "number", "other_text", "label")
    for group in groups:
        on = dict(zip(group.label_keys, group.primary_key, strict=True))
        query = query.join(written[group.name].select("v"), on=on, prefix=group.prefix, max_age=group.max_age)
    view = project.create_feature_view(f"view_{uuid4().hex}", query, labels=["label"])
    pinned = view.training_data()
    before = pinned.to_arrow()
    for group in groups:
        for commit in group.commits:
            changed = pa.array([99] * len(commit), pa.int64())
            written[group.name].insert(commit.set_column(commit.schema.get_field_index("v"), "v", changed))
        written[group.name].compact()
    base.insert(labels.set_column(0, "text", pa.array(["a"] * len(labels))))
    again = project.get_training_data(view.name, pinned.version)["all"]
    assert again.pins == pinned.pins
    assert again.to_arrow().equals(before)


@settings(thorough, max_examples=15)
@given(groups=group_sets(), labels=label_tables(), compacted=st.booleans())
def test_explanations_name_the_commit_that_wrote_the_row(
    project: gs.Project, groups: list[GroupData], labels: pa.Table, compacted: bool
) -> None:
    labels = labels.slice(0, 4)
    groups = [with_commit_numbers(group) for group in groups]
    written = write_groups(project, groups)
    base = project.create_feature_group(
        f"base_{uuid4().hex}", primary_key=["label"], event_time="at", schema=labels.schema
    )
    query = base.select("label", "text", "number", "other_text")
    for group in groups:
        on = dict(zip(group.label_keys, group.primary_key, strict=True))
        chosen = written[group.name].select(*group.columns)
        query = query.join(chosen, on=on, prefix=group.prefix, max_age=group.max_age)
    view = project.create_feature_view(f"view_{uuid4().hex}", query, labels=["label"])
    if compacted:
        for group in written.values():
            group.compact()
    without_where = [replace(group, where=None) for group in groups]
    expected = reference_join(without_where, labels, "at").to_pylist()
    for label, row in zip(labels.drop_columns("label").to_pylist(), expected, strict=True):
        for group, join in zip(groups, view.explain(label).joins, strict=True):
            commit, event = row[f"{group.prefix}c"], row.get(f"{group.prefix}t")
            assert (join.commit, join.event_time) == (commit, event)
            assert bool(join.reason) == (commit is None)
            assert join.age == (None if event is None else label["at"] - event)
            assert join.values == ({n: row[n] for n in join.values} if commit else {})


def with_commit_numbers(group: GroupData) -> GroupData:
    """The group with the number of its commit in each row; empty batches, which make no difference, left out."""
    commits = [commit for commit in group.commits if len(commit)] or [group.commits[0]]
    numbered = [
        commit.append_column("c", pa.array([number] * len(commit), pa.int64()))
        for number, commit in enumerate(commits, 1)
    ]
    return replace(group, commits=tuple(numbered), columns=("c", "t") if group.event_time else ("c",))


def test_a_million_random_rows_match_an_independent_computation(project: gs.Project) -> None:
    rng = np.random.default_rng(20)
    n_rows, n_labels, n_keys = 1_000_000, 200_000, 3_000
    keys = rng.integers(0, n_keys, n_rows)
    events = rng.integers(0, 40_000, n_rows)  # minutes; coarse, so that identities repeat and times tie
    known = events + rng.integers(-50, 3, n_rows).clip(0) + (rng.random(n_rows) < 0.2) * rng.integers(0, 3_000, n_rows)
    values = np.arange(n_rows)
    label_keys, label_times = rng.integers(0, n_keys + 50, n_labels), rng.integers(-100, 45_000, n_labels)
    max_age = 500

    rows = pa.table({"k": keys, "t": minute_column(events), "a": minute_column(known), "v": values})
    group = GroupData(
        name="million",
        commits=tuple(rows.slice(i * n_rows // 5, n_rows // 5) for i in range(5)),
        primary_key=("k",),
        event_time="t",
        available_at="a",
        columns=("v",),
        max_age=timedelta(minutes=max_age),
    )
    labels = pa.table({"k": label_keys, "at": minute_column(label_times), "label": np.arange(n_labels)})
    result = join(project, [group], labels)
    expected = vectorized_join(keys, events, known, label_keys, label_times, max_age)
    assert np.array_equal(result["label"].to_numpy(), np.arange(n_labels))
    assert np.array_equal(pc.fill_null(result["v"], -1).to_numpy(), expected)
    assert 0.2 < np.mean(expected >= 0) < 0.9, "the data should match often and often not"


def minute_column(minutes: np.ndarray) -> pa.Array:
    return pa.array(START_US + minutes * STEP_US).cast(TIMESTAMP)


def vectorized_join(
    keys: np.ndarray,
    events: np.ndarray,
    known: np.ndarray,
    label_keys: np.ndarray,
    label_times: np.ndarray,
    max_age: int,
) -> np.ndarray:
    """The number of the row that matches each label, or −1.

    Sorted by (key, event time, availability, order), the rows that may match a label end at one place, found by binary
    search; from there all labels step back together until each has met a row that was known.
    """
    order = np.lexsort((np.arange(len(keys)), known, events, keys))
    span = 1 << 24
    code = keys[order].astype(np.int64) * span + events[order] + 1_000
    position = np.searchsorted(code, label_keys.astype(np.int64) * span + label_times + 1_000, side="right") - 1
    open_ = np.arange(len(label_keys))
    found = np.full(len(label_keys), -1)
    while len(open_):
        at = position[open_]
        row = order[at]
        fits = (at >= 0) & (keys[row] == label_keys[open_]) & (label_times[open_] - events[row] <= max_age)
        open_, row = open_[fits], row[fits]
        seen = known[row] <= label_times[open_]
        found[open_[seen]] = row[seen]
        open_ = open_[~seen]
        position[open_] -= 1
    return found
