"""Why a row sees what it sees: for each joined group, the row that matched, or the reason why none did."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pyarrow.compute as pc

from groundswell.engines import Scan
from groundswell.expressions import Expression, col
from groundswell.features._plan import Pins
from groundswell.features._selection import Join


@dataclass(frozen=True, kw_only=True)
class JoinExplanation:
    """What one join did for one row.

    Args:
        name: the join.
        keys: the values that it looked for.
        commit: the commit that wrote the matching row, or None.
        event_time, available_at: that row's times, if the group has them.
        age: the row's time minus that row's event time.
        values: what the row gave, by output name.
        reason: why no row matched; empty if one did.
        point_in_time: false for a group without event time, which is taken as of its pinned version.
    """

    name: str
    keys: Mapping[str, Any]
    commit: int | None
    event_time: datetime | None
    available_at: datetime | None
    age: timedelta | None
    values: Mapping[str, Any]
    reason: str
    point_in_time: bool

    def __str__(self) -> str:
        keys = ", ".join(f"{key}={value!r}" for key, value in self.keys.items())
        if self.reason:
            return f"{self.name} ({keys}): no match. {self.reason}"
        values = ", ".join(f"{name}={value!r}" for name, value in self.values.items())
        if not self.point_in_time:
            return f"{self.name} ({keys}): {values} from commit {self.commit}; not point in time"
        known = "" if self.available_at is None else f", known since {self.available_at:%Y-%m-%d %H:%M:%S} UTC"
        return (
            f"{self.name} ({keys}): {values} from commit {self.commit}, event time "
            f"{self.event_time:%Y-%m-%d %H:%M:%S} UTC{known}, {self.age} old"
        )


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """What every join of a view did for one row at one time."""

    at: datetime | None
    joins: tuple[JoinExplanation, ...]

    def __getitem__(self, name: str) -> JoinExplanation:
        return next(join for join in self.joins if join.name == name)

    def __str__(self) -> str:
        title = "At no time" if self.at is None else f"At {self.at:%Y-%m-%d %H:%M:%S.%f} UTC"
        return "\n".join([title, *(f"  {join}" for join in self.joins)])

    __repr__ = __str__


def why_none(join: Join, pins: Pins, keys: Mapping[str, Any], at: datetime | None) -> str:
    """The reason why a join found nothing for these keys at this time."""
    null = [key for key, value in keys.items() if value is None]
    if null:
        return f"The key {null[0]} is null, and null equals nothing."
    group = join.right.group
    if at is None and group.event_time is not None:
        return "The row has no time."
    condition: Expression | None = None
    for key, value in keys.items():
        same = col(key) == value
        condition = same if condition is None else condition & same
    snapshot = pins.snapshots[group.id]
    definition = snapshot.definition
    with_keys = group.engine.scan(Scan(snapshot=snapshot, columns=definition.identity, where=condition)).read_all()
    if with_keys.num_rows == 0:
        return f"No row of version {snapshot.version} has the key."
    if join.right.where is not None:
        both = condition & join.right.where if condition is not None else join.right.where
        with_keys = group.engine.scan(Scan(snapshot=snapshot, columns=definition.identity, where=both)).read_all()
        if with_keys.num_rows == 0:
            return f"The rows with the key do not fulfill {join.right.where!r}."
    assert definition.event_time is not None, "without times every row with the key matches"
    assert at is not None
    past = with_keys.filter(pc.field(definition.event_time) <= at)
    if past.num_rows == 0:
        first = pc.min(with_keys[definition.event_time]).as_py()
        return f"Its first row with the key happens later, at {first.isoformat()}."
    if definition.available_at is not None:
        past = past.filter(pc.field(definition.available_at) <= at)
        if past.num_rows == 0:
            return "What had happened by then was not known yet."
    newest = pc.max(past[definition.event_time]).as_py()
    return f"The newest row, of {newest.isoformat()}, is {at - newest} old, and max_age is {join.max_age}."
