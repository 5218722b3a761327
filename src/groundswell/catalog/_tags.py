"""Tags: values under names that people give to entries and to single features of them.

Any name may be used, and any JSON be its value, unless the name has a schema; then values must fit it, and kinds of
entries may be obliged to have it. Each change is in the activity.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from groundswell.catalog import _search, _tag_schemas
from groundswell.catalog._database import Database
from groundswell.catalog._documents import features_of
from groundswell.catalog._entries import Entry, check_text, entry_from_id, title
from groundswell.catalog._events import record
from groundswell.catalog._json import plain_mapping
from groundswell.catalog._schema import entries, tags
from groundswell.diagnosis import Finding
from groundswell.errors import (
    AlreadyExistsError,
    ColumnNotFoundError,
    DataError,
    InUseError,
    InvalidNameError,
    NotFoundError,
    choices,
)

__all__ = ["Tags", "check_feature", "give"]

_LONGEST_NAME = 255


class Tags:
    """The tags of a catalog; `Catalog.tags` is one.

    Args:
        database: of the catalog.
        author: who changes them, as "user@host".
    """

    def __init__(self, database: Database, author: str) -> None:
        self._database, self._author = database, author

    def of(self, entry: Entry | str, *, feature: str | None = None) -> dict[str, Any]:  # Any: JSON
        """The tags of an entry, or of one of its features, by name; one look-up in an index."""
        query = sa.select(tags.c.name, tags.c.value).where(
            tags.c.entry_id == _id(entry), tags.c.feature == (feature or "")
        )
        with self._database.read() as connection:
            return dict(connection.execute(query.order_by(tags.c.name)).all())

    def of_features(self, entry: Entry | str) -> dict[str, dict[str, Any]]:  # Any: JSON
        """The tags of the features of an entry that have some, by feature and name."""
        query = sa.select(tags.c.feature, tags.c.name, tags.c.value)
        query = query.where(tags.c.entry_id == _id(entry), tags.c.feature != "").order_by(tags.c.feature, tags.c.name)
        found: dict[str, dict[str, Any]] = {}
        with self._database.read() as connection:
            for feature, name, value in connection.execute(query):
                found.setdefault(feature, {})[name] = value
        return found

    def set(self, entry: Entry | str, name: str, value: Any, *, feature: str | None = None) -> None:  # Any: JSON
        """Give an entry, or one of its features, a tag, or the tag another value.

        Raises:
            ColumnNotFoundError: it has no such feature.
            DataError: the value is no JSON, or does not fit the tag's schema.
            InvalidNameError: the name is no text, empty or longer than 255 characters.
            NotFoundError: the entry was removed.
        """
        _check_name(name)
        content = _plain(value, name)
        with self._database.write() as connection:
            subject = entry_from_id(connection, _id(entry))
            _put(connection, self._author, subject, name, content, feature)
            _search.refresh(connection, subject.id)

    def remove(self, entry: Entry | str, name: str, *, feature: str | None = None) -> None:
        """Take a tag from an entry or from one of its features.

        Raises:
            InUseError: the tag is required of such entries.
            NotFoundError: it has no such tag; the message names the nearest.
        """
        with self._database.write() as connection:
            subject = entry_from_id(connection, _id(entry))
            known = self.of(subject, feature=feature)
            if name not in known:
                what = f"{subject}" if feature is None else f"feature {feature!r} of the {subject}"
                raise NotFoundError(
                    f"The {what} has no tag {name!r}.", fix=choices(str(name), known, "tags"), name=name,
                    known=sorted(known),
                )  # fmt: skip
            schema = _tag_schemas.read_schemas(connection).get(name)
            if feature is None and schema is not None and subject.kind in schema.body["required_for"]:
                raise InUseError(
                    f"The {subject} must have the tag {name!r}.",
                    why=f"It is required of every {title(subject.kind)}.",
                    fix=f"Set another value, or let it be required no longer: unrequire_tag({name!r}, …).",
                    name=name,
                    kind=subject.kind,
                )
            detail = {"name": name, "feature": feature, "before": known[name]}
            record(connection, subject, "untagged", self._author, detail)  # first: who follows the tag is told too
            connection.execute(sa.delete(tags).where(*_is(subject.id, feature, name)))
            _search.refresh(connection, subject.id)

    def create_schema(self, name: str, schema: Mapping[str, Any], *, description: str = "") -> Entry:  # Any: JSON
        """Let the values of a tag have to fit a JSON Schema from now on.

        Args:
            name: the tag's.
            schema: JSON Schema, draft 2020-12 unless it says another; `{}` takes any value.
            description: what the tag says, in words.

        Raises:
            AlreadyExistsError: the tag has one.
            DataError: it is no JSON Schema, refers to another place, or values that are there do not fit it.
            InvalidNameError: the name is no text, empty or longer than 255 characters.
        """
        _check_name(name)
        check_text(description, "a description")
        content = _checked_schema(name, schema)
        with self._database.write() as connection:
            if name in _tag_schemas.read_schemas(connection):
                raise AlreadyExistsError(
                    f"The tag {name!r} has a schema already.",
                    fix=f"Change it: change_tag_schema({name!r}, {{…}}).",
                    name=name,
                )
            _refuse_misfits(connection, name, content)
            entry = Entry(
                id=uuid4().hex, kind=_tag_schemas.KIND, name=name, version=1, state="ready", description=description,
                body={"schema": content, "required_for": []}, created_at=datetime.now(UTC), created_by=self._author,
            )  # fmt: skip
            connection.execute(sa.insert(entries).values(vars(entry)))
            record(connection, entry, "created", self._author, {"schema": content})
            _search.refresh(connection, entry.id)
        return entry

    def change_schema(self, name: str, schema: Mapping[str, Any]) -> None:  # Any: JSON
        """Put another schema in the place of a tag's; the activity keeps the one before.

        Raises:
            DataError: it is no JSON Schema, or values that are there do not fit it; the message names them.
            NotFoundError: the tag has none.
        """
        content = _checked_schema(name, schema)
        with self._database.write() as connection:
            entry = _tag_schemas.get_schema(connection, name)
            _refuse_misfits(connection, name, content)
            self._change(connection, entry, "schema changed", {"schema": content, "before": entry.body["schema"]})

    def delete_schema(self, name: str) -> None:
        """Delete the schema of a tag that nothing has and of which nothing is required.

        Raises:
            InUseError: something has the tag, or it is required.
            NotFoundError: the tag has none.
        """
        with self._database.write() as connection:
            entry = _tag_schemas.get_schema(connection, name)
            count = connection.scalar(sa.select(sa.func.count()).where(tags.c.name == name))
            required = [f"every {title(kind)} must have it" for kind in entry.body["required_for"]]
            users = [*([f"it has {count} values"] if count else []), *required]
            if users:
                raise InUseError(
                    f"The schema of the tag {name!r} cannot be deleted: {' and '.join(users)}.",
                    why="Values would go unchecked.",
                    fix=f"See them with project.find(tag={name!r}); remove the tags and unrequire it first.",
                    name=name,
                    values=count,
                    required_for=entry.body["required_for"],
                )
            record(connection, entry, "deleted", self._author, {})
            _search.forget(connection, entry.id)
            connection.execute(sa.delete(entries).where(entries.c.id == entry.id))

    def schemas(self) -> dict[str, dict[str, Any]]:  # Any: JSON
        """The schemas by the name of their tag."""
        with self._database.read() as connection:
            return {name: entry.body["schema"] for name, entry in _tag_schemas.read_schemas(connection).items()}

    def required(self) -> dict[str, list[str]]:
        """For each tag that is required, the kinds of entries that must have it."""
        with self._database.read() as connection:
            found = _tag_schemas.read_schemas(connection)
            return {name: entry.body["required_for"] for name, entry in found.items() if entry.body["required_for"]}

    def require(self, name: str, kind: str) -> list[Entry]:
        """Let nothing of a kind be created from now on without a tag, and return what is there without it.

        Raises:
            InvalidNameError: tags cannot be required of the kind.
            NotFoundError: the tag has no schema: one that must be there should say what it must be.
        """
        _tag_schemas.check_requirable(kind)
        with self._database.write() as connection:
            entry = _tag_schemas.get_schema(connection, name)
            kinds = sorted({*entry.body["required_for"], kind})
            self._change(connection, entry, "required", {"required_for": kinds})
            return _tag_schemas.lacking(connection, name, [kind])

    def unrequire(self, name: str, kind: str) -> None:
        """Let things of a kind do without a tag again.

        Raises:
            NotFoundError: the tag is not required of the kind.
        """
        with self._database.write() as connection:
            entry = _tag_schemas.get_schema(connection, name)
            kinds = entry.body["required_for"]
            if kind not in kinds:
                raise NotFoundError(
                    f"The tag {name!r} is not required of {kind!r}.", fix=choices(str(kind), kinds, "kinds"), kind=kind
                )
            self._change(connection, entry, "unrequired", {"required_for": [k for k in kinds if k != kind]})

    def check(self) -> Iterator[Finding]:
        """The entries that lack a tag which they must have: those that were there before it was required."""
        with self._database.read() as connection:
            lacks = [
                (name, entry)
                for name, schema in _tag_schemas.read_schemas(connection).items()
                for entry in _tag_schemas.lacking(connection, name, schema.body["required_for"])
            ]
        for name, entry in lacks:
            yield Finding(
                severity="warning",
                what=f"The {entry} lacks the tag {name!r}, which every {title(entry.kind)} must have.",
                where=str(self._database.path),
                fix=f"Set it: set_tag({name!r}, …).",
            )

    def _change(self, connection: sa.Connection, entry: Entry, verb: str, detail: Mapping[str, Any]) -> None:
        body = {name: detail.get(name, kept) for name, kept in entry.body.items()}
        connection.execute(sa.update(entries).where(entries.c.id == entry.id).values(body=body))
        record(connection, entry, verb, self._author, detail)


def give(connection: sa.Connection, author: str, entry: Entry, given: Mapping[str, Any]) -> None:  # Any: JSON
    """Give an entry that is being made its tags, among them all that are required of it.

    Raises:
        DataError: one that is required is missing, or a value is no JSON or does not fit its tag's schema.
        InvalidNameError: a name cannot be used.
    """
    _tag_schemas.require_all(connection, entry.kind, entry.name, given)
    for name, value in given.items():
        _check_name(name)
        _put(connection, author, entry, name, _plain(value, name), None)


def check_feature(entry: Entry, feature: str) -> str:
    """Return the name of a feature that the entry has.

    Raises:
        ColumnNotFoundError: it has no such feature.
    """
    known = features_of(entry)
    if feature not in known:
        raise ColumnNotFoundError(
            f"The {entry} has no feature {feature!r}.",
            fix=choices(str(feature), known, "features"),
            column=feature,
            known=list(known),
        )
    return feature


def _put(
    connection: sa.Connection, author: str, entry: Entry, name: str, value: Any, feature: str | None
) -> None:  # Any: JSON
    """Set a tag whose name and value were checked to be such."""
    if feature is not None:
        check_feature(entry, feature)
    _tag_schemas.check_value(connection, name, value)
    same = _is(entry.id, feature, name)
    detail = {"name": name, "feature": feature, "value": value}
    if connection.execute(sa.update(tags).where(*same).values(value=value)).rowcount == 0:
        values = {"entry_id": entry.id, "feature": feature or "", "name": name, "value": value}
        connection.execute(sa.insert(tags).values(values))
    record(connection, entry, "tagged", author, detail)


def _is(entry_id: str, feature: str | None, name: str) -> tuple[sa.ColumnElement[bool], ...]:
    return tags.c.entry_id == entry_id, tags.c.feature == (feature or ""), tags.c.name == name


def _id(entry: Entry | str) -> str:
    return entry if isinstance(entry, str) else entry.id


def _check_name(name: object) -> None:
    text = check_text(name, "the name of a tag")
    if not text.strip() or len(text) > _LONGEST_NAME:
        raise InvalidNameError(
            f"{text!r:.60} cannot be the name of a tag.",
            why=f"It must have from 1 to {_LONGEST_NAME} characters, and not only spaces.",
            fix="Give a short word, such as 'ownership'.",
            name=name,
        )


def _plain(value: Any, name: str) -> Any:  # Any: JSON
    return plain_mapping({"value": value}, f"the tag {name!r}")["value"]


def _checked_schema(name: str, schema: object) -> dict[str, Any]:  # Any: JSON
    from groundswell.catalog import (
        _json_schema,  # imports jsonschema, 0.1 s that a catalog without schemas need not wait
    )

    content = plain_mapping(schema, f"the schema of the tag {name!r}")
    _json_schema.check_schema(name, content)
    return content


def _refuse_misfits(connection: sa.Connection, name: str, schema: Mapping[str, Any]) -> None:  # Any: JSON
    wrong = _tag_schemas.misfits(connection, name, schema)
    if wrong:
        more = f" and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        raise DataError(
            f"{len(wrong)} values of the tag {name!r} do not fit the schema: {'; '.join(wrong[:5])}{more}.",
            why="A schema holds for every value of the tag, also for those that are there.",
            fix="Set other values first, or loosen the schema.",
            name=name,
            misfits=wrong,
        )
