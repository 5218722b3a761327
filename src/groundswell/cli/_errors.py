"""How errors are told: in three parts for people, as JSON for machines, with an exit code for both."""

import json

import typer

from groundswell.cli._text import plain, visible
from groundswell.errors import GroundswellError

__all__ = ["report"]


def report(error: Exception, *, as_json: bool) -> int:
    """Tell an error on stderr and give the exit code that goes with it."""
    if isinstance(error, GroundswellError):
        parts, facts, code = (error.what, error.why, error.fix), error.facts, 1
    elif isinstance(error, typer.TyperException):
        parts, facts, code = (error.format_message(), "", _hint(error)), {}, error.exit_code
    else:
        what = f"{type(error).__name__}: {error}"
        why = "This is a defect of Groundswell, or of a package that it uses."
        parts, facts, code = (what, why, "Run it again with --debug, and report what it prints."), {}, 1
    if as_json:
        document = {"type": type(error).__name__, **dict(zip(("what", "why", "fix"), parts, strict=True))}
        typer.echo(json.dumps({"error": document | {"facts": plain(facts)}}), err=True)
        return code
    what, why, fix = map(visible, parts)
    typer.echo(typer.style("error: ", fg="red", bold=True) + what, err=True)
    for part in (why, fix):
        if part:
            typer.echo(f"       {part}", err=True)
    return code


def _hint(error: typer.TyperException) -> str:
    """Where wrong usage is explained."""
    context = getattr(error, "ctx", None)
    return f"Try '{context.command_path} --help'." if context is not None else ""
