"""Words found in bytes against scikit-learn's regular expression."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction import text as peer

from groundswell.estimators import CountVectorizer, HashingVectorizer
from groundswell.estimators._terms import of_documents, of_texts

PIECES = st.sampled_from(["a", "be", "B_2", "99", " ", "", "-", "\n", "É", "être", "ß", "İx", "naïve", "to be", "\x7f"])
TEXTS = st.lists(st.lists(PIECES, max_size=8).map("".join) | st.none(), min_size=1, max_size=8)


def listed(terms):
    """The terms of each document, as a list."""
    words = [terms.values[code] for code in terms.codes]
    return [words[a:b] for a, b in zip(terms.ends[:-1], terms.ends[1:], strict=True)]


@given(texts=TEXTS, lowercase=st.booleans(), stop_words=st.sampled_from([None, ["be", "être"], "english"]))
def test_terms_are_those_of_scikit_learn(texts, lowercase, stop_words):
    options = {"lowercase": lowercase, "stop_words": stop_words}
    analyze = peer.CountVectorizer(**options).build_analyzer()
    expected = [analyze(text or "") for text in texts]
    table = pa.table({"text": pa.array(["left out", *texts], pa.string()).slice(1)})
    vectorizer = CountVectorizer(**options)
    if any(expected):
        made = vectorizer.fit_transform(texts)
        theirs = peer.CountVectorizer(**options).fit(text or "" for text in texts)
        assert vectorizer.vocabulary_ == theirs.vocabulary_
        np.testing.assert_array_equal(made.toarray(), theirs.transform(text or "" for text in texts).toarray())
        assert CountVectorizer(**options).fit(table).vocabulary_ == theirs.vocabulary_
    hashed = HashingVectorizer(n_features=16, **options)
    theirs = peer.HashingVectorizer(n_features=16, **options).transform(text or "" for text in texts)
    np.testing.assert_allclose(hashed.transform(texts).toarray(), theirs.toarray(), rtol=1e-14)


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.string_view()])
def test_words_do_not_reach_from_one_text_into_the_next(kind):
    texts = pa.array(["to", "be", None, "", "x", "or not", "nö"], kind)
    terms, foreign = of_texts(texts, lowercase=True)
    assert listed(terms) == [["to"], ["be"], [], [], [], ["or", "not"], []]
    assert foreign.tolist() == [False] * 6 + [True]


def test_documents_without_terms_count_nothing():
    terms = of_documents([[], ["a", "b", "a"], []])
    assert terms.counts(np.arange(2), 2).toarray().tolist() == [[0, 0], [2, 1], [0, 0]]
    assert [found.tolist() for found in terms.occurrences()] == [[2, 1], [1, 1]]
    assert of_documents([]).counts(np.zeros(0, np.int64), 3).shape == (0, 3)
