"""Commands to begin with: a project of one's own, or one made of real data."""

from pathlib import Path
from typing import Annotated

import typer

from groundswell.cli._options import HERE

__all__ = ["demo", "init"]


def demo(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the demo's project goes.")] = Path("demo"),
) -> None:
    """Carry a year of flights from raw tables to a live prediction.

    It reads every departure from New York in 2013 with weather, planes and airports, trains a model that tells late
    flights, serves it over HTTP, and traces one answer back to the rows that made it. It takes about a minute.

    \b
    Example: groundswell demo
             groundswell groups --project demo
    """
    from groundswell.examples import flights

    flights.main(folder)


def init(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the project goes.")] = HERE,
) -> None:
    """Make an empty project.

    The folder must be empty, or not there yet. What is a project already stays as it is.

    \b
    Example: groundswell init flights
    """
    from groundswell.project import Project

    there = Project.exists(folder)
    with Project.open(folder) as project:
        typer.echo(f"{'There is a' if there else 'Made a'} project in {project.folder}.")
    if not there:
        typer.echo(f"Insert data from Python: groundswell.open({str(folder)!r}).create_feature_group(…).insert(frame)")
