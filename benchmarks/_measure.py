"""What every benchmark stands on: work in a process of its own, its time and peak memory, medians, and JSON lines.

Uses the standard library only, so that a peer in another virtual environment can report through it too.
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Measurement:
    """One piece of work: its wall time, the largest resident memory of its process, and what it said of its result."""

    seconds: float
    peak_mb: float
    facts: Mapping[str, Any] = field(default_factory=dict)


def report(work: Callable[[], Mapping[str, Any]]) -> None:
    """In the child: do the work, timed, and print the measurement as the last line.

    Args:
        work: what is timed; returns facts about the result, such as a checksum, computed outside its own time if they
            are callables.
    """
    started = time.perf_counter()
    facts = work()
    seconds = time.perf_counter() - started
    peak_mb = peak_memory_mb()
    facts = {name: fact() if callable(fact) else fact for name, fact in facts.items()}
    print(json.dumps({"seconds": seconds, "peak_mb": peak_mb, "facts": facts}), flush=True)


def peak_memory_mb() -> float:
    """The largest resident memory of this process so far.

    Linux counts a parent's memory into `ru_maxrss` of a child that it forks, so the kernel's own high-water mark of
    this address space is read where there is one.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 1024


def run_child(command: Sequence[str | Path], **environment: str) -> Measurement:
    """Run a command that ends with `report` and read what it measured.

    Raises:
        RuntimeError: the command failed; the message ends with what it wrote last.
    """
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        env=os.environ | environment,
        check=False,
    )
    if done.returncode != 0:
        tail = " | ".join((done.stderr or done.stdout).strip().splitlines()[-3:])
        raise RuntimeError(f"{Path(command[0]).name} ended with {done.returncode}: {tail}")
    return Measurement(**json.loads(done.stdout.strip().splitlines()[-1]))


def interleaved(contestants: Mapping[str, Callable[[], Measurement]], repetitions: int) -> dict[str, Measurement | str]:
    """The median of each contestant, who take turns so that a slow spell of the machine meets them all.

    A contestant who fails is out from then on, and the reason stands in place of its median.
    """
    done: dict[str, list[Measurement]] = {name: [] for name in contestants}
    failed: dict[str, str] = {}
    for _ in range(repetitions):
        for name, contestant in contestants.items():
            if name not in failed:
                try:
                    done[name].append(contestant())
                except RuntimeError as error:
                    failed[name] = str(error)
    return {name: failed.get(name) or median(measured) for name, measured in done.items()}


def median(measured: Sequence[Measurement]) -> Measurement:
    """The median time, the largest memory, and the facts of the first."""
    return Measurement(
        seconds=statistics.median(m.seconds for m in measured),
        peak_mb=max(m.peak_mb for m in measured),
        facts=measured[0].facts,
    )


def in_turns(works: Sequence[Callable[[], None]], repetitions: int) -> list[float]:
    """The median seconds of each work, who take turns, after one turn that is not counted."""
    seconds: list[list[float]] = [[] for _ in works]
    for turn in range(repetitions + 1):
        for work, times in zip(works, seconds, strict=True):
            started = time.perf_counter()
            work()
            if turn:
                times.append(time.perf_counter() - started)
    return [statistics.median(times) for times in seconds]


def print_line(*, ratio: float | None, **fields: object) -> None:
    """One JSON line, the ratio first."""
    rounded = {name: round(value, 4) if isinstance(value, float) else value for name, value in fields.items()}
    print(json.dumps({"ratio": None if ratio is None else round(ratio, 3), **rounded}), flush=True)
