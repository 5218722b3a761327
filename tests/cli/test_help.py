"""The help: all commands, as they are documented. `--help` of the whole is kept in help.txt."""

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from groundswell import __version__
from groundswell.cli._app import COMMANDS

Run = Callable[..., Result]
NAMES = [function.__name__ for functions in COMMANDS.values() for function in functions]
READING = [name for name in NAMES if name not in {"demo", "follow", "init", "serve"}]


def test_the_help_is_the_one_that_is_kept(run: Run) -> None:
    kept = Path(__file__).with_name("help.txt").read_text()
    assert run("--help").stdout == kept
    assert run("-h").stdout == kept
    assert run().stdout == kept


def test_all_commands_are_there(run: Run) -> None:
    assert sorted(NAMES) == [
        "append", "changes", "compact", "consumers", "delete", "demo", "describe", "diff", "doctor", "explain",
        "find", "follow", "groups", "history", "init", "models", "online", "predict", "purge", "quarantine", "read",
        "restore", "runs", "serve", "statistics", "stream", "trace", "vacuum", "validations", "views", "widen",
    ]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_every_command_teaches_with_an_example(run: Run, name: str) -> None:
    text = run(name, "--help").stdout
    assert text.startswith(f"Usage: groundswell {name} ")
    assert f"Example: groundswell {name}" in text
    assert ("--json" in text) is (name in READING)
    assert ("Keys of --json: " in text) is (name in READING)
    assert ("GROUNDSWELL_PROJECT" in text) is (name not in {"demo", "init"})


def test_the_version_is_shown(run: Run) -> None:
    assert run("--version").stdout == f"groundswell {__version__}\n"


def test_completion_can_be_shown_and_completes_commands(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_GROUNDSWELL_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", "groundswell des")
    monkeypatch.setenv("COMP_CWORD", "1")
    assert run().stdout.split() == ["describe"]
