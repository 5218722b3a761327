"""Engines: where work runs. A plan says what is wanted; an engine computes it where the data is.

DuckDB runs plans in this process, streaming and within a memory limit. `fold` runs a statistic over rows in parts, from
Parquet files, Arrow tables, streams or arrays.
"""

from groundswell.engines._as_scannable import as_scannable
from groundswell.engines._cached import Cached
from groundswell.engines._duckdb import DuckDB
from groundswell.engines._fold import ArrayBatches, Batches, Progress, Roles, TableBatches, fold
from groundswell.engines._measures import (
    Condition,
    Count,
    CountDistinct,
    Decided,
    Maximum,
    Mean,
    Measure,
    Missing,
    NotAmong,
    OutOfOrder,
    Outside,
    Predicate,
    Ranked,
    Repeated,
    Uncomputable,
    Unfulfilled,
    Unmatched,
    Unreferenced,
)
from groundswell.engines._newest import VERSION, Newest, Touched
from groundswell.engines._plan import (
    AsOfJoin,
    Bucket,
    JoinReport,
    PointInTimeJoin,
    Rows,
    Scan,
    provenance_columns,
)
from groundswell.engines._read_once import ReadOnceRows
from groundswell.engines._scannable import ArrowRows, ParquetRows, Scannable, StreamRows
from groundswell.engines._validate import RowFilter
from groundswell.engines._windows import Windowed, WindowMeasure

__all__ = [
    "VERSION",
    "ArrayBatches",
    "ArrowRows",
    "AsOfJoin",
    "Batches",
    "Bucket",
    "Cached",
    "Condition",
    "Count",
    "CountDistinct",
    "Decided",
    "DuckDB",
    "JoinReport",
    "Maximum",
    "Mean",
    "Measure",
    "Missing",
    "Newest",
    "NotAmong",
    "OutOfOrder",
    "Outside",
    "ParquetRows",
    "PointInTimeJoin",
    "Predicate",
    "Progress",
    "Ranked",
    "ReadOnceRows",
    "Repeated",
    "Roles",
    "RowFilter",
    "Rows",
    "Scan",
    "Scannable",
    "StreamRows",
    "TableBatches",
    "Touched",
    "Uncomputable",
    "Unfulfilled",
    "Unmatched",
    "Unreferenced",
    "WindowMeasure",
    "Windowed",
    "as_scannable",
    "fold",
    "provenance_columns",
]
