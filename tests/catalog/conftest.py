import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from groundswell.catalog import Catalog


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'catalog.db'}"


@pytest.fixture
def catalog(url: str) -> Iterator[Catalog]:
    with Catalog.create(url) as catalog:
        yield catalog


@pytest.fixture
def together(url: str) -> Callable[[str, int], list[str]]:
    """Runs one program in several processes at once, with `url` and `me` (0, 1, …) defined; gives what each printed."""

    def run(program: str, n_processes: int) -> list[str]:
        head = f"import sys\nfrom groundswell.catalog import *\nurl, me = {url!r}, int(sys.argv[1])\n"
        command = [sys.executable, "-W", "error", "-c", head + program]
        running = [
            subprocess.Popen([*command, str(i)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            for i in range(n_processes)
        ]
        outputs = [process.communicate(timeout=60) for process in running]
        assert [process.returncode for process in running] == [0] * n_processes, outputs
        return [out for out, _ in outputs]

    return run
