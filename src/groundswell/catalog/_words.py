"""Words: how text is cut for the full-text search, and what a query asks for.

Names are written `late_share_24h`, and people look for `late`, `24` or `24h`. So text is cut where anything stands that
is neither letter nor digit, and between letters and digits; case and accents do not count. Texts and queries are cut
alike, here and not in the database, so that the same words are found and marked whatever the index is kept in.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

__all__ = ["Phrase", "Word", "phrases", "spans", "words"]

_PIECE = re.compile(r"\d+|[^\W\d_]+")
_MOST_WORDS = 50
"""Words of a query that count; nobody types as many, and an index should not be asked for a book."""

Phrase = tuple[str, ...]
"""Words that must stand side by side, of which the last may be the beginning of one."""


@dataclass(frozen=True)
class Word:
    """A word of a text, in the form that is compared, and where it stands."""

    text: str
    start: int
    end: int


def words(text: str) -> list[Word]:
    """The words of a text in their order.

    >>> [word.text for word in words("late_share_24h: Größe")]
    ['late', 'share', '24', 'h', 'grosse']
    """
    pieces = ((_compared(piece[0]), *piece.span()) for piece in _PIECE.finditer(text))
    return [Word(*piece) for piece in pieces if piece[0]]


def _compared(piece: str) -> str:
    decomposed = unicodedata.normalize("NFKD", piece).casefold()
    return "".join(character for character in decomposed if character.isalnum())


def phrases(query: str) -> list[Phrase]:
    """What a query asks for: for each text between spaces, its words side by side. No character has a meaning.

    >>> phrases('late_arr AND "*')
    [('late', 'arr'), ('and',)]
    """
    found: list[Phrase] = []
    room = _MOST_WORDS
    for chunk in query.split():
        phrase = tuple(word.text for word in words(chunk))[:room]
        room -= len(phrase)
        if phrase and phrase not in found:
            found.append(phrase)
    return found


def spans(found: Sequence[Word], wanted: Iterable[Phrase]) -> list[tuple[int, int]]:
    """Where in a text the phrases stand, in order, those that overlap as one.

    >>> spans(words("how late is late_arrival?"), [("late", "arr")])
    [(12, 24)]
    """
    hits: list[tuple[int, int]] = []
    for phrase in wanted:
        n = len(phrase)
        for i in range(len(found) - n + 1):
            head = all(found[i + j].text == phrase[j] for j in range(n - 1))
            if head and found[i + n - 1].text.startswith(phrase[-1]):
                hits.append((found[i].start, found[i + n - 1].end))
    merged: list[tuple[int, int]] = []
    for start, end in sorted(hits):
        if merged and start < merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged
