"""Taking what streams have logged into the table: by the stream itself, or by whoever finds a log that was left.

Segments are committed with the stream's name and the number of the last one as an application transaction, and removed
then. Whoever finds segments asks the log first: what it counts already is only removed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from groundswell.errors import ConflictError, GroundswellError
from groundswell.features._group_table import GroupTable
from groundswell.features._insertion import Insertion
from groundswell.features.streaming._quarantine import Quarantine
from groundswell.tables import Commit, Definition, WriteAheadLog, ask_to_flush, read_segment, streams

__all__ = ["Flusher", "quiet"]

NOTE = "stream"
"""The member of a commit's note that names the stream, and the last of its segments that the commit has."""


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
        last = int(left[-1].stem)
        while True:
            try:
                note = {NOTE: {"id": log.stream, "segment": last}}
                reader = _rows(left, table.definition)
                commit = self.insertion.run(reader, note=note, transaction=(application, last))
                break
            except ConflictError:  # the schema was changed just now: read the rows under the new one
                continue
            except GroundswellError as error:
                if getattr(error, "report", None) is None:
                    raise
                self.quarantine.set_aside(log, left)
                self.recompute()
                return None
        log.remove(left)
        self.committed(commit)
        return commit

    def drain(self) -> None:
        """Take in all that streams of the group have acknowledged: those of other processes are asked to.

        Raises:
            CorruptionError: a segment is damaged, or the disk is full or not writable.
        """
        table = self.place.now
        if table is None:
            return
        for folder in streams(table.folder):
            while (log := WriteAheadLog.take_over(table.folder, table.definition.name, folder)) is None:
                if ask_to_flush(folder):
                    break
            if log is not None:
                try:
                    self.flush(log, log.rotate())
                finally:
                    log.close()


def quiet(place: GroupTable) -> bool:
    """Whether no stream has logged anything that the table may lack."""
    return place.now is None or not streams(place.now.folder)


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
