"""A feature view: a query with labels, from which training data and vectors for serving come."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from groundswell.catalog import Catalog, Entry
from groundswell.engines import AsOfJoin, PointInTimeJoin, provenance_columns
from groundswell.errors import ColumnNotFoundError, DataError, InUseError, SchemaError, SplitError, choices
from groundswell.features._entities import read_entities
from groundswell.features._explanation import Explanation, JoinExplanation, why_none
from groundswell.features._files import remove_tree, write_parquet
from groundswell.features._plan import Pins, plan_entities, plan_requests, plan_rows, read_plan, scan_base
from groundswell.features._query import Query
from groundswell.features._split import WHOLE, Part, Split, hash_split, time_split, with_labels
from groundswell.features._training_data import TrainingData
from groundswell.types import HIDDEN_PREFIX, TIMESTAMP, Schema, parse_instant

Moment = str | date | datetime
_AT = HIDDEN_PREFIX + "at"


@dataclass(frozen=True)
class Source:
    """The row of a joined group that gave its features: its commit, and its times if the group has them."""

    commit: int
    event_time: datetime | None
    available_at: datetime | None


@dataclass(frozen=True)
class Vectors:
    """Features for some requests, and where the joined ones come from.

    Args:
        features: one row per request, in the order of the view's schema.
        sources: per request, each joined group's name to the row that matched, or None.
    """

    features: pa.Table
    sources: list[dict[str, Source | None]]


class FeatureView:
    """Features and labels, defined once for training and for serving. It holds no data and no state.

    If it has labels, its base group's rows are what a model learns from, and a request brings what the base group
    would. If it has none, rows from outside bring keys (`join_to`), and the base group is looked up like the others.

    Attributes:
        name, version, description: what it is called.
        query: which columns of which groups.
        labels: the columns that a model shall predict; columns of the base group.
    """

    def __init__(self, *, entry: Entry, query: Query, folder: Path, catalog: Catalog) -> None:
        self._entry, self._folder, self._catalog = entry, folder, catalog
        self.name, self.version, self.description = entry.name, entry.version, entry.description
        self.query, self.labels = query, tuple(entry.body["labels"])

    @staticmethod
    def check(query: Query, labels: Sequence[str]) -> None:
        """Raise unless a view can be made of the query and the labels.

        Raises:
            ColumnNotFoundError: a label is not selected.
            SchemaError: a label comes from a joined group, or nothing is left to learn from.
            JoinError: the joins need times that the base group does not have.
        """
        for label in labels:
            if label not in query.schema:
                raise ColumnNotFoundError(
                    f"The label {label!r} is not among the columns of the query.",
                    fix=choices(label, query.schema.names, "columns"),
                    column=label,
                )
            if label not in query.base.columns:
                raise SchemaError(
                    f"The label {label!r} comes from a joined group.",
                    why="Joined columns are what was known at the time of a row; a label is what came after.",
                    fix=f"Start the query from the group that has it. Labels may be {list(query.base.columns)}.",
                    column=label,
                )
        if len(labels) == len(query.schema):
            raise SchemaError("All columns of the query are labels.", fix="Select features too.")
        if labels:
            plan_rows(query, Pins.now(query))

    @property
    def id(self) -> str:
        """Its entry in the catalog."""
        return self._entry.id

    @property
    def schema(self) -> Schema:
        """The features, in order."""
        return Schema(tuple(f for f in self.query.schema if f.name not in self.labels))

    @property
    def label_schema(self) -> Schema:
        """The labels."""
        return Schema(tuple(self.query.schema[label] for label in self.labels))

    @property
    def request_schema(self) -> Schema:
        """What a request must bring: with labels, the base group's features and the keys of the joins; without, the
        base group's key and those keys of the joins that the base group does not hold.
        """
        base = self.query.base
        if not self.labels:
            return Schema(tuple(base.group.schema[key] for key in base.group.primary_key))
        joined = {output for join in self.query.joins for output in join.outputs}
        keys = [left for join in self.query.joins for left, _ in join.on if left not in joined]
        names = dict.fromkeys([*(name for name in base.columns if name not in self.labels), *keys])
        return Schema(tuple(base.group.schema[name] for name in names))

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
        split = self._split({"test": test_start}, {"test": test_size}, seed, by)
        train, test = self._make(split)
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

        Raises:
            SplitError: neither or both of the ways are given, or a part would be empty.
        """
        starts = {"validation": validation_start, "test": test_start}
        split = self._split(starts, {"validation": validation_size, "test": test_size}, seed, by)
        train, validation, test = self._make(split)
        return train, validation, test

    def training_data(self) -> TrainingData:
        """All rows that have their labels, pinned to the groups' newest versions and recorded.

        Raises:
            SplitError: there are none.
        """
        return self._make(WHOLE)[0]

    def join_to(
        self,
        entities: object,
        *,
        event_time: str | None = None,
        labels: Sequence[str] = (),
        time_zone: str | None = None,
    ) -> TrainingData:
        """Training data for labels that live outside any group: each row with what the groups knew at its time.

        Every row comes back once and in its order; nulls stand where nothing matched.

        Args:
            entities: anything tabular with the columns of `request_schema`, the event time and the labels.
            event_time: its column that says as of when each row looks; default: the name of the base group's.
            labels: its label columns; default: the view's.
            time_zone: the IANA zone of naive times; None refuses them.

        Raises:
            ColumnNotFoundError: a column is missing.
            SchemaError: there is a column that has no role.
            TypeMismatchError, DataError: a value cannot be taken as the group's type.
        """
        time = event_time or self.query.base.group.event_time
        if time is None:
            raise DataError("The event time of the rows is not named.", fix="Give event_time='<column>'.")
        names = tuple(labels) or self.labels
        table, label_schema = read_entities(entities, self.request_schema, time, names, time_zone)
        name = uuid.uuid4().hex
        write_parquet(table, self._folder / name / "entities.parquet")
        body = {
            "entities": {"folder": name, "event_time": time, "labels": label_schema.to_dict()},
            "split": WHOLE.to_dict(),
            "counts": {"all": table.num_rows},
        }
        return self.open_training_data(self._record(body, Pins.now(self.query)))["all"]

    def explain(self, row: Mapping[str, Any], *, at: Moment | None = None) -> Explanation:
        """Which row of each joined group a row would see at a time, or why none.

        Args:
            row: the values of `request_schema`, and the event time under the base group's name or as "at".
            at: the time; default: that of the row.

        Raises:
            ColumnNotFoundError: a value is missing.
            TypeMismatchError, DataError: a value cannot be taken as the group's type.
        """
        time = self.query.base.group.event_time
        when = at if at is not None else row.get("at", row.get(time) if time else None)
        values = {f.name: row[f.name] for f in self.request_schema if f.name in row}
        moment = None if when is None else parse_instant(when, "the time")
        table, _ = read_entities([values | {_AT: moment}], self.request_schema, _AT, (), None)
        pins = Pins.now(self.query)
        plan = self._plan_requests(pins, table)
        found = read_plan(self.query, plan, self._asked(plan))[0].read_all().to_pylist()[0]
        given = table.to_pylist()[0]
        joins = tuple(self._explain(asof, pins, found, given, moment) for asof in plan.joins)
        return Explanation(at=moment, joins=joins)

    def vectors(self, requests: pa.Table, at: Sequence[datetime]) -> Vectors:
        """Features for requests, each as of its time, and the rows that they come from.

        Args:
            requests: the columns of `request_schema`, in its types; one row per request.
            at: the time of each request.

        Raises:
            ColumnNotFoundError: a column is missing.
        """
        time = pa.array(at, TIMESTAMP)
        table = requests.select(self.request_schema.names).append_column(pa.field(_AT, TIMESTAMP), time)
        plan = self._plan_requests(Pins.now(self.query), table)
        found = read_plan(self.query, plan, self._asked(plan))[0].read_all()
        sources: list[dict[str, Source | None]] = [{} for _ in range(found.num_rows)]
        for asof in plan.joins:
            columns = (found[name].to_pylist() for name in provenance_columns(asof))
            for source, (commit, event_time, available_at) in zip(sources, zip(*columns, strict=True), strict=True):
                source[asof.name] = None if commit is None else Source(commit, event_time, available_at)
        return Vectors(found.select(self.schema.names), sources)

    def describe(self) -> dict[str, Any]:  # Any: JSON
        """What there is to know about it, as plain values."""
        return {
            "name": self.name,
            "version": self.version,
            "description": self.description,
            "features": self.schema.to_dict(),
            "labels": self.label_schema.to_dict(),
            "request": self.request_schema.to_dict(),
            "query": self.query.to_dict(),
            "created_at": self._entry.created_at.isoformat(),
            "created_by": self._entry.created_by,
        }

    def delete(self) -> None:
        """Delete the view and the training data made from it that nothing else uses.

        Raises:
            InUseError: a run or a model used its training data; the message names them.
        """
        made = [e for relation, e, _ in self._catalog.downstream(self._entry) if e.kind == "training_data"]
        users = sorted(
            {
                f"{user.kind} {user.name!r} (version {user.version})"
                for entry in made
                for _, user, _ in self._catalog.downstream(entry)
            }
        )
        if users:
            raise InUseError(
                f"View {self.name!r} cannot be deleted: {' and '.join(users)} came from it.",
                why="They could not be served or traced any more.",
                fix="Delete those first.",
                name=self.name,
                dependents=users,
            )
        with self._catalog.transaction():
            for entry in made:
                self._catalog.remove(entry)
            self._catalog.log("delete", self._entry)
            self._catalog.remove(self._entry)
        for entry in made:
            if entry.body.get("entities"):
                remove_tree(self._folder / entry.body["entities"]["folder"])

    def open_training_data(self, entry: Entry) -> dict[str, TrainingData]:
        """The parts of recorded training data, by name.

        Raises:
            NotFoundError: a pinned version is gone.
        """
        pins = {pin["id"]: pin["version"] for pin in entry.body["pins"].values()}
        split = Split.from_dict(entry.body["split"])
        if entry.body.get("entities"):
            return {"all": self._open_entities(entry, pins)}
        return {part.name: self._open_part(entry, part, pins) for part in self._parts(split)}

    def _open_part(self, entry: Entry, part: Part, versions: Mapping[str, int]) -> TrainingData:
        def read() -> Any:  # Any: Reading, whose parts are pyarrow's
            plan = plan_rows(self.query, Pins.at(self.query, versions), where=part.where, bucket=part.bucket)
            return read_plan(self.query, plan, [*self.schema.names, *self.labels])

        return TrainingData(entry=entry, split=part.name, schema=self.schema, label_schema=self.label_schema, read=read)

    def _open_entities(self, entry: Entry, versions: Mapping[str, int]) -> TrainingData:
        body = entry.body["entities"]
        labels = Schema.from_dict(body["labels"])

        def read() -> Any:  # Any: Reading, whose parts are pyarrow's
            table = pq.read_table(self._folder / body["folder"] / "entities.parquet")
            make = plan_requests if self.labels else plan_entities
            own = [*(f.name for f in self.schema if f.name in table.column_names), *labels.names]
            plan = make(self.query, Pins.at(self.query, versions), table, body["event_time"], own)
            return read_plan(self.query, plan, [*self.schema.names, *labels.names])

        return TrainingData(entry=entry, split="all", schema=self.schema, label_schema=labels, read=read)

    def _split(
        self,
        starts: Mapping[str, Moment | None],
        sizes: Mapping[str, float | None],
        seed: int,
        by: str | Sequence[str],
    ) -> Split:
        definition = self.query.base.group.definition
        columns = (by,) if isinstance(by, str) else tuple(by)
        for column in columns:
            definition.schema[column]  # raises with the nearest names
        by_time = any(start is not None for start in starts.values())
        by_hash = any(size is not None for size in sizes.values()) or bool(columns)
        if by_time == by_hash:
            raise SplitError(
                "Two ways to split are given." if by_time else "No way to split is given.",
                fix="Give test_start='2013-11-01' to split by time, or test_size=0.2 to split at random or by key.",
            )
        if by_time:
            return time_split(definition, starts)
        return hash_split({name: 0.2 if size is None else size for name, size in sizes.items()}, seed, columns)

    def _parts(self, split: Split) -> list[Part]:
        return split.parts(self.query.base.group.definition, self.labels)

    def _make(self, split: Split) -> list[TrainingData]:
        if not self.labels:
            raise SplitError(
                f"View {self.name!r} has no labels, so it has no rows to learn from.",
                fix="Bring rows with labels: view.join_to(frame, labels=['…']).",
            )
        pins, base, engine = Pins.now(self.query), self.query.base, self.query.base.group.engine
        counts = {}
        for part in self._parts(split):
            counts[part.name] = engine.count(scan_base(self.query, pins, part.where), part.bucket)
            if counts[part.name] == 0:
                raise SplitError(
                    f"The part {part.name!r} of the split would be empty.",
                    why=self._extent(pins),
                    fix="Choose other boundaries or shares, or insert the missing rows.",
                    part=part.name,
                )
        labelled = with_labels(self.labels)
        rows = engine.count(pins.scan(base))
        with_label = engine.count(scan_base(self.query, pins, labelled))
        used = sum(counts.values())
        body = {
            "split": split.to_dict(),
            "counts": counts | {"without_label": rows - with_label, "label_too_late": with_label - used},
        }
        return list(self.open_training_data(self._record(body, pins)).values())

    def _extent(self, pins: Pins) -> str:
        """The span of the base group's rows, in words."""
        snapshot = pins.snapshots[self.query.base.group.id]
        times = [t for f in snapshot.files for t in (f.min_time_us, f.max_time_us) if t is not None]
        if not times:
            return f"Group {self.query.base.group.name!r} has {snapshot.rows} rows."
        first, last = (
            datetime.fromtimestamp(t // 1_000_000).astimezone().isoformat() for t in (min(times), max(times))
        )
        return f"Group {self.query.base.group.name!r} has {snapshot.rows} rows, from {first} to {last}."

    def _record(self, body: Mapping[str, Any], pins: Pins) -> Entry:
        """Record training data with its pins in the catalog."""
        groups = {group.id: group for group in self.query.groups()}
        with self._catalog.transaction():
            entry = self._catalog.add(
                "training_data",
                self.name,
                {
                    "view": {"id": self.id, "name": self.name, "version": self.version},
                    "pins": {_title(g): {"id": g.id, "version": pins.versions[g.id]} for g in groups.values()},
                    **body,
                },
            )
            self._catalog.link(entry, self._entry, "of")
            for group in groups.values():
                self._catalog.link(entry, group.id, "read", {"version": pins.versions[group.id]})
            self._catalog.log("read for training", self._entry, {"training_data": entry.version})
        return entry

    def _plan_requests(self, pins: Pins, table: pa.Table) -> PointInTimeJoin:
        make = plan_requests if self.labels else plan_entities
        own = [f.name for f in self.schema if f.name in table.column_names]
        return make(self.query, pins, table, _AT, own, provenance=True)

    def _asked(self, plan: PointInTimeJoin) -> list[str]:
        return [*self.schema.names, *(name for asof in plan.joins for name in provenance_columns(asof))]

    def _explain(
        self, asof: AsOfJoin, pins: Pins, found: Mapping[str, Any], given: Mapping[str, Any], at: datetime | None
    ) -> JoinExplanation:
        version, event_time, available_at = (found[name] for name in provenance_columns(asof))
        keys = {key: {**found, **given}.get(left) for left, key in asof.on}
        joins = {join.name: join for join in (self.query.base_join, *self.query.joins)}
        return JoinExplanation(
            name=asof.name,
            keys=keys,
            commit=version,
            event_time=event_time,
            available_at=available_at,
            age=at - event_time if at is not None and event_time is not None else None,
            values={} if version is None else {o: found[o] for o in asof.outputs if o in found},
            reason=why_none(joins[asof.name], pins, keys, at) if version is None else "",
            point_in_time=asof.scan.snapshot.definition.event_time is not None,
        )

    def __repr__(self) -> str:
        labels = f", labels={list(self.labels)}" if self.labels else ""
        return f"FeatureView({self.name!r}, version={self.version}{labels})\n{self.query!r}"


def _title(group: Any) -> str:  # Any: a feature group, by its Source protocol
    return group.name if group.version == 1 else f"{group.name}_v{group.version}"
