"""The command about the online store."""

from typing import Annotated

import typer

from groundswell.cli._options import HERE, AsJson, InProject, open_project
from groundswell.cli._text import print_json

__all__ = ["online"]


def online(
    group: Annotated[str | None, typer.Argument(help="The feature group; all that are online, if left out.")] = None,
    rebuild: Annotated[bool, typer.Option(help="Build it anew from the table, whatever the store holds.")] = False,
    project: InProject = HERE,
    as_json: AsJson = False,
) -> None:
    """Bring online feature groups up to date in the online store, and list them.

    Inserting does so by itself. It is for what was inserted without waiting, and after the store was lost.

    \b
    Example: groundswell online weather --rebuild

    \b
    Keys of --json: groups, each with: group, version, before: versions of its table in the store, now and before
    """
    from groundswell.cli._tables import print_table

    with open_project(project) as opened:
        chosen = opened.feature_groups() if group is None else [opened.get_feature_group(group)]
        found = [
            {"group": each.name, "before": each.online_version, "version": each.follow_online(rebuild=rebuild)}
            for each in chosen
            if each.has_table and (group is not None or each.online)
        ]
    if as_json:
        print_json({"groups": found})
    else:
        print_table(["group", "version", "before"], [[f["group"], f["version"], f["before"]] for f in found],
                    empty="No group is online.")  # fmt: skip
