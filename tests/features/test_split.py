"""Splits: no leak through time or through labels that came late, and no dependence on order or partitioning."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

import groundswell as gs
from groundswell.errors import ColumnNotFoundError, SplitError

START = datetime(2024, 1, 1, tzinfo=UTC)


def events(n=400, *, seed=0):
    """Rows an hour apart whose label is known up to two days later; every tenth has none."""
    rng = np.random.default_rng(seed)
    happened = [START + timedelta(hours=i) for i in range(n)]
    known = [t + timedelta(hours=int(h)) for t, h in zip(happened, rng.integers(0, 48, n), strict=True)]
    label = [None if i % 10 == 3 else int(rng.integers(0, 2)) for i in range(n)]
    return pa.table(
        {
            "id": list(range(n)),
            "customer": [f"c{i % 17}" for i in range(n)],
            "happened": pa.array(happened, pa.timestamp("us", "UTC")),
            "known": pa.array(known, pa.timestamp("us", "UTC")),
            "row": list(range(n)),
            "label": pa.array(label, pa.int64()),
        }
    )


def view_of(project, tables, **options):
    group = project.create_feature_group("events", primary_key=["id"], event_time="happened", **options)
    for table in tables:
        group.insert(table)
    return project.create_feature_view("events", group.select("row", "customer", "label"), labels=["label"])


@pytest.fixture
def project(tmp_path):
    with gs.open(tmp_path / "project") as project:
        yield project


@pytest.fixture
def view(project):
    return view_of(project, [events()], available_at="known")


def rows(data):
    return data.to_arrow()["row"].to_pylist()


def test_a_row_trains_only_if_its_label_was_known_before_the_test_starts(view):
    start = START + timedelta(hours=300)
    train, test = view.train_test_split(test_start=start)
    table = events().to_pylist()
    labelled = [r for r in table if r["label"] is not None]
    assert rows(train) == [r["row"] for r in labelled if r["happened"] < start and r["known"] < start]
    assert rows(test) == [r["row"] for r in labelled if r["happened"] >= start]
    late = [r for r in labelled if r["happened"] < start <= r["known"]]
    assert late, "the data must have labels that come late, or this shows nothing"
    assert train.counts == {
        "train": len(train),
        "test": len(test),
        "without_label": len(table) - len(labelled),
        "label_too_late": len(late),
    }


def test_three_parts_by_time_each_know_nothing_of_the_next(view):
    first, second = START + timedelta(hours=200), START + timedelta(hours=300)
    parts = view.train_validation_test_split(validation_start=first, test_start=second)
    table = {r["row"]: r for r in events().to_pylist()}
    for data, low, high in zip(parts, (START, first, second), (first, second, None), strict=True):
        assert data.split == {START: "train", first: "validation", second: "test"}[low]
        for row in rows(data):
            assert low <= table[row]["happened"]
            assert high is None or (table[row]["happened"] < high and table[row]["known"] < high)


def test_a_boundary_belongs_to_the_part_that_it_starts(view):
    train, test = view.train_test_split(test_start=START + timedelta(hours=50))
    assert min(rows(test)) == 50
    assert max(rows(train)) < 50


def test_a_random_split_depends_neither_on_order_nor_on_partitioning(tmp_path):
    table, found = events(), []
    shuffled = table.take(np.random.default_rng(1).permutation(table.num_rows))
    for i, tables in enumerate(([table], [shuffled], [shuffled.slice(0, 150), shuffled.slice(150)])):
        with gs.open(tmp_path / str(i)) as project:
            view = view_of(project, tables)
            found.append([set(rows(part)) for part in view.train_test_split(test_size=0.3, seed=7)])
    assert found[0] == found[1] == found[2]


def test_a_random_split_keeps_a_row_and_its_corrections_on_one_side(project):
    first = events(200)
    known = pa.array([t + timedelta(days=9) for t in first["known"].to_pylist()], pa.timestamp("us", "UTC"))
    corrected = first.set_column(first.column_names.index("known"), "known", known)
    view = view_of(project, [first, corrected], available_at="known")
    train, test = view.train_test_split(test_size=0.3, seed=5)
    sides = [set(part.X["row"]) for part in (train, test)]
    assert not sides[0] & sides[1]
    assert [len(part) for part in (train, test)] == [2 * len(side) for side in sides]
    again = project.get_training_data("events")["test"]
    assert again.X.equals(test.X)


def test_a_random_split_has_about_the_size_asked_for_and_another_seed_gives_another(project):
    """Of 4,000 labelled rows 30 % test: 1,200, within five standard deviations (145)."""
    table = events(4000).set_column(5, "label", pa.array([1] * 4000))
    view = view_of(project, [table])
    first, again, other = (view.train_test_split(test_size=0.3, seed=seed) for seed in (1, 1, 2))
    assert abs(len(first[1]) - 1200) < 145
    assert rows(first[1]) == rows(again[1])
    assert rows(first[1]) != rows(other[1])
    assert sorted(rows(first[0]) + rows(first[1])) == list(range(4000))


def test_a_split_by_key_keeps_each_value_on_one_side(view):
    train, test = view.train_test_split(by="customer", test_size=0.4, seed=3)
    sides = [set(part.to_arrow()["customer"].to_pylist()) for part in (train, test)]
    assert all(sides)
    assert not sides[0] & sides[1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "No way to split is given"),
        ({"test_start": "2024-01-05", "test_size": 0.2}, "Two ways to split are given"),
        ({"test_start": "2030-01-01"}, "The part 'test' of the split would be empty.*400 rows, from 2024-01-01"),
        ({"test_start": "2024-01-01"}, "The part 'train' of the split would be empty"),
        ({"test_size": 1.5}, "test_size=1.5 is no share"),
        ({"test_size": 0.0}, "test_size=0.0 is no share"),
    ],
)
def test_a_split_that_cannot_be_made_is_refused_and_not_recorded(project, view, options, message):
    with pytest.raises(SplitError, match=f"(?s){message}"):
        view.train_test_split(**options)
    assert project.catalog.find("training_data") == []


def test_a_split_by_an_unknown_column_names_the_nearest(view):
    with pytest.raises(ColumnNotFoundError, match="Did you mean 'customer'"):
        view.train_test_split(by="custmer")


def test_parts_that_do_not_follow_each_other_are_refused(view):
    with pytest.raises(SplitError, match="not one after the other"):
        view.train_validation_test_split(validation_start="2024-01-10", test_start="2024-01-05")
