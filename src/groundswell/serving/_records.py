"""Records and data frames as request tables: what `service.predict` takes when it is called from Python.

Only the moment `at`, which may ride in a column, is taken off here; the rest is the signature's to check.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, Protocol

import pandas as pd
import pyarrow as pa

from groundswell.errors import DataError, SignatureError
from groundswell.models import Signature
from groundswell.serving._protocol import AT
from groundswell.serving._tensors import show
from groundswell.types import parse_instant

__all__ = ["Moments", "Records", "moments_of", "table_of"]


class Streamable(Protocol):
    """Data that exports the Arrow C stream."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """A capsule with the stream."""


Records = Iterable[Mapping[str, Any]] | Streamable
"""A list of mappings, a pandas or Polars data frame, or an Arrow table; one row per prediction."""

Moments = str | date | datetime | Iterable[str | date | datetime]
"""One moment for all rows, or one per row; a time without a zone is UTC."""


def table_of(records: Records, request: Signature) -> tuple[pa.Table, list[datetime] | None]:
    """The request table, and the moments in the records' own `at` if they have one.

    Args:
        records: one row per prediction.
        request: what a request must bring.

    Raises:
        SignatureError: a column is unknown, missing or of another type, or a value is null where none may be.
    """
    columns, n = _columns(records)
    at = columns.pop(AT, None) if AT not in request.inputs else None
    table = request.check(columns) if n else request.inputs.to_arrow().empty_table()
    return table, None if at is None else _moments(at)


def moments_of(at: Moments) -> datetime | list[datetime]:
    """The moment, or one moment per row, in UTC.

    Raises:
        SignatureError: it cannot be read as a moment.
    """
    if isinstance(at, Iterable) and not isinstance(at, str):
        return _moments(at)
    return _moments([at])[0]


def _columns(records: Records) -> tuple[dict[str, Any], int]:
    """The columns by name, and the number of rows."""
    if isinstance(records, pd.DataFrame):
        records = pa.Table.from_pandas(records, preserve_index=False)
    if hasattr(records, "__arrow_c_stream__"):
        table = pa.table(records)
        return {name: table[name] for name in table.column_names}, len(table)
    rows = [] if isinstance(records, (str, bytes, Mapping)) else list(records)
    if isinstance(records, (str, bytes, Mapping)) or not all(isinstance(row, Mapping) for row in rows):
        raise SignatureError(
            f"{show(records)} is no list of records.", fix="Give a list of mappings from input names to values: [{…}]."
        )
    names = list(dict.fromkeys(name for row in rows for name in row))
    for number, row in enumerate(rows):
        absent = [name for name in names if name not in row]
        if absent:
            raise SignatureError(
                f"Record {number} lacks {', '.join(map(repr, absent))}, which others have.",
                fix="Give every record the same names; None stands for a value that is not known.",
                row=number,
                missing=absent,
            )
    return {name: [_plain(row[name]) for row in rows] for name in names}, len(rows)


def _plain(value: object) -> object:
    """The value, None for pandas' own null."""
    return None if value is pd.NA or value is pd.NaT else value


def _moments(values: Iterable[Any]) -> list[datetime]:
    try:
        plain = (value.as_py() if isinstance(value, pa.Scalar) else value for value in values)
        return [parse_instant(value, "the moment 'at'") for value in plain]
    except DataError as error:
        raise SignatureError(error.what, why=error.why, fix=error.fix, value=error.value) from None
