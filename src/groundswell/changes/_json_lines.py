"""A consumer that appends events to a file, one JSON object a line.

Every line carries the number of its event, so the file itself says how far it has come: what is given again is left
out, and each event is there once.
"""

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from glob import escape
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

from groundswell.catalog import Event
from groundswell.changes._filter import Filter
from groundswell.errors import CorruptionError, DataError

__all__ = ["JsonLines"]

_TAIL_BYTES = 1 << 16
_IDENTITY = ("sequence", "at", "verb", "id")


@dataclass(frozen=True, kw_only=True)
class JsonLines:
    """Appends events to a file, each exactly once and durable before it counts as taken.

    A line that a crash cut short is removed before the next one is written.

    Args:
        path: the file, made if it is not there; its folder must exist. Made absolute.
        name: what it is registered as.
        filter: which events it wants.
        max_bytes: once the file is this large, it is given the number of its last event (`events.jsonl` becomes
            `events-000000000042.jsonl`) and another one is begun. None is never.

    Raises:
        DataError: `max_bytes` is not positive.
    """

    kind: ClassVar[str] = "json lines"

    path: str | os.PathLike[str]
    name: str
    filter: Filter = field(default_factory=Filter)
    max_bytes: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", Path(self.path).expanduser().absolute())
        if self.max_bytes is not None and self.max_bytes < 1:
            raise DataError(
                f"A file cannot be at most {self.max_bytes} bytes.", fix="Give a positive number.", value=self.max_bytes
            )

    def settings(self) -> Mapping[str, Any]:  # Any: JSON
        """The path and the size."""
        return {"path": str(self._path), "max_bytes": self.max_bytes}

    def deliver(self, events: Sequence[Event]) -> None:
        """Append the events that are not in the file yet.

        Raises:
            CorruptionError: the file cannot be written, or holds something else than the events of this stream.
        """
        try:
            self._append(events)
        except OSError as error:
            if isinstance(error, CorruptionError):
                raise
            raise CorruptionError(
                f"Events cannot be written to {self._path}: {error}",
                fix="Check that the folder exists and can be written, and that the disk has room.",
                path=str(self._path),
            ) from error

    def start_over(self) -> None:
        """Remove the file and those before it, the newest first: what is left always ends with what it says it has."""
        for path in (self._path, *reversed(self._rotated())):
            path.unlink(missing_ok=True)

    @property
    def _path(self) -> Path:
        return Path(self.path)

    def _append(self, events: Sequence[Event]) -> None:
        with self._path.open("a+b", buffering=0) as file:
            last = self._last_line(file)
            taken = self._taken() if last is None else int(last["sequence"])
            if last is not None and events[-1].sequence >= taken >= events[0].sequence:
                self._check_same(last, events)
            full = self.max_bytes is not None and file.tell() >= self.max_bytes
        if full:
            self._path.rename(self._path.with_name(f"{self._path.stem}-{taken:012d}{self._path.suffix}"))
        lines = [json.dumps(e.to_dict(), ensure_ascii=False) + "\n" for e in events if e.sequence > taken]
        with self._path.open("ab") as file:
            file.write("".join(lines).encode())
            file.flush()
            os.fsync(file.fileno())
        _sync_folder(self._path.parent)

    def _last_line(self, file: BinaryIO) -> dict[str, Any] | None:  # Any: JSON
        """The last whole line, None if there is none; what stands behind it is cut off."""
        size = file.seek(0, os.SEEK_END)
        tail, start = b"", size
        while start and tail.count(b"\n") < 2:
            start = max(0, start - max(_TAIL_BYTES, len(tail)))
            file.seek(start)
            tail = file.read(size - start)
        end = tail.rfind(b"\n") + 1
        if start + end < size:
            file.truncate(start + end)
        file.seek(0, os.SEEK_END)
        if not end:
            return None
        line = tail[tail.rfind(b"\n", 0, end - 1) + 1 : end]
        with suppress(ValueError, KeyError, TypeError):
            found: dict[str, Any] = json.loads(line)
            if int(found["sequence"]) > 0:
                return found
        raise self._foreign(f"its last line is {line[:80]!r}")

    def _taken(self) -> int:
        """The number of the last event in the files before this one."""
        rotated = self._rotated()
        return int(rotated[-1].stem.rpartition("-")[2]) if rotated else 0

    def _rotated(self) -> list[Path]:
        stem, suffix = escape(self._path.stem), escape(self._path.suffix)
        return sorted(self._path.parent.glob(f"{stem}-{'[0-9]' * 12}{suffix}"))

    def _check_same(self, last: Mapping[str, Any], events: Sequence[Event]) -> None:
        same = [event.to_dict() for event in events if event.sequence == last["sequence"]]
        if not same or any(same[0][key] != last.get(key) for key in _IDENTITY):
            raise self._foreign(f"its event {last['sequence']} is another than that of the project")

    def _foreign(self, what: str) -> CorruptionError:
        return CorruptionError(
            f"The file {self._path} does not hold the events of this project: {what}.",
            why="Another program wrote to it, or the project was restored from a backup meanwhile.",
            fix=f"Move it away, or write it anew with: groundswell follow --rebuild {self.name}",
            path=str(self._path),
        )


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
