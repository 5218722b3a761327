"""Tokens, stop words and n-grams, as steps of their own."""

import re

import numpy as np
import pyarrow as pa
import pytest
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS
from sklearn.pipeline import make_pipeline

from groundswell.errors import FitError, SchemaError, TypeMismatchError
from groundswell.estimators import CountVectorizer, NGram, RegexTokenizer, StopWordsRemover

TEXTS = ["The plot was thin, the actors were not!", "", "Good film: GOOD actors", None]


def read(table, name):
    return pa.concat_tables(part() for part in table.parts([name]))[name].to_pylist()


def test_steps_of_their_own_give_the_terms_of_the_vectorizer():
    table = pa.table({"review": TEXTS, "label": [0, 1, 1, 0]})
    steps = make_pipeline(RegexTokenizer(), StopWordsRemover(), NGram(2), CountVectorizer(lowercase=False))
    made = steps.fit_transform(table, "label")
    whole = CountVectorizer(stop_words="english", ngram_range=(2, 2)).fit_transform(table, "label")
    assert made.schema.names == whole.schema.names
    for name in made.schema.names:
        assert read(made, name) == read(whole, name)


def test_a_column_of_texts_becomes_a_column_of_lists_and_others_stay():
    table = pa.table({"review": pa.array(TEXTS).dictionary_encode(), "label": [0, 1, 1, 0]})
    made = RegexTokenizer().fit_transform(table, "label")
    assert made.schema.field("review").type == pa.list_(pa.string())
    assert read(made, "review") == [re.findall(r"\w\w+", (text or "").lower()) for text in TEXTS]
    assert read(made, "label") == [0, 1, 1, 0]


def test_patterns_of_gaps_split():
    assert RegexTokenizer(r"\s+", gaps=True, lowercase=False).fit_transform([" To be"]).tolist() == [["To", "be"]]


def test_stop_words_are_those_of_scikit_learn_or_given_ones():
    tokens = [["the", "film", "was", "not", "good"]]
    made = StopWordsRemover().fit_transform(tokens)
    assert made.tolist() == [[token for token in tokens[0] if token not in ENGLISH_STOP_WORDS]]
    assert StopWordsRemover(["film"]).fit_transform(tokens).tolist() == [["the", "was", "not", "good"]]


def test_too_few_tokens_have_no_n_grams():
    made = NGram(3).fit_transform([["a", "b"], ["a", "b", "c", "d"], []])
    assert made.tolist() == [[], ["a b c", "b c d"], []]
    assert isinstance(made, np.ndarray)


def test_what_is_wrong_is_said():
    with pytest.raises(FitError, match="no regular expression"):
        RegexTokenizer("(").fit(["a"])
    with pytest.raises(FitError, match="'english'"):
        StopWordsRemover("german").fit([["a"]])
    with pytest.raises(FitError, match="n is 0"):
        NGram(0).fit([["a"]])
    with pytest.raises(TypeMismatchError, match="RegexTokenizer before it"):
        NGram().fit_transform(["a text"])
    with pytest.raises(TypeMismatchError, match="tokens already"):
        RegexTokenizer().fit_transform([["a"]])
    with pytest.raises(SchemaError, match="one column of texts"):
        CountVectorizer().fit(pa.table({"review": ["good film"], "stars": [5]}))
