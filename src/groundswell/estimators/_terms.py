"""The terms of many documents at once: each distinct one as a text, each occurrence as its number.

Python calls for each word cost most of what a vectorizer does. Words of documents in ASCII are therefore found in the
bytes of the whole column, and numbered by Arrow's dictionary encoding; vectorizers then look up distinct words only.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import sparse

from groundswell.statistics._matrix import Floats

WORDS = r"(?u)\b\w\w+\b"
"""Tokens of two or more letters, digits or underscores, as in scikit-learn."""

LETTERS = np.frombuffer(bytes(c if chr(c).isalnum() or c == ord("_") else 0 for c in range(128)) + bytes(128), np.uint8)
"""Of each byte of ASCII itself if it belongs to a word, else 0."""

LOWER = np.frombuffer(LETTERS.tobytes().lower(), np.uint8)


@dataclass(frozen=True, kw_only=True)
class Terms:
    """The terms of some documents.

    Attributes:
        values: the distinct terms.
        codes: of each occurrence its position in `values`, document by document.
        ends: where documents begin and end among the codes, shape (documents + 1,).
    """

    values: list[str]
    codes: NDArray[np.int64]
    ends: NDArray[np.int64]

    def counts(self, columns: NDArray[np.int64], width: int, signs: Floats | None = None) -> sparse.csr_matrix:
        """How often each column occurs in each document, shape (documents, width).

        Args:
            columns: of each distinct term; −1 leaves it out.
            width: how many columns there are.
            signs: of each distinct term what one occurrence counts; None is one.
        """
        places, ends = columns[self.codes], self.ends
        kept = places >= 0
        values = np.ones(len(places)) if signs is None else signs[self.codes]
        if not kept.all():
            places, values, ends = places[kept], values[kept], np.append(0, np.cumsum(kept))[ends]
        made = sparse.csr_matrix((values, places.astype(np.int32), ends), shape=(len(ends) - 1, width))
        made.sum_duplicates()
        return made

    def without(self, stop_words: Collection[str]) -> "Terms":
        """The same less these words."""
        kept = np.array([value not in stop_words for value in self.values], bool)
        if kept.all():
            return self
        chosen = kept[self.codes]
        return Terms(
            values=[value for value, keep in zip(self.values, kept, strict=True) if keep],
            codes=(np.cumsum(kept) - 1)[self.codes[chosen]],
            ends=np.append(0, np.cumsum(chosen))[self.ends],
        )

    def occurrences(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Of each distinct term how often it occurs, and in how many documents."""
        n = len(self.values)
        rows = self.counts(np.arange(n), n)
        return np.bincount(self.codes, minlength=n), np.bincount(rows.indices, minlength=n)


def of_documents(documents: Sequence[Sequence[str]]) -> Terms:
    """The terms of documents that are lists of them."""
    return _numbered(pa.array([term for terms in documents for term in terms], pa.string()), _ends(documents))


def of_texts(column: pa.Array, *, lowercase: bool) -> tuple[Terms, NDArray[np.bool_]]:
    """The words of texts in ASCII, as `WORDS` has them, and which texts are others, whose words are not looked for.

    Args:
        column: texts; a null is an empty one.
        lowercase: whether they are made lower case first.
    """
    if not len(column):
        return of_documents([]), np.zeros(0, bool)
    column = column.cast(pa.large_string()).fill_null("")
    offsets = np.frombuffer(column.buffers()[1], np.int64)[column.offset : column.offset + len(column) + 1]
    start, stop = int(offsets[0]), int(offsets[-1])
    data = np.frombuffer(column.buffers()[2] or b"", np.uint8)[start:stop]
    bounds = offsets - start
    foreign = np.zeros(len(column), bool)
    if len(data) and data.max() > 127:
        foreign = np.diff(np.append(0, np.cumsum(data > 127))[bounds]) > 0
    letters = (LOWER if lowercase else LETTERS)[data]
    if foreign.any():
        letters[np.repeat(foreign, np.diff(bounds))] = 0
    begins, ends = _runs(letters > 0, bounds)
    cuts = np.column_stack([begins, ends]).ravel()  # words, and between them what is none
    pieces = pa.LargeStringArray.from_buffers(max(len(cuts) - 1, 0), pa.py_buffer(cuts), pa.py_buffer(letters))
    words = pieces.take(pa.array(np.arange(0, len(pieces), 2)))
    return _numbered(words, np.searchsorted(begins, bounds)), foreign


def _runs(inside: NDArray[np.bool_], bounds: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where runs of two or more true values begin and end; none reaches over a bound."""
    edge = np.zeros(len(inside) + 1, bool)
    edge[bounds] = True
    before, after = np.append(False, inside), np.append(inside, False)
    begins = np.flatnonzero(after & (edge | ~before))
    ends = np.flatnonzero(before & (edge | ~after))
    long = ends - begins > 1
    return begins[long], ends[long]


def merged(first: Terms, second: Terms, chosen: NDArray[np.bool_]) -> Terms:
    """The documents of both in one, where `chosen` says which are of the second; those of the first are empty there."""
    lengths = np.diff(first.ends)
    lengths[chosen] = np.diff(second.ends)
    places = np.flatnonzero(chosen)
    documents = np.concatenate([
        np.repeat(np.arange(len(chosen)), np.diff(first.ends)), np.repeat(places, np.diff(second.ends)),
    ])  # fmt: skip
    values = pa.array(first.values + second.values).dictionary_encode()
    codes = values.indices.to_numpy()[np.concatenate([first.codes, second.codes + len(first.values)])]
    order = np.argsort(documents, kind="stable")
    ends = np.append(0, np.cumsum(lengths))
    return Terms(values=values.dictionary.to_pylist(), codes=codes[order].astype(np.int64), ends=ends)


def _numbered(terms: pa.Array, ends: NDArray[np.int64]) -> Terms:
    encoded = terms.dictionary_encode()
    codes = encoded.indices.to_numpy().astype(np.int64)
    return Terms(values=encoded.dictionary.to_pylist(), codes=codes, ends=ends)


def _ends(documents: Sequence[Sequence[str]]) -> NDArray[np.int64]:
    return np.append(0, np.cumsum([len(terms) for terms in documents], dtype=np.int64))
