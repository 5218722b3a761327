"""Records that have exactly a table's columns, as a batch: what `conform` gives for them, by a shorter way.

Rows of a stream come a few at a time, so what a column costs beside its values counts. Python values of a column's very
own type need no inference and no cast; other columns take the long way, and so does every batch that is refused, to say
why.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import NoneType
from typing import Any

import pyarrow as pa

from groundswell.errors import GroundswellError
from groundswell.tables._casts import cast_column
from groundswell.tables._definition import Definition
from groundswell.tables._frames import read_frame
from groundswell.tables._incoming import conform
from groundswell.types import TIMESTAMP, Field

__all__ = ["conform_records"]

_EXACT: dict[pa.DataType, type] = {
    pa.int64(): int,
    pa.float64(): float,
    pa.string(): str,
    pa.bool_(): bool,
    TIMESTAMP: datetime,
}


def conform_records(
    rows: Sequence[Mapping[str, Any]],  # Any: of the columns' types, checked here
    definition: Definition,
    time_zone: str | None = None,
) -> pa.RecordBatch:
    """The rows with the table's columns in the table's order and types.

    Args:
        rows: mappings that each have exactly the table's columns; not empty.
        definition: what they must be.
        time_zone: the IANA zone of naive times, which must be one; None refuses them.

    Raises:
        TypeMismatchError, DataError: as `conform`.
    """
    try:
        columns = [_column([row[field.name] for row in rows], field, time_zone) for field in definition.schema]
    except (GroundswellError, pa.ArrowException, OverflowError, ValueError):
        columns = [None]
    if any(column is None for column in columns):
        batches = list(conform(read_frame(rows), definition, time_zone))
        return pa.Table.from_batches(batches).combine_chunks().to_batches()[0]
    return pa.RecordBatch.from_arrays(columns, schema=definition.schema.to_arrow())


def _column(values: list[Any], field: Field, time_zone: str | None) -> pa.Array | None:  # Any: as above
    """A column; None if a value of it is missing that must not be."""
    kinds = set(map(type, values))
    if NoneType in kinds and not field.nullable:
        return None
    exact = _EXACT.get(field.type)
    if kinds == {exact} and (exact is not datetime or {value.tzinfo for value in values} == {UTC}):
        return pa.array(values, field.type)
    given = read_frame({field.name: values}).read_all().column(0)
    column = cast_column(pa.concat_arrays(given.chunks), field, time_zone=time_zone)
    return column if field.nullable or not column.null_count else None
