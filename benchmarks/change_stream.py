"""How soon and how fast changes come to their consumers, and what it costs to wait for them.

    python benchmarks/change_stream.py [--events 20000] [--groups 20]

The unit of soon is the second that the stream promises; ours is the time from the moment that an event tells of, such
as a commit by delta-rs, until the consumer has it, while a stream runs. The unit of fast is the same lines made and
written by a plain loop, synced as often; ours reads the events from the catalog and moves the position too. The unit of
waiting is one core; ours is the share of it that a stream takes while nothing happens.

Prints one JSON line each: `ratio` to the unit, `task`, and `ms` and `late_ms` (median and 99th percentile),
`events_per_s` or `share`.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from _measure import in_turns, print_line
from deltalake import write_deltalake

import groundswell as gs
from groundswell.catalog import Event
from groundswell.changes import Filter, JsonLines

BATCH, TIMES, IDLE_S = 500, 60, 10


class Stopwatch:
    """A consumer that notes how long each event took to come."""

    name, filter = "stopwatch", Filter()

    def __init__(self) -> None:
        self.ms: list[float] = []

    def deliver(self, events: Sequence[Event]) -> None:
        now = datetime.now(UTC)
        self.ms += [(now - event.at).total_seconds() * 1_000 for event in events]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--groups", type=int, default=20)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="groundswell-benchmark-") as folder, gs.open(Path(folder) / "p") as project:
        make_groups(project, given.groups)
        measure_waiting(project)
        measure_delivery(project, Path(folder), given.events)


def make_groups(project: gs.Project, count: int) -> None:
    """Groups of one row."""
    for number in range(count):
        group = project.create_feature_group(f"group_{number}", primary_key=["k"])
        group.insert({"k": [1], "v": [1.0]})


def measure_waiting(project: gs.Project) -> None:
    """How soon events come, and what waiting for them costs."""
    watch = Stopwatch()
    group = project.get_feature_group("group_0")
    rows = group.read().to_arrow()
    stream = project.change_stream(watch)
    stream.catch_up()
    with stream:
        time.sleep(2)
        before = time.process_time()
        time.sleep(IDLE_S)
        share = (time.process_time() - before) / IDLE_S
        print_line(ratio=share, task="wait while nothing happens", share=share)
        print_soon(watch, "event of the catalog", lambda: project.catalog.log("described", group.id))
        foreign = partial(write_deltalake, group.table.folder, rows, mode="append", schema_mode="merge")
        print_soon(watch, "commit of another tool", foreign)


def print_soon(watch: Stopwatch, task: str, happen: Callable[[], object]) -> None:
    """Let something happen again and again, and print how long it took to come."""
    watch.ms.clear()
    for _ in range(TIMES):
        happen()
        time.sleep(0.07)
    time.sleep(1)
    median, late = statistics.median(watch.ms), statistics.quantiles(watch.ms, n=100)[98]
    print_line(ratio=late / 1_000, task=task, ms=median, late_ms=late)


def measure_delivery(project: gs.Project, folder: Path, count: int) -> None:
    """How fast events come into a file."""
    group = project.get_feature_group("group_0")
    with project.catalog.transaction():
        for _ in range(count):
            project.catalog.log("described", group.id)
    project.remove_consumer("stopwatch")
    events = list(project.changes())
    sink = JsonLines(path=folder / "events.jsonl", name="file")
    project.add_consumer(sink)
    unit, ours = in_turns([partial(write, events, folder / "plain.jsonl"), partial(rebuild, project)], 5)
    print_line(ratio=ours / unit, task="write events to a file", events_per_s=len(events) / ours)


def write(events: Sequence[Event], path: Path) -> None:
    """The unit: the lines as they are, synced after each batch."""
    with path.open("w") as file:
        for start in range(0, len(events), BATCH):
            file.writelines(json.dumps(event.to_dict()) + "\n" for event in events[start : start + BATCH])
            file.flush()
            os.fsync(file.fileno())


def rebuild(project: gs.Project) -> None:
    """Ours: the file anew, from the first event on."""
    project.change_stream().rebuild("file")


if __name__ == "__main__":
    main()
