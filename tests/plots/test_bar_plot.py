"""BarPlot: lengths of bars, and nothing at all."""

from groundswell.plots import BarPlot


def test_bars_are_as_long_as_their_counts() -> None:
    plot = BarPlot(title="Sky", bars=(("clear", 4.0), ("fog", 2.0), ("hail", 0.0)), note="exact")
    lengths = [line.count("█") for line in str(plot).splitlines()[1:-1]]
    assert lengths == [40, 20, 0]
    assert plot.to_svg().count("<rect") == plot.to_sparkline().count("<rect") == 3
    assert "fog: 2" in plot.to_svg()


def test_without_bars_there_is_a_title() -> None:
    plot = BarPlot(title="Sky", bars=(), note="exact")
    assert str(plot) == "Sky\nexact"
    assert plot.to_sparkline() == ""
    assert "0 bars" in plot._repr_html_()
