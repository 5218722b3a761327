"""The catalog entry and the table of a feature group, and how the two come to be and go together.

Creating: the catalog says `pending`, the table comes to be, the catalog says `ready`. A group without a schema is
`declared` before that, until its first insert. Deleting: the catalog says `deleting`, the table goes, the entry goes.
Whoever opens a group finishes what a killed process left at any point in between.
"""

import shutil
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from groundswell.catalog import Catalog, Entry
from groundswell.engines import DuckDB
from groundswell.errors import ConflictError, CorruptionError, NotFoundError
from groundswell.tables import Definition, Table, infer_schema
from groundswell.types import parse_duration

__all__ = ["DEFAULT_RETENTION", "GroupTable"]

DEFAULT_RETENTION = "30d"
"""How far back every version stays readable, if nobody says otherwise."""


class GroupTable:
    """A group's entry in the catalog and its table.

    Args:
        entry: the entry as it was found.
        folder: where the table is or shall be.
        catalog: keeps the entry, and the index of the table's log.
        engine: answers questions about identities.
        author: who writes, as "user@host".

    Attributes:
        entry: the entry as it was seen last.
    """

    def __init__(self, *, entry: Entry, folder: Path, catalog: Catalog, engine: DuckDB, author: str) -> None:
        self.entry, self.folder = entry, folder
        self._catalog, self._engine, self._author = catalog, engine, author
        self._table = self._opened()

    @property
    def now(self) -> Table | None:
        """The table; None while the group has no columns."""
        if self._table is None and self.entry.state in ("declared", "pending"):
            with suppress(NotFoundError):  # it was deleted: there is no table
                self.entry = self._catalog.get("feature_group", self.entry.name, self.entry.version)
            self._table = self._opened()  # another process may have made it
        return self._table

    @property
    def definition(self) -> Definition:
        """Keys, times and columns as they are now, whoever changed them.

        Where the log is damaged, or another process keeps the catalog locked that shall know of new commits, they are
        as they were.

        Raises:
            NotFoundError: as `table`.
        """
        table = self.table
        with suppress(CorruptionError, ConflictError):
            return table.newest_definition()
        return table.definition

    @property
    def table(self) -> Table:
        """The table.

        Raises:
            NotFoundError: no schema was given and nothing was inserted yet, so there is none.
        """
        table = self.now
        if table is None:
            raise NotFoundError(
                f"Group {self.entry.name!r} has no columns yet.",
                why="It was created without a schema, so its first insert decides.",
                fix="Insert data first, or create it with schema=….",
                name=self.entry.name,
            )
        return table

    def _opened(self) -> Table | None:
        return self.of(Definition.from_dict(self.entry.body)) if self.entry.state == "ready" else None

    def of(self, definition: Definition) -> Table:
        """The table that this definition makes, whether it exists or not."""
        return Table(
            table_id=self.entry.id,
            folder=self.folder,
            definition=definition,
            catalog=self._catalog,
            engine=self._engine,
            author=self._author,
        )

    def for_columns(self, given: pa.Schema) -> Table:
        """The table; while there is none, the one that an insert of these columns would make."""
        table = self.now
        if table is not None:
            table.version()  # another process may have changed the schema
            return table
        body = self.entry.body
        roles = (body["event_time"], body["available_at"])
        schema = infer_schema(given, identity=[*body["primary_key"], *(column for column in roles if column)])
        return self.of(Definition.of(self.entry.name, body["primary_key"], *roles, schema))

    def make(self, definition: Definition) -> None:
        """Make the table of a group that has none.

        Raises:
            ConflictError: another process made it just now, with other columns.
        """
        with self._catalog.transaction():
            self.entry = self._catalog.get("feature_group", self.entry.name, self.entry.version)
            if self.entry.state == "declared":
                body = {**self.entry.body, **definition.to_dict()}
                self.entry = self._catalog.update(self.entry, body=body, state="pending")
        if Definition.from_dict(self.entry.body) != definition:
            raise ConflictError(
                f"Another process has just made group {self.entry.name!r} with other columns.",
                why="The first insert decides the columns.",
                fix="Run the same call again: it will be checked against them.",
                name=self.entry.name,
            )
        self.finish()

    def finish(self) -> None:
        """Bring a pending group to ready, wherever its making stopped."""
        table = self.of(Definition.from_dict(self.entry.body))
        if not Table.exists(self.folder):
            table.create()
        if self.entry.state != "ready":
            self.entry = self._catalog.update(self.entry, state="ready")
        self._table = table

    @property
    def online(self) -> bool:
        """Whether the catalog says, now, that its rows belong into the online store."""
        return bool(self._setting("online"))

    @property
    def retention(self) -> timedelta:
        """How far back the catalog says, now, that every version stays readable."""
        return parse_duration(self._setting("retention") or DEFAULT_RETENTION)

    def configure(self, setting: str, value: bool | str) -> None:
        """Keep a setting in the catalog, and tell of it."""
        with self._catalog.transaction():
            self.entry = self._catalog.get("feature_group", self.entry.name, self.entry.version)
            self.entry = self._catalog.update(self.entry, body={**self.entry.body, setting: value})
            self._catalog.log("configured", self.entry, {setting: value})

    def _setting(self, name: str) -> Any:  # Any: JSON
        """A setting as it is now; None in a group that was made before there was one of that name."""
        self.entry = self._catalog.get("feature_group", self.entry.name, self.entry.version)
        return self.entry.body.get(name)

    def keep_definition(self) -> None:
        """Copy the table's definition into the entry, where the two differ."""
        self.table.version()
        body = self.table.definition.to_dict()
        with self._catalog.transaction():
            self.entry = self._catalog.get("feature_group", self.entry.name, self.entry.version)
            if self.entry.state == "ready" and self.entry.body["schema_version"] < body["schema_version"]:
                self.entry = self._catalog.update(self.entry, body={**self.entry.body, **body})

    def delete(self, remove_attached: Callable[[], object]) -> None:
        """Delete the table and the entry, for good; `sweep` finishes it if the process dies on the way."""
        self.entry = self._catalog.update(self.entry, state="deleting")
        self.sweep(remove_attached)

    def sweep(self, remove_attached: Callable[[], object]) -> None:
        """Finish a deletion, wherever it stopped.

        Args:
            remove_attached: removes what else there is of the group; called in the transaction that removes the entry.
        """
        shutil.rmtree(self.folder, ignore_errors=True)
        with self._catalog.transaction():
            self._catalog.commits.forget(self.entry.id)
            self._catalog.log("deleted", self.entry)
            remove_attached()
            self._catalog.remove(self.entry)
        self._table = None
