"""A feature view: a query with labels, from which training data and vectors for serving come."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from groundswell.catalog import Catalog, Entry, HasMetadata
from groundswell.features._batch import batch
from groundswell.features._data import Data
from groundswell.features._explanation import Explanation
from groundswell.features._lookup import Lookup
from groundswell.features._online_copies import OnlineCopies
from groundswell.features._table_lookup import TableLookup
from groundswell.features._training_data import TrainingData
from groundswell.features._training_sets import Moment, TrainingSets
from groundswell.features._vector import Vector, Vectors
from groundswell.features._view_definition import ViewDefinition
from groundswell.types import Schema


class FeatureView(HasMetadata):
    """Features and labels, defined once for training and for serving. It holds no data and no state.

    If it has labels, its base group's rows are what a model learns from, and a request brings what the base group
    would. If it has none, rows from outside bring keys (`join_to`), and the base group is looked up like the others.

    Attributes:
        name, version: what it is called.
        query: which columns of which groups.
        labels: the columns that a model shall predict; columns of the base group.
        transformations: of the features, fitted on each training split.
        on_demand: features that functions compute.
    """

    def __init__(
        self, *, entry: Entry, definition: ViewDefinition, folder: Path, catalog: Catalog, online: OnlineCopies
    ) -> None:
        self._entry, self._catalog = entry, catalog
        self.name, self.version = entry.name, entry.version
        self.query, self.labels = definition.query, definition.labels
        self.transformations, self.on_demand = definition.transformations, definition.on_demand
        self._definition = definition
        self._training = TrainingSets(self._definition, entry, catalog=catalog, folder=folder)
        self._tables = TableLookup(self._definition)
        self._lookup = Lookup(self._definition, self._tables, online)

    @property
    def id(self) -> str:
        """Its entry in the catalog."""
        return self._entry.id

    @property
    def description(self) -> str:
        """What it is for, in words; changed with `set_description`."""
        return self._catalog.descriptions.of(self.id)

    @property
    def _described(self) -> tuple[Catalog, str]:
        return self._catalog, self.id

    @property
    def schema(self) -> Schema:
        """The features before they are transformed, in order: those of the query, then those on demand."""
        return self._definition.schema

    @property
    def label_schema(self) -> Schema:
        """The labels."""
        return self._definition.label_schema

    @property
    def request_schema(self) -> Schema:
        """What a request must bring: with labels, the base group's features and the keys of the joins; without, the
        base group's key and those keys of the joins that the base group does not hold; and in both cases what on-demand
        features need besides.
        """
        return self._definition.request_schema

    def train_test_split(
        self,
        *,
        test_start: Moment | None = None,
        test_size: float | None = None,
        seed: int = 0,
        by: str | Sequence[str] = (),
    ) -> tuple[TrainingData, TrainingData]:
        """Training and test data, pinned to the groups' newest versions and recorded.

        Args:
            test_start: split by time: rows from then on test; those before train, if their label was known by then.
            test_size: split at random by a hash: this share tests.
            seed: of the random split.
            by: columns whose values stay on one side, such as the customer (with `test_size`; default share 0.2).

        Raises:
            SplitError: neither or both of the ways are given, or a part would be empty.
        """
        train, test = self._training.split({"test": test_start}, {"test": test_size}, seed, by)
        return train, test

    def train_validation_test_split(
        self,
        *,
        validation_start: Moment | None = None,
        test_start: Moment | None = None,
        validation_size: float | None = None,
        test_size: float | None = None,
        seed: int = 0,
        by: str | Sequence[str] = (),
    ) -> tuple[TrainingData, TrainingData, TrainingData]:
        """Training, validation and test data; arguments as for `train_test_split`.

        By time, a part that loses more than half of its rows, as their labels came after the next part starts, is
        warned of.

        Raises:
            SplitError: neither or both of the ways are given, or a part would be empty.
        """
        starts = {"validation": validation_start, "test": test_start}
        sizes = {"validation": validation_size, "test": test_size}
        train, validation, test = self._training.split(starts, sizes, seed, by)
        return train, validation, test

    def training_data(self) -> TrainingData:
        """All rows that have their labels, pinned to the groups' newest versions and recorded.

        Raises:
            SplitError: there are none.
        """
        return self._training.whole()

    def join_to(
        self,
        entities: object,
        *,
        event_time: str | None = None,
        labels: Sequence[str] = (),
        time_zone: str | None = None,
        transformations_from: TrainingData | None = None,
    ) -> TrainingData:
        """Training data for labels that live outside any group: each row with what the groups knew at its time.

        Every row comes back once and in its order; nulls stand where nothing matched.

        Args:
            entities: anything tabular with the columns of `request_schema`, the event time and the labels.
            event_time: its column that says as of when each row looks; default: the name of the base group's.
            labels: its label columns; default: the view's.
            time_zone: the IANA zone of naive times; None refuses them.
            transformations_from: training data of this view whose fitted transformations to use; None fits them on
                these rows, which are the training split then.

        Raises:
            ColumnNotFoundError: a column is missing.
            SchemaError: there is a column that has no role, or two: a label that is a feature.
            TypeMismatchError, DataError: a value cannot be taken as the group's type.
        """
        return self._training.join_to(entities, event_time, labels, time_zone, transformations_from)

    def batch(self, start: Moment | None = None, end: Moment | None = None, *, keys: bool = False) -> Data:
        """Features of the base group's rows for batch inference, each as of its own time; labels play no part.

        Args:
            start, end: rows with start <= event time < end; None is open.
            keys: whether the base group's key and times come first, to tell the rows apart.

        Raises:
            DataError: a time cannot be read, or the base group has no event time to compare with.
            SchemaError: a key has the name of a joined feature.
        """
        return batch(self._definition, start, end, keys=keys)

    def explain(self, row: Mapping[str, Any], *, at: Moment | None = None) -> Explanation:
        """Which row of each joined group a row would see at a time, or why none.

        Args:
            row: the values of `request_schema`, and the event time under the base group's name or as "at".
            at: the time; default: that of the row.

        Raises:
            ColumnNotFoundError: a value is missing.
            TypeMismatchError, DataError: a value cannot be taken as the group's type.
        """
        return self._tables.explain(row, at=at)

    def vector(
        self,
        keys: Mapping[str, Any],  # Any: values of the request's types
        request: Mapping[str, Any] | None = None,  # Any: as keys
        at: Moment | None = None,
    ) -> Vector:
        """The features of one request at a moment, by name: what a point-in-time join would give.

        The online store answers in microseconds if all groups that are looked up are online, and the tables in
        milliseconds where it cannot: for moments before a key's newest row, or rows that a `where` leaves out.

        Args:
            keys: values of `request_schema`.
            request: those of them that no group keeps, if they come apart.
            at: the moment; None is now.

        Raises:
            ColumnNotFoundError: a value is missing.
            SchemaError: there is one that has no role.
            TypeMismatchError, DataError: one cannot be taken as the group's type.
        """
        return self._lookup.vector(keys, request, at)

    def vectors(
        self, keys: object, requests: object | None = None, at: Moment | Sequence[Moment] | None = None
    ) -> Vectors:
        """The features of many requests, one row for each in their order, and the rows that they come from.

        Args:
            keys: a list of mappings, or anything tabular, with the columns of `request_schema`.
            requests: those of its columns that no group keeps, if they come apart.
            at: the moment of all, or of each; None is now.

        Raises:
            ColumnNotFoundError: a column is missing.
            SchemaError: there is one that has no role.
            TypeMismatchError, DataError: a value cannot be taken as the group's type; or there are not as many moments.
        """
        return self._lookup.vectors(keys, requests, at)

    def check_on_demand(self) -> None:
        """Raise unless the functions of all on-demand features are loaded, as a service needs them.

        Raises:
            NotFoundError: one is in no module that is imported, and was not handed in.
            DataError: its code is not the one that the view was made with.
        """
        for feature in self.on_demand:
            feature.found()

    def describe(self) -> dict[str, Any]:  # Any: JSON
        """What there is to know about it, as plain values."""
        return {
            "name": self.name,
            "version": self.version,
            "description": self.description,
            "tags": dict(self.tags),
            "features": self.schema.to_dict(),
            "labels": self.label_schema.to_dict(),
            "request": self.request_schema.to_dict(),
            "transformations": [each.to_dict() for each in self.transformations],
            "on_demand": [each.to_dict() for each in self.on_demand],
            "query": self.query.to_dict(),
            "created_at": self._entry.created_at.isoformat(),
            "created_by": self._entry.created_by,
        }

    def delete(self) -> None:
        """Delete the view and the training data made from it that nothing else uses.

        Raises:
            InUseError: a run or a model used its training data; the message names them.
        """
        self._training.remove()

    def open_training_data(self, entry: Entry, *, remainder: bool = False) -> dict[str, TrainingData]:
        """The parts of recorded training data, by name; `remainder` reads it without rows that were purged since.

        Raises:
            NotFoundError: a pinned version is gone.
        """
        return self._training.open(entry, remainder=remainder)

    def __repr__(self) -> str:
        labels = f", labels={list(self.labels)}" if self.labels else ""
        return f"FeatureView({self.name!r}, version={self.version}{labels})\n{self.query!r}"

    def _repr_html_(self) -> str:
        return self._definition.show(self.description)
