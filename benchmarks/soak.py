"""Two writers, one follower and one reader work on one group for minutes, and nothing may fail or be lost.

    python benchmarks/soak.py [--minutes 10] [--folder DIR]

One process streams rows, one inserts batches, one follows the group into an online store of its own, and this one
reads, looks keys up online, and compacts now and then. Each writer notes what was acknowledged; each reading must hold
all that was noted before it began. At the end every noted row is there once and both online stores say what the table
says. Prints one JSON line, and exits with 1 after an error.
"""

import argparse
import json
import multiprocessing
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa

import groundswell as gs
from groundswell.online import Lmdb, count_differences

START = datetime(2024, 1, 1, tzinfo=UTC)
SCHEMA = {"k": pa.string(), "t": pa.timestamp("us", "UTC"), "v": pa.int64()}
SHARED = 20


def main() -> None:
    """Run, and print what happened."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="groundswell-soak-", dir=given.folder) as folder:
        found = soak(Path(folder), given.minutes * 60)
    print(json.dumps(found), flush=True)
    raise SystemExit(0 if not found["failed"] else 1)


def soak(folder: Path, seconds: float) -> dict[str, object]:
    """Let them work for so long, and say what came of it."""
    with gs.open(folder / "p") as project:
        group = project.create_feature_group("events", primary_key=["k"], event_time="t", schema=SCHEMA, online=True)
        project.create_feature_view("newest", group.select("v"))
    spawn = multiprocessing.get_context("spawn")
    stop = spawn.Event()
    works: dict[str, Callable[..., None]] = {"streamed": stream_rows, "inserted": insert_rows, "followed": follow}
    processes = {name: spawn.Process(target=work, args=(folder, name, stop)) for name, work in works.items()}
    for process in processes.values():
        process.start()
    try:
        with gs.open(folder / "p") as project:
            counts = read_until(project, folder, time.monotonic() + seconds)
    finally:
        stop.set()
        for process in processes.values():
            process.join()
    failed = [name for name, process in processes.items() if process.exitcode]
    with gs.open(folder / "p") as project:
        return {"failed": failed, **counts, **compare(project, folder)}


def stream_rows(folder: Path, name: str, stop: threading.Event) -> None:
    """The first writer: single rows, one of a key of its own and one of a shared key."""
    with gs.open(folder / "p") as project, project.get_feature_group("events").stream() as stream:
        n = 0
        with (folder / name).open("a", buffering=1) as noted:
            while not stop.is_set():
                stream.submit({"k": f"shared-{n % SHARED}", "t": START + timedelta(seconds=n), "v": n})
                stream.write({"k": f"{name}-{n}", "t": START, "v": n})
                noted.write(f"{n}\n")
                n += 1
                time.sleep(0.002)


def insert_rows(folder: Path, name: str, stop: threading.Event) -> None:
    """The second: a batch of a hundred rows a second."""
    with gs.open(folder / "p") as project, (folder / name).open("a", buffering=1) as noted:
        group, n = project.get_feature_group("events"), 0
        while not stop.is_set():
            batch = range(n, n + 100)
            group.insert({"k": [f"{name}-{i}" for i in batch], "t": [START] * 100, "v": list(batch)})
            noted.write("".join(f"{i}\n" for i in batch))
            n += 100
            stop.wait(1)


def follow(folder: Path, name: str, stop: threading.Event) -> None:
    """The follower, into a store of its own."""
    with gs.open(folder / "p") as project, Lmdb(folder / name) as store:
        group = project.get_feature_group("events")
        project.groups.online.follower(group.committed_table, store).tail(stop)


def noted(folder: Path) -> set[str]:
    """The keys that were acknowledged so far."""
    return {
        f"{name}-{line.rstrip()}"
        for name in ("streamed", "inserted")
        if (folder / name).exists()
        for line in (folder / name).read_text().splitlines(keepends=True)
        if line.endswith("\n")
    }


def read_until(project: gs.Project, folder: Path, end: float) -> dict[str, int]:
    """Read, look up and compact; how often."""
    group, view = project.get_feature_group("events"), project.get_feature_view("newest")
    counts = Counter[str]()
    while time.monotonic() < end:
        known = noted(folder)
        there = set(group.read(["k"]).to_arrow()["k"].to_pylist())
        if missing := known - there:
            raise AssertionError(f"{len(missing)} acknowledged rows were not read, such as {min(missing)}")
        counts["reads"] += 1
        for key in sorted(known)[:: max(1, len(known) // 100)]:
            if view.vector({"k": key})["v"] != int(key.split("-")[1]):
                raise AssertionError(f"{key} is not what it must be online")
            counts["lookups"] += 1
        if counts["reads"] % 30 == 0:
            group.compact()
            counts["compactions"] += 1
        time.sleep(0.2)
    return dict(counts)


def compare(project: gs.Project, folder: Path) -> dict[str, int]:
    """What is there at the end, and how it differs from what must be."""
    group = project.get_feature_group("events")
    keys = Counter(group.read(["k"]).to_arrow()["k"].to_pylist())
    own = {key: n for key, n in keys.items() if not key.startswith("shared")}
    if lost := noted(folder) - set(own):
        raise AssertionError(f"{len(lost)} acknowledged rows are lost, such as {min(lost)}")
    if twice := [key for key, n in own.items() if n > 1]:
        raise AssertionError(f"{len(twice)} rows are there twice, such as {twice[0]}")
    table = group.table
    group.follow_online()
    with Lmdb(folder / "followed") as followed, Lmdb(folder / "anew") as anew:
        project.groups.online.follower(table, followed).follow()
        project.groups.online.follower(table, anew).rebuild()
        for store in (project.online, followed):
            if different := count_differences(table, (store, anew), project.clock):
                raise AssertionError(f"{different} keys differ from a store that was built anew: {store}")
    if not (diagnosis := project.doctor(deep=True)).ok:
        raise AssertionError(str(diagnosis))
    return {"rows": sum(keys.values()), "acknowledged": len(own), "commits": len(group.history())}


if __name__ == "__main__":
    main()
