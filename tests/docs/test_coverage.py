"""Nothing public is without documentation: names, errors, routes, environment variables."""

import importlib
import pkgutil
import re
from pathlib import Path

import pytest
import typer

import groundswell
from groundswell.catalog import VERBS
from groundswell.cli import app

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs/reference"
ROOMS = sorted(
    f"groundswell.{module.name}"
    for module in pkgutil.iter_modules(groundswell.__path__)
    if not module.name.startswith("_") and module.name not in ("examples", "cli", "__main__")
)


def directives() -> dict[str, str | None]:
    """What the reference pages ask mkdocstrings for: each identifier, with the members it is limited to."""
    found: dict[str, str | None] = {}
    for page in REFERENCE.glob("*.md"):
        for identifier, options in re.findall(r"^::: (\S+)\n((?: +.*\n?)*)", page.read_text(), re.MULTILINE):
            members = re.search(r"members: \[(.*?)\]", options)
            found[identifier] = members and members[1]
    return found


def test_what_a_class_has_of_another_one_is_shown_too() -> None:
    for page in REFERENCE.glob("*.md"):
        for name, options in re.findall(r"^::: groundswell\.(\S+)\n((?: +.*\n?)*)", page.read_text(), re.MULTILINE):
            room, _, class_name = name.rpartition(".")
            noun = getattr(importlib.import_module(f"groundswell.{room}" if room else "groundswell"), class_name, None)
            if not isinstance(noun, type) or "members: [" in options.replace("inherited_members", ""):
                continue
            ours = [base for base in noun.__mro__[1:] if base.__module__.startswith("groundswell")]
            members = {member for base in ours for member in vars(base) if not member.startswith("_")}
            hidden = members - vars(noun).keys()
            assert not hidden or "inherited_members: true" in options, f"{page.name} hides {sorted(hidden)} of {name}"


@pytest.mark.parametrize("room", ROOMS)
def test_every_public_name_is_in_the_reference(room: str) -> None:
    asked = directives()
    module = importlib.import_module(room)
    whole = room in asked
    listed = (asked.get(room) or "").split(", ")
    for name in getattr(module, "__all__", ["Project"]):
        documented = f"{room}.{name}" in asked or (whole and (asked[room] is None or name in listed))
        assert documented, f"{room}.{name} is in no page of docs/reference"


def test_every_name_of_the_package_is_in_the_reference() -> None:
    text = (REFERENCE / "project.md").read_text()
    for name in groundswell.__all__:
        assert f"gs.{name}" in text, f"gs.{name} is not in docs/reference/project.md"


def test_every_error_has_a_way_out_in_the_how_to() -> None:
    text = (ROOT / "docs/how-to/errors.md").read_text()
    for name in groundswell.errors.__all__:
        if name.endswith("Error"):
            assert f"`{name}`" in text, f"{name} is not in docs/how-to/errors.md"


def test_every_verb_of_events_is_in_the_reference() -> None:
    text = (REFERENCE / "changes.md").read_text()
    documented = re.findall(r"^\| `([a-z ]+)` \| ", text[text.index("## Verbs") :], re.MULTILINE)
    assert documented == list(VERBS)


def test_every_route_is_in_the_reference() -> None:
    from groundswell.serving._app import application
    from groundswell.serving._deployment import Limits

    class NothingDeployed:
        """Routes are the same whatever is deployed."""

    table = (REFERENCE / "http.md").read_text()
    routes = application(NothingDeployed(), Limits(), None).routes
    paths = {(method, route.path) for route in routes for method in route.methods - {"HEAD"}}
    documented = set(re.findall(r"^\| ([A-Z]+) \| `([^`]+)` \|", table, re.MULTILINE))
    assert documented == paths


def test_every_environment_variable_is_in_the_reference() -> None:
    text = (REFERENCE / "environment.md").read_text()
    sources = "\n".join(path.read_text() for path in (ROOT / "src").rglob("*.py"))
    used = set(re.findall(r"""(?:environ(?:\.get\(|\[)|envvar=)\s*["'](\w+)["']""", sources))
    assert "GROUNDSWELL_FAULT" in used
    for name in used:
        assert f"`{name}`" in text, f"{name} is not in docs/reference/environment.md"


def test_every_command_is_in_the_reference() -> None:
    text = (REFERENCE / "commands.md").read_text()
    for name, command in typer.main.get_command(app).commands.items():
        asked = f"<!-- help of groundswell {name} -->"
        assert command.hidden or asked in text, f"docs/reference/commands.md lacks the line {asked}"
