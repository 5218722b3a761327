"""The application: which commands there are, and the one place where their errors become text and exit codes."""

import os
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from groundswell._version import __version__
from groundswell.cli._care import doctor
from groundswell.cli._changes import changes, consumers, follow
from groundswell.cli._errors import report
from groundswell.cli._features import compact, describe, explain, groups, history, read, views
from groundswell.cli._find import find
from groundswell.cli._models import models, runs
from groundswell.cli._online import online
from groundswell.cli._predictions import predict, serve, trace
from groundswell.cli._schema import append, widen
from groundswell.cli._start import demo, init
from groundswell.cli._statistics import statistics
from groundswell.cli._streams import quarantine, stream
from groundswell.cli._validations import validations
from groundswell.cli._versions import delete, diff, purge, restore, vacuum

__all__ = ["app", "main"]

COMMANDS = {
    "Begin": (demo, init),
    "Features": (
        find, groups, describe, history, statistics, validations, read, views, explain, append, widen, compact,
    ),
    "Versions": (diff, restore, delete, purge, vacuum),
    "Streams": (stream, quarantine),
    "Models": (runs, models),
    "Predictions": (serve, predict, trace),
    "Changes": (changes, consumers, follow),
    "Care": (doctor, online),
}  # fmt: skip
"""The commands under the titles that `--help` groups them by."""


class Commands(TyperGroup):
    """All commands, in groups; every error leaves through here."""

    def main(self, *args: Any, **settings: Any) -> Any:  # Any: as Typer declares it
        """Run one command and exit with its code."""
        given = list(sys.argv[1:] if settings.get("args") is None else settings["args"])
        arguments = [argument for argument in given if argument != "--debug"]  # every command takes it, anywhere
        settings |= {"args": arguments or ["--help"], "standalone_mode": False}
        try:
            code = super().main(*args, **settings)
        except Exception as error:
            # The process boundary: whatever goes wrong is told in words.
            if len(arguments) < len(given) and not isinstance(error, typer.TyperException):
                raise
            code = report(error, as_json="--json" in arguments)
        sys.exit(code if isinstance(code, int) else 0)

    def invoke(self, ctx: Any) -> Any:  # Any: Typer keeps its context's type private, and commands return anything
        """Run the command; a reader that has seen enough, such as `head`, ends it quietly."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is flushed at exit goes nowhere
            raise typer.Exit(0) from None
        return result

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # Any: Typer keeps both types private
        """Write the commands under their titles."""
        width = max(map(len, self.commands))
        for title, functions in COMMANDS.items():
            with formatter.section(title):
                names = [function.__name__ for function in functions]
                formatter.write_dl([(n.ljust(width), self.commands[n].get_short_help_str(1_000)) for n in names])


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"groundswell {__version__}")
        raise typer.Exit


def _describe(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_show_version, help="Show the version and exit.")
    ] = False,
) -> None:
    """From a table to a prediction service.

    \b
    Try it on real data:       groundswell demo
    Look at what it made:      groundswell groups --project demo
    Learn about a command:     groundswell read --help

    Commands work on the project in the current folder, in the one that GROUNDSWELL_PROJECT names, or in that of
    --project (-p). With --json they print one JSON document, and errors as {"error": {...}} on stderr.

    \b
    Exit codes: 0 done
                1 an error, told on stderr; --debug shows where it comes from
                2 wrong usage
                3 the doctor found something that needs care
                130 interrupted
    """


app = typer.Typer(
    cls=Commands,
    name="groundswell",
    # Typer's Rich help loads a Markdown parser and a highlighter: 100 ms more than the rest of `--help` takes.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
app.callback()(_describe)
for _functions in COMMANDS.values():
    for _function in _functions:
        app.command()(_function)


def main() -> None:
    """Run the command that the arguments name."""
    app()
