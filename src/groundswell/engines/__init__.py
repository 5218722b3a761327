"""Engines: where work runs. A plan says what is wanted; an engine computes it where the data is.

DuckDB runs plans in this process, streaming and within a memory limit.
"""

from groundswell.engines._duckdb import DuckDB
from groundswell.engines._plan import (
    AsOfJoin,
    Bucket,
    JoinReport,
    PointInTimeJoin,
    Rows,
    Scan,
    provenance_columns,
)

__all__ = ["AsOfJoin", "Bucket", "DuckDB", "JoinReport", "PointInTimeJoin", "Rows", "Scan", "provenance_columns"]
