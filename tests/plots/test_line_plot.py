"""LinePlot: what is drawn where, in text and in SVG."""

from xml.etree import ElementTree

import pytest

from groundswell.plots import Line, LinePlot

DIAGONAL = Line(name="chance", x=(0.0, 1.0), y=(0.0, 1.0), reference=True)
STEP = Line(name="<model>", x=(0.0, 0.0, 1.0), y=(0.0, 1.0, 1.0))
PLOT = LinePlot(title="Curve & co", x_label="share", y_label="found", lines=(STEP, DIAGONAL), note="exact")


def test_a_step_runs_up_the_left_and_along_the_top() -> None:
    title, *rows, ruler, span, axes, note = str(PLOT).splitlines()
    assert (title, axes, note) == ("Curve & co", "across: share; up: found", "exact")
    assert len(rows) == 15
    assert rows[0].startswith("1 │")
    assert len(rows[0]) == 63  # the whole width is drawn
    assert all(row[3] != "\u2800" for row in rows)  # the left side too
    assert rows[-1].startswith("0 │")
    assert len(rows[7]) < 63
    assert len(ruler) == 63
    assert span.split() == ["0", "1"]


def test_the_svg_can_be_read_aloud() -> None:
    root = ElementTree.fromstring(PLOT.to_svg())  # our own text
    name = "{http://www.w3.org/2000/svg}"
    assert root.findtext(f"{name}title") == "Curve & co"
    description = root.findtext(f"{name}desc") or ""
    assert "<model>: 0: 0; 0: 1; 1: 1." in description
    assert [group.findtext(f"{name}title") for group in root.iter(f"{name}g")] == ["<model>", "chance"]
    dashes = {line.get("stroke-dasharray") for line in root.iter(f"{name}polyline")}
    assert len(dashes) == 2
    assert "<figcaption>Curve &amp; co: exact.</figcaption>" in PLOT._repr_html_()


@pytest.mark.parametrize("line", [Line(name="a", x=(2.0,), y=(3.0,)), Line(name="a", x=(0.0, 1.0), y=(5.0, 5.0))])
def test_a_point_and_a_level_line_have_axes_too(line: Line) -> None:
    plot = LinePlot(title="t", x_label="x", y_label="y", lines=(line,), note="")
    assert any(ord(sign) > 0x2800 for sign in str(plot))
    assert "polyline" in plot.to_svg()
