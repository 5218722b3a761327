"""Commands about feature groups and views."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from groundswell.cli._options import (
    HERE,
    AsJson,
    At,
    GroupName,
    InProject,
    Limit,
    Version,
    open_project,
    version_or_time,
)
from groundswell.cli._text import print_json
from groundswell.cli._versions import commit_values
from groundswell.errors import GroundswellError

if TYPE_CHECKING:
    from groundswell.features import Explanation, FeatureGroup, FeatureView

__all__ = ["compact", "describe", "explain", "groups", "history", "read", "views"]

DEFAULT_ROWS = 20
"""Rows of a table on a terminal, if nothing else is asked for."""


class Format(StrEnum):
    """What rows are written as."""

    table = "table"
    csv = "csv"
    json = "json"
    parquet = "parquet"


def groups(project: InProject = HERE, as_json: AsJson = False) -> None:
    """List the feature groups.

    \b
    Example: groundswell groups --project flights

    \b
    Keys of --json: groups: [name, version, description, primary_key, event_time, available_at,
                             columns, rows_written, table_version, last_commit, problem]
    """
    from groundswell.cli._tables import print_table

    with open_project(project) as opened:
        listed = [_listed(group) for group in opened.feature_groups()]
    if as_json:
        print_json({"groups": listed})
        return
    titles = ("group", "key", "event time", "available at", "columns", "rows written", "commit", "problem")
    keys = ("name", "primary_key", "event_time", "available_at", "columns", "rows_written", "table_version", "problem")
    shown = range(len(keys) - (not any(group["problem"] for group in listed)))
    print_table(
        [titles[i] for i in shown],
        [[group[keys[i]] for i in shown] for group in listed],
        empty="There are no feature groups yet. Make one from Python: project.create_feature_group(…).",
    )


def _listed(group: "FeatureGroup") -> dict[str, Any]:  # Any: JSON
    """A group in brief. One that cannot be read is listed with the reason, for the others can."""
    base: dict[str, Any] = {
        "name": group.name,
        "version": group.version,
        "description": group.description,
        "primary_key": list(group.primary_key),
        "event_time": group.event_time,
        "available_at": group.available_at,
        "columns": len(group.schema) if group.has_table else 0,
        "rows_written": 0,
        "table_version": None,
        "last_commit": None,
        "problem": None,
    }
    if not group.has_table:
        return base
    try:
        snapshot = group.snapshot()
    except GroundswellError as error:
        return base | {"problem": str(error)}
    return base | {
        "rows_written": snapshot.rows,
        "table_version": snapshot.version,
        "last_commit": snapshot.committed_at,
    }


def describe(group: GroupName, project: InProject = HERE, version: Version = None, as_json: AsJson = False) -> None:
    """Describe a feature group: its columns, keys and times, rows and files.

    \b
    Example: groundswell describe weather

    \b
    Keys of --json: name, version, description, tags: name to value, feature_descriptions: name to
                    text, feature_tags: name to tags, primary_key, event_time, available_at,
                    online, retention, created_at, created_by, schema: [name, type, nullable], rows,
                    rows_written, files, table_version, last_commit
    """
    from groundswell.cli._tables import print_facts, print_table

    with open_project(project) as opened:
        found = opened.get_feature_group(group, version).describe()
    for name, value in {"rows_written": 0, "files": 0, "last_commit": None}.items():  # of a group without columns
        found.setdefault(name, value)
    if as_json:
        print_json(found)
        return
    columns = found.pop("schema") or []
    told, tagged = found.pop("feature_descriptions"), found.pop("feature_tags")
    roles = dict.fromkeys(found["primary_key"], "key")
    roles |= {found[role]: role.replace("_", " ") for role in ("event_time", "available_at") if found[role]}
    print_facts({name.replace("_", " "): value for name, value in found.items()})
    typer.echo()
    print_table(
        ("column", "type", "role", "null", *(["description"] if told else []), *(["tags"] if tagged else [])),
        [
            (
                *(c["name"], c["type"], roles.get(c["name"], ""), "" if c["nullable"] else "never"),
                *([told.get(c["name"], "")] if told else []),
                *([tagged.get(c["name"])] if tagged else []),
            )
            for c in columns
        ],
        empty="It has no columns yet: its first insert decides.",
    )


def history(group: GroupName, project: InProject = HERE, limit: Limit = None, as_json: AsJson = False) -> None:
    """Show the commits of a feature group, newest first: who did what and when, and to how many rows.

    \b
    Example: groundswell history weather --limit 5

    \b
    Keys of --json: group, commits: [version, committed_at, kind, author, rows, new, replaced,
                                     deleted, detail]
    """
    from groundswell.cli._tables import print_table

    with open_project(project) as opened:
        found = opened.get_feature_group(group).history(limit)
        commits = [commit_values(found[i]) for i in range(len(found))]
    if as_json:
        print_json({"group": group, "commits": commits})
        return
    for commit in commits:
        commit["committed_at"] = commit["committed_at"].replace(microsecond=0)
    columns = ("version", "committed_at", "author", "kind", "rows", "new", "replaced", "deleted")
    titles = ("version", "when", "who", "what", "rows", "new", "replaced", "deleted")
    print_table(titles, [[commit[c] for c in columns] for commit in commits], empty="It has no commits yet.")


def read(
    group: GroupName,
    project: InProject = HERE,
    columns: Annotated[
        list[str] | None, typer.Option(metavar="NAMES", help="Which columns, with commas between.", show_default="all")
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option(metavar="VERSION|TIME", help="As it was at a version or a time.", show_default="as it is now"),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=0, help="At most so many rows.", show_default=f"all; of a table {DEFAULT_ROWS}")
    ] = None,
    form: Annotated[Format, typer.Option("--format", "-f", help="What to write them as.")] = Format.table,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Where to write them.", show_default="standard output"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
) -> None:
    """Read the rows of a feature group, as they are or as they were.

    Rows that were replaced are folded away. A file is there whole or not at all.

    \b
    Example: groundswell read weather --columns origin,temp --limit 5
             groundswell read weather --as-of 2013-11-01T15:00Z --format csv > weather.csv
             groundswell read weather --format parquet --output weather.parquet

    \b
    Keys of --json: group, table_version, columns: [name, type, nullable], rows: [column to value]
    """
    from groundswell.cli._rows import write_rows

    form = Format.json if as_json else form
    if form is Format.parquet and output is None:
        raise typer.BadParameter("Parquet needs a file: add --output FILE.", param_hint="--format")
    with open_project(project) as opened:
        found = opened.get_feature_group(group)
        version = found.snapshot(version_or_time(as_of)).version
        names = [name for part in columns for name in part.split(",")] if columns else None
        data = found.read(names, as_of=version)
        rows = DEFAULT_ROWS if limit is None and form is Format.table else limit
        write_rows(data, form.value, output, rows, {"group": group, "table_version": version})


def views(
    name: Annotated[str | None, typer.Argument(metavar="[VIEW]", help="Describe this one.", show_default="all")] = None,
    project: InProject = HERE,
    version: Version = None,
    as_json: AsJson = False,
) -> None:
    """List the feature views, or describe one.

    \b
    Example: groundswell views
             groundswell views late_arrival

    \b
    Keys of --json: views: [name, version, description, features, labels, groups]
                    of one: name, version, description, features, labels, request: [name, type,
                    nullable], query, created_at, created_by
    """
    from groundswell.cli._tables import print_table

    with open_project(project) as opened:
        if name is not None:
            found = opened.get_feature_view(name, version)
            if as_json:
                print_json(found.describe())
            else:
                typer.echo(repr(found))
            return
        listed = [_view(view) for view in opened.feature_views()]
    if as_json:
        print_json({"views": listed})
        return
    for view in listed:
        view["features"] = len(view["features"])
    print_table(
        ("view", "version", "labels", "groups", "features"),
        [[view[key] for key in ("name", "version", "labels", "groups", "features")] for view in listed],
        empty="There are no feature views yet. Make one from Python: project.create_feature_view(…).",
    )


def _view(view: "FeatureView") -> dict[str, Any]:  # Any: JSON
    return {
        "name": view.name,
        "version": view.version,
        "description": view.description,
        "features": view.schema.names,
        "labels": list(view.labels),
        "groups": list(dict.fromkeys(group.name for group in view.query.groups())),
    }


def explain(
    view: Annotated[str, typer.Argument(metavar="VIEW", help="The name of a feature view.")],
    values: Annotated[
        list[str],
        typer.Argument(metavar="KEY=VALUE…", help="The row: a value for each key and feature that it brings."),
    ],
    project: InProject = HERE,
    at: At = None,
    version: Version = None,
    as_json: AsJson = False,
) -> None:
    """Explain what a row sees: which row of each joined group matches, or why none does.

    \b
    Example: groundswell explain late_arrival origin=EWR distance=1400 --at 2013-12-20T15:00Z

    \b
    Keys of --json: view, version, at, joins: [name, keys, commit, event_time, available_at, age_s,
                    values, reason, point_in_time]
    """
    from groundswell.cli._values import parse_values

    with open_project(project) as opened:
        found = opened.get_feature_view(view, version)
        moment = opened.clock() if at is None else at
        explanation = found.explain(parse_values(values, found.request_schema), at=moment)
    if as_json:
        print_json({"view": found.name, "version": found.version, **_explained(explanation)})
    else:
        typer.echo(str(explanation))


def _explained(explanation: "Explanation") -> dict[str, Any]:  # Any: JSON
    joins = [dict(vars(join)) for join in explanation.joins]
    for join in joins:
        join["age_s"] = join.pop("age")
    return {"at": explanation.at, "joins": joins}


def compact(group: GroupName, project: InProject = HERE, as_json: AsJson = False) -> None:
    """Fold replaced rows of a feature group away and write the rest as few files.

    Reads give the same rows, and old versions stay readable.

    \b
    Example: groundswell compact weather

    \b
    Keys of --json: group, commit: as of history, or null if there was nothing to gain
    """
    with open_project(project) as opened:
        commit = opened.get_feature_group(group).compact()
    if as_json:
        print_json({"group": group, "commit": None if commit is None else commit_values(commit)})
    elif commit is None:
        typer.echo("There was nothing to gain.")
    else:
        typer.echo(f"Version {commit.version} has {commit.rows:,} rows; {commit.detail['folded']:,} were folded away.")
