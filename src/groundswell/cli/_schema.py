"""Commands about the columns of a feature group: appended, and given wider types."""

from typing import TYPE_CHECKING, Annotated

import typer

from groundswell.cli._options import HERE, AsJson, GroupName, InProject, open_project
from groundswell.cli._text import print_json
from groundswell.cli._versions import commit_values

if TYPE_CHECKING:
    from groundswell.tables import Commit

__all__ = ["append", "widen"]

Kind = Annotated[
    str, typer.Argument(metavar="TYPE", help="Such as int64, float64, string, timestamp, list<float32>[8].")
]


def append(
    group: GroupName,
    column: Annotated[str, typer.Argument(metavar="COLUMN", help="The name of the new column.")],
    kind: Kind,
    default: Annotated[
        str | None, typer.Option(metavar="VALUE", help="What it is in rows that are there.", show_default="null")
    ] = None,
    not_null: Annotated[bool, typer.Option("--not-null", help="It must never be null.")] = False,
    project: InProject = HERE,
    as_json: AsJson = False,
) -> None:
    """Append a column to a feature group, as one commit. Earlier versions keep the columns that they had.

    \b
    Example: groundswell append weather humid float64
             groundswell append weather unit string --default C --not-null

    \b
    Keys of --json: group, commit: as of history
    """
    import pyarrow as pa

    from groundswell.cli._values import parse_values
    from groundswell.types import Schema, type_from_name

    field = pa.field(column, type_from_name(kind), nullable=not not_null)
    given = {} if default is None else parse_values([f"{column}={default}"], Schema.of({column: field.type}))
    with open_project(project) as opened:
        commit = opened.get_feature_group(group).append_features({column: field}, default=given)
    _print(group, commit, as_json)


def widen(
    group: GroupName,
    column: Annotated[str, typer.Argument(metavar="COLUMN", help="Its name.")],
    kind: Kind,
    project: InProject = HERE,
    as_json: AsJson = False,
) -> None:
    """Give a column of a feature group a type that holds all its values and more, as one commit.

    \b
    Example: groundswell widen weather visib float64

    \b
    Keys of --json: group, commit: as of history, or null if it has that type
    """
    from groundswell.types import type_from_name

    with open_project(project) as opened:
        commit = opened.get_feature_group(group).widen(column, type_from_name(kind))
    _print(group, commit, as_json)


def _print(group: str, commit: "Commit | None", as_json: bool) -> None:
    if as_json:
        print_json({"group": group, "commit": None if commit is None else commit_values(commit)})
    elif commit is None:
        typer.echo("It has that type already.")
    else:
        typer.echo(f"Version {commit.version} has version {commit.detail['schema_version']} of the schema.")
