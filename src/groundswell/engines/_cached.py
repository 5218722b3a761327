"""A source read once and kept decoded, for computations that pass over it again and again.

Decoding Parquet costs several times what a gradient costs. So the first pass keeps what it decodes: in memory while
that is within a budget, then in Arrow IPC files that are mapped into memory, whose columns lie as a matrix needs them.
What fits into neither is read again from the source.
"""

import shutil
import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa

from groundswell.engines._scannable import Part, Scannable, check_columns


class Cached:
    """A source whose parts are kept decoded.

    Use it as a context manager; it removes its file at the end. Parts are kept as they are read, from any thread.

    Args:
        source: what to read.
        columns: the columns that will be asked for.
        memory_bytes: how much may be kept in memory.
        disk_bytes: how much may be kept on the disk.
        folder: where on the disk; None is a folder of its own in the system's temporary folder.
    """

    def __init__(
        self,
        source: Scannable,
        columns: Sequence[str],
        *,
        memory_bytes: int = 256 << 20,
        disk_bytes: int = 0,
        folder: Path | None = None,
    ) -> None:
        check_columns(columns, source.schema)
        self._source, self._columns = source, list(columns)
        self._memory_left, self._disk_left = memory_bytes, disk_bytes
        self._folder = folder
        self._made: Path | None = None
        self._kept: dict[int, pa.RecordBatch] = {}
        self._on_disk: dict[int, Path] = {}
        self._count: int | None = None
        self._lock = threading.Lock()

    @property
    def schema(self) -> pa.Schema:
        """The columns."""
        return self._source.schema

    @property
    def rows(self) -> int | None:
        """How many rows there are, if that is known."""
        return self._source.rows

    def parts(self, columns: Sequence[str]) -> Iterator[Part]:
        """One reader for each part: from memory, from the file, or from the source."""
        check_columns(columns, self.schema)
        if not set(columns) <= set(self._columns):
            yield from self._source.parts(columns)
            return
        if self._count is not None and len(self._kept) + len(self._on_disk) == self._count:
            for number in range(self._count):  # all is kept: a stream need not even be opened
                yield _Keeping(self, number, _gone, list(columns))
            return
        count = 0
        for count, part in enumerate(self._source.parts(self._columns), 1):
            yield _Keeping(self, count - 1, part, list(columns))
        self._count = count

    def read(self, number: int, part: Part) -> pa.RecordBatch:
        """A part with all kept columns, kept from now on if there is room."""
        kept = self._kept.get(number)
        if kept is not None:
            return kept
        if number in self._on_disk:
            with pa.memory_map(str(self._on_disk[number])) as file:
                return pa.ipc.open_file(file).get_batch(0)
        batch = _one_batch(part())
        with self._lock:
            in_memory = batch.nbytes <= self._memory_left
            on_disk = not in_memory and batch.nbytes <= self._disk_left
            self._memory_left -= batch.nbytes if in_memory else 0
            self._disk_left -= batch.nbytes if on_disk else 0
        if in_memory:
            batch = _packed(batch)
            self._kept[number] = batch
        elif on_disk:
            self._on_disk[number] = self._write(number, batch)
        return batch

    def _write(self, number: int, batch: pa.RecordBatch) -> Path:
        with self._lock:
            if self._made is None:
                self._made = Path(tempfile.mkdtemp(prefix="groundswell-cache-", dir=self._folder))
        path = self._made / f"{number}.arrow"
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, batch.schema) as writer:
            writer.write_batch(batch)
        return path

    def close(self) -> None:
        """Forget what was kept, give its memory back, and remove its files."""
        self._kept.clear()
        pa.default_memory_pool().release_unused()  # which it would hold beside what a transformation needs next
        self._on_disk.clear()
        self._count = None
        if self._made is not None:
            shutil.rmtree(self._made, ignore_errors=True)
            self._made = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Keeping:
    def __init__(self, cache: Cached, number: int, part: Part, columns: list[str]) -> None:
        self._cache, self._number, self._part, self._columns = cache, number, part, columns

    def __call__(self) -> pa.RecordBatch:
        return self._cache.read(self._number, self._part).select(self._columns)


def _gone() -> pa.RecordBatch:
    raise AssertionError("a part that is kept is not read again")


def _packed(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch in one piece of memory, where its columns lie as a matrix needs them: later passes copy nothing."""
    if any(pa.types.is_dictionary(field.type) for field in batch.schema):  # dictionaries would lie elsewhere
        return batch
    return pa.ipc.read_record_batch(batch.serialize(), batch.schema)


def _one_batch(part: pa.RecordBatch | pa.Table) -> pa.RecordBatch:
    if isinstance(part, pa.RecordBatch):
        return part
    whole = part.combine_chunks().to_batches()
    return whole[0] if whole else pa.RecordBatch.from_pylist([], schema=part.schema)
