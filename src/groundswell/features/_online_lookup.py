"""What a view's features are at a moment, looked up in the online store: all of its groups in one round trip.

The store holds of each key the newest row and those that wait for their time. Where that is not enough, the tables must
answer the whole request: for a moment before the newest row, for a `where` that the newest row does not fulfill, and
for a group that is not in the store as a whole.

A join whose key an earlier join puts out is looked up after that one, so a view takes as many round trips as its
longest chain of joins, which mostly is one.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from groundswell.features._join_lookup import join_lookups
from groundswell.features._online_copies import OnlineCopies
from groundswell.features._vector import Matches, Vector, Vectors
from groundswell.features._view_definition import ViewDefinition
from groundswell.features.transformations import complete, complete_row
from groundswell.online import Answer, OnlineRow, OnlineRows, OnlineTables
from groundswell.types import TIMESTAMP

__all__ = ["OnlineLookup"]

_ALWAYS = -(2**63)
"""What the online store says of a time that a row does not have."""


class OnlineLookup:
    """Answers requests to one view from the online store. Threads may share it.

    What each request needs is found out here, once for a view and its groups' schemas, so that a request does little
    more than read and unpack.

    Args:
        view: the features to look up.
        online: where the rows of its groups are.
    """

    def __init__(self, view: ViewDefinition, online: OnlineCopies) -> None:
        self._view, self._own, self._extra = view, view.own, tuple(view.extra.names)
        self._columns = pa.schema([pa.field(f.name, f.type) for f in view.columns])
        self._places = {name: i for i, name in enumerate(view.schema.names)}
        self._lookups = join_lookups(view, online)
        self._names = tuple(lookup.name for lookup in self._lookups)
        self._nulls = [(None,) * lookup.n_outputs for lookup in self._lookups]
        tables = [lookup.table for lookup in self._lookups]
        plain = bool(tables) and all(lookup.is_plain for lookup in self._lookups)
        self._tables = OnlineTables(tables) if plain else None
        depths = [lookup.depth for lookup in self._lookups]
        stages = [[i for i, d in enumerate(depths) if d == depth] for depth in sorted(set(depths))]
        self._stages = [(stage, OnlineTables([tables[i] for i in stage])) for stage in stages]

    def vector(self, given: Mapping[str, Any], at_us: int) -> Vector | None:  # Any: values of the request's types
        """The features of one request; None if the tables must answer.

        Args:
            given: the values of `request_schema`.
            at_us: the moment, in microseconds since 1970.

        Raises:
            ColumnNotFoundError: a key is missing.
            TypeMismatchError, DataError: a key is of another type than its column.
        """
        values = tuple([given[name] for name in self._own]) if self._own else ()
        rows = self._tables.get(given, at_us) if self._tables else self._by_stages(given, at_us)
        for row, nulls in zip(rows, self._nulls):  # noqa: B905  # of one length; this runs each microsecond
            if row is None:
                values += nulls
            elif type(row) is OnlineRow:
                values += row[1]  # its values: by place, which takes half as long as by name
            else:
                return None
        if self._view.on_demand:
            values = self._completed(values + tuple([given[name] for name in self._extra]))
        return Vector(self._places, values, self._names, rows, at_us=at_us)  # type: ignore[arg-type]  # none asks

    def vectors(self, requests: pa.Table, at_us: NDArray[np.int64]) -> tuple[Vectors, NDArray[np.bool_]]:
        """The features of many requests, and for which of them the tables must answer instead.

        Args:
            requests: the columns of `request_schema`, in its types; one row per request.
            at_us: the moment of each, in microseconds since 1970.
        """
        ask_table = np.zeros(len(requests), np.bool_)
        known: dict[str, pa.ChunkedArray] = {name: requests[name] for name in requests.column_names}
        found: dict[int, OnlineRows] = {}
        for stage, _ in self._stages:
            lookups = [self._lookups[i] for i in stage]
            addresses = [lookup.addresses(known) for lookup in lookups]
            rows = lookups[0].table.store.get_many([address for some in addresses for address in some])
            for n, (i, lookup) in enumerate(zip(stage, lookups, strict=True)):
                own = rows[n * len(requests) : (n + 1) * len(requests)]
                found[i] = lookup.table.answers(own, addresses[n], at_us)
                ask_table |= found[i].ask_table | lookup.hidden_behind_where(found[i])
                known |= {name: found[i].rows.column(place) for name, place in lookup.feeds}
        columns = [requests[name] for name in self._own]
        for i, lookup in enumerate(self._lookups):
            columns += found[i].rows.columns[: lookup.n_outputs]
        columns += [requests[name] for name in self._extra]
        matches = [_matches(name, found[i]) for i, name in enumerate(self._names)]
        table = pa.Table.from_arrays(columns, schema=self._columns)
        return Vectors(complete(self._view, table).select(list(self._places)), matches), ask_table

    def _completed(self, values: tuple[Any, ...]) -> tuple[Any, ...]:  # Any: values of the columns' types
        """The features of one request, those on demand among them."""
        row = complete_row(self._view, dict(zip(self._columns.names, values, strict=True)))
        return tuple([row[name] for name in self._places])

    def _by_stages(self, given: Mapping[str, Any], at_us: int) -> list[Answer]:  # Any: as for vector
        """The rows of one request, where joins depend on each other or on more columns than come out."""
        rows: list[Answer] = [None] * len(self._lookups)
        known = dict(given)
        for stage, tables in self._stages:
            for i, row in zip(stage, tables.get(known, at_us), strict=True):
                lookup = self._lookups[i]
                rows[i] = lookup.visible(row)
                values = row.values if isinstance(row, OnlineRow) else None
                known |= {name: None if values is None else values[place] for name, place in lookup.feeds}
        return rows


def _matches(name: str, found: OnlineRows) -> Matches:
    none = ~found.found
    return Matches(
        name,
        pa.array(found.versions, mask=none),
        _times(found.event_time_us, none),
        _times(found.available_at_us, none),
    )


def _times(us: NDArray[np.int64], none: NDArray[np.bool_]) -> pa.Array:
    """Times from microseconds; null where there is no row, or a row without such a time."""
    return pa.array(us, mask=none | (us == _ALWAYS)).view(TIMESTAMP)
