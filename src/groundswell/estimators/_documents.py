"""Texts as input of vectorizers: lists of texts, columns of data frames and of tables; and how they become terms.

A document is a text, or a list of tokens that something else has made; a null is an empty document. The analyzers are
scikit-learn's own, so the same settings give the same terms.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.base import BaseEstimator
from sklearn.feature_extraction.text import CountVectorizer as _Peer
from sklearn.utils.validation import check_is_fitted

from groundswell.engines import ArrayBatches, Roles, as_scannable
from groundswell.errors import DataError, SchemaError, TypeMismatchError
from groundswell.estimators._columns import Columns, arrow_column
from groundswell.estimators._input import batches_of, is_table, table_roles
from groundswell.estimators._terms import WORDS, Terms, merged, of_documents, of_texts
from groundswell.estimators._transform import TableTransformer, Transformed
from groundswell.statistics import Batch

Analyze = Callable[[Any], Sequence[str]]
KEY = "text"
"""The column of a batch of texts that came without a name."""


class TextTransformer(TableTransformer):
    """What vectorizers share: their settings, and where the texts are.

    A table has one column of texts beside the label; select it in a ColumnTransformer if it has others.
    """

    analyzer: Literal["word", "char", "char_wb"]
    lowercase: bool
    strip_accents: Literal["ascii", "unicode"] | None
    stop_words: Literal["english"] | Collection[str] | None
    token_pattern: str
    ngram_range: tuple[int, int]

    _any_type = True

    def __sklearn_tags__(self) -> Any:  # Any: scikit-learn's tags
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags

    def _peer(self, *, of_tokens: bool) -> _Peer:
        """scikit-learn's vectorizer, which knows how a document becomes terms."""
        stop = self.stop_words if self.stop_words is None or isinstance(self.stop_words, str) else [*self.stop_words]
        if of_tokens:
            return _Peer(
                tokenizer=_same, preprocessor=_same, lowercase=False, token_pattern=None, stop_words=stop,
                ngram_range=self.ngram_range,
            )  # fmt: skip
        return _Peer(
            analyzer=self.analyzer, lowercase=self.lowercase, strip_accents=self.strip_accents, stop_words=stop,
            token_pattern=self.token_pattern, ngram_range=self.ngram_range,
        )  # fmt: skip

    def terms(self, batch: Batch) -> Terms:
        """The terms of the documents of a batch."""
        column = arrow_column(batch, next(iter(batch.columns)))
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        of_tokens = pa.types.is_list(column.type) or pa.types.is_large_list(column.type)
        peer = self._peer(of_tokens=of_tokens)
        analyze: Analyze = peer.build_analyzer()
        if of_tokens or (self.analyzer, self.token_pattern, tuple(self.ngram_range)) != ("word", WORDS, (1, 1)):
            return of_documents([() if document is None else analyze(document) for document in column.to_pylist()])
        plain, foreign = of_texts(column, lowercase=self.lowercase)
        if foreign.any():
            others = of_documents([analyze(document) for document in column.filter(pa.array(foreign)).to_pylist()])
            plain = merged(plain, others, foreign)
        return plain.without(peer.get_stop_words() or ())

    def transform(self, X: Any) -> Any:  # Any: texts and tables
        """The vectors of the documents: of texts a sparse matrix, of a table a table that is made as it is read.

        Raises:
            sklearn.exceptions.NotFittedError: it is not fitted.
            SchemaError: a table has no column of texts, or several.
        """
        return self._transform_table(X) if is_text_table(X) else self._transform_array(X)

    def _transform_array(self, X: Any) -> Any:  # Any: texts
        check_is_fitted(self)
        return self._transform_batch(text_batch(X))

    def _transform_table(self, X: Any) -> Transformed:  # Any: tables
        check_is_fitted(self)
        source = as_scannable(X)
        known = getattr(self, "feature_names_in_", None)
        column = _text_column(source.schema, None if known is None else str(known[0]))
        return Transformed(
            source,
            [column],
            [str(name) for name in self.get_feature_names_out()],
            self._transform_batch,
            types=self._column_types(source.schema),
            any_type=True,
            label_schema=getattr(X, "label_schema", None),
        )


def is_text_table(X: object) -> bool:
    """Whether X is a table with a column of texts rather than the texts themselves."""
    return is_table(X) and not isinstance(X, pd.Series | pa.ChunkedArray)


def fit_texts(estimator: BaseEstimator, X: Any, y: Any = None) -> Columns:  # Any: texts and tables
    """The documents to learn from; of a table the estimator learns the name of their column.

    Raises:
        SchemaError: a table has no column of texts, or others beside it.
        TypeMismatchError: a document is no text.
    """
    for name in ("n_features_in_", "feature_names_in_", "_learned_from_table"):
        estimator.__dict__.pop(name, None)
    if not is_text_table(X):
        batch = text_batch(X)
        return Columns(batches=ArrayBatches(batch), names=(KEY,), types=(arrow_column(batch, KEY).type,))
    source = as_scannable(X)
    roles = table_roles(estimator, X, source, y)
    if len(roles.X) != 1:
        raise SchemaError(
            f"The table has the columns {list(roles.X)} beside the label, where one column of texts is needed.",
            why="A vectorizer takes one column, and others would go on beside its terms.",
            fix="Select it: ColumnTransformer([('words', TfidfVectorizer(), 'review')]).",
            known=list(roles.X),
        )
    column = _text_column(source.schema.empty_table().select(list(roles.X)).schema, None)
    estimator.n_features_in_, estimator.feature_names_in_ = 1, np.asarray([column], dtype=object)
    batches = batches_of(source, Roles(columns=(column,)))
    return Columns(batches=batches, names=(column,), types=(source.schema.field(column).type,))


def text_batch(X: Any) -> Batch:  # Any: texts
    """Texts in memory as a batch of one column: a list, an array, a series, or the only column of an array or frame.

    Raises:
        TypeMismatchError: a document is no text.
        DataError: there are several columns.
    """
    if isinstance(X, pa.ChunkedArray | pa.Array):
        return Batch(columns={KEY: _texts(X.combine_chunks() if isinstance(X, pa.ChunkedArray) else X)})
    if hasattr(X, "iloc") or type(X).__module__.startswith("polars"):
        X = X.to_numpy()
    if isinstance(X, np.ndarray) and X.ndim > 1:
        if X.ndim > 2 or X.shape[1] != 1:
            raise DataError(
                f"X has the shape {X.shape}, where one column of texts is needed.",
                why="A document is a text.",
                fix="Select the column, or use a ColumnTransformer.",
            )
        X = X[:, 0]
    documents = [_document(one) for one in X]
    return Batch(columns={KEY: _texts(pa.array(documents, None if documents else pa.string()))})


def _document(value: Any) -> Any:  # Any: a text, tokens, or what is none
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, float) and value != value:
        return None
    if isinstance(value, Sequence | np.ndarray) and all(isinstance(token, str) for token in value):
        return list(value)
    raise TypeMismatchError(
        f"A document is {value!r}, of the type {type(value).__name__}.",
        why="A vectorizer takes texts, or lists of tokens.",
        fix="Select the column of texts.",
    )


def _texts(column: pa.Array) -> pa.Array:
    if pa.types.is_null(column.type):
        column = column.cast(pa.string())
    if not _holds_texts(column.type):
        raise TypeMismatchError(
            f"The documents have the type {column.type}.",
            why="A vectorizer takes texts, or lists of tokens.",
            fix="Select the column of texts.",
            type=str(column.type),
        )
    return column


def _holds_texts(kind: pa.DataType) -> bool:
    value = kind.value_type if pa.types.is_dictionary(kind) else kind
    if pa.types.is_list(value) or pa.types.is_large_list(value):
        value = value.value_type
    return any(of(value) for of in (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view))


def _text_column(schema: pa.Schema, known: str | None) -> str:
    """The column of a table that has the texts."""
    texts = [field.name for field in schema if _holds_texts(field.type)]
    if known is not None and known in texts:
        return known
    if known is not None or len(texts) != 1:
        raise SchemaError(
            f"The table has the columns of texts {texts}, where " + (f"{known!r}" if known else "one") + " is needed.",
            why="A vectorizer takes one column.",
            fix="Select it: ColumnTransformer([('words', TfidfVectorizer(), 'review')]).",
            known=texts,
        )
    return str(texts[0])


def _same(document: Any) -> Any:  # Any: tokens
    return document
