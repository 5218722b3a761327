"""The part that all rules of the point-in-time suite stand on: the one method to implement, and the comparison.

The rules themselves are in the modules `_rules_*`, one per theme; users subclass their union, `PointInTimeConformance`.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pyarrow as pa

from groundswell.testing._records import GroupData
from groundswell.types import TIMESTAMP

__all__ = ["MICROSECOND", "PointInTimeRules", "comparable", "events", "group_of", "labels_at", "minute", "minutes"]

MICROSECOND = timedelta(microseconds=1)


class PointInTimeRules(ABC):
    """What every theme of rules inherits: `join`, to be implemented, and `expect`, which compares."""

    refusals: ClassVar[tuple[type[Exception], ...]] = ()
    """Errors with which the engine refuses rows of a group whose key or time is null, if it does not take them."""

    @abstractmethod
    def join(self, groups: Sequence[GroupData], labels: pa.Table, event_time: str) -> pa.Table:
        """Write each group's commits in order, each as one batch, and join the groups to the labels.

        Args:
            groups: in the order of the joins. Two with one name are one group under two roles: write it once.
            labels: the label rows; never empty of columns, maybe empty of rows.
            event_time: the label column that holds the time.

        Returns:
            The labels' columns as they came, then for each group its chosen columns with the prefix before their names.
        """

    def expect(self, groups: Sequence[GroupData], labels: pa.Table, expected: Mapping[str, Sequence[object]]) -> None:
        """Fail unless the join gives each label row once and in order, and beside them exactly the expected columns."""
        result = self.join(groups, labels, "at")
        wanted = {name: comparable(labels.column(name).to_pylist()) for name in labels.column_names}
        wanted |= {name: comparable(values) for name, values in expected.items()}
        if result.column_names != list(wanted):
            raise AssertionError(f"The join gave the columns {result.column_names}, expected {list(wanted)}.")
        for name, values in wanted.items():
            got = comparable(result.column(name).to_pylist())
            if got != values:
                raise AssertionError(f"Column {name!r} came back as\n  {got}\nexpected\n  {values}")

    def expect_or_refusal(
        self, groups: Sequence[GroupData], labels: pa.Table, expected: Mapping[str, Sequence[object]]
    ) -> None:
        """As `expect`, for rows that an engine may also refuse with one of its `refusals`."""
        try:
            self.expect(groups, labels, expected)
        except self.refusals:
            return


def comparable(value: object) -> object:
    """The value with NaN made equal to itself, times in UTC and sequences made lists, at every depth.

    Python calls two times of different zones unequal if a clock shows one of them twice, even if they are one instant.
    """
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC)
    if isinstance(value, Mapping):
        return {key: comparable(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [comparable(inner) for inner in value]
    return value


def minute(number: float) -> datetime:
    """The moment so many minutes after 2024-01-01T00:00Z."""
    return datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=number)


def minutes(*numbers: float | None) -> pa.Array:
    """A column of such moments; None stays null."""
    return pa.array([None if n is None else minute(n) for n in numbers], TIMESTAMP)


def labels_at(*numbers: float | None, k: Sequence[object] | None = None) -> pa.Table:
    """Label rows with the key column `k` ("a" throughout unless given) and the time column `at`."""
    return pa.table({"k": pa.array(k or ["a"] * len(numbers), _text_unless(k)), "at": minutes(*numbers)})


def events(*rows: tuple[Any, ...], known: bool = False) -> pa.Table:  # Any: a feature of any type
    """A batch with the key `k`, the event time `t` and the feature `v`; with the availability `a` if `known`.

    Args:
        rows: (key, minute of the event, value), or (key, minute of the event, minute of availability, value).
        known: whether the rows have the availability.
    """
    columns = list(zip(*rows, strict=True)) or [()] * (4 if known else 3)
    table = {"k": pa.array(columns[0], _text_unless(columns[0])), "t": minutes(*columns[1])}
    if known:
        table["a"] = minutes(*columns[2])
    values = columns[-1]
    return pa.table(table | {"v": pa.array(values, None if any(v is not None for v in values) else pa.int64())})


def _text_unless(values: Sequence[object] | None) -> pa.DataType | None:
    return None if any(v is not None for v in values or ()) else pa.string()


def group_of(*commits: pa.Table, **changes: Any) -> GroupData:  # Any: the fields of GroupData
    """The group `g` of batches made by `events`, joined for its feature `v`."""
    fields: dict[str, Any] = {
        "name": "g",
        "primary_key": ("k",),
        "event_time": "t",
        "available_at": "a" if "a" in commits[0].column_names else None,
        "columns": ("v",),
    }
    return GroupData(commits=commits, **(fields | changes))
