"""Rules about several groups at once, and about keys: each group is matched on its own keys and in its own way."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pyarrow as pa
import pytest

from groundswell.testing._records import Condition
from groundswell.testing._suite import PointInTimeRules, events, group_of, labels_at, minutes

__all__ = ["JoiningRules", "KeyRules"]


class JoiningRules(PointInTimeRules):
    """Several groups are joined to the same label rows, none disturbing another."""

    def test_groups_with_different_keys_each_match_on_their_own(self) -> None:
        weather = group_of(
            pa.table({"origin": ["EWR", "JFK"], "t": minutes(10, 30), "temp": [1.5, 2.5]}),
            name="weather", primary_key=("origin",), columns=("temp",),
        )  # fmt: skip
        loads = group_of(
            pa.table({"carrier": ["UA", "UA"], "day": [1, 2], "t": minutes(20, 20), "load": [7, 8]}),
            name="loads", primary_key=("carrier", "day"), columns=("load",),
        )  # fmt: skip
        labels = pa.table(
            {"carrier": ["UA", "UA", "AA"], "day": [1, 2, 1], "origin": ["EWR", "JFK", "EWR"], "at": minutes(25, 25, 9)}
        )
        self.expect([weather, loads], labels, {"temp": [1.5, None, None], "load": [7, 8, None]})

    def test_a_label_keeps_its_match_in_one_group_when_another_has_none(self) -> None:
        one = group_of(events(("a", 10, 1)), name="one")
        other = group_of(events(("b", 10, 2)), name="other", prefix="o_")
        labels = labels_at(20, 20, 20, k=["a", "b", "z"])
        self.expect([one, other], labels, {"v": [1, None, None], "o_v": [None, 2, None]})
        self.expect([other, one], labels, {"o_v": [None, 2, None], "v": [1, None, None]})

    def test_a_group_is_joined_twice_under_two_roles(self) -> None:
        airports = pa.table({"code": ["EWR", "IAH"], "t": minutes(10, 30), "v": [1, 2]})
        origin = group_of(airports, primary_key=("code",), on={"origin": "code"}, prefix="origin_")
        dest = group_of(airports, primary_key=("code",), on={"dest": "code"}, prefix="dest_")
        labels = pa.table({"origin": ["EWR", "IAH"], "dest": ["IAH", "EWR"], "at": minutes(20, 40)})
        self.expect([origin, dest], labels, {"origin_v": [1, 2], "dest_v": [None, 1]})

    def test_two_roles_have_their_own_condition_and_max_age(self) -> None:
        rows = events(("a", 10, 1), ("a", 20, 2))
        small = group_of(rows, prefix="small_", where=Condition("v", "<", 2))
        fresh = group_of(rows, prefix="fresh_", max_age=timedelta(minutes=5))
        labels = labels_at(20, 26)
        self.expect([small, fresh], labels, {"small_v": [1, 1], "fresh_v": [2, None]})

    def test_a_group_without_event_time_is_the_same_at_all_times(self) -> None:
        planes = pa.table({"k": ["a", "b"], "v": [1, 2]})
        newer = pa.table({"k": ["b", "c"], "v": [3, 4]})
        group = group_of(planes, newer, event_time=None)
        labels = labels_at(-99999999, 0, 99999999, 5, 5, k=["a", "b", "c", "z", None])
        self.expect([group], labels, {"v": [1, 3, 4, None, None]})

    def test_groups_with_and_without_event_time_mix(self) -> None:
        fixed = group_of(pa.table({"k": ["a"], "v": [9]}), name="fixed", event_time=None, prefix="fixed_")
        late = group_of(events(("a", 10, 30, 1), known=True), name="late", prefix="late_")
        moving = group_of(events(("a", 10, 1)), name="moving")
        self.expect(
            [fixed, late, moving],
            labels_at(5, 15, 30),
            {"fixed_v": [9, 9, 9], "late_v": [None, None, 1], "v": [None, 1, 1]},
        )

    def test_time_columns_may_share_the_labels_names(self) -> None:
        rows = pa.table({"k": ["a", "a"], "at": minutes(10, 20), "v": [1, 2]})
        group = group_of(rows, event_time="at", columns=("at", "v"), prefix="g_")
        self.expect([group], labels_at(15, 5), {"g_at": [rows["at"][0].as_py(), None], "g_v": [1, None]})

    def test_a_label_column_with_the_name_of_a_mapped_key_is_only_a_column(self) -> None:
        rows = pa.table({"code": ["x", "y"], "t": minutes(10, 10), "v": [1, 2]})
        group = group_of(rows, primary_key=("code",), on={"dest": "code"})
        labels = pa.table({"code": ["x", "x"], "dest": ["y", "z"], "at": minutes(20, 20)})
        self.expect([group], labels, {"v": [2, None]})

    def test_composite_keys_may_be_mapped_in_any_order(self) -> None:
        rows = pa.table({"x": ["1", "2"], "y": ["2", "1"], "t": minutes(10, 10), "v": [12, 21]})
        group = group_of(rows, primary_key=("x", "y"), on={"second": "y", "first": "x"})
        labels = pa.table({"first": ["1", "2"], "second": ["2", "1"], "at": minutes(20, 20)})
        self.expect([group], labels, {"v": [12, 21]})

    def test_one_label_column_may_answer_two_groups(self) -> None:
        one = group_of(events(("a", 10, 1)), name="one")
        other = group_of(events(("a", 15, 2)), name="other", prefix="o_")
        self.expect([one, other], labels_at(12, 20), {"v": [1, 1], "o_v": [None, 2]})

    def test_a_chosen_column_may_be_the_key(self) -> None:
        group = group_of(events(("a", 10, 1)), columns=("k", "t", "v"), prefix="g_")
        time = minutes(10)[0].as_py()
        self.expect([group], labels_at(10, 9), {"g_k": ["a", None], "g_t": [time, None], "g_v": [1, None]})


_LOOKALIKES = {
    "int64": pa.array([2**53, 2**53 + 1, -(2**63), 2**63 - 1], pa.int64()),
    "int32": pa.array([1, 11, 111, -1], pa.int32()),
    "string": pa.array(["a", "A", "a ", ""]),
    "unicode": pa.array(["\u00e9", "e\u0301", "é ", "🛫"]),
    "hostile": pa.array(["' OR 1=1 --", '"; DROP TABLE labels; --', "a\nb\\", "%_"]),
    "date": pa.array([date(2024, 1, 1), date(2024, 1, 2), date(1969, 12, 31), date(1970, 1, 1)]),
    "boolean": pa.array([True, False]),
    "binary": pa.array([b"\x00", b"\x00\x00", b"", b"\xff"]),
    "decimal": pa.array([Decimal("1.10"), Decimal("1.11"), Decimal("11.10"), Decimal("-1.10")], pa.decimal128(30, 2)),
    "timestamp": pa.array(
        [datetime(2024, 1, 1, 0, 0, 0, us, UTC) for us in range(4)],
        pa.timestamp("us", tz="UTC"),
    ),
}


class KeyRules(PointInTimeRules):
    """Keys are values of their types, compared exactly and never through text or floating point."""

    @pytest.mark.parametrize("kind", _LOOKALIKES)
    def test_keys_that_look_alike_are_told_apart(self, kind: str) -> None:
        keys = _LOOKALIKES[kind]
        numbers = list(range(len(keys)))
        rows = pa.table({"k": keys, "t": minutes(*[10] * len(keys)), "v": numbers})
        labels = pa.table({"k": keys.take(pa.array(numbers[::-1])), "at": minutes(*[10] * len(keys))})
        self.expect([group_of(rows)], labels, {"v": numbers[::-1]})

    def test_keys_that_look_alike_when_pasted_are_told_apart(self) -> None:
        rows = pa.table({"x": ["1", "11", "a,b"], "y": ["11", "1", "c"], "t": minutes(10, 10, 10), "v": [1, 2, 3]})
        labels = pa.table({"x": ["11", "1", "a"], "y": ["1", "11", "b,c"], "at": minutes(20, 20, 20)})
        self.expect([group_of(rows, primary_key=("x", "y"))], labels, {"v": [2, 1, None]})

    def test_pasted_versions_of_a_key_do_not_replace_each_other(self) -> None:
        first = pa.table({"x": ["1"], "y": ["11"], "t": minutes(10), "v": [1]})
        then = pa.table({"x": ["11"], "y": ["1"], "t": minutes(10), "v": [2]})
        labels = pa.table({"x": ["1", "11"], "y": ["11", "1"], "at": minutes(20, 20)})
        self.expect([group_of(first, then, primary_key=("x", "y"))], labels, {"v": [1, 2]})

    def test_a_composite_key_mixes_types(self) -> None:
        rows = pa.table(
            {"x": [1, 1, 2], "y": [date(2024, 1, 1), date(2024, 1, 2), date(2024, 1, 1)], "z": ["p", "p", "q"],
             "t": minutes(10, 10, 10), "v": [1, 2, 3]}
        )  # fmt: skip
        labels = pa.table(
            {"z": ["p", "q", "p"], "y": [date(2024, 1, 2), date(2024, 1, 1), date(2024, 1, 1)], "x": [1, 2, 2],
             "at": minutes(20, 20, 20)}
        )  # fmt: skip
        self.expect([group_of(rows, primary_key=("x", "y", "z"))], labels, {"v": [2, 3, None]})

    def test_label_keys_may_be_dictionary_encoded_or_of_a_narrower_integer(self) -> None:
        rows = pa.table({"x": ["a", "b"], "n": pa.array([1, 2], pa.int64()), "t": minutes(10, 10), "v": [1, 2]})
        texts, numbers = pa.array(["b", "a", "b"]).dictionary_encode(), pa.array([2, 1, 1], pa.int16())
        labels = pa.table({"x": texts, "n": numbers, "at": minutes(20, 20, 20)})
        self.expect([group_of(rows, primary_key=("x", "n"))], labels, {"v": [2, 1, None]})
