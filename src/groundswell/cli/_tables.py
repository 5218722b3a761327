"""Tables and facts for people: fitted to the terminal, and whole in a pipe."""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from groundswell.cli._text import plain, visible

__all__ = ["print_facts", "print_renderable", "print_table", "shown"]

_WIDE = 100_000
"""Columns of a pipe, in which nothing is cut or wrapped."""


def print_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    empty: str = "",
    cell: Callable[[object], str] | None = None,
) -> None:
    """Print rows under titles, numbers to the right.

    Args:
        columns: the titles.
        rows: values in the order of the titles.
        empty: what to print instead if there are no rows.
        cell: how a value looks; None is `shown`.
    """
    values = list(rows)
    listed = [[(cell or shown)(value) for value in row] for row in values]
    if not listed and empty:
        typer.echo(empty)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for i, column in enumerate(columns):
        numeric = any(isinstance(row[i], int | float) and not isinstance(row[i], bool) for row in values)
        table.add_column(Text(visible(column)), justify="right" if numeric else "left", overflow="fold")
    for texts in listed:
        table.add_row(*map(Text, texts))
    console = _console()
    if console.measure(table, options=console.options.update_width(_WIDE)).maximum <= console.width:
        print_renderable(table)
        return
    for texts in listed:  # folded into a narrow terminal, columns are hard to read: one value a line then
        print_facts({visible(column): text for column, text in zip(columns, texts, strict=True)})
        typer.echo()


def print_facts(facts: Mapping[str, object]) -> None:
    """Print names and values, one a line; those without a value are left out."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for name, value in facts.items():
        if value not in (None, "", [], {}):
            table.add_row(name, Text(shown(value)))
    print_renderable(table)


def print_renderable(renderable: object) -> None:
    """Print what Rich can render, with colors on a terminal only and no spaces at the ends of lines."""
    console = _console()
    with console.capture() as captured:
        console.print(renderable)
    for line in captured.get().splitlines():
        typer.echo(line.rstrip())


def _console() -> Console:
    terminal = sys.stdout.isatty()
    return Console(highlight=False, width=None if terminal else _WIDE, no_color=None if terminal else True)


def shown(value: object) -> str:
    """A value in a cell.

    >>> shown(336776), shown(0.1234567), shown(None), shown(["a", "b"]), shown({"x": 1})
    ('336,776', '0.1235', '', 'a, b', 'x=1')
    """
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:.4g}"
        case list() | tuple():
            return ", ".join(map(shown, value))
        case Mapping():
            return ", ".join(f"{visible(str(key))}={shown(item)}" for key, item in value.items())
        case datetime():
            return f"{value:%Y-%m-%d %H:%M:%S}" + (f".{value.microsecond:06}" if value.microsecond else "") + " UTC"
        case _:
            return visible(str(plain(value)))
