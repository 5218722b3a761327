"""What a view's features were at a moment, looked up in the tables of its groups: vectors, and explanations.

The tables keep all that ever was, so they answer for every moment and every key. It takes milliseconds; where the
newest rows are enough, the online store answers in microseconds.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from groundswell.engines import AsOfJoin, PointInTimeJoin, provenance_columns
from groundswell.features._entities import read_entities
from groundswell.features._explanation import Explanation, JoinExplanation, why_none
from groundswell.features._plan import Pins, plan_entities, plan_requests, read_plan
from groundswell.features._vector import Matches, Vectors
from groundswell.features._view_definition import ViewDefinition
from groundswell.features.transformations import complete
from groundswell.types import HIDDEN_PREFIX, TIMESTAMP, parse_instant

__all__ = ["AT", "TableLookup"]

AT = HIDDEN_PREFIX + "at"
"""The column of requests that holds their moments."""


class TableLookup:
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
        table, _ = read_entities([values | {AT: moment}], self._view.request_schema, AT, (), None)
        pins = Pins.now(self._view.query)
        plan = self._plan(pins, table)
        found = read_plan(self._view.query, plan, self._asked(plan))[0].read_all().to_pylist()[0]
        given = table.to_pylist()[0]
        joins = tuple(self._explain(asof, pins, found, given, moment) for asof in plan.joins)
        return Explanation(at=moment, joins=joins)

    def vectors(self, requests: pa.Table, at_us: NDArray[np.int64]) -> Vectors:
        """Features for requests, each as of its time, and the rows that they come from.

        Args:
            requests: the columns of `request_schema`, in its types; one row per request.
            at_us: the time of each request, in microseconds since 1970.
        """
        table = requests.append_column(pa.field(AT, TIMESTAMP), pa.array(at_us).cast(TIMESTAMP))
        plan = self._plan(Pins.now(self._view.query), table)
        found = read_plan(self._view.query, plan, self._asked(plan))[0].read_all().combine_chunks()
        matches = [Matches(asof.name, *(found[name] for name in provenance_columns(asof))) for asof in plan.joins]
        return Vectors(complete(self._view, found).select(self._view.schema.names), matches)

    def _plan(self, pins: Pins, table: pa.Table) -> PointInTimeJoin:
        make = plan_requests if self._view.labels else plan_entities
        own = [f.name for f in self._view.columns if f.name in table.column_names]
        return make(self._view.query, pins, table, AT, own, provenance=True)

    def _asked(self, plan: PointInTimeJoin) -> list[str]:
        return [*self._view.columns.names, *(name for asof in plan.joins for name in provenance_columns(asof))]

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
