"""TF-IDF: term frequencies weighted by how few documents have the term, from document frequencies that merge."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import OneToOneFeatureMixin
from sklearn.utils import Tags

from groundswell.estimators._input import fit_input, predict_parts
from groundswell.estimators._row_errors import no_rows
from groundswell.estimators._terms import WORDS
from groundswell.estimators._text import CountVectorizer, normalized
from groundswell.estimators._transform import TableTransformer
from groundswell.statistics import Batch, require_same_width
from groundswell.statistics._matrix import Floats

Norm = Literal["l1", "l2"] | None


@dataclass
class DocumentFrequencies:
    """In how many rows each column of X is not zero."""

    documents: int = field(init=False, default=0)
    frequencies: Floats | None = field(init=False, default=None)

    def zero(self) -> "DocumentFrequencies":
        """No rows."""
        return DocumentFrequencies()

    def update(self, batch: Batch) -> None:
        """Count the rows."""
        values = sparse.csr_matrix(batch.X)
        self._add(np.bincount(values.indices[values.data != 0], minlength=values.shape[1]), len(batch))

    def merge(self, other: "DocumentFrequencies") -> None:
        """Add the counts."""
        if other.frequencies is not None:
            self._add(other.frequencies, other.documents)

    def _add(self, frequencies: NDArray[Any], documents: int) -> None:
        known = np.zeros(len(frequencies)) if self.frequencies is None else self.frequencies
        require_same_width(len(known), len(frequencies))
        self.frequencies, self.documents = known + frequencies, self.documents + documents

    def result(self) -> "DocumentFrequencies":
        """The counts themselves."""
        return self


def inverse_frequencies(frequencies: Floats, documents: int, *, smooth: bool) -> Floats:
    """log(n / df) + 1; if smooth as if one more document had all terms."""
    with np.errstate(divide="ignore"):  # of a term in no document, which has no weight to multiply
        return np.asarray(np.log((documents + smooth) / (frequencies + smooth)) + 1)


def weighted(counts: Any, idf: Floats | None, *, norm: Norm, sublinear_tf: bool) -> Any:  # Any: a matrix
    """Counts as weights of terms, a sparse matrix of the same shape.

    Args:
        counts: shape (documents, terms); not changed.
        idf: the weight of each term; None weighs all alike.
        norm: what rows are divided by.
        sublinear_tf: whether a count becomes 1 + log(count).
    """
    made = sparse.csr_matrix(counts, dtype=np.float64, copy=True)
    if sublinear_tf:
        made.data = np.log(made.data) + 1
    if idf is not None:
        made.data *= idf[made.indices]
    return normalized(made, norm)


class TfidfTransformer(OneToOneFeatureMixin, TableTransformer):  # type: ignore[misc]  # sklearn is untyped
    """Counts of terms as weights: tf · (log((1 + n) / (1 + df)) + 1) for n documents, df of which have the term.

    It is scikit-learn's formula; Spark's is tf · log((1 + n) / (1 + df)).

    Args:
        norm: "l2", "l1" or None: rows are divided by it.
        use_idf: whether terms are weighted by how few documents have them.
        smooth_idf: whether ones are added as above; otherwise the weight is log(n / df) + 1.
        sublinear_tf: whether tf becomes 1 + log tf.

    Attributes:
        idf_: the weight of each term, shape (terms,), if `use_idf`.
        n_features_in_, feature_names_in_: what it was fitted on.

    References:
        Manning, Raghavan, Schütze, Introduction to Information Retrieval, 2008, section 6.2.

    >>> TfidfTransformer().fit([[1, 1], [1, 0]]).idf_.round(3).tolist()
    [1.0, 1.405]
    """

    def __init__(
        self, *, norm: Norm = "l2", use_idf: bool = True, smooth_idf: bool = True, sublinear_tf: bool = False
    ) -> None:
        self.norm, self.use_idf, self.smooth_idf, self.sublinear_tf = norm, use_idf, smooth_idf, sublinear_tf

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def fit(self, X: Any, y: Any = None) -> Self:  # Any: array-likes and tables
        """Learn the document frequencies.

        Args:
            X: counts, shape (documents, terms), sparse too, or a table such as `CountVectorizer` makes.
            y: not used; with a table the name of a column that is no feature.

        Raises:
            FitError: there are no rows.
            ColumnNotFoundError, TypeMismatchError: a column is not there, or holds no numbers.
        """
        found = fit_input(self, X, y, accept_sparse=True).fold(DocumentFrequencies()).result()
        if found.frequencies is None:
            raise no_rows()
        self._idf = None
        if self.use_idf:
            self._idf = inverse_frequencies(found.frequencies, found.documents, smooth=self.smooth_idf)
        return self

    @property
    def idf_(self) -> Floats:
        """The weight of each term, shape (terms,).

        Raises:
            AttributeError: terms are not weighted, or it is not fitted.
        """
        if getattr(self, "_idf", None) is None:
            raise AttributeError("There is no idf_ without use_idf=True and fit.")
        return np.asarray(self._idf)

    def _transform_batch(self, batch: Batch) -> Any:  # Any: a sparse matrix
        return weighted(batch.X, self._idf, norm=self.norm, sublinear_tf=self.sublinear_tf)

    def _transform_array(self, X: Any) -> Any:  # Any: array-likes
        return predict_parts(self, X, self._transform_batch, accept_sparse=True)


class TfidfVectorizer(CountVectorizer):
    """Texts as TF-IDF weights: `CountVectorizer` and `TfidfTransformer` in one pass.

    Args:
        lowercase, strip_accents, stop_words, token_pattern, ngram_range, analyzer, max_df, min_df, max_features,
            vocabulary, binary: as for `CountVectorizer`.
        norm, use_idf, smooth_idf, sublinear_tf: as for `TfidfTransformer`.

    Attributes:
        vocabulary_: the position of each term. idf_: the weight of each, shape (terms,), if `use_idf`.
        n_features_in_, feature_names_in_: of a table: 1, and the name of its column of texts.

    >>> TfidfVectorizer().fit_transform(["to be or not", "not to be"]).toarray()[1].round(3).tolist()
    [0.577, 0.577, 0.0, 0.577]
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
        norm: Norm = "l2",
        use_idf: bool = True,
        smooth_idf: bool = True,
        sublinear_tf: bool = False,
    ) -> None:
        super().__init__(
            lowercase=lowercase, strip_accents=strip_accents, stop_words=stop_words, token_pattern=token_pattern,
            ngram_range=ngram_range, analyzer=analyzer, max_df=max_df, min_df=min_df, max_features=max_features,
            vocabulary=vocabulary, binary=binary,
        )  # fmt: skip
        self.norm, self.use_idf, self.smooth_idf, self.sublinear_tf = norm, use_idf, smooth_idf, sublinear_tf

    def fit(self, X: Any, y: Any = None) -> Self:  # Any: texts and tables
        """Learn the vocabulary and the document frequencies; arguments and errors as for `CountVectorizer.fit`."""
        counts = self._learn(X, y)
        frequencies = np.array([counts.frequencies[term] for term in self.vocabulary_], np.float64)
        self.__dict__.pop("idf_", None)
        if self.use_idf:
            self.idf_ = inverse_frequencies(frequencies, counts.documents, smooth=self.smooth_idf)
        return self

    def _transform_batch(self, batch: Batch) -> Any:  # Any: a sparse matrix
        idf = self.idf_ if self.use_idf else None
        return weighted(super()._transform_batch(batch), idf, norm=self.norm, sublinear_tf=self.sublinear_tf)
