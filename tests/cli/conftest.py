import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from groundswell.cli import app

Run = Callable[..., Result]


@pytest.fixture
def run(project_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command on the project in `project_folder`, in a terminal of 80 columns that is none."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("GROUNDSWELL_PROJECT", str(project_folder))
    runner = CliRunner()

    def invoke(*arguments: object, code: int = 0, stdin: str | None = None) -> Result:
        result = runner.invoke(app, [str(argument) for argument in arguments], input=stdin)
        assert result.exit_code == code, (result.output, result.exception)
        assert "\x1b" not in result.output
        return result

    return invoke


@pytest.fixture
def run_json(run: Run) -> Callable[..., dict[str, Any]]:
    """Runs a command with --json and gives the one document that it prints."""

    def invoke(*arguments: object, code: int = 0, stdin: str | None = None) -> dict[str, Any]:
        result = run(*arguments, "--json", code=code, stdin=stdin)
        assert result.stderr == ""
        document = json.loads(result.stdout)
        assert isinstance(document, dict)
        return document

    return invoke
