"""Commands about the versions of a feature group: compared, restored, given up, and rows taken out of them."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from groundswell.cli._options import HERE, AsJson, GroupName, InProject, open_project, version_or_time
from groundswell.cli._text import print_json

if TYPE_CHECKING:
    from groundswell.features import FeatureGroup
    from groundswell.tables import Commit

__all__ = ["commit_values", "delete", "diff", "purge", "restore", "vacuum"]

Moment = Annotated[str, typer.Argument(metavar="VERSION|TIME", help="A version, or the newest one by a time.")]
Keys = Annotated[
    list[str], typer.Argument(metavar="KEY=VALUE…", help="The key columns; times too, to take only rows of these.")
]
DEFAULT_ROWS = 20
"""Rows of a difference on a terminal, if nothing else is asked for."""


def commit_values(commit: "Commit") -> dict[str, Any]:  # Any: JSON
    """What there is to know about a commit."""
    names = ("version", "committed_at", "kind", "author", "rows", "new", "replaced", "deleted", "detail")
    return {name: getattr(commit, name) for name in names}


def diff(
    group: GroupName,
    before: Moment,
    after: Annotated[str | None, typer.Argument(metavar="[VERSION|TIME]", help="Likewise.", show_default="now")] = None,
    project: InProject = HERE,
    limit: Annotated[int, typer.Option(min=0, help="At most so many rows.")] = DEFAULT_ROWS,
    as_json: AsJson = False,
) -> None:
    """Show how the rows of a feature group differ between two versions or times.

    \b
    Example: groundswell diff weather 3 5
             groundswell diff weather 2013-11-01

    \b
    Keys of --json: group, before, after, added, removed, changed, rows: [change, the keys and times,
                    each feature with _before and _after]
    """
    from groundswell.cli._tables import print_table

    with open_project(project) as opened:
        found = opened.get_feature_group(group).diff(version_or_time(before) or 0, version_or_time(after))
        batch = next(found.rows.batches(limit), None) if limit else None
        rows = [] if batch is None else batch.to_pylist()
    if as_json:
        counts = {name: getattr(found, name) for name in ("before", "after", "added", "removed", "changed")}
        print_json({"group": group, **counts, "rows": rows})
        return
    typer.echo(str(found))
    if rows:
        print_table(found.rows.schema.names, [list(row.values()) for row in rows])


def restore(
    group: GroupName,
    version: Moment,
    project: InProject = HERE,
    remainder: Annotated[bool, typer.Option(help="Even if rows of it were purged since.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make a feature group what it was at a version or time, as one commit. Nothing is lost by it.

    \b
    Example: groundswell restore weather 3

    \b
    Keys of --json: group, commit: as of history
    """
    with open_project(project) as opened:
        commit = opened.get_feature_group(group).restore(version_or_time(version) or 0, remainder=remainder)
    _print(group, commit, as_json)


def delete(group: GroupName, keys: Keys, project: InProject = HERE, as_json: AsJson = False) -> None:
    """Delete the rows of a feature group that have a key. Earlier versions keep them; purge takes them there too.

    \b
    Example: groundswell delete customers customer=1007

    \b
    Keys of --json: group, commit: as of history
    """
    with open_project(project) as opened:
        found = opened.get_feature_group(group)
        commit = found.delete_rows(_key(found, keys))
    _print(group, commit, as_json)


def purge(
    group: GroupName,
    keys: Keys,
    project: InProject = HERE,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Erase the rows of a feature group that have a key from every version, for good.

    Versions and training data that held them are not what they were any more, and say so when they are read.

    \b
    Example: groundswell purge customers customer=1007 --yes

    \b
    Keys of --json: group, commit: as of history
    """
    with open_project(project) as opened:
        found = opened.get_feature_group(group)
        key = _key(found, keys)
        question = f"Erase the rows of {group} with {' '.join(keys)} from every version?"
        if not yes and not typer.confirm(question, err=True):
            raise typer.Exit(1)
        commit = found.purge(key)
    _print(group, commit, as_json)


def vacuum(
    group: GroupName,
    project: InProject = HERE,
    keep: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="How far back versions stay readable.", show_default="the group's retention"),
    ] = None,
    keep_versions: Annotated[int | None, typer.Option(min=1, help="How many stay, in place of that.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say only what would go.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove files of a feature group that no version needs which is kept. What training data is pinned to is kept.

    \b
    Example: groundswell vacuum weather --keep 90d --dry-run

    \b
    Keys of --json: group, files, size_bytes, lost: [[first version, last version]],
                    kept_for: [id, title, version], commit: as of history, or null
    """
    with open_project(project) as opened:
        found = opened.get_feature_group(group).vacuum(keep, keep_versions=keep_versions, dry_run=dry_run)
    if not as_json:
        typer.echo(str(found))
        return
    print_json(
        {
            "group": group,
            "files": found.files,
            "size_bytes": found.size_bytes,
            "lost": found.lost,
            "kept_for": [{"id": pin.id, "title": pin.title, "version": pin.version} for pin in found.kept_for],
            "commit": None if found.commit is None else commit_values(found.commit),
        }
    )


def _key(group: "FeatureGroup", pairs: list[str]) -> dict[str, object]:
    from groundswell.cli._values import parse_values
    from groundswell.types import Schema

    return parse_values(pairs, Schema(tuple(group.schema[name] for name in group.definition.identity)))


def _print(group: str, commit: "Commit", as_json: bool) -> None:
    if as_json:
        print_json({"group": group, "commit": commit_values(commit)})
    else:
        typer.echo(f"Group {group!r}, {commit}.")
