"""The same join by Feast with its DuckDB offline store; runs in a virtual environment of its own.

Usage: python _feast_peer.py manifest.json, where the manifest names the Parquet files of the labels and the groups.
What is timed is `get_historical_features` to an Arrow table; the registry is made before.
"""

import json
import logging
import sys
import tempfile
import warnings
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pyarrow.compute as pc
from _measure import report
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, ValueType
from feast.data_format import ParquetFormat
from feast.infra.offline_stores.duckdb import DuckDBOfflineStoreConfig
from feast.repo_config import RepoConfig
from feast.types import Float64


def store_of(manifest: dict, folder: Path) -> FeatureStore:
    """A store with one feature view for each group, over the group's files."""
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
    views = [
        FeatureView(
            name=group,
            entities=[key],
            ttl=timedelta(days=365),
            schema=[Field(name=name, dtype=Float64) for name in manifest["features"][group]],
            source=FileSource(
                path=str(_folder_of(files, folder / group)), file_format=ParquetFormat(), timestamp_field="at"
            ),
        )
        for group, files in manifest["groups"].items()
    ]
    store.apply([key, *views])
    return store


def _folder_of(files: list[str], folder: Path) -> Path:
    """A folder of links to the files, because Feast reads a folder and a table's own also holds its log."""
    folder.mkdir()
    for i, file in enumerate(files):
        (folder / f"{i}.parquet").symlink_to(file)
    return folder


def main() -> None:
    """Join once and report."""
    logging.disable()
    warnings.simplefilter("ignore")
    manifest = json.loads(Path(sys.argv[1]).read_text())
    names = [f"{group}:{name}" for group in manifest["groups"] for name in manifest["features"][group]]
    with tempfile.TemporaryDirectory() as folder:
        store = store_of(manifest, Path(folder))

        def join() -> dict:
            labels = pd.read_parquet(manifest["labels"], columns=["key", "at", "label"])
            labels = labels.rename(columns={"at": "event_timestamp"})
            result = store.get_historical_features(entity_df=labels, features=names).to_arrow()
            return {
                "rows": len(result),
                "sum": lambda: round(sum(pc.sum(result[name.split(":")[1]]).as_py() for name in names), 6),
            }

        report(join)


if __name__ == "__main__":
    main()
