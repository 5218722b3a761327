"""The command about what expectations said of the batches of a feature group."""

from typing import TYPE_CHECKING, Annotated

import typer

from groundswell.cli._options import HERE, AsJson, GroupName, InProject, Limit, open_project
from groundswell.cli._text import print_json, visible
from groundswell.errors import NotFoundError, choices

if TYPE_CHECKING:
    from groundswell.features import ValidationReport

__all__ = ["validations"]

Number = Annotated[
    int | None, typer.Option(metavar="REPORT", help="Show this report whole, with rows that break an expectation.")
]


def validations(
    group: GroupName,
    project: InProject = HERE,
    number: Number = None,
    limit: Limit = None,
    as_json: AsJson = False,
) -> None:
    """Show what the expectations of a feature group said of its batches, newest first; refused ones too.

    \b
    Example: groundswell validations weather
             groundswell validations weather --number 3

    \b
    Keys of --json: group, reports: [group, group_version, policy, validated_at, rows, number, commit,
                                     results: [expectation, success, rows, offending, observed,
                                               detail, examples, problem]]
                    with --number: those of one report
    """
    if number is not None and limit is not None:
        raise typer.BadParameter("It is of the list; leave out --number or --limit.", param_hint="--limit")
    with open_project(project) as opened:
        reports = opened.get_feature_group(group).validations()
    if number is not None:
        report = _numbered(reports, number, group)
        print_json(report.to_dict()) if as_json else _print_report(report)
    elif as_json:
        print_json({"group": group, "reports": [report.to_dict() for report in reports[:limit]]})
    else:
        _print_list(reports[:limit])


def _numbered(reports: "list[ValidationReport]", number: int, group: str) -> "ValidationReport":
    for report in reports:
        if report.number == number:
            return report
    raise NotFoundError(
        f"Feature group {group!r} has no validation report {number}.",
        fix=choices(str(number), [str(report.number) for report in reports], "reports"),
        number=number,
    )


def _print_list(reports: "list[ValidationReport]") -> None:
    from groundswell.cli._tables import print_table

    print_table(
        ("report", "validated at", "policy", "status", "broken", "rows", "commit"),
        [
            (
                report.number,
                report.validated_at.replace(microsecond=0),
                report.policy,
                report.status,
                f"{len(report.broken)} of {len(report.results)}",
                report.rows,
                "not written" if report.commit is None else report.commit,
            )
            for report in reports
        ],
        empty="No batch was validated yet. Expectations are set from Python: group.set_expectations([…]).",
    )


def _print_report(report: "ValidationReport") -> None:
    from groundswell.cli._tables import print_table

    typer.echo(visible(report.title))
    print_table(
        ("status", "expectation", "level", "found", "such as"),
        [
            (
                result.status,
                result.expectation.describe(),
                result.expectation.level,
                result.evidence,
                "; ".join(", ".join(f"{name}={value!r}" for name, value in row.items()) for row in result.examples),
            )
            for result in report.results
        ],
    )
