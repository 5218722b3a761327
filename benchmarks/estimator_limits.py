"""How near fits of a Parquet file come to what they cannot do without: decoding it, and products of matrices.

    python benchmarks/estimator_limits.py [--rows 2000000] [--repetitions 3] [--only linear mixture]

The floor of a task is one pass that decodes the features into blocks and counts them, as many threads side by side as
a fit has, plus the floating-point operations of its products at the speed of large square matrices on each core.
Scalers, naive Bayes, trees and forests have no products, and their floor is decoding alone. The fits are those of
`estimators.py`.

Prints one JSON line per task: `ratio` of a fit's seconds to its floor, `task`, `seconds`, `floor_seconds`, of which
`decode_seconds` and `product_seconds`, and `steps`, which is 1 where there are none; `failed` in their place where a
fit fails.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from _estimators_tasks import TASKS
from _estimators_world import FEATURES, NAMES, table_file
from _measure import interleaved, print_line

from estimators import child
from groundswell.engines import Roles, TableBatches, as_scannable, fold
from groundswell.statistics import Count, one_blas_thread

SYMMETRIC = FEATURES * (FEATURES + 1)
"""Operations for each row of a symmetric or triangular product in as many dimensions."""

OPERATIONS: dict[str, tuple[type[np.floating], int]] = {
    "scaler": (np.float64, 0),
    "linear": (np.float64, SYMMETRIC),
    "pca": (np.float64, SYMMETRIC),
    "naive bayes": (np.float64, 0),
    "logistic": (np.float64, SYMMETRIC),
    "k-means": (np.float32, 2 * 10 * FEATURES),
    "tree": (np.float64, 0),
    "forest": (np.float64, 0),
    "mixture": (np.float64, 5 * 2 * SYMMETRIC),
}
"""The precision of each task's products and their operations for each row and step."""


def median_seconds(work: Callable[[], object], repetitions: int) -> float:
    """Of some runs, after one that is not counted."""
    work()
    seconds = []
    for _ in range(repetitions):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def decode_seconds(path: Path, repetitions: int) -> float:
    """One pass that decodes all features."""
    batches = TableBatches(as_scannable(path), Roles(X=tuple(NAMES)))
    return median_seconds(lambda: fold(batches, Count()), repetitions)


def operations_per_second(kind: type[np.floating], repetitions: int) -> float:
    """Of products of square matrices, one on each core."""
    cores, size = os.cpu_count() or 1, 1024
    factors = [np.random.default_rng(i).random((size, size)).astype(kind) for i in range(cores)]
    with one_blas_thread(), ThreadPoolExecutor(cores) as pool:
        seconds = median_seconds(lambda: list(pool.map(lambda factor: factor @ factor, factors)), repetitions)
    return cores * 2 * size**3 / seconds


def compare(task: str, path: Path, rows: int, repetitions: int) -> None:
    """Measure a task and its floor, and print a line."""
    fit = interleaved({"ours": partial(child, "ours", task, str(path))}, repetitions)["ours"]
    if isinstance(fit, str):
        print_line(ratio=None, task=task, failed=fit)
        return
    kind, operations = OPERATIONS[task]
    steps = int(fit.facts["steps"] or 1)
    decoding = decode_seconds(path, repetitions)
    products = rows * steps * operations / operations_per_second(kind, repetitions)
    print_line(
        ratio=fit.seconds / (decoding + products),
        task=task,
        seconds=fit.seconds,
        floor_seconds=decoding + products,
        decode_seconds=decoding,
        product_seconds=products,
        steps=steps,
    )


def main() -> None:
    """Measure the tasks and their floors."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=OPERATIONS, default=list(OPERATIONS))
    given = parser.parse_args()
    os.environ.setdefault("PYTHONWARNINGS", "ignore::UserWarning")
    with tempfile.TemporaryDirectory() as folder:
        for task in given.only:
            compare(task, table_file(folder, TASKS[task].table, given.rows), given.rows, given.repetitions)


if __name__ == "__main__":
    main()
