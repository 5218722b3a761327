"""The distribution of a column as a plot: a histogram, or the counts of its frequent values."""

from datetime import datetime
from itertools import pairwise

from groundswell.features.statistics._column import ColumnStatistics, moment_of
from groundswell.plots import BarPlot

__all__ = ["column_plot", "sparkline"]

_MOST_VALUES = 20


def column_plot(column: ColumnStatistics, bins: int = 20) -> BarPlot | None:
    """The distribution of a column: a histogram, or the counts of its frequent values; None if neither is known."""
    few = column.frequent_error == 0 and len(column.frequent) <= _MOST_VALUES
    histogram = None if few else column.histogram(bins)
    if histogram is not None:
        edges = [_label(edge, column) for edge in histogram.edges]
        labels = [f"{low} to {high}" for low, high in pairwise(edges)]
        counts = [max(float(count), 0.0) for count in histogram.counts]
        note = f"each running sum within {histogram.error:,.0f} of {column.count:,} rows, with 99 % confidence"
        return BarPlot(title=f"Distribution of {column.name}", bars=tuple(zip(labels, counts, strict=True)), note=note)
    if column.frequent_error is None:
        return None
    shown = column.frequent[:_MOST_VALUES]
    bars = [(item.value if len(item.value) <= 40 else item.value[:39] + "…", float(item.estimate)) for item in shown]
    rest = len(column.frequent) - len(shown)
    note = "exact" if column.frequent_error == 0 else f"each within {column.frequent_error:,.0f} rows"
    note += f"; {rest:,} more values are not shown" if rest else ""
    return BarPlot(title=f"Frequent values of {column.name}", bars=tuple(bars), note=note)


def sparkline(column: ColumnStatistics) -> str:
    """The histogram of a column as a small SVG for a cell of a table; empty if there is none."""
    plot = column_plot(column, 16)
    return "" if plot is None else plot.to_sparkline()


def _label(edge: float, column: ColumnStatistics) -> str:
    if column.kind != "time":
        return f"{edge:.4g}"
    moment = moment_of(edge, column.type)
    if isinstance(moment, datetime):
        return moment.strftime("%Y-%m-%d %H:%M")
    return str(moment)
