"""Speed of online reads and writes: 30 features from three groups, beside bare LMDB and Feast's SQLite store.

    python benchmarks/online.py [--keys 100000] [--repetitions 31] [--without-peers]

Three groups of 10 floats with the same keys, under one view. The unit of one key is three bare LMDB gets, each in a
transaction of its own, with the key packed and the ten floats unpacked by `struct`; ours is `view.vector({"key": key})`
as a user calls it: thirty features by name, checked against the clock. The unit of a hundred keys is 300 bare gets in
one transaction, unpacked likewise; ours is `view.vectors` of a list of keys, which gives an Arrow table. The
unit of writing is `putmulti` of the finished values in the order of keys; ours reads the commit, finds the newest row
of each key, encodes and writes it ("fill"), and does it again over rows that are there ("merge").

Feast is installed into a virtual environment under .cache/; where that fails its line says so. It reads through
`get_online_features` and writes through `write_to_online_store`.

Prints one JSON line per task and engine: `ratio` to the unit, `task`, `engine`, `us` (median of the means of a few
hundred reads) or `rows_per_s`, `limit` (of our ratio), and for Feast `ours` (how many times faster we are).
"""

import argparse
import random
import struct
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import lmdb
import numpy as np
import pyarrow as pa
from _measure import in_turns, print_line, run_child
from point_in_time import feast_python

import groundswell as gs
from groundswell.features import FeatureView
from groundswell.types import TIMESTAMP

GROUPS, FEATURES, READS = 3, 10, 300
START_US = 1_704_067_200_000_000  # 2024-01-01T00:00Z
FLOATS, KEY = struct.Struct(f"<{FEATURES}d"), struct.Struct(">BQ")
FEAST = {"one key": "one_us", "100 keys": "hundred_us"}
HERE = Path(__file__).parent


def main() -> None:
    """Write, read, and let Feast do the same."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keys", type=int, default=100_000)
    parser.add_argument("--repetitions", type=int, default=31)
    parser.add_argument("--without-peers", action="store_true", help="only the unit and ours")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="groundswell-benchmark-") as folder:
        bare, wrote = fill_bare(Path(folder) / "bare", arguments.keys)
        print_line(ratio=1.0, task="write", engine="bare LMDB", rows_per_s=round(wrote))
        view, filled, merged = fill_ours(Path(folder) / "project", arguments.keys)
        print_line(ratio=wrote / filled, task="fill", engine="groundswell", rows_per_s=round(filled))
        print_line(ratio=wrote / merged, task="merge", engine="groundswell", rows_per_s=round(merged))
        ours = measure_reads(bare, view, arguments.keys, arguments.repetitions)
        if not arguments.without_peers:
            measure_feast(ours | {"write": filled})


def values_of(n_keys: int, seed: int) -> np.ndarray:
    """The features of one group, a row for each key."""
    return np.random.default_rng(seed).standard_normal((n_keys, FEATURES))


def fill_bare(folder: Path, n_keys: int) -> tuple[lmdb.Environment, float]:
    """A bare store with the same rows, and how many it took in a second."""
    env = lmdb.Environment(str(folder), map_size=1 << 34, metasync=False, max_spare_txns=1, lib_version=0)
    rows = [
        (KEY.pack(group, key), FLOATS.pack(*row))
        for group in range(GROUPS)
        for key, row in enumerate(values_of(n_keys, group))
    ]
    started = time.perf_counter()
    with env.begin(write=True) as transaction:
        transaction.cursor().putmulti(rows)
    return env, len(rows) / (time.perf_counter() - started)


def fill_ours(folder: Path, n_keys: int) -> tuple[FeatureView, float, float]:
    """A view of three groups that were filled twice, and how many rows the store took in a second each time."""
    project = gs.open(folder)
    groups, seconds = [], [0.0, 0.0]
    for g in range(GROUPS):
        group = project.create_feature_group(f"g{g}", primary_key=["key"], event_time="at", online=True)
        names = [f"g{g}_f{i}" for i in range(FEATURES)]
        for commit in range(2):
            times = pa.array(np.full(n_keys, START_US + commit)).cast(TIMESTAMP)
            columns = dict(zip(names, values_of(n_keys, g).T, strict=True))
            group.insert(pa.table({"key": np.arange(n_keys), "at": times} | columns), wait=False)
            started = time.perf_counter()
            project.groups.online.follow(group.table)
            seconds[commit] += time.perf_counter() - started
        groups.append(group)
    first, second, third = groups
    view = project.create_feature_view("thirty", first.select().join(second).join(third))
    return view, GROUPS * n_keys / seconds[0], GROUPS * n_keys / seconds[1]


def measure_reads(bare: lmdb.Environment, view: FeatureView, n_keys: int, repetitions: int) -> dict[str, float]:
    """Read one key and a hundred in turns, print, and return our seconds."""
    chosen = random.Random(5).choices(range(n_keys), k=READS)
    vector = view.vector({"key": chosen[0]})
    assert dict(vector) == one_bare(bare, list(vector), chosen[0]), "the two differ"
    works: dict[str, tuple[Callable[[], None], Callable[[], None], float, int]] = {
        "one key": (partial(bare_ones, bare, chosen), partial(our_ones, view, chosen), 3.0, READS),
        "100 keys": (partial(bare_hundred, bare, chosen[:100]), partial(our_hundred, view, chosen[:100]), 0.0, 1),
    }
    ours = {}
    for task, (of_bare, of_ours, limit, times) in works.items():
        unit, mine = in_turns([of_bare, of_ours], repetitions)
        print_line(ratio=1.0, task=task, engine="bare LMDB", us=unit / times * 1e6)
        within = {"limit": limit} if limit else {}
        print_line(ratio=mine / unit, task=task, engine="groundswell", us=mine / times * 1e6, **within)
        ours[task] = mine / times
    return ours


def one_bare(env: lmdb.Environment, names: list[str], key: int) -> dict[str, float]:
    """The features of one key, read bare."""
    with env.begin() as transaction:
        rows = [FLOATS.unpack(transaction.get(KEY.pack(group, key))) for group in range(GROUPS)]
    return dict(zip(names, [value for row in rows for value in row], strict=True))


def bare_ones(env: lmdb.Environment, keys: list[int]) -> None:
    """Three gets for each key."""
    for key in keys:
        for group in range(GROUPS):
            with env.begin() as transaction:
                row = transaction.get(KEY.pack(group, key))
            FLOATS.unpack(row)


def our_ones(view: FeatureView, keys: list[int]) -> None:
    """A vector for each key."""
    for key in keys:
        view.vector({"key": key})


def bare_hundred(env: lmdb.Environment, keys: list[int]) -> None:
    """All gets in one transaction."""
    with env.begin() as transaction:
        for group in range(GROUPS):
            for key in keys:
                FLOATS.unpack(transaction.get(KEY.pack(group, key)))


def our_hundred(view: FeatureView, keys: list[int]) -> None:
    """All keys at once."""
    view.vectors([{"key": key} for key in keys])


def measure_feast(ours: dict[str, float]) -> None:
    """Let Feast write and read, and print how it compares."""
    try:
        facts = run_child([feast_python(), HERE / "_feast_online_peer.py"]).facts
    except RuntimeError as error:
        print_line(ratio=None, task="all", engine="feast", failed=str(error))
        return
    rows_per_s = facts["rows_per_s"]
    print_line(ratio=None, task="write", engine="feast", rows_per_s=round(rows_per_s), ours=ours["write"] / rows_per_s)
    for task, fact in FEAST.items():
        print_line(ratio=None, task=task, engine="feast", us=facts[fact], ours=facts[fact] / 1e6 / ours[task])


if __name__ == "__main__":
    main()
