"""A process that has imported Groundswell and forks workers on request, so that a test can kill fifty of them cheaply.

Reads JSON lines: `{"start": task, "arguments": {…}, "environment": {…}}` forks a worker that runs the task, and
answers its process id; `{"wait": pid}` answers its exit status, negative for a signal. It starts no thread itself, so
that forking is sound. The tasks are the functions in `TASKS`; a worker acknowledges what it has done by a line in the
file `acknowledged`.
"""

import itertools
import json
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
from deltalake import DeltaTable

import groundswell as gs
import groundswell.features
import groundswell.project
from groundswell.catalog import Catalog
from groundswell.changes import ChangeStream, JsonLines, OnlineStores, Webhook
from groundswell.engines import DuckDB
from groundswell.errors import ColumnNotFoundError, ConflictError
from groundswell.features.streaming import StreamLimits
from groundswell.online import Follower, Lmdb, Redis
from groundswell.tables import Definition, Pin, Table, WriteAheadLog, append_features
from groundswell.types import Schema

ROWS = 20
START_US = 1_704_067_200_000_000  # 2024-01-01T00:00Z
START = datetime.fromtimestamp(START_US // 1_000_000, UTC)


def batch(writer: str, number: int) -> pa.Table:
    """Rows of their own, and one row that all writers and batches write again."""
    keys = [*(f"{writer}-{number}-{i}" for i in range(ROWS)), "shared"]
    times = [*(START_US + number * 1_000_000 + i for i in range(ROWS)), START_US]
    return pa.table({"k": keys, "t": pa.array(times).cast(pa.timestamp("us", tz="UTC")), "v": [number] * len(keys)})


def table_of(folder: str) -> Table:
    """A table without a project around it, made at first."""
    catalog = Catalog.create(f"sqlite:///{Path(folder) / 'catalog.db'}")
    found = catalog.find("feature_group", name="events")
    entry = found[0] if found else catalog.add("feature_group", "events", {})
    definition = Definition.of("events", ["k"], "t", None, Schema.from_arrow(batch("", 0).schema))
    table = Table(
        table_id=entry.id,
        folder=Path(folder) / "events",
        definition=definition,
        catalog=catalog,
        engine=DuckDB(),
        author="me@here",
    )
    if not Table.exists(table.folder):
        table.folder.mkdir(exist_ok=True)
        table.create()
    return table


def write_table(*, folder: str, **batches: object) -> None:
    """Write batches to a bare table."""
    table = table_of(folder)
    write(lambda rows: table.commit(table.stage(rows)), table.compact, **batches)


def copy_group(*, folder: str) -> None:
    """Make a new version of the only group."""
    with gs.open(folder) as project:
        project.get_feature_group("g").new_version()


def widen_table(*, folder: str) -> None:
    """Write a batch to a bare table, then append a column to it."""
    table = table_of(folder)
    table.commit(table.stage(batch("w", 0)))
    table.change_schema(lambda definition: append_features(definition, {"x": pa.int8()}, {"x": 1}))


def follow_table(*, folder: str, store: str, first: int, last: int, part_rows: int) -> None:
    """Write events to a bare table, now and then change it in other ways, and follow each change into a store.

    Args:
        store: the address of a Redis server, or a folder.
        part_rows: how many rows are written to the store at once.
    """
    groundswell.engines._duckdb.BATCH_ROWS = part_rows
    table = table_of(folder)
    place = Redis(store, lease_s=0.3) if "://" in store else Lmdb(store)
    follower = Follower(table, place, DuckDB(), clock=lambda: START + timedelta(minutes=25))
    for number in range(first, last + 1):
        table.commit(table.stage(events(number)))
        if number % 5 == 3:
            table.compact()
        if number % 7 == 5:
            DeltaTable(table.folder).delete(f"v = {number - 2} OR k = 'k{number % 20}'")
        if number % 11 == 9:
            follower.rebuild()
        follower.follow()


def rows_of(*keys: str) -> pa.Table:
    """One row of each key."""
    times = pa.array([START] * len(keys), pa.timestamp("us", tz="UTC"))
    return pa.table({"k": keys, "t": times, "v": [len(key) for key in keys]})


def rewrite_table(*, folder: str, first: int, acknowledged: str) -> None:
    """Delete from a bare table, purge, restore and vacuum it, from one of the steps on.

    Args:
        acknowledged: gets the number of each step that is done.
    """
    table = table_of(folder)

    def pin() -> None:
        with table.held():
            table.pins.write(Pin(id="training", title="training data", version=1))

    steps = [
        lambda: table.commit(table.stage(rows_of("x", "y", SECRET))),
        lambda: table.commit(table.stage(rows_of(SECRET, "z"))),
        pin,
        lambda: table.delete_rows({"k": "y"}),
        lambda: table.purge({"k": SECRET}),
        lambda: table.restore(1, remainder=True),
        lambda: table.commit(table.stage(rows_of("w"))),
        lambda: table.vacuum(last=1),
        lambda: table.delete_rows({"k": "x"}),
    ]
    with Path(acknowledged).open("a", buffering=1) as file:
        for number in range(first, len(steps)):
            steps[number]()
            file.write(f"{number}\n")


SECRET = "Zq9-secret-person"


def race_table(*, folder: str, writer: int, n_rounds: int) -> None:
    """Insert, delete, compact and restore as fast as one can; commits say what they did."""
    table = table_of(folder)
    for i in range(n_rounds):
        keys = [f"{writer}-{i}-{j}" for j in range(3)]
        table.commit(table.stage(rows_of(*keys, "shared")), {"keys": [*keys, "shared"]})
        if i % 3 == 1:
            gone = f"{writer}-{i - 1}-0"
            table.delete_rows({"k": gone}, provenance={"keys": [gone]})
        if i % 4 == 2:
            table.compact()
        if writer == 0 and i % 4 == 3:
            table.restore(table.version() - 2)


def split_view(*, folder: str, n_splits: int) -> None:
    """Make training data over and over."""
    with gs.open(folder, threads=1) as project:
        view = project.get_feature_view("view")
        for _ in range(n_splits):
            view.train_test_split(test_size=0.5)


def churn_group(*, folder: str, n_rounds: int) -> None:
    """Insert, compact, and give up every version but the newest, over and over."""
    with gs.open(folder, threads=1) as project:
        group = project.get_feature_group("events")
        for number in range(n_rounds):
            group.insert(batch("w", number))
            group.compact()
            group.vacuum(keep_versions=1)


def events(number: int) -> pa.Table:
    """Rows of twenty keys, over and over, some of them of the future."""
    minutes = [(number * 7 + i * 3) % 50 for i in range(ROWS)]
    times = pa.array([START + timedelta(minutes=minute) for minute in minutes], pa.timestamp("us", tz="UTC"))
    return pa.table({"k": [f"k{(number + i * i) % 20}" for i in range(ROWS)], "t": times, "v": [number] * ROWS})


def change_things(*, folder: str, first: int) -> None:
    """Write to a bare table, now and then from outside, and let other things happen to what the catalog has."""
    table, catalog = table_of(folder), Catalog.open(f"sqlite:///{Path(folder) / 'catalog.db'}")
    for number in itertools.count(first):
        table.commit(table.stage(events(number)))
        with catalog.transaction():
            model = catalog.add("model", "late", {"number": number})
            catalog.log("registered", model)
        if number % 3 == 1:
            with catalog.transaction():
                catalog.log("deleted", model)
                catalog.remove(model)
        if number % 5 == 3:
            table.compact()
        if number % 7 == 5:
            DeltaTable(table.folder).delete(f"v = {number - 2} OR k = 'k{number % 20}'")


def follow_changes(*, folder: str, url: str, max_bytes: int | None) -> None:
    """Run the consumers of the change stream of a bare table until killed."""
    table, catalog = table_of(folder), Catalog.open(f"sqlite:///{Path(folder) / 'catalog.db'}")
    follower = Follower(table, Lmdb(Path(folder) / "online"), DuckDB(), clock=lambda: START + timedelta(minutes=25))
    consumers = [
        JsonLines(path=Path(folder) / "events.jsonl", name="audit", max_bytes=max_bytes),
        Webhook(url=url, name="hook", secret_variable="HOOK_SECRET"),
        OnlineStores(followers=lambda: {table.table_id: follower}),
    ]
    with ChangeStream(catalog, lambda _: table, Path(folder) / "consumers", consumers):
        threading.Event().wait()


def write_group(*, folder: str, **batches: object) -> None:
    """Write batches to a feature group of a project."""
    group = gs.open(folder).get_feature_group("events")
    write(group.insert, group.compact, **batches)


def write_online_group(*, folder: str, store: str, first: int, last: int) -> None:
    """Insert batches into a group that is online, made at first; now and then change it in other ways.

    Args:
        store: the address of a Redis server; empty is the project's own.
    """
    project = gs.open(folder, online=Redis(store, lease_s=0.3) if store else None, threads=1)
    project.clock = lambda: START + timedelta(minutes=25)
    if "events" not in [group.name for group in project.feature_groups()]:
        project.create_feature_group("events", primary_key=["k"], event_time="t", schema=events(0).schema, online=True)
    group = project.get_feature_group("events")
    for number in range(first, last + 1):
        group.insert(events(number))
        if number % 5 == 3:
            group.compact()
        if number % 4 == 1:
            group.delete_rows([{"k": f"k{number % 20}"}])


def write(
    insert: Callable, compact: Callable, *, writer: str, first: int, last: int, acknowledged: str, compact_every: int
) -> None:
    """Insert the batches from `first` to `last`, each acknowledged with its version once `insert` has returned.

    Args:
        compact_every: after how many batches to compact; 0 is never.
    """
    with Path(acknowledged).open("a", buffering=1) as file:
        for number in range(first, last + 1):
            commit = insert(batch(writer, number))
            file.write(f"{number} {commit.version}\n")
            if compact_every and number % compact_every == compact_every - 1:
                compact()


def grow_group(*, folder: str, writer: str, n_rounds: int) -> None:
    """Append a feature and write one row with every feature there is, over and over."""
    with gs.open(folder, threads=1) as project:
        group = project.get_feature_group("g")
        for number in range(n_rounds):
            group.append_features({f"{writer}_{number}": pa.int64()})
            for _ in range(100):
                features = dict.fromkeys(group.features, number)
                try:
                    group.insert([{"k": writer, "t": START, **features}])
                    break
                except (ConflictError, ColumnNotFoundError):  # another one appended a feature just now
                    continue
            else:
                raise AssertionError("the schema does not come to rest")


def create_group(*, folder: str, with_schema: bool) -> None:
    """Make a project with one group, unless opening the project has completed it."""
    project = gs.open(folder)
    if "events" not in [group.name for group in project.feature_groups()]:
        schema = batch("", 0).schema if with_schema else None
        project.create_feature_group("events", primary_key=["k"], event_time="t", schema=schema)


def open_project(*, folder: str) -> None:
    """Open a project, made at first, and look into it."""
    assert gs.open(folder).feature_groups() == []


def run_windows(*, folder: str) -> None:
    """Bring windows over a group into another group."""
    project = gs.open(folder)
    windows = gs.windows(
        project.get_feature_group("events"), key="k", aggregations={"n": gs.count(over="3h")}, every="1h"
    )
    windows.into(project.get_feature_group("counts")).run()


def stream_rows(*, folder: str, writer: str, first: int, last: int, acknowledged: str) -> None:
    """Stream rows into a group that is online, some one by one and some together; each number when it is durable."""
    limits = StreamLimits(commit_every_s=0.03)
    with (
        gs.open(folder, threads=1) as project,
        Path(acknowledged).open("a", buffering=1) as file,
        project.get_feature_group("events").stream(limits=limits) as stream,
    ):
        for number in range(first, last + 1):
            rows = [
                {"k": f"{writer}-{number}", "t": START, "v": number},
                {"k": "shared", "t": START + timedelta(seconds=number), "v": number},
            ]
            if number % 3:
                stream.write_all(rows)
            else:
                for row in rows:
                    stream.write(row)
            file.write(f"{number}\n")


def fork_and_die(*, table: str, child: str) -> None:
    """Open a log, fork a child that lives on, and end without closing the log."""
    log = WriteAheadLog.create(Path(table), "counts")
    pid = os.fork()
    if not pid:
        os.close(1)  # the server's own pipe, whose end a test may wait for
        time.sleep(60)
        os._exit(0)
    Path(child).write_text(str(pid))
    assert log.segments() == []


TASKS = {
    "fork_and_die": fork_and_die,
    "stream_rows": stream_rows,
    "churn_group": churn_group,
    "open_project": open_project,
    "race_table": race_table,
    "rewrite_table": rewrite_table,
    "run_windows": run_windows,
    "split_view": split_view,
    "change_things": change_things,
    "copy_group": copy_group,
    "create_group": create_group,
    "grow_group": grow_group,
    "follow_changes": follow_changes,
    "follow_table": follow_table,
    "widen_table": widen_table,
    "write_group": write_group,
    "write_online_group": write_online_group,
    "write_table": write_table,
}


def main() -> None:
    """Serve until the input ends."""
    for line in sys.stdin:
        request = json.loads(line)
        if "wait" in request:
            _, status = os.waitpid(request["wait"], 0)
            answer = os.waitstatus_to_exitcode(status)
        else:
            answer = os.fork()
            if answer == 0:
                work(request)
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()


def work(request: dict) -> None:
    """Run one task in the forked process and leave."""
    os.environ |= request["environment"]
    try:
        TASKS[request["start"]](**request["arguments"])
    except BaseException:  # noqa: BLE001 - a process boundary: the test sees the status, its log the cause
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


if __name__ == "__main__":
    main()
