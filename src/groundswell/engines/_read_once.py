"""A stream that can be read once, kept as it is read, for those who pass over it again.

A reader of Arrow batches is empty after its end, and a second pass over it would find no rows and say nothing. So each
batch is kept when it is first read: in memory while that is within a budget, then in Arrow IPC files that are mapped
into memory.
"""

import shutil
import tempfile
import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

import pyarrow as pa

from groundswell.engines._scannable import Part, check_columns
from groundswell.errors import CorruptionError

MEMORY_BYTES = 256 << 20
"""How much of a stream is kept in memory."""


class ReadOnceRows:
    """Rows of a reader that cannot be opened anew; a part is a batch of it.

    Its files are removed when it is no longer used. `StreamRows` is for streams that can be opened again.

    Args:
        reader: yields the batches, once.
        memory_bytes: how much is kept in memory; the rest lies in the system's temporary folder.
    """

    def __init__(self, reader: pa.RecordBatchReader, memory_bytes: int = MEMORY_BYTES) -> None:
        self._reader, self._memory_left = reader, memory_bytes
        self._kept: list[pa.RecordBatch | Path] = []
        self._folder: Path | None = None
        self._ended = False
        self._lock = threading.Lock()

    @property
    def schema(self) -> pa.Schema:
        """The columns."""
        return self._reader.schema

    @property
    def rows(self) -> None:
        """How many rows there are is not known."""

    def parts(self, columns: Sequence[str]) -> Iterator[Part]:
        """The batches, those that are kept and then those still to come.

        Raises:
            ColumnNotFoundError: a column is not there.
            CorruptionError: a batch cannot be written; it stays in memory, and the next pass goes on after it.
        """
        check_columns(columns, self.schema)
        number = 0
        while self._has(number):
            yield partial(self._batch, number, list(columns))
            number += 1

    def _has(self, number: int) -> bool:
        """Whether there is such a batch, which is read and kept if it is the next one."""
        with self._lock:
            while len(self._kept) <= number and not self._ended:
                try:
                    batch = self._reader.read_next_batch()
                except StopIteration:
                    self._ended = True
                else:
                    self._kept.append(batch)  # first of all: where its file cannot be written, it is not lost
                    self._kept[-1] = self._place(batch, len(self._kept) - 1)
            return number < len(self._kept)

    def _place(self, batch: pa.RecordBatch, number: int) -> pa.RecordBatch | Path:
        if batch.nbytes <= self._memory_left:
            self._memory_left -= batch.nbytes
            return batch
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="groundswell-stream-"))
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        path = self._folder / f"{number}.arrow"
        try:
            with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, batch.schema) as writer:
                writer.write_batch(batch)
        except OSError as error:
            with suppress(OSError):  # what was written of it
                path.unlink()
            raise CorruptionError.unwritable(path, error) from error
        return path

    def _batch(self, number: int, columns: list[str]) -> pa.RecordBatch:
        kept = self._kept[number]
        if isinstance(kept, pa.RecordBatch):
            return kept.select(columns)
        with pa.memory_map(str(kept)) as file:
            return pa.ipc.open_file(file).get_batch(0).select(columns)
