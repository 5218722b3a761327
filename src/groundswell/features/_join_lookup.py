"""How one join of a view is looked up in the online store, prepared once for all requests."""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from groundswell.features._online_copies import OnlineCopies
from groundswell.features._selection import Join
from groundswell.features._view_definition import ViewDefinition
from groundswell.online import Answer, AskTable, OnlineRow, OnlineRows, OnlineTable
from groundswell.types import HIDDEN_PREFIX, Schema

__all__ = ["JoinLookup", "join_lookups"]

_ROW = f"{HIDDEN_PREFIX}row"
_ELSEWHERE = AskTable(2**63 - 1)


class JoinLookup:
    """The newest row of one joined group for the keys of a request.

    Args:
        join: the join.
        online: where the group's rows are.
        keys: under which names requests, and what is known from earlier joins, hold its keys.
        depth: how many joins come before it, each of which needs the one before.
        feeds: columns of its group that later joins look up by, and the name under which these look for each.

    Attributes:
        name: the join's.
        table: reads the columns that come out, then those that are needed otherwise.
        n_outputs: how many come out.
        feeds: those names, each with the column's place in `table`.
        is_plain: whether every row found is as it comes out, and no other join needs it.
    """

    def __init__(
        self,
        join: Join,
        online: OnlineCopies,
        *,
        keys: Sequence[str],
        depth: int,
        feeds: Mapping[str, str],
    ) -> None:
        right, schema = join.right, join.right.group.schema
        self.name, self.depth, self.n_outputs = join.name, depth, len(right.columns)
        asked = set() if right.where is None else right.where.columns()
        columns = list(dict.fromkeys([*right.columns, *feeds, *sorted(asked)]))
        self.feeds = tuple((name, columns.index(column)) for column, name in feeds.items())
        self.is_plain = len(columns) == self.n_outputs and right.where is None and not feeds
        self._condition = None if right.where is None else right.where.bind(schema).to_arrow()
        self._types = pa.schema([pa.field(name, schema[name].type) for name in columns])
        self._keys = [(name, schema[key].type) for name, (_, key) in zip(keys, join.on, strict=True)]
        of_key = dict(zip((key for _, key in join.on), keys, strict=True))
        self.table = OnlineTable(
            online.store,
            right.group.id,
            right.group.definition,
            clock=online.clock,
            columns=columns,
            names=[of_key[key] for key in right.group.definition.primary_key],
            max_age=join.max_age,
        )

    def addresses(self, known: Mapping[str, pa.ChunkedArray]) -> list[bytes]:
        """Where the rows of many requests are.

        Raises:
            pyarrow.ArrowInvalid: a number is too large for the key.
        """
        columns = {}
        for name, kind in self._keys:
            column = known[name]
            columns[name] = column if column.type == kind else column.cast(kind)
        return self.table.addresses(pa.table(columns))

    def visible(self, answer: Answer) -> Answer:
        """What comes out of a row; the word that the table must be asked, if it does not fulfill `where`."""
        if not isinstance(answer, OnlineRow) or self.is_plain:
            return answer
        if self._condition is not None:
            row = pa.Table.from_pylist([dict(zip(self._types.names, answer.values, strict=True))], self._types)
            if not row.filter(self._condition).num_rows:
                return _ELSEWHERE
        return answer._replace(values=answer.values[: self.n_outputs])

    def hidden_behind_where(self, found: OnlineRows) -> NDArray[np.bool_]:
        """For which requests the row found does not fulfill `where`, so that an older one may be what they see."""
        hidden = found.found.copy() if self._condition is not None else np.zeros(len(found.found), np.bool_)
        if self._condition is not None:
            numbered = found.rows.append_column(_ROW, pa.array(range(len(hidden)), pa.int64()))
            hidden[numbered.filter(self._condition)[_ROW].to_numpy()] = False
        return hidden


def join_lookups(view: ViewDefinition, online: OnlineCopies) -> list[JoinLookup]:
    """The joins of a view in their order; without labels, its base group is looked up by its key as the first."""
    query, request = view.query, view.request_schema
    joins = query.joins if view.labels else (query.base_join, *query.joins)
    base = None if view.labels else query.base.group.schema
    sources = [[_source(left, joins, request, base) for left, _ in join.on] for join in joins]
    feeds: list[dict[str, str]] = [{} for _ in joins]
    depths: list[int] = []
    keys: list[list[str]] = []
    for join, own in zip(joins, sources, strict=True):
        depths.append(max((depths[place] + 1 for place, _ in own if place is not None), default=0))
        keys.append([])
        for (left, _), (place, column) in zip(join.on, own, strict=True):
            name = left if place is None else f"{HIDDEN_PREFIX}{place}.{column}"
            keys[-1].append(name)
            if place is not None:
                feeds[place][column] = name
    return [JoinLookup(join, online, keys=keys[i], depth=depths[i], feeds=feeds[i]) for i, join in enumerate(joins)]


def _source(name: str, joins: Sequence[Join], request: Schema, base: Schema | None) -> tuple[int | None, str]:
    """Where a key column on the left comes from: the place of an earlier join and its column, or a request (None)."""
    if name in request:
        return None, name
    if base is not None and name in base:
        return 0, name
    return next(
        (i, column)
        for i, join in enumerate(joins)
        for column, output in zip(join.right.columns, join.outputs, strict=True)
        if output == name
    )
