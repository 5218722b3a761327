"""What a view's features were at a moment, for rows from outside: vectors for serving, and explanations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pyarrow as pa

from groundswell.engines import AsOfJoin, PointInTimeJoin, provenance_columns
from groundswell.features._entities import read_entities
from groundswell.features._explanation import Explanation, JoinExplanation, why_none
from groundswell.features._plan import Pins, plan_entities, plan_requests, read_plan
from groundswell.features._view_definition import ViewDefinition
from groundswell.types import HIDDEN_PREFIX, TIMESTAMP, parse_instant

__all__ = ["Lookup", "Source", "Vectors"]

_AT = HIDDEN_PREFIX + "at"


@dataclass(frozen=True)
class Source:
    """The row of a joined group that gave its features: its commit, and its times if the group has them."""

    commit: int
    event_time: datetime | None
    available_at: datetime | None


@dataclass(frozen=True)
class Vectors:
    """Features for some requests, and where the joined ones come from.

    Args:
        features: one row per request, in the order of the view's schema.
        sources: per request, each joined group's name to the row that matched, or None.
    """

    features: pa.Table
    sources: list[dict[str, Source | None]]


class Lookup:
    """Answers requests from the groups' tables, each as of its own time.

    Args:
        view: the features to look up.
    """

    def __init__(self, view: ViewDefinition) -> None:
        self._view = view

    def explain(self, row: Mapping[str, Any], *, at: str | date | datetime | None = None) -> Explanation:
        """Which row of each joined group a row would see at a time, or why none.

        Args:
            row: the values of `request_schema`, and the event time under the base group's name or as "at".
            at: the time; default: that of the row.

        Raises:
            ColumnNotFoundError: a value is missing.
            TypeMismatchError, DataError: a value cannot be taken as the group's type.
        """
        time = self._view.query.base.group.event_time
        when = at if at is not None else row.get("at", row.get(time) if time else None)
        values = {f.name: row[f.name] for f in self._view.request_schema if f.name in row}
        moment = None if when is None else parse_instant(when, "the time")
        table, _ = read_entities([values | {_AT: moment}], self._view.request_schema, _AT, (), None)
        pins = Pins.now(self._view.query)
        plan = self._plan_requests(pins, table)
        found = read_plan(self._view.query, plan, self._asked(plan))[0].read_all().to_pylist()[0]
        given = table.to_pylist()[0]
        joins = tuple(self._explain(asof, pins, found, given, moment) for asof in plan.joins)
        return Explanation(at=moment, joins=joins)

    def vectors(self, requests: pa.Table, at: Sequence[datetime]) -> Vectors:
        """Features for requests, each as of its time, and the rows that they come from.

        Args:
            requests: the columns of `request_schema`, in its types; one row per request.
            at: the time of each request.

        Raises:
            ColumnNotFoundError: a column is missing.
        """
        time = pa.array(at, TIMESTAMP)
        table = requests.select(self._view.request_schema.names).append_column(pa.field(_AT, TIMESTAMP), time)
        plan = self._plan_requests(Pins.now(self._view.query), table)
        found = read_plan(self._view.query, plan, self._asked(plan))[0].read_all()
        sources: list[dict[str, Source | None]] = [{} for _ in range(found.num_rows)]
        for asof in plan.joins:
            columns = (found[name].to_pylist() for name in provenance_columns(asof))
            for source, (commit, event_time, available_at) in zip(sources, zip(*columns, strict=True), strict=True):
                source[asof.name] = None if commit is None else Source(commit, event_time, available_at)
        return Vectors(found.select(self._view.schema.names), sources)

    def _plan_requests(self, pins: Pins, table: pa.Table) -> PointInTimeJoin:
        make = plan_requests if self._view.labels else plan_entities
        own = [f.name for f in self._view.schema if f.name in table.column_names]
        return make(self._view.query, pins, table, _AT, own, provenance=True)

    def _asked(self, plan: PointInTimeJoin) -> list[str]:
        return [*self._view.schema.names, *(name for asof in plan.joins for name in provenance_columns(asof))]

    def _explain(
        self, asof: AsOfJoin, pins: Pins, found: Mapping[str, Any], given: Mapping[str, Any], at: datetime | None
    ) -> JoinExplanation:
        version, event_time, available_at = (found[name] for name in provenance_columns(asof))
        keys = {key: {**found, **given}.get(left) for left, key in asof.on}
        joins = {join.name: join for join in (self._view.query.base_join, *self._view.query.joins)}
        return JoinExplanation(
            name=asof.name,
            keys=keys,
            commit=version,
            event_time=event_time,
            available_at=available_at,
            age=at - event_time if at is not None and event_time is not None else None,
            values={} if version is None else {o: found[o] for o in asof.outputs if o in found},
            reason=why_none(joins[asof.name], pins, keys, at) if version is None else "",
            point_in_time=asof.scan.snapshot.definition.event_time is not None,
        )
