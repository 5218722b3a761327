"""Plots that need nothing else: text for the terminal, and SVG for notebooks and pages that can be read aloud.

A plot says in words what it shows, so that who cannot see it can read it: the SVG has a title and a description, and
colors carry no meaning alone.
"""

from groundswell.plots._bar_plot import BarPlot
from groundswell.plots._line_plot import Line, LinePlot

__all__ = ["BarPlot", "Line", "LinePlot"]
