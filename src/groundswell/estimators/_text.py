"""Texts as vectors of counts: with a vocabulary that one pass learns, or with hashes and nothing to learn."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.preprocessing import normalize
from sklearn.utils import murmurhash3_32
from sklearn.utils.validation import check_is_fitted

from groundswell.errors import FitError
from groundswell.estimators._documents import TextTransformer, fit_texts
from groundswell.estimators._row_errors import no_rows
from groundswell.estimators._terms import WORDS
from groundswell.statistics import Batch


@dataclass
class TermCounts:
    """How often each term occurs, and in how many documents: dictionaries that merge.

    Args:
        vectorizer: finds the terms of documents.
    """

    vectorizer: TextTransformer
    documents: int = field(init=False, default=0)
    totals: Counter[str] = field(init=False, default_factory=Counter)
    frequencies: Counter[str] = field(init=False, default_factory=Counter)

    def zero(self) -> "TermCounts":
        """The same terms, no documents."""
        return TermCounts(self.vectorizer)

    def update(self, batch: Batch) -> None:
        """Count the terms."""
        terms = self.vectorizer.terms(batch)
        totals, frequencies = terms.occurrences()
        self.totals.update(dict(zip(terms.values, totals.tolist(), strict=True)))
        self.frequencies.update(dict(zip(terms.values, frequencies.tolist(), strict=True)))
        self.documents += len(batch)

    def merge(self, other: "TermCounts") -> None:
        """Add the counts."""
        self.totals.update(other.totals)
        self.frequencies.update(other.frequencies)
        self.documents += other.documents

    def result(self) -> "TermCounts":
        """The counts themselves."""
        return self


class CountVectorizer(TextTransformer):
    """How often each term of a vocabulary occurs in each document. Known as term frequency, bag of words.

    One pass counts terms and documents, in dictionaries that merge; the answer is that of scikit-learn. A null is an
    empty document. A document may also be a list of tokens, which is taken as it is.

    Args:
        lowercase: whether texts are made lower case first.
        strip_accents: "ascii", "unicode" or None.
        stop_words: "english" (scikit-learn's list), a list of tokens to leave out, or None.
        token_pattern: a regular expression of what a token is.
        ngram_range: the least and the greatest number of tokens of a term.
        analyzer: "word"; or "char", "char_wb" for terms of characters, across words or within.
        max_df, min_df: terms in more or fewer documents are left out: a count (an integer) or a share (a float).
        max_features: only the most frequent terms are kept; of equals the alphabetically first.
        vocabulary: the terms to count; None learns them.
        binary: whether all counts above zero are one.

    Attributes:
        vocabulary_: the position of each term.
        n_features_in_, feature_names_in_: of a table: 1, and the name of its column of texts.

    >>> vectorizer = CountVectorizer(ngram_range=(1, 2))
    >>> vectorizer.fit_transform(["to be or not", "not to be"]).toarray()[:, :3].tolist()
    [[1.0, 1.0, 1.0], [1.0, 0.0, 1.0]]
    >>> vectorizer.get_feature_names_out()[:3].tolist()
    ['be', 'be or', 'not']
    """

    def __init__(  # one parameter for each of scikit-learn's names, which get_params needs
        self,
        *,
        lowercase: bool = True,
        strip_accents: Literal["ascii", "unicode"] | None = None,
        stop_words: Literal["english"] | Sequence[str] | None = None,
        token_pattern: str = WORDS,
        ngram_range: tuple[int, int] = (1, 1),
        analyzer: Literal["word", "char", "char_wb"] = "word",
        max_df: float = 1.0,
        min_df: float = 1,
        max_features: int | None = None,
        vocabulary: Sequence[str] | None = None,
        binary: bool = False,
    ) -> None:
        self.lowercase, self.strip_accents, self.stop_words = lowercase, strip_accents, stop_words
        self.token_pattern, self.ngram_range, self.analyzer = token_pattern, ngram_range, analyzer
        self.max_df, self.min_df, self.max_features = max_df, min_df, max_features
        self.vocabulary, self.binary = vocabulary, binary

    def fit(self, X: Any, y: Any = None) -> Self:  # Any: texts and tables
        """Learn the vocabulary.

        Args:
            X: texts, or a table with one column of texts beside the label.
            y: not used; with a table the name of a column that is no feature.

        Raises:
            FitError: no term is left.
            SchemaError: a table has no column of texts, or several.
            TypeMismatchError: a document is no text.
        """
        self._learn(X, y)
        return self

    def _learn(self, X: Any, y: Any) -> TermCounts:  # Any: as in fit
        """The counts behind the vocabulary."""
        data = fit_texts(self, X, y)
        counts = data.fold(TermCounts(self)).result()
        if not counts.documents:
            raise no_rows()
        terms = self._limited(counts) if self.vocabulary is None else list(self.vocabulary)
        if not terms:
            raise FitError(
                f"No terms remain of the {len(counts.totals)} in {counts.documents} documents: empty vocabulary.",
                why="Documents are empty or hold only stop words, or min_df and max_df leave nothing.",
                fix="Lower min_df, raise max_df, or check stop_words and token_pattern.",
            )
        self.vocabulary_ = {term: position for position, term in enumerate(terms)}
        return counts

    def _limited(self, counts: TermCounts) -> list[str]:
        """The terms that are kept, in alphabetical order."""
        least, most = (
            limit * counts.documents if isinstance(limit, float) else limit for limit in (self.min_df, self.max_df)
        )
        if most < least:
            raise FitError(
                f"max_df={self.max_df!r} corresponds to fewer documents than min_df={self.min_df!r}.",
                fix="A float is a share of the documents, an integer their number.",
            )
        kept = sorted(term for term, n in counts.frequencies.items() if least <= n <= most)
        if self.max_features is not None:
            kept = sorted(sorted(kept, key=lambda term: -counts.totals[term])[: self.max_features])
        return kept

    def _transform_batch(self, batch: Batch) -> Any:  # Any: a sparse matrix
        terms, known = self.terms(batch), self.vocabulary_
        places = np.array([known.get(term, -1) for term in terms.values], np.int64)
        found = terms.counts(places, len(known))
        if self.binary:
            found.data[:] = 1.0
        return found

    def inverse_transform(self, X: Any) -> list[NDArray[Any]]:  # Any: an array or a sparse matrix
        """The terms that occur in each document.

        Raises:
            sklearn.exceptions.NotFittedError: it is not fitted.
        """
        check_is_fitted(self)
        terms, rows = np.asarray(list(self.vocabulary_), dtype=object), sparse.csr_matrix(X)
        return [terms[rows[i].nonzero()[1]] for i in range(rows.shape[0])]

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:  # Any: not used
        """The terms; of a table's column after its name and an underscore, so that no label is taken for a term.

        Raises:
            sklearn.exceptions.NotFittedError: it is not fitted.
        """
        check_is_fitted(self)
        before = "".join(f"{name}_" for name in getattr(self, "feature_names_in_", ()))
        return np.asarray([before + term for term in self.vocabulary_], dtype=object)


class HashingVectorizer(TextTransformer):
    """Term frequencies at positions that a hash of the term gives: nothing to learn, and no vocabulary to keep.

    The hash is MurmurHash3 (32 bits, seed 0) of the term in UTF-8: the position is its absolute value modulo
    `n_features`, its sign that of the hash; as in scikit-learn, on any machine. Terms may share a position.

    Args:
        lowercase, strip_accents, stop_words, token_pattern, ngram_range, analyzer: as for `CountVectorizer`.
        n_features: how many positions there are.
        binary: whether all counts are one, before signs and norm.
        norm: "l2", "l1" or None: rows are divided by it.
        alternate_sign: whether half of the terms count negatively, so that those that share a position cancel.

    References:
        Weinberger, Dasgupta, Langford, Smola, Attenberg: Feature hashing for large scale multitask learning, ICML 2009.

    >>> HashingVectorizer(n_features=8, norm=None).fit_transform(["to be or not to be"]).toarray().tolist()
    [[0.0, 0.0, 0.0, 2.0, 1.0, 0.0, -2.0, 1.0]]
    """

    def __init__(  # one parameter for each of scikit-learn's names, which get_params needs
        self,
        *,
        lowercase: bool = True,
        strip_accents: Literal["ascii", "unicode"] | None = None,
        stop_words: Literal["english"] | Sequence[str] | None = None,
        token_pattern: str = WORDS,
        ngram_range: tuple[int, int] = (1, 1),
        analyzer: Literal["word", "char", "char_wb"] = "word",
        n_features: int = 2**18,
        binary: bool = False,
        norm: Literal["l1", "l2"] | None = "l2",
        alternate_sign: bool = True,
    ) -> None:
        self.lowercase, self.strip_accents, self.stop_words = lowercase, strip_accents, stop_words
        self.token_pattern, self.ngram_range, self.analyzer = token_pattern, ngram_range, analyzer
        self.n_features, self.binary, self.norm, self.alternate_sign = n_features, binary, norm, alternate_sign

    def __sklearn_tags__(self) -> Any:  # Any: scikit-learn's tags
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        return tags

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def fit(self, X: Any, y: Any = None) -> Self:  # Any: texts and tables
        """Learn the name of a table's column of texts, and nothing else.

        Raises:
            SchemaError: a table has no column of texts, or several.
            TypeMismatchError: a document is no text.
        """
        fit_texts(self, X, y)
        return self

    def _transform_batch(self, batch: Batch) -> Any:  # Any: a sparse matrix
        terms = self.terms(batch)
        hashes = np.array([murmurhash3_32(term.encode()) for term in terms.values], np.int64)
        signs = np.where(hashes >= 0, 1.0, -1.0) if self.alternate_sign else None
        found = terms.counts(np.abs(hashes) % self.n_features, self.n_features, signs)
        if self.binary:
            found.data[:] = 1.0
        return normalized(found, self.norm)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:  # Any: not used
        """The positions after the name of the class."""
        return np.asarray([f"hashingvectorizer{i}" for i in range(self.n_features)], dtype=object)


def normalized(rows: Any, norm: Literal["l1", "l2"] | None) -> Any:  # Any: a sparse matrix
    """The rows, changed in place to have norm one, if there is a norm to have and a row to have it."""
    return normalize(rows, norm, copy=False) if norm is not None and rows.shape[0] else rows
