"""How many rows a second a stream makes durable, how soon each is acknowledged, and how soon the online store shows it.

    python benchmarks/streaming.py [--rows 20000] [--threads 16]

The same rows are written by two plain baselines in the same run, batched as the stream batches them: JSON lines with
one fdatasync a batch, and inserts into SQLite (WAL, synchronous=FULL) with one transaction a batch. The time of a
stream includes checking every row and showing it online, and ends when the last row is acknowledged; what follows, the
commit to the Delta table, is told apart. Where one row is written at a time, the wait for the disk counts, and the
baselines wait as often.

Prints one JSON line each: `ratio` (ours / the faster baseline, in seconds; for time until online the share of the 100
ms that are promised), `task`, `rows_per_s` of all three, and `ack_p50_ms`, `ack_p99_ms`.
"""

import argparse
import json
import os
import sqlite3
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
from _measure import print_line

import groundswell as gs
from groundswell.features.streaming import RowStream

START, PROMISED_MS = datetime(2024, 1, 1, tzinfo=UTC), 100
SCHEMA = {
    "sensor": pa.int64(),
    "at": pa.timestamp("us", "UTC"),
    "place": pa.string(),
    "open": pa.bool_(),
    **{f"v{i}": pa.float64() for i in range(8)},
}
Row = dict[str, object]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--threads", type=int, default=16)
    given = parser.parse_args()
    rows = list(make_rows(given.rows))
    # Not in /tmp, which may be in memory.
    here = tempfile.TemporaryDirectory(prefix="groundswell-benchmark-", dir=Path.cwd())
    with here as folder, gs.open(Path(folder) / "p") as project:
        for online in (False, True):
            keys = {"primary_key": ["sensor"], "event_time": "at", "schema": SCHEMA, "online": online}
            project.create_feature_group("live" if online else "plain", **keys)
        for name in ("plain", "live"):
            measure_streams(project, name, rows, given.threads, Path(folder))
        measure_online(project)


def make_rows(count: int) -> Iterator[Row]:
    """Rows of 12 columns, each of another sensor."""
    for i in range(count):
        values = {f"v{j}": i * 0.25 + j for j in range(8)}
        yield {"sensor": i, "at": START + timedelta(seconds=i), "place": f"field {i % 97}", "open": i % 2 > 0, **values}


def measure_streams(project: gs.Project, name: str, rows: Sequence[Row], threads: int, folder: Path) -> None:
    """Rows a second by every way of writing."""
    few = rows[: max(200, len(rows) // 40)]
    ways: dict[str, tuple[Sequence[Row], int, Callable[[RowStream, Sequence[Row]], list[float]]]] = {
        "write, one thread": (few, 1, write_one_by_one),
        f"write, {threads} threads": (rows[: 8 * len(few)], threads, lambda s, r: write_in_threads(s, r, threads)),
        "write_from": (rows, 1_000, write_from),
        "write_all, 1,000 rows each": (rows, 1_000, write_all),
    }
    for task, (some, batch, way) in ways.items():
        with project.get_feature_group(name).stream() as stream:
            seconds, acks = timed(lambda: way(stream, some))  # noqa: B023  # called at once
            started = time.perf_counter()
            stream.flush()
            flush_s = time.perf_counter() - started
        lines, _ = timed(lambda: append_lines(folder / "rows.jsonl", some, batch))  # noqa: B023
        inserts, _ = timed(lambda: insert_rows(folder / "rows.db", some, batch))  # noqa: B023
        (folder / "rows.jsonl").unlink()
        (folder / "rows.db").unlink()
        print_line(
            ratio=seconds / min(lines, inserts),
            task=f"{task}, {'online' if name == 'live' else 'offline'}",
            rows=len(some),
            rows_per_s=round(len(some) / seconds),
            rows_per_s_committed=round(len(some) / (seconds + flush_s)),
            rows_per_s_lines=round(len(some) / lines),
            rows_per_s_sqlite=round(len(some) / inserts),
            **({"ack_p50_ms": quantile(acks, 50), "ack_p99_ms": quantile(acks, 99)} if acks else {}),
        )


def timed(work: Callable[[], list[float]]) -> tuple[float, list[float]]:
    """Seconds, and what the work gives."""
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result


def quantile(ms: Sequence[float], percent: int) -> float:
    """A percentile."""
    return statistics.quantiles(ms, n=100)[percent - 1]


def write_one_by_one(stream: RowStream, rows: Sequence[Row]) -> list[float]:
    """Each row waits for the disk; milliseconds of each."""
    ms = []
    for row in rows:
        started = time.perf_counter()
        stream.write(row)
        ms.append((time.perf_counter() - started) * 1_000)
    return ms


def write_in_threads(stream: RowStream, rows: Sequence[Row], count: int) -> list[float]:
    """Many wait for the disk together."""
    acks: list[float] = []
    writers = [
        threading.Thread(target=lambda part: acks.extend(write_one_by_one(stream, part)), args=(rows[i::count],))
        for i in range(count)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    return acks


def write_from(stream: RowStream, rows: Sequence[Row]) -> list[float]:
    """An iterator, pipelined."""
    stream.write_from(iter(rows))
    return []


def write_all(stream: RowStream, rows: Sequence[Row]) -> list[float]:
    """Batches that are acknowledged as one."""
    ms = []
    for start in range(0, len(rows), 1_000):
        started = time.perf_counter()
        stream.write_all(rows[start : start + 1_000])
        ms.append((time.perf_counter() - started) * 1_000)
    return ms


def append_lines(path: Path, rows: Sequence[Row], batch: int) -> list[float]:
    """The first baseline: JSON lines, one fdatasync a batch."""
    with path.open("w") as file:
        for start in range(0, len(rows), batch):
            file.writelines(json.dumps(row, default=str) + "\n" for row in rows[start : start + batch])
            file.flush()
            os.fdatasync(file.fileno())
    return []


def insert_rows(path: Path, rows: Sequence[Row], batch: int) -> list[float]:
    """The second: SQLite's own log, one transaction a batch."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute(f"CREATE TABLE r ({', '.join(SCHEMA)}, PRIMARY KEY (sensor, at))")
    for start in range(0, len(rows), batch):
        values = [tuple(str(v) if isinstance(v, datetime) else v for v in row.values()) for row in rows[start:][:batch]]
        connection.execute("BEGIN")
        connection.executemany(f"INSERT OR REPLACE INTO r VALUES ({', '.join('?' * len(SCHEMA))})", values)
        connection.execute("COMMIT")
    connection.close()
    return []


def measure_online(project: gs.Project) -> None:
    """How soon a row can be read in the online store, from the moment that its write begins."""
    group = project.get_feature_group("live")
    view = project.create_feature_view("newest", group.select("v0"))
    ms: list[float] = []
    with group.stream() as stream:
        for i in range(300):
            row = {**next(make_rows(1)), "sensor": i % 50, "at": START + timedelta(days=9 + i), "v0": -1.0 - i}
            started = time.perf_counter()
            stream.write(row)
            while view.vector({"sensor": i % 50})["v0"] != -1.0 - i:
                time.sleep(0.0005)
            ms.append((time.perf_counter() - started) * 1_000)
            time.sleep(0.005)
    print_line(
        ratio=quantile(ms, 99) / PROMISED_MS,
        task="time until a row is online",
        p50_ms=statistics.median(ms),
        p99_ms=quantile(ms, 99),
        most_ms=max(ms),
    )


if __name__ == "__main__":
    main()
