"""Windows over a feature group: what is aggregated, for which keys, how often, and the rows that come of it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice

import pyarrow as pa

from groundswell.engines import Windowed, WindowMeasure
from groundswell.errors import ColumnNotFoundError, DataError, SchemaError, choices
from groundswell.features._data import Data
from groundswell.features._group import FeatureGroup
from groundswell.features._reads import Read, record
from groundswell.features.windows._aggregation import Aggregation
from groundswell.features.windows._pipeline import WindowPipeline
from groundswell.features.windows._spans import Calendar, GridPoint, Span, parse_span
from groundswell.tables import Snapshot
from groundswell.types import TIMESTAMP, Field, Schema

__all__ = ["Windows", "windows"]

_MOST_POINTS = 100_000
"""Ends of windows that one row may fall into; each of them is a row of the result."""

_POINTS_AT_ONCE = 2_048
"""Ends of windows computed by one query, which bounds what it holds in memory."""


def windows(
    group: FeatureGroup,
    *,
    key: str | Sequence[str],
    aggregations: Mapping[str, Aggregation],
    every: str,
    time_zone: str = "UTC",
    event_time: str = "window_end",
    available_at: str = "known_at",
    known_every: str | None = None,
) -> "Windows":
    """Aggregations of a group's rows over windows of time, for each key.

    The window that ends at t holds the rows from t − over (included) to t (not included) by event time. Windows that
    are as long as `every` tumble, longer ones overlap. For each window there is a row for t itself and one for each
    later moment at which a row of it, or a correction, became known; its values are of what was known at that moment.

    Args:
        group: the rows; it has event times.
        key: the column or columns whose values have windows of their own; rows without a value are left out.
        aggregations: the values by name, such as `{"n_7d": gs.count(over="7d")}`.
        every: the distance of the windows' ends, such as "15min", "1h", "1d", "1w" or "1mo". Hours and less are counted
            from 1970 in UTC; days end at midnight, weeks on Monday, months on the first, on the clocks of the zone.
        time_zone: the IANA zone whose days, weeks and months are meant.
        event_time: what the column with the ends of windows is called.
        available_at: what the column with the moments of knowledge is called; there is none if the group has none.
        known_every: round the moments of knowledge up to multiples of this, such as "15min" (s, min or h, counted from
            1970 in UTC): fewer rows, each known a little later than it could be. None keeps every moment.

    Raises:
        SchemaError: the group has no event time, or two columns would have one name.
        ColumnNotFoundError, TypeMismatchError: a column is not there, or has a type that cannot be aggregated so.
        DataError: a length of time or the zone cannot be read, or a row would fall into more than 100,000 windows.
    """
    _check_aggregations(aggregations)
    if group.event_time is None:
        raise SchemaError(
            f"Group {group.name!r} has no event time, so its rows are in no window.",
            fix="Create it with event_time=….",
            name=group.name,
        )
    keys = (key,) if isinstance(key, str) else tuple(key)
    for name in keys:
        if name not in group.schema:
            raise ColumnNotFoundError(
                f"Group {group.name!r} has no column {name!r}.", fix=choices(name, group.schema.names, "columns"),
                column=name,
            )  # fmt: skip
    step = parse_span(every, "every")
    _check_number(step, aggregations)
    times = (event_time,) if group.available_at is None else (event_time, available_at)
    values = [Field(name, aggregation.result(group.schema, name)) for name, aggregation in aggregations.items()]
    moments = [Field(name, TIMESTAMP, nullable=False) for name in times]
    schema = Schema((*(group.schema[name] for name in keys), *moments, *values))
    return Windows(
        source=group,
        key=keys,
        aggregations=dict(aggregations),
        every=step,
        time_zone=time_zone,
        schema=schema,
        calendar=Calendar(time_zone),
        known_every_us=_rounding(known_every),
    )


@dataclass(frozen=True, kw_only=True, repr=False)
class Windows:
    """Aggregations over windows; `gs.windows` makes them.

    Args:
        source: the group whose rows are aggregated.
        key: the columns whose values have windows of their own.
        aggregations: the values by name.
        every: the distance of the windows' ends.
        time_zone: the zone whose days, weeks and months are meant.
        schema: the columns of the result: the key, the end of the window, the moment of knowledge if the source has
            one, the values.
        calendar: of the zone.
        known_every_us: the moments of knowledge are multiples of so many microseconds.
    """

    source: FeatureGroup
    key: tuple[str, ...]
    aggregations: Mapping[str, Aggregation]
    every: Span
    time_zone: str
    schema: Schema
    calendar: Calendar
    known_every_us: int

    @property
    def times(self) -> tuple[str, str | None]:
        """The columns with the end of the window and with the moment of knowledge, or None."""
        names = self.schema.names[len(self.key) : len(self.schema) - len(self.aggregations)]
        return names[0], names[1] if len(names) > 1 else None

    @property
    def digest(self) -> str:
        """What tells these aggregations from others."""
        told = {
            "key": self.key,
            "aggregations": {name: str(a) for name, a in self.aggregations.items()},
            "every": str(self.every),
            "time_zone": self.time_zone,
            "known_every_us": self.known_every_us,
        }
        return blake2b(json.dumps(told, sort_keys=True).encode(), digest_size=16).hexdigest()

    def read(self) -> Data:
        """The result over the group's current rows, which are pinned now; computed as it is read."""
        snapshot = self.source.snapshot()
        record(Read("feature_group", self.source.id, self.source.name, snapshot.version))
        return Data(
            self.schema,
            lambda: self.rows(snapshot, None, None),
            lambda: sum(batch.num_rows for batch in self.rows(snapshot, None, None)),
        )

    def into(self, target: FeatureGroup) -> WindowPipeline:
        """A pipeline that brings the result into a group, and reads only what is new each time it runs.

        Args:
            target: a group whose primary key is the key of the windows, whose event time is the end of the window, and
                whose availability is the moment of knowledge, if the source has one.

        Raises:
            SchemaError: the group has other keys or times.
        """
        wanted = (frozenset(self.key), *self.times)
        if (frozenset(target.primary_key), target.event_time, target.available_at) != wanted:
            end, known = self.times
            raise SchemaError(
                f"Group {target.name!r} has primary_key={list(target.primary_key)}, event_time={target.event_time!r}, "
                f"available_at={target.available_at!r}.",
                why="Each window is a row, and what is known of it is known from a moment on.",
                fix=f"Create it with primary_key={list(self.key)}, event_time={end!r}, available_at={known!r}.",
                name=target.name,
            )
        return WindowPipeline(self, target)

    def rows(self, snapshot: Snapshot, before: Snapshot | None, written: Snapshot | None) -> pa.RecordBatchReader:
        """The result over a version of the source, as a stream in the order of windows.

        Args:
            snapshot: the version.
            before: an earlier one: only windows that differ are computed; None computes all.
            written: the target's, whose moments of knowledge are computed again in those windows; None has none.
        """
        plan = self._plan(snapshot, before, written)
        return pa.RecordBatchReader.from_batches(plan.schema, self._batches(plan))

    def _batches(self, plan: Windowed) -> Iterator[pa.RecordBatch]:
        engine = self.source.engine
        bounds = engine.window_bounds(plan)
        if bounds is None:
            return
        points = self.calendar.grid(*bounds, self.every, self._lengths)
        while chunk := list(islice(points, _POINTS_AT_ONCE)):
            yield from engine.windows(plan, self._grid(chunk))

    @property
    def _lengths(self) -> tuple[Span, ...]:
        return tuple(dict.fromkeys(aggregation.over for aggregation in self.aggregations.values()))

    def _grid(self, points: Sequence[GridPoint]) -> pa.Table:
        starts = {f"s{i}": [point.starts[i] for point in points] for i in range(len(self._lengths))}
        columns = {"t": [p.end for p in points], "closing": [p.closing for p in points], **starts}
        return pa.table({name: pa.array(values, pa.int64()) for name, values in columns.items()})

    def _plan(self, snapshot: Snapshot, before: Snapshot | None, written: Snapshot | None) -> Windowed:
        lengths = self._lengths
        measures = (WindowMeasure(a.kind, a.column, lengths.index(a.over)) for a in self.aggregations.values())
        return Windowed(
            snapshot=snapshot,
            before=before,
            written=written,
            key=self.key,
            measures=tuple(measures),
            schema=self.schema.to_arrow(),
            known_every_us=self.known_every_us if self.source.available_at else 1,
        )

    def __repr__(self) -> str:
        values = "".join(f"\n  {name}: {aggregation}" for name, aggregation in self.aggregations.items())
        zone = "" if self.time_zone == "UTC" else f" in {self.time_zone}"
        return f"Windows of {self.source.name!r} by {', '.join(self.key)}, every {self.every}{zone}:{values}"


def _rounding(known_every: str | None) -> int:
    if known_every is None:
        return 1
    step = parse_span(known_every, "known_every").fixed_us
    if step is None:
        raise DataError(
            f"known_every={known_every!r} is a length of the calendar.",
            why="Moments of knowledge are rounded to a fixed length.",
            fix="Give seconds, minutes or hours, such as '15min' or '24h'.",
            value=known_every,
        )
    return step


def _check_aggregations(aggregations: object) -> None:
    if not isinstance(aggregations, Mapping) or not aggregations:
        raise DataError(
            f"{aggregations!r:.100} names no aggregations.",
            fix="Give them by name, such as aggregations={'n_7d': gs.count(over='7d')}.",
        )
    for name, aggregation in aggregations.items():
        if not isinstance(aggregation, Aggregation):
            raise DataError(
                f"{aggregation!r:.100} ({name!r}) is no aggregation.",
                fix="Write one such as gs.mean('delay', over='24h').",
                name=name,
            )


def _check_number(every: Span, aggregations: Mapping[str, Aggregation]) -> None:
    longest = max((a.over for a in aggregations.values()), key=lambda span: span.about_us)
    number = longest.about_us // every.about_us
    if number > _MOST_POINTS:
        raise DataError(
            f"A row would fall into {number:,} windows of {longest} that end every {every}.",
            why=f"Each of them is a row of the result; at most {_MOST_POINTS:,} are allowed.",
            fix="Let windows end less often, or make them shorter.",
            number=number,
        )
