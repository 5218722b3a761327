"""One insert of the benchmarks of inserts and of validation, in a process of its own.

Usage: python _insert_child.py NAME FOLDER ROWS
"""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
from _measure import report
from deltalake import write_deltalake

import groundswell as gs
from groundswell.features.statistics import KINDS

START_US = 1_704_067_200_000_000  # 2024-01-01T00:00Z
STEP_US = 1_000
FLOATS = 7
SKIES = ["clear", "cloud", "fog", "rain", "snow"]


def batch(n_rows: int, first_key: int = 0, seed: int = 0) -> pa.Table:
    """Rows with keys of their own in no order, at rising times."""
    rng = np.random.default_rng(seed)
    columns = {
        "key": pa.array(first_key + rng.permutation(n_rows)),
        "at": pa.array(START_US + np.arange(n_rows) * STEP_US).cast(pa.timestamp("us", tz="UTC")),
        "sky": pa.array(SKIES).take(pa.array(rng.integers(0, len(SKIES), n_rows))),
        "tail": pa.array([f"N{i:05}" for i in range(50_000)]).take(pa.array(rng.integers(0, 50_000, n_rows))),
        "count": pa.array(rng.integers(0, 1_000, n_rows)),
    }
    columns |= {f"f{i}": pa.array(rng.standard_normal(n_rows)) for i in range(FLOATS)}
    return pa.table(columns)


def expectations(*, hold: bool) -> list[object]:
    """Ten rules, which all hold or are all broken."""
    low = -10 if hold else 5
    return [
        gs.expect("f0").between(low, 10),
        gs.expect("sky").is_in(SKIES if hold else SKIES[:4]),
        gs.expect("tail").matches("N[0-9]{5}" if hold else "N[0-8]{5}"),
        gs.expect("f1").complete() if hold else gs.expect("f1").between(5, None),
        gs.expect("key" if hold else "count").unique(),
        gs.expect("at" if hold else "f2").increasing(strictly=True),
        gs.expect("f3").mean_between(low, 10),
        gs.expect("f4").quantile_between(0.9, low, 10),
        gs.expect("tail").distinct_count_between(1 if hold else 60_000, 100_000),
        gs.expect().that(gs.col("f5") + gs.col("f6") < (100 if hold else 0)),
    ]


def insert_of(name: str, folder: Path, rows: pa.Table) -> Callable[[], None]:
    """What is to be timed."""
    if name == "write_deltalake":
        return lambda: write_deltalake(folder, rows)
    hold = name != "ten broken"
    rules = expectations(hold=hold) if name.startswith("ten") else []
    kinds = [*KINDS] if name.endswith("distinct") else name.endswith("statistics")
    group = gs.open(folder).create_feature_group(
        "rows",
        primary_key=["key"],
        event_time="at",
        expectations=rules,
        validation="strict" if hold else "all",
        statistics=kinds,
    )
    if name == "insert beside rows":
        group.insert(batch(len(rows), first_key=len(rows), seed=1))

    def insert() -> None:
        commit = group.insert(rows)
        assert commit.rows == len(rows)

    return insert


def main() -> None:
    """Do what the command line says."""
    name, folder, n_rows = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    insert = insert_of(name, folder, batch(n_rows))

    def work() -> dict[str, object]:
        insert()
        return {}

    report(work)


if __name__ == "__main__":
    main()
