"""Features of requests: of one as a mapping, of many as columns, both with the rows that they come from."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import DTypeLike, NDArray

from groundswell.features._frames import to_features, to_pandas
from groundswell.online import is_provisional

__all__ = ["MatchedRow", "Matches", "Source", "Vector", "Vectors"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class MatchedRow(Protocol):
    """The row of a joined group that a request sees."""

    @property
    def version(self) -> int:
        """The commit that wrote it, or a provisional version."""

    @property
    def event_time(self) -> datetime | None:
        """When it happened; None in a group without event time."""

    @property
    def available_at(self) -> datetime | None:
        """When it became known; None in a group without availability."""


@dataclass(frozen=True)
class Source:
    """The row of a joined group that gave its features: where it comes from, and its times if the group has them.

    Args:
        commit: the commit that wrote it; None if a stream had it in its log and in no commit yet.
        event_time, available_at: its times.
        shown_as: the provisional version under which the online store showed a row that is in no commit; the group's
            `commit_of` tells later which commit took it in.
    """

    commit: int | None
    event_time: datetime | None
    available_at: datetime | None
    shown_as: int | None = None

    @staticmethod
    def of(version: int, event_time: datetime | None, available_at: datetime | None) -> "Source":
        """The row that has this version in the online store, or in a table."""
        if is_provisional(version):
            return Source(None, event_time, available_at, version)
        return Source(version, event_time, available_at)


class Vector(Mapping[str, Any]):  # Any: features have the types of their columns
    """The features of one request by name, in the order of the view's schema; `numpy.asarray` makes an array of them.

    >>> Vector({"temp": 0, "wind": 1}, (3.5, None), at_us=0)
    Vector({'temp': 3.5, 'wind': None}, at 1970-01-01T00:00:00+00:00)
    """

    __slots__ = ("_at_us", "_joins", "_places", "_rows", "_values")

    def __init__(
        self,
        places: Mapping[str, int],
        values: tuple[Any, ...],  # Any: as above
        joins: Sequence[str] = (),
        rows: Sequence[MatchedRow | Source | None] = (),
        *,
        at_us: int,
    ) -> None:
        self._places, self._values, self._joins, self._rows, self._at_us = places, values, joins, rows, at_us

    @property
    def at(self) -> datetime:
        """The moment that it is for."""
        return _EPOCH + timedelta(microseconds=self._at_us)

    @property
    def sources(self) -> dict[str, Source | None]:
        """Each joined group's name to the row that matched, or None."""
        return {name: _source(row) for name, row in zip(self._joins, self._rows, strict=True)}

    def __getitem__(self, name: str) -> Any:  # Any: as above
        return self._values[self._places[name]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._values)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:  # Any: as asked
        """The values in order; of numbers with gaps, nulls are NaN."""
        if dtype is None and not all(value is None or isinstance(value, int | float) for value in self._values):
            dtype = object
        return np.array(self._values, np.float64 if dtype is None and None in self._values else dtype)

    def __repr__(self) -> str:
        return f"Vector({dict(self)}, at {self.at.isoformat()})"


@dataclass(frozen=True)
class Matches:
    """Which rows of one joined group matched many requests.

    Args:
        join: the group's name.
        commits: of each row, the commit that wrote it or a provisional version; null where none matched. Columns of
            one length.
        event_time, available_at: its times.
    """

    join: str
    commits: pa.Array | pa.ChunkedArray
    event_time: pa.Array | pa.ChunkedArray
    available_at: pa.Array | pa.ChunkedArray

    @property
    def columns(self) -> list[pa.Array | pa.ChunkedArray]:
        """Commits, event times, availabilities."""
        return [self.commits, self.event_time, self.available_at]

    def sources(self) -> Iterator[Source | None]:
        """The rows, one for each request."""
        columns = (column.to_pylist() for column in self.columns)
        for commit, event_time, available_at in zip(*columns, strict=True):
            yield None if commit is None else Source.of(commit, event_time, available_at)


@dataclass(frozen=True, repr=False)
class Vectors:
    """Features for some requests, and where the joined ones come from. Whatever takes an Arrow stream takes the
    features as they are, such as `polars.DataFrame(vectors)`.

    Args:
        features: one row per request, in the order of the view's schema.
        matches: for each join, the rows that matched.
    """

    features: pa.Table
    matches: Sequence[Matches]

    @cached_property
    def sources(self) -> list[dict[str, Source | None]]:
        """Per request, each joined group's name to the row that matched, or None."""
        names = [matches.join for matches in self.matches]
        columns = [matches.sources() for matches in self.matches]
        rows = zip(*columns, strict=True) if columns else ((),) * self.features.num_rows
        return [dict(zip(names, row, strict=True)) for row in rows]

    def replaced(self, places: NDArray[np.int64], others: "Vectors") -> "Vectors":
        """The same with other vectors at some places."""
        order = np.arange(len(self))
        order[places] = len(self) + np.arange(len(places))
        indices = pa.array(order)
        tables = [self.features, others.features]  # a column widened since the view was opened is so in the others
        features = pa.concat_tables(tables, promote_options="permissive").take(indices)
        matches = [
            Matches(own.join, *(_joined(*pair).take(indices) for pair in zip(own.columns, other.columns, strict=True)))
            for own, other in zip(self.matches, others.matches, strict=True)
        ]
        return Vectors(features, matches)

    def first(self, places: Mapping[str, int], at_us: int) -> Vector:
        """The first of them; arguments as for `Vector`."""
        values = tuple(column[0].as_py() for column in self.features.columns)
        sources = self.sources[0]
        return Vector(places, values, tuple(sources), tuple(sources.values()), at_us=at_us)

    def to_features(self) -> pd.DataFrame:
        """The features as a pandas frame that scikit-learn takes, as `X` of training data is before transformations."""
        return to_features(self.features)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.features.__arrow_c_stream__(requested_schema)

    def __len__(self) -> int:
        return int(self.features.num_rows)

    def __repr__(self) -> str:
        return f"Vectors of {len(self):,} requests\n{to_pandas(self.features.slice(0, 5))}"

    def _repr_html_(self) -> str:
        return f"<p>Vectors of {len(self):,} requests</p>{to_pandas(self.features.slice(0, 5)).to_html()}"


def _source(row: MatchedRow | Source | None) -> Source | None:
    if row is None or isinstance(row, Source):
        return row
    return Source.of(row.version, row.event_time, row.available_at)


def _joined(first: pa.Array | pa.ChunkedArray, second: pa.Array | pa.ChunkedArray) -> pa.ChunkedArray:
    """One column behind another."""
    parts = [part for c in (first, second) for part in (c.chunks if isinstance(c, pa.ChunkedArray) else [c])]
    return pa.chunked_array(parts, first.type)
