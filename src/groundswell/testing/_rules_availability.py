"""Rules about when a row became known: a label sees a correction only from the moment on at which it was available."""

from datetime import timedelta

import pyarrow as pa

from groundswell.testing._records import Condition
from groundswell.testing._suite import MICROSECOND, PointInTimeRules, events, group_of, labels_at, minute
from groundswell.types import TIMESTAMP

__all__ = ["AvailabilityRules"]


class AvailabilityRules(PointInTimeRules):
    """In a group with `available_at`, a label sees only rows that were available at its time.

    The availability is part of the identity: a row that became known later stands beside the one known before.
    """

    def test_a_late_row_is_seen_from_its_availability_on(self) -> None:
        group = group_of(events(("a", 10, 30, 1), known=True))
        times = [minute(10), minute(30) - MICROSECOND, minute(30), minute(30) + MICROSECOND]
        labels = pa.table({"k": ["a"] * 4, "at": pa.array(times, TIMESTAMP)})
        self.expect([group], labels, {"v": [None, None, 1, 1]})

    def test_the_newest_event_that_is_available_matches(self) -> None:
        group = group_of(events(("a", 10, 11, 1), ("a", 20, 50, 2), ("a", 30, 31, 3), known=True))
        self.expect([group], labels_at(25, 30, 31, 60), {"v": [1, 1, 3, 3]})

    def test_a_later_correction_never_hides_what_was_known_before(self) -> None:
        group = group_of(events(("a", 10, 10, 1), known=True), events(("a", 10, 40, 2), known=True))
        self.expect([group], labels_at(10, 39, 40, 99), {"v": [1, 1, 2, 2]})

    def test_of_equal_event_times_the_last_available_matches_whatever_the_order_of_writing(self) -> None:
        commits = (
            events(("a", 10, 40, 4), ("a", 10, 20, 2), known=True),
            events(("a", 10, 30, 3), known=True),
            events(("a", 10, 10, 1), known=True),
        )
        self.expect([group_of(*commits)], labels_at(10, 20, 30, 40, 50, 9), {"v": [1, 2, 3, 4, 4, None]})

    def test_of_one_availability_the_latest_written_counts(self) -> None:
        commits = (
            events(("a", 10, 20, 1), ("a", 10, 20, 2), known=True),
            events(("a", 10, 30, 5), known=True),
            events(("a", 10, 20, 3), known=True),
        )
        self.expect([group_of(*commits)], labels_at(20, 29, 30), {"v": [3, 3, 5]})

    def test_a_newer_event_beats_a_later_correction_of_an_older_one(self) -> None:
        group = group_of(events(("a", 20, 21, 2), known=True), events(("a", 10, 30, 1), known=True))
        self.expect([group], labels_at(40), {"v": [2]})

    def test_a_row_known_before_it_happens_waits_for_its_event_time(self) -> None:
        group = group_of(events(("a", 10, 10, 1), ("a", 30, 5, 2), known=True))
        self.expect([group], labels_at(20, 30, 7), {"v": [1, 2, None]})

    def test_max_age_counts_from_the_event_not_from_the_availability(self) -> None:
        group = group_of(events(("a", 10, 30, 1), known=True), max_age=timedelta(minutes=20))
        self.expect([group], labels_at(30, 31), {"v": [1, None]})

    def test_a_fresh_row_that_is_not_yet_available_does_not_refresh_an_old_one(self) -> None:
        commits = events(("a", 10, 10, 1), ("a", 30, 50, 2), known=True)
        group = group_of(commits, max_age=timedelta(minutes=25))
        self.expect([group], labels_at(35, 36, 50, 56), {"v": [1, None, 2, None]})

    def test_a_correction_that_fails_the_condition_leaves_what_was_known_before(self) -> None:
        commits = events(("a", 10, 10, 1), known=True), events(("a", 10, 20, -1), known=True)
        self.expect([group_of(*commits, where=Condition("v", ">", 0))], labels_at(15, 25), {"v": [1, 1]})

    def test_a_null_availability_is_never_known(self) -> None:
        group = group_of(events(("a", 10, 10, 1), ("a", 20, None, 2), known=True))
        self.expect_or_refusal([group], labels_at(15, 30, None), {"v": [1, 1, None]})

    def test_keys_are_late_each_on_their_own(self) -> None:
        group = group_of(events(("a", 10, 60, 1), ("b", 10, 11, 2), ("a", 5, 6, 3), known=True))
        self.expect([group], labels_at(20, 20, 60, k=["a", "b", "a"]), {"v": [3, 2, 1]})
