"""Training data: features and labels pinned to versions, so that reading them again gives the same bytes."""

import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pandas as pd
import pyarrow as pa

from groundswell.catalog import Entry
from groundswell.engines import JoinReport
from groundswell.features._batches import rebatch, shuffled
from groundswell.features._data import to_features, to_pandas, to_polars
from groundswell.features._reads import Read, record
from groundswell.types import Schema

Reading = tuple[pa.RecordBatchReader, list[JoinReport]]


class TrainingData:
    """One part of a feature view's data at pinned versions.

    Made by a view's `train_test_split`, `training_data` or `join_to`; found again by `project.get_training_data`. What
    is read is kept in memory; `batches` streams instead.

    Attributes:
        name, version: the view's name, and the number of this training data among the view's.
        split: "train", "validation", "test", or "all" without a split.
        view_name, view_version: the view that it comes from.
        pins: the version of every group's table that it reads.
        counts: rows of each part, rows without a label, and rows left out as their label came too late.
        schema, label_schema: the columns of X and of y.
    """

    def __init__(
        self,
        *,
        entry: Entry,
        split: str,
        schema: Schema,
        label_schema: Schema,
        read: Callable[[], Reading],
    ) -> None:
        body = entry.body
        self._entry, self._read = entry, read
        self.name, self.version, self.split = entry.name, entry.version, split
        self.view_name: str = body["view"]["name"]
        self.view_version: int = body["view"]["version"]
        self.pins: Mapping[str, int] = {name: pin["version"] for name, pin in body["pins"].items()}
        self.counts: Mapping[str, int] = body["counts"]
        self.schema, self.label_schema = schema, label_schema
        self._lock = threading.Lock()
        self._table: pa.Table | None = None
        self._reports: list[JoinReport] | None = None

    @property
    def id(self) -> str:
        """Its entry in the catalog."""
        return self._entry.id

    @property
    def X(self) -> pd.DataFrame:  # scikit-learn's name
        """The features, [rows, columns], as a pandas frame in the order of the base rows.

        Integers and booleans with gaps are float64 with NaN here, as scikit-learn wants them, if that changes no value;
        `to_pandas` keeps them integers.
        """
        return to_features(self.to_arrow().select(self.schema.names))

    @property
    def y(self) -> pd.Series | pd.DataFrame:
        """The labels: a series [rows] if there is one label, else a frame [rows, labels]."""
        frame = to_pandas(self.to_arrow().select(self.label_schema.names))
        return frame[self.label_schema.names[0]] if len(self.label_schema) == 1 else frame

    @property
    def report(self) -> list[JoinReport]:
        """For each joined group: how many rows found a match, and how old the matches were."""
        self.to_arrow()
        assert self._reports is not None
        return self._reports

    def to_arrow(self) -> pa.Table:
        """Features and labels as one Arrow table."""
        with self._lock:
            if self._table is None:
                reader, reports = self._open()
                self._table, self._reports = reader.read_all(), reports
            return self._table

    def to_pandas(self) -> pd.DataFrame:
        """Features and labels as one pandas frame. Integers with nulls become nullable integers, never floats."""
        return to_pandas(self.to_arrow())

    def to_polars(self) -> Any:  # Any: polars is an optional package
        """Features and labels as one polars frame.

        Raises:
            MissingDependencyError: polars is not installed.
        """
        return to_polars(self.to_arrow())

    def batches(self, batch_rows: int = 65_536) -> Iterator[pa.RecordBatch]:
        """Features and labels in record batches of `batch_rows` rows, in order, never all at once.

        Raises:
            DataError: `batch_rows` is less than one.
        """
        return rebatch(self._open()[0], batch_rows)

    def shuffled(
        self, batch_rows: int = 1_024, *, buffer_rows: int = 131_072, seed: int = 0
    ) -> Iterator[pa.RecordBatch]:
        """Features and labels in random order in record batches of `batch_rows` rows, each row once.

        Args:
            batch_rows: rows of a batch; the last one may be smaller.
            buffer_rows: rows among which is drawn; as many as there are rows give a full shuffle.
            seed: of the order; take another for each epoch.

        Raises:
            DataError: a number is less than one, or the buffer is smaller than a batch.
        """
        return shuffled(self._open()[0], batch_rows, buffer_rows, seed)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._open()[0].__arrow_c_stream__(requested_schema)

    def _open(self) -> Reading:
        record(Read("training_data", self.id, self.name, self.version))
        return self._read()

    def __len__(self) -> int:
        return self.counts[self.split]

    def __repr__(self) -> str:
        pins = ", ".join(f"{name}@{version}" for name, version in self.pins.items())
        return (
            f"TrainingData({self.name!r}, version={self.version}, split={self.split!r}): {len(self):,} rows, "
            f"{len(self.schema)} features, labels {self.label_schema.names}, pinned to {pins}"
        )
