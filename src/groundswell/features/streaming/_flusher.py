"""Taking what streams have logged into the table: by the stream itself, or by whoever finds a log that was left.

Segments are committed with the stream's name and the number of the last one as an application transaction, and removed
then. Whoever finds segments asks the log first: what it counts already is only removed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from groundswell.errors import ConflictError, GroundswellError
from groundswell.features._group_table import GroupTable
from groundswell.features._insertion import Insertion
from groundswell.features.streaming._quarantine import Quarantine
from groundswell.tables import Commit, Definition, WriteAheadLog, ask_to_flush, read_segment, streams

__all__ = ["FLUSH_S", "Flusher", "quiet", "waiting_for_streams"]

NOTE = "stream"
"""The member of a commit's note that names the stream, and the last of its segments that the commit has."""


_READER_S, FLUSH_S = 30.0, 1.0
_PATIENCE_S: ContextVar[float] = ContextVar("groundswell_patience", default=_READER_S)
"""How long streams are waited for by what runs in this context."""


@contextmanager
def waiting_for_streams(patience_s: float) -> Iterator[None]:
    """Within the block, wait for streams of other groups, which rules refer to, so long: they may wait for ours."""
    token = _PATIENCE_S.set(patience_s)
    try:
        yield
    finally:
        _PATIENCE_S.reset(token)


@dataclass(frozen=True, kw_only=True)
class Flusher:
    """Commits the logged rows of streams of one group.

    Args:
        place: the group's table.
        insertion: brings rows into it.
        quarantine: where batches go that break rules about batches.
        committed: what follows a commit, such as bringing it into the online store.
        recompute: brings the online store back to what the table says, after rows of a stream were set aside.
    """

    place: GroupTable
    insertion: Insertion
    quarantine: Quarantine
    committed: Callable[[Commit], object]
    recompute: Callable[[], object]

    def flush(self, log: WriteAheadLog, segments: Sequence[Path]) -> Commit | None:
        """Commit complete segments and remove them. None if they held nothing, were taken in before, or are set aside.

        Raises:
            CorruptionError: a segment is damaged, or the disk is full or not writable; the segments stay.
        """
        table, application = self.place.table, f"stream {log.stream}"
        done = table.transaction_version(application)
        log.remove([path for path in segments if int(path.stem) <= done])
        left = [path for path in segments if int(path.stem) > done]
        if not left:
            return None
        commit = self._insert(log, left, (application, int(left[-1].stem)))
        if commit is not None:
            log.remove(left)
            self.committed(commit)
        return commit

    def _insert(self, log: WriteAheadLog, segments: Sequence[Path], transaction: tuple[str, int]) -> Commit | None:
        """Commit the segments; None if they are set aside."""
        table, note = self.place.table, {NOTE: {"id": log.stream, "segment": transaction[1]}}
        while True:
            definition = table.definition
            try:
                return self.insertion.run(_rows(segments, definition), note=note, transaction=transaction)
            except GroundswellError as error:
                if "report" in error.facts:
                    self.quarantine.set_aside(log, segments)
                    self.recompute()
                    return None
                table.version()
                if table.definition == definition:
                    raise
                # The schema was changed just now: read the rows under the new one.

    def drain(self) -> None:
        """Take in all that streams of the group have acknowledged: those of other processes are asked to.

        Raises:
            ConflictError: the process of a stream does not answer.
            CorruptionError: a segment is damaged, or the disk is full or not writable.
        """
        table = self.place.now
        if table is None:
            return
        for folder in streams(table.folder):
            while (log := WriteAheadLog.take_over(table.folder, table.definition.name, folder)) is None:
                if self._asked(folder):
                    break
            if log is not None:
                try:
                    with waiting_for_streams(FLUSH_S):
                        self.flush(log, log.rotate())
                finally:
                    log.close()

    def _asked(self, folder: Path) -> bool:
        """Ask a stream to take in its rows; False if its process is gone."""
        patience_s = _PATIENCE_S.get()
        try:
            return ask_to_flush(folder, patience_s=patience_s, flushing=patience_s < _READER_S)
        except ConflictError:
            if patience_s == _READER_S:
                raise
            return True


def quiet(place: GroupTable) -> bool:
    """Whether no stream has logged anything that who reads the table now must wait for."""
    return not _PATIENCE_S.get() or place.now is None or not streams(place.now.folder)


def _rows(segments: Sequence[Path], definition: Definition) -> pa.RecordBatchReader:
    """The rows of the segments with the table's columns; those appended to it since they were logged have defaults."""
    schema, defaults = definition.schema.to_arrow(), dict(definition.defaults)

    def batches() -> Iterator[pa.RecordBatch]:
        for path in segments:
            for batch in read_segment(path):
                columns = [_column(batch, field, defaults) for field in schema]
                yield pa.RecordBatch.from_arrays(columns, schema=schema)

    return pa.RecordBatchReader.from_batches(schema, batches())


def _column(batch: pa.RecordBatch, field: pa.Field, defaults: Mapping[str, str]) -> pa.Array:
    if field.name in batch.schema.names:
        return batch.column(field.name).cast(field.type)
    return pa.repeat(pa.scalar(defaults.get(field.name), pa.string()), batch.num_rows).cast(field.type)
