"""Fixtures for tests of several rooms."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest


class ForkServer:
    """Starts workers that run a task of `_fork_server.py` in a process of their own, and can be killed at any time."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("_fork_server.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(self, task: str, *, environment: dict[str, str] | None = None, **arguments: object) -> int:
        """Run the task with the arguments in a new process; its process id."""
        return self._ask({"start": task, "arguments": arguments, "environment": environment or {}})

    def wait(self, pid: int) -> int:
        """The worker's exit status once it has ended; minus the signal's number if a signal ended it."""
        return self._ask({"wait": pid})

    def run(self, task: str, *, environment: dict[str, str] | None = None, **arguments: object) -> int:
        """Start and wait."""
        return self.wait(self.start(task, environment=environment, **arguments))

    def close(self) -> None:
        """End the server; its workers have been waited for."""
        self._process.stdin.close()
        assert self._process.wait(30) == 0
        self._process.stdout.close()

    def _ask(self, request: dict[str, object]) -> int:
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the fork server has ended; its error is above"
        return int(answer)


@pytest.fixture(scope="session")
def fork_server() -> Iterator[ForkServer]:
    """Workers that start in milliseconds."""
    server = ForkServer()
    yield server
    server.close()
