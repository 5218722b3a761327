"""Training data: features and labels pinned to versions, so that reading them again gives the same bytes."""

import threading
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
import pyarrow as pa

from groundswell.catalog import Catalog, Entry, HasMetadata
from groundswell.engines import JoinReport
from groundswell.features import fitting
from groundswell.features._data import Data
from groundswell.features._display import html_table
from groundswell.features._frames import to_features, to_pandas
from groundswell.features._has_rows import HasRows
from groundswell.features._reads import Read, record
from groundswell.features.statistics import StatisticsReport
from groundswell.types import Schema, type_name

Reading = tuple[pa.RecordBatchReader, list[JoinReport]]


class TrainingData(HasRows, HasMetadata):
    """One part of a feature view's data at pinned versions. Its rows are X and the labels.

    Made by a view's `train_test_split`, `training_data` or `join_to`; found again by `project.get_training_data`. What
    is read is kept in memory; `batches` streams instead.

    Attributes:
        name, version: the view's name, and the number of this training data among the view's.
        split: "train", "validation", "test", or "all" without a split.
        view_name, view_version: the view that it comes from.
        pins: the version of every group's table that it reads.
        counts: rows of each part, rows without a label, and rows left out as their label came too late.
        schema: the features before they are transformed, as a service gets them and a model's signature has them.
        label_schema: the columns of y.
    """

    def __init__(
        self,
        *,
        entry: Entry,
        catalog: Catalog,
        split: str,
        schema: Schema,
        label_schema: Schema,
        read: Callable[[], Reading],
        transformations: "Callable[[], fitting.Transformations] | None" = None,
    ) -> None:
        body = entry.body
        self._entry, self._catalog, self._read = entry, catalog, read
        self.name, self.version, self.split = entry.name, entry.version, split
        self.view_name: str = body["view"]["name"]
        self.view_version: int = body["view"]["version"]
        self.pins: Mapping[str, int] = {name: pin["version"] for name, pin in body["pins"].items()}
        self.counts: Mapping[str, int] = body["counts"]
        self.schema, self.label_schema = schema, label_schema
        self._transformations = transformations
        self._lock = threading.Lock()
        self._table: pa.Table | None = None
        self._reports: list[JoinReport] | None = None

    @property
    def id(self) -> str:
        """Its entry in the catalog."""
        return self._entry.id

    @property
    def _described(self) -> tuple[Catalog, str]:
        return self._catalog, self.id

    @property
    def X(self) -> pd.DataFrame:  # scikit-learn's name
        """The features as a model learns from them, [rows, columns], in the order of the base rows: a pandas frame,
        transformed if the view declares transformations.

        Integers and booleans with gaps are float64 with NaN here, as scikit-learn wants them, if that changes no value;
        `to_pandas` keeps them integers.
        """
        raw = self._rows().select(self.schema.names)
        return to_features(raw) if self.transformations is None else self.transformations.transform(raw)

    @property
    def raw(self) -> pd.DataFrame:
        """The features before they are transformed, [rows, columns], otherwise as in X."""
        return to_features(self._rows().select(self.schema.names))

    @property
    def raw_rows(self) -> Data:
        """The features before they are transformed, with the labels, in every form: batches, Arrow, pandas, polars."""
        schema = Schema((*self.schema, *self.label_schema))
        return Data(schema, self._raw_stream, lambda: len(self))

    @property
    def transformations(self) -> "fitting.Transformations | None":
        """What the view's transformations learned from the training split, the same for all parts; None without any.

        Raises:
            CorruptionError: the file that it is kept in is damaged.
        """
        return None if self._transformations is None else self._transformations()

    @property
    def transformed_schema(self) -> Schema:
        """The columns of X."""
        return self.schema if self.transformations is None else self.transformations.transformed_schema

    def pipeline(self, estimator: Any) -> Any:  # Any: whatever has scikit-learn's `fit`; its Pipeline
        """The view's transformations, not fitted, and an estimator: a pipeline that takes `raw`.

        scikit-learn's own tools fit it anew on the training part of every fold:
        `cross_val_score(data.pipeline(Ridge()), data.raw, data.y)`.
        """
        return fitting.pipeline(self.transformations, estimator)

    @property
    def y(self) -> pd.Series | pd.DataFrame:
        """The labels: a series [rows] if there is one label, else a frame [rows, labels]."""
        frame = to_pandas(self._rows().select(self.label_schema.names))
        return frame[self.label_schema.names[0]] if len(self.label_schema) == 1 else frame

    @property
    def report(self) -> list[JoinReport]:
        """For each joined group: how many rows found a match, and how old the matches were."""
        self._rows()
        assert self._reports is not None
        return self._reports

    def to_arrow(self) -> pa.Table:
        """X and the labels as one Arrow table; `raw_rows.to_arrow()` gives the features before they are transformed."""
        return self._transformed(self._rows())

    def statistics(self) -> StatisticsReport:
        """The statistics of the labels and of the features before they are transformed, which groups and the log of
        predictions have too; computed now in one pass that is never in memory.
        """
        rows = self.raw_rows
        return StatisticsReport.of_training_data(rows.batches(), rows.schema, of=self.name, version=self.version)

    def _rows(self) -> pa.Table:
        """All rows as they were read, kept in memory."""
        with self._lock:
            if self._table is None:
                reader, reports = self._open()
                self._table, self._reports = reader.read_all(), reports
            return self._table

    def _raw_stream(self) -> pa.RecordBatchReader:
        return self._open()[0] if self._table is None else self._table.to_reader()

    def _stream(self) -> pa.RecordBatchReader:
        """X and the labels, transformed as they are read."""
        reader, _ = self._open()
        if self.transformations is None:
            return reader
        schema = Schema((*self.transformed_schema, *self.label_schema)).to_arrow()
        tables = (self._transformed(pa.Table.from_batches([batch])) for batch in reader)
        return pa.RecordBatchReader.from_batches(schema, (b for table in tables for b in table.to_batches()))

    def _transformed(self, rows: pa.Table) -> pa.Table:
        if self.transformations is None:
            return rows
        table = self.transformations.transform_table(rows)
        for name in self.label_schema.names:
            table = table.append_column(rows.schema.field(name), rows[name])
        return table

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

    def _repr_html_(self) -> str:
        fields = (*self.schema, *self.label_schema)
        roles = [(f.name, type_name(f.type), "label" if f.name in self.label_schema else "feature") for f in fields]
        return html_table(repr(self), ("column", "type", "role"), roles)
