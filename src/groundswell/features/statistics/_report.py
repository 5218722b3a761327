"""A report: the statistics of some rows, said of which rows, as a table, as plots, as JSON."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from html import escape
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa

from groundswell.errors import ColumnNotFoundError, DataError, choices
from groundswell.features.statistics._column import ColumnStatistics
from groundswell.features.statistics._comparison import Comparison, compare_columns
from groundswell.features.statistics._config import StatisticsConfig
from groundswell.features.statistics._plot import column_plot, sparkline
from groundswell.features.statistics._summary import Summary
from groundswell.plots import BarPlot
from groundswell.types import Schema

__all__ = ["Scope", "StatisticsReport"]

Scope = Literal["commit", "rows written", "current rows", "training data"]

_LEVELS = {"1%": 0.01, "25%": 0.25, "50%": 0.5, "75%": 0.75, "99%": 0.99}


@dataclass(frozen=True, kw_only=True)
class StatisticsReport:
    """The statistics of some rows; a mapping from columns to their figures.

    Attributes:
        of: the name of the group, or of the view whose training data it is.
        scope: of which rows: "commit" (what one commit wrote), "rows written" (by all commits up to the version, those
            that were replaced or deleted later among them), "current rows" (as `read` gives them at the version), or
            "training data".
        version: the version of the table, or of the training data.
        rows: how many rows.
        commits: how many commits wrote them; None where that is not asked.
        lost: versions of commits whose rows are gone and left no statistics, and so are not in "rows written".
        columns: the figures by column.
        correlations: Pearson's, of the rows where both columns have a value; None if they are not known.
    """

    of: str
    scope: Scope
    version: int
    rows: int
    commits: int | None = None
    lost: tuple[int, ...] = ()
    columns: Mapping[str, ColumnStatistics]
    correlations: pd.DataFrame | None = field(default=None, repr=False)

    @classmethod
    def from_summary(
        cls,
        summary: Summary,
        *,
        of: str,
        scope: Scope,
        version: int,
        commits: int | None = None,
        lost: tuple[int, ...] = (),
    ) -> "StatisticsReport":
        """What a summary says."""
        columns = {
            name: ColumnStatistics.of(name, column, correlated=name in summary.correlated)
            for name, column in summary.columns.items()
        }
        matrix, names = None, list(summary.correlated)
        if names and len(summary.gram.pilot):
            matrix = pd.DataFrame(summary.gram.result().correlation(), index=names, columns=names)
        return cls(
            of=of,
            scope=scope,
            version=version,
            rows=summary.rows,
            commits=commits,
            lost=lost,
            columns=columns,
            correlations=matrix,
        )

    @classmethod
    def of_training_data(
        cls, batches: Iterable[pa.RecordBatch], schema: Schema, *, of: str, version: int
    ) -> "StatisticsReport":
        """The statistics of rows as they are read: all columns, all kinds that are kept by default.

        Args:
            batches: the rows.
            schema: their columns.
            of, version: the name and version of the training data.
        """
        summary = Summary.of(schema, schema.names, StatisticsConfig())
        for batch in batches:
            summary.update(batch)
        return cls.from_summary(summary, of=of, scope="training data", version=version)

    def __getitem__(self, column: str) -> ColumnStatistics:
        if column not in self.columns:
            raise ColumnNotFoundError(
                f"There are no statistics of a column {column!r} of {self.of!r}.",
                why="Those of the primary key are kept only if they are asked for by name.",
                fix=choices(column, self.columns, "columns"),
                column=column,
                known=list(self.columns),
            )
        return self.columns[column]

    def __len__(self) -> int:
        return len(self.columns)

    def to_pandas(self) -> pd.DataFrame:
        """One row per column: counts, range, moments, quantiles, the number of distinct values, the most frequent."""
        rows = {name: _row(column) for name, column in self.columns.items()}
        frame = pd.DataFrame.from_dict(rows, orient="index", columns=_HEADS, dtype=object)
        return frame.rename_axis("column")

    def to_dict(self) -> dict[str, Any]:  # Any: JSON
        """The report as plain values; it describes the rows, so it may say values."""
        matrix = self.correlations
        return {
            "of": self.of,
            "scope": self.scope,
            "version": self.version,
            "rows": self.rows,
            "commits": self.commits,
            "lost": list(self.lost),
            "columns": [column.to_dict() for column in self.columns.values()],
            "correlations": None
            if matrix is None
            else {name: {k: None if np.isnan(v) else v for k, v in row.items()} for name, row in matrix.iterrows()},
        }

    def to_json(self) -> str:
        """The report as JSON text."""
        return json.dumps(self.to_dict(), indent=2)

    def plot(self, column: str, *, bins: int = 20) -> BarPlot:
        """The distribution of a column as bars; prints in the terminal and shows as SVG in a notebook.

        Args:
            column: its name.
            bins: of the histogram; a column of few values has a bar for each.

        Raises:
            ColumnNotFoundError: there are no statistics of it.
            DataError: neither quantiles nor frequent values of it are known, or the number of bins is none.
        """
        if isinstance(bins, bool) or not isinstance(bins, int) or not 1 <= bins <= 1000:
            raise DataError(f"{bins!r} is no number of bins.", fix="Give a whole number from 1 to 1000.", bins=bins)
        plot = column_plot(self[column], bins)
        if plot is None:
            raise DataError(
                f"The distribution of {column!r} is not known.",
                why=f"The column is of the type {self[column].type} and has {self[column].count:,} values, and neither "
                "its quantiles nor its frequent values are kept.",
                fix="Choose another column, or have them computed: group.set_statistics(True), then "
                "group.compute_statistics().",
                column=column,
            )
        return plot

    def compare(self, other: "StatisticsReport", *, bins: int = 10) -> Comparison:
        """How far the columns of another report have moved from those of this one.

        Args:
            other: such as the statistics of a later commit.
            bins: into which this report's values are cut at its quantiles, for the population stability index.

        Raises:
            DataError: the two have no column in common.
        """
        common = [name for name in self.columns if name in other.columns]
        if not common:
            raise DataError(
                f"The statistics of {self.of!r} and of {other.of!r} have no column in common.",
                fix="Compare reports of one group, or of training data with a group's.",
            )
        drifts = tuple(compare_columns(self[name], other[name], bins) for name in common)
        return Comparison(reference=self.title, other=other.title, columns=drifts)

    @property
    def title(self) -> str:
        """Of which rows it is, in words."""
        where = {
            "commit": f"commit {self.version} of {self.of!r}",
            "rows written": f"rows written to {self.of!r} up to version {self.version}",
            "current rows": f"current rows of {self.of!r} at version {self.version}",
            "training data": f"training data {self.of!r} version {self.version}",
        }[self.scope]
        by = "" if self.commits is None else f" by {self.commits:,} commit{'s' * (self.commits != 1)}"
        gone = f", without the lost statistics of {len(self.lost)} commits" if self.lost else ""
        return f"Statistics of {where}: {self.rows:,} rows{by}{gone}"

    def __str__(self) -> str:
        frame = self.to_pandas().drop(columns=["1%", "99%"]).map(_text).rename_axis(None)
        table = frame.to_string() if len(frame) else ""
        return f"{self.title}\n{table}\n{self._worth()}"

    __repr__ = __str__

    def _worth(self) -> str:
        errors = [c.rank_error for c in self.columns.values() if c.rank_error is not None]
        quantiles = f"; ranks of quantiles are within {max(errors):.2%} with 99 % confidence" if errors else ""
        return f"Counts, ranges and moments are exact{quantiles}; report['column'].accuracy says it of every figure."

    def _repr_html_(self) -> str:
        frame = self.to_pandas()
        head = "".join(f'<th scope="col">{escape(name)}</th>' for name in ["column", "distribution", *frame.columns])
        body = "".join(
            f'<tr><th scope="row">{escape(name)}</th><td>{sparkline(self[name])}</td>'
            + "".join(f"<td>{escape(_text(value))}</td>" for value in row)
            + "</tr>"
            for name, row in zip(frame.index, frame.itertuples(index=False), strict=True)
        )
        matrix = "" if self.correlations is None else _correlations_html(self.correlations)
        caption = f"<caption>{escape(self.title)}</caption>"
        return f"<table>{caption}<tr>{head}</tr>{body}</table>{matrix}<p>{escape(self._worth())}</p>"

    def to_html(self) -> str:
        """The report with the plots of all columns as one HTML page that needs nothing else."""
        plots = (column_plot(column) for column in self.columns.values())
        figures = "".join(plot._repr_html_() for plot in plots if plot is not None and plot.bars)
        title = escape(self.title)
        return (
            f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
            f"<style>{_STYLE}</style></head><body><main><h1>{title}</h1>"
            f'<div class="scroll">{self._repr_html_()}</div><h2>Distributions</h2>{figures}</main></body></html>'
        )


_HEADS = ["type", "rows", "missing", "minimum", "maximum", "mean", "std", *_LEVELS, "distinct", "most frequent"]
_STYLE = (
    "body{font-family:sans-serif;margin:2rem;color:#1a202c;background:#fff}"
    "table{border-collapse:collapse;font-size:.85rem;margin-bottom:1rem}caption{text-align:left;padding:.3rem 0}"
    "th,td{padding:.25rem .6rem;text-align:right;border-bottom:1px solid #cbd5e0;white-space:nowrap}"
    "th[scope=row]{text-align:left}.scroll{overflow-x:auto}figure{margin:0 0 2rem}"
    "h1{font-size:1.2rem}h2{font-size:1.05rem}"
    "@media(prefers-color-scheme:dark){body{color:#e2e8f0;background:#1a202c}}"
)


def _row(column: ColumnStatistics) -> list[Any]:  # Any: figures of each type
    first = column.frequent[0] if column.frequent else None
    return [
        column.type,
        column.rows,
        column.nulls + column.nan,
        column.minimum,
        column.maximum,
        column.mean,
        column.std,
        *(column.quantile(level) for level in _LEVELS.values()),
        None if column.distinct is None else round(column.distinct),
        None if first is None or first.estimate <= 1 else f"{first.value} ({first.estimate:,})",
    ]


def _text(value: Any) -> str:  # Any: figures of each type
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, timedelta):
        return str(timedelta(seconds=round(value.total_seconds())))
    text = f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
    return text if len(text) <= 40 else text[:39] + "…"


def _correlations_html(matrix: pd.DataFrame) -> str:
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in matrix.columns)
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th>' + "".join(_correlation_cell(value) for value in row) + "</tr>"
        for name, row in zip(matrix.index, matrix.to_numpy(), strict=True)
    )
    return f"<table><caption>Correlations</caption><tr><td></td>{head}</tr>{rows}</table>"


def _correlation_cell(value: float) -> str:
    if np.isnan(value):
        return "<td></td>"
    color = "43,108,176" if value >= 0 else "192,86,33"
    return f'<td style="background:rgba({color},{abs(value) * 0.5:.2f})">{value:+.2f}</td>'
