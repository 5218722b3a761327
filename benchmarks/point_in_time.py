"""Speed and memory of the point-in-time join, beside a bare DuckDB ASOF join over the same Parquet files.

    python benchmarks/point_in_time.py [--world NAME ...] [--repetitions 5] [--without-peers]

Three groups of 1,000,000 rows × 10 floats, 10,000 keys, 30 days; 200,000 labels; 30 features; in the four worlds that
`_worlds.py` describes. The unit of every ratio is one chain of DuckDB ASOF LEFT JOINs over the Parquet files of the
same tables. In every world it is the same query, which is what one would write who knows nothing of the rules: it takes
any of several versions of a row, sees a row before it was known, and gives the labels back in any order. Ours obeys
them all. Both run under a DuckDB memory limit of 1 GB, in processes of their own, on files that the system has in its
cache; the time is that of the query and of bringing its result into one Arrow table, without importing and opening.

In the clean world pandas, Polars and Feast's DuckDB store stand beside, without a memory limit. Feast is installed into
a virtual environment under .cache/; where that fails its line says so.

Prints one JSON line per world and engine: `ratio` to the unit, `world`, `engine`, `seconds` (median), `peak_mb`
(largest), `limit` (of our ratio), `agrees` (whether the sum of all features is the unit's, where the rules make it so).
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from _measure import Measurement, interleaved, print_line, run_child

MEMORY_LIMIT = "1GB"
LIMITS = {"clean": 1.2, "superseded": 1.6, "availability": 3.0, "hot key": 2.0}
SAME_ANSWER = ("clean", "hot key")
PEERS = ("pandas", "polars", "feast")
FEAST = "feast[duckdb]==0.67.0"
HERE = Path(__file__).parent
CACHE = HERE.parent / ".cache"


def main() -> None:
    """Measure the worlds that were asked for, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--world", action="append", choices=LIMITS, help="only this world; may be given again")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--without-peers", action="store_true", help="only the unit and ours")
    arguments = parser.parse_args()
    for world in arguments.world or LIMITS:
        with tempfile.TemporaryDirectory(prefix="groundswell-benchmark-") as folder:
            run_child([sys.executable, HERE / "_join_child.py", "build", folder, world])
            peers = () if arguments.without_peers or world != "clean" else PEERS
            measure(world, Path(folder), peers, arguments.repetitions)


def measure(world: str, folder: Path, peers: tuple[str, ...], repetitions: int) -> None:
    """Let all engines join one world in turns and print their lines."""
    contestants: dict[str, Callable[[], Measurement]] = {
        name: partial(join_by, name, folder) for name in ("duckdb", "groundswell", *peers)
    }
    results = interleaved(contestants, repetitions)
    unit = results["duckdb"]
    assert isinstance(unit, Measurement), unit
    for name, result in results.items():
        limit = {"limit": LIMITS[world]} if name == "groundswell" else {}
        if isinstance(result, str):
            print_line(ratio=None, world=world, engine=name, failed=result, **limit)
            continue
        agrees = {"agrees": result.facts == unit.facts} if world in SAME_ANSWER and name != "duckdb" else {}
        print_line(
            ratio=result.seconds / unit.seconds,
            world=world,
            engine=name,
            seconds=result.seconds,
            peak_mb=round(result.peak_mb),
            **limit,
            **agrees,
        )


def join_by(engine: str, folder: Path) -> Measurement:
    """One join by one engine in a process of its own."""
    if engine == "feast":
        return run_child([feast_python(), HERE / "_feast_peer.py", folder / "manifest.json"])
    return run_child([sys.executable, HERE / "_join_child.py", engine, folder, MEMORY_LIMIT])


def feast_python() -> Path:
    """The interpreter of a virtual environment with Feast, made at first.

    Raises:
        RuntimeError: it could not be installed.
    """
    python = CACHE / "feast" / "bin" / "python"
    done = CACHE / "feast" / "installed"
    if done.exists() and done.read_text() == FEAST:
        return python
    for command in ([sys.executable, "-m", "venv", CACHE / "feast"], [python, "-m", "pip", "install", "-q", FEAST]):
        result = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
        if result.returncode != 0:
            raise RuntimeError(f"{FEAST} could not be installed: {(result.stderr.strip().splitlines() or ['?'])[-1]}")
    done.write_text(FEAST)
    return python


if __name__ == "__main__":
    main()
