"""The command that examines a project."""

from typing import Annotated

import typer

from groundswell.cli._options import HERE, AsJson, InProject, open_project
from groundswell.cli._text import print_json, visible

__all__ = ["PROBLEMS", "doctor"]

PROBLEMS = 3
"""The exit code when something needs care."""

_COLORS = {"error": "red", "warning": "yellow", "notice": "cyan"}


def doctor(
    project: InProject = HERE,
    deep: Annotated[
        bool, typer.Option("--deep", help="Read every row, compare every checksum, build every model.")
    ] = False,
    repair: Annotated[bool, typer.Option("--repair", help="Repair what can be made again from what is whole.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check that everything is as it must be, and say how to repair what is not.

    Tables, their commit logs and files, the catalog, what training data is pinned to, models and runs are compared with
    each other. A repair makes again what only repeats something else, finishes what killed processes began, and removes
    files that no commit names; it never touches data. The exit code is 3 if something is left to do.

    \b
    Example: groundswell doctor
             groundswell doctor --deep --repair

    \b
    Keys of --json: ok, checked: noun to number,
                    findings: [severity, what, where, fix, repairable, repaired]
    """
    with open_project(project) as opened:
        diagnosis = opened.doctor(deep=deep, repair=repair)
    if as_json:
        print_json(diagnosis.to_dict())
    else:
        for finding in diagnosis.findings:
            typer.echo(typer.style(f"{finding.severity}: ", fg=_COLORS[finding.severity]) + visible(finding.what))
            typer.echo(f"  in {visible(finding.where)}")
            typer.echo(f"  {visible(f'Repaired: {finding.repaired}' if finding.repaired else finding.fix)}")
        typer.echo(diagnosis.summary)
    if not diagnosis.ok:
        raise typer.Exit(PROBLEMS)
