"""The command that searches a project."""

from typing import TYPE_CHECKING, Annotated

import typer

from groundswell.cli._options import HERE, AsJson, InProject, open_project
from groundswell.cli._text import print_json, visible

if TYPE_CHECKING:
    from groundswell.catalog import Hit

__all__ = ["find"]


def find(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="[WORD…]", help="What to look for.", show_default="everything")
    ] = None,
    project: InProject = HERE,
    kind: Annotated[
        str | None, typer.Option(metavar="KIND", help="Only this kind, such as feature_group.", show_default="all")
    ] = None,
    tag: Annotated[str | None, typer.Option(metavar="NAME", help="Only what has this tag.", show_default="any")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Find groups, views, training data, runs and models by words of their names, features, descriptions and tags.

    Words may be cut short: late finds late_arrival. What has all words comes first, the best first.

    \b
    Example: groundswell find late flights
             groundswell find temp --kind feature_group
             groundswell find --tag ownership

    \b
    Keys of --json: text, did_you_mean, hits: [id, kind, name, version, score, field, snippet]
    """
    from groundswell.cli._tables import print_table

    text = " ".join(words or ())
    with open_project(project) as opened:
        hits = opened.find(text, kind=kind, tag=tag, limit=limit)
    if as_json:
        fields = ("id", "kind", "name", "version", "score", "field", "snippet")
        listed = [{field: getattr(hit, field) for field in fields} for hit in hits]
        print_json({"text": text, "did_you_mean": hits.did_you_mean, "hits": listed})
    elif not hits:
        typer.echo(visible(repr(hits)))
    else:
        print_table(("kind", "name", "version", "found in", "text"), [_row(hit) for hit in hits])


def _row(hit: "Hit") -> list[object]:
    return [hit.kind.replace("_", " "), hit.name, hit.version, hit.field, hit.snippet]
