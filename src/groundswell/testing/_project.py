"""The records of a conformance suite through a project's front door: groups are inserted, labels joined in every way.

Holds a project, with whatever engine it was opened, to the rules: `write_groups` and `join_groups` together are an
adapter for `PointInTimeConformance`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pyarrow as pa

from groundswell.expressions import Expression, col
from groundswell.testing._records import Condition, GroupData
from groundswell.testing._suite import comparable
from groundswell.types import Schema

if TYPE_CHECKING:
    from groundswell.features import FeatureGroup, Query
    from groundswell.project import Project

__all__ = ["join_groups", "write_groups"]

_COMPARE: Mapping[str, Callable[[Any, Any], Expression]] = {  # Any: expressions and constants of any type
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_ROW = "row of the conformance suite"


def write_groups(project: Project, groups: Sequence[GroupData]) -> dict[str, FeatureGroup]:
    """Make each group, under a name that is new in the project, and insert its commits in order.

    Returns:
        The groups by the names of the records.
    """
    written: dict[str, FeatureGroup] = {}
    for group in groups:
        if group.name not in written:
            written[group.name] = made = project.create_feature_group(
                f"{group.name}_{uuid4().hex}",
                primary_key=list(group.primary_key),
                event_time=group.event_time,
                available_at=group.available_at,
                schema=Schema.from_arrow(group.schema),
            )
            for commit in group.commits:
                made.insert(commit)
    return written


def join_groups(
    project: Project,
    written: Mapping[str, FeatureGroup],
    groups: Sequence[GroupData],
    labels: pa.Table,
    event_time: str,
) -> pa.Table:
    """Join the written groups to the labels, brought in all ways that there are, which must agree.

    The labels come from outside to a view with labels; into a group, if none lacks its time; and from outside to a view
    without labels, if their keys are those of the first group and nothing else is asked of it than its columns.

    Raises:
        AssertionError: a label row is lost, moved or there twice, or two ways give different answers.
    """
    spine = _spine_of(project, groups, labels, event_time)
    numbered = labels.append_column(_ROW, pa.array(range(len(labels)), pa.int64()))
    query = _joined(spine.select(*(name for name in numbered.column_names if name != event_time)), written, groups)
    view = project.create_feature_view(f"view_{uuid4().hex}", query, labels=[_ROW])
    answers = [view.join_to(numbered, event_time=event_time).to_arrow()]
    if not labels.column(event_time).null_count:
        spine.insert(numbered)
        answers.append(query.read().to_arrow())
    first, *others = groups
    if {key for group in groups for key in group.label_keys} <= set(first.primary_key) and _is_plain(first):
        bare = _joined(_selected(written[first.name], first), written, others)
        view = project.create_feature_view(f"view_{uuid4().hex}", bare, labels=[])
        own = [name for name in numbered.column_names if name not in (event_time, *first.primary_key)]
        answers.append(view.join_to(numbered, event_time=event_time, labels=own).to_arrow())
    result, *repeats = [_result(answer, groups, labels, event_time) for answer in answers]
    for other in repeats:
        same = comparable(result.to_pydict()) == comparable(other.to_pydict())
        assert same, f"Two ways to bring labels give\n{result}\nand\n{other}"
    return result


def _spine_of(project: Project, groups: Sequence[GroupData], labels: pa.Table, event_time: str) -> FeatureGroup:
    """An empty group with the labels' columns; a key has the type that it has in the group that is joined by it."""
    types = {name: labels.schema.field(name).type for name in labels.column_names}
    for group in groups:
        for label_key, key in zip(group.label_keys, group.primary_key, strict=True):
            types[label_key] = group.schema.field(key).type
    return project.create_feature_group(
        f"labels_{uuid4().hex}",
        primary_key=[_ROW],
        event_time=event_time,
        schema=Schema.of({**types, _ROW: pa.int64()}),
    )


def _joined(query: Query, written: Mapping[str, FeatureGroup], groups: Sequence[GroupData]) -> Query:
    for group in groups:
        on = dict(zip(group.label_keys, group.primary_key, strict=True))
        selected = _selected(written[group.name], group)
        query = query.join(selected, on=on, prefix=group.prefix, max_age=group.max_age)
    return query


def _selected(written: FeatureGroup, group: GroupData) -> Query:
    query = written.select(*group.columns)
    return query if group.where is None else query.where(_expression(group.where))


def _expression(condition: Condition) -> Expression:
    return _COMPARE[condition.operator](col(condition.column), condition.value)


def _is_plain(group: GroupData) -> bool:
    chosen_identity = {*group.primary_key, group.event_time} & set(group.columns)
    return not group.prefix and group.max_age is None and group.on is None and not chosen_identity


def _result(answer: pa.Table, groups: Sequence[GroupData], labels: pa.Table, event_time: str) -> pa.Table:
    """The labels' columns, those that the answer leaves out as they went in, and the features."""
    assert answer[_ROW].to_pylist() == list(range(len(labels))), "Label rows are lost, moved or there twice."
    columns = {name: answer[name] if name in answer.column_names else labels[name] for name in labels.column_names}
    columns[event_time] = labels[event_time]
    columns |= {(name := group.prefix + column): answer[name] for group in groups for column in group.columns}
    return pa.table(columns)
