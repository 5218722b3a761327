"""Statistics of feature groups: summaries of every commit and of the table, reports, plots and comparisons.

`_summary` says what is computed of which type, `_collector` computes it while rows are written, `_records` keeps and
merges it, `_report` shows it, `_comparison` holds two of them against each other.
"""

from groundswell.features.statistics._collector import Collector
from groundswell.features.statistics._column import ColumnHistogram, ColumnStatistics
from groundswell.features.statistics._comparison import ColumnDrift, Comparison
from groundswell.features.statistics._config import KINDS, StatisticsConfig, as_config
from groundswell.features.statistics._invariants import check_statistics
from groundswell.features.statistics._records import CONFIG, StatisticsRecords, Written
from groundswell.features.statistics._report import Scope, StatisticsReport
from groundswell.features.statistics._summary import ColumnSummary, Summary
from groundswell.features.statistics._wire import summary_from_bytes, summary_to_bytes

__all__ = [
    "CONFIG",
    "KINDS",
    "Collector",
    "ColumnDrift",
    "ColumnHistogram",
    "ColumnStatistics",
    "ColumnSummary",
    "Comparison",
    "Scope",
    "StatisticsConfig",
    "StatisticsRecords",
    "StatisticsReport",
    "Summary",
    "Written",
    "as_config",
    "check_statistics",
    "summary_from_bytes",
    "summary_to_bytes",
]
