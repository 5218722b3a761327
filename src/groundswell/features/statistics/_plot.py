"""Plots of a column: for the terminal in block characters, for notebooks and pages as SVG that needs nothing else.

A plot says in words what it shows, so that who cannot see it can read it: the SVG has a title and a description, every
bar has its own, and colors carry no meaning alone.
"""

from dataclasses import dataclass
from datetime import datetime
from html import escape
from itertools import pairwise

from groundswell.features.statistics._column import ColumnStatistics, moment_of

__all__ = ["Plot", "column_plot", "sparkline"]

_EIGHTHS = " ▏▎▍▌▋▊▉█"
_WIDTH = 40
_MOST_VALUES = 20
_ROW_PX, _LABEL_PX, _BAR_PX, _COUNT_PX = 20, 250, 320, 110
_COLOR = "#2b6cb0"


@dataclass(frozen=True, kw_only=True)
class Plot:
    """Bars with labels, for the terminal and as SVG.

    Args:
        title: what is shown.
        bars: for each bar its label and its count.
        note: how exact the counts are.
    """

    title: str
    bars: tuple[tuple[str, float], ...]
    note: str

    def __str__(self) -> str:
        width = max((len(label) for label, _ in self.bars), default=0)
        lines = [f"{label:>{width}} {_bar(count, self._most):<{_WIDTH}} {count:,.0f}" for label, count in self.bars]
        return "\n".join([self.title, *lines, self.note])

    __repr__ = __str__

    @property
    def _most(self) -> float:
        return max((count for _, count in self.bars), default=0.0)

    def to_svg(self) -> str:
        """The plot as an SVG element."""
        height, width = _ROW_PX * len(self.bars) + 8, _LABEL_PX + _BAR_PX + _COUNT_PX
        rows = "".join(
            self._row(i, label, count, count / self._most if self._most else 0.0)
            for i, (label, count) in enumerate(self.bars)
        )
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {width} {height}" '
            f'width="{width}" height="{height}" font-family="sans-serif" font-size="12" style="max-width:100%">'
            f"<title>{escape(self.title)}</title><desc>{escape(self._description())}</desc>{rows}</svg>"
        )

    def _repr_html_(self) -> str:
        caption = escape(f"{self.title}: {self.note}.")
        return f"<figure>{self.to_svg()}<figcaption>{caption}</figcaption></figure>"

    def _row(self, i: int, label: str, count: float, share: float) -> str:
        top, said = 4 + i * _ROW_PX, f"{label}: {count:,.0f}"
        text = label if len(label) <= 40 else label[:39] + "…"
        return (
            f"<g><title>{escape(said)}</title>"
            f'<text x="{_LABEL_PX - 8}" y="{top + 13}" text-anchor="end" fill="currentColor">{escape(text)}</text>'
            f'<rect x="{_LABEL_PX}" y="{top + 2}" width="{max(share * _BAR_PX, 0.5):.1f}" height="{_ROW_PX - 4}" '
            f'fill="{_COLOR}"/><text x="{_LABEL_PX + share * _BAR_PX + 6:.1f}" y="{top + 13}" '
            f'fill="currentColor">{count:,.0f}</text></g>'
        )

    def _description(self) -> str:
        return f"{len(self.bars)} bars. " + "; ".join(f"{label}: {count:,.0f}" for label, count in self.bars)


def column_plot(column: ColumnStatistics, bins: int = 20) -> Plot | None:
    """The distribution of a column: a histogram, or the counts of its frequent values; None if neither is known."""
    few = column.frequent_error == 0 and len(column.frequent) <= _MOST_VALUES
    histogram = None if few else column.histogram(bins)
    if histogram is not None:
        edges = [_label(edge, column) for edge in histogram.edges]
        labels = [f"{low} to {high}" for low, high in pairwise(edges)]
        counts = [max(float(count), 0.0) for count in histogram.counts]
        note = f"each running sum within {histogram.error:,.0f} of {column.count:,} rows, with 99 % confidence"
        return Plot(title=f"Distribution of {column.name}", bars=tuple(zip(labels, counts, strict=True)), note=note)
    if column.frequent_error is None:
        return None
    shown = column.frequent[:_MOST_VALUES]
    bars = [(item.value if len(item.value) <= 40 else item.value[:39] + "…", float(item.estimate)) for item in shown]
    rest = len(column.frequent) - len(shown)
    note = "exact" if column.frequent_error == 0 else f"each within {column.frequent_error:,.0f} rows"
    note += f"; {rest:,} more values are not shown" if rest else ""
    return Plot(title=f"Frequent values of {column.name}", bars=tuple(bars), note=note)


def sparkline(column: ColumnStatistics) -> str:
    """The histogram of a column as a small SVG for a cell of a table; empty if there is none."""
    plot = column_plot(column, 16)
    if plot is None or not plot.bars:
        return ""
    most = max(count for _, count in plot.bars) or 1.0
    step = 96 / len(plot.bars)
    bars = "".join(
        f'<rect x="{i * step:.1f}" y="{24 - 24 * count / most:.1f}" width="{max(step - 1, 1):.1f}" '
        f'height="{24 * count / most:.1f}" fill="{_COLOR}"/>'
        for i, (_, count) in enumerate(plot.bars)
    )
    title = f"{plot.title}, from {plot.bars[0][0]} on"
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" role="img" width="96" height="24" viewBox="0 0 96 24">'
        f"<title>{escape(title)}</title>{bars}</svg>"
    )


def _bar(count: float, most: float) -> str:
    eighths = round(8 * _WIDTH * count / most) if most else 0
    full, rest = divmod(eighths, 8)
    return "█" * full + (_EIGHTHS[rest] if rest else "")


def _label(edge: float, column: ColumnStatistics) -> str:
    if column.kind != "time":
        return f"{edge:.4g}"
    moment = moment_of(edge, column.type)
    if isinstance(moment, datetime):
        return moment.strftime("%Y-%m-%d %H:%M")
    return str(moment)
