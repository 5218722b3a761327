"""The data of the point-in-time benchmark: four worlds of three groups and one table of labels.

Every world has three groups of 1,000,000 written rows with 10 floats each, 10,000 keys and 30 days, and 200,000 labels
on those keys and days. Each group is inserted in ten commits in the order of time, as a daily pipeline would.

clean          no row replaces another.
superseded     100,000 rows of a group are later versions of others, which no longer count.
availability   each row became known after it happened: nine in ten within five minutes, one in ten up to two days
               later; 50,000 rows are corrections of an event that was known before.
hot key        one key holds half of each group's rows and half of the labels.
"""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

ROWS, KEYS, LABELS, FEATURES, COMMITS = 1_000_000, 10_000, 200_000, 10, 10
GROUPS = ("g1", "g2", "g3")
WORLDS = ("clean", "superseded", "availability", "hot key")
_MONTH_US = 30 * 86_400 * 1_000_000
_START_US = 1_704_067_200_000_000  # 2024-01-01T00:00Z
_TIMESTAMP = pa.timestamp("us", tz="UTC")


def feature_names(group: str) -> list[str]:
    """The ten features of a group; no two groups share one."""
    return [f"{group}_f{i}" for i in range(FEATURES)]


def labels(world: str, seed: int = 7) -> pa.Table:
    """The label rows of a world, in no order."""
    rng = np.random.default_rng(seed)
    times = _distinct_times(rng, LABELS)
    rng.shuffle(times)
    return pa.table(
        {
            "key": _keys(rng, LABELS, world),
            "at": pa.array(times).cast(_TIMESTAMP),
            "label": rng.random(LABELS) < 0.5,
        }
    )


def commits(world: str, group: str) -> Iterator[pa.Table]:
    """The batches of a group, in the order of their commits."""
    rng = np.random.default_rng([GROUPS.index(group), WORLDS.index(world)])
    again = {"superseded": ROWS // 10, "availability": ROWS // 20}.get(world, 0)
    times, keys = _distinct_times(rng, ROWS - again), _keys(rng, ROWS - again, world)
    repeated = np.sort(rng.choice(len(times), again, replace=False))
    times, keys = np.concatenate([times, times[repeated]]), np.concatenate([keys, keys[repeated]])
    table = {"key": keys, "at": pa.array(times).cast(_TIMESTAMP)}
    if world == "availability":
        late = rng.random(ROWS) < 0.1
        delays = np.where(late, rng.integers(0, 2 * 86_400, ROWS), rng.integers(1, 300, ROWS)) * 1_000_000
        delays[len(times) - again :] += 2 * 86_400 * 1_000_000
        table["known_at"] = pa.array(times + delays).cast(_TIMESTAMP)
    table |= {name: rng.standard_normal(ROWS) for name in feature_names(group)}
    everything = pa.table(table)
    for part in np.array_split(np.arange(ROWS), COMMITS):
        yield everything.slice(int(part[0]), len(part))


def _distinct_times(rng: np.random.Generator, n_rows: int) -> np.ndarray:
    """Sorted moments of the month, all different: even steps, each moved by less than a step."""
    step = _MONTH_US // n_rows
    return _START_US + np.arange(n_rows, dtype=np.int64) * step + rng.integers(0, step, n_rows)


def _keys(rng: np.random.Generator, n_rows: int, world: str) -> np.ndarray:
    keys = rng.integers(0, KEYS, n_rows, dtype=np.int64)
    if world == "hot key":
        keys[rng.random(n_rows) < 0.5] = 0
    return keys
