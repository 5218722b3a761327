"""Descriptions of entries and of their features, in words. Each change is in the activity."""

import sqlalchemy as sa

from groundswell.catalog import _search
from groundswell.catalog._database import Database
from groundswell.catalog._entries import Entry, check_text, entry_from_id
from groundswell.catalog._events import record
from groundswell.catalog._schema import entries, feature_descriptions
from groundswell.catalog._tags import check_feature

__all__ = ["Descriptions"]

_OF = feature_descriptions.c


class Descriptions:
    """The descriptions in a catalog; `Catalog.descriptions` is one.

    Args:
        database: of the catalog.
        author: who changes them, as "user@host".
    """

    def __init__(self, database: Database, author: str) -> None:
        self._database, self._author = database, author

    def of(self, entry: Entry | str) -> str:
        """The description of an entry as it is now.

        Raises:
            NotFoundError: the entry was removed.
        """
        with self._database.read() as connection:
            return entry_from_id(connection, _id(entry)).description

    def of_features(self, entry: Entry | str) -> dict[str, str]:
        """The descriptions of the features of an entry that have one."""
        query = sa.select(_OF.feature, _OF.description).where(_OF.entry_id == _id(entry)).order_by(_OF.feature)
        with self._database.read() as connection:
            return dict(connection.execute(query).all())

    def set(self, entry: Entry | str, text: str, *, feature: str | None = None) -> None:
        """Describe an entry or one of its features, in place of what was said before; empty text says nothing.

        Raises:
            ColumnNotFoundError: it has no such feature.
            InvalidNameError: the description is no text.
            NotFoundError: the entry was removed.
        """
        check_text(text, "a description")
        with self._database.write() as connection:
            subject = entry_from_id(connection, _id(entry))
            if feature is None:
                connection.execute(sa.update(entries).where(entries.c.id == subject.id).values(description=text))
            else:
                self._set_feature(connection, subject, check_feature(subject, feature), text)
            record(connection, subject, "described", self._author, {"feature": feature, "description": text})
            _search.refresh(connection, subject.id)

    @staticmethod
    def _set_feature(connection: sa.Connection, entry: Entry, feature: str, text: str) -> None:
        same = (_OF.entry_id == entry.id, _OF.feature == feature)
        connection.execute(sa.delete(feature_descriptions).where(*same))
        if text:
            values = {"entry_id": entry.id, "feature": feature, "description": text}
            connection.execute(sa.insert(feature_descriptions).values(values))


def _id(entry: Entry | str) -> str:
    return entry if isinstance(entry, str) else entry.id
