"""The training data of a view: split, pinned, recorded, and opened again."""

import uuid
import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from groundswell.catalog import Catalog, Entry
from groundswell.engines import PointInTimeJoin
from groundswell.errors import DataError, GroundswellError, InUseError, SchemaError, SplitError
from groundswell.features._entities import read_entities
from groundswell.features._files import remove_tree, write_parquet
from groundswell.features._fitted import FittedStates
from groundswell.features._joined_rows import check_whole, rows_file
from groundswell.features._pinning import held, pin, unpin
from groundswell.features._plan import Pins, plan_entities, plan_requests, plan_rows, read_plan, scan_base
from groundswell.features._selection import Source
from groundswell.features._split import WHOLE, Part, Split, hash_split, time_split, with_labels
from groundswell.features._training_data import Reading, TrainingData
from groundswell.features._view_definition import ViewDefinition, check_labels
from groundswell.features.transformations import complete_stream
from groundswell.types import Schema

__all__ = ["Moment", "TrainingSets"]

Moment = str | date | datetime


class TrainingSets:
    """Makes the training data of a view and finds it again.

    Args:
        view: the view.
        entry: its entry in the catalog.
        catalog: where training data is recorded.
        folder: where frames joined to a view are kept.
    """

    def __init__(self, view: ViewDefinition, entry: Entry, *, catalog: Catalog, folder: Path) -> None:
        self._view, self._entry, self._catalog, self._folder = view, entry, catalog, folder
        self._states = FittedStates(view, folder)

    def split(
        self,
        starts: Mapping[str, Moment | None],
        sizes: Mapping[str, float | None],
        seed: int,
        by: str | Sequence[str],
    ) -> list[TrainingData]:
        """The parts by time or by hash, pinned to the groups' newest versions and recorded."""
        with held(self._view.query.groups()):
            return self._make(self._chosen(starts, sizes, seed, by))

    def whole(self) -> TrainingData:
        """All rows that have their labels, likewise."""
        with held(self._view.query.groups()):
            return self._make(WHOLE)[0]

    def join_to(
        self,
        entities: object,
        event_time: str | None,
        labels: Sequence[str],
        time_zone: str | None,
        fitted: TrainingData | None = None,
    ) -> TrainingData:
        """Rows from outside with what the groups knew at their times, kept as they are and recorded."""
        time = event_time or self._view.query.base.group.event_time
        if time is None:
            raise DataError("The event time of the rows is not named.", fix="Give event_time='<column>'.")
        names = tuple(check_labels(labels)) or self._view.labels
        twice = next((name for name in names if name in self._view.schema), None)
        if twice is not None:
            raise SchemaError(
                f"The label {twice!r} has the name of a feature of view {self._view.name!r}.",
                why="A column cannot be both what is predicted and what it is predicted from.",
                fix="Rename the column of the rows, or leave the feature out of the view.",
                column=twice,
            )
        table, label_schema = read_entities(entities, self._view.request_schema, time, names, time_zone)
        body = {
            "entities": {"folder": uuid.uuid4().hex, "event_time": time, "labels": label_schema.to_dict()},
            "split": WHOLE.to_dict(),
            "counts": {"all": table.num_rows},
        }
        with held(self._view.query.groups()):
            try:
                write_parquet(table, rows_file(self._folder, body["entities"]))
                pins = Pins.now(self._view.query)
                body |= self._state_of_entities(body["entities"], pins, fitted)
            except BaseException:
                self._remove_files(body)
                raise
            return self.open(self._record(body, pins))["all"]

    def _state_of_entities(
        self, body: Mapping[str, Any], pins: Pins, fitted: TrainingData | None
    ) -> dict[str, Any]:  # Any: JSON
        """What to record of the transformations of rows from outside: fitted on them, or on other training data."""
        if fitted is None:
            return self._states.fit(lambda: self._read_entities(body, pins)[0])
        if not isinstance(fitted, TrainingData) or (fitted.view_name, fitted.view_version) != self._view.title:
            raise DataError(
                f"transformations_from={fitted!r} is no training data of view {self._view.name!r}.",
                why="Other views transform other columns.",
                fix="Give what view.train_test_split(…) or view.join_to(…) of this view gave.",
            )
        return self._states.keep(fitted.transformations)

    def remove(self) -> None:
        """Remove the view and the training data made from it.

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
                f"View {self._view.name!r} cannot be deleted: {' and '.join(users)} came from it.",
                why="They could not be served or traced any more.",
                fix="Delete those first.",
                name=self._view.name,
                dependents=users,
            )
        with self._catalog.transaction():
            for entry in made:
                self._catalog.log("deleted", entry)
                self._catalog.remove(entry)
            self._catalog.log("deleted", self._entry)
            self._catalog.remove(self._entry)
        unpin(self._view.query.groups(), made)
        for entry in made:
            self._remove_files(entry.body)

    def _remove_files(self, body: Mapping[str, Any]) -> None:
        """Remove what lies beside the catalog of training data that has this body."""
        if body.get("entities"):
            remove_tree(self._folder / body["entities"]["folder"])
        self._states.remove(body)

    def open(self, entry: Entry, *, remainder: bool = False) -> dict[str, TrainingData]:
        """The parts of recorded training data, by name; `remainder` reads it without rows that were purged since.

        Raises:
            NotFoundError: a pinned version is gone.
        """
        pins = {pin["id"]: pin["version"] for pin in entry.body["pins"].values()}
        split = Split.from_dict(entry.body["split"])
        if entry.body.get("entities"):
            return {"all": self._open_entities(entry, pins, remainder)}
        if remainder:
            counts = self._count(split, Pins.at(self._view.query, pins, remainder=True))
            entry = replace(entry, body={**entry.body, "counts": counts})
        return {part.name: self._open_part(entry, part, pins, remainder) for part in self._parts(split)}

    def _open_part(self, entry: Entry, part: Part, versions: Mapping[str, int], remainder: bool) -> TrainingData:
        return TrainingData(
            entry=entry,
            catalog=self._catalog,
            split=part.name,
            schema=self._view.schema,
            label_schema=self._view.label_schema,
            read=lambda: self._read_part(part, Pins.at(self._view.query, versions, remainder=remainder)),
            transformations=self._states.open(entry.body),
        )

    def _read_part(self, part: Part, pins: Pins) -> Reading:
        extra = self._view.extra.names
        plan = plan_rows(self._view.query, pins, where=part.where, bucket=part.bucket, extra=extra)
        return self._read(plan, self._view.labels)

    def _open_entities(self, entry: Entry, versions: Mapping[str, int], remainder: bool) -> TrainingData:
        body = entry.body["entities"]
        return TrainingData(
            entry=entry,
            catalog=self._catalog,
            split="all",
            schema=self._view.schema,
            label_schema=Schema.from_dict(body["labels"]),
            read=lambda: self._read_entities_at(entry, versions, remainder),
            transformations=self._states.open(entry.body),
        )

    def _read_entities_at(self, entry: Entry, versions: Mapping[str, int], remainder: bool) -> Reading:
        now = self._catalog.get(entry.kind, entry.name, entry.version)
        if not remainder:
            check_whole(now)
        return self._read_entities(now.body["entities"], Pins.at(self._view.query, versions, remainder=remainder))

    def _read_entities(self, body: Mapping[str, Any], pins: Pins) -> Reading:
        table = pq.read_table(rows_file(self._folder, body))
        make = plan_requests if self._view.labels else plan_entities
        labels = Schema.from_dict(body["labels"]).names
        own = [*(f.name for f in self._view.columns if f.name in table.column_names), *labels]
        return self._read(make(self._view.query, pins, table, body["event_time"], own), labels)

    def _read(self, plan: PointInTimeJoin, labels: Sequence[str]) -> Reading:
        """The features before they are transformed, those on demand computed, with the labels."""
        view = self._view
        reader, reports = read_plan(view.query, plan, [*view.columns.names, *labels])
        schema = pa.schema([*view.schema.to_arrow(), *(reader.schema.field(label) for label in labels)])
        return complete_stream(view, reader, schema), reports

    def _chosen(
        self,
        starts: Mapping[str, Moment | None],
        sizes: Mapping[str, float | None],
        seed: int,
        by: str | Sequence[str],
    ) -> Split:
        definition = self._view.query.base.group.definition
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
        shares = {name: 0.2 if size is None else size for name, size in sizes.items()}
        return hash_split(definition, shares, seed, columns)

    def _parts(self, split: Split) -> list[Part]:
        return split.parts(self._view.query.base.group.definition, self._view.labels)

    def _make(self, split: Split) -> list[TrainingData]:
        if not self._view.labels:
            raise SplitError(
                f"View {self._view.name!r} has no labels, so it has no rows to learn from.",
                fix="Bring rows with labels: view.join_to(frame, labels=['…']).",
            )
        pins = Pins.now(self._view.query)
        counts = self._count(split, pins)
        for part in self._parts(split):
            if counts[part.name] == 0:
                raise SplitError(
                    f"The part {part.name!r} of the split would be empty.",
                    why=self._extent(pins),
                    fix="Choose other boundaries or shares, or insert the missing rows.",
                    part=part.name,
                )
        body = {"split": split.to_dict(), "counts": counts}
        if counts["label_too_late"] > 0:
            self._warn_of_late_labels(split, pins, counts)
        first = self._parts(split)[0]
        body |= self._states.fit(lambda: self._read_part(first, pins)[0])
        return list(self.open(self._record(body, pins)).values())

    def _count(self, split: Split, pins: Pins) -> dict[str, int]:
        """The rows of each part, those without a label, and those left out as their labels came too late."""
        query, engine = self._view.query, self._view.query.base.group.engine
        counts = {p.name: engine.count(scan_base(query, pins, p.where), p.bucket) for p in self._parts(split)}
        rows = engine.count(pins.scan(query.base))
        with_label = engine.count(scan_base(query, pins, with_labels(self._view.labels)))
        return counts | {"without_label": rows - with_label, "label_too_late": with_label - sum(counts.values())}

    def _warn_of_late_labels(self, split: Split, pins: Pins, counts: Mapping[str, int]) -> None:
        """Warn of parts that lost more than half of their rows, as their labels were not known in time."""
        base = self._view.query.base.group
        whole = split.parts(replace(base.definition, available_at=None), self._view.labels)
        for part in whole:
            rows = base.engine.count(scan_base(self._view.query, pins, part.where), part.bucket)
            if counts[part.name] * 2 < rows:
                warnings.warn(
                    f"{rows - counts[part.name]:,} of {rows:,} rows of the part {part.name!r} are left out: their "
                    "labels were not known before the next part starts. What is left may be unlike the rest, as its "
                    "labels came early. Let the parts start further apart, at least as far as labels take to come.",
                    stacklevel=5,
                )

    def _extent(self, pins: Pins) -> str:
        """The span of the base group's rows, in words."""
        snapshot = pins.snapshots[self._view.query.base.group.id]
        times = [t for f in snapshot.files for t in (f.min_time_us, f.max_time_us) if t is not None]
        if not times:
            return f"Group {self._view.query.base.group.name!r} has {snapshot.rows} rows."
        first, last = (
            datetime.fromtimestamp(t // 1_000_000).astimezone().isoformat() for t in (min(times), max(times))
        )
        return f"Group {self._view.query.base.group.name!r} has {snapshot.rows} rows, from {first} to {last}."

    def _record(self, body: Mapping[str, Any], pins: Pins) -> Entry:
        """Record training data with its pins in the catalog. If it cannot be, its files and pins go."""
        groups = {group.id: group for group in self._view.query.groups()}
        made: list[Entry] = []
        try:
            with self._catalog.transaction():
                made.append(self._add(body, pins, groups))
                pin(groups.values(), made[0])
        except GroundswellError:  # nothing is recorded, as the disk is full; after an interrupt the doctor cleans up
            with suppress(OSError):
                unpin(groups.values(), made)
            self._remove_files(body)
            raise
        return made[0]

    def _add(self, body: Mapping[str, Any], pins: Pins, groups: Mapping[str, Source]) -> Entry:
        view = {"id": self._view.id, "name": self._view.name, "version": self._view.version}
        pinned = {_title(g): {"id": g.id, "version": pins.versions[g.id]} for g in groups.values()}
        entry = self._catalog.add("training_data", self._view.name, {"view": view, "pins": pinned, **body})
        self._catalog.log("created", entry, {"view": self._entry.version})
        self._catalog.link(entry, self._entry, "of")
        for group in groups.values():
            version = pins.versions[group.id]
            self._catalog.link(entry, group.id, "read", {"version": version})
            self._catalog.log("pinned", group.id, {"commit": version, "by": entry.name, "version": entry.version})
        self._catalog.log("read for training", self._entry, {"training_data": entry.version})
        return entry


def _title(group: Source) -> str:
    return group.name if group.version == 1 else f"{group.name}_v{group.version}"
