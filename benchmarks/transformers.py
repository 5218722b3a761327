"""Transformers learning from a Parquet file and transforming it, beside scikit-learn in memory; reading included.

    python benchmarks/transformers.py [--rows 1000000] [--repetitions 3] [--only scale encode words]

- scale: 20 float64 columns, `StandardScaler`, then `RobustScaler`;
- encode: 5 columns of texts with 10 to 1000 categories, `OneHotEncoder`;
- words: texts of 40 words from 20,000 (one for each 20 rows of the others), `TfidfVectorizer`.

Each contestant is a process of its own, which fits, transforms all rows and sums the result. scikit-learn reads the
file by pandas first. Prints one JSON line per task: `ratio` of scikit-learn's seconds to ours, `task`, `seconds`,
`peer_seconds`, `peak_mb`, `peer_peak_mb` (of which 200 MB are imports), and whether the sums agree.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from _measure import interleaved, print_line, report, run_child
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import OneHotEncoder, RobustScaler, StandardScaler

from groundswell import estimators as own
from groundswell.engines import Roles

GROUP_ROWS = 65_536


def write(folder: Path, rows: int) -> None:
    """The files of the three tasks."""
    rng = np.random.default_rng(0)
    numbers = {f"x{j}": rng.normal(j, 1 + j, rows) for j in range(20)}
    pq.write_table(pa.table(numbers), folder / "scale.parquet", row_group_size=GROUP_ROWS)
    sizes = (10, 30, 100, 300, 1000)
    texts = {f"c{n}": np.char.add("category ", rng.integers(0, n, rows).astype(str)) for n in sizes}
    pq.write_table(pa.table(texts), folder / "encode.parquet", row_group_size=GROUP_ROWS)
    words = np.char.add("word", np.minimum(rng.zipf(1.3, (rows // 20, 40)), 20_000).astype(str))
    documents = [" ".join(row) for row in words]
    pq.write_table(pa.table({"text": documents}), folder / "words.parquet", row_group_size=2048)


def ours(task: str, path: str) -> Mapping[str, Any]:
    """Fit on the path, and sum what the transformed table holds, part by part."""
    steps = {"scale": [own.StandardScaler(), own.RobustScaler()], "encode": [own.OneHotEncoder()]}
    table: Any = path
    for step in steps.get(task, [own.TfidfVectorizer()]):
        table = step.fit_transform(table)
    batches = table.batches(Roles(X=tuple(table.schema.names)))
    return {"sum": float(sum(abs(part().X).sum() for part in batches.parts()))}


def peer(task: str, path: str) -> Mapping[str, Any]:
    """Read all, fit and transform in memory, and sum."""
    made: Any = pd.read_parquet(path)
    steps: dict[str, list[Any]] = {"scale": [StandardScaler(), RobustScaler()], "encode": [OneHotEncoder()]}
    for step in steps.get(task, [TfidfVectorizer()]):
        made = step.fit_transform(made["text"] if task == "words" else made)
    return {"sum": float(abs(made).sum())}


def main() -> None:
    """Measure the tasks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--only", nargs="+", default=["scale", "encode", "words"])
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        who, task, path = given.child
        work: Callable[[str, str], Mapping[str, Any]] = ours if who == "ours" else peer
        report(lambda: work(task, path))
        return
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), given.rows)
        for task in given.only:
            path = str(Path(folder) / f"{task}.parquet")
            contestants = {
                who: lambda who=who, task=task, path=path: run_child(
                    [sys.executable, __file__, "--child", who, task, path]
                )
                for who in ("ours", "peer")
            }
            found = interleaved(contestants, given.repetitions)
            mine, other = found["ours"], found["peer"]
            if isinstance(mine, str) or isinstance(other, str):
                print_line(ratio=None, task=task, failed=[one for one in (mine, other) if isinstance(one, str)])
                continue
            agree = bool(np.isclose(mine.facts["sum"], other.facts["sum"], rtol=1e-6))
            print_line(
                ratio=other.seconds / mine.seconds,
                task=task,
                seconds=mine.seconds,
                peer_seconds=other.seconds,
                peak_mb=mine.peak_mb,
                peer_peak_mb=other.peak_mb,
                sums_agree=agree,
            )


if __name__ == "__main__":
    main()
