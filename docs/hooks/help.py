"""Puts what a command says of itself where a page asks for it.

`<!-- help of groundswell history -->` becomes what `groundswell history --help` prints,
so no page repeats a help text by hand. mkdocs calls this for every page.
"""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

_ASKED = re.compile(r"^<!-- help of (.+) -->$", re.MULTILINE)
_COLUMNS = "88"


def on_page_markdown(markdown: str, **_: object) -> str:
    """The page with every help text that it asks for."""
    return _ASKED.sub(lambda found: _help(found[1]), markdown)


def _help(command: str) -> str:
    program, *arguments = shlex.split(command)
    done = subprocess.run(  # noqa: S603  # the pages are our own
        [Path(sys.executable).with_name(program), *arguments, "--help"],
        env={**os.environ, "COLUMNS": _COLUMNS, "NO_COLOR": "1", "TERM": "dumb"},
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [line.rstrip() for line in done.stdout.strip("\n").split("\n")]
    return "\n".join(["```text", *lines, "```"])
