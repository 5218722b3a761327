"""Commands that show what happens in a project, and bring it to consumers."""

import signal
import threading
from typing import Annotated

import typer

from groundswell.cli._options import HERE, AsJson, InProject, open_project
from groundswell.cli._text import print_json, visible

__all__ = ["changes", "consumers", "follow"]

Several = list[str] | None


def changes(
    project: InProject = HERE,
    after: Annotated[int, typer.Option(min=0, help="Those that follow the event of this number.")] = 0,
    path: Annotated[Several, typer.Option(metavar="PATTERN", help="Of kind/name/version; repeatable.")] = None,
    kind: Annotated[Several, typer.Option(help="Such as model; repeatable.")] = None,
    verb: Annotated[Several, typer.Option(help="Such as inserted; repeatable.")] = None,
    tag: Annotated[Several, typer.Option(help="The name of a tag; repeatable.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show everything that happened, oldest first: commits of all tools, tags, runs, models.

    \b
    Example: groundswell changes --path 'feature_group/weather/*'
             groundswell changes --after 120 --kind model --json

    \b
    Keys of --json: events: [sequence, at, by, verb, path, kind, name, version, id, tags,
                    detail: what else is known, by verb]
    """
    from groundswell.cli._tables import print_table

    with open_project(project) as opened:
        wanted = {"paths": path or (), "kinds": kind or (), "verbs": verb or (), "tags": tag or ()}
        events = list(opened.changes(after, **wanted))
    if as_json:
        print_json({"events": [event.to_dict() for event in events]})
        return
    rows = [(event.sequence, event.at, event.by or "another tool", event.verb, event.path) for event in events]
    print_table(("event", "when", "who", "what", "path"), rows, empty="Nothing happened.")


def consumers(project: InProject = HERE, as_json: AsJson = False) -> None:
    """Show who is told of changes, how far each is, and what is wrong with it.

    \b
    Example: groundswell consumers

    \b
    Keys of --json: consumers: [name, kind, filter: paths, kinds, verbs, tags; position, behind,
                    waiting (seconds), delivered_at, failures, error]
    """
    from groundswell.cli._tables import print_table

    with open_project(project) as opened:
        found = opened.consumers()
    if as_json:
        print_json({"consumers": [status.to_dict() for status in found]})
        return
    rows = [(s.name, s.kind or "of a program", s.position, s.behind, s.delivered_at, s.error) for s in found]
    columns = ("consumer", "kind", "event", "behind", "delivered", "error")
    print_table(columns, rows, empty="There are no consumers. Add one with project.add_consumer.")


def follow(
    project: InProject = HERE,
    once: Annotated[bool, typer.Option("--once", help="Deliver what there is, and end.")] = False,
    rebuild: Annotated[
        str | None, typer.Option(metavar="NAME", help="Build what a consumer made of changes anew, and end.")
    ] = None,
) -> None:
    """Bring changes to their consumers as they happen, until Ctrl-C. It may be killed at any time.

    Run as many as you like, on this machine: they take turns.

    \b
    Example: groundswell follow
             groundswell follow --rebuild audit
    """
    with open_project(project) as opened:
        stream = opened.change_stream()
        if rebuild is not None:
            typer.echo(f"{visible(rebuild)} was built anew, up to event {stream.rebuild(rebuild)}.")
        elif once:
            typer.echo(f"All consumers have what happened up to event {stream.catch_up()}.")
        else:
            signal.signal(signal.SIGTERM, signal.default_int_handler)  # a supervisor's way to say Ctrl-C
            with stream:
                typer.echo(f"Following {visible(str(opened.folder))}; Ctrl-C ends it.")
                threading.Event().wait()
