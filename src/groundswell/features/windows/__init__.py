"""Aggregations over windows of time: what happened to a key in the last hours, days, weeks or months.

`windows` says what is wanted and computes it; `Windows.into` keeps a group up to date with it, commit by commit.
"""

from groundswell.features.windows._aggregation import (
    Aggregation,
    count,
    distinct,
    last,
    max,  # noqa: A004  # gs.max reads as SQL does
    mean,
    min,  # noqa: A004
    share,
    std,
    sum,  # noqa: A004
)
from groundswell.features.windows._pipeline import WindowPipeline
from groundswell.features.windows._spans import Span
from groundswell.features.windows._windows import Windows, windows

__all__ = [
    "Aggregation",
    "Span",
    "WindowPipeline",
    "Windows",
    "count",
    "distinct",
    "last",
    "max",
    "mean",
    "min",
    "share",
    "std",
    "sum",
    "windows",
]
