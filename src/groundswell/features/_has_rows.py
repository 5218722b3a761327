"""What everything that can be read offers of its rows: as a stream, in batches, and whole in the usual forms."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pyarrow as pa

from groundswell.features._batches import rebatch, shuffled
from groundswell.features._frames import to_pandas, to_polars

__all__ = ["HasRows"]


class HasRows(ABC):
    """A noun with rows that are read when they are asked for."""

    @abstractmethod
    def to_arrow(self) -> pa.Table:
        """All rows as an Arrow table."""

    @abstractmethod
    def _stream(self) -> pa.RecordBatchReader:
        """The rows of `to_arrow`, never all at once."""

    def batches(self, batch_rows: int = 65_536) -> Iterator[pa.RecordBatch]:
        """The rows in order, in record batches of `batch_rows` rows (the last may be smaller), never all at once.

        Raises:
            DataError: `batch_rows` is less than one.
        """
        return rebatch(self._stream(), batch_rows)

    def shuffled(
        self, batch_rows: int = 1_024, *, buffer_rows: int = 131_072, seed: int = 0
    ) -> Iterator[pa.RecordBatch]:
        """The rows in random order in record batches of `batch_rows` rows, each row once, never all at once.

        Args:
            batch_rows: rows of a batch; the last one may be smaller.
            buffer_rows: rows among which is drawn; as many as there are rows give a full shuffle.
            seed: of the order; take another for each epoch.

        Raises:
            DataError: a number is less than one, or the buffer is smaller than a batch.
        """
        return shuffled(self._stream(), batch_rows, buffer_rows, seed)

    def to_pandas(self) -> pd.DataFrame:
        """All rows as a pandas frame. Integers with nulls become pandas' nullable integers, never floats."""
        return to_pandas(self.to_arrow())

    def to_polars(self) -> Any:  # Any: polars is an optional package
        """All rows as a polars frame.

        Raises:
            MissingDependencyError: polars is not installed.
        """
        return to_polars(self.to_arrow())

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._stream().__arrow_c_stream__(requested_schema)
