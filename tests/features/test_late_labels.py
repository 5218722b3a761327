"""A split by time warns of a part that loses most of its rows because their labels come late."""

import warnings

import pandas as pd
import pytest

import groundswell as gs


@pytest.fixture
def view(tmp_path):
    with gs.open(tmp_path / "project") as project:
        days = pd.date_range("2024-01-01", periods=60, freq="D", tz="UTC")
        loans = project.create_feature_group("loans", primary_key=["id"], event_time="at", available_at="known")
        loans.insert(
            pd.DataFrame(
                {
                    "id": range(60),
                    "at": days,
                    "known": days + pd.Timedelta(days=10),
                    "sum": range(60),
                    "bad": [0, 1] * 30,
                }
            )
        )
        yield project.create_feature_view("loans", loans.select("sum", "bad"), labels=["bad"])


def test_a_part_that_loses_more_than_half_of_its_rows_is_warned_of(view):
    with pytest.warns(UserWarning, match=r"10 of 14 rows of the part 'validation' are left out") as caught:
        parts = view.train_validation_test_split(validation_start="2024-02-01", test_start="2024-02-15")
    assert [len(part) for part in parts] == [21, 4, 15]
    assert caught[0].filename == __file__


def test_parts_that_are_far_enough_apart_are_not(view):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        view.train_test_split(test_start="2024-02-15")
