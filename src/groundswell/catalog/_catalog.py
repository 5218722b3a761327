"""The catalog of a project: everything that has a name, in one database, changed in transactions.

`Catalog` is the one class that other rooms hold; they keep their meaning in the bodies of its entries.
"""

import getpass
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import sqlalchemy as sa

from groundswell.catalog import _aliases, _announcements, _integrity, _lineage, _revision, _search, _tags
from groundswell.catalog._commits import CommitIndex
from groundswell.catalog._consumers import ConsumerRegistry
from groundswell.catalog._database import Database
from groundswell.catalog._descriptions import Descriptions
from groundswell.catalog._entries import (
    Entry,
    check_kind,
    check_name,
    check_text,
    check_version,
    entry_from_id,
    entry_from_row,
    latest_or_version,
    select_entries,
    title,
)
from groundswell.catalog._events import Event, EventLog, record
from groundswell.catalog._json import plain_mapping
from groundswell.catalog._schema import entries, retired
from groundswell.catalog._search import Search
from groundswell.catalog._sqlite import path_from_url
from groundswell.catalog._tags import Tags
from groundswell.catalog._verbs import check_verb
from groundswell.diagnosis import Finding
from groundswell.errors import AlreadyExistsError, ConflictError

__all__ = ["Catalog"]


class Catalog:
    """Names, versions and metadata; `tags`, `descriptions` and `search` of entries; the index of commits in `commits`.

    Make one with `create` or `open`. Threads may share it, as each works on a connection of its own; each process opens
    its own.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._author = _author()
        self.commits = CommitIndex(database)
        self.tags, self.descriptions = Tags(database, self._author), Descriptions(database, self._author)
        self.search = Search(database)
        self.events = EventLog(database)
        self.consumers = ConsumerRegistry(database)

    @staticmethod
    def create(url: str) -> "Catalog":
        """Make the catalog at `url`, or open the one that is there, as two processes may create it at once.

        Args:
            url: `sqlite:///` and the path of a file in an existing folder.

        Raises:
            CorruptionError: the file cannot be made, or is a database of another program.
            VersionError: the catalog was made by a newer Groundswell.
        """
        path = path_from_url(url)
        _revision.make_file(path)
        database = Database(path)
        with _closing_on_error(database):
            _revision.bring_up_to_date(database, may_be_empty=True)
            _search.prepare(database)
        return Catalog(database)

    @staticmethod
    def open(url: str) -> "Catalog":
        """Open the catalog at `url`, and bring it up to date if an older Groundswell made it.

        Raises:
            CorruptionError: there is none, it is damaged, or it is a database of another program.
            VersionError: it was made by a newer Groundswell.
        """
        path = path_from_url(url)
        _revision.check_file(path)
        database = Database(path)
        with _closing_on_error(database):
            _revision.bring_up_to_date(database, may_be_empty=False)
            _search.prepare(database)
        return Catalog(database)

    def add(
        self,
        kind: str,
        name: str,
        body: Mapping[str, Any],  # Any: JSON
        *,
        version: int | None = None,
        state: str = "ready",
        description: str = "",
        tags: Mapping[str, Any] | None = None,  # Any: JSON
    ) -> Entry:
        """Add a version of a name.

        Args:
            body: JSON: mappings with text keys, lists, text, finite numbers, booleans, None.
            version: 1 or more. The default is one more than any version that the name has or had, so that the number
                of a removed version does not come to mean something else.
            tags: what it is tagged with from the beginning.

        Raises:
            AlreadyExistsError: the name has that version.
            DataError: the body is no JSON, with the path to what is not; or the version is no number from 1; or a tag
                is missing that such entries must have, or does not fit its schema.
            InvalidNameError: no such kind, or a name that is no text.
        """
        check_name(kind, name)
        check_version(version)
        content = plain_mapping(body, "body")
        with self._database.write() as connection:
            entry = Entry(
                id=uuid4().hex, kind=kind, name=name, version=_free_version(connection, kind, name, version),
                state=check_text(state, "a state"), body=content, description=check_text(description, "a description"),
                created_at=datetime.now(UTC), created_by=self._author,
            )  # fmt: skip
            connection.execute(sa.insert(entries).values(vars(entry)))
            _tags.give(connection, self._author, entry, tags or {})
            _search.refresh(connection, entry.id)
        return entry

    def get(self, kind: str, name: str, version: int | None = None) -> Entry:
        """That version of a name, or its highest one.

        Raises:
            DataError: the version is no number from 1.
            InvalidNameError: no such kind, or a name that is no text.
            NotFoundError: no such name, with the nearest ones; or no such version, with those there are.
        """
        check_name(kind, name)
        check_version(version)
        with self._database.read() as connection:
            return latest_or_version(connection, kind, name, version)

    def find(
        self, kind: str, *, name: str | None = None, state: str | None = None, limit: int | None = None
    ) -> list[Entry]:
        """The entries of a kind, all versions, newest first; those of a name or in a state only, if given."""
        query = select_entries().where(entries.c.kind == check_kind(kind))
        if name is not None:
            query = query.where(entries.c.name == check_text(name, "a name"))
        if state is not None:
            query = query.where(entries.c.state == state)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(entries.c.sequence.desc()).limit(limit))
            return [entry_from_row(row) for row in rows]

    def update(
        self,
        entry: Entry,
        *,
        body: Mapping[str, Any] | None = None,  # Any: JSON
        state: str | None = None,
        description: str | None = None,
        expect_state: str | None = None,
    ) -> Entry:
        """Replace what is given, the body as a whole, and return the entry as it is now.

        Args:
            expect_state: change nothing unless it is in this state, so that of two who would take a step one does.

        Raises:
            ConflictError: it is in another state than the expected one.
            NotFoundError: it was removed meanwhile.
        """
        changes: dict[str, object] = {}
        if body is not None:
            changes["body"] = plain_mapping(body, "body")
        if state is not None:
            changes["state"] = check_text(state, "a state")
        if description is not None:
            changes["description"] = check_text(description, "a description")
        with self._database.write() as connection:
            now = entry_from_id(connection, entry.id)
            if expect_state is not None and now.state != expect_state:
                raise ConflictError(
                    f"The {now} is {now.state!r}, not {expect_state!r}.",
                    why="Another writer was faster.",
                    fix="Get the entry again and decide by its state.",
                    state=now.state,
                    expected=expect_state,
                )
            if changes:
                connection.execute(sa.update(entries).where(entries.c.id == entry.id).values(changes))
                _search.refresh(connection, entry.id)
            return entry_from_id(connection, entry.id)

    def remove(self, entry: Entry) -> None:
        """Remove the entry with its aliases, its edges and the index of its commits; its activity stays.

        Whether something still needs it is for the caller to ask, with `downstream`.

        Raises:
            NotFoundError: it was removed already.
        """
        with self._database.write() as connection:
            entry = entry_from_id(connection, entry.id)
            _retire(connection, entry)
            self.commits.forget(entry.id)
            _announcements.forget(connection, entry.id)
            _search.forget(connection, entry.id)
            connection.execute(sa.delete(entries).where(entries.c.id == entry.id))

    def set_alias(self, kind: str, name: str, alias: str, version: int) -> None:
        """Let `alias` point to that version of the name, wherever it pointed before.

        Raises:
            NotFoundError: there is no such version.
            InvalidNameError: the alias is no text.
        """
        check_name(kind, name)
        check_version(version)
        check_text(alias, "an alias")
        with self._database.write() as connection:
            _aliases.point(connection, kind, name, alias, version)

    def remove_alias(self, kind: str, name: str, alias: str) -> None:
        """Remove the alias; the version stays.

        Raises:
            NotFoundError: there is no such alias; the message names the nearest ones.
        """
        check_name(kind, name)
        check_text(alias, "an alias")
        with self._database.write() as connection:
            _aliases.unpoint(connection, kind, name, alias)

    def aliases(self, kind: str, name: str) -> dict[str, int]:
        """The aliases of a name, with the version that each points to."""
        check_name(kind, name)
        with self._database.read() as connection:
            return _aliases.pointers(connection, kind, name)

    def link(
        self,
        source: Entry | str,
        target: Entry | str,
        relation: str,
        detail: Mapping[str, Any] | None = None,  # Any: JSON
    ) -> None:
        """Note that `source` was made of `target`; doing it again replaces the detail.

        Args:
            source: what was made, or its id.
            target: what it was made of, or its id.
            relation: how, in a word that reads from source to target: run "used" training data.

        Raises:
            NotFoundError: one of the two was removed.
        """
        content = plain_mapping(detail or {}, "detail")
        with self._database.write() as connection:
            _lineage.connect(connection, _id(source), _id(target), check_text(relation, "a relation"), content)

    def upstream(self, entry: Entry | str) -> list[tuple[str, Entry, dict[str, Any]]]:  # Any: JSON
        """What the entry was made of, one step: relation, entry and detail of each edge, oldest first."""
        with self._database.read() as connection:
            return _lineage.targets_of(connection, _id(entry))

    def downstream(self, entry: Entry | str) -> list[tuple[str, Entry, dict[str, Any]]]:  # Any: JSON
        """What was made of the entry, one step: relation, entry and detail of each edge, oldest first."""
        with self._database.read() as connection:
            return _lineage.sources_of(connection, _id(entry))

    def log(self, verb: str, entry: Entry | str, detail: Mapping[str, Any] | None = None) -> None:  # Any: JSON
        """Add to the events that this was done to the entry now. Commits are told of by the index.

        Args:
            verb: one of the verbs of events, such as "created", "validated", "deleted".
            entry: the entry, which may have been removed, or the id of one that is there.

        Raises:
            InvalidNameError: there is no such verb; the message names the nearest.
            NotFoundError: the id belongs to no entry.
        """
        content = plain_mapping(detail or {}, "detail")
        check_verb(verb)
        with self._database.write() as connection:
            subject = entry_from_id(connection, entry) if isinstance(entry, str) else entry
            record(connection, subject, verb, self._author, content)

    def activity(self, *, limit: int = 100, name: str | None = None) -> list[Event]:
        """What was done last, newest first; to entries of that name only, if given."""
        return self.events.newest(limit, name=name)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """The calls inside the block land together or not at all, and nobody else writes meanwhile: keep it short.

        Blocks may be nested: an inner one that raises undoes its own calls only, and lands with the outer one.
        """
        with self._database.write():
            yield

    def check(self, *, thorough: bool = False) -> Iterator[Finding]:
        """What is wrong with the catalog's file. What it says is checked by `search.check` and `tags.check`.

        Args:
            thorough: whether to compare indexes with their tables too, which takes longer.

        Raises:
            CorruptionError: so much that it cannot be asked.
        """
        with self._database.read() as connection:
            found = list(_integrity.faults(connection, self._database.path, thorough=thorough))
        yield from found

    def close(self) -> None:
        """Close the connections of all threads; none may be in a call. Closing again does nothing."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Catalog({str(self._database.path)!r})"


def _id(entry: Entry | str) -> str:
    return entry if isinstance(entry, str) else entry.id


def _free_version(connection: sa.Connection, kind: str, name: str, version: int | None) -> int:
    taken = connection.scalar(
        sa.select(sa.func.max(entries.c.version)).where(entries.c.kind == kind, entries.c.name == name)
    )
    gone = connection.scalar(sa.select(retired.c.version).where(retired.c.kind == kind, retired.c.name == name))
    following = max(taken or 0, gone or 0) + 1
    if version is None:
        return following
    same = (entries.c.kind == kind, entries.c.name == name, entries.c.version == version)
    if connection.scalar(sa.select(entries.c.id).where(*same)) is not None:
        raise AlreadyExistsError(
            f"The {title(kind)} {name!r} has a version {version} already.",
            why="A version is never replaced by another one of the same number.",
            fix=f"Leave the version out to get version {following}, or remove the other one first.",
            kind=kind,
            name=name,
            version=version,
        )
    return version


def _retire(connection: sa.Connection, entry: Entry) -> None:
    if entry.state == "pending":  # nobody has seen it: the number may be given to the next attempt
        return
    of_name = (retired.c.kind == entry.kind, retired.c.name == entry.name)
    before = connection.scalar(sa.select(retired.c.version).where(*of_name))
    if before is None:
        connection.execute(sa.insert(retired).values(kind=entry.kind, name=entry.name, version=entry.version))
    elif before < entry.version:
        connection.execute(sa.update(retired).where(*of_name).values(version=entry.version))


@contextmanager
def _closing_on_error(database: Database) -> Iterator[None]:
    try:
        yield
    except BaseException:
        database.close()
        raise


def _author() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in many containers
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"
