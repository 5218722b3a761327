"""Rows of streams that were acknowledged, and then broke a rule about batches: kept until somebody decides.

A rule about a batch as a whole, such as a mean or an order, can only be judged when rows are committed. By then they
are acknowledged, so they are neither dropped nor written: their part of the log is moved beside the table, whole, and
the report of the validation says why.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from groundswell.errors import CorruptionError, NotFoundError, choices
from groundswell.tables import Definition, WriteAheadLog, read_segment, rewrite_segment, segment_schema

__all__ = ["Quarantine", "QuarantinedRows"]


@dataclass(frozen=True)
class QuarantinedRows:
    """Rows of one stream that were set aside together.

    Args:
        name: what they are called; the stream and the number of its segment.
        path: the file that holds them.
        tell: is given what is dropped, before it is.
    """

    name: str
    path: Path
    tell: Callable[[Mapping[str, Any]], None] = field(repr=False, compare=False)

    @property
    def set_aside_at(self) -> datetime:
        """When they were logged last, in UTC."""
        return datetime.fromtimestamp(self.path.stat().st_mtime, UTC)

    def read(self) -> pa.Table:
        """The rows.

        Raises:
            CorruptionError: the file is damaged.
        """
        return pa.Table.from_batches(list(read_segment(self.path)), segment_schema(self.path))

    def release(self) -> None:
        """End the quarantine of rows that were inserted meanwhile; of that the commit tells."""
        self.path.unlink(missing_ok=True)

    def discard(self) -> None:
        """Drop them for good, and tell so; of a damaged file nobody can say how many rows it had."""
        if not self.path.exists():
            return
        rows = None
        with suppress(CorruptionError):
            rows = self.read().num_rows
        self.tell({"name": self.name, "rows": rows})
        self.path.unlink(missing_ok=True)


class Quarantine:
    """What is set aside of one group. Iterating gives it, oldest first.

    Args:
        folder: where it is.
        group: the group's name, for errors.
        tell: is given what is dropped, before it is.
    """

    def __init__(self, folder: Path, group: str, tell: Callable[[Mapping[str, Any]], None]) -> None:  # Any: JSON
        self.folder, self._group, self._tell = folder, group, tell

    def __iter__(self) -> Iterator[QuarantinedRows]:
        found = [QuarantinedRows(path.stem, path, self._tell) for path in self.folder.glob("*.wal")]
        return iter(sorted(found, key=lambda rows: (rows.set_aside_at, rows.name)))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __getitem__(self, name: str) -> QuarantinedRows:
        """The rows of that name.

        Raises:
            NotFoundError: there are none.
        """
        found = {rows.name: rows for rows in self}
        if name not in found:
            raise NotFoundError(
                f"Group {self._group!r} has no rows {name!r} in quarantine.",
                fix=choices(name, found, "names") if found else "Its quarantine is empty.",
                name=name,
            )
        return found[name]

    def __repr__(self) -> str:
        lines = [
            f"{rows.name}: {rows.read().num_rows:,} rows, {rows.set_aside_at:%Y-%m-%d %H:%M:%S} UTC" for rows in self
        ]
        return "\n".join([f"Quarantine of {self._group!r}: {len(lines)} parts", *lines])

    def erase(self, keys: pa.Table, definition: Definition) -> int:
        """Take rows with certain keys out of every part, so that no file holds a byte of them, and count them.

        Args:
            keys: columns of the group's keys and times, in its types.
            definition: the group's.

        Raises:
            CorruptionError: a file is damaged, so nobody can say what is in it, or the disk is full or not writable.
        """
        wanted = set(zip(*(column.to_pylist() for column in keys.columns), strict=True))
        return sum(_erase(part.path, keys.column_names, wanted, definition) for part in self)

    def set_aside(self, log: WriteAheadLog, segments: Sequence[Path]) -> None:
        """Move refused segments here.

        Args:
            log: the stream's.
            segments: of it.

        Raises:
            CorruptionError: the disk is full or not writable.
        """
        log.set_aside(segments, self.folder)


def _erase(
    path: Path,
    names: Sequence[str],
    wanted: Collection[tuple[Any, ...]],  # Any: values of keys
    definition: Definition,
) -> int:
    """Take rows whose named columns are among the wanted values out of a file, and count them."""
    kept: list[pa.RecordBatch] = []
    erased = 0
    for batch in read_segment(path):
        columns = [batch.column(name).cast(definition.schema[name].type).to_pylist() for name in names]
        stays = pa.array([row not in wanted for row in zip(*columns, strict=True)], pa.bool_())
        kept.append(batch.filter(stays))
        erased += batch.num_rows - kept[-1].num_rows
    if erased and any(batch.num_rows for batch in kept):
        rewrite_segment(path, definition.name, kept)
    elif erased:
        path.unlink()
    return erased
