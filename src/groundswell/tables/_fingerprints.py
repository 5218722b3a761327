"""Proof that rows have different identities, found while they are written: a 64-bit number of each, sorted.

Different numbers prove different identities; equal ones prove nothing, so whoever asks then compares the identities
themselves. Of n different identities some two have one number with probability n² / 2⁶⁵: a millionth for ten million.
Sorting them takes a twentieth of the time of grouping the rows that were written.

Only columns of whole numbers and times are looked at. That may do where others are part of the identity too, as it does
for rows at times of their own; where it does not, the first batch shows it and nothing more is kept.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from groundswell.tables._definition import Definition

__all__ = ["Fingerprints"]

_MOST = 1 << 24
"""Rows whose numbers are kept, in 128 MB; the identities of more are left to the engine, which spills to the disk."""

_PIECE = 1 << 15
"""Rows that are mixed at once, so that they stay in the cache."""

_ODD, _HALF = np.uint64(0x9E3779B97F4A7C15), np.uint64(32)
_TESTS = (pa.types.is_integer, pa.types.is_timestamp, pa.types.is_date, pa.types.is_time, pa.types.is_duration)


class Fingerprints:
    """The numbers of the rows that pass by.

    Args:
        definition: says what the rows' identity is.
    """

    def __init__(self, definition: Definition) -> None:
        schema = definition.schema
        self._columns = [n for n in definition.identity if any(test(schema[n].type) for test in _TESTS)]
        self._seen: list[NDArray[np.uint64]] | None = [] if self._columns else None
        self._n_rows = 0

    def of(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The batches as they are, looked at while they pass. Identities are never null."""
        for batch in batches:
            self._n_rows += batch.num_rows
            if self._n_rows > _MOST:
                self._seen = None
            if self._seen is not None and batch.num_rows:
                numbers = self._numbers(batch)
                if _differ(numbers):
                    self._seen.append(numbers)
                else:
                    self._seen = None
            yield batch

    def differ(self) -> bool:
        """Whether it is certain that no two of the rows have one identity."""
        if self._seen is None:
            return False
        return len(self._seen) < 2 or _differ(np.concatenate(self._seen))

    def _numbers(self, batch: pa.RecordBatch) -> NDArray[np.uint64]:
        columns = [_whole(batch.column(name)) for name in self._columns]
        numbers = np.zeros(batch.num_rows, np.uint64)
        for start in range(0, batch.num_rows, _PIECE):
            piece = numbers[start : start + _PIECE]
            for column in columns:  # each step can be undone, so one column alone never gives a number twice
                piece ^= column[start : start + _PIECE].astype(np.uint64)
                piece *= _ODD
                piece ^= piece >> _HALF
        return numbers


def _whole(column: pa.Array) -> NDArray[Any]:  # Any: integers of some width
    if not pa.types.is_integer(column.type):
        column = column.view(pa.int32() if column.type.bit_width == 32 else pa.int64())
    return np.asarray(column)


def _differ(numbers: NDArray[np.uint64]) -> bool:
    """Whether no number is there twice; sorts them where they are."""
    numbers.sort()
    return not bool((numbers[1:] == numbers[:-1]).any())
