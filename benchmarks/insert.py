"""What an insert costs: keys, ten expectations and default statistics, beside a plain `write_deltalake` of the rows.

    python benchmarks/insert.py [--rows 10000000] [--repetitions 3]

One batch of 12 columns (a key, a time, a small set, text, an integer, seven floats), in memory as an Arrow table. The
unit of every ratio is `write_deltalake` into a new table, which checks nothing and does not wait for the disk. Ours
checks types, nulls and keys and waits until the files are on the disk, and each is an insert into a new group:

insert                          no expectations, no statistics.
insert, statistics              range, moments, quantiles, frequent values and correlations of all columns but the key.
insert, distinct                the same and the numbers of distinct values, which are off by default.
ten expectations                those of validation.py, no statistics.
ten expectations, statistics    both.

Prints one JSON line each: `ratio` to the unit, `engine`, `rows`, `seconds` (median), `peak_mb` (largest, the batch
included), `limit` (of our ratio).
"""

import argparse
import shutil
import sys
import tempfile
from functools import partial
from pathlib import Path

from _measure import Measurement, interleaved, print_line, run_child

LIMITS = {
    "insert": 2.0,
    "insert, statistics": None,
    "insert, distinct": None,
    "ten expectations": 3.0,
    "ten expectations, statistics": 3.0,
}
HERE = Path(__file__).parent


def main() -> None:
    """Let all take turns and print their lines."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--repetitions", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="groundswell-benchmark-") as folder:
        contestants = {
            name: partial(insert, name, Path(folder), arguments.rows) for name in ("write_deltalake", *LIMITS)
        }
        results = interleaved(contestants, arguments.repetitions)
    unit = results["write_deltalake"]
    assert isinstance(unit, Measurement), unit
    for name, result in results.items():
        limit = {"limit": LIMITS[name]} if LIMITS.get(name) else {}
        if isinstance(result, str):
            print_line(ratio=None, engine=name, rows=arguments.rows, failed=result, **limit)
            continue
        print_line(
            ratio=result.seconds / unit.seconds,
            engine=name,
            rows=arguments.rows,
            seconds=result.seconds,
            peak_mb=round(result.peak_mb),
            **limit,
        )


def insert(name: str, folder: Path, n_rows: int) -> Measurement:
    """One insert in a process and a folder of its own."""
    place = folder / "place"
    try:
        return run_child([sys.executable, HERE / "_insert_child.py", name, place, str(n_rows)])
    finally:
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    main()
