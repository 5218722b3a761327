"""Options that several commands take, and the project that they name."""

import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from groundswell.errors import DataError, NotFoundError

if TYPE_CHECKING:
    from groundswell.project import Project

__all__ = [
    "HERE",
    "AsJson",
    "At",
    "GroupName",
    "InProject",
    "Limit",
    "Modules",
    "Version",
    "import_modules",
    "open_project",
    "version_or_time",
]

HERE = Path()

InProject = Annotated[
    Path,
    typer.Option(
        "--project",
        "-p",
        envvar="GROUNDSWELL_PROJECT",
        metavar="FOLDER",
        show_default="the current folder",
        help="The project's folder.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
GroupName = Annotated[str, typer.Argument(metavar="GROUP", help="The name of a feature group.")]
Version = Annotated[int | None, typer.Option(min=1, help="Which version of it.", show_default="the latest")]
Limit = Annotated[int | None, typer.Option(min=0, help="At most so many.")]
At = Annotated[
    str | None, typer.Option(metavar="TIME", help="The moment, such as 2013-11-01T15:00Z.", show_default="now")
]

Modules = Annotated[
    list[str] | None,
    typer.Option(
        "--import",
        metavar="MODULE",
        help="A module with on-demand features of the view, such as shop.features; it is run. May be given again.",
        show_default=False,
    ),
]


def import_modules(names: list[str] | None) -> None:
    """Import the modules that a command names, from the current folder too.

    Raises:
        DataError: one cannot be imported.
    """
    if names and "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    for name in names or ():
        try:
            importlib.import_module(name)
        except ImportError as error:
            raise DataError(
                f"The module {name!r} cannot be imported: {error}.",
                fix="Give its dotted name, such as shop.features, as seen from the current folder.",
                module=name,
            ) from error


def open_project(folder: Path) -> "Project":
    """Open the project in a folder; none is made.

    Raises:
        NotFoundError: there is none; the message names those in folders of it.
    """
    from groundswell.project import Project

    if Project.exists(folder):
        return Project.open(folder)
    near = [str(path) for path in sorted(folder.iterdir()) if Project.exists(path)] if folder.is_dir() else []
    hint = f"There is one in {' and in '.join(near)}: --project {near[0]}" if near else f"groundswell init {folder}"
    raise NotFoundError(
        f"There is no project in {folder.absolute()}.",
        why="Commands work on the project in the current folder, unless --project or GROUNDSWELL_PROJECT names one.",
        fix=hint if near else f"Name one, or make one: {hint}",
        path=str(folder.absolute()),
    )


def version_or_time(text: str | None) -> int | str | None:
    """What `--as-of` says: digits are a version, anything else is a time."""
    return int(text) if text is not None and text.isascii() and text.isdigit() else text
