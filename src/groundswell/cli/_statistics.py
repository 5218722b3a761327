"""The command about the statistics of feature groups."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from groundswell.cli._options import HERE, AsJson, GroupName, InProject, open_project, version_or_time
from groundswell.cli._text import print_json, visible

if TYPE_CHECKING:
    from groundswell.features import ColumnStatistics, Comparison, StatisticsReport

__all__ = ["statistics"]

AsOf = Annotated[
    str | None, typer.Option(metavar="VERSION|TIME", help="As of a version or a time.", show_default="now")
]
OneCommit = Annotated[int | None, typer.Option("--commit", metavar="VERSION", help="Of what one commit wrote.")]
Current = Annotated[bool, typer.Option("--current", help="Of the current rows, not of all that were written.")]
Column = Annotated[str | None, typer.Option(metavar="NAME", help="Plot the distribution of a column.")]
Against = Annotated[
    int | None, typer.Option(metavar="VERSION", help="How far the columns moved since that commit's rows.")
]
Html = Annotated[Path | None, typer.Option(metavar="FILE", help="Write the report with its plots as an HTML page.")]


def statistics(
    group: GroupName,
    project: InProject = HERE,
    as_of: AsOf = None,
    commit: OneCommit = None,
    current: Current = False,
    column: Column = None,
    against: Against = None,
    html: Html = None,
    as_json: AsJson = False,
) -> None:
    """Show the statistics of a feature group: ranges, means, quantiles, frequent values, gaps.

    \b
    Example: groundswell statistics weather --column temp

    \b
    Keys of --json: of, scope, version, rows, commits, lost, correlations,
                    columns: [name, type, rows, nulls, nan, infinite, minimum, maximum, mean, std,
                              distinct, quantiles, frequent, accuracy]
                    with --against: reference, other, columns: [name, psi, ks, ks_error, mean_shift,
                                                                missing_shift]
    """
    with open_project(project) as opened:
        found = opened.get_feature_group(group)
        rows = "current" if current else "written"
        report = found.statistics(version_or_time(as_of), commit=commit, rows=rows)  # type: ignore[arg-type]
        moved = None if against is None else found.statistics(commit=against).compare(report)
    if html is not None:
        html.write_text(report.to_html(), encoding="utf-8")
    if as_json:
        print_json(report.to_dict() if moved is None else moved.to_dict())
    elif moved is not None:
        _print_comparison(moved)
    elif column is not None:
        for line in str(report.plot(column)).splitlines():
            typer.echo(visible(line))
    elif html is None:
        _print_report(report)


def _print_report(report: "StatisticsReport") -> None:
    from groundswell.cli._tables import print_table

    typer.echo(visible(report.title))
    titles = ("column", "type", "missing", "minimum", "mean", "median", "maximum", "std", "most frequent")
    print_table(titles, [_cells(column) for column in report.columns.values()], empty="It is of no column.")


def _cells(column: "ColumnStatistics") -> list[Any]:  # Any: values of every column type
    first = column.frequent[0] if column.frequent else None
    most = None if first is None or first.estimate < 2 else f"{first.value} ({first.estimate:,})"
    missing = column.nulls + column.nan
    figures = (column.minimum, column.mean, column.median, column.maximum, column.std)
    return [column.name, column.type, missing, *figures, most]


def _print_comparison(moved: "Comparison") -> None:
    from groundswell.cli._tables import print_table

    typer.echo(visible(f"Reference: {moved.reference}"))
    typer.echo(visible(f"Compared:  {moved.other}"))
    titles = ("column", "psi", "ks", "ks error", "mean shift", "missing shift")
    figures = ("name", "psi", "ks", "ks_error", "mean_shift", "missing_shift")
    print_table(titles, [[getattr(drift, figure) for figure in figures] for drift in moved.columns])
