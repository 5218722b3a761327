"""How long it takes to get going: open a project, import the package, ask the command line for help.

    python benchmarks/opening.py [--repetitions 15]

Warm means that the modules are imported and the files are in the system's cache. The unit of an opening is opening the
same Delta table with delta-rs and reading its schema; the unit of an import and of the command line is the start of a
Python interpreter that does nothing. Those are measured as whole processes; of the import's `ms` the start of the
interpreter is taken off.

Prints one JSON line each: `ratio` to the unit, `what`, `ms` (median), `limit_ms`.
"""

import argparse
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from _measure import in_turns, print_line
from deltalake import DeltaTable

import groundswell as gs

START = datetime(2024, 1, 1, tzinfo=UTC)
COMMITS = (10, 1_000)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repetitions", type=int, default=15)
    repetitions = parser.parse_args().repetitions
    for n_commits in COMMITS:
        with tempfile.TemporaryDirectory(prefix="groundswell-benchmark-") as folder:
            path = Path(folder) / "project"
            make_project(path, n_commits)
            unit, ours = in_turns([partial(open_table, path), partial(open_group, path)], repetitions)
            print_line(ratio=ours / unit, what=f"open, {n_commits} commits", ms=ours * 1000, limit_ms=20)
    nothing, importing, helping = in_turns(
        [
            partial(run, sys.executable, "-c", "pass"),
            partial(run, sys.executable, "-c", "import groundswell"),
            partial(run, str(Path(sys.executable).with_name("groundswell")), "--help"),
        ],
        repetitions,
    )
    print_line(ratio=importing / nothing, what="import groundswell", ms=(importing - nothing) * 1000, limit_ms=150)
    print_line(ratio=helping / nothing, what="groundswell --help", ms=helping * 1000, limit_ms=300)


def make_project(path: Path, n_commits: int) -> None:
    """A project with one group of that many commits, one row each."""
    group = gs.open(path).create_feature_group("readings", primary_key=["sensor"], event_time="at")
    for i in range(n_commits):
        group.insert([{"sensor": i % 7, "at": START + timedelta(minutes=i), "value": i / 2}])


def open_group(path: Path) -> None:
    """Open the project and look at one group's schema."""
    assert "value" in gs.open(path).get_feature_group("readings").schema


def open_table(path: Path) -> None:
    """Open the same group's table with delta-rs and look at its schema."""
    assert DeltaTable(path / "tables" / "readings_v1").schema().fields


def run(*command: str) -> None:
    """Run a command to its end."""
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
