"""Arrow tables as the frames of other packages, in which no value changes."""

from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from groundswell.errors import MissingDependencyError

__all__ = ["to_features", "to_pandas", "to_polars"]

_NULLABLE = {
    pa.int8(): pd.Int8Dtype(), pa.int16(): pd.Int16Dtype(), pa.int32(): pd.Int32Dtype(), pa.int64(): pd.Int64Dtype(),
    pa.uint8(): pd.UInt8Dtype(), pa.uint16(): pd.UInt16Dtype(), pa.uint32(): pd.UInt32Dtype(),
    pa.uint64(): pd.UInt64Dtype(), pa.bool_(): pd.BooleanDtype(),
}  # fmt: skip


def to_pandas(table: pa.Table) -> pd.DataFrame:
    """An Arrow table as a pandas frame in which integers stay integers."""
    columns = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        nullable = _NULLABLE.get(column.type) if column.null_count else None
        columns[name] = column.to_pandas(types_mapper=None if nullable is None else {column.type: nullable}.get)
    return pd.DataFrame(columns, index=pd.RangeIndex(table.num_rows))


def to_features(table: pa.Table) -> pd.DataFrame:
    """Features as a pandas frame that scikit-learn takes, in training and in serving alike.

    Where a join found nothing, integers and booleans are missing, and scikit-learn's column transformers do not know
    pandas' missing integers. So a column of these with gaps becomes float64 with NaN, if each value is exact there;
    integers beyond 2⁵³ stay pandas' nullable integers.

    >>> to_features(pa.table({"seats": pa.array([180, None])}))["seats"].tolist()
    [180.0, nan]
    """
    frame = to_pandas(table)
    for name, column in zip(table.column_names, table.columns, strict=True):
        if column.null_count and column.type in _NULLABLE and _exact_in_float64(column):
            frame[name] = frame[name].astype("float64")
    return frame


def _exact_in_float64(column: pa.ChunkedArray) -> bool:
    if column.type not in (pa.int64(), pa.uint64()):
        return True
    bounds = pc.min_max(column).as_py()
    return bounds["min"] is None or -(2**53) <= bounds["min"] <= bounds["max"] <= 2**53


def to_polars(table: pa.Table) -> Any:  # Any: polars is an optional package
    """An Arrow table as a polars frame.

    Raises:
        MissingDependencyError: polars is not installed.
    """
    try:
        import polars as pl
    except ImportError:
        raise MissingDependencyError(
            "polars is not installed.", fix="Install it: pip install 'groundswell[polars]'."
        ) from None
    return pl.from_arrow(table)
