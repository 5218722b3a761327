"""Full-text search over everything that has a name: names, features, descriptions, tags.

The index is changed in the transaction that changes an entry, its tags or its descriptions, so it is never behind and a
crash leaves both or neither. A catalog without an index, as older versions made it, gets one when it is opened; `check`
compares it with the entries, and `rebuild` makes it anew.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import overload

import sqlalchemy as sa

from groundswell.catalog import _fulltext
from groundswell.catalog._database import Database
from groundswell.catalog._documents import FIELDS, FOUND_KINDS, Document, read_documents
from groundswell.catalog._entries import check_text, title
from groundswell.catalog._schema import entries, tags
from groundswell.catalog._words import Phrase, phrases, spans, words
from groundswell.diagnosis import Finding
from groundswell.errors import DataError, InvalidNameError, NotFoundError, choices, nearest

__all__ = ["Hit", "Hits", "Search", "forget", "prepare", "refresh"]

_UNSEEN_STATES = ("pending", "deleting", "deleted")
_SNIPPET_WORDS = 12
_MOST_TERMS = 20_000
"""Words of the index among which a mistyped one is looked for; comparing takes about a second for each 100,000."""


@dataclass(frozen=True, kw_only=True)
class Hit:
    """One thing that was found.

    Args:
        id: of its entry in the catalog.
        kind: "feature_group", "feature_view", "training_data", "run", "model" or "tag_schema".
        score: how well it fits (BM25): more is better; comparable within one search only.
        field: where the words stand: "name", "features", "description" or "tags"; "" if none were asked for.
        pieces: the text around them in pieces, each with whether it is what was looked for.
    """

    id: str
    kind: str
    name: str
    version: int
    score: float
    field: str
    pieces: tuple[tuple[str, bool], ...]

    @property
    def snippet(self) -> str:
        """The text around what was looked for, which stands in « »."""
        return "".join(f"«{text}»" if is_match else text for text, is_match in self.pieces)

    def __str__(self) -> str:
        where = f"  {self.field}: {self.snippet}" if self.field else ""
        return f"{title(self.kind)} {self.name!r} version {self.version}{where}"


class Hits(Sequence[Hit]):
    """What a search found, the best first. It shows as a list, in a notebook as a table.

    Attributes:
        text: what was looked for.
        did_you_mean: the text with words that the index knows, if nothing was found and there are such; else None.
    """

    def __init__(self, text: str, hits: Sequence[Hit], did_you_mean: str | None = None) -> None:
        self.text, self.did_you_mean = text, did_you_mean
        self._hits = tuple(hits)

    @overload
    def __getitem__(self, index: int) -> Hit: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Hit]: ...
    def __getitem__(self, index: int | slice) -> Hit | Sequence[Hit]:
        return self._hits[index]

    def __len__(self) -> int:
        return len(self._hits)

    def __repr__(self) -> str:
        return "\n".join(map(str, self._hits)) or self._nothing

    def _repr_html_(self) -> str:
        if not self._hits:
            return f"<p>{escape(self._nothing)}</p>"
        rows = "".join(
            f"<tr><td>{title(hit.kind)}</td><td>{escape(hit.name)}</td><td>{hit.version}</td><td>{hit.score:.3g}</td>"
            f"<td>{hit.field}</td><td>{''.join(_html(*piece) for piece in hit.pieces)}</td></tr>"
            for hit in self._hits
        )
        titles = "".join(f"<th>{name}</th>" for name in ("kind", "name", "version", "score", "found in", "text"))
        return f"<table><tr>{titles}</tr>{rows}</table>"

    @property
    def _nothing(self) -> str:
        hint = f" Did you mean {self.did_you_mean!r}?" if self.did_you_mean else ""
        return f"Nothing was found for {self.text!r}.{hint}"


def _html(text: str, is_match: bool) -> str:
    return f"<mark>{escape(text)}</mark>" if is_match else escape(text)


class Search:
    """The search of a catalog; `Catalog.search` is one.

    Args:
        database: of the catalog.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, text: str = "", *, kind: str | None = None, tag: str | None = None, limit: int = 20) -> Hits:
        """What has these words in its name, features, description or tags, the best first.

        Every character is text, none a command. Words may be cut short; `late` finds `late_arrival` and `late_arr` as
        well. What has all words comes back, or if nothing has, what has some. Of versions of one name the newest that
        fits counts.

        Args:
            text: what to look for; its first 50 words count. Empty text finds everything, newest first.
            kind: only this kind, such as "feature_group".
            tag: only what has this tag, or a feature with it.
            limit: at most so many.

        Raises:
            DataError: the limit is no number from 1.
            InvalidNameError: the kind cannot be found or is none, or the text is none.
            NotFoundError: nothing has such a tag; the message names the nearest.
        """
        check_text(text, "what to look for")
        if kind is not None and kind not in FOUND_KINDS:
            raise InvalidNameError(
                f"{kind!r} cannot be found.", fix=choices(str(kind), FOUND_KINDS, "kinds"), kind=kind
            )
        if type(limit) is not int or limit < 1:
            raise DataError(f"{limit!r} cannot be a limit.", fix="Give a whole number from 1.", limit=limit)
        wanted = phrases(text)
        if text.strip() and not wanted:
            return Hits(text, [])
        with self._database.read() as connection:
            if tag is not None:
                _check_tag(connection, tag)
            hits = _ask(connection, wanted, kind, tag, limit, every=True)
            loose = list(dict.fromkeys((word,) for phrase in wanted for word in phrase))
            if not hits and len(loose) > 1:
                hits = _ask(connection, loose, kind, tag, limit, every=False)
            return Hits(text, hits, None if hits else _corrected(connection, text))

    def rebuild(self) -> int:
        """Make the index anew from the entries, and say how many it holds."""
        with self._database.write() as connection:
            return _rebuild(connection)

    def check(self) -> Iterator[Finding]:
        """Whether the index holds what the entries, tags and descriptions say."""
        with self._database.read() as connection:
            indexed = dict(_fulltext.rows(connection))
            wrong = [d for d in read_documents(connection) if indexed.pop(d.number, None) != _cut(d)]
        if wrong or indexed:
            named = ", ".join(str(document.entry) for document in wrong[:5]) or "nothing that is there"
            yield Finding(
                severity="warning",
                what=f"The search index is wrong about {len(wrong) + len(indexed)} entries: {named}.",
                where=str(self._database.path),
                fix="Make it anew: groundswell doctor --repair.",
                repair=lambda: f"Made it anew, of {self.rebuild()} entries.",
            )


def prepare(database: Database) -> None:
    """Make the index if there is none."""
    with database.read() as connection:
        if _fulltext.exists(connection):
            return
    with database.write() as connection:
        if not _fulltext.exists(connection):  # asked again under the write lock
            _rebuild(connection)


def refresh(connection: sa.Connection, entry_id: str) -> None:
    """Bring the index up to what the entry is now, in the transaction that changed it."""
    for document in read_documents(connection, [entry_id]):
        if document.entry.kind in FOUND_KINDS:
            _fulltext.put(connection, document.number, _cut(document))


def forget(connection: sa.Connection, entry_id: str) -> None:
    """Take the entry, which is about to be removed, out of the index."""
    number = connection.scalar(sa.select(entries.c.sequence).where(entries.c.id == entry_id))
    if number is not None:
        _fulltext.remove(connection, number)


def _rebuild(connection: sa.Connection) -> int:
    _fulltext.create(connection)
    count = 0
    for document in read_documents(connection):
        _fulltext.put(connection, document.number, _cut(document))
        count += 1
    return count


def _cut(document: Document) -> tuple[str, ...]:
    return tuple(" ".join(word.text for word in words(text)) for text in document.texts)


def _check_tag(connection: sa.Connection, tag: str) -> None:
    known = set(connection.scalars(sa.select(tags.c.name).distinct()))
    if tag not in known:
        raise NotFoundError(
            f"Nothing has a tag {tag!r}.", fix=choices(str(tag), known, "tags"), tag=tag, known=sorted(known)
        )


def _ask(
    connection: sa.Connection, wanted: Sequence[Phrase], kind: str | None, tag: str | None, limit: int, *, every: bool
) -> list[Hit]:
    """The best entries, one for each name."""
    newest = sa.func.row_number().over(partition_by=(entries.c.kind, entries.c.name), order_by=entries.c.version.desc())
    number = entries.c.sequence
    if wanted:
        found = _fulltext.matches(wanted, every=every)
        query = sa.select(entries.c.id, entries.c.name, number, found.c.score, newest.label("rank"))
        query = query.join(found, found.c.number == number)
    else:
        query = sa.select(entries.c.id, entries.c.name, number, sa.literal(0.0).label("score"), newest.label("rank"))
    kinds = FOUND_KINDS if kind is None else (kind,)
    query = query.where(entries.c.kind.in_(kinds), entries.c.state.not_in(_UNSEEN_STATES))
    if tag is not None:
        query = query.where(entries.c.id.in_(sa.select(tags.c.entry_id).where(tags.c.name == tag)))
    ranked = query.subquery()
    by = (ranked.c.score.desc(), ranked.c.name, ranked.c.sequence.desc()) if wanted else (ranked.c.sequence.desc(),)
    best = sa.select(ranked.c.id, ranked.c.score).where(ranked.c.rank == 1).order_by(*by).limit(limit)
    scores = dict(connection.execute(best).all())
    documents = {document.entry.id: document for document in read_documents(connection, list(scores))}
    return [_hit(documents[entry_id], score, wanted) for entry_id, score in scores.items()]


def _hit(document: Document, score: float, wanted: Sequence[Phrase]) -> Hit:
    entry = document.entry
    field = ""
    pieces: tuple[tuple[str, bool], ...] = ((entry.description, False),)
    for name, text in zip(FIELDS, document.texts, strict=True):
        marked = spans(words(text), wanted)
        if marked:
            field, pieces = name, _pieces(text, marked)
            break
    return Hit(
        id=entry.id, kind=entry.kind, name=entry.name, version=entry.version, score=score, field=field, pieces=pieces
    )


def _pieces(text: str, marked: Sequence[tuple[int, int]]) -> tuple[tuple[str, bool], ...]:
    """The text around the first matches, cut into what was looked for and what was not."""
    found = words(text)
    first = next(i for i, word in enumerate(found) if word.end > marked[0][0])
    low = max(first - _SNIPPET_WORDS // 3, 0)
    high = min(low + _SNIPPET_WORDS, len(found)) - 1
    begin = found[low].start if low else 0
    end = max(found[high].end if high < len(found) - 1 else len(text), marked[0][1])
    pieces: list[tuple[str, bool]] = [("… " if begin else "", False)]
    at = begin
    for start, stop in marked:
        if stop <= end:
            pieces += [(text[at:start], False), (text[start:stop], True)]
            at = stop
    pieces += [(text[at:end], False), (" …" if end < len(text) else "", False)]
    return tuple(piece for piece in pieces if piece[0])


def _corrected(connection: sa.Connection, text: str) -> str | None:
    """The text with each word that nothing has replaced by the nearest that something has; None if there is none."""
    corrected, at, changed = [], 0, False
    for word in words(text):
        n = len(word.text)
        known = _fulltext.terms(connection, max(n - 2, 1), n + 2, _MOST_TERMS)
        close = nearest(word.text, known, 1)
        if close and close[0] != word.text:
            corrected += [text[at : word.start], close[0]]
            at, changed = word.end, True
    return "".join([*corrected, text[at:]]) if changed else None
