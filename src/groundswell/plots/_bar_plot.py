"""`BarPlot`: bars with labels, in block characters and as SVG."""

from dataclasses import dataclass
from html import escape

from groundswell.plots._svg import COLOR, svg

__all__ = ["BarPlot"]

_EIGHTHS = " ▏▎▍▌▋▊▉█"
_WIDTH = 40
_ROW_PX, _LABEL_PX, _BAR_PX, _COUNT_PX = 20, 250, 320, 110


@dataclass(frozen=True, kw_only=True)
class BarPlot:
    """Bars with labels, for the terminal and as SVG.

    Args:
        title: what is shown.
        bars: for each bar its label and its count.
        note: how exact the counts are.

    >>> print(BarPlot(title="Sky", bars=(("clear", 3.0), ("fog", 1.0)), note="exact"))
    Sky
    clear ████████████████████████████████████████ 3
      fog █████████████▍                           1
    exact
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
        return svg(width, height, title=self.title, description=self._description(), content=rows)

    def to_sparkline(self) -> str:
        """The bars as a small SVG for a cell of a table; empty without bars."""
        if not self.bars:
            return ""
        most = self._most or 1.0
        step = 96 / len(self.bars)
        bars = "".join(
            f'<rect x="{i * step:.1f}" y="{24 - 24 * count / most:.1f}" width="{max(step - 1, 1):.1f}" '
            f'height="{24 * count / most:.1f}" fill="{COLOR}"/>'
            for i, (_, count) in enumerate(self.bars)
        )
        title = f"{self.title}, from {self.bars[0][0]} on"
        return (
            '<svg xmlns="http://www.w3.org/2000/svg" role="img" width="96" height="24" viewBox="0 0 96 24">'
            f"<title>{escape(title)}</title>{bars}</svg>"
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
            f'fill="{COLOR}"/><text x="{_LABEL_PX + share * _BAR_PX + 6:.1f}" y="{top + 13}" '
            f'fill="currentColor">{count:,.0f}</text></g>'
        )

    def _description(self) -> str:
        return f"{len(self.bars)} bars. " + "; ".join(f"{label}: {count:,.0f}" for label, count in self.bars)


def _bar(count: float, most: float) -> str:
    eighths = round(8 * _WIDTH * count / most) if most else 0
    full, rest = divmod(eighths, 8)
    return "█" * full + (_EIGHTHS[rest] if rest else "")
