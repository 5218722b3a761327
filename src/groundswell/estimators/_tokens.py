"""Steps on the way from texts to terms, each a transformer of its own: tokens, stop words, n-grams.

The vectorizers do all of it by their parameters, and take what these make as well. These are for those who want the
tokens themselves, as a column of lists.
"""

import re
from abc import abstractmethod
from collections.abc import Collection
from typing import Any, Literal, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from groundswell.errors import FitError, TypeMismatchError
from groundswell.estimators._columns import arrow_column
from groundswell.estimators._documents import KEY, TextTransformer, fit_texts, text_batch
from groundswell.estimators._terms import WORDS
from groundswell.statistics import Batch


class _TokenTransformer(TextTransformer):
    """A transformer from documents to lists of tokens; a null has none."""

    _takes_tokens = True

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def fit(self, X: Any, y: Any = None) -> Self:  # Any: texts and tables
        """Learn the name of a table's column, and nothing else.

        Args:
            X: documents, or a table with one column of them beside the label.
            y: not used; with a table the name of a column that is no feature.

        Raises:
            FitError: a setting is none.
            SchemaError: a table has no column of texts, or several columns.
            TypeMismatchError: a document is no text.
        """
        self._check_settings()
        fit_texts(self, X, y)
        return self

    def _check_settings(self) -> None:
        """Raise if a setting is none."""

    @abstractmethod
    def _tokens(self, document: Any) -> list[str]:  # Any: a text or tokens
        """What becomes of one document."""

    def _lists(self, batch: Batch) -> list[list[str]]:
        column = arrow_column(batch, next(iter(batch.columns)))
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        if len(column) > column.null_count and self._takes_tokens != pa.types.is_nested(column.type):
            raise TypeMismatchError(
                f"{type(self).__name__} got documents of the type {column.type}.",
                why="It takes lists of tokens." if self._takes_tokens else "It takes texts.",
                fix="Put RegexTokenizer before it." if self._takes_tokens else "Leave it out: they are tokens already.",
                type=str(column.type),
            )
        return [[] if document is None else self._tokens(document) for document in column.to_pylist()]

    def _transform_batch(self, batch: Batch) -> list[pa.Array]:
        return [pa.array(self._lists(batch), pa.list_(pa.string()))]

    def _transform_array(self, X: Any) -> NDArray[Any]:  # Any: documents
        lists = self._lists(text_batch(X))
        made = np.empty(len(lists), dtype=object)
        made[:] = lists
        return made

    def _column_types(self, schema: pa.Schema) -> list[pa.DataType]:
        return [pa.list_(pa.string())]

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:  # Any: not used
        """The name of the table's column, or "text"."""
        return np.asarray(getattr(self, "feature_names_in_", [KEY]), dtype=object)


class RegexTokenizer(_TokenTransformer):
    """Texts as lists of tokens.

    Args:
        pattern: a regular expression of what a token is, or of what lies between two.
        gaps: whether it is of what lies between.
        lowercase: whether texts are made lower case first.

    Attributes:
        n_features_in_, feature_names_in_: of a table: 1, and the name of its column of texts.

    >>> RegexTokenizer().fit_transform(["To be, or not"]).tolist()
    [['to', 'be', 'or', 'not']]
    """

    _takes_tokens = False

    def __init__(self, pattern: str = WORDS, *, gaps: bool = False, lowercase: bool = True) -> None:
        self.pattern, self.gaps, self.lowercase = pattern, gaps, lowercase

    def _check_settings(self) -> None:
        try:
            re.compile(self.pattern)
        except re.error as error:
            raise FitError(
                f"The pattern {self.pattern!r} is no regular expression: {error}.",
                fix="Escape what is meant as it stands with a backslash.",
            ) from error

    def _tokens(self, document: str) -> list[str]:
        text = document.lower() if self.lowercase else document
        if self.gaps:
            return [token for token in re.split(self.pattern, text) if token]
        return [match.group() for match in re.finditer(self.pattern, text)]


class StopWordsRemover(_TokenTransformer):
    """Lists of tokens without those that say little.

    Args:
        stop_words: "english" (scikit-learn's list), or the tokens to leave out, best a set.

    Attributes:
        n_features_in_, feature_names_in_: of a table: 1, and the name of its column of tokens.

    >>> StopWordsRemover().fit_transform([["the", "plot", "was", "thin"]]).tolist()
    [['plot']]
    """

    def __init__(self, stop_words: Literal["english"] | Collection[str] = "english") -> None:
        self.stop_words = stop_words

    def _check_settings(self) -> None:
        if isinstance(self.stop_words, str) and self.stop_words != "english":
            raise FitError(f"stop_words is {self.stop_words!r}.", fix="Use 'english', or a list of tokens.")

    def _tokens(self, document: list[str]) -> list[str]:
        out = ENGLISH_STOP_WORDS if isinstance(self.stop_words, str) else self.stop_words or ()
        return [token for token in document if token not in out]


class NGram(_TokenTransformer):
    """Lists of tokens as lists of n neighbors each, joined by spaces; none for fewer tokens than n.

    Args:
        n: how many.

    Attributes:
        n_features_in_, feature_names_in_: of a table: 1, and the name of its column of tokens.

    >>> NGram(2).fit_transform([["to", "be", "or"]]).tolist()
    [['to be', 'be or']]
    """

    def __init__(self, n: int = 2) -> None:
        self.n = n

    def _check_settings(self) -> None:
        if self.n < 1:
            raise FitError(f"n is {self.n}.", fix="Use 2, for example.")

    def _tokens(self, document: list[str]) -> list[str]:
        return [" ".join(document[i : i + self.n]) for i in range(len(document) - self.n + 1)]
