"""The point-in-time join in plain loops over dictionaries: slow, and short enough to check by reading.

It shares no code with any engine. Tests compare an engine with it on random data; the conformance suite does not need
it, because there the answers are written out.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pyarrow as pa

from groundswell.testing._records import GroupData

__all__ = ["reference_join"]

_Row = dict[str, Any]  # Any: values of every storable type


def reference_join(groups: Sequence[GroupData], labels: pa.Table, event_time: str) -> pa.Table:
    """The labels, each row once and in order, with the columns of the rows that had happened and were known.

    Among the rows of a group that have the label's key, happened at its time or before, were available by then, and are
    not older than `max_age`, the one with the largest event time matches, then the one with the largest availability,
    then the latest written. Rows with one identity (key, event time, availability) count as the latest written of them,
    and only then does `where` say which may match.

    Args:
        groups: the groups to join, in the order in which their columns follow the labels' own.
        labels: the label rows, with the key columns and the time.
        event_time: the label column that holds the time.
    """
    times = _microseconds(labels.column(event_time))
    result = {name: labels.column(name) for name in labels.column_names}
    for group in groups:
        rows_of: dict[tuple[Any, ...], list[_Row]] = {}
        for row in _current_rows(group):
            if group.where is None or group.where.holds(row):
                rows_of.setdefault(tuple(row[key] for key in group.primary_key), []).append(row)
        keys = zip(*(labels.column(name).to_pylist() for name in group.label_keys), strict=True)
        matches = [
            None if None in key else _match(group, rows_of.get(key, []), time)
            for key, time in zip(keys, times, strict=True)
        ]
        for column in group.columns:
            values = [match[column] if match else None for match in matches]
            result[group.prefix + column] = pa.chunked_array([pa.array(values, group.schema.field(column).type)])
    return pa.table(result)


def _current_rows(group: GroupData) -> list[_Row]:
    """The rows that count, in the order in which the winners were written; times as integers beside the values."""
    current: dict[tuple[Any, ...], _Row] = {}
    for commit in group.commits:
        happened = _microseconds(commit.column(group.event_time)) if group.event_time else [0] * len(commit)
        known = _microseconds(commit.column(group.available_at)) if group.available_at else [0] * len(commit)
        for row, event, available in zip(commit.to_pylist(), happened, known, strict=True):
            identity = (*(row[key] for key in group.primary_key), event, available)
            current.pop(identity, None)
            current[identity] = {**row, "\0event": event, "\0available": available}
    return list(current.values())


def _match(group: GroupData, rows: list[_Row], time: int | None) -> _Row | None:
    best = None
    for row in rows:
        if not _visible(group, row, time):
            continue
        if best is None or (row["\0event"], row["\0available"]) >= (best["\0event"], best["\0available"]):
            best = row
    return best


def _visible(group: GroupData, row: _Row, time: int | None) -> bool:
    if group.event_time is None:
        return True
    event, available = row["\0event"], row["\0available"]
    if time is None or event is None or available is None:
        return False
    if event > time or (group.available_at is not None and available > time):
        return False
    return group.max_age is None or time - event <= group.max_age // timedelta(microseconds=1)


def _microseconds(times: pa.ChunkedArray) -> list[int | None]:
    return times.cast(pa.timestamp("us", tz="UTC")).cast(pa.int64()).to_pylist()  # type: ignore[no-any-return]
