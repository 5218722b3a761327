"""Rules about one group: which row matches, what a null does, and that the label rows come back as they were."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa

from groundswell.testing._records import Condition
from groundswell.testing._suite import (
    MICROSECOND,
    PointInTimeRules,
    events,
    group_of,
    labels_at,
    minute,
    minutes,
)
from groundswell.types import TIMESTAMP

__all__ = ["MatchingRules", "VersionRules", "WhereRules"]


class MatchingRules(PointInTimeRules):
    """Of a key's rows, the one that happened last at the label's time or before matches, unless it is too old."""

    def test_the_last_row_before_the_label_matches(self) -> None:
        group = group_of(events(("a", 10, 1), ("a", 30, 3), ("a", 20, 2), ("b", 24, 9)))
        self.expect([group], labels_at(25, 35, 15), {"v": [2, 3, 1]})

    def test_a_row_at_exactly_the_label_time_matches(self) -> None:
        self.expect([group_of(events(("a", 10, 1), ("a", 20, 2)))], labels_at(20, 10), {"v": [2, 1]})

    def test_one_microsecond_decides(self) -> None:
        group = group_of(events(("a", 10, 1), ("a", 20, 2)))
        times = [minute(20) - MICROSECOND, minute(20), minute(20) + MICROSECOND, minute(10) - MICROSECOND]
        self.expect([group], pa.table({"k": ["a"] * 4, "at": pa.array(times, TIMESTAMP)}), {"v": [1, 2, 2, None]})

    def test_two_events_one_microsecond_apart_stay_apart(self) -> None:
        times = [minute(10), minute(10) + MICROSECOND]
        rows = pa.table({"k": ["a", "a"], "t": pa.array(times, TIMESTAMP), "v": [1, 2]})
        self.expect([group_of(rows)], pa.table({"k": ["a", "a"], "at": pa.array(times, TIMESTAMP)}), {"v": [1, 2]})

    def test_a_label_without_a_match_gets_nulls(self) -> None:
        self.expect([group_of(events(("a", 10, 1)))], labels_at(9, 10, k=["a", "z"]), {"v": [None, None]})

    def test_label_rows_come_back_in_their_order(self) -> None:
        group = group_of(events(("c", 1, 3), ("a", 2, 1), ("b", 3, 2), ("a", 50, 4)))
        labels = labels_at(60, 5, 4, 40, 60, 0, k=["b", "a", "c", "z", "a", "a"])
        self.expect([group], labels, {"v": [2, 1, 3, None, 4, None]})

    def test_duplicate_label_rows_stay(self) -> None:
        labels = labels_at(10, 10, 5, 10, 5, k=["a", "a", "a", "z", "a"])
        self.expect([group_of(events(("a", 10, 1)))], labels, {"v": [1, 1, None, None, None]})

    def test_a_null_label_key_gets_nulls_and_stays(self) -> None:
        group = group_of(events(("a", 10, 1), ("", 10, 2), ("None", 10, 3)))
        self.expect([group], labels_at(20, 20, 20, k=[None, "a", ""]), {"v": [None, 1, 2]})

    def test_a_label_with_half_a_key_gets_nulls_and_stays(self) -> None:
        rows = pa.table({"k": ["a", "a"], "n": [1, 0], "t": minutes(10, 10), "v": [1, 2]})
        labels = pa.table({"k": ["a", "a", None], "n": pa.array([1, None, 1]), "at": minutes(20, 20, 20)})
        self.expect([group_of(rows, primary_key=("k", "n"))], labels, {"v": [1, None, None]})

    def test_a_null_label_time_gets_nulls_and_stays(self) -> None:
        self.expect([group_of(events(("a", 10, 1)))], labels_at(None, 20, None), {"v": [None, 1, None]})

    def test_labels_with_nothing_but_nulls_stay(self) -> None:
        labels = labels_at(None, None, k=[None, None])
        self.expect([group_of(events(("a", 10, 1)))], labels, {"v": [None, None]})

    def test_a_null_key_in_the_group_matches_no_label(self) -> None:
        rows = events((None, 10, 1), ("a", 10, 2))
        self.expect_or_refusal([group_of(rows)], labels_at(20, 20, k=[None, "a"]), {"v": [None, 2]})

    def test_a_null_event_time_in_the_group_matches_no_label(self) -> None:
        rows = events(("a", None, 1), ("a", 10, 2), ("b", None, 3))
        self.expect_or_refusal([group_of(rows)], labels_at(20, None, 5, k=["a", "a", "b"]), {"v": [2, None, None]})

    def test_max_age_counts_the_exact_age_and_not_a_microsecond_more(self) -> None:
        group = group_of(events(("a", 10, 1)), max_age=timedelta(minutes=5))
        times = [minute(15) - MICROSECOND, minute(15), minute(15) + MICROSECOND]
        self.expect([group], pa.table({"k": ["a"] * 3, "at": pa.array(times, TIMESTAMP)}), {"v": [1, 1, None]})

    def test_a_max_age_of_zero_leaves_the_exact_time(self) -> None:
        group = group_of(events(("a", 10, 1)), max_age=timedelta(0))
        self.expect([group], labels_at(10, 11), {"v": [1, None]})

    def test_labels_stay_when_everything_is_older_than_max_age(self) -> None:
        group = group_of(events(("a", 10, 1), ("b", 11, 2)), max_age=timedelta(minutes=1))
        self.expect([group], labels_at(100, 100, 100, k=["a", "b", "a"]), {"v": [None, None, None]})

    def test_an_empty_group_gives_nulls(self) -> None:
        self.expect([group_of(events(("a", 1, 1)).slice(0, 0))], labels_at(10, 20), {"v": [None, None]})

    def test_empty_labels_give_an_empty_result(self) -> None:
        self.expect([group_of(events(("a", 10, 1)))], labels_at(10).slice(0, 0), {"v": []})

    def test_an_empty_group_and_empty_labels_give_an_empty_result(self) -> None:
        self.expect([group_of(events(("a", 1, 1)).slice(0, 0))], labels_at(10).slice(0, 0), {"v": []})

    def test_times_before_1970_and_far_ahead_order_like_others(self) -> None:
        old, ahead = datetime(1901, 5, 17, 1, 2, 3, 4, UTC), datetime(2261, 12, 31, 23, 59, 59, 999_999, UTC)
        rows = pa.table({"k": ["a"] * 3, "t": pa.array([ahead, old, minute(0)], TIMESTAMP), "v": [3, 1, 2]})
        times = [old - MICROSECOND, old, minute(0) - MICROSECOND, minute(0), ahead - MICROSECOND, ahead]
        labels = pa.table({"k": ["a"] * 6, "at": pa.array(times, TIMESTAMP)})
        self.expect([group_of(rows)], labels, {"v": [None, 1, 1, 2, 2, 3]})


class VersionRules(PointInTimeRules):
    """Rows with one identity are versions of one row, and the latest written counts."""

    def test_of_two_versions_the_later_commit_counts(self) -> None:
        commits = events(("a", 10, 1), ("b", 10, 7)), events(("a", 10, 2)), events(("b", 9, 8))
        self.expect([group_of(*commits)], labels_at(10, 15, 10, k=["a", "a", "b"]), {"v": [2, 2, 7]})

    def test_of_two_versions_in_one_batch_the_last_counts(self) -> None:
        group = group_of(events(("a", 10, 1), ("b", 10, 5), ("a", 10, 2)))
        self.expect([group], labels_at(10, 10, k=["a", "b"]), {"v": [2, 5]})

    def test_a_version_counts_again_when_it_is_written_again(self) -> None:
        group = group_of(events(("a", 10, 1)), events(("a", 10, 2)), events(("a", 10, 1)))
        self.expect([group], labels_at(10), {"v": [1]})

    def test_a_version_with_a_null_replaces_one_with_a_value(self) -> None:
        self.expect([group_of(events(("a", 10, 1)), events(("a", 10, None)))], labels_at(10), {"v": [None]})

    def test_an_older_event_written_later_does_not_match(self) -> None:
        group = group_of(events(("a", 20, 2)), events(("a", 10, 1)))
        self.expect([group], labels_at(25, 15), {"v": [2, 1]})

    def test_a_correction_counts_for_labels_before_it_was_written(self) -> None:
        group = group_of(events(("a", 10, 1)), events(("a", 30, 3)), events(("a", 10, 2)))
        self.expect([group], labels_at(12, 30), {"v": [2, 3]})

    def test_many_versions_leave_one(self) -> None:
        commits = [events(("a", 10, i), ("b", 10, -i)) for i in range(1, 8)]
        self.expect([group_of(*commits)], labels_at(10, 11, k=["a", "b"]), {"v": [7, -7]})


class WhereRules(PointInTimeRules):
    """A condition on a group says which of its current rows may match."""

    def test_a_row_that_fails_the_condition_lets_the_one_before_match(self) -> None:
        group = group_of(events(("a", 10, 1), ("a", 20, -2), ("a", 30, 3)), where=Condition("v", ">", 0))
        self.expect([group], labels_at(25, 30, 5), {"v": [1, 3, None]})

    def test_a_version_that_fails_the_condition_does_not_bring_back_the_one_it_replaced(self) -> None:
        group = group_of(events(("a", 10, 1), ("a", 20, 2)), events(("a", 20, -2)), where=Condition("v", ">", 0))
        self.expect([group], labels_at(25, 15), {"v": [1, 1]})
        group = group_of(events(("a", 20, 2)), events(("a", 20, -2)), where=Condition("v", ">", 0))
        self.expect([group], labels_at(25), {"v": [None]})

    def test_a_version_that_meets_the_condition_replaces_one_that_fails_it(self) -> None:
        group = group_of(events(("a", 20, -2)), events(("a", 20, 2)), where=Condition("v", ">", 0))
        self.expect([group], labels_at(25), {"v": [2]})

    def test_a_null_does_not_meet_a_condition(self) -> None:
        group = group_of(events(("a", 10, 1), ("a", 20, None)), where=Condition("v", "!=", 7))
        self.expect([group], labels_at(25), {"v": [1]})

    def test_a_condition_may_read_a_column_that_is_not_chosen(self) -> None:
        rows = pa.table({"k": ["a", "a"], "t": minutes(10, 20), "v": [1, 2], "ok": ["yes", "no"]})
        self.expect([group_of(rows, where=Condition("ok", "==", "yes"))], labels_at(25), {"v": [1]})

    def test_a_condition_that_nothing_meets_gives_nulls(self) -> None:
        group = group_of(events(("a", 10, 1)), where=Condition("v", "<", 0))
        self.expect([group], labels_at(10, 20), {"v": [None, None]})

    def test_max_age_is_that_of_the_row_that_meets_the_condition(self) -> None:
        commits = events(("a", 10, 1), ("a", 20, -2))
        group = group_of(commits, where=Condition("v", ">", 0), max_age=timedelta(minutes=10))
        self.expect([group], labels_at(20, 21), {"v": [1, None]})

    def test_a_condition_on_a_group_without_event_time_comes_after_folding_too(self) -> None:
        rows = pa.table({"k": ["a", "b"], "v": [1, 2]})
        later = pa.table({"k": ["a"], "v": [-1]})
        group = group_of(rows, later, event_time=None, where=Condition("v", ">", 0))
        self.expect([group], labels_at(10, 10, k=["a", "b"]), {"v": [None, 2]})
