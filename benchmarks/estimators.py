"""Estimators learning from a Parquet file, beside scikit-learn in memory and Spark MLlib; reading included.

    python benchmarks/estimators.py [--rows 2000000] [--repetitions 1] [--only linear tree] [--peers sklearn mllib]
    python benchmarks/estimators.py --small [--rows 1000] [--only scale linear]
    python benchmarks/estimators.py --larger-than-memory [--rows 125000000] [--only scaler linear] [--keep-mb 64]

The table has 50 float32 columns and a label; some tasks have others (`_estimators_world.py`). Those from "scale" on are
transformers, which are fitted and transform all rows. Each contestant is a process of its own; all
compute on two cores. MLlib's Java machine starts before its clock does; scikit-learn grows trees on the first quarter
of the rows, so compare `ns_per_row`. Needs Java 17 for MLlib, which does the first nine tasks.

Prints one JSON line per task and peer: `ratio` of the peer's time per row to ours, `task`, `peer`, `seconds`,
`peer_seconds`, both per row, the same of processor time, `peak_mb`, `peer_peak_mb`, and how the answers differ, with
`steps`, `peer_steps` and `ratio_per_step`, of the times that one took on the whole, where they are compared by an
objective and steps lead there: `answer_off` is
the largest difference of coefficients, means or variances over the largest of them, `objective` and
`peer_objective` the mean log loss, squared distance or log likelihood on the first row group.

With `--small` both learn from a few rows of ten columns in memory, in turns in one process: one line per task with
`ratio` of scikit-learn's milliseconds for a fit to ours, and the milliseconds of fits and transforms.

With `--larger-than-memory` the table is made while it is read, and is nowhere as a whole: one line per task with
`ratio` of its size to the largest memory of the process, and `small_table_mb`, that memory after 262,144 rows: both are
alike however long the table is. `--keep-mb` is how much of it estimators may keep decoded.
"""

import argparse
import os
import sys
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
from _estimators_tasks import TASKS
from _estimators_world import FEATURES, table_file
from _measure import Measurement, interleaved, print_line, run_child

HERE = Path(__file__).parent
PEERS = ("sklearn", "mllib")
TWO_CORES = {"OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2", "LOKY_MAX_CPU_COUNT": "2"}
MLLIB = tuple(TASKS)[:9]
OUT_OF_CORE = ("scaler", "linear", "logistic", "tree")


def contest(task: str, path: Path, peers: list[str], repetitions: int) -> None:
    """Let us and the peers take turns on one task, and print a line for each peer."""
    peers = [peer for peer in peers if peer != "mllib" or task in MLLIB]
    names = ["ours", *peers]
    contestants = {name: partial(child, name, task, str(path)) for name in names}
    found = interleaved(contestants, repetitions)
    mine = found["ours"]
    for peer in peers:
        other = found[peer]
        failed = {name: one for name, one in (("ours", mine), (peer, other)) if isinstance(one, str)}
        if isinstance(mine, str) or isinstance(other, str):
            print_line(ratio=None, task=task, peer=peer, failed=failed)
            continue
        rows = int(mine.facts["rows"])
        per_row = mine.seconds / rows
        other_per_row = other.seconds / int(other.facts.get("rows", rows))
        print_line(
            ratio=other_per_row / per_row,
            task=task,
            peer=peer,
            seconds=mine.seconds,
            peer_seconds=other.seconds,
            ns_per_row=1e9 * per_row,
            peer_ns_per_row=1e9 * other_per_row,
            **cpu(mine, other, rows),
            peak_mb=mine.peak_mb,
            peer_peak_mb=other.facts.get("java_peak_mb", other.peak_mb),
            **(steps(mine, other) if TASKS[task].objective else {}),
            **agreement(task, mine, other),
        )


def steps(mine: Measurement, other: Measurement) -> dict[str, float]:
    """How many steps both took, where that is known, and the ratio of the times that a step took on the whole."""
    if not (mine.facts.get("steps") and other.facts.get("steps")):
        return {}
    ours, theirs = int(mine.facts["steps"]), int(other.facts["steps"])
    ratio = other.seconds / theirs / (mine.seconds / ours)
    return {"ratio_per_step": ratio, "steps": ours, "peer_steps": theirs}


def cpu(mine: Measurement, other: Measurement, rows: int) -> dict[str, float]:
    """Processor time per row, which other work on the machine disturbs less; none of the Java machine."""
    if "cpu_seconds" not in other.facts:
        return {}
    ours = float(mine.facts["cpu_seconds"]) / rows
    theirs = float(other.facts["cpu_seconds"]) / int(other.facts["rows"])
    return {"cpu_ratio": theirs / ours, "cpu_ns_per_row": 1e9 * ours, "peer_cpu_ns_per_row": 1e9 * theirs}


def small(task: str, rows: int) -> None:
    """Print what a fit to a few rows in memory takes."""
    try:
        facts = child("small", task, str(rows)).facts
    except RuntimeError as error:
        print_line(ratio=None, task=task, failed=str(error))
        return
    ms = {name: [1e3 * seconds for seconds in both] for name, both in facts.items()}
    lines = {f"{who}{name}_ms": both[i] for name, both in ms.items() for i, who in enumerate(("", "peer_"))}
    print_line(ratio=ms["fit"][1] / ms["fit"][0], task=task, **lines)


def child(name: str, task: str, *where: str) -> Measurement:
    """One contestant in a process of its own."""
    script = ["_estimators_mllib.py"] if name == "mllib" else ["_estimators_child.py", name]
    return run_child([sys.executable, HERE / script[0], *script[1:], task, *where], **TWO_CORES)


def agreement(task: str, mine: Measurement, other: Measurement) -> dict[str, float]:
    """How the answers compare."""
    ours, theirs = np.array(mine.facts["answer"]), np.array(other.facts["answer"])
    if TASKS[task].objective:
        return {"objective": float(ours[0]), "peer_objective": float(theirs[0])}
    return {"answer_off": float(np.abs(ours - theirs).max() / np.abs(theirs).max())}


def larger_than_memory(task: str, rows: int, keep_mb: int) -> None:
    """Fit on a table that is made while it is read, and print what memory that took."""
    table_mb = rows * (FEATURES + 1) * 4 / 2**20
    try:
        done = child("ours", task, str(rows), str(keep_mb))
    except RuntimeError as error:
        print_line(ratio=None, task=task, failed=str(error))
        return
    print_line(
        ratio=table_mb / done.peak_mb,
        task=task,
        table_mb=table_mb,
        peak_mb=done.peak_mb,
        small_table_mb=float(done.facts["before_mb"]),
        seconds=done.seconds,
        ns_per_row=1e9 * done.seconds / rows,
    )


def main() -> None:
    """Measure the tasks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int)
    parser.add_argument("--repetitions", type=int, default=1)
    parser.add_argument("--only", nargs="+", choices=TASKS)
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=list(PEERS))
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--larger-than-memory", action="store_true")
    parser.add_argument("--keep-mb", type=int, default=64)
    given = parser.parse_args()
    os.environ.setdefault("PYTHONWARNINGS", "ignore::UserWarning")
    if given.small:
        for task in given.only or TASKS:
            small(task, given.rows or 1000)
        return
    if given.larger_than_memory:
        for task in given.only or OUT_OF_CORE:
            larger_than_memory(task, given.rows or 125_000_000, given.keep_mb)
        return
    rows = given.rows or 2_000_000
    with tempfile.TemporaryDirectory() as folder:
        for task in given.only or TASKS:
            path = table_file(folder, TASKS[task].table, rows)
            contest(task, path, given.peers, given.repetitions)


if __name__ == "__main__":
    main()
