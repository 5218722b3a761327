"""Runs the pages of the documentation: their code must work, and print what stands under it.

The blocks of one page share a namespace and run in a temporary folder. A block of class `output` is what the block
before it prints; `…` in it stands for anything, on a line of its own for any number of lines. A shell block runs in
the same folder and finds the texts of the page as variables: `url` as $URL. A page that says
`<!-- continues x.md -->` runs after that page, in its folder, as in a new session. `<!-- not run: why -->` exempts the
next block.
"""

import contextlib
import io
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from groundswell.project import Project
from groundswell.serving import Service

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(
    r"(?P<not_run><!-- not run: [^>]+ -->\n+)?^(?P<indent> *)```(?P<info>[^\n`]*)\n(?P<text>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)
_CONTINUES = re.compile(r"^<!-- continues (\S+) -->$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Block:
    """A fenced block: its language, its text, the line it begins in, and what it must print if the page says so."""

    info: str
    text: str
    line: int
    output: str | None = None


def blocks(page: str) -> Iterator[Block]:
    """The blocks of a page that are to be run, each with the output that stands under it."""
    last: Block | None = None
    for found in _FENCE.finditer(page):
        text = re.sub(f"^{found['indent']}", "", found["text"], flags=re.MULTILINE)
        if ".output" in found["info"]:
            raise_if(last is None, f"an output block follows nothing that is run: {text[:60]!r}")
            last = Block(info=last.info, text=last.text, line=last.line, output=text)
            continue
        if last is not None:
            yield last
        runs = found["info"] in ("python", "bash") and not found["not_run"]
        line = page.count("\n", 0, found.start("text")) + 1
        last = Block(info=found["info"], text=text, line=line) if runs else None
    if last is not None:
        yield last


def raise_if(wrong: bool, message: str) -> None:
    """Fail the test with a message."""
    if wrong:
        pytest.fail(message, pytrace=False)


def run(page: Path) -> None:
    """Run a page in the working folder."""
    text = page.read_text()
    if before := _CONTINUES.search(text):
        run(page.parent / before[1])
    namespace: dict[str, object] = {"__name__": "__main__"}
    try:
        for block in blocks(text):
            printed = _run_python(block, page, namespace) if block.info == "python" else _run_shell(block, namespace)
            where = f"{page.relative_to(ROOT)}:{block.line}"
            raise_if(
                block.output is not None and not matches(block.output, printed),
                f"{where} prints\n{printed}\nand the page says\n{block.output}",
            )
    finally:
        for value in reversed(namespace.values()):
            if isinstance(value, Project | Service):
                value.close()


def matches(expected: str, printed: str) -> bool:
    """Whether a block printed what is expected, up to spaces at the ends of lines."""
    lines = [line.rstrip() for line in expected.rstrip().split("\n")]
    pattern = "\n".join(
        r"(?s:.*)" if line == "…" else "[^\n]*".join(re.escape(part) for part in line.split("…")) for line in lines
    )
    return re.fullmatch(pattern, "\n".join(line.rstrip() for line in printed.rstrip().split("\n"))) is not None


def _run_python(block: Block, page: Path, namespace: dict[str, object]) -> str:
    # Under the page's own name and line, so that tracebacks point there and runs can record the source of functions.
    code = compile("\n" * (block.line - 1) + block.text, str(page), "exec")
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(code, namespace)
    return printed.getvalue()


def _run_shell(block: Block, namespace: dict[str, object]) -> str:
    texts = {name.upper(): value for name, value in namespace.items() if isinstance(value, str) and name.isidentifier()}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block.text],
        env={**os.environ, **texts, "PATH": path, "COLUMNS": "100", "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    raise_if(done.returncode != 0, f"{block.text}ended with {done.returncode}:\n{done.stdout}")
    return done.stdout


@pytest.fixture
def run_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Runs a page, given by its path in the repository, in a temporary folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    return lambda path: run(ROOT / path)
