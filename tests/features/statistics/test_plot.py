"""Plots and pages: what they show, in every form, and that they bring nothing from elsewhere."""

import datetime as dt
import xml.etree.ElementTree as ET
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from groundswell.errors import ColumnNotFoundError, DataError
from groundswell.features.statistics import StatisticsReport
from groundswell.types import Schema


def report(columns: dict[str, Any]) -> StatisticsReport:
    rows = pa.table(columns)
    return StatisticsReport.of_training_data(rows.to_batches(), Schema.from_arrow(rows.schema), of="t", version=1)


def test_a_histogram_counts_what_numpy_counts_within_its_error() -> None:
    x = np.random.default_rng(0).exponential(size=50_000)
    histogram = report({"x": x})["x"].histogram(20)
    assert histogram is not None
    exact = np.histogram(x, histogram.edges)[0]
    assert np.abs(np.cumsum(histogram.counts) - np.cumsum(exact)).max() < 2 * histogram.error
    assert histogram.counts.sum() == pytest.approx(len(x))
    assert (histogram.edges[0], histogram.edges[-1]) == (x.min(), x.max())


def test_bars_in_the_terminal() -> None:
    plot = report({"s": ["b"] * 2 + ["a"] * 4}).plot("s")
    assert str(plot).splitlines() == [
        "Frequent values of s",
        "a " + "█" * 40 + " 4",
        "b " + "█" * 20 + " " * 20 + " 2",
        "exact",
    ]


def test_an_svg_is_well_formed_and_says_in_words_what_it_shows() -> None:
    plot = report({"s": ["<script>", "a&b", "a&b"]}).plot("s")
    svg = ET.fromstring(plot.to_svg())
    names = [element.tag.rpartition("}")[2] for element in svg.iter()]
    assert svg.get("role") == "img"
    assert names.count("rect") == 2
    assert names[1:3] == ["title", "desc"]
    assert svg[1].text == "2 bars. a&b: 2; <script>: 1"


def test_a_page_needs_nothing_else_and_escapes_what_others_wrote() -> None:
    page = report({"<b>x</b>": [1.5, 2.5], "s": ["<script>alert(1)</script>", "é"]}).to_html()
    assert "<script" not in page
    assert "<b>x" not in page
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")
    assert '<html lang="en">' in page


@pytest.mark.parametrize(
    "values",
    [
        pa.array([1.0, np.inf, -np.inf, np.nan, None]),
        pa.array([7.0] * 5),
        pa.array([-(2**63), 2**63 - 1, 0]),
        pa.array([dt.datetime(2024, 1, 1, tzinfo=dt.UTC), dt.datetime(2024, 1, 2, tzinfo=dt.UTC)]),
        pa.array([dt.date(1900, 1, 1), dt.date(2100, 1, 1)]),
        pa.array([2**62, 2**62 + 1]).cast(pa.timestamp("us", tz="UTC")),
        pa.array([True, False, None]),
        pa.array(["long" * 100, ""]),
        pa.array([1e308, -1e308]),
    ],
)
def test_odd_values_are_plotted(values: pa.Array) -> None:
    found = report({"x": values})
    plot = found.plot("x")
    assert plot.bars
    assert str(plot)
    ET.fromstring(plot.to_svg())
    assert found.to_html()
    assert str(found)


def test_what_cannot_be_plotted_is_said() -> None:
    found = report({"x": pa.nulls(3, pa.float64()), "l": pa.array([[1]] * 3), "y": [1.0, 2.0, 3.0]})
    with pytest.raises(DataError, match="The distribution of 'x' is not known"):
        found.plot("x")
    with pytest.raises(DataError, match="list"):
        found.plot("l")
    with pytest.raises(ColumnNotFoundError, match=r"columns are 'l', 'x', 'y'"):
        found.plot("z")
    for wrong in (0, -1, 2.5, True):
        with pytest.raises(DataError, match="number of bins"):
            found.plot("y", bins=wrong)  # type: ignore[arg-type]
