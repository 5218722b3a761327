"""The feature groups of a project: made, found and repaired here."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

from groundswell.catalog import Catalog, Entry
from groundswell.engines import DuckDB, Scan
from groundswell.errors import AlreadyExistsError
from groundswell.features._attachments import Attachments
from groundswell.features._files import remove_tree
from groundswell.features._group import FeatureGroup
from groundswell.features._group_table import GroupTable
from groundswell.features._joined_rows import JoinedRows
from groundswell.features._new_group import NewGroup
from groundswell.features._new_version import NewVersion, convert_rows, write_copy
from groundswell.features._online_copies import OnlineCopies
from groundswell.features._publication import Publication
from groundswell.features.expectations import Setting, Suite, Validations, check_policy
from groundswell.features.statistics import StatisticsRecords
from groundswell.features.streaming import OpenStreams
from groundswell.online import Follower
from groundswell.tables import Definition
from groundswell.types import format_duration

KIND = "feature_group"


class FeatureGroups:
    """Makes and finds feature groups.

    Args:
        catalog: where their names and definitions are.
        folder: the project's, with `tables/`, `published/` for their current rows as files, and `training_data/` with
            rows from outside that were joined to them.
        engine: where they are read.
        author: who writes, as "user@host".
        provenance: what each commit shall say about the code that wrote it.
        online: brings them into the online store; its clock is theirs.
    """

    def __init__(
        self,
        *,
        catalog: Catalog,
        folder: Path,
        engine: DuckDB,
        author: str,
        provenance: Callable[[], Mapping[str, Any]],
        online: OnlineCopies,
    ) -> None:
        self._catalog, self._engine = catalog, engine
        self._folder, self._published = folder / "tables", folder / "published"
        self._author, self._provenance, self._online = author, provenance, online
        self._open_streams = OpenStreams()
        self._joined = JoinedRows(catalog, folder / "training_data")

    @property
    def online(self) -> OnlineCopies:
        """What brings them into the online store."""
        return self._online

    def create(self, wanted: NewGroup) -> FeatureGroup:
        """Create a feature group.

        Raises:
            AlreadyExistsError: there is a group of that name.
            InvalidNameError, SchemaError, ColumnNotFoundError, TypeMismatchError: keys, times and columns do not fit
                together, or an expectation does not fit them.
            DataError: something is no expectation, the policy is none, or a tag is missing or does not fit its schema.
        """
        name, definition = wanted.name, wanted.definition()
        suite, policy = Suite.of(wanted.expectations), check_policy(wanted.validation)
        if definition is not None:
            suite.bind(self._setting(definition))
        with self._catalog.transaction():
            taken = self._catalog.find(KIND, name=name)
            if taken:
                raise AlreadyExistsError(
                    f"There is a feature group {name!r} already, created by {taken[0].created_by}.",
                    fix=f"Use it: project.get_feature_group({name!r}). Or choose another name.",
                    name=name,
                )
            entry = self._catalog.add(
                KIND,
                name,
                wanted.body(definition),
                state="declared" if definition is None else "pending",
                description=wanted.description,
                tags=wanted.tags,
            )
            self._catalog.log("created", entry)
            if suite or policy != "strict":
                self._validations(entry).keep(suite, policy)
            if wanted.statistics is not True:
                self._statistics(entry).set(wanted.statistics, definition)
        group = self.open(entry)
        group.recover()
        return group

    def new_version(self, group: FeatureGroup, wanted: NewVersion, description: str | None) -> FeatureGroup:
        """Make the next version of a group, as `FeatureGroup.new_version` says.

        Args:
            group: the version whose rows are copied.
            wanted: what is other than in it.
            description: what it holds; None is the same.
        """
        snapshot, old = group.snapshot(), self._catalog.get(KIND, group.name, group.version)
        scan = Scan(snapshot=snapshot, columns=tuple(snapshot.definition.schema.names))
        copied = {"group": group.name, "version": group.version, "table_version": snapshot.version}
        suite = group.expectations if wanted.expectations is None else Suite.of(wanted.expectations)
        building = self._folder / f".{group.name}-{uuid4().hex}"
        try:
            definition, rows = convert_rows(wanted, snapshot.definition, self._engine.scan(scan))
            suite.bind(self._setting(definition))
            note = {**self._provenance(), "copied_from": copied}
            write_copy(building, definition, rows, engine=self._engine, author=self._author, provenance=note)
            with self._catalog.transaction():
                entry = self._catalog.add(
                    KIND,
                    group.name,
                    definition.to_dict() | {"online": group.online, "retention": format_duration(group.retention)},
                    description=group.description if description is None else description,
                    tags=dict(group.tags),
                )
                self._catalog.log("created", entry, {"copied_from": copied})
                if suite or group.validation != "strict":
                    self._validations(entry).keep(suite, group.validation)
                self._statistics(entry).follow(self._statistics(old), definition)
                self._describe_alike(entry, group, definition)
                remove_tree(self.folder_of(entry))  # which a process left that was killed right here
                building.rename(self.folder_of(entry))
        finally:
            remove_tree(building)
        made = self.open(entry)
        made.recover()
        if made.online:
            self._online.committed(made.committed_table, made.committed_table.history(1)[0])
        return made

    def _describe_alike(self, entry: Entry, group: FeatureGroup, definition: Definition) -> None:
        """Say of the features that are still there what was said of them."""
        for feature, text in group.feature_descriptions.items():
            if feature in definition.features:
                self._catalog.descriptions.set(entry, text, feature=feature)
        for feature, tags in group.feature_tags.items():
            for tag, value in tags.items() if feature in definition.features else ():
                self._catalog.tags.set(entry, tag, value, feature=feature)

    def get(self, name: str, version: int | None = None) -> FeatureGroup:
        """The group of that name; what a killed process left half made or half deleted is finished first.

        Raises:
            NotFoundError: there is none; the message names the nearest.
        """
        entry = self._catalog.get(KIND, name, version)
        group = self.open(entry)
        group.recover()
        return self.get(name, version) if entry.state == "deleting" else group

    def all(self) -> list[FeatureGroup]:
        """All groups by name."""
        names = sorted({entry.name for entry in self._catalog.find(KIND) if entry.state != "deleting"})
        return [self.get(name) for name in names]

    def followers(self) -> dict[str, Follower]:
        """What brings each group that is online into the online store, by the group's id."""
        ready = (self.open(entry) for entry in self._catalog.find(KIND, state="ready"))
        return {group.id: self._online.follower(group.committed_table) for group in ready if group.online}

    def close(self) -> None:
        """End the streams that are open.

        Raises:
            CorruptionError: acknowledged rows cannot be committed; they stay in their logs.
        """
        self._open_streams.close()

    def folder_of(self, entry: Entry) -> Path:
        """Where the table of a group is."""
        return self._folder / f"{entry.name}_v{entry.version}"

    def open(self, entry: Entry) -> FeatureGroup:
        """The group of an entry as it is: nothing is finished."""
        place = GroupTable(
            entry=entry,
            folder=self.folder_of(entry),
            catalog=self._catalog,
            engine=self._engine,
            author=self._author,
        )
        attachments = Attachments(
            validations=self._validations(entry),
            statistics=self._statistics(entry),
            publication=Publication(folder=self._published / f"{entry.name}_v{entry.version}", engine=self._engine),
            online=self._online,
            joined=self._joined,
            open_streams=self._open_streams,
        )
        return FeatureGroup(
            place=place,
            catalog=self._catalog,
            engine=self._engine,
            provenance=self._provenance,
            attachments=attachments,
            renew=self.new_version,
        )

    def _validations(self, entry: Entry) -> Validations:
        return Validations(group=entry, catalog=self._catalog, setting=self._setting)

    def _statistics(self, entry: Entry) -> StatisticsRecords:
        folder = self.folder_of(entry)
        return StatisticsRecords(group=entry, catalog=self._catalog, folder=folder, engine=self._engine)

    def _setting(self, definition: Definition) -> Setting:
        return Setting(definition=definition, engine=self._engine, now=self._online.clock(), find=self.get)
