"""Entries: the things that have a name, a version and a body whose meaning another room knows.

The functions take a connection of the catalog's and work inside its transaction.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

import sqlalchemy as sa

from groundswell.catalog._schema import aliases, entries
from groundswell.errors import DataError, InvalidNameError, NotFoundError, choices

__all__ = [
    "KINDS",
    "Entry",
    "check_kind",
    "check_name",
    "check_text",
    "check_version",
    "entry_from_id",
    "entry_from_row",
    "latest_or_version",
    "ranges",
    "select_entries",
    "title",
]

KINDS = {
    "feature_group": "feature groups",
    "feature_view": "feature views",
    "training_data": "training data",
    "run": "runs",
    "model": "models",
    "expectations": "suites of expectations",
    "validation": "validation reports",
    "statistics": "choices of statistics",
    "tag_schema": "schemas of tags",
}
"""The kinds of entries, and what several of a kind are called."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One version of one thing with a name.

    Args:
        id: 32 hexadecimal digits, unique for ever.
        kind: one of `KINDS`.
        version: counts from 1 within kind and name.
        state: where it is in its life, such as "pending", "ready" or "failed"; the room that owns the kind decides.
        body: JSON; the room that owns the kind gives it meaning.
        created_at: in UTC.
        created_by: "user@host".
    """

    id: str
    kind: str
    name: str
    version: int
    state: str
    body: Mapping[str, Any]  # Any: JSON
    description: str
    created_at: datetime
    created_by: str

    def __str__(self) -> str:
        return f"{title(self.kind)} {self.name!r} version {self.version}"


def title(kind: str) -> str:
    """The kind as people read it.

    >>> title("feature_group")
    'feature group'
    """
    return kind.replace("_", " ")


def check_kind(kind: str) -> str:
    """Return `kind` if there is such a kind.

    Raises:
        InvalidNameError: there is none.
    """
    if kind not in KINDS:
        raise InvalidNameError(f"{kind!r} is no kind of entry.", fix=choices(str(kind), KINDS, "kinds"), kind=kind)
    return kind


def check_name(kind: str, name: str) -> None:
    """Check that there is such a kind, and that `name` can be a name in it.

    Raises:
        InvalidNameError: there is none, or the name is no text.
    """
    check_text(name, f"the name of a {title(check_kind(kind))}")


def check_text(value: object, what: str) -> str:
    """Return `value` if it is text that a database can hold: any characters, but no halves of a surrogate pair.

    Raises:
        InvalidNameError: it is not.
    """
    if not isinstance(value, str):
        raise InvalidNameError(
            f"{value!r} ({type(value).__name__}) cannot be {what}.",
            why="It must be text.",
            fix="Give a string.",
            value=value,
        )
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise InvalidNameError(
            f"{value!r} cannot be {what}.",
            why=f"Its character {error.start} is half of a surrogate pair, which UTF-8 does not have.",
            fix="Remove that character.",
            value=value,
        ) from None
    return value


def check_version(version: int | None) -> None:
    """Check that `version` is one that an entry can have, or is left out.

    Raises:
        DataError: it is not.
    """
    if version is not None and (type(version) is not int or not 0 < version <= _LAST_VERSION):
        raise DataError(
            f"{version!r} ({type(version).__name__}) cannot be a version.",
            fix=f"Give a whole number from 1 to {_LAST_VERSION}, or leave it out.",
            version=version,
        )


_LAST_VERSION = 2**31 - 1  # of the column's type


_ALL = sa.select(*(column for column in entries.c if column is not entries.c.sequence))
_FIELDS = _ALL.selected_columns.keys()


def select_entries() -> sa.Select[Any]:  # Any: SQLAlchemy's type of a row of many columns
    """All entries, in rows that `entry_from_row` takes."""
    return _ALL


def entry_from_row(row: Iterable[Any]) -> Entry:  # Any: each column has its own type
    """The entry in a row of `select_entries`."""
    return Entry(**dict(zip(_FIELDS, row, strict=True)))


def entry_from_id(connection: sa.Connection, entry_id: str) -> Entry:
    """The entry with that id.

    Raises:
        NotFoundError: it was removed, or never was.
    """
    row = connection.execute(select_entries().where(entries.c.id == entry_id)).first()
    if row is None:
        raise NotFoundError(
            f"No entry has the id {entry_id!r}.",
            why="It was removed, or it belongs to another project.",
            fix="Look it up again by kind and name.",
            id=entry_id,
        )
    return entry_from_row(row)


def latest_or_version(connection: sa.Connection, kind: str, name: str, version: int | None) -> Entry:
    """That version of a name, or its highest one.

    Raises:
        NotFoundError: no such name, with the nearest ones; or no such version, with those there are.
    """
    query = select_entries().where(entries.c.kind == kind, entries.c.name == name)
    if version is not None:
        query = query.where(entries.c.version == version)
    row = connection.execute(query.order_by(entries.c.version.desc()).limit(1)).first()
    if row is None:
        raise _unknown(connection, kind, name, version)
    return entry_from_row(row)


def _unknown(connection: sa.Connection, kind: str, name: str, version: int | None) -> NotFoundError:
    """The error that says what there is instead of what was asked for."""
    of_kind = entries.c.kind == kind
    versions = connection.scalars(sa.select(entries.c.version).where(of_kind, entries.c.name == name)).all()
    facts: dict[str, Any] = {"kind": kind, "name": name, "version": version}  # Any: values of several types
    if not versions:
        names = connection.scalars(sa.select(entries.c.name).where(of_kind).distinct()).all()
        fix = choices(name, names, KINDS[kind])
        return NotFoundError(f"There is no {title(kind)} {name!r}.", fix=fix, **facts, known=sorted(names))
    what = f"The {title(kind)} {name!r} has no version {version}."
    plural = "version is" if len(versions) == 1 else "versions are"
    query = sa.select(aliases.c.alias, aliases.c.version).where(aliases.c.kind == kind, aliases.c.name == name)
    named = connection.execute(query.order_by(aliases.c.alias)).all()
    also = "".join(f" {alias!r} is version {number}." for alias, number in named)
    return NotFoundError(what, fix=f"The {plural} {ranges(versions)}.{also}", **facts, known=sorted(versions))


def ranges(numbers: Iterable[int]) -> str:
    """The numbers in few words.

    >>> ranges([7, 1, 2, 3])
    '1 to 3 and 7'
    """
    ordered = sorted(set(numbers))
    breaks = [i for i, (a, b) in enumerate(pairwise(ordered), 1) if b != a + 1]
    runs = [ordered[i:j] for i, j in zip([0, *breaks], [*breaks, len(ordered)], strict=True)]
    words = [f"{run[0]}" if len(run) == 1 else f"{run[0]} {'to' if len(run) > 2 else 'and'} {run[-1]}" for run in runs]
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]
