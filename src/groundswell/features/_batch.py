"""The features of a view for the rows of a span of time: what batch inference predicts from."""

from datetime import date, datetime

import pyarrow as pa

from groundswell.errors import DataError, SchemaError
from groundswell.expressions import Expression, col
from groundswell.features._data import Data
from groundswell.features._plan import Pins, plan_rows, read_plan, scan_base
from groundswell.features._view_definition import ViewDefinition
from groundswell.features.transformations import complete_stream
from groundswell.types import Schema, parse_instant

__all__ = ["batch"]


def batch(
    view: ViewDefinition, start: str | date | datetime | None, end: str | date | datetime | None, *, keys: bool
) -> Data:
    """The features of the base group's rows with start <= event time < end, each as of its own time.

    The groups' newest versions are pinned now, so that the rows are the same whenever they are read.

    Args:
        view: the features.
        start, end: the span of event times; None is open.
        keys: whether the base group's key and times come first.

    Raises:
        DataError: a time cannot be read, the base group has no event time to compare with, or an on-demand feature
            needs what only requests bring.
        SchemaError: a key has the name of a joined feature.
    """
    query, pins = view.query, Pins.now(view.query)
    span = _span(view, start, end)
    identity = query.base.group.definition.identity if keys else ()
    for name in identity:
        if name in view.schema and name not in query.base.columns:
            raise SchemaError(
                f"The key {name!r} has the name of a joined feature.",
                fix="Give the join a prefix, or ask without keys.",
                column=name,
            )
    for field in view.extra:
        if field.name not in query.base.group.schema:
            raise DataError(
                f"On-demand features of view {view.name!r} need {field.name!r}, which no group has.",
                why="Only a request brings it, and the rows of a group are no requests.",
                fix="Bring rows that have it: view.join_to(rows), or ask for view.vectors(requests).",
                column=field.name,
            )
    extra = [name for name in identity if name not in view.schema]
    schema = Schema((*(query.base.group.schema[name] for name in extra), *view.schema))

    def read() -> pa.RecordBatchReader:
        needed = list(dict.fromkeys([*extra, *view.extra.names]))
        plan = plan_rows(query, pins, where=span, extra=needed, report=False)
        return complete_stream(view, read_plan(query, plan, [*needed, *view.found.names])[0], schema.to_arrow())

    return Data(schema, read, lambda: query.base.group.engine.count(scan_base(query, pins, span)))


def _span(
    view: ViewDefinition, start: str | date | datetime | None, end: str | date | datetime | None
) -> Expression | None:
    time = view.query.base.group.event_time
    if start is None and end is None:
        return None
    if time is None:
        raise DataError(
            f"Group {view.query.base.group.name!r} has no event time, so no span of it can be read.",
            fix="Ask for all rows: view.batch().",
        )
    first = None if start is None else col(time) >= parse_instant(start, "start")
    before = None if end is None else col(time) < parse_instant(end, "end")
    if first is None or before is None:
        return before if first is None else first
    return first & before
