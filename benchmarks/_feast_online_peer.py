"""The same reads and writes by Feast with its SQLite online store; runs in a virtual environment of its own.

Three feature views of 10 floats with 5,000 keys: `write_to_online_store` for each, then `get_online_features` for one
key and for a hundred. Reports rows per second and the median microseconds of each read.
"""

import logging
import random
import statistics
import tempfile
import time
import warnings
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
from _measure import report
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, ValueType
from feast.infra.offline_stores.duckdb import DuckDBOfflineStoreConfig
from feast.repo_config import RepoConfig
from feast.types import Float64

KEYS, GROUPS, FEATURES, READS = 5_000, 3, 10, 200


def store_of(folder: Path) -> tuple[FeatureStore, list[pd.DataFrame]]:
    """A store with one feature view for each group, and the rows of each."""
    store = FeatureStore(
        config=RepoConfig(
            project="benchmark",
            provider="local",
            registry=str(folder / "registry.db"),
            offline_store=DuckDBOfflineStoreConfig(),
            online_store={"type": "sqlite", "path": str(folder / "online.db")},
            entity_key_serialization_version=3,
        )
    )
    key = Entity(name="key", join_keys=["key"], value_type=ValueType.INT64)
    views, frames = [], []
    for group in range(GROUPS):
        names = [f"g{group}_f{i}" for i in range(FEATURES)]
        frame = pd.DataFrame(np.random.default_rng(group).standard_normal((KEYS, FEATURES)), columns=names)
        frame["key"], frame["at"] = np.arange(KEYS), datetime.now(UTC)
        frame.to_parquet(folder / f"g{group}.parquet")
        views.append(
            FeatureView(
                name=f"g{group}",
                entities=[key],
                ttl=timedelta(days=365),
                schema=[Field(name=name, dtype=Float64) for name in names],
                source=FileSource(path=str(folder / f"g{group}.parquet"), timestamp_field="at"),
            )
        )
        frames.append(frame)
    store.apply([key, *views])
    return store, frames


def median_us(store: FeatureStore, requests: list[list[dict]]) -> float:
    """The median time of reading the thirty features for each request."""
    names = [f"g{group}:g{group}_f{i}" for group in range(GROUPS) for i in range(FEATURES)]
    seconds = []
    for request in requests:
        started = time.perf_counter()
        store.get_online_features(features=names, entity_rows=request)
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds[len(seconds) // 10 :]) * 1e6


def work() -> dict:
    """Write, then read."""
    with tempfile.TemporaryDirectory() as folder:
        store, frames = store_of(Path(folder))
        started = time.perf_counter()
        for group, frame in enumerate(frames):
            store.write_to_online_store(f"g{group}", frame)
        rows_per_s = GROUPS * KEYS / (time.perf_counter() - started)
        chosen = random.Random(5).choices(range(KEYS), k=READS)
        ones = median_us(store, [[{"key": key}] for key in chosen])
        hundreds = median_us(store, [[{"key": key} for key in chosen[:100]]] * 20)
        return {"rows_per_s": rows_per_s, "one_us": ones, "hundred_us": hundreds}


if __name__ == "__main__":
    logging.disable()
    warnings.simplefilter("ignore")
    report(work)
