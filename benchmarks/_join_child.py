"""The processes of the point-in-time benchmark: one builds a world, each of the others joins it once and reports.

Usage: python _join_child.py build FOLDER WORLD
       python _join_child.py duckdb|groundswell|pandas|polars FOLDER MEMORY_LIMIT
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import _join_peers
import _worlds
import pyarrow as pa
import pyarrow.compute as pc
from _measure import report
from deltalake import DeltaTable

import groundswell as gs

FEATURES = {group: _worlds.feature_names(group) for group in _worlds.GROUPS}


def build(folder: Path, world: str) -> dict[str, object]:
    """Insert the world into a project and note the Parquet files of its tables."""
    project = gs.open(folder / "project")
    known_at = "known_at" if world == "availability" else None
    labels = project.create_feature_group("labels", primary_key=["key"], event_time="at")
    labels.insert(_worlds.labels(world))
    for name in _worlds.GROUPS:
        group = project.create_feature_group(name, primary_key=["key"], event_time="at", available_at=known_at)
        for commit in _worlds.commits(world, name):
            group.insert(commit)
    manifest = {
        "labels": files_of(folder, "labels"),
        "groups": {name: files_of(folder, name) for name in _worlds.GROUPS},
        "features": FEATURES,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return {"world": world}


def files_of(folder: Path, group: str) -> list[str]:
    """The Parquet files of a group's table as it is now."""
    table = folder / "project" / "tables" / f"{group}_v1"
    return [str(table / file) for file in DeltaTable(table).file_uris()]


def join_of(engine: str, folder: Path, memory_limit: str) -> Callable[[], pa.Table]:
    """What is to be timed for one engine."""
    if engine == "groundswell":
        project = gs.open(folder / "project", memory_limit=memory_limit)
        query = project.get_feature_group("labels").select("label")
        for name, features in FEATURES.items():
            query = query.join(project.get_feature_group(name).select(*features))
        return lambda: query.read().to_arrow()
    manifest = json.loads((folder / "manifest.json").read_text())
    labels, groups = manifest["labels"], manifest["groups"]
    if engine == "duckdb":
        return lambda: _join_peers.join_with_duckdb(labels, groups, FEATURES, memory_limit)
    join = {"pandas": _join_peers.join_with_pandas, "polars": _join_peers.join_with_polars}[engine]
    return lambda: join(labels, groups, FEATURES)


def total(table: pa.Table) -> float:
    """The sum of all features that are there, rounded to what the order of summation leaves alone."""
    columns = [table[name] for features in FEATURES.values() for name in features]
    return round(sum(pc.sum(column.drop_null()).as_py() for column in columns), 6)


def main() -> None:
    """Do what the command line says."""
    verb, folder, argument = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    if verb == "build":
        report(lambda: build(folder, argument))
        return
    join = join_of(verb, folder, argument)

    def work() -> dict[str, object]:
        table = join()
        return {"rows": len(table), "sum": lambda: total(table)}

    report(work)


if __name__ == "__main__":
    main()
