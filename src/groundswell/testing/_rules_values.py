"""Rules about what is carried: values and types as they were written, whatever the names, zones and resolutions."""

import math
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest

from groundswell.testing._suite import PointInTimeRules, events, group_of, labels_at, minutes
from groundswell.types import canonical_type

__all__ = ["NameRules", "TimeZoneRules", "ValueRules"]

_VALUES = {
    "int64 above 2^53": pa.array([2**53 + 1, -(2**53) - 1, 2**63 - 1], pa.int64()),
    "int8": pa.array([-128, 127, 0], pa.int8()),
    "boolean": pa.array([True, False, None]),
    "float32": pa.array([0.1, -0.0, math.inf], pa.float32()),
    "float64": pa.array([0.1, math.nan, -math.inf]),
    "hostile text": pa.array(["'); DROP TABLE labels; --", "\r\n\t\\", "👩‍🚀 \u202e"]),
    "binary": pa.array([b"\x00\xff", b"", None]),
    "date": pa.array([date(2024, 2, 29), date(1, 1, 1), None]),
    "timestamp": minutes(1, 2.5, None),
    "decimal": pa.array(
        [Decimal("12345678901234567890.123456789"), Decimal("-0.000000001"), None], pa.decimal128(38, 9)
    ),
    "list": pa.array([[1, None, 3], [], None], pa.list_(pa.int64())),
    "struct": pa.array([{"x": 1, "y": "p"}, {"x": None, "y": "q"}, None]),
    "nested": pa.array([[{"z": [1.5]}], [], None]),
}

_HOSTILE_NAMES = (
    "it's", 'dou"ble', "semi;colon--", "new\nline", "tab\tbed", "🛫", "select", "a.b", "1", " ", "per%cent",
    "{brace}", "über",
)  # fmt: skip
_INTERNAL_NAMES = (
    "rowid", "key", "k0", "t0", "row", "row_number", "label", "labels", "position", "version", "event_time",
    "available_at", "_commit_version", "filename", "file_row_number", "g", "l", "r", "rn", "index",
    "__index_level_0__", "entity", "at_",
)  # fmt: skip


class ValueRules(PointInTimeRules):
    """Values arrive as they were written."""

    @pytest.mark.parametrize("kind", _VALUES)
    def test_values_and_their_type_arrive_unchanged(self, kind: str) -> None:
        values = _VALUES[kind]
        group = group_of(pa.table({"k": ["a", "a", "a"], "t": minutes(10, 20, 30), "v": values}))
        labels = labels_at(30, 10, 20, 5)
        self.expect([group], labels, {"v": [*(values[i].as_py() for i in (2, 0, 1)), None]})
        kind_of_result = self.join([group], labels, "at").schema.field("v").type
        assert canonical_type(kind_of_result) == canonical_type(values.type), kind_of_result

    def test_a_null_in_the_matching_row_is_the_value(self) -> None:
        rows = pa.table({"k": ["a", "a"], "t": minutes(10, 20), "v": [1, None], "w": [None, "x"]})
        self.expect([group_of(rows, columns=("v", "w"))], labels_at(15, 25), {"v": [1, None], "w": [None, "x"]})

    def test_a_row_with_only_nulls_matches_too(self) -> None:
        self.expect([group_of(events(("a", 10, 1), ("a", 20, None)))], labels_at(25), {"v": [None]})

    def test_label_columns_come_back_unchanged(self) -> None:
        extras = {f"label_{i}": values for i, values in enumerate(_VALUES.values())}
        labels = pa.table({"k": ["a", None, "z"], "at": minutes(20, 20, None), **extras})
        self.expect([group_of(events(("a", 10, 1)))], labels, {"v": [1, None, None]})

    def test_many_columns_keep_their_places(self) -> None:
        names = [f"f{i}" for i in range(60)]
        rows = pa.table({"k": ["a", "b"], "t": minutes(10, 10)} | {name: [i, -i] for i, name in enumerate(names)})
        group = group_of(rows, columns=tuple(reversed(names)))
        expected = {name: [-i, i] for i, name in reversed(list(enumerate(names)))}
        self.expect([group], labels_at(20, 20, k=["b", "a"]), expected)


class NameRules(PointInTimeRules):
    """Names are data: none means anything to the engine."""

    @pytest.mark.parametrize("names", [_HOSTILE_NAMES, _INTERNAL_NAMES], ids=["hostile", "internal"])
    def test_features_may_have_any_name(self, names: tuple[str, ...]) -> None:
        rows = pa.table({"k": ["a", "a"], "t": minutes(10, 20)} | {name: [i, -i] for i, name in enumerate(names)})
        expected = {name: [i, -i, None] for i, name in enumerate(names)}
        self.expect([group_of(rows, columns=names)], labels_at(10, 20, 5), expected)

    @pytest.mark.parametrize("names", [_HOSTILE_NAMES, _INTERNAL_NAMES], ids=["hostile", "internal"])
    def test_label_columns_may_have_any_name(self, names: tuple[str, ...]) -> None:
        labels = pa.table({"k": ["a", "b"], "at": minutes(20, 20)} | {name: [i, -i] for i, name in enumerate(names)})
        self.expect([group_of(events(("a", 10, 1)))], labels, {"v": [1, None]})

    @pytest.mark.parametrize("names", [_HOSTILE_NAMES, _INTERNAL_NAMES], ids=["hostile", "internal"])
    def test_keys_and_times_may_have_any_name(self, names: tuple[str, ...]) -> None:
        happened, known, *keys = names[:6]
        commits = [
            pa.table(
                {key: ["a", "b"] for key in keys} | {happened: minutes(10, 10), known: minutes(at, at), "v": [at, -at]}
            )
            for at in (10, 20)
        ]
        group = group_of(*commits, primary_key=tuple(keys), event_time=happened, available_at=known)
        labels = pa.table({key: ["a", "b"] for key in keys} | {"at": minutes(15, 25)})
        self.expect([group], labels, {"v": [10, -20]})

    def test_a_prefix_may_be_any_text(self) -> None:
        self.expect([group_of(events(("a", 10, 1)), prefix='"; --')], labels_at(20), {'"; --v': [1]})


class TimeZoneRules(PointInTimeRules):
    """Times are instants: zones and resolutions say how they were written, not when they were."""

    @pytest.mark.parametrize("zone", ["+05:30", "America/New_York", "-11:00", "UTC"])
    def test_a_label_in_another_zone_is_the_same_instant(self, zone: str) -> None:
        group = group_of(events(("a", 10, 1), ("a", 20, 2), ("a", 600, 3)))
        labels = pa.table({"k": ["a"] * 3, "at": minutes(9, 10, 25).cast(pa.timestamp("us", tz=zone))})
        self.expect([group], labels, {"v": [None, 1, 2]})

    def test_a_group_in_another_zone_is_the_same_instant(self) -> None:
        rows = events(("a", 10, 15, 1), ("a", 20, 25, 2), known=True)
        for name in ("t", "a"):
            place = rows.schema.get_field_index(name)
            rows = rows.set_column(place, name, rows[name].cast(pa.timestamp("us", tz="Asia/Kolkata")))
        self.expect([group_of(rows)], labels_at(14, 15, 24, 25), {"v": [None, 1, 1, 2]})

    def test_the_hour_that_a_clock_shows_twice_is_two_hours(self) -> None:
        here = ZoneInfo("America/New_York")
        shown = [datetime(2013, 11, 3, 1, 30, tzinfo=here, fold=fold) for fold in (0, 1)]
        times = pa.array([t.astimezone(ZoneInfo("UTC")) for t in shown], pa.timestamp("us", tz="UTC"))
        rows = pa.table({"k": ["a", "a"], "t": times, "v": [1, 2]})
        labels = pa.table({"k": ["a", "a"], "at": times.cast(pa.timestamp("us", tz="America/New_York"))})
        self.expect([group_of(rows)], labels, {"v": [1, 2]})

    @pytest.mark.parametrize("unit", ["s", "ms", "ns"])
    def test_a_label_of_another_resolution_is_the_same_instant(self, unit: str) -> None:
        group = group_of(events(("a", 10, 1), ("a", 20, 2)))
        labels = pa.table({"k": ["a"] * 3, "at": minutes(9, 10, 25).cast(pa.timestamp(unit, tz="UTC"))})
        self.expect([group], labels, {"v": [None, 1, 2]})
