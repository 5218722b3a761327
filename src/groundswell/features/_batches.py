"""A stream of rows cut into batches of one size, in its order or in a random one, without ever holding all of it.

The random order comes from a buffer of fixed size. It holds a window of the stream; each step gives rows drawn from it
at random and puts the next rows of the stream in their places. The order is uniformly random among rows that meet in
the buffer, so rows much further apart than its size keep their rough order: the larger the buffer, the closer to a full
shuffle, which a buffer of all rows is.
"""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from groundswell.errors import DataError

__all__ = ["rebatch", "shuffled"]


def rebatch(reader: pa.RecordBatchReader, batch_rows: int) -> Iterator[pa.RecordBatch]:
    """The rows of a stream in batches of exactly `batch_rows`, the last one smaller.

    Raises:
        DataError: `batch_rows` is less than one.
    """
    if batch_rows < 1:
        raise DataError(
            f"A batch of {batch_rows} rows cannot be read.", fix="Ask for one row or more.", value=batch_rows
        )
    return _rebatch(reader, batch_rows)


def _rebatch(reader: pa.RecordBatchReader, batch_rows: int) -> Iterator[pa.RecordBatch]:
    pending: list[pa.RecordBatch] = []
    rows = 0
    for batch in reader:
        while rows + batch.num_rows >= batch_rows:
            head = batch.slice(0, batch_rows - rows)
            yield _joined([*pending, head])
            batch, pending, rows = batch.slice(head.num_rows), [], 0  # what is left of it
        if batch.num_rows:
            pending.append(batch)
            rows += batch.num_rows
    if rows:
        yield _joined(pending)


def _joined(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    return batches[0] if len(batches) == 1 else pa.concat_batches(batches)


def shuffled(reader: pa.RecordBatchReader, batch_rows: int, buffer_rows: int, seed: int) -> Iterator[pa.RecordBatch]:
    """The rows of a stream in random order, each once.

    The same stream and the same numbers give the same order, however the stream is cut into batches.

    Args:
        reader: the stream.
        batch_rows: rows of a batch; the last one may be smaller.
        buffer_rows: rows held in the buffer; about that many more are held while the buffer is tidied.
        seed: of the random order; take another one for each epoch.

    Raises:
        DataError: a number is less than one, or the buffer is smaller than a batch.
    """
    if buffer_rows < max(batch_rows, 1):
        raise DataError(
            f"A buffer of {buffer_rows:,} rows cannot be drawn from in batches of {batch_rows:,}.",
            fix="Give a buffer_rows that is at least batch_rows, better a hundred times that.",
            value=buffer_rows,
        )
    drawn = _shuffled(rebatch(reader, batch_rows), reader.schema, batch_rows, buffer_rows, seed)
    return rebatch(pa.RecordBatchReader.from_batches(reader.schema, drawn), batch_rows)


def _shuffled(
    batches: Iterator[pa.RecordBatch], schema: pa.Schema, batch_rows: int, buffer_rows: int, seed: int
) -> Iterator[pa.RecordBatch]:
    random = np.random.default_rng(seed)
    pool = schema.empty_table()
    slots = np.empty(0, np.int64)  # the row of the pool that stands in each slot of the buffer
    for batch in batches:
        places = np.arange(pool.num_rows, pool.num_rows + batch.num_rows)
        pool = pa.concat_tables([pool, pa.Table.from_batches([batch])])
        if len(slots) + len(places) <= buffer_rows:
            slots = np.concatenate([slots, places])
            continue
        chosen = random.choice(len(slots), len(places), replace=False)
        yield _rows(pool, slots[chosen])
        slots[chosen] = places
        if pool.num_rows >= 2 * buffer_rows:  # at least half of it is given out, so each row is copied about once
            pool, slots = pool.take(pa.array(slots)).combine_chunks(), np.arange(len(slots))
    slots = random.permutation(slots)
    for start in range(0, len(slots), batch_rows):
        yield _rows(pool, slots[start : start + batch_rows])


def _rows(pool: pa.Table, places: np.ndarray) -> pa.RecordBatch:
    (batch,) = pool.take(pa.array(places)).combine_chunks().to_batches()
    return batch
