"""Speed of online reads and writes: 30 features from three groups, beside bare LMDB and Feast's SQLite store.

    python benchmarks/online.py [--keys 100000] [--repetitions 31] [--without-peers]

Three tables of 10 floats with the same keys. The unit of one key is three bare LMDB gets, each in a transaction of its
own, with the key packed and the ten floats unpacked by `struct`; ours gives the thirty as a dict, checked against the
clock. The unit of a hundred keys is 300 bare gets in one transaction, unpacked likewise; ours gives Arrow tables. The
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
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import lmdb
import numpy as np
import pyarrow as pa
from _measure import in_turns, print_line, run_child
from point_in_time import feast_python

from groundswell.catalog import Catalog
from groundswell.engines import DuckDB
from groundswell.online import Follower, Lmdb, OnlineRow, OnlineTable, get_vector, read_vectors
from groundswell.tables import Definition, Table
from groundswell.types import TIMESTAMP, Schema

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
        tables, filled, merged = fill_ours(Path(folder), arguments.keys)
        print_line(ratio=wrote / filled, task="fill", engine="groundswell", rows_per_s=round(filled))
        print_line(ratio=wrote / merged, task="merge", engine="groundswell", rows_per_s=round(merged))
        ours = measure_reads(bare, tables, arguments.keys, arguments.repetitions)
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


def fill_ours(folder: Path, n_keys: int) -> tuple[list[OnlineTable], float, float]:
    """Our store, filled from three tables and then once more, and how many rows it took in a second each time."""
    catalog, engine, store = Catalog.create(f"sqlite:///{folder / 'catalog.db'}"), DuckDB(), Lmdb(folder / "online")
    tables, seconds = [], [0.0, 0.0]
    for group in range(GROUPS):
        names = [f"g{group}_f{i}" for i in range(FEATURES)]
        schema = Schema.of({"key": pa.int64(), "at": TIMESTAMP} | dict.fromkeys(names, pa.float64()))
        table = Table(
            table_id=catalog.add("feature_group", f"g{group}", {}).id,
            folder=folder / f"g{group}",
            definition=Definition.of(f"g{group}", ["key"], "at", None, schema),
            catalog=catalog,
            engine=engine,
            author="benchmark",
        )
        table.folder.mkdir()
        table.create()
        follower = Follower(table, store, engine, clock=lambda: datetime.now(UTC))
        for commit in range(2):
            times = pa.array(np.full(n_keys, START_US + commit)).cast(TIMESTAMP)
            columns = dict(zip(names, values_of(n_keys, group).T, strict=True))
            table.commit(table.stage(pa.table({"key": np.arange(n_keys), "at": times} | columns)))
            started = time.perf_counter()
            follower.follow()
            seconds[commit] += time.perf_counter() - started
        clock = partial(datetime.now, UTC)
        tables.append(OnlineTable(store, table.table_id, table.definition, clock=clock, columns=names))
    return tables, GROUPS * n_keys / seconds[0], GROUPS * n_keys / seconds[1]


def measure_reads(bare: lmdb.Environment, tables: list[OnlineTable], n_keys: int, repetitions: int) -> dict[str, float]:
    """Read one key and a hundred in turns, print, and return our seconds."""
    chosen = random.Random(5).choices(range(n_keys), k=READS)
    names = [field.name for table in tables for field in table.columns]
    assert one_of_ours(tables, names, chosen[0]) == one_bare(bare, names, chosen[0]), "the two differ"
    works: dict[str, tuple[Callable[[], None], Callable[[], None], float, int]] = {
        "one key": (partial(bare_ones, bare, chosen), partial(our_ones, tables, names, chosen), 3.0, READS),
        "100 keys": (partial(bare_hundred, bare, chosen[:100]), partial(our_hundred, tables, chosen[:100]), 0.0, 1),
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


def one_of_ours(tables: list[OnlineTable], names: list[str], key: int) -> dict[str, float]:
    """The features of one key, as a view would put them together."""
    values: tuple[float, ...] = ()
    for answer in get_vector(tables, {"key": key}):
        if type(answer) is not OnlineRow:
            raise LookupError(key)
        values += answer.values
    return dict(zip(names, values, strict=False))


def bare_ones(env: lmdb.Environment, keys: list[int]) -> None:
    """Three gets for each key."""
    for key in keys:
        for group in range(GROUPS):
            with env.begin() as transaction:
                row = transaction.get(KEY.pack(group, key))
            FLOATS.unpack(row)


def our_ones(tables: list[OnlineTable], names: list[str], keys: list[int]) -> None:
    """A vector for each key."""
    for key in keys:
        one_of_ours(tables, names, key)


def bare_hundred(env: lmdb.Environment, keys: list[int]) -> None:
    """All gets in one transaction."""
    with env.begin() as transaction:
        for group in range(GROUPS):
            for key in keys:
                FLOATS.unpack(transaction.get(KEY.pack(group, key)))


def our_hundred(tables: list[OnlineTable], keys: list[int]) -> None:
    """All keys as Arrow tables."""
    read_vectors(tables, pa.table({"key": keys}))


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
