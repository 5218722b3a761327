"""Tracing: from a prediction's id to everything that made it.

Nothing is guessed: every step follows an id or a version that was recorded when it happened. What has been removed
since is named as missing, and the rest of the trace stands. `project.trace` calls this.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import and_
from typing import Any, Protocol

from groundswell.catalog import Catalog, Entry
from groundswell.errors import NotFoundError
from groundswell.expressions import Expression, col
from groundswell.features import FeatureGroup
from groundswell.features.transformations import transformation_from_dict
from groundswell.serving._ids import log_name, parse_id
from groundswell.serving._trace import CommitOf, Trace, UsedRow

__all__ = ["Records", "trace"]


class Records(Protocol):
    """Where everything was recorded: a project."""

    @property
    def catalog(self) -> Catalog:
        """Names, versions and lineage."""

    def get_feature_group(self, name: str, version: int | None = None) -> FeatureGroup:
        """The group with that name and version."""


def trace(prediction_id: str, records: Records) -> Trace:
    """Where a prediction comes from.

    Args:
        prediction_id: as the prediction has it.
        records: the project that it was made in.

    Raises:
        NotFoundError: the text is no prediction id, or no such prediction was recorded.
    """
    model, version = parse_id(prediction_id)
    logged = _logged(prediction_id, log_name(model, version), records)
    entry = records.catalog.get("model", model, version)
    upstream = {relation: found for relation, found, _ in records.catalog.upstream(entry)}
    view, commits = _data(upstream.get("trained_on"), records)
    inputs, keys = _with_prefix(logged, "x_"), _with_prefix(logged, "k_")
    sources = json.loads(logged["sources"])
    joins = {} if view is None else _joins(view, records)
    return Trace(
        prediction_id=prediction_id,
        model=model,
        version=version,
        at=logged["at"],
        predicted_at=logged["predicted_at"],
        inputs=inputs,
        keys=keys,
        outputs=_with_prefix(logged, "y_"),
        model_facts=_model_facts(entry),
        run=_run_facts(upstream.get("from")),
        training_data={
            **entry.body["data"],
            "view_version": None if view is None else view.version,
            "transformations": [] if view is None else _declared(view.body),
            "on_demand": [] if view is None else [each["name"] for each in view.body.get("on_demand", ())],
        },
        commits=commits,
        rows=tuple(_used(name, sources[name], joins.get(name), keys | inputs, records) for name in sources),
    )


def _data(entry: Entry | None, records: Records) -> tuple[Entry | None, tuple[CommitOf, ...]]:
    """The view that training data comes from, and the commits that it is pinned to."""
    if entry is None:
        return None, ()
    upstream = records.catalog.upstream(entry)
    view = next((found for relation, found, _ in upstream if relation == "of"), None)
    pinned = [(found, detail["version"]) for relation, found, detail in upstream if relation == "read"]
    return view, tuple(_commit(records, found.name, found.version, version) for found, version in pinned)


def _declared(body: Mapping[str, Any]) -> list[str]:
    """The transformations of a view, as the calls that declared them."""
    return [transformation_from_dict(each).code() for each in body.get("transformations", ())]


def _logged(prediction_id: str, log: str, records: Records) -> dict[str, Any]:
    unknown = NotFoundError(
        f"There is no prediction {prediction_id!r}.",
        why=f"It would be in the feature group {log!r}, and is not.",
        fix="Check that the id is whole, and that this is the project that the prediction was made in.",
        prediction_id=prediction_id,
    )
    try:
        group = records.get_feature_group(log)
    except NotFoundError:
        raise unknown from None
    found: list[dict[str, Any]] = group.read(where=col("prediction_id") == prediction_id).to_arrow().to_pylist()
    if not found:
        raise unknown
    return found[0]


def _with_prefix(row: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {name.removeprefix(prefix): value for name, value in row.items() if name.startswith(prefix)}


@dataclass(frozen=True)
class _Join:
    """What the view says of one join: which group, found how, giving what."""

    group: str
    group_version: int
    on: tuple[tuple[str, str], ...]


def _joins(view: Entry, records: Records) -> dict[str, _Join]:
    query = view.body["query"]
    joins = {
        join["name"]: _Join(join["group"], join["group_version"], tuple((left, right) for left, right in join["on"]))
        for join in query["joins"]
    }
    base = query["base"]
    if not view.body["labels"]:  # then the base group is looked up too, by its own key
        try:
            keys = records.get_feature_group(base["group"], base["group_version"]).primary_key
        except NotFoundError:
            return joins
        joins[base["group"]] = _Join(base["group"], base["group_version"], tuple((key, key) for key in keys))
    return joins


def _used(
    name: str, source: Mapping[str, Any] | None, join: _Join | None, known: Mapping[str, Any], records: Records
) -> UsedRow:
    key = {} if join is None else {right: known.get(left) for left, right in join.on}
    if source is None or join is None:
        return UsedRow(join=name, key=key, commit=None, event_time=None, available_at=None, values={})
    event_time, available_at = _moment(source["event_time"]), _moment(source["available_at"])
    version = source["commit"] if "shown_as" not in source else _taken_in(join, source["shown_as"], records)
    return UsedRow(
        join=name,
        key=key,
        commit=None if version is None else _commit(records, join.group, join.group_version, version),
        event_time=event_time,
        available_at=available_at,
        values={} if version is None else _row_at(join, key, event_time, available_at, version, records),
        shown_as=source.get("shown_as"),
    )


def _taken_in(join: _Join, shown_as: int, records: Records) -> int | None:
    """The commit that a row became part of which was in a stream's log when it was used."""
    try:
        return records.get_feature_group(join.group, join.group_version).commit_of(shown_as)
    except NotFoundError:
        return None


def _row_at(
    join: _Join,
    key: Mapping[str, Any],
    event_time: datetime | None,
    available_at: datetime | None,
    version: int,
    records: Records,
) -> Mapping[str, Any]:
    """The row with that identity as it was at a version; empty if it or its group is not there any more."""
    try:
        group = records.get_feature_group(join.group, join.group_version)
    except NotFoundError:
        return {}
    identity = dict(key)
    if group.event_time is not None:
        identity[group.event_time] = event_time
    if group.available_at is not None:
        identity[group.available_at] = available_at
    conditions: list[Expression] = [col(column) == value for column, value in identity.items()]
    found = group.read(where=reduce(and_, conditions), as_of=version).to_arrow().to_pylist()
    return found[0] if found else {}


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _commit(records: Records, name: str, group_version: int, version: int) -> CommitOf:
    try:
        group = records.get_feature_group(name, group_version)
    except NotFoundError:
        return CommitOf(group=name, group_version=group_version, version=version)
    group.snapshot(version)  # brings the index of its commits up to that version
    commit = records.catalog.commits.get(group.id, version)
    return CommitOf(
        group=name,
        group_version=group_version,
        version=version,
        committed_at=commit.committed_at,
        author=commit.author,
        kind=commit.kind,
        rows=commit.rows,
    )


def _model_facts(entry: Entry) -> dict[str, Any]:
    return {
        "type": entry.body["file"]["model_type"],
        "digest": entry.body["file"]["digest"],
        "metrics": entry.body["metrics"],
        "registered_at": entry.created_at,
        "registered_by": entry.created_by,
        "deleted": entry.state == "deleted",
    }


def _run_facts(entry: Entry | None) -> dict[str, Any]:
    if entry is None:
        return {}
    body = entry.body
    return {
        "id": entry.id,
        "name": entry.name,
        "params": body["params"],
        "seed": body["seed"],
        "metrics": body["metrics"],
        "started_at": body["started_at"],
        "duration_s": body["duration_s"],
        "started_by": entry.created_by,
        "code": body["code"],
        "environment": body["environment"],
        "reads": body["reads"],
    }
