"""What the search reads of an entry: its name, its features, its description, its tags, each as one text.

The functions take a connection of the catalog's and work inside its transaction.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from groundswell.catalog._entries import Entry, entry_from_row, select_entries
from groundswell.catalog._schema import entries, feature_descriptions, tags

__all__ = ["FIELDS", "FOUND_KINDS", "Document", "features_of", "read_documents"]

FOUND_KINDS = ("feature_group", "feature_view", "training_data", "run", "model", "tag_schema")
"""The kinds that can be found; suites and reports of expectations belong to their groups."""

FIELDS = ("name", "features", "description", "tags")
"""The texts of a document, the most telling first."""


@dataclass(frozen=True, kw_only=True)
class Document:
    """An entry as the search sees it.

    Args:
        number: of its row in the catalog, by which the index knows it.
        entry: the entry.
        name, features, description, tags: the texts.
    """

    number: int
    entry: Entry
    name: str
    features: str
    description: str
    tags: str

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts in the order of `FIELDS`."""
        return self.name, self.features, self.description, self.tags


def features_of(entry: Entry) -> tuple[str, ...]:
    """The names of the columns that the body of an entry tells of, under the keys where the kinds keep them."""
    body = entry.body
    match entry.kind:
        case "feature_group":
            return tuple(field["name"] for field in body.get("schema") or ())
        case "feature_view":
            query = body.get("query") or {"base": {"columns": ()}, "joins": ()}
            joined = (join["prefix"] + column for join in query["joins"] for column in join["columns"])
            return (*query["base"]["columns"], *joined)
        case "model":
            return tuple(column["name"] for column in (body.get("signature") or {}).get("inputs") or ())
    return ()


def read_documents(connection: sa.Connection, ids: Collection[str] | None = None) -> Iterator[Document]:
    """The documents of the entries with these ids, or of all that can be found, oldest first."""
    of_entries = entries.c.kind.in_(FOUND_KINDS) if ids is None else entries.c.id.in_(ids)
    named = sa.select(tags.c.entry_id, tags.c.feature, tags.c.name, tags.c.value)
    described = sa.select(feature_descriptions)
    if ids is not None:
        named, described = named.where(tags.c.entry_id.in_(ids)), described.where(
            feature_descriptions.c.entry_id.in_(ids)
        )  # fmt: skip
    tagged: defaultdict[str, list[str]] = defaultdict(list)
    for entry_id, feature, name, value in connection.execute(named.order_by(tags.c.feature, tags.c.name)):
        tagged[entry_id].append(f"{feature}.{name} = {_text(value)}" if feature else f"{name} = {_text(value)}")
    told: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for entry_id, feature, description in connection.execute(described):
        told[entry_id][feature] = description
    query = select_entries().add_columns(entries.c.sequence).where(of_entries).order_by(entries.c.sequence)
    for *values, number in connection.execute(query):
        entry = entry_from_row(values)
        yield Document(
            number=number,
            entry=entry,
            name=entry.name,
            features=_features(features_of(entry), told[entry.id]),
            description=entry.description,
            tags="; ".join(tagged[entry.id]),
        )


def _features(names: Iterable[str], told: Mapping[str, str]) -> str:
    return "; ".join(f"{name}: {told[name]}" if told.get(name) else name for name in names)


def _text(value: Any) -> str:  # Any: JSON
    """A value as words: what it holds, with the keys."""
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_text(inner)}" for key, inner in value.items())
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    return str(value)
