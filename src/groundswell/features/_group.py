"""A feature group: a table of features with keys and times, and everything one does with it.

What it offers of its commits, schema, statistics, expectations, stream and online rows lies in modules of their own
(`_has_…`). Here are its rows: how they come in, are read, and go.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from groundswell.catalog import Catalog, HasMetadata
from groundswell.engines import DuckDB, Scan
from groundswell.errors import CorruptionError, DataError, GroundswellError, InUseError
from groundswell.expressions import Expression
from groundswell.features._attachments import Attachments
from groundswell.features._data import Data
from groundswell.features._display import html_table
from groundswell.features._group_table import GroupTable
from groundswell.features._has_commits import AsOf, HasCommits
from groundswell.features._has_expectations import HasExpectations
from groundswell.features._has_online import HasOnline
from groundswell.features._has_schema import HasSchema
from groundswell.features._has_statistics import HasStatistics
from groundswell.features._has_stream import HasStream
from groundswell.features._history import History
from groundswell.features._insert_check import InsertCheck
from groundswell.features._insertion import Insertion, Provenance
from groundswell.features._new_version import NewVersion, Transform
from groundswell.features._query import Query, check_where
from groundswell.features._reads import Read, record
from groundswell.features.expectations import OWN_KINDS, Expectation, ValidationReport
from groundswell.tables import Commit, Definition, Snapshot, Staged, read_frame
from groundswell.types import Schema, as_schema, format_duration, parse_instant, type_name


class FeatureGroup(HasOnline, HasStream, HasMetadata, HasStatistics, HasExpectations, HasCommits, HasSchema):
    """A table of features: rows with a key, and usually with the time when they happened.

    Made by `project.create_feature_group` and found by `project.get_feature_group`.

    Attributes:
        name, version: what it is called.
        primary_key: the key columns.
        event_time: the column that says when a row's facts happened, or None.
        available_at: the column that says when a row became known, or None.
    """

    def __init__(
        self,
        *,
        place: GroupTable,
        catalog: Catalog,
        engine: DuckDB,
        provenance: Provenance,
        attachments: Attachments,
        renew: "Callable[[FeatureGroup, NewVersion, str | None], FeatureGroup]",
    ) -> None:
        self._place, self._catalog, self.engine, self._provenance = place, catalog, engine, provenance
        self._attachments, self._renew = attachments, renew
        self._validations, self._statistics = attachments.validations, attachments.statistics
        self._online, self._open_streams = attachments.online, attachments.open_streams
        self._insertion = Insertion(place, self._validations, self._statistics, provenance)
        self._clock = self._online.clock
        entry = place.entry
        self.name, self.version = entry.name, entry.version
        self.primary_key: tuple[str, ...] = tuple(entry.body["primary_key"])
        self.event_time: str | None = entry.body["event_time"]
        self.available_at: str | None = entry.body["available_at"]

    @property
    def id(self) -> str:
        """Its entry in the catalog."""
        return self._place.entry.id

    @property
    def description(self) -> str:
        """What it holds, in words; changed with `set_description`."""
        return self._catalog.descriptions.of(self.id)

    @property
    def _described(self) -> tuple[Catalog, str]:
        return self._catalog, self.id

    def describe_feature(self, feature: str, text: str) -> None:
        """Say what a feature is, in words, in place of what was said before; empty text says nothing.

        Raises:
            ColumnNotFoundError: it has no such feature.
            InvalidNameError: the description is no text.
        """
        self._catalog.descriptions.set(self.id, text, feature=feature)

    @property
    def feature_descriptions(self) -> dict[str, str]:
        """What its features are, in words, for those of which it was said."""
        return self._catalog.descriptions.of_features(self.id)

    @property
    def feature_tags(self) -> dict[str, dict[str, Any]]:  # Any: JSON
        """The tags of its features, by feature and name, for those that have some."""
        return self._catalog.tags.of_features(self.id)

    @property
    def has_table(self) -> bool:
        """Whether it has columns yet."""
        return self._place.now is not None

    @property
    def definition(self) -> Definition:
        """Keys, times and schema, as they are now."""
        return self._place.definition

    @property
    def schema(self) -> Schema:
        """Its columns."""
        return self.definition.schema

    @property
    def features(self) -> list[str]:
        """The columns that are neither keys nor times."""
        return self.definition.features

    def insert(
        self,
        data: object,
        *,
        time_zone: str | None = None,
        wait: bool = True,
        provenance: Mapping[str, Any] | None = None,  # Any: JSON
    ) -> Commit:
        """Append rows as one commit. When it returns they are on the disk; if it raises, nothing was written.

        A row whose key and times are already there replaces the older one at read, and within the data the last one
        counts. The first insert decides the columns if no schema was given.

        Args:
            data: pandas, polars, pyarrow, DuckDB or anything with `__arrow_c_stream__`; a mapping of columns; records.
            time_zone: the IANA zone of times without one, such as "America/New_York"; None refuses them.
            wait: whether to bring the rows of a group that is online into the online store before returning; if not,
                a service that follows the group does, or the next insert.
            provenance: what else the commit shall say of where the rows come from, JSON.

        Raises:
            ColumnNotFoundError: a column is missing, or is not in the schema.
            TypeMismatchError: a value cannot be stored unchanged.
            DataError: a null key or time, a time without a zone, text that is no time; or expectations are broken and
                the policy does not let such rows be written: the error's `report` says which.
            CorruptionError: the disk is full or not writable.
        """
        self._drain()  # what was acknowledged before comes before
        return self._committed(self._insertion.run(read_frame(data), time_zone, note=provenance), wait=wait)

    def check(self, data: object, *, time_zone: str | None = None) -> InsertCheck:
        """What `insert` would do with the data, and what the expectations say of it, without writing anything."""
        reports: list[ValidationReport] = []
        try:
            reader = read_frame(data)
            table = self._place.for_columns(reader.schema)
            validation = self._validations.ready(table.definition)
        except GroundswellError as problem:
            return InsertCheck(problem=problem)

        def examine(staged: Staged) -> None:
            if validation is not None:
                reports.append(validation.report(staged.paths))

        return InsertCheck.of(table.check(reader, time_zone=time_zone, examine=examine), *reports)

    def read(
        self,
        columns: list[str] | None = None,
        *,
        where: Expression | None = None,
        as_of: int | str | date | datetime | None = None,
        remainder: bool = False,
    ) -> Data:
        """The current rows, or those of an earlier version or time.

        Args:
            columns: which columns; None is all.
            where: which rows, such as `gs.col("temp") > 30`.
            as_of: a version, or a time (ISO 8601 text, a date or a datetime; without a zone it is UTC).
            remainder: whether rows of that version that were purged since may be missing.

        Raises:
            ColumnNotFoundError: a column is not there.
            NotFoundError: no such version, a vacuum removed files of it, or the group is younger than the time.
            ErasedError: rows of it were purged, and the remainder is not asked for.
        """
        snapshot = self.snapshot(as_of, remainder=remainder)
        schema = snapshot.definition.schema
        names = schema.names if columns is None else columns
        fields = tuple(schema[name] for name in names)
        if where is not None:
            check_where(where, schema)
        scan = Scan(snapshot=snapshot, columns=tuple(names), where=where)
        record(Read("feature_group", self.id, self.name, snapshot.version))
        return Data(Schema(fields), lambda: self.engine.scan(scan), lambda: self.engine.count(scan))

    def snapshot(self, as_of: AsOf | None = None, *, remainder: bool = False) -> Snapshot:
        """The table pinned at a version or time; None is now.

        Raises:
            NotFoundError: no such version, a vacuum removed files of it, or the group is younger than the time.
            ErasedError: rows of it were purged, and the remainder is not asked for.
        """
        if as_of is None or (isinstance(as_of, int) and not isinstance(as_of, bool)):
            table = self.table if as_of is None else self.committed_table  # which no stream's rows can change
            return table.snapshot(as_of, remainder=remainder)
        if isinstance(as_of, str | date):
            table = self.committed_table
            return table.snapshot(table.version_at(parse_instant(as_of, "as_of")), remainder=remainder)
        raise DataError(
            f"{as_of!r} is neither a version nor a time.",
            fix="Give as_of a version such as 3, or a time such as '2013-11-01T15:00Z'.",
            value=as_of,
        )

    def to_duckdb(
        self,
        connection: duckdb.DuckDBPyConnection | None = None,
        *,
        as_of: int | str | date | datetime | None = None,
    ) -> duckdb.DuckDBPyRelation:
        """The current rows, or those of an earlier version or time, as a relation of DuckDB, which reads what is asked.

        Args:
            connection: where to make it, to join it with what is there; None is a new database in memory.
            as_of: as for `read`.

        Raises:
            NotFoundError: no such version, or the group is younger than the time.
        """
        snapshot = self.snapshot(as_of)
        record(Read("feature_group", self.id, self.name, snapshot.version))
        scan = Scan(snapshot=snapshot, columns=tuple(snapshot.definition.schema.names))
        return self.engine.relation(scan, connection)

    def publish(self) -> Path:
        """Publish the current rows as plain Parquet files for tools that do not know how to fold, and say where.

        The folder that is returned always holds one version, whole: that of the last call. A call costs as much as was
        appended since, and all rows if rows were corrected or deleted.

        Raises:
            CorruptionError: the disk is full or not writable; what was published before stays.
        """
        return self._publish(self.table.snapshot())

    def _publish(self, snapshot: Snapshot) -> Path:
        publication = self._attachments.publication
        before, path = publication.version, publication.publish(snapshot)
        if before != snapshot.version:
            self._catalog.log("published", self.id, {"commit": snapshot.version})
        return path

    @property
    def published_version(self) -> int | None:
        """The version of its rows that `publish` published last; None if there is none."""
        return self._attachments.publication.version

    def new_version(
        self,
        *,
        primary_key: Sequence[str] | None = None,
        event_time: str | None = None,
        available_at: str | None = None,
        schema: Schema | pa.Schema | Mapping[str, pa.DataType] | None = None,
        transform: Transform | None = None,
        expectations: Sequence[Expectation] | None = None,
        description: str | None = None,
    ) -> "FeatureGroup":
        """Make the next version of the group, which may differ in anything, and copy the current rows into it.

        Rows keep their event times, availability and order, and are copied as a stream. If it raises, or the process
        dies, there is no new version. Views and training data stay with the version that they were made of; the group's
        name alone means the newest one. Rows that are inserted here meanwhile or later are not copied.

        Args:
            primary_key, event_time, available_at: the roles of columns; None keeps them.
            schema: the columns; those that there were not are null, those that it does not name are left out. None
                keeps them, or takes those that `transform` returns.
            transform: is given the rows in parts, each an Arrow table, and returns those of the new version, as
                anything tabular.
            expectations: those in force from the beginning; None keeps them.
            description: what it holds, in words; None keeps it.

        Raises:
            SchemaError, ColumnNotFoundError, TypeMismatchError: columns, roles, rows and expectations do not fit.
            DataError: two rows would have one key and the same times.
            NotFoundError: the group has no columns yet.
            CorruptionError: the disk is full or not writable.
        """
        wanted = NewVersion(
            primary_key=primary_key,
            event_time=event_time,
            available_at=available_at,
            schema=None if schema is None else as_schema(schema),
            transform=transform,
            expectations=expectations,
        )
        return self._renew(self, wanted, description)

    def select(self, *columns: str) -> Query:
        """A query for some of its columns, all features if none is named.

        Raises:
            ColumnNotFoundError: a column is not there.
        """
        return Query.of(self, columns or tuple(self.features))

    def where(self, condition: Expression) -> Query:
        """A query for all its features in the rows that fulfill the condition."""
        return self.select().where(condition)

    def history(self, limit: int | None = None) -> History:
        """Its commits, newest first: who did what when, and how many rows were new, replaced, deleted."""
        return History(self.name, self.table.history(limit) if self.has_table else [])

    def compact(self) -> Commit | None:
        """Fold replaced rows away and write the rest as few files. Reads give the same rows; old versions stay.

        Returns None if there is nothing to gain.
        """
        commit = self.table.compact()
        if commit is not None:
            self._statistics.compacted(self._place.table, commit.version)
        return None if commit is None else self._committed(commit)

    def _committed(self, commit: Commit, *, wait: bool = True) -> Commit:
        """What every verb that commits to the table does last: the online store gets what the commit changed."""
        if wait and self.online:
            self._online.committed(self._place.table, commit)
        return commit

    def _forget_values(self, keys: pa.Table, commit: Commit) -> None:
        published = self.published_version is not None
        self._attachments.forget_values(self._place, keys, commit.version)
        if published:
            self._publish(self._place.table.snapshot())

    def describe(self) -> dict[str, Any]:  # Any: JSON
        """What there is to know about it, as plain values."""
        base: dict[str, Any] = {
            "name": self.name,
            "version": self.version,
            "description": self.description,
            "tags": dict(self.tags),
            "feature_descriptions": self.feature_descriptions,
            "feature_tags": self.feature_tags,
            "primary_key": list(self.primary_key),
            "event_time": self.event_time,
            "available_at": self.available_at,
            "online": self.online,
            "retention": format_duration(self.retention),
            "created_at": self._place.entry.created_at.isoformat(),
            "created_by": self._place.entry.created_by,
        }
        if self._place.now is None:
            return base | {"schema": None, "rows": 0, "table_version": None}
        snapshot = self.table.snapshot()
        scan = Scan(snapshot=snapshot, columns=self.definition.identity)
        return base | {
            "schema": self.schema.to_dict(),
            "rows": self.engine.count(scan),
            "rows_written": snapshot.rows,
            "files": len(snapshot.files),
            "table_version": snapshot.version,
            "last_commit": snapshot.committed_at.isoformat(),
        }

    def delete(self) -> None:
        """Delete the group and its rows, for good.

        Raises:
            InUseError: a view reads it, or training data was read from it; the message names them.
        """
        readers = [
            f"{e.kind.removeprefix('feature_').replace('_', ' ')} {e.name!r} (version {e.version})"
            for _, e, _ in self._catalog.downstream(self._place.entry)
            if e.kind not in OWN_KINDS
        ]
        if readers:
            raise InUseError(
                f"Group {self.name!r} cannot be deleted: " + " and ".join(sorted(readers)) + " read it.",
                why="What was trained on it could not be read or traced any more.",
                fix="Delete those first.",
                name=self.name,
                dependents=sorted(readers),
            )
        if self.online and self.has_table:
            self._online.forget(self._place.table)
        self._place.delete(self._attachments.remove)

    def recover(self) -> None:
        """Finish what a killed process left half made or half deleted."""
        if self._place.entry.state == "pending":
            self._place.finish()
        if self._place.entry.state == "deleting":
            self._place.sweep(self._attachments.remove)
        if self._place.now is not None:
            with suppress(CorruptionError):  # reading says what is damaged, and earlier versions may be whole
                self._place.keep_definition()

    def __repr__(self) -> str:
        times = "".join(f", {role}={c!r}" for role, c in self._times() if c)
        columns = "no columns yet" if self._place.now is None else ", ".join(map(str, self.schema))
        name = f"{self.name!r}, version={self.version}, primary_key={list(self.primary_key)}{times}"
        return f"FeatureGroup({name}: {columns})"

    def _times(self) -> list[tuple[str, str | None]]:
        return [("event_time", self.event_time), ("available_at", self.available_at)]

    def _repr_html_(self) -> str:
        title = f"{self.name} version {self.version}. {self.description}"
        if self._place.now is None:
            return html_table(f"{title} It has no columns yet: insert data to give it some.", (), ())
        roles = {c: role.replace("_", " ") for role, c in self._times() if c} | dict.fromkeys(self.primary_key, "key")
        rows = [(f.name, type_name(f.type), roles.get(f.name, "")) for f in self.schema]
        return html_table(title, ("column", "type", "role"), rows)
