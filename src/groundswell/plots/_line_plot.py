"""`LinePlot`: curves over two axes, in braille dots and as SVG."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

from groundswell.plots._svg import COLOR, svg

__all__ = ["Line", "LinePlot"]

_COLUMNS, _ROWS = 60, 15
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # of a braille character: four rows of two
_LEFT, _TOP, _PLOT_WIDTH, _PLOT_HEIGHT = 60, 10, 380, 280
_COLORS = (COLOR, "#c05621", "#2f855a", "#6b46c1")
_DASHES = ("", "7 3", "2 3", "9 3 2 3")


@dataclass(frozen=True, kw_only=True)
class Line:
    """Points that are joined in their order.

    Args:
        name: what it is.
        x, y: the points; of equal length.
        reference: whether it is only there to compare with, such as a diagonal; it is drawn thin and dotted.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]
    reference: bool = False


@dataclass(frozen=True, kw_only=True)
class LinePlot:
    """Lines over two axes, for the terminal and as SVG.

    Args:
        title: what is shown.
        x_label, y_label: of the axes.
        lines: what is drawn; at least one, with at least one point.
        note: what is to be said of the whole, such as how exact it is.
    """

    title: str
    x_label: str
    y_label: str
    lines: tuple[Line, ...]
    note: str

    def __str__(self) -> str:
        low_x, high_x, low_y, high_y = self._limits
        canvas = [[0] * _COLUMNS for _ in range(_ROWS)]
        for line in self.lines:
            for column, row in self._dots(line):
                canvas[row // 4][column // 2] |= _DOTS[row % 4][column % 2]
        labels = {0: f"{high_y:.3g}", _ROWS - 1: f"{low_y:.3g}"}
        width = max(map(len, labels.values()))
        rows = [
            f"{labels.get(i, ''):>{width}} │" + "".join(chr(0x2800 + cell) for cell in cells).rstrip(chr(0x2800))
            for i, cells in enumerate(canvas)
        ]
        span = f"{low_x:.3g}{f'{high_x:.3g}':>{_COLUMNS - len(f'{low_x:.3g}')}}"
        axes = f"across: {self.x_label}; up: {self.y_label}"
        ruler = " " * (width + 1) + "└" + "─" * _COLUMNS
        return "\n".join([self.title, *rows, ruler, " " * (width + 2) + span, axes, self.note])

    __repr__ = __str__

    @property
    def _limits(self) -> tuple[float, float, float, float]:
        xs = [x for line in self.lines for x in line.x]
        ys = [y for line in self.lines for y in line.y]
        return (*_widened(min(xs), max(xs)), *_widened(min(ys), max(ys)))

    def _dots(self, line: Line) -> Iterator[tuple[int, int]]:
        """Which dots of the canvas a line covers, as columns from the left and rows from the top."""
        low_x, high_x, low_y, high_y = self._limits
        width, height = 2 * _COLUMNS - 1, 4 * _ROWS - 1
        places = [
            (round((x - low_x) / (high_x - low_x) * width), round((high_y - y) / (high_y - low_y) * height))
            for x, y in zip(line.x, line.y, strict=True)
        ]
        for (x0, y0), (x1, y1) in pairwise(places if len(places) > 1 else places * 2):
            steps = max(abs(x1 - x0), abs(y1 - y0), 1)
            for step in range(0, steps + 1, 4 if line.reference else 1):
                yield x0 + round((x1 - x0) * step / steps), y0 + round((y1 - y0) * step / steps)

    def to_svg(self) -> str:
        """The plot as an SVG element."""
        shown = "".join(self._axes())
        for i, line in enumerate(self.lines):
            shown += self._drawn(i, line)
        height = _TOP + _PLOT_HEIGHT + 50 + 18 * len(self.lines)
        return svg(_LEFT + _PLOT_WIDTH + 20, height, title=self.title, description=self._description(), content=shown)

    def _repr_html_(self) -> str:
        return f"<figure>{self.to_svg()}<figcaption>{escape(f'{self.title}: {self.note}.')}</figcaption></figure>"

    def _axes(self) -> Iterator[str]:
        low_x, high_x, low_y, high_y = self._limits
        bottom, right = _TOP + _PLOT_HEIGHT, _LEFT + _PLOT_WIDTH
        yield (
            f'<path d="M{_LEFT} {_TOP}V{bottom}H{right}" fill="none" stroke="currentColor"/>'
            f'<text x="{(_LEFT + right) / 2}" y="{bottom + 34}" text-anchor="middle" fill="currentColor">'
            f"{escape(self.x_label)}</text>"
            f'<text transform="translate(14 {(_TOP + bottom) / 2}) rotate(-90)" text-anchor="middle" '
            f'fill="currentColor">{escape(self.y_label)}</text>'
        )
        for tick in range(6):
            x, y = _LEFT + _PLOT_WIDTH * tick / 5, bottom - _PLOT_HEIGHT * tick / 5
            yield (
                f'<text x="{x:.0f}" y="{bottom + 16}" text-anchor="middle" fill="currentColor">'
                f"{low_x + (high_x - low_x) * tick / 5:.3g}</text>"
                f'<text x="{_LEFT - 6}" y="{y + 4:.0f}" text-anchor="end" fill="currentColor">'
                f"{low_y + (high_y - low_y) * tick / 5:.3g}</text>"
            )

    def _drawn(self, i: int, line: Line) -> str:
        low_x, high_x, low_y, high_y = self._limits
        points = " ".join(
            f"{_LEFT + (x - low_x) / (high_x - low_x) * _PLOT_WIDTH:.1f},"
            f"{_TOP + (high_y - y) / (high_y - low_y) * _PLOT_HEIGHT:.1f}"
            for x, y in zip(line.x, line.y, strict=True)
        )
        color = "currentColor" if line.reference else _COLORS[i % len(_COLORS)]
        dashes = "1 4" if line.reference else _DASHES[i % len(_DASHES)]
        style = f'fill="none" stroke="{color}" stroke-width="{1 if line.reference else 2}" stroke-dasharray="{dashes}"'
        y = _TOP + _PLOT_HEIGHT + 50 + 18 * i
        return (
            f'<g><title>{escape(line.name)}</title><polyline points="{points}" {style}/>'
            f'<path d="M{_LEFT} {y}h30" {style}/>'
            f'<text x="{_LEFT + 38}" y="{y + 4}" fill="currentColor">{escape(line.name)}</text></g>'
        )

    def _description(self) -> str:
        said = [f"Across: {self.x_label}. Up: {self.y_label}."]
        for line in self.lines:
            chosen = sorted({round(i * (len(line.x) - 1) / 8) for i in range(9)})
            points = "; ".join(f"{line.x[i]:.3g}: {line.y[i]:.3g}" for i in chosen)
            said.append(f"{line.name}: {points}.")
        return " ".join([*said, self.note])


def _widened(low: float, high: float) -> tuple[float, float]:
    """The ends of an axis, which must not be the same."""
    return (low, high) if high > low else (low - 0.5, low + 0.5)
